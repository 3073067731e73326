"""The lab's wires: one bridge, a network namespace and a veth pair per host, faults, and addresses.

Everything runs in the sandbox, so `ip netns` there sees the lab's namespaces and no other's.
"""

import dataclasses
import json

from halab import options
from halab.errors import LabError
from halab.sandbox import Sandbox

# No host has this address: what is sent to it is lost without a word.
_NOWHERE = "02:00:00:00:00:99"

_HOST_SETTINGS = (
    "net.ipv4.ip_forward=0", "net.ipv6.conf.all.forwarding=0", "net.ipv6.conf.all.accept_ra=0",
    "net.ipv6.conf.default.accept_ra=0", "net.ipv6.conf.all.disable_ipv6=0",
    "net.ipv6.conf.default.disable_ipv6=0",
)


@dataclasses.dataclass(frozen=True)
class Address:
    address: str
    prefix: int
    flags: tuple[str, ...]


class Network:
    """Idempotent where it says ensure; everything else expects the state that its name implies."""

    def __init__(self, sandbox: Sandbox, name: str, more_settings: tuple[str, ...] = ()) -> None:
        self._sandbox = sandbox
        self._name = name
        self._settings = _HOST_SETTINGS + more_settings
        self.bridge = f"br-{name}"

    def namespace(self, host: str) -> str:
        return f"{self._name}-{host}"

    def create(self) -> None:
        """The bridge and all hosts. Multicast snooping would hold neighbour discovery back."""
        self._batch([f"link add {self.bridge} type bridge mcast_snooping 0 stp_state 0",
                     f"link set {self.bridge} up", "link set lo up"])
        for host in options.ALL_HOSTS:
            self.add_host(host)

    def add_host(self, host: str) -> None:
        number = options.HOST_NUMBERS[host]
        space = self.namespace(host)
        self._sandbox.run(["ip", "netns", "add", space])
        self._batch([
            f"link add {host} type veth peer name {options.INTERFACE} netns {space}",
            f"link set {host} master {self.bridge} up"])
        self._sandbox.run(["ip", "netns", "exec", space, "sysctl", "-qw", *self._settings])
        self._batch([
            "link set lo up", f"link set {options.INTERFACE} up",
            f"addr add {options.address_v4(number)}/24 dev {options.INTERFACE}",
            f"addr add {options.address_v6(number)}/64 dev {options.INTERFACE} nodad"], space)

    def remove_host(self, host: str) -> None:
        """As if it had lost power: its addresses, its links and whatever it held are gone."""
        # The wire by itself: the namespace lives on for a while in the mounts of other hosts.
        self._sandbox.run(["ip", "link", "delete", host])
        self._sandbox.run(["ip", "netns", "delete", self.namespace(host)])

    def _batch(self, lines: list[str], space: str | None = None) -> None:
        where = [] if space is None else ["-n", space]
        self._sandbox.run(["ip", *where, "-batch", "-"], stdin="\n".join(lines) + "\n")

    def run_outside_hosts(self, command: list[str]) -> str:
        """Where the bridge is, and of each host's wire the end that is not the host's."""
        return self._sandbox.run(command)

    # Faults. A partitioned host keeps its link and its addresses: its switch forgets it.

    def partition(self, host: str) -> None:
        self._sandbox.run(["ip", "link", "set", host, "nomaster"])

    def heal(self, host: str) -> None:
        """Joins the host to all others again, also after partition_pair."""
        self._sandbox.run(["ip", "link", "set", host, "master", self.bridge])
        for other in options.ALL_HOSTS:
            if other != host:
                for one, two in ((host, other), (other, host)):
                    self._forget(one, two)

    def partition_pair(self, one: str, two: str) -> None:
        """Neither reaches the other, by any of its addresses, the virtual IP included."""
        for host, lost in ((one, two), (two, one)):
            number = options.HOST_NUMBERS[lost]
            for address in (options.address_v4(number), options.address_v6(number)):
                self._sandbox.run(["ip", "-n", self.namespace(host), "neigh", "replace", address,
                                   "lladdr", _NOWHERE, "nud", "permanent",
                                   "dev", options.INTERFACE])

    def _forget(self, host: str, lost: str) -> None:
        number = options.HOST_NUMBERS[lost]
        for address in (options.address_v4(number), options.address_v6(number)):
            self._sandbox.run(
                ["sh", "-c", f"ip -n {self.namespace(host)} neigh show {address} nud permanent "
                 f"| grep -q . || exit 0; exec ip -n {self.namespace(host)} neigh del {address} "
                 f"dev {options.INTERFACE}"])

    # Addresses.

    def addresses(self, host: str) -> list[Address]:
        """All addresses of the host's interface; none where the host is stopped."""
        space = self.namespace(host)
        if not self._sandbox.path(f"/run/netns/{space}").exists():
            return []
        text = self._sandbox.run(["ip", "-n", space, "-json", "address", "show", "dev",
                                  options.INTERFACE])
        found = []
        for link in json.loads(text or "[]"):
            for item in link.get("addr_info", []):
                if "local" in item:
                    flags = tuple(name for name in ("tentative", "dadfailed") if item.get(name))
                    found.append(Address(item["local"], item["prefixlen"], flags))
        return found

    def add_address(self, host: str, cidr: str) -> None:
        nodad = ["nodad"] if ":" in cidr else []
        self._sandbox.run(["ip", "-n", self.namespace(host), "address", "add", cidr,
                           "dev", options.INTERFACE, *nodad])

    def add_hidden_address(self, host: str, cidr: str) -> None:
        """On lo: the host takes packets for it, and addresses() does not show it."""
        self._sandbox.run(["ip", "-n", self.namespace(host), "address", "add", cidr, "dev", "lo"])

    def remove_address(self, host: str, cidr: str) -> None:
        self._sandbox.run(["ip", "-n", self.namespace(host), "address", "del", cidr,
                           "dev", options.INTERFACE])

    def require_host(self, host: str) -> None:
        if host not in options.ALL_HOSTS:
            raise LabError(f"no host {host!r}: the lab has {', '.join(options.ALL_HOSTS)}")
