"""One run of each case that the downtime benchmark has, checked before its figures count."""

import dataclasses
import json
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

# pylint: disable=wrong-import-position
from halab.errors import LabError
from halab.lab import Lab
from halab.mha import Outcome

STATE_DIR = "/var/lib/mha-helper"

# Who does it: hooks of the lab, and more arguments of our program.
KINDS = {
    "native": ("ours", ("--engine=native",)),
    "mha-ours": ("ours", ("--engine=mha",)),
    "mha-shell": ("shell", ()),
}

# What happens to the master, and what is measured.
CASES = {
    "switch": "write gap of an online switch",
    "killed": "mysqld killed: from the command's start to the first write",
    "gone": "host without power: from the command's start to the first write",
}

# Where a switch's gap goes, in order: who is waited for.
PARTS = {
    "old": "last acknowledged write until the old master's kernel has lost the address",
    "move": "until the new master's kernel has it",
    "client": "until the first acknowledged write: announcement, client's time-out, login, row",
}


@dataclasses.dataclass(frozen=True)
class Run:
    """`parts` and `steps`, in ms, are a switch's; `steps` the native engine's own account."""

    kind: str
    ms: float
    lost: int = 0
    parts: dict[str, float] = dataclasses.field(default_factory=dict)
    steps: dict[str, float] = dataclasses.field(default_factory=dict)


def use(lab: Lab, kind: str) -> tuple[str, ...]:
    """Lets the next operation be done by `kind`; gives the arguments that it takes more."""
    hooks, arguments = KINDS[kind]
    lab.mha.use_hooks(hooks)
    return arguments


def switch(lab: Lab, kind: str, master: str) -> tuple[str, Run]:
    """One switch away from `master`; also gives the new one. The lab's writer writes."""
    other = "db2" if master == "db1" else "db1"
    extra = use(lab, kind)
    lab.wait_until_replicating()
    lab.writer.wait_for_writes(100)
    outcome = lab.switch(other, extra=extra)
    check(lab, kind, outcome, other)
    gap = lab.writer.journal().longest_gap(outcome.begin)
    return other, Run(kind, gap.ms, 0, _parts(lab, outcome, gap, master, other),
                      _native_steps(lab) if kind == "native" else {})


def failover(kind: str, case: str, **choices) -> Run:
    """One failover in a lab of its own. Rows that no replica had got may be lost: counted."""
    with Lab(**choices) as lab:
        extra = use(lab, kind)
        lab.writer.start()
        lab.writer.wait_for_writes(100)
        if case == "killed":
            lab.kill_mysqld("db1")
        else:
            lab.stop_host("db1")
        outcome = lab.failover("db1", extra=extra)
        check(lab, kind, outcome, "db2")
        first = next(when for when, _ in lab.writer.journal().acknowledged
                     if when >= outcome.begin)
        lab.writer.stop()
        return Run(kind, (first - outcome.begin) * 1000, len(lab.write_report("db2").lost))


def check(lab: Lab, kind: str, outcome: Outcome, master: str) -> None:
    """It said that all went well, and it is so: else its figures are worth nothing."""
    if outcome.status != 0:
        raise LabError(f"{kind} ended with {outcome.status}:\n{outcome.output}")
    lab.writer.wait_for_writes(100)
    if lab.vip_holders() != [master] or lab.writable() != [master]:
        raise LabError(f"after {kind} to {master} the virtual IP is on {lab.vip_holders()}, "
                       f"writable are {lab.writable()}")


def _parts(lab: Lab, outcome: Outcome, gap, old: str, new: str) -> dict[str, float]:
    """The PARTS of a switch; together they are its gap."""
    events = [event for event in lab.vip_watch.events() if event.when >= outcome.begin]
    lost = next(event.when for event in events if event.host == old and not event.present)
    come = next(event.when for event in events
                if event.host == new and event.present and not event.tentative)
    moments = [gap.begin, lost, come, gap.end]
    return {name: (end - begin) * 1000
            for name, begin, end in zip(PARTS, moments, moments[1:])}


def _native_steps(lab: Lab) -> dict[str, float]:
    """How long each step took of those that clients wait for, by the newest switch's journal."""
    journals = sorted(lab.path(STATE_DIR).glob("switchover-*.journal"),
                      key=lambda path: path.stat().st_mtime)
    records = [json.loads(line) for line in journals[-1].read_text("utf-8").splitlines()]
    end = next(record for record in records if record["event"] == "end")
    steps: dict[str, float] = {}
    for record in records:
        if record["event"] != "step_done":
            continue
        # "ensure_no_clients db1:3306 with writes off": the host changes sides.
        kind, _, occasion = record["step"].split(" ", 2) + [""] * (record["step"].count(" ") < 2)
        steps[f"{kind} {occasion}".strip()] = record["took_ms"]
        if kind == "ensure_vip_present":
            break
    return {**steps, "all, as we say it": end["clients_waited_ms"]}
