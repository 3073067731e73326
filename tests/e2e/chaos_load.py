"""What clients do beside the one that writes and the one that tries every server: a load for a run."""

import contextlib
import threading
import time

import pymysql

import crowds
from chaos_scene import Scene
from support import HERE


class Load:
    """Nothing more. `begin` returns once it is there; `end` is idempotent and takes its time."""

    # Whether it is ended before an operation is tried again, or mended.
    is_in_the_way = True

    def __init__(self, scene: Scene, number: int) -> None:
        self.scene = scene
        self.name = f"load-{number}"

    def begin(self) -> None:
        pass

    def end(self) -> None:
        pass

    def acknowledged(self) -> set[tuple[int, int]]:
        """(writer, number) of rows of lab.crowd."""
        return set()


class Crowd(Load):
    """Clients through the virtual IP: 20 that do nothing, 3 that write."""

    def begin(self) -> None:
        lab = self.scene.lab
        self._crowd = crowds.CrowdOf(lab, self.name, lab.options.vip, "app",
                                     lab.options.app_password, idle=20, writers=3)

    def end(self) -> None:
        with contextlib.suppress(Exception):
            self._crowd.stop()

    def acknowledged(self) -> set[tuple[int, int]]:
        return set(self._crowd.acknowledged())


class Reconnecting(Load):
    """A client that comes anew a hundred times a second."""

    def begin(self) -> None:
        lab = self.scene.lab
        self._host = lab.hosts["app"]
        self._pid = self._host.start_in_background(
            ["/usr/bin/python3", "-B", str(HERE / "chaos_reconnecting.py"), lab.options.vip,
             "app"], f"{self.name}.log", {"LAB_PASSWORD": lab.options.app_password})

    def end(self) -> None:
        self._host.run(["kill", "-KILL", str(self._pid)])


class _Sessions(Load):
    """Sessions of the application on the master itself, which read_only binds."""

    def _session(self) -> pymysql.connections.Connection:
        lab = self.scene.lab
        session = pymysql.connect(
            unix_socket=str(lab.database(self.scene.orig).socket()), user="app",
            password=lab.options.app_password, database="lab", autocommit=True,
            connect_timeout=5, read_timeout=320, write_timeout=5)
        self._sessions.append(session)
        return session

    def begin(self) -> None:
        self._sessions: list[pymysql.connections.Connection] = []
        self.hold()

    def hold(self) -> None:
        raise NotImplementedError

    def end(self) -> None:
        for session in self._sessions:
            with contextlib.suppress(pymysql.err.Error, OSError):
                session._force_close()  # pylint: disable=protected-access


def _say(session: pymysql.connections.Connection, *statements: str) -> None:
    with session.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


class Transaction(_Sessions):
    """One that has changed a row and stays open, for 300 s and longer if it may."""

    def hold(self) -> None:
        _say(self._session(), "BEGIN", "UPDATE held SET number = number + 1")


class LockTables(_Sessions):
    def hold(self) -> None:
        _say(self._session(), "LOCK TABLES held WRITE")


class Alter(_Sessions):
    """An ALTER that comes to no end, since somebody reads the table."""

    def hold(self) -> None:
        _say(self._session(), "BEGIN", "SELECT * FROM held")
        altering = self._session()

        def alter() -> None:
            with contextlib.suppress(pymysql.err.Error, OSError, ValueError, AttributeError):
                _say(altering, "ALTER TABLE held ADD COLUMN more INT")

        self._thread = threading.Thread(target=alter, daemon=True)
        self._thread.start()
        query = "SELECT ID FROM information_schema.PROCESSLIST WHERE INFO LIKE 'ALTER TABLE held%'"
        deadline = time.monotonic() + 5
        while not self.scene.lab.sql(self.scene.orig, query):
            if time.monotonic() > deadline:
                raise AssertionError("the ALTER does not run")
            time.sleep(0.02)

    def end(self) -> None:
        # The ALTER first: once nobody reads, it would be done.
        for session in reversed(self._sessions):
            with contextlib.suppress(pymysql.err.Error, OSError):
                self._kill(session)
        super().end()

    def _kill(self, session: pymysql.connections.Connection) -> None:
        self.scene.lab.sql(self.scene.orig, f"KILL {session.thread_id()}")


class SemiSync(Load):
    """Every commit waits until a replica has it."""

    # It is how the servers were found.
    is_in_the_way = False

    def begin(self) -> None:
        scene = self.scene
        sends, receives = scene.semi_sync
        for host in (scene.next, scene.third):
            scene.lab.sql(host, f"SET GLOBAL rpl_semi_sync_{receives}_enabled = 1")
            scene.lab.database(host).stop_replica("IO_THREAD")
            scene.lab.database(host).start_replica("IO_THREAD")
        scene.lab.wait_until_replicating()
        scene.lab.sql(scene.orig, f"SET GLOBAL rpl_semi_sync_{sends}_timeout = 3600000")
        scene.lab.sql(scene.orig, f"SET GLOBAL rpl_semi_sync_{sends}_enabled = 1")

    def end(self) -> None:
        for server in self.scene.lab.databases.values():
            with contextlib.suppress(pymysql.err.Error, OSError):
                for part in self.scene.semi_sync:
                    server.sql(f"SET GLOBAL rpl_semi_sync_{part}_enabled = 0")


LOADS = {"writers": Load, "idle": Crowd, "reconnecting": Reconnecting, "transaction": Transaction,
         "lock-tables": LockTables, "alter": Alter, "semi-sync": SemiSync}
