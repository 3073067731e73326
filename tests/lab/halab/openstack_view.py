#!/usr/bin/python3
"""Makes the lab's network in Neutron, changes who has an address, or asks.

usage: openstack_view.py KEYSTONE create SUBNET VIP NAME=ADDRESS...    prints {"NAME": PORT, ...}
       openstack_view.py KEYSTONE assign WHAT PORT
       openstack_view.py KEYSTONE holders WHAT PORT...                 prints the ports

WHAT is address_pair:ADDRESS (whose port lets it through), fixed_ip:ADDRESS or floating_ip:ID.
"""

import importlib.machinery
import importlib.util
import json
import pathlib
import sys

_BED = pathlib.Path(__file__).resolve().parents[2] / "cloud" / "openstack_bed"


def login(keystone: str):
    """By the bed's own program, and its way to speak to both servers."""
    loader = importlib.machinery.SourceFileLoader("openstack_bed", str(_BED))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("openstack_bed", loader))
    loader.exec_module(module)
    return module.Cloud(keystone, module.password_auth("dba", "dba-password", "db"))


def create(cloud, subnet: str, vip: str, hosts: dict[str, str]) -> dict[str, str]:
    def made(kind: str, **fields) -> dict:
        return cloud.neutron("POST", f"/{kind}s", {kind: fields})[kind]

    network = made("network", name="lab")["id"]
    made("subnet", network_id=network, ip_version=4, cidr=subnet)
    made("port", name="vip", network_id=network, fixed_ips=[{"ip_address": vip}])
    return {name: made("port", name=name, network_id=network, device_id=f"server-{name}",
                       device_owner="compute:nova", fixed_ips=[{"ip_address": address}],
                       allowed_address_pairs=[{"ip_address": vip}])["id"]
            for name, address in hosts.items()}


def assign(cloud, what: str, port: str) -> None:
    mode, _, rest = what.partition(":")
    if mode == "floating_ip":
        cloud.neutron("PUT", f"/floatingips/{rest}", {"floatingip": {"port_id": port}})
        return
    addresses = cloud.neutron("GET", f"/ports/{port}")["port"]["fixed_ips"]
    cloud.neutron("PUT", f"/ports/{port}",
                  {"port": {"fixed_ips": [*addresses, {"ip_address": rest}]}})


def holders(cloud, what: str, ports: list[str]) -> list[str]:
    mode, _, rest = what.partition(":")
    if mode == "floating_ip":
        floating = cloud.neutron("GET", f"/floatingips/{rest}")["floatingip"]
        return [port for port in ports if port == floating["port_id"]]
    kept = "allowed_address_pairs" if mode == "address_pair" else "fixed_ips"
    return [port for port in ports
            if any(one["ip_address"] == rest
                   for one in cloud.neutron("GET", f"/ports/{port}")["port"][kept])]


def main() -> None:
    keystone, verb, *rest = sys.argv[1:]
    cloud = login(keystone)
    if verb == "create":
        subnet, vip, *hosts = rest
        print(json.dumps(create(cloud, subnet, vip, dict(host.split("=", 1) for host in hosts))))
        return
    what, *ports = rest
    if verb == "assign":
        assign(cloud, what, *ports)
    print(*holders(cloud, what, ports))


if __name__ == "__main__":
    main()
