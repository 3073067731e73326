"""tests/lab/lab: the lab by hand, a verb at a time."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

import pymysql

from halab import cloud, options, report, servers
from halab.errors import LabError
from halab.lab import Lab, labs
from halab.mha import Line
from halab.options import LabOptions
from halab.sandbox import environment

_FREEZABLE = ("mysqld", "sshd")


def _find(arguments: argparse.Namespace) -> Lab:
    """The lab that --id or MHA_LAB names, or the only one that was made by hand."""
    return Lab.attach(arguments.id or _only(_by_hand()))


def _by_hand() -> list[str]:
    return [lab_id for lab_id, detached in labs().items() if detached]


def _only(lab_ids: list[str]) -> str:
    if not lab_ids:
        raise LabError("no lab is up: run tests/lab/lab up")
    if len(lab_ids) > 1:
        raise LabError(f"{len(lab_ids)} labs are up, choose one with --id: {', '.join(lab_ids)}")
    return lab_ids[0]


def _up(arguments: argparse.Namespace) -> int:
    if arguments.vip in cloud.KINDS:
        cloud.prepare(arguments.vip)
    begin = time.monotonic()
    lab = Lab(LabOptions(
        server=arguments.server, gtid=arguments.gtid, vip_type=arguments.vip,
        family=arguments.family, hooks=arguments.hooks, record_hooks=arguments.record_hooks,
        log_ssh_commands=arguments.log_ssh_commands, ssh_user=arguments.ssh_user,
        mha_password=arguments.mha_password, port=arguments.port,
        requires_sudo=None if arguments.sudo is None else arguments.sudo == "yes",
        kill_after_timeout=arguments.kill_after_timeout,
        helper_conf=dict(arguments.helper), mha_conf=dict(arguments.mha)),
        arguments.id)
    lab.up(detached=True)
    print(f"lab {lab.id} is up after {time.monotonic() - begin:.1f} s: "
          f"{', '.join(options.ALL_HOSTS)}; virtual IP {lab.options.vip_cidr}\n"
          f"{report.servers(lab)}")
    return 0


def _down(arguments: argparse.Namespace) -> int:
    """No lab is no error: down is what was wanted."""
    lab_id = arguments.id or (_only(_by_hand()) if _by_hand() else None)
    if lab_id in labs():
        Lab.attach(lab_id).down()
        print(f"lab {lab_id} is down")
    else:
        print("no lab is up" if lab_id is None else f"no lab {lab_id} is up")
    return 0


def _list(_: argparse.Namespace) -> int:
    for lab_id, by_hand in labs().items():
        print(f"{lab_id}  {'made by hand' if by_hand else 'belongs to a test or a demo'}")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    lab = _find(arguments)
    print(f"lab {lab.id}: {lab.options.server}, GTID {lab.options.gtid}, virtual IP "
          f"{lab.options.vip_cidr}, hooks {lab.options.hooks}, ssh user {lab.options.ssh_user}\n"
          f"{report.servers(lab)}")
    print("writer " + ("runs" if lab.writer.running() else "does not run"))
    return 0


def _vip(arguments: argparse.Namespace) -> int:
    lab = _find(arguments)
    if arguments.action == "add":
        lab.add_vip(arguments.host)
    elif arguments.action == "remove":
        lab.remove_vip(arguments.host)
    holders = lab.vip_holders()
    print(f"{lab.options.vip_cidr}: {', '.join(holders) or 'nowhere'}")
    if lab.options.vip_type in cloud.KINDS:
        print(f"by {lab.options.vip_type}'s interface: {', '.join(lab.cloud.holders()) or 'nowhere'}")
    return 0 if len(holders) == 1 else 1


def _operation(arguments: argparse.Namespace) -> int:
    """switch, failover and check: MHA's output as it comes, and its status as ours."""
    lab = _find(arguments)

    def show(line: Line) -> None:
        print(line.text, flush=True)

    extra = tuple(arguments.extra)
    if arguments.verb == "switch":
        return lab.switch(arguments.new_master, extra=extra, on_line=show).status
    return lab.failover(arguments.dead, arguments.new_master, extra=extra, on_line=show).status


def _check(arguments: argparse.Namespace) -> int:
    outcome = _find(arguments).mha.check()
    print(outcome.output, end="")
    return outcome.status


def _manager(arguments: argparse.Namespace) -> int:
    _find(arguments).mha.start_manager()
    print("masterha_manager runs on mgr; it ends after one failover (lab logs mgr/manager.log)")
    return 0


def _server(action: Callable[[Lab, str], None]) -> Callable[[argparse.Namespace], int]:
    def act(arguments: argparse.Namespace) -> int:
        lab = _find(arguments)
        action(lab, arguments.host)
        print(report.servers(lab))
        return 0
    return act


def _partition(arguments: argparse.Namespace) -> int:
    lab = _find(arguments)
    lab.host(arguments.host)
    if arguments.other:
        lab.host(arguments.other)
        lab.network.partition_pair(arguments.host, arguments.other)
    else:
        lab.network.partition(arguments.host)
    return 0


def _heal(arguments: argparse.Namespace) -> int:
    lab = _find(arguments)
    for name in [arguments.host] if arguments.host else options.ALL_HOSTS:
        if lab.host(name).running:
            lab.network.heal(name)
    return 0


def _freeze(arguments: argparse.Namespace) -> int:
    lab = _find(arguments)
    server = (lab.database if arguments.what == "mysqld" else lab.sshd)(arguments.host)
    if arguments.verb == "freeze":
        server.freeze()
    else:
        server.thaw()
    return 0


def _sql(arguments: argparse.Namespace) -> int:
    rows = _find(arguments).sql(arguments.host, arguments.statement)
    if rows:
        print("\t".join(rows[0]))
    for row in rows:
        print("\t".join("NULL" if value is None else str(value) for value in row.values()))
    return 0


def _exec(arguments: argparse.Namespace) -> int:
    command = arguments.command or ["bash", "-l"]
    return subprocess.run(_find(arguments).host(arguments.host).command(command),
                          env=environment(), check=False).returncode


def _ssh(arguments: argparse.Namespace) -> int:
    """As MHA connects: from mgr, as its SSH user."""
    lab = _find(arguments)
    lab.database(arguments.host)
    command = ["ssh", f"{lab.options.ssh_user}@{arguments.host}", *arguments.command]
    return subprocess.run(lab.host("mgr").command(command), env=environment(),
                          check=False).returncode


def _writer(arguments: argparse.Namespace) -> int:
    lab = _find(arguments)
    if arguments.action == "start":
        lab.writer.start()
        return 0
    if arguments.action == "stop":
        lab.writer.stop()
        return 0
    if lab.writer.running():
        raise LabError("the writer still runs: stop it first, or the report would change meanwhile")
    where = lab.vip_holders() if arguments.host is None else [arguments.host]
    if len(where) != 1:
        raise LabError("the virtual IP is not on exactly one host: name the server to compare with")
    print(f"longest gap                  {lab.writer.journal().longest_gap().ms:.0f} ms")
    print(report.writes(lab.write_report(where[0])))
    return 0


def _mail(arguments: argparse.Namespace) -> int:
    print(report.mails(_find(arguments)))
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    logs = _find(arguments).logs()
    if not arguments.name:
        for name, text in logs.items():
            print(f"{name}  {len(text.splitlines())} lines")
        return 0
    if arguments.name not in logs:
        raise LabError(f"no log {arguments.name}: tests/lab/lab logs lists them")
    print(logs[arguments.name], end="")
    return 0


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"KEY=VALUE, not {text!r}")
    return key, value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tests/lab/lab", description="The lab by hand: three database servers under MHA, "
        "as network namespaces. Needs root; changes nothing of the machine.")
    parser.add_argument("--id", default=os.environ.get("MHA_LAB"),
                        help="which lab, where several are up (or environment MHA_LAB)")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)

    def verb(name: str, act: Callable[[argparse.Namespace], int],
             text: str) -> argparse.ArgumentParser:
        made = verbs.add_parser(name, help=text, description=text)
        made.set_defaults(act=act)
        return made

    up = verb("up", _up, "make a lab: db1 is master and has the virtual IP")
    _add_up_options(up)
    verb("down", _down, "end the lab; none is no error")
    verb("list", _list, "the labs that are up")
    verb("status", _status, "each server's state, read_only, source, virtual IP")
    switch = verb("switch", _operation, "online switch by MHA (after --: options for the program)")
    switch.add_argument("new_master", nargs="?", metavar="NEW_MASTER")
    failover = verb("failover", _operation, "failover of a dead master by MHA")
    failover.add_argument("dead", metavar="DEAD_MASTER")
    failover.add_argument("new_master", nargs="?", metavar="NEW_MASTER")
    verb("check", _check, "masterha_check_repl, which asks the hook for its status")
    verb("manager", _manager, "masterha_manager in the background, which fails over by itself")
    for name, action, text in (
            ("kill-mysqld", Lab.kill_mysqld, "SIGKILL for a server"),
            ("start-mysqld", Lab.start_mysqld, "start a server again; it comes up read-only"),
            ("stop-host", Lab.stop_host, "a host loses power"),
            ("start-host", Lab.start_host, "a host boots again, without the virtual IP")):
        verb(name, _server(action), text).add_argument("host")
    partition = verb("partition", _partition, "cut a host off from all others, or from one")
    partition.add_argument("host")
    partition.add_argument("other", nargs="?")
    verb("heal", _heal, "end partitions (of all hosts, or one)").add_argument("host", nargs="?")
    for name, text in (("freeze", "SIGSTOP: connections are accepted, then silence"),
                       ("thaw", "SIGCONT")):
        frozen = verb(name, _freeze, text)
        frozen.add_argument("host")
        frozen.add_argument("what", choices=_FREEZABLE)
    vip = verb("vip", _vip, "who has the virtual IP; or add it to a host, or remove it")
    vip.add_argument("action", nargs="?", choices=("show", "add", "remove"), default="show")
    vip.add_argument("host", nargs="?")
    sql = verb("sql", _sql, "run a statement as root on a server")
    sql.add_argument("host")
    sql.add_argument("statement")
    for name, act, text in (("exec", _exec, "run a command on a host as root (default: a shell)"),
                            ("ssh", _ssh, "SSH from mgr to a db host, as MHA does it")):
        run = verb(name, act, text)
        run.add_argument("host")
        run.add_argument("command", nargs=argparse.REMAINDER)
    writer = verb("writer", _writer, "the client that writes through the virtual IP")
    writer.add_argument("action", choices=("start", "stop", "report"))
    writer.add_argument("host", nargs="?", help="server to compare with (report)")
    verb("mail", _mail, "mails as they came")
    verb("logs", _logs, "names of logs, or one of them").add_argument("name", nargs="?")
    verb("help", lambda _: parser.print_help() or 0, "this text")
    return parser


def _add_up_options(up: argparse.ArgumentParser) -> None:
    default = LabOptions()
    up.add_argument("--server", choices=servers.NAMES, default=default.server,
                    help="what runs on db1 to db3; fetched where it is not installed")
    up.add_argument("--gtid", choices=("on", "off"), default=default.gtid,
                    help="replication by GTID or by binary log position")
    up.add_argument("--family", choices=("v4", "v6"), default=default.family,
                    help="of the virtual IP")
    up.add_argument("--vip", choices=("metal", *cloud.KINDS), default=default.vip_type,
                    help="who moves the virtual IP")
    up.add_argument("--hooks", choices=("ours", "shell"), default=default.hooks)
    up.add_argument("--ssh-user", default=default.ssh_user, help="mha_helper or root")
    up.add_argument("--sudo", choices=("yes", "no"), help="requires_sudo (no for root)")
    up.add_argument("--port", type=int, default=default.port, help="of the servers")
    up.add_argument("--mha-password", default=default.mha_password)
    up.add_argument("--kill-after-timeout", type=int, default=default.kill_after_timeout)
    up.add_argument("--helper", type=_pair, action="append", default=[], metavar="KEY=VALUE",
                    help="a key of /etc/mha-helper's [default]")
    up.add_argument("--mha", type=_pair, action="append", default=[], metavar="KEY=VALUE",
                    help="a key of MHA's [server default]")
    up.add_argument("--record-hooks", action="store_true",
                    help="keep each hook's arguments and times (lab logs mgr/hooks)")
    up.add_argument("--log-ssh-commands", action="store_true",
                    help="keep what SSH ran (lab logs db1/ssh-commands)")


def main() -> int:
    words = sys.argv[1:]
    extra: list[str] = []
    if "--" in words and not {"exec", "ssh"} & set(words[:words.index("--")]):
        at = words.index("--")
        words, extra = words[:at], words[at + 1:]
    parser = _parser()
    arguments = parser.parse_args(words or ["help"])
    arguments.extra = extra
    if arguments.verb != "help" and os.geteuid() != 0:
        print("tests/lab/lab needs root: it makes network namespaces (try sudo)", file=sys.stderr)
        return 1
    try:
        return arguments.act(arguments)
    except (LabError, pymysql.err.Error, OSError) as error:
        print(f"tests/lab/lab {arguments.verb}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
