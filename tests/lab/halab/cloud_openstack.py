"""The lab in OpenStack: Neutron allows the virtual IP on every candidate's port.

That is how keepalived's users have it (allowed address pairs): the hosts move the address among
themselves, and the network lets only those have it whose port names it. A port that no longer does
is fenced.
"""

import json

from halab import cloud, options
from halab.hosts import Host
from halab.network import Network
from halab.sandbox import Sandbox, write_file

_CLOUDS = "/etc/openstack/clouds.yaml"
_PORTS = "/run/lab/openstack-ports.json"


class Openstack(cloud.Cloud):
    names_one_holder = False

    def __init__(self, sandbox: Sandbox, hosts: dict[str, Host],
                 chosen: options.LabOptions) -> None:
        super().__init__(sandbox, hosts, chosen)
        self._bed = cloud.Bed(hosts["mgr"], "openstack")

    def start(self) -> None:
        self._bed.start("--world")
        told = self._bed.told()
        hosts = [f"{name}={options.address_v4(options.HOST_NUMBERS[name])}"
                 for name in options.DATABASE_HOSTS]
        ports = self.query("openstack_view.py", told["keystone"], "create",
                           f"{options.address_v4(0)}/24", self.options.vip, *hosts)
        write_file(self.sandbox.path(_PORTS), ports, 0o600)
        clouds = self.hosts["mgr"].must_run(["cat", told["clouds_yaml"]])
        write_file(self.sandbox.path(_CLOUDS), clouds, 0o600)

    def helper_conf(self) -> dict[str, str]:
        return {"vip_type": "openstack", "openstack_mode": "address_pair",
                "openstack_cloud": "address_pair"}

    def holders(self) -> list[str]:
        ports = json.loads(self.sandbox.path(_PORTS).read_text(encoding="utf-8"))
        found = self.query("openstack_view.py", self._bed.told()["keystone"], "allowed",
                           self.options.vip, *ports.values()).split()
        return [name for name, port in ports.items() if port in found]


def make(sandbox: Sandbox, hosts: dict[str, Host], chosen: options.LabOptions,
         _: Network) -> Openstack:
    return Openstack(sandbox, hosts, chosen)
