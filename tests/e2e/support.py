"""What the end-to-end tests share: a lab for each test, what must hold in it, its story on failure.

Each test makes a lab of its own (about a second) and ends it, also when it fails. A file of tests
ends with `support.main()`, which wants root, prints how long each test took, and fails where
something of a lab is left on the machine.
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import sys
import time
import typing
import unittest
from collections.abc import Callable

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

# pylint: disable=wrong-import-position
from halab import options
from halab.lab import Lab, labs
from halab.mha import APPLICATION_CONF, REPORT_EMAIL, Line, Outcome
from halab.options import DATABASE_HOSTS
from halab.sink import Mail
from halab.system import sudoers_of

# Shared by all hosts of a lab.
SIGNALS = "/run/lab/e2e"
STATE_DIR = "/var/lib/mha-helper"
ONLINE_HOOK = "master_ip_online_failover_helper"

# The suite's exit codes (README.rst, "Exit codes").
DONE = 0
CONFIG = 3
INCOMPLETE = 10
UNDONE = 20
NOT_UNDONE = 21


@dataclasses.dataclass(frozen=True)
class ServerState:
    """What a failed operation must leave as it was. `source` is None for a server without one."""

    read_only: bool
    source: str | None
    io_thread: str | None
    sql_thread: str | None


@dataclasses.dataclass(frozen=True)
class LabState:
    vip_holders: tuple[str, ...]
    servers: dict[str, ServerState]


@dataclasses.dataclass(frozen=True)
class JournalFile:
    """One journal of our programs, as it lies on mgr."""

    name: str
    records: tuple[dict, ...]

    @property
    def closed(self) -> bool:
        """A later process has answered for it."""
        return any(record.get("event") == "closed" for record in self.records)

    @property
    def ending(self) -> int | None:
        """The last one: who undoes from a journal notes an ending of its own."""
        endings = [record["ending"] for record in self.records if record.get("event") == "end"]
        return endings[-1] if endings else None


def server_state(lab: Lab, name: str) -> ServerState:
    status = lab.database(name).replica_status()
    if status is None or not status["Master_Host"]:
        return ServerState(lab.read_only(name), None, None, None)
    return ServerState(lab.read_only(name), status["Master_Host"], status["Slave_IO_Running"],
                       status["Slave_SQL_Running"])


def lab_state(lab: Lab) -> LabState:
    return LabState(tuple(lab.vip_holders()),
                    {name: server_state(lab, name) for name in DATABASE_HOSTS})


def journals(lab: Lab, operation: str = "") -> list[JournalFile]:
    """Oldest first. A program that was killed may have left a line without its end."""
    found = []
    for path in lab.path(STATE_DIR).glob(f"{operation}*.journal"):
        records = []
        for line in path.read_text("utf-8").splitlines():
            with contextlib.suppress(ValueError):
                records.append(json.loads(line))
        found.append(JournalFile(path.name, tuple(records)))
    return sorted(found, key=lambda journal: journal.records[0]["time"])


class Eventually:
    """A condition that is polled; time-outs are far above what is seen, for busy machines."""

    def __init__(self, timeout: float = 20.0) -> None:
        self._deadline = time.monotonic() + timeout

    def over(self) -> bool:
        if time.monotonic() > self._deadline:
            return True
        time.sleep(0.05)
        return False


class LabTest(unittest.TestCase):
    """A test in a lab. `self.ran` are the outcomes of the operations so far."""

    def setUp(self) -> None:
        self.ran: list[Outcome] = []
        self.own_labs: list[Lab] = []

    def make_lab(self, **choices) -> Lab:
        lab = Lab(**choices)
        self.own_labs.append(lab)
        self.addCleanup(lab.down)
        lab.up()
        lab.path(SIGNALS).mkdir(mode=0o777)
        return lab

    # Operations.

    def switch(self, lab: Lab, *extra: str,
               on_line: Callable[[Line], None] | None = None) -> Outcome:
        return self._keep(lab.switch(extra=extra, on_line=on_line))

    def failover(self, lab: Lab, dead: str = "db1", *extra: str,
                 on_line: Callable[[Line], None] | None = None) -> Outcome:
        return self._keep(lab.failover(dead, extra=extra, on_line=on_line))

    def run_on_mgr(self, lab: Lab, command: list[str], **how) -> Outcome:
        return self._keep(lab.mha.run(command, **how))

    def _keep(self, outcome: Outcome) -> Outcome:
        self.ran.append(outcome)
        return outcome

    # What must hold.

    def assert_status(self, outcome: Outcome, status: int) -> None:
        self.assertEqual(outcome.status, status,
                         f"\n{' '.join(outcome.command)}\n{outcome.output}")

    def assert_only_master(self, lab: Lab, host: str) -> None:
        """One holder of the virtual IP and one writable server, and both are `host`."""
        self.assertEqual(lab.vip_holders(), [host], "holders of the virtual IP")
        self.assertEqual(lab.writable(), [host], "writable servers")

    def assert_replicate_from(self, lab: Lab, master: str, *replicas: str) -> None:
        """Both threads run soon: after START SLAVE the I/O thread is connecting for a moment."""
        addresses = (master, options.address_v4(options.HOST_NUMBERS[master]))
        waiting = Eventually()
        while True:
            states = {name: server_state(lab, name) for name in replicas}
            if all(state.source in addresses and state.io_thread == state.sql_thread == "Yes"
                   for state in states.values()):
                return
            if waiting.over():
                self.fail(f"not all of {replicas} replicate from {master}: {states}")

    def assert_state(self, lab: Lab, before: LabState) -> None:
        """Address and read_only are as before at once, replication soon."""
        waiting = Eventually()
        now = lab_state(lab)
        self.assertEqual(now.vip_holders, before.vip_holders, "holders of the virtual IP")
        for name in DATABASE_HOSTS:
            self.assertEqual(now.servers[name].read_only, before.servers[name].read_only,
                             f"read_only of {name}")
        while now != before and not waiting.over():
            now = lab_state(lab)
        self.assertEqual(now, before)

    def assert_writes_go_on(self, lab: Lab, host: str) -> None:
        """The client gets acknowledgements through the virtual IP, from that server."""
        lab.writer.wait_for_writes(100)
        self.assertEqual(lab.writer.journal().connections[-1][1], options.HOST_NUMBERS[host],
                         "the server that the client writes to")

    def assert_nothing_lost(self, lab: Lab, *hosts: str) -> None:
        """Every acknowledged row is on each of the servers, once its replication has caught up."""
        lab.writer.stop()
        for host in hosts:
            waiting = Eventually()
            written = lab.write_report(host)
            while written.lost and lab.read_only(host) and not waiting.over():
                written = lab.write_report(host)
            self.assertGreater(written.acknowledged, 100)
            self.assertEqual(written.lost, (), f"acknowledged rows that {host} does not have")

    def assert_same_rows(self, lab: Lab, table: str = "lab.written") -> None:
        """All servers hold the same rows: no write went past replication."""
        lab.wait_until_replicating()
        sums = {name: lab.sql(name, f"CHECKSUM TABLE {table}")[0]["Checksum"]
                for name in DATABASE_HOSTS}
        self.assertEqual(len(set(sums.values())), 1, sums)

    def assert_no_secret(self, lab: Lab, *texts: str) -> None:
        """The password is in nothing that our programs wrote."""
        kept = [path.read_text("utf-8", "replace")
                for path in lab.path(STATE_DIR).rglob("*") if path.is_file()]
        for text in (*texts, *kept):
            self.assertNotIn(lab.options.mha_password, text)

    # The story on failure.

    def story(self) -> str:
        parts = []
        for outcome in self.ran:
            parts.append(f"$ {' '.join(outcome.command)}\n{outcome.output}exit {outcome.status} "
                         f"after {outcome.end - outcome.begin:.1f} s")
        for lab in self.own_labs:
            with contextlib.suppress(Exception):
                parts.append(f"lab {lab.id}: {lab_state(lab)}")
            with contextlib.suppress(Exception):
                for journal in journals(lab):
                    parts.append(journal.name + "".join(f"\n  {record}"
                                                        for record in journal.records))
        return "\n".join(parts)


class TimedResult(unittest.TextTestResult):
    """Says how long each test took; tells a failed one's story while its lab is still up."""

    def __init__(self, *arguments, **named) -> None:
        super().__init__(*arguments, **named)
        self._begin = 0.0

    def startTest(self, test: unittest.TestCase) -> None:
        self._begin = time.monotonic()
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.stream.writeln(f"    {time.monotonic() - self._begin:.1f} s")

    def addFailure(self, test, err) -> None:
        self._tell(test)
        super().addFailure(test, err)

    def addError(self, test, err) -> None:
        self._tell(test)
        super().addError(test, err)

    def _tell(self, test: unittest.TestCase) -> None:
        if isinstance(test, LabTest):
            self.stream.writeln(f"\n--- what happened in {test.id()}\n{test.story()}\n---")


# What a lab would write if its /etc and /var were not its own.
_WRITTEN = ("/etc/mha", "/etc/mha-helper", "/etc/masterha_default.cnf", "/etc/perl/MHA",
            "/etc/sudoers.d/mha_helper", "/var/lib/mha-helper", "/var/log/masterha")


def machine() -> dict[str, object]:
    """What a lab could change of the machine; others who work on it change other things."""
    accounts = [line for file in ("/etc/passwd", "/etc/group")
                for line in pathlib.Path(file).read_text("utf-8").splitlines()
                if "mha_helper" in line]
    return {"accounts": accounts, "files": [path for path in _WRITTEN if os.path.exists(path)]}


def traces_of(lab: Lab) -> list[str]:
    """Mounts, links, namespaces and processes of this machine that bear the lab's name."""
    found = [line for line in pathlib.Path("/proc/self/mountinfo").read_text("utf-8").splitlines()
             if lab.name in line]
    for folder in ("/sys/class/net", "/run/netns", "/etc/netns"):
        if os.path.isdir(folder):
            found += [name for name in os.listdir(folder) if lab.name in name]
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            text = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if f"{lab.name}-" in text:
                found.append(text)
    return found


class _LeftBehind(LabTest):
    """Runs last in each file: the labs of this process are gone, and the machine is as it was."""

    before: typing.ClassVar[dict[str, object]] = {}
    made: typing.ClassVar[list[Lab]] = []

    def runTest(self) -> None:
        for lab in self.made:
            self.assertNotIn(lab.id, labs())
            waiting = Eventually()
            while traces_of(lab):
                self.assertFalse(waiting.over(), traces_of(lab))
        self.assertEqual(machine(), self.before)

    def __str__(self) -> str:
        return "nothing is left behind"


def main() -> None:
    """Runs the tests of the calling file."""
    if os.geteuid() != 0:
        sys.exit(f"{sys.argv[0]} needs root: it makes network namespaces (try sudo)")
    _LeftBehind.before = machine()
    original = Lab.up

    def up(lab: Lab, *arguments, **named) -> None:
        _LeftBehind.made.append(lab)
        original(lab, *arguments, **named)

    Lab.up = up
    loader = unittest.defaultTestLoader
    suite = (loader.loadTestsFromNames(sys.argv[1:], sys.modules["__main__"]) if sys.argv[1:]
             else loader.loadTestsFromModule(sys.modules["__main__"]))
    suite.addTest(_LeftBehind())
    done = unittest.TextTestRunner(resultclass=TimedResult, verbosity=2).run(suite)
    sys.exit(0 if done.wasSuccessful() else 1)


__all__ = [
    "APPLICATION_CONF", "DONE", "Eventually", "HERE", "INCOMPLETE", "JournalFile", "Lab",
    "LabState", "LabTest", "Line", "Mail", "NOT_UNDONE", "ONLINE_HOOK", "Outcome", "REPORT_EMAIL",
    "SIGNALS", "STATE_DIR", "UNDONE", "journals", "lab_state", "labs", "main", "options",
    "server_state", "sudoers_of"]
