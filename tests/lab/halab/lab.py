"""The lab as tests use it, `with Lab() as lab: lab.switch()`, and as a verb finds it by its id."""

import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import secrets
import shlex
import shutil
import tempfile
import time

from halab import mariadb, options, servers
from halab.cloud import cloud_for
from halab.database import Database
from halab.direct import DirectWriter
from halab.errors import LabError
from halab.hosts import Host
from halab.mha import Mha, Outcome
from halab.network import Network
from halab.options import DATABASE_HOSTS, FIRST_MASTER, LabOptions
from halab.sandbox import INSIDE, Process, Sandbox
from halab.sink import Mail, Sink
from halab.system import Sshd, System
from halab.vipwatch import VipWatch
from halab.writer import Writer, WriteReport

_PREFIX = "mha-lab-"


def _base() -> pathlib.Path:
    return pathlib.Path(tempfile.gettempdir())


class Lab:
    """One lab. Its state is in the sandbox; one small file under $TMPDIR (or /tmp) tells where."""

    def __init__(self, chosen: LabOptions | None = None, lab_id: str | None = None,
                 **changes) -> None:
        """Options as an object, or by name: Lab(family="v6"). Nothing happens before up()."""
        self.options = dataclasses.replace(chosen or LabOptions(), **changes)
        self.id = lab_id or secrets.token_hex(2)
        if not (self.id.isalnum() and len(self.id) <= 8):
            raise LabError(f"a lab's id is 1 to 8 letters and digits, not {self.id!r}")
        self.name = f"mha{self.id}"
        self._state = _base() / f"{_PREFIX}{self.id}"
        self._sandbox: Sandbox | None = None
        self._detached = False

    def _assemble(self, sandbox: Sandbox, firsts: dict[str, Process]) -> None:
        self._sandbox = sandbox
        self.network = Network(sandbox, self.name, self.options.host_settings)
        self.system = System(sandbox, self.network, self.options)
        self.hosts = {name: Host(sandbox, self.network, name, firsts.get(name))
                      for name in options.ALL_HOSTS}
        self.databases = {name: servers.database(self.hosts[name], self.options)
                          for name in DATABASE_HOSTS}
        self.sshds = {name: Sshd(self.hosts[name]) for name in DATABASE_HOSTS}
        self.cloud = cloud_for(sandbox, self.hosts, self.options, self.network)
        self.mha = Mha(sandbox, self.hosts["mgr"], self.options, self.cloud)
        self.sink = Sink(sandbox, self.hosts["mgr"])
        self.writer = Writer(sandbox, self.hosts["app"], self.options)
        self.direct_writer = DirectWriter(self.hosts["app"], self.options)
        self.vip_watch = VipWatch(self.hosts, self.options.vip)

    # Life.

    def __enter__(self) -> "Lab":
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()

    def up(self, detached: bool = False) -> None:
        """Returns with replication running and the virtual IP on db1.

        A lab that is not detached ends with this process, however that ends.
        """
        if os.geteuid() != 0:
            raise LabError("the lab needs root: it makes network namespaces (try sudo)")
        remove_dead()
        servers.require(self.options.server)
        servers.folder(self.options.server)
        try:
            self._state.mkdir(mode=0o700)
        except FileExistsError:
            raise LabError(f"lab {self.id} is there already: take it down first") from None
        try:
            self._assemble(Sandbox.start(), {})
            self._save()
            self._build()
            if detached:
                self._sandbox.detach()
                self._detached = True
                self._save()
        except BaseException:
            self.down()
            raise

    def _build(self) -> None:
        with concurrent.futures.ThreadPoolExecutor() as pool:
            template = pool.submit(self._make_template)
            network = pool.submit(self.network.create)
            self.system.write_shared()
            network.result()
            self._mount_disks()
            for host in self.hosts.values():
                host.begin_boot()
            for host in self.hosts.values():
                host.finish_boot()
            self._save()
            self.sink.begin_start()
            data = template.result()
            _wait(pool.submit(self._start_database_host, name, data) for name in DATABASE_HOSTS)
            mariadb.remove_template(self._sandbox)
        self._replicate()
        self.network.add_address(FIRST_MASTER, self.options.vip_cidr)
        self.cloud.start()
        self.mha.install()
        self.vip_watch.start()
        self.sink.finish_start()

    def _mount_disks(self) -> None:
        """Before the hosts boot: a disk outlives its host's loss of power."""
        if not self.options.database_disk:
            return
        for name in DATABASE_HOSTS:
            data = self.hosts[name].folder_inside / "data"
            self._sandbox.run(["sh", "-ec", f"mkdir -p {data}; mount -t tmpfs -o "
                               f"mode=755,size={self.options.database_disk} lab {data}"])

    def _make_template(self) -> pathlib.PurePath:
        """The data directory that all servers start from."""
        fetched = servers.folder(self.options.server)
        return mariadb.make_template(self._sandbox) if fetched is None else fetched / "data"

    def _start_database_host(self, name: str, data: pathlib.PurePath) -> None:
        self._install_mysqlbinlog(name)
        self.databases[name].install(data, servers.folder(self.options.server))
        self.databases[name].begin_start()
        self.sshds[name].start()
        self.databases[name].finish_start()

    def _install_mysqlbinlog(self, name: str) -> None:
        """First in the PATH that sshd gives its users, and on this host alone."""
        program = servers.mysqlbinlog(self.options.server)
        if program is not None:
            self.hosts[name].must_run(["sh", "-ec", "mount -t tmpfs -o mode=755 lab /usr/local/bin"
                                       f"; ln -s {program} /usr/local/bin/mysqlbinlog"])

    def _replicate(self) -> None:
        master = self.databases[FIRST_MASTER]
        replicas = [self.databases[name] for name in DATABASE_HOSTS if name != FIRST_MASTER]
        begin = master.position()
        master.sql("SET GLOBAL read_only=0")
        master.create_accounts()
        for replica in replicas:
            replica.replicate_from(FIRST_MASTER, begin)
        for replica in replicas:
            replica.wait_for(master.position())

    def down(self) -> None:
        """Ends every process of the lab and removes what tells of it. Idempotent."""
        if self._sandbox is not None:
            self._sandbox.kill()
            self._sandbox = None
        shutil.rmtree(self._state, ignore_errors=True)

    # State on disk, for verbs of separate invocations.

    def _save(self) -> None:
        firsts = {name: [host.first.pid, host.first.start_time]
                  for name, host in self.hosts.items() if host.first is not None}
        first = self._sandbox.first
        part = self._state / "lab.json.part"
        part.write_text(json.dumps({
            "id": self.id, "first": [first.pid, first.start_time], "hosts": firsts,
            "detached": self._detached, "options": dataclasses.asdict(self.options)}),
            encoding="utf-8")
        part.replace(self._state / "lab.json")

    @classmethod
    def attach(cls, lab_id: str) -> "Lab":
        """The lab that an earlier `up` made."""
        state = _read_state(_base() / f"{_PREFIX}{lab_id}")
        if state is None or not Process(*state["first"]).alive():
            raise LabError(f"no lab {lab_id} is up")
        lab = cls(LabOptions(**state["options"]), lab_id)
        lab._detached = state.get("detached", False)
        lab._assemble(Sandbox(Process(*state["first"])),
                      {name: Process(*first) for name, first in state["hosts"].items()})
        return lab

    # Faults and repairs of hosts. Those of servers are in databases and sshds.

    def host(self, name: str) -> Host:
        self.network.require_host(name)
        return self.hosts[name]

    def database(self, name: str) -> Database:
        if name not in self.databases:
            raise LabError(f"no database host {name!r}: the lab has {', '.join(DATABASE_HOSTS)}")
        return self.databases[name]

    def sshd(self, name: str) -> Sshd:
        self.database(name)
        return self.sshds[name]

    def kill_mysqld(self, name: str) -> None:
        self.database(name).kill()

    def start_mysqld(self, name: str) -> None:
        self.database(name).start()

    def stop_host(self, name: str) -> None:
        """The host loses power: processes, addresses and link are gone. Idempotent."""
        if self.host(name).running:
            self.host(name).power_off()
            self.network.remove_host(name)
            self._save()

    def start_host(self, name: str) -> None:
        """Boots it again with its disk as it was left: mysqld comes up read-only. Idempotent."""
        host = self.host(name)
        if host.running:
            return
        self.network.add_host(name)
        host.begin_boot()
        host.finish_boot()
        self._save()
        if name in self.databases:
            self._install_mysqlbinlog(name)
            self.sshds[name].start()
            self.databases[name].start()
            self.vip_watch.start_on(name)
        elif name == "mgr":
            (self.sink.folder / "ready").unlink(missing_ok=True)
            self.sink.begin_start()
            self.sink.finish_start()

    # What MHA does.

    def switch(self, new_master: str | None = None, **how) -> Outcome:
        return self.mha.switch(new_master, **how)

    def failover(self, dead: str = FIRST_MASTER, new_master: str | None = None, **how) -> Outcome:
        return self.mha.failover(dead, new_master, **how)

    # What can be seen.

    def vip_holders(self) -> list[str]:
        """Every host whose interface has the virtual IP now."""
        return [name for name in options.ALL_HOSTS
                if any(found.address == self.options.vip for found in self.network.addresses(name))]

    def add_vip(self, name: str) -> None:
        self.network.add_address(name, self.options.vip_cidr)

    def remove_vip(self, name: str) -> None:
        self.network.remove_address(name, self.options.vip_cidr)

    def read_only(self, name: str) -> bool:
        return self.database(name).read_only()

    def writable(self) -> list[str]:
        """The servers that answer and are not read-only."""
        found = []
        for name, server in self.databases.items():
            if self.hosts[name].running and server.pid() is not None and not server.read_only():
                found.append(name)
        return found

    def wait_until_replicating(self, timeout: float = 20.0) -> None:
        """Until both threads run and have caught up on every server that is not writable.

        MHA refuses an online switch before that, for instance right after another one. On a busy
        machine, with a client that writes all the time, a second behind may be all that is to be
        had: MHA allows that.
        """
        begin = time.monotonic()
        deadline = begin + timeout
        while True:
            behind = (0,) if time.monotonic() < begin + timeout / 2 else (0, 1)
            states = {name: server.replica_status() for name, server in self.databases.items()
                      if server.read_only()}
            if all(state and state["Slave_IO_Running"] == state["Slave_SQL_Running"] == "Yes"
                   and state["Seconds_Behind_Master"] in behind for state in states.values()):
                return
            if time.monotonic() > deadline:
                raise LabError(f"not all replicas replicate after {timeout:g} s: {states}")
            time.sleep(0.05)

    def sql(self, name: str, statement: str, parameters: tuple | None = None) -> list[dict]:
        return self.database(name).sql(statement, parameters)

    def mails(self) -> list[Mail]:
        return self.sink.mails()

    def wait_for_mails(self, count: int, timeout: float = 10.0) -> list[Mail]:
        deadline = time.monotonic() + timeout
        while len(self.mails()) < count:
            if time.monotonic() > deadline:
                raise LabError(f"{len(self.mails())} of {count} mails came within {timeout:g} s")
            time.sleep(0.02)
        return self.mails()

    def write_report(self, name: str) -> WriteReport:
        """What became of the writer's rows, by the table of server `name`."""
        return self.writer.report(self.database(name))

    def path(self, inside: str) -> pathlib.Path:
        """A file of mgr's and the shared folders (/etc, /var, /run/lab) seen from outside."""
        return self._sandbox.path(inside)

    def logs(self) -> dict[str, str]:
        """Every log of the lab by name: db1/mariadb.err, db1/sshd.log, mgr/manager.log, ..."""
        found = {}
        for path in sorted(self._sandbox.path(INSIDE / "hosts").glob("*/log/*")):
            with contextlib.suppress(OSError):
                found[f"{path.parts[-3]}/{path.name}"] = path.read_text("utf-8", "replace")
        for name, sshd in self.sshds.items():
            with contextlib.suppress(OSError):
                found[f"{name}/ssh-commands"] = "\n".join(sshd.commands())
        found["mgr/manager.log"] = self.mha.manager_log()
        found["mgr/hooks"] = "".join(
            f"{call.end - call.begin:.3f} s, exit {call.status}: "
            f"{shlex.join([call.program, *call.arguments])}\n" for call in self.mha.hook_calls())
        return {name: text for name, text in found.items() if text}


def _wait(futures) -> None:
    for future in list(futures):
        future.result()


def _read_state(folder: pathlib.Path) -> dict | None:
    try:
        return json.loads((folder / "lab.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def labs() -> dict[str, bool]:
    """The ids of the labs that are up, and of each whether it is detached: made by hand.

    The others belong to a test or a demo that runs: nobody touches those who does not name them.
    """
    found = {}
    for folder in sorted(_base().glob(f"{_PREFIX}*")):
        state = _read_state(folder)
        if state is not None and Process(*state["first"]).alive():
            found[state["id"]] = state.get("detached", False)
    return found


def remove_dead() -> None:
    """Removes the state of labs whose first process is gone: they have left nothing else."""
    for folder in _base().glob(f"{_PREFIX}*"):
        state = _read_state(folder)
        with contextlib.suppress(OSError):
            # A lab that is being made has no state for a moment.
            young = state is None and time.time() - folder.stat().st_mtime < 60
            if not young and (state is None or not Process(*state["first"]).alive()):
                shutil.rmtree(folder, ignore_errors=True)
