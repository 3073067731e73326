"""The lab in a VPC: EC2's interface moves the virtual IP.

A VPC's network knows from the interface alone where an address is, and asks nobody by ARP. A
watcher does the same here: it leads the client's packets to the instance that EC2 names.
"""

import pathlib

from halab import cloud, options
from halab.cloud_proxy import Proxy
from halab.hosts import Host
from halab.network import Network
from halab.sandbox import Sandbox, write_file

_CREDENTIALS = "/run/lab/home/root/.aws/credentials"


class Aws(cloud.Cloud):
    def __init__(self, sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
                 network: Network) -> None:
        super().__init__(sandbox, hosts, chosen)
        self._network = network
        self._bed = cloud.Bed(hosts["mgr"], "aws")
        self._mode = chosen.cloud_mode or "secondary_ip"
        if chosen.cloud_answers_in is not None:
            self.proxy = Proxy(hosts["mgr"], "aws")

    def start(self) -> None:
        # A route leads to an address outside of the VPC's own range: it ends before the virtual IP.
        subnet = f"{options.address_v4(0)}/{26 if self._mode == 'route' else 24}"
        addresses = [f"--host={name}={options.address_v4(options.HOST_NUMBERS[name])}"
                     for name in options.DATABASE_HOSTS]
        self._bed.start("--world", f"--vpc={subnet}", f"--subnet={subnet}", *addresses)
        if self.proxy is not None:
            self.proxy.start({"ec2": self._bed.told()["ec2"]}, self.options.cloud_answers_in)
        user = self._told()["users"]["good"]
        write_file(self.sandbox.path(_CREDENTIALS),
                   f"[default]\naws_access_key_id = {user['key']}\n"
                   f"aws_secret_access_key = {user['secret']}\n", 0o600)
        self.query("aws_view.py", *self._access(), "assign", self._what(),
                   self._told()["hosts"][options.FIRST_MASTER]["interface"])
        if self._mode == "eip":
            cloud.translate_everywhere(self._network, self.options)
        elif self._mode == "route":
            self._network.remove_address(options.FIRST_MASTER, self.options.vip_cidr)
            self._network.add_address(options.FIRST_MASTER, f"{self.options.vip}/32")
        self._start_network()

    def _start_network(self) -> None:
        """The watcher, in the network of mgr, from where it reaches the interface."""
        machines = cloud.link_addresses(
            self.hosts, {name: self._told()["hosts"][name]["interface"]
                         for name in options.DATABASE_HOSTS})
        self.watch(self._network, "aws_network.py", *self._access(), self._what(),
                   self.options.vip, self._network.namespace("app"), *machines)

    def _told(self) -> dict:
        return self._bed.told()["world"]

    def _what(self) -> str:
        """As aws_view.py calls it."""
        if self._mode == "eip":
            return f"eip:{self._told()['eip']['allocation']}"
        if self._mode == "route":
            return f"route:{self.options.vip}/32:{','.join(self._told()['route_tables'])}"
        return f"secondary_ip:{self.options.vip}"

    def _access(self) -> list[str]:
        user = self._told()["users"]["good"]
        return [self._bed.told()["ec2"], self._told()["region"], user["key"], user["secret"]]

    def helper_conf(self) -> dict[str, str | None]:
        conf: dict[str, str | None] = {"vip_type": "aws", "aws_mode": self._mode,
                                       "aws_region": self._told()["region"]}
        if self._mode == "eip":
            conf |= {"aws_allocation_id": self._told()["eip"]["allocation"],
                     "writer_vip_cidr": None, "cluster_interface": None}
        elif self._mode == "route":
            conf |= {"aws_route_table_ids": ",".join(self._told()["route_tables"]),
                     "writer_vip_cidr": f"{self.options.vip}/32"}
        if self.proxy is not None:
            conf["aws_ca"] = str(self.proxy.ca_file)
        return conf

    def environment(self) -> dict[str, str]:
        url = self._bed.told()["ec2"] if self.proxy is None else self.proxy.url("ec2")
        return {"AWS_ENDPOINT_URL_EC2": url, "AWS_EC2_METADATA_DISABLED": "true"}

    def holders(self) -> list[str]:
        found = self.query("aws_view.py", *self._access(), "holders", self._what()).split()
        return [name for name, machine in self._told()["hosts"].items()
                if machine["interface"] in found]


def make(sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
         network: Network) -> Aws:
    return Aws(sandbox, hosts, chosen, network)
