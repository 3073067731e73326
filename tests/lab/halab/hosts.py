"""One host of the lab: a network namespace with processes, a name and a few folders of its own."""

import contextlib
import os
import pathlib
import selectors
import shlex
import subprocess
import tempfile
import time
from collections.abc import Callable
from typing import BinaryIO

from halab.errors import LabError
from halab.network import Network
from halab.sandbox import (FOREVER, INSIDE, Process, Sandbox, enter, environment, run)

# `ip netns exec` has put the files of /etc/netns/NAMESPACE over those of /etc. The host adds a /run
# and a database folder of its own, db hosts also /var/tmp, where MHA's node programs work (on mgr
# and app the project itself may lie there). $1 is its name, $2 its folder.
_BOOT = f"""
set -e
hostname "$1"
mkdir -p "$2/run/lab" "$2/run/sshd" "$2/run/mysqld" "$2/data" "$2/log" "$2/tmp" /var/lib/mysql
chown mysql: "$2/run/mysqld" "$2/data" "$2/log" "$2/tmp"
mount --rbind {INSIDE} "$2/run/lab"
mount --rbind "$2/run" /run
mount --bind "$2/data" /var/lib/mysql
case $1 in
  db*) mount -t tmpfs -o mode=1777 lab /var/tmp ;;
esac
readlink /proc/self/ns/pid >"$2/booting"
mv "$2/booting" "$2/booted"
{FOREVER}
"""


class Finished:
    """What a command on a host said: exit status, both streams."""

    def __init__(self, status: int, output: str, errors: str) -> None:
        self.status = status
        self.output = output
        self.errors = errors

    def __repr__(self) -> str:
        return f"Finished(status={self.status}, output={self.output!r}, errors={self.errors!r})"


class Host:
    """Commands run in it as root. `first` is its process 1, or None while the host is stopped."""

    def __init__(self, sandbox: Sandbox, network: Network, name: str,
                 first: Process | None = None) -> None:
        self._sandbox = sandbox
        self._network = network
        self.name = name
        self.first = first
        self.folder_inside = INSIDE / "hosts" / name

    @property
    def folder(self) -> pathlib.Path:
        """The host's folder as seen from outside: data, log, run, tmp."""
        return self._sandbox.path(self.folder_inside)

    def begin_boot(self) -> None:
        """Needs its network namespace. The host is up when finish_boot has returned."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "booted").unlink()
        command = shlex.join(
            ["ip", "netns", "exec", self._network.namespace(self.name),
             "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child",
             "--mount-proc", "sh", "-c", _BOOT, "boot", self.name, str(self.folder_inside)])
        log = self.folder_inside / "boot.log"
        self._sandbox.run(["sh", "-c", f"setsid {command} </dev/null >{log} 2>&1 &"])

    def finish_boot(self, timeout: float = 10.0) -> None:
        mark = self.folder / "booted"
        deadline = time.monotonic() + timeout
        while not mark.exists():
            if time.monotonic() > deadline:
                log = (self.folder / "boot.log").read_text(encoding="utf-8", errors="replace")
                raise LabError(f"{self.name} did not boot within {timeout:g} s: {log.strip()}")
            time.sleep(0.005)
        self.first = Process.first_of_namespace(mark.read_text(encoding="ascii").strip())

    @property
    def running(self) -> bool:
        return self.first is not None and self.first.alive()

    def power_off(self) -> None:
        """All of its processes and its network are gone at once; its disk stays."""
        if self.first is not None:
            self.first.kill()
        self.first = None

    def command(self, arguments: list[str]) -> list[str]:
        """The command, for a process outside, that runs `arguments` here."""
        if not self.running:
            raise LabError(f"{self.name} is stopped: start it with start-host {self.name}")
        return enter(self.first, arguments)

    def must_run(self, arguments: list[str], *, stdin: str | None = None) -> str:
        """What the lab itself needs done: returns the output, raises where it fails."""
        return run(self.command(arguments), stdin=stdin)

    def run(self, arguments: list[str], *, timeout: float = 60.0,
            extra_environment: dict[str, str] | None = None,
            on_line: Callable[[str], None] | None = None) -> Finished:
        """Runs to the end or kills it after `timeout` seconds (status 137).

        With `on_line`, standard error joins standard output and each line is passed on as it comes.
        """
        command = self.command(["timeout", "--signal=KILL", f"{timeout:g}", *arguments])
        settings = environment() | (extra_environment or {})
        if on_line is not None:
            with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, env=settings) as process:
                try:
                    output = _follow(process, on_line)
                except BaseException:
                    # Interrupted: do not wait for MHA to end before the lab is taken down.
                    process.kill()
                    raise
            return Finished(_status(process.returncode), output, "")
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors,
                                  env=settings, check=False)
            return Finished(_status(done.returncode), _text(output), _text(errors))

    def start_in_background(self, arguments: list[str], log: str,
                            extra_environment: dict[str, str] | None = None) -> int:
        """Starts a process that outlives this one; returns its process id inside the host."""
        path = self.folder_inside / "log" / log
        text = run(enter(self.first, [
            "sh", "-c", f"setsid {shlex.join(arguments)} </dev/null >>{path} 2>&1 & echo $!"]),
            extra_environment=extra_environment)
        return int(text)

    def signal(self, name: str, pid: int) -> None:
        self.must_run(["kill", f"-{name}", str(pid)])


def _follow(process: subprocess.Popen, on_line: Callable[[str], None]) -> str:
    """Passes lines on until the process ends.

    Until the pipe is closed would be too long: what a hook leaves running may hold it open.
    """
    everything = bytearray()
    begun = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            ended = process.poll() is not None
            if not selector.select(0 if ended else 0.05):
                if ended:
                    break
                continue
            data = os.read(process.stdout.fileno(), 65536)
            if not data:
                process.wait()
                break
            everything += data
            begun += data
            *lines, begun = begun.split(b"\n")
            for line in lines:
                on_line(line.decode(errors="replace"))
    if begun:
        on_line(begun.decode(errors="replace"))
    return everything.decode(errors="replace")


def _text(stream: BinaryIO) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def _status(status: int) -> int:
    return 128 - status if status < 0 else status
