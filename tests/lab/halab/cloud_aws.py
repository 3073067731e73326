"""The lab in a VPC: EC2's interface moves the virtual IP as a secondary private address.

A VPC's network knows from the interface alone where an address is, and asks nobody by ARP. A
watcher does the same here: it leads the client's packets to the instance that EC2 names.
"""

import pathlib

from halab import cloud, options
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

    def start(self) -> None:
        subnet = f"{options.address_v4(0)}/24"
        addresses = [f"--host={name}={options.address_v4(options.HOST_NUMBERS[name])}"
                     for name in options.DATABASE_HOSTS]
        self._bed.start("--world", f"--vpc={subnet}", f"--subnet={subnet}", *addresses)
        user = self._told()["users"]["good"]
        write_file(self.sandbox.path(_CREDENTIALS),
                   f"[default]\naws_access_key_id = {user['key']}\n"
                   f"aws_secret_access_key = {user['secret']}\n", 0o600)
        self.query("aws_view.py", *self._access(), "assign", self.options.vip,
                   self._told()["hosts"][options.FIRST_MASTER]["interface"])
        self._start_network()

    def _start_network(self) -> None:
        """The watcher, in the network of mgr, from where it reaches the interface."""
        machines = []
        for name in options.DATABASE_HOSTS:
            link = self.hosts[name].must_run(["cat", f"/sys/class/net/{options.INTERFACE}/address"])
            machines.append(f"{self._told()['hosts'][name]['interface']}={link.strip()}")
        script = pathlib.Path(__file__).parent / "aws_network.py"
        self.sandbox.run(
            ["sh", "-c", 'space=$1; shift; setsid ip netns exec "$space" "$@" </dev/null '
             '>/run/lab/aws-network.log 2>&1 &', "network", self._network.namespace("mgr"),
             "env", f"PYTHONPATH={cloud.BEDS}", "/usr/bin/python3", "-B", str(script),
             *self._access(), self.options.vip, self._network.namespace("app"), *machines])

    def _told(self) -> dict:
        return self._bed.told()["world"]

    def _access(self) -> list[str]:
        user = self._told()["users"]["good"]
        return [self._bed.told()["ec2"], self._told()["region"], user["key"], user["secret"]]

    def helper_conf(self) -> dict[str, str]:
        return {"vip_type": "aws", "aws_mode": "secondary_ip",
                "aws_region": self._told()["region"]}

    def environment(self) -> dict[str, str]:
        return {"AWS_ENDPOINT_URL_EC2": self._bed.told()["ec2"],
                "AWS_EC2_METADATA_DISABLED": "true"}

    def holders(self) -> list[str]:
        found = self.query("aws_view.py", *self._access(), "holders", self.options.vip).split()
        return [name for name, machine in self._told()["hosts"].items()
                if machine["interface"] in found]


def make(sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
         network: Network) -> Aws:
    return Aws(sandbox, hosts, chosen, network)
