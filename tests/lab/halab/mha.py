"""The real MHA 0.58 on mgr: its corrected modules, its configuration and ours, its commands."""

import dataclasses
import pathlib
import shlex
import time
from collections.abc import Callable

from halab import options
from halab.cloud import Cloud
from halab.errors import LabError
from halab.follow import following
from halab.hosts import Host
from halab.sandbox import Sandbox, write_file

APPLICATION_CONF = "/etc/mha/app1.cnf"
GLOBAL_CONF = "/etc/masterha_default.cnf"
HELPER_CONF = "/etc/mha-helper/app1.conf"
WORK_FOLDER = "/var/log/masterha/app1"
_SHELL_CONF = "/etc/mha-shell-hooks.conf"
_MANAGER_LOG = WORK_FOLDER + "/manager.log"
_RECORD = WORK_FOLDER + "/hooks.log"
REPORT_EMAIL = "dba@example.com"

_PACKAGED = pathlib.Path("/usr/share/perl5/MHA")
# perl looks here before the packages' folder, on mgr and, through SSH, on the db hosts.
_CORRECTED = pathlib.PurePosixPath("/etc/perl/MHA")

# What each copy gets before its last line. The version: MHA takes three numbers (or two), a server
# says more of them, and sprintf's warning of too many arguments is fatal there. The variable: not
# every server has super_read_only.
_CORRECTIONS = {
    "NodeUtil.pm": r"""
{
  no warnings 'redefine';
  my $padded = sub {
    my ( $version, $parts ) = @_;
    my @numbers = $version =~ /\d+/g;
    return join '', map { sprintf '%03d', $_ // 0 } @numbers[ 0 .. $parts - 1 ];
  };
  *parse_mysql_version       = sub ($) { return $padded->( $_[0], 3 ) };
  *parse_mysql_major_version = sub ($) { return $padded->( $_[0], 2 ) };
}
""",
    "SlaveUtil.pm": r"""
{
  no warnings 'redefine';
  my $packaged = \&check_if_super_read_only;
  *check_if_super_read_only = sub {
    my @found = eval { $packaged->(@_) };
    return @found unless $@;
    die $@ unless $@ =~ /Unknown system variable/;
    return ( 0, 0 );
  };
}
""",
}

_OUR_HOOKS = {
    "master_ip_failover_script": "master_ip_hard_failover_helper",
    "master_ip_online_change_script": "master_ip_online_failover_helper",
    "report_script": "master_failover_report",
}
_SHELL_HOOKS = {
    "master_ip_failover_script": "master_ip_failover",
    "master_ip_online_change_script": "master_ip_online_change",
    "report_script": "send_report",
}


@dataclasses.dataclass(frozen=True)
class Line:
    """A line of output and when it came (time.monotonic()); from_log: out of MHA's manager_log."""

    when: float
    text: str
    from_log: bool = False


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a command of MHA's or ours ended."""

    command: tuple[str, ...]
    status: int
    begin: float
    end: float
    lines: tuple[Line, ...]

    @property
    def output(self) -> str:
        return "".join(line.text + "\n" for line in self.lines)


@dataclasses.dataclass(frozen=True)
class HookCall:
    """What a recorded hook was called with; times as time.time()."""

    begin: float
    end: float
    status: int
    program: str
    arguments: tuple[str, ...]


def _engine(extra: tuple[str, ...]) -> list[str]:
    """This lab is MHA's first of all."""
    if any(word.startswith("--engine=") for word in extra):
        return []
    return ["--engine=mha", "--interactive=0"]


class Mha:
    def __init__(self, sandbox: Sandbox, host: Host, chosen: options.LabOptions,
                 cloud: Cloud) -> None:
        self._sandbox = sandbox
        self._host = host
        self._options = chosen
        self._cloud = cloud
        self._hooks = chosen.hooks

    # Configuration.

    def install(self) -> None:
        """Writes all of it. Again at any time, to go back to what the lab began with."""
        self._correct_modules()
        self._host.must_run(["mkdir", "-p", WORK_FOLDER])
        self.write(GLOBAL_CONF, "[server default]\n", 0o644)
        self.write_application_conf()
        self.write_helper_conf()
        sudo = "sudo -n" if self._requires_sudo() else ""
        self.write(_SHELL_CONF, f"vip_cidr={self._options.vip_cidr}\n"
                   f"interface={options.INTERFACE}\nsudo={shlex.quote(sudo)}\n"
                   f"smtp_host=mgr\nreport_email={REPORT_EMAIL}\n")

    def write(self, path: str, text: str | bytes, mode: int = 0o600) -> None:
        """Replaces a file of the lab's /etc (or another that no link leads to)."""
        write_file(self._sandbox.path(path), text, mode)

    def _requires_sudo(self) -> bool:
        if self._options.requires_sudo is not None:
            return self._options.requires_sudo
        return self._options.ssh_user != "root"

    def _correct_modules(self) -> None:
        for name, correction in _CORRECTIONS.items():
            text = (_PACKAGED / name).read_text(encoding="utf-8")
            body, end, rest = text.rpartition("\n1;")
            if not end or rest.strip():
                raise LabError(f"{_PACKAGED / name} does not end as that of MHA 0.58 does")
            self.write(str(_CORRECTED / name), f"{body}\n{correction}{end}{rest}", 0o644)

    def _hook(self, key: str) -> str:
        if self._hooks == "ours":
            hook = str(pathlib.Path(self._options.programs) / _OUR_HOOKS[key])
        else:
            hook = str(options.LAB_FOLDER / "shell_hooks" / _SHELL_HOOKS[key])
        if not self._options.record_hooks:
            return hook
        return f"{options.LAB_FOLDER / 'shell_hooks' / 'record'} {_RECORD} {hook}"

    def application_conf(self) -> dict[str, dict[str, str]]:
        """The sections of MHA's configuration."""
        default: dict[str, str | None] = {
            "user": self._options.mha_account.user,
            "password": self._options.mha_account.password,
            "repl_user": self._options.replication_account.user,
            "repl_password": self._options.replication_account.password,
            "ssh_user": self._options.ssh_user,
            "manager_workdir": WORK_FOLDER,
            "manager_log": _MANAGER_LOG,
            "remote_workdir": "/var/tmp",
            "master_binlog_dir": "/var/lib/mysql",
            "ping_interval": "1",
            **{key: self._hook(key) for key in _OUR_HOOKS},
            **self._options.mha_conf}
        sections = {"server default": _without_none(default)}
        for index, host in enumerate(options.DATABASE_HOSTS, 1):
            sections[f"server{index}"] = {"hostname": host, "port": str(self._options.port)}
            if index <= 2:
                sections[f"server{index}"]["candidate_master"] = "1"
        return sections

    def write_application_conf(self) -> None:
        self.write(APPLICATION_CONF, _ini(self.application_conf()))

    def helper_conf(self) -> dict[str, dict[str, str]]:
        """The sections of ours."""
        default: dict[str, str | None] = {
            "writer_vip_cidr": self._options.vip_cidr,
            "vip_type": self._options.vip_type,
            "report_email": REPORT_EMAIL,
            "smtp_host": "mgr",
            "requires_sudo": "yes" if self._requires_sudo() else "no",
            "requires_arping": "yes",
            "super_read_only": "no",
            "cluster_interface": options.INTERFACE,
            "kill_after_timeout": str(self._options.kill_after_timeout),
            **self._cloud.helper_conf(),
            **self._options.helper_conf}
        hosts = {host: dict(self._options.helper_host_conf.get(host, {}))
                 for host in options.DATABASE_HOSTS}
        return {"default": _without_none(default), **hosts}

    def use_hooks(self, kind: str) -> None:
        """From the next command on: "ours" or "shell". A benchmark compares both in one lab."""
        self._hooks = dataclasses.replace(self._options, hooks=kind).hooks
        self.write_application_conf()

    def write_helper_conf(self) -> None:
        self.write(HELPER_CONF, _ini(self.helper_conf()), 0o644)

    # Commands.

    def switch(self, new_master: str | None = None, *, extra: tuple[str, ...] = (),
               on_line: Callable[[Line], None] | None = None, timeout: float = 120.0) -> Outcome:
        """The online switch, by MHA unless `extra` names an engine. The former master becomes a
        replica.
        """
        if self._hooks == "ours":
            command = [self.program("mysql_online_failover"), "-c", APPLICATION_CONF,
                       *_engine(extra)]
        else:
            command = ["masterha_master_switch", f"--conf={APPLICATION_CONF}",
                       "--master_state=alive", "--interactive=0", "--orig_master_is_new_slave"]
        return self.run([*command, *self._target(new_master), *extra], on_line=on_line,
                        timeout=timeout)

    def failover(self, dead: str, new_master: str | None = None, *, extra: tuple[str, ...] = (),
                 on_line: Callable[[Line], None] | None = None, timeout: float = 120.0) -> Outcome:
        """The failover of a dead master, by hand, by MHA unless `extra` names an engine."""
        if self._hooks == "ours":
            where = dead if self._options.port == 3306 else f"{dead}:{self._options.port}"
            command = [self.program("mysql_failover"), "-d", where, "-c", APPLICATION_CONF,
                       *_engine(extra)]
        else:
            address = options.address_v4(options.HOST_NUMBERS[dead])
            command = ["masterha_master_switch", f"--conf={APPLICATION_CONF}",
                       "--master_state=dead", f"--dead_master_host={dead}",
                       f"--dead_master_ip={address}", f"--dead_master_port={self._options.port}",
                       "--interactive=0"]
        return self.run([*command, *self._target(new_master), *extra], on_line=on_line,
                        timeout=timeout)

    def _target(self, new_master: str | None) -> list[str]:
        if new_master is None:
            return []
        return [f"--new_master_host={new_master}", f"--new_master_port={self._options.port}"]

    def check(self, timeout: float = 60.0) -> Outcome:
        """masterha_check_repl, which calls the hook's status."""
        return self.run(["masterha_check_repl", f"--conf={APPLICATION_CONF}"], timeout=timeout)

    def program(self, name: str) -> str:
        return str(pathlib.Path(self._options.programs) / name)

    def run(self, command: list[str], *, timeout: float = 120.0,
            extra_environment: dict[str, str] | None = None,
            on_line: Callable[[Line], None] | None = None) -> Outcome:
        """Runs any command on mgr as root, with times for each line of its output.

        A dead failover writes to manager_log, its hooks' output included: those lines count too.
        """
        lines: list[Line] = []

        def keep(text: str, from_log: bool = False) -> None:
            lines.append(Line(time.monotonic(), text, from_log))
            if on_line is not None:
                on_line(lines[-1])

        begin = time.monotonic()
        with following(self._sandbox.path(_MANAGER_LOG), lambda text: keep(text, True)):
            done = self._host.run(
                command, timeout=timeout, on_line=keep,
                extra_environment=self._cloud.environment() | (extra_environment or {}))
        return Outcome(tuple(command), done.status, begin, time.monotonic(), tuple(lines))

    def start_manager(self, *extra: str) -> int:
        """masterha_manager in the background; returns its process id on mgr."""
        return self._host.start_in_background(
            ["masterha_manager", f"--conf={APPLICATION_CONF}", *extra], "manager.out",
            self._cloud.environment())

    def manager_log(self) -> str:
        path = self._sandbox.path(_MANAGER_LOG)
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def hook_calls(self) -> list[HookCall]:
        """With record_hooks: every call so far, in the order in which they ended."""
        path = self._sandbox.path(_RECORD)
        if not path.exists():
            return []
        words = iter(path.read_text("utf-8", errors="replace").split("\0")[:-1])
        calls = []
        for begin in words:
            end, status, count = (next(words) for _ in range(3))
            program, *arguments = (next(words) for _ in range(int(count)))
            calls.append(HookCall(float(begin), float(end), int(status),
                                  program.rpartition("/")[2], tuple(arguments)))
        return calls


def _without_none(values: dict[str, str | None]) -> dict[str, str]:
    return {key: value for key, value in values.items() if value is not None}


def _ini(sections: dict[str, dict[str, str]]) -> str:
    return "\n".join(f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())
                     for name, values in sections.items())
