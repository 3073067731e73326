"""The lab's own /etc: users, host names, sudo's rules, SSH keys; and the sshd of each db host."""

import concurrent.futures
import pathlib
import shutil
import subprocess

from halab import options
from halab.errors import LabError
from halab.hosts import Host
from halab.network import Network
from halab.sandbox import INSIDE, Sandbox, environment, run, write_file

HELPER = "mha_helper"
_HOMES = INSIDE / "home"
_SSHD_LOG_INSIDE = "log/sshd.log"
_COMMAND_LOG = "/run/lab-ssh-commands.log"

_SSHD_CONFIG = """\
HostKey /etc/ssh/lab_host_key
PidFile /run/sshd.pid
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
UsePAM no
UseDNS no
PrintMotd no
PrintLastLog no
MaxStartups 100:30:200
Subsystem sftp /usr/lib/openssh/sftp-server
"""

# Stands between sshd and the command, where a lab keeps the text of SSH's commands.
_LOG_COMMAND = f"""\
#!/bin/bash
printf '%s %s %s\\n' "$EPOCHREALTIME" "$USER" "${{SSH_ORIGINAL_COMMAND:-(shell)}}" >>{_COMMAND_LOG}
[ -n "$SSH_ORIGINAL_COMMAND" ] || exec "$SHELL" -l
exec "$SHELL" -c "$SSH_ORIGINAL_COMMAND"
"""


def sudoers_of(user: str) -> str:
    """The rules that the hooks need, and no more."""
    search = "/usr/sbin:/sbin:/usr/bin:/bin"
    programs = [shutil.which(name, path=search) for name in ("ip", "arping")]
    if None in programs:
        raise LabError("ip or arping is not installed: run tests/install-packages")
    return f"{user} ALL=(root) NOPASSWD: {', '.join(programs)}\n"


class System:
    """Writes the files that all hosts share, and those of one host (/etc/netns/NAMESPACE)."""

    def __init__(self, sandbox: Sandbox, network: Network, chosen: options.LabOptions) -> None:
        self._sandbox = sandbox
        self._network = network
        self._options = chosen

    def etc(self, host: str, name: str) -> pathlib.Path:
        """A file of a host's own /etc, seen from outside."""
        return self._sandbox.path(f"/etc/netns/{self._network.namespace(host)}") / name

    def write_shared(self) -> None:
        """Users and keys; then what the hosts differ in. Before the hosts boot."""
        self._write_users()
        host_keys = self._make_keys()
        self._write_homes(host_keys)
        names = self._hosts_file()
        sudoers = self._options.sudoers
        for host in options.ALL_HOSTS:
            write_file(self.etc(host, "hosts"), names)
            write_file(self.etc(host, "hostname"), host + "\n")
            self.write_sudoers(host, sudoers_of(HELPER) if sudoers is None else sudoers)
        for host in options.DATABASE_HOSTS:
            folder = self.etc(host, "ssh")
            write_file(folder / "sshd_config", self._sshd_config())
            write_file(folder / "lab_host_key", host_keys[host][0], 0o600)
            write_file(folder / "lab_host_key.pub", host_keys[host][1])

    def write_sudoers(self, host: str, text: str) -> None:
        """Replaces sudo's rules for mha_helper on one host, at once."""
        write_file(self.etc(host, "sudoers.d") / HELPER, text, 0o440)

    def _write_users(self) -> None:
        etc = self._sandbox.path("/etc")
        passwd = (etc / "passwd").read_text(encoding="utf-8").splitlines()
        ids = {int(line.split(":")[2]) for line in passwd if line.count(":") == 6}
        group_lines = (etc / "group").read_text(encoding="utf-8").splitlines()
        ids |= {int(line.split(":")[2]) for line in group_lines if line.count(":") == 3}
        helper_id = next(number for number in range(900, 64000) if number not in ids)
        kept = []
        for line in passwd:
            fields = line.split(":")
            if fields[0] == "root":
                # Not /root: the operator's own keys and settings stay out of the lab.
                fields[5:7] = [str(_HOMES / "root"), "/bin/bash"]
                line = ":".join(fields)
            if fields[0] != HELPER:
                kept.append(line)
        kept.append(f"{HELPER}:x:{helper_id}:{helper_id}::{_HOMES / HELPER}:/bin/bash")
        write_file(etc / "passwd", "\n".join(kept) + "\n")

        groups = []
        for line in group_lines:
            fields = line.split(":")
            if fields[0] == HELPER:
                continue
            if fields[0] == "mysql":
                fields[3] = ",".join(name for name in (*fields[3].split(","), HELPER) if name)
            groups.append(":".join(fields))
        groups.append(f"{HELPER}:x:{helper_id}:")
        write_file(etc / "group", "\n".join(groups) + "\n")

        # No password fits "*", and the account is not locked.
        shadow = [line for line in (etc / "shadow").read_text(encoding="utf-8").splitlines()
                  if not line.startswith((f"{HELPER}:", "root:"))]
        shadow += ["root:*:19000:0:99999:7:::", f"{HELPER}:*:19000:0:99999:7:::"]
        write_file(etc / "shadow", "\n".join(shadow) + "\n", 0o600)
        self._helper_id = helper_id

    def _make_keys(self) -> dict[str, tuple[bytes, bytes]]:
        folder = self._sandbox.path(INSIDE / "keys")
        folder.mkdir(mode=0o700, exist_ok=True)

        def make(name: str) -> tuple[bytes, bytes]:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name,
                            "-f", str(folder / name)], check=True, env=environment(),
                           stdin=subprocess.DEVNULL)
            return (folder / name).read_bytes(), (folder / f"{name}.pub").read_bytes()

        names = ("login", *options.DATABASE_HOSTS)
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return dict(zip(names, pool.map(make, names)))

    def _write_homes(self, keys: dict[str, tuple[bytes, bytes]]) -> None:
        """The same key opens every db host, for root and mha_helper, from every host."""
        known = ""
        for host in options.DATABASE_HOSTS:
            number = options.HOST_NUMBERS[host]
            kind, key = keys[host][1].decode().split()[:2]
            names = f"{host},{options.address_v4(number)},{options.address_v6(number)}"
            known += f"{names} {kind} {key}\n"
        for user, number in (("root", 0), (HELPER, self._helper_id)):
            home = self._sandbox.path(_HOMES / user)
            write_file(home / ".ssh" / "id_ed25519", keys["login"][0], 0o600)
            write_file(home / ".ssh" / "id_ed25519.pub", keys["login"][1])
            write_file(home / ".ssh" / "authorized_keys", keys["login"][1], 0o600)
            write_file(home / ".ssh" / "known_hosts", known, 0o600)
            run(["chown", "-R", f"{number}:{number}", str(home)])
            home.chmod(0o700)
            (home / ".ssh").chmod(0o700)

    def _hosts_file(self) -> str:
        lines = ["127.0.0.1 localhost", "::1 localhost ip6-localhost"]
        for host, number in options.HOST_NUMBERS.items():
            lines.append(f"{options.address_v4(number)} {host}")
        for host, number in options.HOST_NUMBERS.items():
            lines.append(f"{options.address_v6(number)} {host}-v6")
        return "\n".join(lines) + "\n"

    def _sshd_config(self) -> str:
        if not self._options.log_ssh_commands:
            return _SSHD_CONFIG
        script = INSIDE / "log-ssh-command"
        write_file(self._sandbox.path(script), _LOG_COMMAND, 0o755)
        return f"{_SSHD_CONFIG}ForceCommand {script}\n"


class Sshd:
    """The SSH server of one db host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def start(self) -> None:
        """sshd returns when it listens. Every user may append to the log of commands."""
        self._host.must_run(["sh", "-c", f": >>{_COMMAND_LOG}; chmod 666 {_COMMAND_LOG}; exec "
                             "/usr/sbin/sshd -f /etc/ssh/sshd_config -E "
                             f"{self._host.folder_inside / _SSHD_LOG_INSIDE}"])

    def commands(self) -> list[str]:
        """What SSH ran here, oldest first; only where the lab was told to keep it."""
        path = self._host.folder / "run" / _COMMAND_LOG.removeprefix("/run/")
        return path.read_text(encoding="utf-8", errors="replace").splitlines()

    def log(self) -> str:
        return (self._host.folder / _SSHD_LOG_INSIDE).read_text(encoding="utf-8", errors="replace")

    def freeze(self) -> None:
        self._signal("STOP")

    def thaw(self) -> None:
        self._signal("CONT")

    def _signal(self, name: str) -> None:
        # By name, sessions included: the host's PID namespace holds no sshd but its own.
        self._host.must_run(["pkill", f"-{name}", "-x", "sshd"])
