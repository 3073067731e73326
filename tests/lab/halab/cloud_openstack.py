"""The lab in OpenStack.

address_pair: Neutron allows the virtual IP on every candidate's port, as keepalived's users have it:
the hosts move the address among themselves, and the network lets only those have it whose port
names it. A port that no longer does is fenced. fixed_ip: it is an address of one port, and of that
host. floating_ip: the network translates it, and a watcher leads the client's packets to the host
that Neutron names.
"""

import json
import pathlib

from halab import cloud, options
from halab.cloud_proxy import Proxy
from halab.hosts import Host
from halab.network import Network
from halab.sandbox import Sandbox, write_file

_CLOUDS = "/etc/openstack/clouds.yaml"
_PORTS = "/run/lab/openstack-ports.json"


class Openstack(cloud.Cloud):
    def __init__(self, sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
                 network: Network) -> None:
        super().__init__(sandbox, hosts, chosen)
        self._network = network
        self._bed = cloud.Bed(hosts["mgr"], "openstack")
        self._mode = chosen.cloud_mode or "address_pair"
        self.names_one_holder = self._mode != "address_pair"
        if chosen.cloud_answers_in is not None:
            self.proxy = Proxy(hosts["mgr"], "openstack")

    def start(self) -> None:
        if self._mode == "address_pair":
            self._start_with_pairs()
        else:
            self._start_with_one_holder()
        told = self._bed.told()
        clouds = json.loads(self.hosts["mgr"].must_run(["cat", told["clouds_yaml"]]))
        if self.proxy is not None:
            keystone = told["keystone"].removesuffix("/v3")
            self.proxy.start({"keystone": keystone, "neutron": told["neutron"]},
                             self.options.cloud_answers_in)
            for entry in clouds["clouds"].values():
                entry["auth"]["auth_url"] = self.proxy.url("keystone") + "/v3"
                entry["cacert"] = str(self.proxy.ca_file)
        write_file(self.sandbox.path(_CLOUDS), json.dumps(clouds), 0o600)

    def _start_with_pairs(self) -> None:
        self._bed.start("--world")
        hosts = [f"{name}={options.address_v4(options.HOST_NUMBERS[name])}"
                 for name in options.DATABASE_HOSTS]
        ports = self._ask("create", f"{options.address_v4(0)}/24", self.options.vip, *hosts)
        write_file(self.sandbox.path(_PORTS), ports, 0o600)

    def _start_with_one_holder(self) -> None:
        hosts = [f"--host={name}={options.address_v4(options.HOST_NUMBERS[name])}"
                 for name in options.DATABASE_HOSTS]
        self._bed.start("--world", f"--subnet={options.address_v4(0)}/24", *hosts)
        ports = {name: port["id"] for name, port in self._bed.told()["world"]["ports"].items()}
        write_file(self.sandbox.path(_PORTS), json.dumps(ports), 0o600)
        self._ask("assign", self._what(), ports[options.FIRST_MASTER])
        if self._mode == "floating_ip":
            cloud.translate_everywhere(self._network, self.options)
            database = pathlib.PurePath(self._bed.told()["clouds_yaml"]).parent / "neutron.db"
            self.watch(self._network, "openstack_network.py", str(database), self._floating_ip(),
                       self.options.vip, self._network.namespace("app"),
                       *cloud.link_addresses(self.hosts, ports))

    def _ask(self, *words: str) -> str:
        return self.query("openstack_view.py", self._bed.told()["keystone"], *words)

    def _floating_ip(self) -> str:
        return self._bed.told()["world"]["floating_ip"]["id"]

    def _what(self) -> str:
        """As openstack_view.py calls it."""
        return f"{self._mode}:{self._floating_ip() if self._mode == 'floating_ip' else self.options.vip}"

    def helper_conf(self) -> dict[str, str | None]:
        conf: dict[str, str | None] = {"vip_type": "openstack", "openstack_mode": self._mode,
                                       "openstack_cloud": self._mode}
        if self._mode == "floating_ip":
            conf |= {"openstack_floating_ip_id": self._floating_ip(), "writer_vip_cidr": None,
                     "cluster_interface": None}
        return conf

    def holders(self) -> list[str]:
        ports = json.loads(self.sandbox.path(_PORTS).read_text(encoding="utf-8"))
        found = self._ask("holders", self._what(), *ports.values()).split()
        return [name for name, port in ports.items() if port in found]


def make(sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
         network: Network) -> Openstack:
    return Openstack(sandbox, hosts, chosen, network)
