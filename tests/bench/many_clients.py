"""Thousands of connected clients, many of them writing, while our own engine switches."""

import dataclasses
import json
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "lab"))

# pylint: disable=wrong-import-position
from halab.errors import LabError
from halab.lab import Lab
from halab.progress import Progress
from halab.servers import INSTALLED
from runs import STATE_DIR, check

# The kernel's own queue of connections that nobody has accepted yet is as long.
_SERVER = {"max_connections": "12000", "back_log": "4096", "thread_cache_size": "0",
           "open_files_limit": "20000", "table_open_cache": "4000"}


@dataclasses.dataclass(frozen=True)
class Measured:
    """Milliseconds. `frozen`: as the switch itself says; `gap`: between two acknowledgements of
    anybody; `typical` and `last`: how long the median writer and the last one went without."""

    frozen: float
    gap: float
    typical: float
    last: float
    whole: float
    writes: int  # acknowledged in the second before


class Crowd:
    """The clients, in one process on the host app."""

    def __init__(self, lab: Lab, clients: int, writers: int, interval_ms: float) -> None:
        self._lab = lab
        self._host = lab.hosts["app"]
        self._out = "many_clients.json"
        ready = self._host.folder_inside / "log" / "many_clients.ready"
        self._pid = self._host.start_in_background(
            ["/usr/bin/python3", "-B", str(HERE / "many_clients_client.py"),
             f"--host={lab.options.vip}", f"--port={lab.options.port}", f"--clients={clients}",
             f"--writers={writers}", f"--interval-ms={interval_ms}", f"--ready={ready}"],
            self._out, {"LAB_PASSWORD": lab.options.app_account.password})
        _wait(lambda: (self._host.folder / "log" / ready.name).exists(), 120,
              "not all clients have logged in")

    def connected(self, server: str) -> int:
        return self._lab.sql(server, "SELECT COUNT(*) AS n FROM information_schema.processlist "
                             "WHERE user = 'app'")[0]["n"]

    def stop(self) -> dict:
        self._host.signal("TERM", self._pid)
        _wait(lambda: self._host.run(["kill", "-0", str(self._pid)]).status != 0, 30,
              "the clients do not end")
        text = (self._host.folder / "log" / self._out).read_text("utf-8")
        return json.loads(text[text.index('{"opened"'):])


def _wait(is_so, seconds: float, otherwise: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise LabError(f"{otherwise} after {seconds:g} s")
        time.sleep(0.1)


def measure(count: int, clients: int, writers: int, interval_ms: float, server: str,
            progress: Progress) -> list[Measured]:
    """`count` switches to and fro in one lab."""
    done = []
    with Lab(kill_after_timeout=0, server=server, server_conf=_SERVER,
             gtid="off" if server == INSTALLED else "on") as lab:
        lab.sql("db1", "CREATE TABLE lab.crowd (writer INT, number INT, server INT, "
                "PRIMARY KEY (writer, number))")
        lab.writer.start()
        crowd = Crowd(lab, clients, writers, interval_ms)
        master = "db1"
        operations = []
        for number in range(count):
            other = "db2" if master == "db1" else "db1"
            lab.wait_until_replicating(60)
            _wait(lambda: crowd.connected(master) >= clients, 60, "not all clients are back")  # pylint: disable=cell-var-from-loop
            time.sleep(1)  # what writes in this second is counted
            outcome = lab.switch(other, extra=("--engine=native",))
            check(lab, "native", outcome, other)
            operations.append((outcome, _frozen(lab)))
            progress.step(f"{number + 1:3}/{count} switch with {clients} clients: "
                          f"{operations[-1][1]:.1f} ms frozen")
            master = other
        _wait(lambda: crowd.connected(master) >= clients, 60, "not all clients are back")
        lab.wait_until_replicating(60)
        acks = crowd.stop()["acks"]
        lab.writer.stop()
        _nothing_lost(lab, master, acks)
        done = [_measured(outcome, frozen, acks, writers) for outcome, frozen in operations]
    return done


def _frozen(lab: Lab) -> float:
    newest = max(lab.path(STATE_DIR).glob("switchover-*.journal"),
                 key=lambda path: path.stat().st_mtime)
    records = [json.loads(line) for line in newest.read_text("utf-8").splitlines()]
    return next(record for record in records if record["event"] == "end")["clients_waited_ms"]


def _nothing_lost(lab: Lab, master: str, acks: list) -> None:
    there = {(row["writer"], row["number"])
             for row in lab.database(master).sql("SELECT writer, number FROM lab.crowd",
                                                 timeout=60)}
    lost = {(writer, number) for _, writer, number in acks} - there
    if lost or lab.write_report(master).lost:
        raise LabError(f"{len(lost)} rows that were acknowledged are lost")


def _measured(outcome, frozen: float, acks: list, writers: int) -> Measured:
    """From the beginning of the switch until ten seconds after its end."""
    begin, end = outcome.begin * 1e9, (outcome.end + 10) * 1e9
    times = sorted(when for when, _, _ in acks if begin <= when <= end)
    gaps: dict[int, float] = {}
    before: dict[int, float] = {}
    for when, writer, _ in acks:
        if begin - 2e9 <= when <= end and writer in before:
            gaps[writer] = max(gaps.get(writer, 0), when - before[writer])
        before[writer] = when
    if len(gaps) < writers:
        raise LabError(f"{writers - len(gaps)} writers did not write after the switch")
    waited = sorted(gaps.values())
    return Measured(frozen, max(b - a for a, b in zip(times, times[1:])) / 1e6,
                    waited[len(waited) // 2] / 1e6, waited[-1] / 1e6,
                    (outcome.end - outcome.begin) * 1000,
                    sum(begin - 1e9 <= when < begin for when, _, _ in acks))
