"""The lab in which runs happen: who is who now, its witnesses, and whether another run may use it."""

import dataclasses
import os
import pathlib
import threading
import time

import chaos_state
import crowds
import support
from chaos_plan import HAVE_SEMI_SYNC
from halab import direct
from halab.mha import HookCall
from support import DATABASE_HOSTS, SIGNALS, Lab, Outcome

# Short, so that a run that has to wait for a deadline does not take minutes.
HELPER_CONF = {"operation_timeout": "10", "lock_wait_timeout": "2", "ssh_session_keep": "5"}
MAX_DOWNTIME = 5
# Journals lie on a disk of their own, small enough to be filled.
STATE_FOLDER = support.STATE_DIR
_STATE_DISK = "8m"
# An event of the master on who replicates from it.
_AS_REPLICA = ({"tick": "SLAVESIDE_DISABLED"}, {"tick": "REPLICA_SIDE_DISABLED"})


def _plugins(server: str) -> dict[str, str]:
    """MariaDB has semi-sync built in. Loaded, it is off until somebody wants it."""
    if server.startswith("mysql") and server.startswith(HAVE_SEMI_SYNC):
        return {"plugin_load": "semisync_source.so;semisync_replica.so"}
    return {}


@dataclasses.dataclass(frozen=True)
class Note:
    when: float
    who: str
    what: str


class Scene:
    """One lab with its clients. `orig` is the master now, `next` whom the next operation wants."""

    def __init__(self, server: str, gtid: str, kills_hangers: bool, notes_hooks: bool) -> None:
        self.kind = (server, gtid, kills_hangers, notes_hooks)
        self.server = server
        self.gtid = gtid
        sudoers = support.sudoers_of("mha_helper")
        if kills_hangers:
            sudoers += "mha_helper ALL=(mysql) NOPASSWD: /usr/bin/kill -KILL [0-9]*\n"
        self.sudoers = sudoers
        self.lab = Lab(server=server, gtid=gtid, sudoers=sudoers, kill_after_timeout=1,
                       helper_conf=HELPER_CONF, database_disk="500m", record_hooks=notes_hooks,
                       server_conf={"event_scheduler": "1"} | _plugins(server))
        self.notes: list[Note] = []
        self.bad_wires: set[str] = set()
        # What the run does, and what others have done meanwhile.
        self.command: list[str] = []
        self.beside: list[Outcome] = []
        self._threads: list[threading.Thread] = []
        self.is_under_way = False
        self.orig, self.next, self.third = DATABASE_HOSTS

    @property
    def semi_sync(self) -> tuple[str, str]:
        """In the names of its variables: who sends, and who receives."""
        return ("source", "replica") if self.server.startswith("mysql") else ("master", "slave")

    def up(self) -> None:
        lab = self.lab
        lab.up()
        lab.path(SIGNALS).mkdir(mode=0o777)
        lab.hosts["mgr"].must_run(["sh", "-ec", f"mkdir -p {STATE_FOLDER}; mount -t tmpfs -o "
                                   f"mode=700,size={_STATE_DISK} lab {STATE_FOLDER}"])
        for statement in (
                direct.TABLE, "CREATE TABLE lab.held (id INT PRIMARY KEY, number INT)",
                "INSERT INTO lab.held VALUES (1, 1)",
                "CREATE TABLE lab.ticks (id INT AUTO_INCREMENT PRIMARY KEY, server INT)",
                "GRANT EVENT, LOCK TABLES, ALTER, CREATE, DROP ON lab.* TO app@`%`",
                "CREATE DEFINER=app@`%` EVENT lab.tick ON SCHEDULE EVERY 1 SECOND "
                "DO INSERT INTO lab.ticks (server) VALUES (@@server_id)"):
            lab.sql(self.orig, statement)
        crowds.make_table(lab)
        lab.writer.start(interval_ms=5)
        lab.direct_writer.start(interval_ms=5)

    def down(self) -> None:
        self.lab.down()

    def host(self, role: str) -> str:
        """The host that plays "orig", "next" or "third"; any other word is one already."""
        return getattr(self, role) if role in ("orig", "next", "third") else role

    def note(self, who: str, what: str) -> None:
        self.notes.append(Note(time.monotonic(), who, what))

    def begin_run(self) -> None:
        """The clients' logs begin anew: a run looks at its own."""
        self.notes = []
        self.beside = []
        self.is_under_way = False
        self._hooks_before = len(self.lab.mha.hook_calls())
        for path in (self.lab.path("/run/lab/writer.log"),
                     self.lab.hosts["app"].folder / "log" / "direct.events"):
            os.truncate(path, 0)
        for path in self.lab.path(SIGNALS).iterdir():
            path.unlink()
        self.lab.writer.wait_for_writes(5)

    def run_beside(self, command: list[str]) -> threading.Thread:
        """Runs it on the manager at the same time, until the thread ends."""

        def run() -> None:
            outcome = self.lab.mha.run(command, timeout=200)
            self.beside.append(outcome)
            name = command[0].rpartition("/")[2]
            self.note("other", f"{name} beside it ends with {outcome.status}")

        thread = threading.Thread(target=run)
        self._threads.append(thread)
        thread.start()
        return thread

    def wait_for_those_beside(self) -> None:
        for thread in self._threads:
            thread.join()
        self._threads = []

    def hook_calls(self) -> list[HookCall]:
        """Of this run, where the lab notes them."""
        return self.lab.mha.hook_calls()[self._hooks_before:]

    def state_folder(self) -> pathlib.Path:
        """The journals, seen from outside."""
        return pathlib.Path(f"/proc/{self.lab.hosts['mgr'].first.pid}/root{STATE_FOLDER}")

    def cast_again(self) -> None:
        """After a run: the master is `orig`, and of the others the one before is wanted next."""
        master = chaos_state.read(self.lab).master()
        others = [name for name in (self.orig, self.next, self.third) if name != master]
        self.orig, self.next, self.third = master, *others

    def is_clean(self) -> bool:
        """A master with the address, and two that follow it: as up() left it."""
        deadline = time.monotonic() + 10
        while not self._is_whole(chaos_state.read(self.lab)):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _is_whole(self, state: chaos_state.State) -> bool:
        master = state.master()
        if not master or state.servers[master].source:
            return False
        names = (master, support.options.address_v4(support.options.HOST_NUMBERS[master]))
        return all(server is not None and server.source in names
                   and server.threads == ("Yes", "Yes")
                   and server.events in _AS_REPLICA
                   for name, server in state.servers.items() if name != master) and (
                       state.servers[master].events == {"tick": "ENABLED"})
