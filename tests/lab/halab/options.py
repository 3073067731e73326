"""What a lab can be asked to be: addresses, accounts, hooks, configuration; all have defaults."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

PROJECT = pathlib.Path(__file__).resolve().parents[3]
LAB_FOLDER = PROJECT / "tests" / "lab"

DATABASE_HOSTS = ("db1", "db2", "db3")
ALL_HOSTS = ("mgr", *DATABASE_HOSTS, "app")
FIRST_MASTER = "db1"

# Each lab has a bridge of its own, so every lab can have the same addresses.
HOST_NUMBERS = {"mgr": 10, "db1": 11, "db2": 12, "db3": 13, "app": 20}
VIP_NUMBER = 100
INTERFACE = "eth0"

CLOUD_MODES = {"aws": ("secondary_ip", "eip", "route"),
               "openstack": ("address_pair", "floating_ip", "fixed_ip")}

DEFAULT_SERVER = "mariadb-10.11"

DEFAULT_ENVIRONMENT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def address_v4(number: int) -> str:
    return f"10.77.0.{number}"


def address_v6(number: int) -> str:
    return f"fd77::{number}"


@dataclasses.dataclass(frozen=True)
class Account:
    """A database account that may log in from every host."""

    user: str
    password: str


@dataclasses.dataclass(frozen=True)
class LabOptions:
    """Every choice of a lab. Immutable, and plain enough to be kept as JSON beside the lab."""

    # Who moves the virtual IP: "metal" (the hosts alone), "aws" or "openstack" (with an interface
    # of that cloud on mgr).
    vip_type: str = "metal"
    # How the cloud moves it, aws_mode or openstack_mode; "": secondary_ip, address_pair.
    cloud_mode: str = ""
    # Milliseconds in which its interface answers our programs, by a proxy that also tells what they
    # ask (lab.cloud.proxy); None: as it can, and no proxy.
    cloud_answers_in: float | None = None
    # Database servers: a name of halab/servers.py. MHA 0.58 can drive the default, and no other that
    # the lab has.
    server: str = DEFAULT_SERVER
    # "on": GTIDs, and replication by them. "off": replication by binary log position.
    gtid: str = "off"
    # Family of the virtual IP: "v4" or "v6". The hosts always have both.
    family: str = "v4"
    # The kernel announces a v6 address that it gets, as it must for a v6 virtual IP: `ip` and
    # `arping` cannot. Without it, a client went on with the former host for more than 30 s.
    ndisc_notify: bool = True
    # "ours": the project's programs. "shell": tests/lab/shell_hooks, plain `ssh ... ip addr`.
    hooks: str = "ours"
    # Write each call of a hook, its arguments (passwords too) and its times to a file on mgr.
    record_hooks: bool = False
    # Where our programs are.
    programs: str = os.environ.get(
        "MHA_LAB_PROGRAMS", str(PROJECT / "build" / "release" / "bin"))
    # The user for MHA's and the hooks' SSH. mha_helper is in group mysql, to read binary logs.
    ssh_user: str = "mha_helper"
    # Text of /etc/sudoers.d/mha_helper on each db host; None: ip and arping only.
    sudoers: str | None = None
    # requires_sudo of the helper configuration; None: yes, unless ssh_user is root.
    requires_sudo: bool | None = None
    # Keep the text of each command that SSH ran on a db host (lab logs db1 ssh-commands).
    log_ssh_commands: bool = False

    mha_user: str = "mha"
    mha_password: str = "mha-secret"
    app_password: str = "app-secret"
    replication_password: str = "repl-secret"
    # Port of the database servers.
    port: int = 3306
    # Size of the disk of each server's data, as tmpfs takes it ("400m"); "": what the machine has.
    database_disk: str = ""
    # More options of the servers: {"lock_wait_timeout": "5"}.
    server_conf: Mapping[str, str] = dataclasses.field(default_factory=dict)

    kill_after_timeout: int = 5
    # Replace or add keys in [default] of the helper configuration; a value of None leaves it out.
    helper_conf: Mapping[str, str | None] = dataclasses.field(default_factory=dict)
    # The same for host sections: {"db1": {"kill_after_timeout": "0"}}.
    helper_host_conf: Mapping[str, Mapping[str, str]] = dataclasses.field(default_factory=dict)
    # The same for [server default] of MHA's configuration.
    mha_conf: Mapping[str, str | None] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.gtid not in ("on", "off"):
            raise ValueError(f"gtid is on or off, not {self.gtid!r}")
        if self.family not in ("v4", "v6"):
            raise ValueError(f"family is v4 or v6, not {self.family!r}")
        if self.vip_type not in ("metal", "aws", "openstack"):
            raise ValueError(f"vip_type is metal, aws or openstack, not {self.vip_type!r}")
        if self.vip_type != "metal" and (self.family != "v4" or self.hooks != "ours"):
            raise ValueError(f"vip_type {self.vip_type} needs family v4 and hooks ours")
        modes = CLOUD_MODES.get(self.vip_type, ())
        if self.cloud_mode and self.cloud_mode not in modes:
            raise ValueError(f"cloud_mode of {self.vip_type} is one of {modes}, not "
                             f"{self.cloud_mode!r}")
        if self.hooks not in ("ours", "shell"):
            raise ValueError(f"hooks is ours or shell, not {self.hooks!r}")

    @property
    def vip(self) -> str:
        return address_v4(VIP_NUMBER) if self.family == "v4" else address_v6(VIP_NUMBER)

    @property
    def vip_cidr(self) -> str:
        return f"{self.vip}/24" if self.family == "v4" else f"{self.vip}/64"

    @property
    def host_settings(self) -> tuple[str, ...]:
        """sysctl of the hosts."""
        value = int(self.ndisc_notify)
        return (f"net.ipv6.conf.all.ndisc_notify={value}",
                f"net.ipv6.conf.default.ndisc_notify={value}")

    @property
    def mha_account(self) -> Account:
        return Account(self.mha_user, self.mha_password)

    @property
    def app_account(self) -> Account:
        return Account("app", self.app_password)

    @property
    def replication_account(self) -> Account:
        return Account("repl", self.replication_password)
