"""Runs the writing client on app and says what became of every row it wrote."""

import dataclasses
import pathlib
import time

from halab import options
from halab.database import Database
from halab.errors import LabError
from halab.hosts import Host
from halab.sandbox import INSIDE, Sandbox

_LOG = INSIDE / "writer.log"


@dataclasses.dataclass(frozen=True)
class Gap:
    """Two acknowledged writes and the time between them; times are time.monotonic() in seconds."""

    begin: float
    end: float

    @property
    def ms(self) -> float:
        return (self.end - self.begin) * 1000


@dataclasses.dataclass(frozen=True)
class WriteReport:
    """What the client was told, beside what a server holds."""

    acknowledged: int
    # Numbers that were acknowledged and are not in the table.
    lost: tuple[int, ...]
    # Numbers in the table whose acknowledgement never came.
    unacknowledged: tuple[int, ...]
    # INSERTs that failed, by error code; 1290 is a server that is read-only.
    errors: dict[int, int]


class Journal:
    """The client's log, parsed. See writer_client.py for its lines."""

    def __init__(self, text: str) -> None:
        # (time.monotonic() in seconds, number), in the order of time.
        self.acknowledged: list[tuple[float, int]] = []
        # (time, server_id) of each connection.
        self.connections: list[tuple[float, int]] = []
        # (time, number, error code, text).
        self.errors: list[tuple[float, int, int, str]] = []
        for line in text.splitlines():
            kind, nanoseconds, *rest = line.split(" ")
            when = int(nanoseconds) / 1e9
            if kind == "ack":
                self.acknowledged.append((when, int(rest[0])))
            elif kind == "connected":
                self.connections.append((when, int(rest[0])))
            elif kind == "error":
                code = int(rest[2]) if rest[2].isdigit() else 0
                self.errors.append((when, int(rest[0]), code, " ".join(rest[3:])))

    def longest_gap(self, since: float = 0.0, until: float = float("inf")) -> Gap:
        """The longest time between two acknowledged writes of which the later is in the window."""
        longest = None
        for (before, _), (after, _) in zip(self.acknowledged, self.acknowledged[1:]):
            if since <= after and before <= until:
                if longest is None or after - before > longest.end - longest.begin:
                    longest = Gap(before, after)
        if longest is None:
            raise LabError("the writer has no two acknowledged writes in that time")
        return longest


class Writer:
    """Control of the client. It starts once per lab; after stop, start carries the numbers on."""

    def __init__(self, sandbox: Sandbox, host: Host, chosen: options.LabOptions) -> None:
        self._sandbox = sandbox
        self._host = host
        self._options = chosen

    @property
    def _pid_file(self) -> pathlib.Path:
        return self._host.folder / "writer.pid"

    def start(self, interval_ms: float = 2.0, answer_timeout_ms: float = 50.0,
              timeout: float = 10.0) -> None:
        """Returns when writes are acknowledged. A writer that runs already goes on."""
        if self.running():
            return
        before = self.journal()
        numbers = [number for _, number in before.acknowledged]
        numbers += [number for _, number, _, _ in before.errors]
        program = options.LAB_FOLDER / "halab" / "writer_client.py"
        pid = self._host.start_in_background(
            ["/usr/bin/python3", "-B", str(program), f"--host={self._options.vip}",
             f"--port={self._options.port}", f"--user={self._options.app_account.user}",
             f"--log={_LOG}", f"--interval-ms={interval_ms:g}",
             f"--answer-timeout-ms={answer_timeout_ms:g}",
             f"--first-number={max(numbers, default=0) + 1}"],
            "writer.log", {"LAB_PASSWORD": self._options.app_password})
        self._pid_file.write_text(str(pid), encoding="ascii")
        self.wait_for_writes(10, timeout)

    def stop(self, timeout: float = 10.0) -> None:
        """Lets the write in flight end. Does nothing where no writer runs."""
        if not self.running():
            return
        pid = int(self._pid_file.read_text(encoding="ascii"))
        self._host.signal("TERM", pid)
        deadline = time.monotonic() + timeout
        while self.running():
            if time.monotonic() > deadline:
                self._host.signal("KILL", pid)
                raise LabError(f"the writer did not end within {timeout:g} s of SIGTERM")
            time.sleep(0.01)
        self._pid_file.unlink()

    def running(self) -> bool:
        try:
            pid = int(self._pid_file.read_text(encoding="ascii"))
            self._host.signal("0", pid)
            return True
        except (FileNotFoundError, ValueError, LabError):
            return False

    def journal(self) -> Journal:
        try:
            text = self._sandbox.path(_LOG).read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            text = ""
        # The last line may be in the making.
        return Journal(text[:text.rfind("\n") + 1])

    def wait_for_writes(self, count: int, timeout: float = 30.0) -> None:
        """Until `count` more writes have been acknowledged than when this was called."""
        wanted = len(self.journal().acknowledged) + count
        deadline = time.monotonic() + timeout
        while len(self.journal().acknowledged) < wanted:
            if time.monotonic() > deadline:
                log = (self._host.folder / "log/writer.log").read_text("utf-8", errors="replace")
                raise LabError(f"the writer got no {count} acknowledgements within {timeout:g} s "
                               f"{log.strip()[-300:]}")
            time.sleep(0.02)

    def report(self, server: Database) -> WriteReport:
        """Compares the client's log with the table on `server`. Stop the writer before."""
        journal = self.journal()
        acknowledged = {number for _, number in journal.acknowledged}
        there = {row["number"] for row in server.sql("SELECT number FROM lab.written", timeout=30)}
        errors: dict[int, int] = {}
        for _, _, code, _ in journal.errors:
            errors[code] = errors.get(code, 0) + 1
        return WriteReport(len(acknowledged), tuple(sorted(acknowledged - there)),
                           tuple(sorted(there - acknowledged)), errors)
