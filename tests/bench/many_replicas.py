"""Many replicas under one master, small MariaDB servers on loopback: what grows with their number.

No address moves and no SSH is needed here (vip_type=none): these servers have no hosts.
"""

import calendar
import concurrent.futures
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pymysql

from halab.errors import LabError
from halab.progress import Progress
from slow_links import SlowLinks

_PORT = 13306       # of the servers, each on an address of its own
_SLOW_PORT = 13307  # the same through slow links; what MHA's configuration says
_USER, _PASSWORD = "mha", "mha-secret"
_SERVER = {
    "innodb_buffer_pool_size": "8M", "innodb_log_file_size": "4M", "innodb_log_buffer_size": "1M",
    "key_buffer_size": "64K", "aria_pagecache_buffer_size": "1M", "performance_schema": "0",
    "innodb_buffer_pool_dump_at_shutdown": "0", "innodb_flush_log_at_trx_commit": "0",
    "sync_binlog": "0", "table_open_cache": "64", "thread_cache_size": "8",
    "innodb_fast_shutdown": "2", "skip_name_resolve": "1", "log_bin": "mysql-bin",
    "relay_log": "relay-bin", "log_slave_updates": "1", "read_only": "1", "user": "mysql",
    "slave_net_timeout": "10"}


@dataclasses.dataclass(frozen=True)
class Measured:
    """Milliseconds. `repoint` is the time in which all others were pointed to the new master,
    `slowest` that of the one that took longest."""

    replicas: int
    discovery: float
    frozen: float
    repoint: float
    slowest: float
    whole: float
    rss_mb: float


def address(number: int) -> str:
    return f"127.0.8.{number}"


class Servers:
    """Number 1 is the first master. All of them end with stop()."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder = folder
        self._running: dict[int, subprocess.Popen] = {}
        self._template = folder / "template"
        _run(["mariadb-install-db", "--no-defaults", f"--datadir={self._template}", "--user=mysql",
              "--auth-root-authentication-method=normal", "--skip-test-db",
              f"--innodb-log-file-size={_SERVER['innodb_log_file_size']}"])

    def add(self, numbers: range) -> None:
        for number in numbers:
            self._start(number)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            list(pool.map(self._prepare, numbers))

    def _start(self, number: int) -> None:
        data = self._folder / f"data{number}"
        _run(["cp", "-a", "--sparse=always", str(self._template), str(data)])
        settings = _SERVER | {
            "datadir": str(data), "socket": str(data / "s"), "pid_file": str(data / "pid"),
            "bind_address": address(number), "port": str(_PORT), "server_id": str(number),
            "report_host": address(number), "log_error": str(data / "error.log")}
        self._running[number] = subprocess.Popen(  # pylint: disable=consider-using-with
            ["mariadbd", "--no-defaults", *(f"--{key.replace('_', '-')}={value}"
                                            for key, value in settings.items())],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def _prepare(self, number: int) -> None:
        deadline = time.monotonic() + 120
        while True:
            try:
                self.sql(number, "SELECT 1")
                break
            except pymysql.err.OperationalError:
                if time.monotonic() > deadline or self._running[number].poll() is not None:
                    raise LabError(f"server {number} does not answer; see "
                                   f"{self._folder}/data{number}/error.log") from None
                time.sleep(0.1)
        self.sql(number, "SET sql_log_bin=0", f"CREATE USER {_USER}@'%' IDENTIFIED BY "
                 f"'{_PASSWORD}'", f"GRANT ALL PRIVILEGES ON *.* TO {_USER}@'%'")

    def follow(self, number: int, master: int) -> None:
        """From the beginning of the master's log."""
        self.sql(number, f"CHANGE MASTER TO master_host='{address(master)}', "
                 f"master_port={_SLOW_PORT}, master_user='{_USER}', "
                 f"master_password='{_PASSWORD}', master_log_file='mysql-bin.000001', "
                 "master_log_pos=4, master_connect_retry=1", "START SLAVE")

    def sql(self, number: int, *statements: str) -> list[dict]:
        """The rows of the last one."""
        with contextlib.closing(pymysql.connect(
                unix_socket=str(self._folder / f"data{number}" / "s"), user="root",
                autocommit=True, read_timeout=30, connect_timeout=30,
                cursorclass=pymysql.cursors.DictCursor)) as connection:
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return list(cursor.fetchall())

    def wait_until_replicating(self, master: int, timeout: float = 60) -> None:
        """All others have applied all of the master's log."""
        row = self.sql(master, "SHOW MASTER STATUS")[0]
        for number in self._running:
            if number == master:
                continue
            deadline = time.monotonic() + timeout
            while True:
                status = self.sql(number, "SHOW SLAVE STATUS")[0]
                if (status["Slave_IO_Running"] == status["Slave_SQL_Running"] == "Yes"
                        and status["Master_Host"] == address(master)
                        and status["Exec_Master_Log_Pos"] >= row["Position"]):
                    break
                if time.monotonic() > deadline:
                    raise LabError(f"server {number} does not follow {master}: {status}")
                time.sleep(0.05)

    def stop(self) -> None:
        for process in self._running.values():
            process.kill()
        for process in self._running.values():
            process.wait()


def _run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise LabError(f"{command[0]}: {done.stdout[-300:]}{done.stderr[-300:]}")


class Bench:
    """Servers, the two configurations, and switches between servers 1 and 2."""

    def __init__(self, programs: pathlib.Path, folder: pathlib.Path, delay_ms: float) -> None:
        self._programs = programs
        self._folder = folder
        self._delay = delay_ms / 1000
        self._links = SlowLinks(self._delay)
        self.servers = Servers(folder)
        self._count = 0
        self.master = 1

    def grow(self, replicas: int) -> None:
        """To so many replicas under the master."""
        new = range(self._count + 1, replicas + 2)
        self.servers.add(new)
        for number in new:
            self._links.add((address(number), _SLOW_PORT), (address(number), _PORT))
        if self._count == 0:
            self.servers.sql(1, "SET GLOBAL read_only=0", "CREATE DATABASE lab",
                             "CREATE TABLE lab.t (a INT PRIMARY KEY)")
        for number in new:
            if number != self.master:
                self.servers.follow(number, self.master)
        self._count = replicas + 1
        self._write_conf()

    def _write_conf(self) -> None:
        helper = self._folder / "helper"
        helper.mkdir(exist_ok=True)
        sections = "".join(f"[{address(n)}]\n" for n in range(1, self._count + 1))
        (helper / "app1.conf").write_text(f"[default]\nvip_type=none\n{sections}", "ascii")
        servers = "".join(f"[server{n}]\nhostname={address(n)}\nport={_SLOW_PORT}\n"
                          for n in range(1, self._count + 1))
        (self._folder / "app1.cnf").write_text(
            f"[server default]\nuser={_USER}\npassword={_PASSWORD}\nrepl_user={_USER}\n"
            f"repl_password={_PASSWORD}\nmanager_workdir={self._folder}/work\n{servers}", "ascii")

    def switch(self) -> Measured:
        self.servers.wait_until_replicating(self.master)
        next_master = 3 - self.master
        state, rss = self._folder / "state", self._folder / "rss"
        command = ["/usr/bin/time", "-f", "%M", "-o", str(rss),
                   str(self._programs / "mysql_online_failover"), "-c",
                   str(self._folder / "app1.cnf"), "--engine=native", "--interactive=0",
                   f"--new_master_host={address(next_master)}",
                   f"--new_master_port={_SLOW_PORT}"]
        folders = {"MHA_HELPER_CONFIG_DIR": str(self._folder / "helper"),
                   "MHA_HELPER_STATE_DIR": str(state)}
        begin = time.time()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, env=dict(os.environ) | folders)
        end = time.time()
        if done.returncode != 0:
            raise LabError(f"a switch ended with {done.returncode}:\n{done.stdout[-3000:]}"
                           f"{done.stderr[-3000:]}")
        self.master = next_master
        newest = max(state.glob("switchover-*.journal"), key=lambda path: path.stat().st_mtime)
        return self._measured(newest, begin, end, int(rss.read_text("ascii").split()[-1]) / 1024)

    def _measured(self, journal: pathlib.Path, begin: float, end: float, rss: float) -> Measured:
        records = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
        pointed = [record for record in records
                   if record.get("step", "").startswith("ensure_follows ")]
        if sum(record["event"] == "step_done" for record in pointed) != self._count - 1:
            raise LabError(f"not all replicas were pointed to the new master: {journal}")
        took = [record["took_ms"] for record in pointed if record["event"] == "step_done"]
        frozen = next(one for one in records if one["event"] == "end")["clients_waited_ms"]
        times = [_seconds(record["time"]) for record in pointed]
        return Measured(self._count - 1, (_seconds(records[0]["time"]) - begin) * 1000, frozen,
                        (max(times) - min(times)) * 1000, max(took), (end - begin) * 1000, rss)

    def close(self) -> None:
        self.servers.stop()
        self._links.close()


def _seconds(stamp: str) -> float:
    whole, _, thousandths = stamp.removesuffix("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) + int(thousandths) / 1000


def measure(numbers: list[int], count: int, delay_ms: float, programs: pathlib.Path,
            progress: Progress) -> list[Measured]:
    """`count` switches for each number of replicas, in ascending order."""
    done = []
    memory = pathlib.Path("/dev/shm")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="mha-bench-",
                                           dir=memory if memory.is_dir() else None))
    folder.chmod(0o755)
    bench = None
    try:
        bench = Bench(programs, folder, delay_ms)
        for replicas in sorted(numbers):
            bench.grow(replicas)
            progress.step(f"{replicas} replicas are up")
            for _ in range(count):
                done.append(bench.switch())
                progress.step(f"  {done[-1]}")
    finally:
        if bench is not None:
            bench.close()
        shutil.rmtree(folder, ignore_errors=True)
    return done
