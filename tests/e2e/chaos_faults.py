"""The faults of servers, hosts and people: how each is brought about, and how it is taken back."""

import contextlib
import dataclasses
import pathlib
import signal
import time
from collections.abc import Callable

import pymysql

from chaos_network import BadWire, reset_connections
from chaos_plan import FAILOVERS, HAVE_SEMI_SYNC, SWITCHES, Kind
from chaos_scene import STATE_FOLDER, Scene
from support import APPLICATION_CONF, options

# Those of a switch, and of a failover.
MHA_LOCKS = ("MHA_Master_High_Availability_Monitor", "MHA_Master_High_Availability_Failover")

Lift = Callable[[], object]
Inject = Callable[[Scene, str], Lift]


@dataclasses.dataclass(frozen=True)
class Known:
    """`inject` gets the host of its target ("" where it has none) and returns what takes it back.

    None: the program does it to itself, by `action` (die_at.cc).
    """

    kind: Kind
    inject: Inject | None = None
    action: int = 0
    # Before the start means before a failover's master dies.
    is_there_before: bool = False


def _nothing() -> None:
    pass


def _freeze_mysqld(scene: Scene, host: str) -> Lift:
    pid = scene.lab.database(host).pid()
    if pid is None:
        return _nothing
    scene.lab.database(host).freeze()
    # The program may have killed it.
    return lambda: scene.lab.hosts[host].run(["kill", "-CONT", str(pid)])


def _kill_mysqld(scene: Scene, host: str) -> Lift:
    scene.lab.kill_mysqld(host)
    return lambda: scene.lab.start_mysqld(host)


def _host_gone(scene: Scene, host: str) -> Lift:
    scene.lab.stop_host(host)

    def back() -> None:
        scene.lab.start_host(host)
        scene.lab.system.write_sudoers(host, scene.sudoers)

    return back


def _freeze_sshd(scene: Scene, host: str) -> Lift:
    scene.lab.sshd(host).freeze()
    return lambda: scene.lab.hosts[host].run(["pkill", "-CONT", "-x", "sshd"])


def _ssh_runs_nothing(scene: Scene, host: str) -> Lift:
    """It lets everybody in, and what they want run never begins."""
    path = scene.lab.system.etc(host, "ssh") / "sshd_config"
    text = path.read_text("utf-8")

    def set_to(changed: str) -> None:
        path.write_text(changed, "utf-8")
        scene.lab.hosts[host].run(["pkill", "-HUP", "--oldest", "-x", "sshd"])

    set_to(f"{text}ForceCommand /bin/sleep 1000\n")
    return lambda: (set_to(text), scene.lab.hosts[host].run(["pkill", "-KILL", "-x", "sleep"]))


def _sudo_wants_password(scene: Scene, host: str) -> Lift:
    scene.lab.system.write_sudoers(host, "mha_helper ALL=(ALL) PASSWD: ALL\n")
    return lambda: scene.lab.system.write_sudoers(host, scene.sudoers)


def _freeze_smtp(scene: Scene, _: str) -> Lift:
    def signal_it(name: str) -> None:
        scene.lab.hosts["mgr"].run(["pkill", f"-{name}", "-f", "[s]ink_server.py"])

    signal_it("STOP")
    return lambda: signal_it("CONT")


def _bad_wire(*how: str, manager_only: bool) -> Inject:
    def inject(scene: Scene, host: str) -> Lift:
        if host in scene.bad_wires:
            scene.note("fault", f"{host} has a bad wire already")
            return _nothing
        peer = (f"--peer={options.address_v4(options.HOST_NUMBERS['mgr'])}",) * manager_only
        wire = BadWire(scene.lab, host, *how, *peer)
        wire.put_in()
        scene.bad_wires.add(host)
        return lambda: (wire.take_out(), scene.bad_wires.discard(host))

    return inject


def _reset(port: int) -> Inject:
    def inject(scene: Scene, host: str) -> Lift:
        reset_connections(scene.lab, host, port)
        return _nothing

    return inject


def _vip_on_both(scene: Scene, host: str) -> Lift:
    if host in scene.lab.vip_holders():
        return _nothing
    scene.lab.add_vip(host)

    def take_away() -> None:
        if host in scene.lab.vip_holders() and scene.lab.read_only(host):
            scene.lab.remove_vip(host)

    return take_away


def _local(scene: Scene, host: str, *statements: str) -> None:
    """On that server alone, in nobody's log."""
    with contextlib.closing(scene.lab.database(host).connect()) as session:
        with session.cursor() as cursor:
            cursor.execute("SET sql_log_bin = 0")
            for statement in statements:
                cursor.execute(statement)


def _account(change: str, back: str) -> Inject:
    def inject(scene: Scene, host: str) -> Lift:
        account = scene.lab.options.mha_account
        words = {"user": f"{account.user}@'%'", "password": account.password}
        _local(scene, host, change.format(**words))
        return lambda: _local(scene, host, back.format(**words))

    return inject


def _of_family(ways: dict[str, Inject]) -> Inject:
    """By how the server's name begins; the longest that fits."""
    def inject(scene: Scene, host: str) -> Lift:
        fitting = [begin for begin in ways if scene.server.startswith(begin)]
        return ways[max(fitting, key=len)](scene, host)

    return inject


def _max_connections(scene: Scene, host: str) -> Lift:
    """All taken by clients; those with SUPER have one more."""
    admin = scene.lab.database(host).connect(60)
    before = scene.lab.sql(host, "SELECT @@max_connections AS n")[0]["n"]
    _execute(admin, "SET GLOBAL max_connections = 30")
    taken: list[pymysql.connections.Connection] = []
    with contextlib.suppress(pymysql.err.Error):
        while len(taken) < 40:
            taken.append(pymysql.connect(
                unix_socket=str(scene.lab.database(host).socket()), user="app",
                password=scene.lab.options.app_password, connect_timeout=2))

    def give_back() -> None:
        for session in taken:
            session._force_close()  # pylint: disable=protected-access
        with contextlib.suppress(pymysql.err.Error):  # a server that was killed has forgotten it
            _execute(admin, f"SET GLOBAL max_connections = {before}")
        admin._force_close()  # pylint: disable=protected-access

    return give_back


def _execute(session: pymysql.connections.Connection, statement: str) -> None:
    with session.cursor() as cursor:
        cursor.execute(statement)


def _replica_stops(scene: Scene, host: str) -> Lift:
    scene.lab.database(host).stop_replica("SQL_THREAD")
    return lambda: _start_replica(scene, host)


def _start_replica(scene: Scene, host: str) -> None:
    status = scene.lab.database(host).replica_status()
    if status is not None and status["Master_Host"]:
        scene.lab.database(host).stop_replica()
        scene.lab.database(host).start_replica()


def _replica_breaks(scene: Scene, host: str) -> Lift:
    """It has rows already that are still to come: its SQL thread ends with an error."""
    newest = scene.lab.sql(host, "SELECT COALESCE(MAX(number), 0) AS n FROM lab.written")[0]["n"]
    rows = ", ".join(f"({newest + ahead}, 99)" for ahead in range(100, 160))
    _local(scene, host, f"INSERT INTO lab.written VALUES {rows}")

    def mend() -> None:
        _local(scene, host, "DELETE FROM lab.written WHERE server_id = 99")
        _start_replica(scene, host)

    return mend


def _semi_sync_waits(scene: Scene, host: str) -> Lift:
    """For replicas that never acknowledge: every commit waits."""
    sends, _ = scene.semi_sync
    variables = (f"rpl_semi_sync_{sends}_timeout", f"rpl_semi_sync_{sends}_enabled")
    before = [scene.lab.sql(host, f"SELECT @@{name} AS v")[0]["v"] for name in variables]
    for name, value in zip(variables, (3_600_000, 1)):
        scene.lab.sql(host, f"SET GLOBAL {name} = {value}")
    return lambda: [scene.lab.sql(host, f"SET GLOBAL {name} = {value}")
                    for name, value in zip(reversed(variables), reversed(before))]


def _disk_full(scene: Scene, _: str) -> Lift:
    scene.lab.hosts["mgr"].run(
        ["sh", "-c", f"cat /dev/zero >{STATE_FOLDER}/filler; chmod 600 {STATE_FOLDER}/filler"])
    return lambda: scene.lab.hosts["mgr"].run(["rm", "-f", f"{STATE_FOLDER}/filler"])


def _database_disk_full(scene: Scene, host: str) -> Lift:
    """A server that finds it full waits, and looks again a minute later."""
    filler = "/var/lib/mysql/filler"
    scene.lab.hosts[host].run(["sh", "-c", f"cat /dev/zero >{filler}"])
    return lambda: scene.lab.hosts[host].run(["rm", "-f", filler])


def _rewrite(path: pathlib.Path, text: str) -> None:
    """In place: it is mounted over another."""
    with path.open("r+", encoding="utf-8") as file:
        file.truncate()
        file.write(text)


def _dns_dead(scene: Scene, _: str) -> Lift:
    """No name is known any more, and who is asked for one says nothing."""
    hosts = scene.lab.system.etc("mgr", "hosts")
    names = hosts.read_text("utf-8")
    _rewrite(hosts, "127.0.0.1 localhost\n")
    # An address that nobody has.
    scene.lab.path("/etc/resolv.conf").write_text("nameserver 10.77.0.99\n", "utf-8")
    return lambda: _rewrite(hosts, names)


def _mha_lock(scene: Scene, host: str) -> Lift:
    """As masterha_manager or another switch holds it."""
    session = scene.lab.database(host).connect()
    with session.cursor() as cursor:
        cursor.execute("SELECT GET_LOCK(%s, 0)", (MHA_LOCKS[host != scene.orig],))
    return lambda: session._force_close()  # pylint: disable=protected-access


def _second_copy(scene: Scene, _: str) -> Lift:
    """Another operator types the same."""
    scene.run_beside(scene.command)
    return _nothing


def _masterha_manager(scene: Scene, _: str) -> Lift:
    """MHA's own, which watches the master, and fails over by itself once that is dead."""
    mha = scene.lab.mha
    thread = scene.run_beside(["masterha_manager", f"--conf={APPLICATION_CONF}",
                               "--skip_check_ssh"])
    # A program that is halted meanwhile must not wait for ever.
    deadline = time.monotonic() + (2 if scene.is_under_way else 40)
    while thread.is_alive() and time.monotonic() < deadline and not _is_watched(scene):
        time.sleep(0.05)

    def stop() -> None:
        """Where it has found the master dead already, it is let do what it does then."""
        while thread.is_alive() and "is not reachable!" not in mha.manager_log():
            mha.run(["masterha_stop", f"--conf={APPLICATION_CONF}"])
            thread.join(0.5)

    return stop


def _is_watched(scene: Scene) -> bool:
    with contextlib.suppress(pymysql.err.Error, OSError):
        name = "MHA_Master_High_Availability_Monitor"
        return scene.lab.database(scene.orig).sql(
            "SELECT IS_USED_LOCK(%s) AS held", (name,), timeout=1)[0]["held"] is not None
    return False


_ALL = ("orig", "next", "third")
_REPLICAS = ("third", "next")
_EARLY = ("start", "look", "steps")

KNOWN = {known.kind.name: known for known in (
    Known(Kind("sigkill", places=("look", "steps", "handover", "undo"), weight=8),
          action=signal.SIGKILL),
    Known(Kind("sigterm", places=("look", "steps", "handover", "undo"), weight=4),
          action=signal.SIGTERM),
    Known(Kind("sigint", places=("look", "steps", "handover", "undo"), weight=3),
          action=signal.SIGINT),
    Known(Kind("clock-stepped", places=("look", "steps", "handover", "undo"), weight=1),
          action=-1),
    Known(Kind("freeze-mysqld", _ALL, weight=4), _freeze_mysqld),
    Known(Kind("kill-mysqld", _ALL), _kill_mysqld),
    Known(Kind("host-gone", _ALL), _host_gone),
    Known(Kind("freeze-sshd", _ALL, weight=4), _freeze_sshd),
    Known(Kind("ssh-runs-nothing", _ALL), _ssh_runs_nothing),
    Known(Kind("sudo-wants-password", ("next", "orig")), _sudo_wants_password),
    Known(Kind("freeze-smtp", operations=FAILOVERS), _freeze_smtp),
    Known(Kind("mute-mysql", _ALL), _bad_wire("--mute=3306", manager_only=True)),
    Known(Kind("mute-ssh", _ALL), _bad_wire("--mute=22", manager_only=True)),
    Known(Kind("reset-mysql", _ALL, ("look", "steps", "handover", "undo"), weight=4),
          _reset(3306)),
    Known(Kind("reset-ssh", _ALL, ("look", "steps", "handover", "undo"), weight=4), _reset(22)),
    Known(Kind("drop-in", _ALL), _bad_wire("--drop=in", manager_only=True)),
    Known(Kind("drop-out", _ALL), _bad_wire("--drop=out", manager_only=True)),
    Known(Kind("drop-both", _ALL), _bad_wire("--drop=both", manager_only=True)),
    Known(Kind("cut-off", _ALL), _bad_wire("--drop=both", manager_only=False)),
    Known(Kind("loss-30", _ALL), _bad_wire("--loss=30", manager_only=True)),
    Known(Kind("delay-200", _ALL), _bad_wire("--delay-ms=200", manager_only=False)),
    Known(Kind("vip-on-both", _REPLICAS, ("start", "steps", "handover", "undo")), _vip_on_both),
    Known(Kind("account-locked", _ALL, servers=("mariadb", "mysql-9")),
          _account("ALTER USER {user} ACCOUNT LOCK", "ALTER USER {user} ACCOUNT UNLOCK")),
    Known(Kind("password-changed", _ALL), _of_family({
        "m": _account("ALTER USER {user} IDENTIFIED BY 'another'",
                      "ALTER USER {user} IDENTIFIED BY '{password}'"),
        "mysql-5": _account("SET PASSWORD FOR {user} = PASSWORD('another')",
                            "SET PASSWORD FOR {user} = PASSWORD('{password}')")})),
    Known(Kind("kill-refused", ("orig",), _EARLY, SWITCHES, ("mariadb", "mysql-9")), _of_family({
        "mariadb": _account("REVOKE CONNECTION ADMIN ON *.* FROM {user}",
                            "GRANT CONNECTION ADMIN ON *.* TO {user}"),
        "mysql-9": _account("REVOKE CONNECTION_ADMIN, SUPER ON *.* FROM {user}",
                            "GRANT CONNECTION_ADMIN, SUPER ON *.* TO {user}")})),
    # Of sessions that have the right. Those servers that our programs speak to without TLS.
    Known(Kind("kill-misspelt", ("orig",), _EARLY, SWITCHES, ("mariadb-10", "mysql-5")),
          _bad_wire("--misspell-kills", manager_only=True)),
    Known(Kind("max-connections", _ALL), _max_connections),
    Known(Kind("replica-stops", _REPLICAS), _replica_stops),
    Known(Kind("replica-breaks", _REPLICAS), _replica_breaks),
    Known(Kind("semi-sync-waits", ("orig",), operations=SWITCHES, servers=HAVE_SEMI_SYNC),
          _semi_sync_waits),
    Known(Kind("disk-full-manager", weight=3), _disk_full),
    Known(Kind("disk-full-server", _ALL), _database_disk_full),
    Known(Kind("dns-dead"), _dns_dead),
    Known(Kind("mha-lock", _ALL, _EARLY), _mha_lock),
    # Where MHA 0.58 can: it has the words of neither newer MySQL nor newer MariaDB.
    Known(Kind("masterha-manager", places=("start", "look", "steps"),
               servers=("mariadb-10.11", "mysql-5.6"), weight=3, head_start=12),
          _masterha_manager, is_there_before=True),
    Known(Kind("second-copy", places=("look", "steps", "handover", "undo"), weight=3),
          _second_copy),
)}
KINDS = tuple(known.kind for known in KNOWN.values())
