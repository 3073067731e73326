"""Runs the client that tries to write everywhere, and says where and when that worked."""

import dataclasses
import time

from halab import options
from halab.errors import LabError
from halab.hosts import Host

TABLE = ("CREATE TABLE lab.direct (id BIGINT AUTO_INCREMENT PRIMARY KEY, host VARCHAR(8) NOT NULL, "
         "number BIGINT NOT NULL)")


@dataclasses.dataclass(frozen=True)
class Taken:
    """A server took a row at some moment between these two; time.monotonic_ns()."""

    host: str
    sent: int
    answered: int
    number: int


class DirectWriter:
    """Control of the client, one for all database hosts. The table must be there: see TABLE."""

    def __init__(self, host: Host, chosen: options.LabOptions) -> None:
        self._host = host
        self._options = chosen
        self._pid: int | None = None

    def start(self, interval_ms: float = 1.0) -> None:
        program = options.LAB_FOLDER / "halab" / "direct_client.py"
        self._pid = self._host.start_in_background(
            ["/usr/bin/python3", "-B", str(program), f"--port={self._options.port}",
             f"--user={self._options.app_account.user}", f"--interval-ms={interval_ms:g}",
             f"--log={self._host.folder_inside}/log/direct.events", *options.DATABASE_HOSTS],
            "direct.log", {"LAB_PASSWORD": self._options.app_password})
        deadline = time.monotonic() + 10
        while not self.taken():
            if time.monotonic() > deadline:
                raise LabError("no server takes a row of the direct writer: "
                               + (self._host.folder / "log/direct.log").read_text("utf-8"))
            time.sleep(0.02)

    def stop(self, timeout: float = 10.0) -> None:
        if self._pid is None:
            return
        self._host.signal("TERM", self._pid)
        deadline = time.monotonic() + timeout
        while self._host.run(["kill", "-0", str(self._pid)]).status == 0:
            if time.monotonic() > deadline:
                raise LabError("the direct writer does not end")
            time.sleep(0.02)
        self._pid = None

    def _lines(self) -> list[list[str]]:
        path = self._host.folder / "log/direct.events"
        if not path.exists():
            return []
        text = path.read_text("utf-8")
        return [line.split() for line in text[:text.rfind("\n") + 1].splitlines()]

    def taken(self) -> list[Taken]:
        """In the order in which the answers came."""
        return [Taken(line[1], int(line[2]), int(line[3]), int(line[4]))
                for line in self._lines() if line[0] == "took"]

    def refusals(self) -> dict[str, set[int]]:
        """The error codes that each host has said."""
        codes: dict[str, set[int]] = {}
        for line in self._lines():
            if line[0] == "refused":
                codes.setdefault(line[1], set()).add(int(line[3]))
        return codes


def reigns(taken: list[Taken]) -> list[str]:
    """The hosts that took rows, one after the other.

    A host's reign ends with the first answer of another one. A row that is sent to it later, and
    taken, begins another reign of it: who expects db1, db2 and sees db1, db2, db1 has seen two
    writers. One that was sent before may have been taken before.
    """
    masters: list[str] = []
    ended: dict[str, Taken] = {}  # of each former master: the row by which it was one no longer
    for row in sorted(taken, key=lambda row: row.answered):
        if not masters or row.host != masters[-1]:
            if row.host in ended and row.sent <= ended[row.host].answered:
                # Its answer came late; it may have been taken before.
                continue
            if masters:
                ended[masters[-1]] = row
            ended.pop(row.host, None)
            masters.append(row.host)
    return masters


__all__ = ["TABLE", "DirectWriter", "Taken", "reigns"]
