"""What the lab's database servers have in common, whatever their family: start, faults, SQL.

A family (mariadb, mysql56, mysql84) adds its settings and its words for replication.
"""

import contextlib
import pathlib
import time

import pymysql

from halab import options
from halab.errors import LabError
from halab.hosts import Host
from halab.sandbox import write_file

_SOCKET = "/run/mysqld/mysqld.sock"
_PID_FILE = "/run/mysqld/mysqld.pid"

# A server comes up read-only, as a failed master should; lab up makes the master writable.
# Commits reach the disk one by one, as in production: here that is the lab's memory.
_SETTINGS = {
    "user": "mysql", "datadir": "/var/lib/mysql", "socket": _SOCKET, "pid_file": _PID_FILE,
    "bind_address": "*", "skip_name_resolve": "1", "log_bin": "mysql-bin",
    "relay_log": "relay-bin", "sync_binlog": "1", "innodb_flush_log_at_trx_commit": "1",
    "innodb_buffer_pool_size": "64M", "innodb_buffer_pool_dump_at_shutdown": "0",
    "max_connections": "500", "relay_log_purge": "0", "read_only": "1",
    "character_set_server": "utf8mb4",
}


class Database:
    """The server of one db host. SQL goes through its socket, which no network fault closes."""

    # The family's: its program, where its messages lie in a fetched server, its error log, and the
    # settings that are not the same everywhere.
    program = ""
    share = ""
    log_name = ""
    family_settings: dict[str, str] = {}
    gtid_settings: dict[str, dict[str, str]] = {"on": {}, "off": {}}
    replica_word = "SLAVE"  # of START and STOP

    def __init__(self, host: Host, chosen: options.LabOptions) -> None:
        self._host = host
        self._options = chosen
        self.name = host.name

    def install(self, data: pathlib.PurePath, folder: pathlib.Path | None) -> None:
        """Its configuration, and a copy of an initialised data directory (a path in the lab).

        `folder` is that of tests/servers/fetch; None for a server that is installed.
        """
        number = options.HOST_NUMBERS[self.name]
        settings = _SETTINGS | self.family_settings | self.gtid_settings[self._options.gtid] | {
            "port": str(self._options.port), "server_id": str(number), "report_host": self.name,
            "log_error": str(self._host.folder_inside / "log" / self.log_name),
            "tmpdir": str(self._host.folder_inside / "tmp"), **self._options.server_conf}
        if folder is not None:
            share = folder / "share" / self.share
            settings |= {"basedir": str(folder), "lc_messages_dir": str(share),
                         "character_sets_dir": str(share / "charsets")}
        write_file(self._host.folder / "my.cnf", f"[{self.program}]\n" + "".join(
            f"{key}={value}\n" for key, value in settings.items()))
        # A lab that is up keeps the program that it began with.
        write_file(self._host.folder / "program",
                   self.program if folder is None else f"{folder}/sbin/{self.program}")
        self._host.must_run(["cp", "-a", "--sparse=always", f"{data}/.", "/var/lib/mysql/"])
        # Group mysql reads the binary logs: MHA does, as a user that is not root.
        self._host.must_run(["chown", "-R", "mysql:mysql", "/var/lib/mysql"])
        self._host.must_run(["chmod", "750", "/var/lib/mysql"])

    def begin_start(self) -> None:
        program = (self._host.folder / "program").read_text(encoding="utf-8")
        self._host.start_in_background(
            [program, f"--defaults-file={self._host.folder_inside}/my.cnf"],
            f"{self.program}.out")

    def finish_start(self, timeout: float = 60.0) -> None:
        deadline = time.monotonic() + timeout
        while True:
            try:
                self.sql("SELECT 1")
                return
            except pymysql.err.OperationalError:
                if time.monotonic() > deadline:
                    raise LabError(
                        f"{self.program} on {self.name} did not answer within {timeout:g} s: "
                        + self.log().strip()[-600:]) from None
                time.sleep(0.02)

    def start(self) -> None:
        """Starts it where it does not run, and waits until it answers."""
        if self.pid() is None:
            self.begin_start()
        self.finish_start()

    def pid(self) -> int | None:
        """Inside the host; None where no server runs."""
        try:
            pid = int((self._host.folder / "run/mysqld/mysqld.pid").read_text(encoding="ascii"))
            self._host.must_run(["kill", "-0", str(pid)])
            return pid
        except (FileNotFoundError, ValueError, LabError):
            return None

    def kill(self, timeout: float = 10.0) -> None:
        """SIGKILL, as a crash does it; returns when it is gone. Nothing restarts it."""
        pid = self.pid()
        if pid is None:
            return
        self._host.signal("KILL", pid)
        deadline = time.monotonic() + timeout
        while self.pid() is not None:
            if time.monotonic() > deadline:
                raise LabError(f"{self.program} on {self.name} survived SIGKILL for {timeout:g} s")
            time.sleep(0.01)

    def freeze(self) -> None:
        """SIGSTOP: connections are accepted by the kernel, and then nothing is said."""
        self._signal("STOP")

    def thaw(self) -> None:
        self._signal("CONT")

    def _signal(self, name: str) -> None:
        pid = self.pid()
        if pid is None:
            raise LabError(f"no {self.program} runs on {self.name}")
        self._host.signal(name, pid)

    def log(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self._host.folder / "log" / self.log_name).read_text("utf-8", errors="replace")
        return ""

    def connect(self, timeout: float = 5.0) -> pymysql.connections.Connection:
        """As root over the socket; its thread is no more than a client to the hooks."""
        return pymysql.connect(
            unix_socket=str(self.socket()), user="root", autocommit=True, read_timeout=timeout,
            write_timeout=timeout, connect_timeout=timeout,
            cursorclass=pymysql.cursors.DictCursor)

    def socket(self) -> pathlib.Path:
        return self._host.folder / "run/mysqld/mysqld.sock"

    def sql(self, statement: str, parameters: tuple | None = None,
            timeout: float = 5.0) -> list[dict]:
        """Runs one statement and returns its rows; raises pymysql's errors."""
        with contextlib.closing(self.connect(timeout)) as connection:
            with connection.cursor() as cursor:
                cursor.execute(statement, parameters)
                return list(cursor.fetchall())

    def version(self, timeout: float = 5.0) -> str:
        return self.sql("SELECT VERSION() AS value", timeout=timeout)[0]["value"]

    def read_only(self, timeout: float = 5.0) -> bool:
        """Read from the server. From MariaDB 12 on the value is a word, OFF where it is not set."""
        value = self.sql("SELECT @@GLOBAL.read_only AS value", timeout=timeout)[0]["value"]
        return str(value) not in ("0", "OFF")

    def create_accounts(self) -> None:
        """On the first master, in its binary log: the replicas get them by replication."""
        for account, rights in (
                (self._options.replication_account, "REPLICATION SLAVE ON *.*"),
                (self._options.mha_account, "ALL PRIVILEGES ON *.*"),
                (self._options.app_account, "SELECT, INSERT, UPDATE, DELETE ON lab.*")):
            self.sql("CREATE USER %s@'%%' IDENTIFIED BY %s", (account.user, account.password))
            self.sql(f"GRANT {rights} TO %s@'%%'", (account.user,))
        self.sql("CREATE DATABASE lab")
        self.sql("CREATE TABLE lab.written (number BIGINT PRIMARY KEY, server_id INT NOT NULL)")

    def wait_for(self, position: tuple[str, int], timeout: float = 20.0) -> None:
        """Until this replica has applied its source's log up to `position`, GTIDs or not."""
        rows = self.sql("SELECT MASTER_POS_WAIT(%s, %s, %s) AS waited", (*position, timeout),
                        timeout=timeout + 5)
        if rows[0]["waited"] is None or rows[0]["waited"] < 0:
            raise LabError(f"{self.name} did not reach {position[0]}:{position[1]} within "
                           f"{timeout:g} s: {self.replica_status()}")

    # The words of MariaDB, and of MySQL before 8.4.

    def replica_status(self, timeout: float = 5.0) -> dict | None:
        """None where it is no replica. The columns are named as in SHOW SLAVE STATUS, always."""
        rows = self.sql("SHOW SLAVE STATUS", timeout=timeout)
        return rows[0] if rows else None

    def position(self) -> tuple[str, int]:
        """Of its own binary log."""
        row = self.sql("SHOW MASTER STATUS")[0]
        return row["File"], int(row["Position"])

    def replicate_from(self, source: str, position: tuple[str, int]) -> None:
        """From `position`; with GTIDs, from the first transaction that it has not."""
        raise NotImplementedError

    def stop_replica(self, thread: str = "") -> None:
        """Both threads, or IO_THREAD or SQL_THREAD alone."""
        # MariaDB 11.8 says nothing while its receiver tries to reach a host that is gone.
        self.sql(f"STOP {self.replica_word} {thread}", timeout=30)

    def start_replica(self, thread: str = "") -> None:
        self.sql(f"START {self.replica_word} {thread}")

    def gtids(self) -> str:
        """What it has, its own and replicated, as its family writes it; "" without GTIDs."""
        raise NotImplementedError
