"""A tree of processes with mounts, network and process ids of its own, that one kill ends wholly.

The lab's first process is process 1 of a PID namespace: when it goes, for whatever reason, the
kernel kills every other process of the lab, and with the last of them go the mounts, the network
namespaces and the bridge. Nothing of the machine is changed, so nothing has to be put back:
/etc and /var are overlays whose upper half is the lab's own memory, /run is the lab's own.
"""

import contextlib
import os
import pathlib
import signal
import subprocess
import time

from halab.errors import LabError
from halab.options import DEFAULT_ENVIRONMENT_PATH, PROJECT

# Inside the sandbox; from outside it is Sandbox.path(INSIDE / ...).
INSIDE = pathlib.PurePosixPath("/run/lab")

# $1 is the project: it stays in sight where a mount of the machine under /var holds it.
_MOUNTS = """
set -e
exec 9<"$1"
mount -t tmpfs -o mode=755 lab /run
mkdir -p /run/lab /run/lock /run/netns
for folder in etc var; do
  mkdir -p /run/lab/overlay/$folder/upper /run/lab/overlay/$folder/work
  mount -t overlay lab-$folder /$folder -o \
    lowerdir=/$folder,upperdir=/run/lab/overlay/$folder/upper,workdir=/run/lab/overlay/$folder/work
done
if [ ! -e "$1/tests/lab/lab" ]; then
  mkdir -p "$1"
  mount --bind /proc/self/fd/9 "$1"
fi
"""

# The first process of a namespace has nothing to do but to be there. It ignores SIGCHLD, so that
# the kernel itself reaps what it inherits.
FOREVER = "exec env --ignore-signal=CHLD sleep infinity"
_FIRST = "readlink /proc/self/ns/pid; exec env --ignore-signal=CHLD cat >/dev/null 2>&1"


def environment() -> dict[str, str]:
    """The environment of the lab's processes: the operator's own would make runs differ."""
    return {"PATH": DEFAULT_ENVIRONMENT_PATH, "HOME": "/run/lab/home/root", "USER": "root",
            "LOGNAME": "root", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8",
            "TERM": os.environ.get("TERM", "dumb")}


class Process:
    """A process that is known by id and start time, so that a recycled id is never mistaken."""

    def __init__(self, pid: int, start_time: int) -> None:
        self.pid = pid
        self.start_time = start_time

    @classmethod
    def of_pid(cls, pid: int) -> "Process":
        start_time = _start_time(pid)
        if start_time is None:
            raise LabError(f"process {pid} ended unexpectedly")
        return cls(pid, start_time)

    @classmethod
    def first_of_namespace(cls, link: str, timeout: float = 5.0) -> "Process":
        """Process 1 of the PID namespace that `readlink /proc/self/ns/pid` shows as `link`."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for entry in os.listdir("/proc"):
                if entry.isdigit() and _is_first_of(entry, link):
                    return cls.of_pid(int(entry))
            time.sleep(0.005)
        raise LabError(f"no process 1 of {link} appeared within {timeout:g} s")

    def alive(self) -> bool:
        return _start_time(self.pid) == self.start_time

    def kill(self, timeout: float = 10.0) -> None:
        """Kills it and waits until it is gone; as process 1 of a namespace, with all of that."""
        if not self.alive():
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        deadline = time.monotonic() + timeout
        while self.alive():
            if time.monotonic() > deadline:
                raise LabError(f"process {self.pid} did not end within {timeout:g} s of SIGKILL")
            time.sleep(0.005)


def _start_time(pid: int) -> int | None:
    """Field 22 of /proc/PID/stat; None where the process is gone or only waits to be reaped."""
    try:
        text = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])


def _is_first_of(pid: str, link: str) -> bool:
    try:
        if os.readlink(f"/proc/{pid}/ns/pid") != link:
            return False
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as status:
            for line in status:
                if line.startswith("NSpid:"):
                    return line.split()[-1] == "1"
    except OSError:
        pass
    return False


class Sandbox:
    """The namespaces of one lab.

    They end with the process that made them, also when that is killed with SIGKILL: the first
    process reads a pipe, the lifeline, whose other end closes with its last holder.
    """

    def __init__(self, first: Process, lifeline: int | None = None,
                 starter: subprocess.Popen | None = None) -> None:
        self.first = first
        self._lifeline = lifeline
        self._starter = starter

    @classmethod
    def start(cls) -> "Sandbox":
        reading, lifeline = os.pipe()
        try:
            starter = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--net", "--ipc", "--uts", "--fork",
                 "--kill-child", "--mount-proc", "sh", "-c", _FIRST],
                stdin=reading, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                start_new_session=True, env=environment(), cwd="/")
        finally:
            os.close(reading)
        with starter.stdout, starter.stderr:
            link = starter.stdout.readline().strip()
            if not link:
                os.close(lifeline)
                raise LabError("cannot make namespaces: " + starter.stderr.read().strip())
        sandbox = cls(Process.first_of_namespace(link), lifeline, starter)
        try:
            sandbox.run(["sh", "-c", _MOUNTS, "mounts", str(PROJECT)])
        except BaseException:
            sandbox.kill()
            raise
        return sandbox

    def detach(self) -> None:
        """From now on it lives until it is killed: a process of its own holds the lifeline."""
        subprocess.run(self.command(["sh", "-c", "setsid sleep infinity &"]), check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, pass_fds=(self._lifeline,), env=environment())
        os.close(self._lifeline)
        self._lifeline = None

    def command(self, arguments: list[str]) -> list[str]:
        return enter(self.first, arguments)

    def run(self, arguments: list[str], **options) -> str:
        return run(self.command(arguments), **options)

    def path(self, inside: pathlib.PurePosixPath | str) -> pathlib.Path:
        """Where a file of the sandbox is seen from outside. No link on the way may be absolute."""
        return pathlib.Path(f"/proc/{self.first.pid}/root") / str(inside).lstrip("/")

    def kill(self) -> None:
        self.first.kill()
        if self._starter is not None:
            self._starter.wait()
        if self._lifeline is not None:
            os.close(self._lifeline)
            self._lifeline = None


def enter(process: Process, arguments: list[str]) -> list[str]:
    """The command that runs `arguments` in all namespaces of `process`."""
    return ["nsenter", "--target", str(process.pid), "--mount", "--uts", "--ipc", "--net", "--pid",
            "--", *arguments]


def run(command: list[str], *, stdin: str | None = None,
        extra_environment: dict[str, str] | None = None) -> str:
    """Runs a command of the lab's own, which must succeed, and returns what it wrote."""
    done = subprocess.run(command, input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                          capture_output=True, text=True,
                          env=environment() | (extra_environment or {}), check=False)
    if done.returncode != 0:
        shown = [part if len(part) < 60 else part.strip()[:57] + "..." for part in command]
        raise LabError(f"{' '.join(shown)}: exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def write_file(path: pathlib.Path, text: str | bytes, mode: int = 0o644) -> None:
    """Puts a new file in place; an old one, or a link, is replaced and never written through. Who
    reads it meanwhile has the old or the new one, whole: /etc/passwd is read by what runs beside."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        new.unlink()
    new.write_bytes(text.encode() if isinstance(text, str) else text)
    new.chmod(mode)
    new.replace(path)
