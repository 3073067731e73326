"""Keeps the moments at which the virtual IP came to a host or left it, as the kernel tells them."""

import dataclasses
import datetime
import re
import time

from halab import options
from halab.hosts import Host

# `ip -tshort monitor address`: [2026-01-31T12:34:56.123456] Deleted 2: eth0    inet ADDRESS/24 ...
_EVENT = re.compile(r"^\[(\S+)\] (Deleted )?\d+: \S+\s+inet6? ([0-9a-f.:]+)/\d+(.*)", re.MULTILINE)


@dataclasses.dataclass(frozen=True)
class VipEvent:
    """`when` is time.monotonic(); a v6 address that is tentative does not work yet."""

    when: float
    host: str
    present: bool
    tentative: bool


class VipWatch:
    def __init__(self, hosts: dict[str, Host], vip: str) -> None:
        self._hosts = hosts
        self._vip = vip

    def start(self) -> None:
        for name in options.DATABASE_HOSTS:
            self.start_on(name)

    def start_on(self, name: str) -> None:
        self._hosts[name].start_in_background(["ip", "-tshort", "monitor", "address"], "vip.log",
                                              {"TZ": "UTC"})

    def events(self) -> list[VipEvent]:
        """All so far, by time."""
        offset = time.monotonic() - time.time()
        found = []
        for name in options.DATABASE_HOSTS:
            path = self._hosts[name].folder / "log" / "vip.log"
            if not path.exists():
                continue
            for stamp, deleted, address, rest in _EVENT.findall(path.read_text("utf-8", "replace")):
                if address == self._vip:
                    when = datetime.datetime.fromisoformat(stamp + "+00:00").timestamp() + offset
                    found.append(VipEvent(when, name, not deleted, "tentative" in rest))
        return sorted(found, key=lambda event: event.when)
