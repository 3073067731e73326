"""Performs one run: the load, the operation, its faults at their moments, and what mends it after."""

import contextlib
import dataclasses
import os
import pathlib
import threading
import time
from collections.abc import Callable

import pymysql

import chaos_state
import matrix_cell
from chaos_faults import KNOWN, MHA_LOCKS
from chaos_load import LOADS, Load
from chaos_plan import Case, Fault
from chaos_scene import MAX_DOWNTIME, Scene
from halab.direct import Taken
from halab.mha import HookCall
from support import APPLICATION_CONF, SIGNALS, Outcome, options

# After these a server has forgotten what it was: read_only is that of its configuration, and its
# host has no virtual IP.
_FORGETTING = ("kill-mysqld", "host-gone")
# Who waits for its disk looks again after a minute: too long for a run.
LASTING = ("disk-full-server", *_FORGETTING)

LIBRARY = pathlib.Path(os.environ.get(
    "MHA_E2E_DIE_AT", options.PROJECT / "build" / "release" / "tests" / "e2e" / "libdie_at.so"))
# Seconds: the sum of the program's own deadlines with the scene's configuration, and some more for
# a busy machine. Catching up may take 30 of them.
BOUNDS = {"switch": 100.0, "failover-killed": 120.0, "failover-gone": 120.0,
          "failover-frozen": 120.0}
# MHA's own process has no deadlines: a connection to a host that drops packets costs what TCP takes
# to give it up, and its FLUSH TABLES waits for an ALTER. It gets this long and is ended then; faults
# and clients in its way are over after a while, since it would wait for their end. What has a
# deadline is each call of our hooks: before, during and to undo, operation_timeout each, with the
# short waits for locks and clients between.
MHA_MAY_TAKE = 180.0
HOOK_BOUND = 60.0
_IN_THE_WAY_OF_MHA = 30.0
_KILLED = 137
_TEXTS = {"look": "", "steps": '"event":"step_begin"', "handover": '"event":"handover"',
          "undo": "Putting "}
_MHA_TEXTS = {"steps": _TEXTS["steps"], "handover": '"step":"ensure_writable'}


@dataclasses.dataclass
class Performance:
    """What was done and seen. `answers` are the commands after it, oldest first."""

    case: Case
    hosts: dict[str, str]
    before: chaos_state.State
    outcome: Outcome | None = None
    killed: bool = False
    document: dict | None = None
    reached: dict[str, bool] = dataclasses.field(default_factory=dict)
    after: chaos_state.State | None = None
    answers: list[Outcome] = dataclasses.field(default_factory=list)
    # Once it was rolled back: what was not as found.
    not_rolled_back: dict[str, str] = dataclasses.field(default_factory=dict)
    final: chaos_state.State | None = None
    taken: list[Taken] = dataclasses.field(default_factory=list)
    crowd: set[tuple[int, int]] = dataclasses.field(default_factory=set)
    beside: list[Outcome] = dataclasses.field(default_factory=list)
    # Of a run by MHA; and those that still ran when it was ended.
    hooks: list[HookCall] = dataclasses.field(default_factory=list)
    hooks_at_end: list[str] = dataclasses.field(default_factory=list)

    @property
    def given_up(self) -> bool:
        """MHA was ended because it came to no end."""
        return self.case.by_mha and self.took >= MHA_MAY_TAKE

    @property
    def took(self) -> float:
        return self.outcome.end - self.outcome.begin

    def forgetful(self) -> set[str]:
        """Hosts that a fault has made begin anew, or that still wait for it to be over."""
        return {self.hosts[fault.target] for fault in self.case.faults
                if fault.name in LASTING and self.reached.get(fault.name)}

    def changes(self, state: chaos_state.State) -> dict[str, str]:
        """What is not as it was found, and cannot be a fault's own doing."""
        found = chaos_state.differences(self.before, state)
        for host in self.forgetful():
            # Who replicates from it notices late that it was gone.
            found = {key: text for key, text in found.items() if not key.startswith(host)
                     and key != "vip" and not key.endswith("threads")}
        if not self.case.is_switch:
            # Of a dead master nothing is put back: that it stays fenced is right.
            found = {key: text for key, text in found.items()
                     if not key.startswith(self.hosts["orig"]) and key != "vip"
                     and not key.endswith("threads")}
        return found


def may_take(case: Case) -> float:
    return MHA_MAY_TAKE if case.by_mha else BOUNDS[case.operation]


def document_of(outcome: Outcome) -> dict | None:
    """Not among the lines of MHA's log: masterha_manager may write there at the same time."""
    own = tuple(line for line in outcome.lines if not line.from_log)
    try:
        return matrix_cell.document(dataclasses.replace(outcome, lines=own))
    except ValueError:
        return None


def command_of(scene: Scene, case: Case, *extra: str) -> list[str]:
    lab = scene.lab
    engine = ["--engine=mha"] if case.by_mha else ["--engine=native", "--format=json"]
    if case.is_switch:
        command = [lab.mha.program("mysql_online_failover"), "-c", APPLICATION_CONF,
                   "--interactive=0", *engine, f"--new_master_host={scene.next}"]
        if not case.by_mha:
            command += [f"--max_downtime={MAX_DOWNTIME}"]
            command += ["--kill_blockers"] * case.kills_blockers
    else:
        command = [lab.mha.program("mysql_failover"), "-d", scene.orig, "-c", APPLICATION_CONF,
                   "--interactive=0", *engine]
    return [*command, *extra]


class Faults:
    """Those of one run: armed, brought about at their moments, taken back."""

    def __init__(self, scene: Scene, case: Case) -> None:
        self._scene = scene
        self._case = case
        self._armed: dict[pathlib.Path, Fault] = {}
        self._lifts: list[tuple[float, Fault, Callable[[], object]]] = []
        self._selves: dict[str, pathlib.Path] = {}
        self.came: set[Fault] = set()

    def bring_what_is_there_before(self) -> None:
        for fault in self._case.faults:
            if fault.moment.place == "start" and KNOWN[fault.name].is_there_before:
                self._bring(fault)

    def arm(self) -> dict[str, str]:
        """The environment in which the program meets its moments."""
        lines = []
        for number, fault in enumerate(self._case.faults):
            if fault.moment.place == "start":
                if fault not in self.came:
                    self._bring(fault)
                continue
            file = f"{SIGNALS}/moment-{number}"
            self._scene.lab.path(file).touch()
            action = KNOWN[fault.name].action
            self._armed[self._scene.lab.path(f"{file}.reached")] = fault
            self._selves[file] = self._scene.lab.path(file)
            lines.append(f"{fault.moment.effect} {int(action)} {file} {self._text(fault)}\n")
        moments = f"{SIGNALS}/moments"
        self._scene.lab.path(moments).write_text("".join(lines), "utf-8")
        return {"LD_PRELOAD": str(LIBRARY), "DIE_AT_COUNT": "-1",
                "DIE_AT_LOG": f"{SIGNALS}/effects", "MOMENTS_AT": moments}

    def _text(self, fault: Fault) -> str:
        return (_MHA_TEXTS if self._case.by_mha else _TEXTS)[fault.moment.place]

    def _bring(self, fault: Fault) -> None:
        host = self._scene.host(fault.target) if fault.target else ""
        self._scene.note("fault", f"{fault.name} {host}".strip())
        try:
            lift = KNOWN[fault.name].inject(self._scene, host)
        except pymysql.err.OperationalError:
            if not self._lifts:
                raise
            # Another fault has frozen the server that this one needs.
            self._scene.note("fault", f"{fault.name} {host}".strip() + ": could not come")
            return
        self._scene.note("fault", f"{fault.name} {host}".strip() + ": is there")
        self.came.add(fault)
        forever = _IN_THE_WAY_OF_MHA if self._case.by_mha else float("inf")
        until = time.monotonic() + (forever if fault.lasts is None else fault.lasts)
        self._lifts.append((until, fault, lift))

    def look(self) -> None:
        """Brings about and takes back what is due; to be called all the time."""
        for reached, fault in list(self._armed.items()):
            if reached.exists():
                del self._armed[reached]
                if fault.moment.later:
                    # The program goes on, and is met in whatever it does then.
                    reached.unlink()
                    time.sleep(fault.moment.later)
                    self._bring(fault)
                else:
                    self._bring(fault)
                    reached.unlink()
        now = time.monotonic()
        for entry in [entry for entry in self._lifts if entry[0] <= now]:
            self._lift(entry)

    def _lift(self, entry: tuple[float, Fault, Callable[[], object]]) -> None:
        self._lifts.remove(entry)
        entry[2]()
        self._scene.note("fault", f"{entry[1].name} is over")

    def lift_all(self) -> None:
        for file in self._selves.values():
            with contextlib.suppress(FileNotFoundError):
                file.unlink()
        for entry in reversed(self._lifts[:]):
            self._lift(entry)
        # No process is halted for ever; and the clock is as it was.
        for path in self._scene.lab.path(SIGNALS).iterdir():
            if path.suffix in (".reached", ".ahead"):
                path.unlink(missing_ok=True)

    def reached(self) -> dict[str, bool]:
        """Of each fault, whether its moment came."""
        found = {}
        for number, fault in enumerate(self._case.faults):
            is_own = KNOWN[fault.name].inject is None
            file = self._selves.get(f"{SIGNALS}/moment-{number}")
            found[fault.name] = not file.exists() if is_own and file else fault in self.came
        return found


class Run:
    def __init__(self, scene: Scene, case: Case, number: int) -> None:
        self.scene = scene
        self.case = case
        self._load: Load = LOADS[case.load](scene, number)
        self._faults = Faults(scene, case)

    def perform(self) -> Performance:
        scene, case = self.scene, self.case
        scene.begin_run()
        self._load.begin()
        before = chaos_state.read(scene.lab)
        self.seen = Performance(case, {"orig": scene.orig, "next": scene.next,
                                       "third": scene.third}, before)
        scene.command = command_of(scene, case)
        try:
            self._faults.bring_what_is_there_before()
            if not case.is_switch:
                self._end_master()
                servers = {**before.servers, scene.orig: None}
                self.seen.before = dataclasses.replace(before, servers=servers)
            environment = self._faults.arm()
            self._operate(environment)
        finally:
            self.seen.reached = self._faults.reached()
            self._faults.lift_all()
            scene.wait_for_those_beside()
            if case.operation == "failover-frozen":
                self._end_of_ice()
        self.seen.after = self._settled(self.seen.outcome.status in (20, 21))
        self._mend()
        self._gather()
        self._load.end()
        return self.seen

    def _end_master(self) -> None:
        lab, orig = self.scene.lab, self.scene.orig
        if self.case.operation == "failover-gone":
            lab.stop_host(orig)
        elif self.case.operation == "failover-frozen":
            lab.database(orig).freeze()
        else:
            lab.kill_mysqld(orig)
        self.scene.note("fault", f"{orig}: {self.case.operation}")

    def _end_of_ice(self) -> None:
        """The frozen master goes on, and may be a second one; where no other leads, it dies."""
        orig = self.scene.orig
        pid = self.scene.lab.database(orig).pid()
        if pid is not None:
            led = self.seen.outcome is not None and self.seen.outcome.status in (0, 10)
            self.scene.note("fault", f"{orig} goes on" if led else f"{orig} dies")
            self.scene.lab.hosts[orig].run(["kill", "-CONT" if led else "-KILL", str(pid)])

    def _settled(self, is_undone: bool) -> chaos_state.State:
        """A receiver that has lost its source tries once a second."""
        deadline = time.monotonic() + 8
        while True:
            state = chaos_state.read(self.scene.lab)
            if (not is_undone or not self.seen.changes(state) or time.monotonic() > deadline):
                return state
            time.sleep(0.1)

    def _operate(self, environment: dict[str, str]) -> None:
        self.scene.note("operator", " ".join(self.scene.command[0:1]).rpartition("/")[2])
        bound = may_take(self.case)
        words = [f"{name}={value}" for name, value in environment.items()]
        done: list[Outcome] = []

        def run() -> None:
            done.append(self.scene.lab.mha.run(["env", *words, *self.scene.command],
                                               timeout=bound + 20 * (not self.case.by_mha)))

        time.sleep(max(fault.moment.later if fault.moment.place == "start" else 0
                       for fault in self.case.faults))
        thread = threading.Thread(target=run)
        thread.start()
        self.scene.is_under_way = True
        patience = time.monotonic() + (_IN_THE_WAY_OF_MHA if self.case.by_mha else float("inf"))
        while thread.is_alive():
            if time.monotonic() > patience:
                patience = float("inf")
                self._load.end()
            self._faults.look()
            thread.join(0.002)
        outcome = self.seen.outcome = done[0]
        self.seen.killed = outcome.status == _KILLED and self.seen.took < bound
        if self.seen.given_up:
            self._end_mha()
        if not self.case.by_mha:
            self.seen.document = document_of(outcome)
        self.scene.note("operator", f"exit {outcome.status}")

    def _end_mha(self) -> None:
        """Its other processes, too; whether it waited for a hook of ours is asked first."""
        manager = self.scene.lab.hosts["mgr"]
        hooks = manager.run(["pgrep", "-a", "-f", "shell_hooks/[r]ecord"]).output
        self.seen.hooks_at_end = hooks.splitlines()
        manager.run(["pkill", "-KILL", "-f", "[m]asterha_master_switch"])
        self.scene.note("operator", f"MHA is ended after {MHA_MAY_TAKE:.0f} s")

    # After it, with nothing in the way any more.

    def _mend(self) -> None:
        if self._load.is_in_the_way:
            self._load.end()
        if self.seen.outcome.status in (0, 10):
            return
        if self.seen.outcome.status == 21:
            if self.case.by_mha or self._has_lasting():
                return
            self._finish("rollback")
        elif self.seen.killed and not self.case.by_mha:
            self._finish(self.case.answer)
        if not self._is_done() and self._can_be_tried_again():
            self._answer(*(["--ignore_last_failover"] if not self.case.by_mha
                           or not self.case.is_switch else []))

    def _finish(self, first: str) -> None:
        """What a kill, or an undo that could not do all, has left; what can only be carried on is
        not rolled back."""
        for way in dict.fromkeys((first, "resume")):
            status = self._roll_back() if way == "rollback" else self._answer("--resume").status
            if status != 21:
                return

    def _roll_back(self) -> int:
        status = self._answer("--rollback").status
        if status == 0:
            self.seen.not_rolled_back = self.seen.changes(self._settled(is_undone=True))
        return status

    def _has_lasting(self) -> bool:
        return any(fault.name in LASTING for fault in self.case.faults)

    def _is_done(self) -> bool:
        return chaos_state.read(self.scene.lab).master() not in ("", self.scene.orig)

    def _can_be_tried_again(self) -> bool:
        """A switch needs its master, which a fault may have taken away for good."""
        if self._has_lasting():
            return False
        if not self.case.is_switch:
            return True
        return self.scene.is_clean() and bool(self.scene.orig)

    def _answer(self, *extra: str) -> Outcome:
        command = command_of(self.scene, self.case, *extra)
        self._wait_for_lost_connections()
        self.scene.note("operator", " ".join(extra) or "once more")
        if self.case.is_switch and self.case.operation == "switch":
            with contextlib.suppress(Exception):
                self.scene.lab.wait_until_replicating(5)
        outcome = self.scene.lab.mha.run(command, timeout=may_take(self.case) + 20)
        self.scene.note("operator", f"exit {outcome.status}")
        self.seen.answers.append(outcome)
        return outcome

    def _wait_for_lost_connections(self) -> None:
        """A server knows that a connection has ended once a packet says so: where those were lost,
        after the next try of the manager's kernel. Until then it keeps MHA's lock."""
        lab = self.scene.lab
        deadline = time.monotonic() + 30
        query = "SELECT " + " OR ".join(f"IS_USED_LOCK('{name}')" for name in MHA_LOCKS) + " AS held"
        while time.monotonic() < deadline:
            try:
                held = [name for name, server in chaos_state.read(lab).servers.items()
                        if server is not None and lab.sql(name, query)[0]["held"]]
            except pymysql.err.Error:
                return
            if not held:
                return
            time.sleep(0.2)

    def _gather(self) -> None:
        """What clients were told until now, and how all stands."""
        scene = self.scene
        self.seen.beside = list(scene.beside)
        self.seen.hooks = scene.hook_calls()
        self.seen.crowd = self._load.acknowledged()
        self.seen.taken = scene.lab.direct_writer.taken()
        self.seen.final = chaos_state.read(scene.lab)


__all__ = ["HOOK_BOUND", "LASTING", "Performance", "Run", "may_take"]
