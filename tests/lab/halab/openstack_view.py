#!/usr/bin/python3
"""Makes the lab's network in Neutron, or asks which ports may have an address.

usage: openstack_view.py KEYSTONE create SUBNET VIP NAME=ADDRESS...    prints {"NAME": PORT, ...}
       openstack_view.py KEYSTONE allowed VIP PORT...                  prints the ports
"""

import importlib.machinery
import importlib.util
import json
import pathlib
import sys

_BED = pathlib.Path(__file__).resolve().parents[2] / "cloud" / "openstack_bed"


def bed():
    """The bed's own program, for its way to speak to both servers."""
    loader = importlib.machinery.SourceFileLoader("openstack_bed", str(_BED))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("openstack_bed", loader))
    loader.exec_module(module)
    return module


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


def main() -> None:
    keystone, verb, *rest = sys.argv[1:]
    module = bed()
    cloud = module.Cloud(keystone, module.password_auth("dba", "dba-password", "db"))
    if verb == "create":
        subnet, vip, *hosts = rest
        print(json.dumps(create(cloud, subnet, vip, dict(host.split("=", 1) for host in hosts))))
        return
    vip, *ports = rest
    for port in ports:
        pairs = cloud.neutron("GET", f"/ports/{port}")["port"]["allowed_address_pairs"]
        if any(pair["ip_address"] == vip for pair in pairs):
            print(port)


if __name__ == "__main__":
    main()
