#!/usr/bin/python3
"""What each program says to bad input: one clear line, the right exit code, and nothing is changed.

Needs no lab and no root.
"""

import contextlib
import email
import json
import os
import pathlib
import pwd
import re
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import aiosmtpd.controller

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("MHA_LAB_PROGRAMS", PROJECT / "build" / "release" / "bin"))

ONLINE = "master_ip_online_failover_helper"
HARD = "master_ip_hard_failover_helper"
REPORT = "master_failover_report"
SWITCH = "mysql_online_failover"
FAILOVER = "mysql_failover"
ALL = (ONLINE, HARD, REPORT, SWITCH, FAILOVER)

USAGE = 2
CONFIG = 3
INCOMPLETE = 10
UNDONE = 20

MHA_CONF = """\
[server default]
user=mha
password=mha-secret
ssh_user=mha_helper
manager_workdir=/nonexistent
[server1]
hostname=db1
ip=127.0.0.1
port={port}
[server2]
hostname=db2
ip=127.0.0.2
port={port}
"""
# Nobody listens there: a connection is refused at once.
NOBODY = "1"
HELPER_CONF = f"""\
[default]
vip_type=none
report_email=dba@example.com
smtp_host=127.0.0.1:{NOBODY}
[db1]
[db2]
"""
# The longest argument that Linux passes on (MAX_ARG_STRLEN, 32 pages): a body of 1 MB cannot come
# whole, so it comes to this.
LONGEST_ARGUMENT = 32 * 4096 - 1


def masters(**changed: str) -> list[str]:
    """The options of both masters, as MHA passes them."""
    values = {"orig_master_host": "db1", "orig_master_ip": "127.0.0.1",
              "orig_master_port": NOBODY, "orig_master_user": "mha",
              "orig_master_password": "mha-secret", "new_master_host": "db2",
              "new_master_ip": "127.0.0.2", "new_master_port": NOBODY, "new_master_user": "mha",
              "new_master_password": "mha-secret", **changed}
    return [f"--{name}={value}" for name, value in values.items()]


@contextlib.contextmanager
def mail_server():
    """A mail server on loopback: its port, and the subjects of what it has taken."""
    subjects: list[str] = []

    class Handler:  # pylint: disable=too-few-public-methods
        async def handle_DATA(self, _server, _session, envelope):  # pylint: disable=invalid-name
            subjects.append(email.message_from_bytes(envelope.content)["Subject"])
            return "250 OK"

    controller = aiosmtpd.controller.Controller(Handler(), hostname="127.0.0.1", port=0)
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        controller.port = free.getsockname()[1]
    controller.start()
    try:
        yield controller.port, subjects
    finally:
        controller.stop()


class BadInputTest(unittest.TestCase):
    maxDiff = None

    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.folder.chmod(0o755)
        self.config = self.folder / "mha-helper"
        self.state = self.folder / "state"
        self.config.mkdir()
        self.write("mha-helper/app1.conf", HELPER_CONF)
        self.conf = self.write("app1.cnf", MHA_CONF.format(port=NOBODY))

    def write(self, name: str, content: str | bytes) -> pathlib.Path:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if name.endswith(".cnf"):
            path.chmod(0o600)  # it has a password in it
        return path

    def run_program(self, program: str, *arguments: str,
                    more_environment: dict[str, str] | None = None,
                    **options) -> subprocess.CompletedProcess:
        # masterha_master_switch must not be found: where a check is missing, that shows.
        environment = {"PATH": "/nonexistent", "HOME": str(self.folder), "LANG": "C.UTF-8",
                       "MHA_HELPER_CONFIG_DIR": str(self.config),
                       "MHA_HELPER_STATE_DIR": str(self.state), **(more_environment or {})}
        return subprocess.run([PROGRAMS / program, *arguments], env=environment, timeout=60,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, **options)

    def assert_refused(self, status: int, words: tuple[str, ...], program: str, *arguments: str,
                       **options) -> None:
        before = self.files()
        done = self.run_program(program, *arguments, **options)
        told = f"{program} {arguments}: exit {done.returncode}\n{done.stdout}{done.stderr[:2000]}"
        self.assertEqual(done.returncode, status, told)
        self.assertEqual(done.stderr.count("\n"), 1, told)
        self.assertLess(len(done.stderr), 600, told)
        self.assertTrue(done.stderr.isprintable() or done.stderr[:-1].isprintable(), told)
        self.assertNotIn("mha-secret", done.stdout + done.stderr)
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(self.files(), before, "nothing is written")

    def files(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.folder.rglob("*")
                if path.is_file() and os.access(path, os.R_OK)}

    # The command line.

    def test_help_and_version(self):
        for program in ALL:
            with self.subTest(program):
                self.assertEqual(self.run_program(program, "--version").returncode, 0)
                told = self.run_program(program, "--help")
                self.assertEqual((told.returncode, told.stderr), (0, ""))
                self.assertIn("Exit codes", told.stdout)
                self.assertIn("--config_dir", told.stdout)

    def test_no_arguments(self):
        wanted = {ONLINE: "--command", HARD: "--command", REPORT: "--orig_master_host",
                  SWITCH: "-c CONF", FAILOVER: "-c CONF"}
        for program in ALL:
            with self.subTest(program):
                self.assert_refused(USAGE, (wanted[program],), program)

    def test_unknown_command(self):
        self.assert_refused(USAGE, ("frobnicate", "stop or start"), ONLINE,
                            "--command=frobnicate", *masters())
        self.assert_refused(USAGE, ("status", "stopssh"), HARD, "--command=Stop", *masters())
        self.assert_refused(USAGE, ("--command is required",), ONLINE, "--command=", *masters())

    def test_unknown_option_of_a_command_for_people(self):
        self.assert_refused(USAGE, ("--ignore_fialover",), SWITCH, "-c", str(self.conf),
                            "--ignore_fialover")
        self.assert_refused(USAGE, ("surplus",), FAILOVER, "-c", str(self.conf), "-d", "db1",
                            "surplus")

    def test_unknown_option_of_a_hook_is_a_warning(self):
        """Other MHA versions pass others. Its value may be a password: it is not shown."""
        done = self.run_program(HARD, "--command=stopssh", "--next_mha_secret=hush",
                                "--new-thing", "hush", *masters())
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("[warning]", done.stderr)
        self.assertIn("--next_mha_secret", done.stderr)
        self.assertNotIn("hush", done.stdout + done.stderr)

    def test_missing_host(self):
        self.assert_refused(USAGE, ("--orig_master_host",), ONLINE, "--command=stop")
        self.assert_refused(USAGE, ("--new_master_host",), ONLINE, "--command=stop",
                            "--orig_master_host=db1")
        self.assert_refused(USAGE, ("--new_master_host",), HARD, "--command=start",
                            "--orig_master_host=db1")
        self.assert_refused(USAGE, ("-d HOST",), FAILOVER, "-c", str(self.conf))

    def test_port_out_of_range(self):
        for port in ("0", "65536", "-1", "3306x", "99999999999999999999"):
            with self.subTest(port):
                self.assert_refused(USAGE, ("orig_master_port", "65535"), ONLINE,
                                    "--command=stop", *masters(orig_master_port=port))
                self.assert_refused(USAGE, ("new_master_port", "65535"), HARD,
                                    "--command=start", *masters(new_master_port=port))
                self.assert_refused(USAGE, ("65535",), FAILOVER, "-c", str(self.conf), "-d",
                                    f"db1:{port}")
                self.assert_refused(USAGE, ("new_master_port", "65535"), SWITCH, "-c",
                                    str(self.conf), f"--new_master_port={port}")

    def test_port_out_of_range_in_the_conf(self):
        conf = self.write("bad.cnf", MHA_CONF.format(port="65536"))
        for program, more in ((SWITCH, ()), (FAILOVER, ("-d", "db1"))):
            self.assert_refused(CONFIG, ("bad.cnf", "port", "65536"), program, "-c", str(conf),
                                *more)

    def test_dead_host_that_the_conf_does_not_have(self):
        self.assert_refused(CONFIG, ("db9", "app1.cnf"), FAILOVER, "-c", str(self.conf),
                            "-d", "db9")
        self.assert_refused(CONFIG, ("db9", "app1.cnf"), FAILOVER, "-c", str(self.conf),
                            "-d", "db9", "--engine=mha")
        told = self.run_program(FAILOVER, "-c", str(self.conf), "-d", "db9", "--format=json")
        self.assertEqual(json.loads(told.stdout)["exit_code"], CONFIG)

    # What MHA's configuration says. Both engines read it alike.

    def both_programs(self, conf: pathlib.Path) -> list[tuple[str, ...]]:
        return [(SWITCH, "--engine=native", "-c", str(conf)), (SWITCH, "-c", str(conf)),
                (FAILOVER, "-c", str(conf), "-d", "db1")]

    def test_unknown_key_is_named_with_its_line(self):
        """MHA croaks at one; so do we."""
        conf = self.write("typo.cnf", MHA_CONF.format(port=NOBODY).replace(
            "[server2]", "candidate_mastr=1\n[server2]"))
        for call in self.both_programs(conf):
            self.assert_refused(CONFIG, ("typo.cnf:10", "candidate_mastr", "candidate_master'"),
                                *call)

    def test_the_same_host_twice(self):
        conf = self.write("twice.cnf", MHA_CONF.format(port=NOBODY).replace(
            "hostname=db2\nip=127.0.0.2", "hostname=db1\nip=127.0.0.1"))
        for call in self.both_programs(conf):
            self.assert_refused(CONFIG, ("twice.cnf", "[server2]", "[server1]", "same server"),
                                *call)

    def test_no_server(self):
        conf = self.write("none.cnf", MHA_CONF.format(port=NOBODY).partition("[server1]")[0])
        for call in self.both_programs(conf):
            self.assert_refused(CONFIG, ("none.cnf", "names no server"), *call)

    def test_hosts_that_do_not_resolve(self):
        """Said before anything is asked of anybody; all of them at once."""
        conf = self.write("names.cnf", re.sub(r"ip=.*\n", "", MHA_CONF.format(port=NOBODY))
                          .replace("=db1", "=db1.invalid").replace("=db2", "=db2.invalid"))
        self.assert_refused(CONFIG, ("names.cnf", "no address is found for db1.invalid, db2.invalid"),
                            SWITCH, "--engine=native", "-c", str(conf))

    def test_servers_that_the_native_engine_does_not_reach(self):
        before = self.files()
        done = self.run_program(SWITCH, "--engine=native", "-c", str(self.conf))
        self.assertEqual(done.returncode, UNDONE, done.stderr)
        errors = [line for line in done.stderr.splitlines() if "[error]" in line]
        self.assertEqual(len(errors), 1, done.stderr)
        for words in ("no master", "db1:1 is unreachable", "db2:1 is unreachable"):
            self.assertIn(words, errors[0])
        self.assertEqual(self.files(), before, "nothing is written")

    def test_script_of_others_that_cannot_be_run(self):
        script = self.write("change.sh", "#!/bin/sh\n")
        conf = self.write("script.cnf", MHA_CONF.format(port=NOBODY).replace(
            "[server1]", f"master_ip_online_change_script={script} --x\n[server1]"))
        self.assert_refused(CONFIG, ("script.cnf", "master_ip_online_change_script", str(script),
                                     "ermission denied"), SWITCH, "--engine=native", "-c",
                            str(conf))

    def test_options_of_the_native_engine(self):
        native = ("--engine=native", "-c", str(self.conf))
        self.assert_refused(USAGE, ("--format=xml", "text or json"), SWITCH, *native,
                            "--format=xml")
        self.assert_refused(USAGE, ("--resume", "--rollback"), SWITCH, *native, "--resume",
                            "--rollback")
        self.assert_refused(UNDONE, ("no unfinished switch",), SWITCH, *native, "--rollback")
        self.assert_refused(USAGE, ("db9", "no such server"), SWITCH, *native,
                            "--new_master_host=db9")

    def test_refusal_as_json(self):
        """Who asked for a document gets one, also where no host was looked at."""
        told = self.run_program(SWITCH, "--new_master_host=db9", "--engine=native", "-c",
                                str(self.conf), "--format=json")
        self.assertEqual(told.returncode, USAGE, told.stderr)
        document = json.loads(told.stdout)
        self.assertEqual(document["exit_code"], USAGE)
        self.assertIn("db9", document["error"])

    def test_history(self):
        for program in (SWITCH, FAILOVER):
            told = self.run_program(program, "--history", "-c", str(self.conf))
            self.assertEqual((told.returncode, told.stderr), (0, ""))
            self.assertIn("no past runs of app1", told.stdout)
            told = self.run_program(program, "--history", "-c", str(self.conf), "--format=json")
            self.assertEqual((told.returncode, json.loads(told.stdout)), (0, {"runs": []}))
            self.assert_refused(USAGE, ("-c CONF",), program, "--history")
            self.assert_refused(CONFIG, ("missing.cnf",), program, "--history", "-c",
                                str(self.folder / "missing.cnf"))

    # Files.

    def test_missing_conf(self):
        missing = str(self.folder / "missing.cnf")
        self.assert_refused(CONFIG, (missing,), SWITCH, "-c", missing)
        self.assert_refused(CONFIG, (missing,), FAILOVER, "-c", missing, "-d", "db1")

    def test_missing_folder_of_our_own(self):
        missing = str(self.folder / "missing")
        for program, arguments in self.calls():
            with self.subTest(program):
                self.assert_refused(CONFIG, (missing,), program, *arguments,
                                    f"--config_dir={missing}")

    def test_unreadable_conf(self):
        """As somebody who may not read it; root may read everything."""
        as_nobody = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            as_nobody = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        self.conf.chmod(0)
        self.assert_refused(CONFIG, (str(self.conf), "ermission denied"), SWITCH, "-c",
                            str(self.conf), **as_nobody)
        (self.config / "app1.conf").chmod(0)
        for program in (ONLINE, HARD):
            self.assert_refused(CONFIG, ("app1.conf", "ermission denied"), program,
                                "--command=stop", *masters(), **as_nobody)
        self.config.chmod(0)
        self.assert_refused(CONFIG, (str(self.config), "ermission denied"), REPORT,
                            "--orig_master_host=db1", **as_nobody)
        self.config.chmod(0o755)

    def test_conf_with_a_password_that_everybody_can_read(self):
        """MHA takes it, so it is a warning; with the command that mends it."""
        self.conf.chmod(0o644)
        for program, more in ((SWITCH, ()), (FAILOVER, ("-d", "db1"))):
            done = self.run_program(program, "--engine=native", "-c", str(self.conf), *more)
            self.assertEqual(done.returncode, UNDONE, done.stderr)
            warning = f"[warning] {self.conf} has a password in it and can be read by everybody: "
            self.assertIn(warning + f"chmod o-r {self.conf}", done.stderr)
        self.conf.chmod(0o640)
        done = self.run_program(SWITCH, "--engine=native", "-c", str(self.conf))
        self.assertNotIn("read by everybody", done.stderr)

    def test_folder_as_conf(self):
        self.assert_refused(CONFIG, (str(self.folder),), SWITCH, "-c", str(self.folder))

    def test_binary_file_as_conf(self):
        binary = PROGRAMS / SWITCH
        self.assert_refused(CONFIG, (str(binary),), SWITCH, "-c", str(binary))
        noise = bytes(range(256)) * 64
        conf = self.write("noise.cnf", noise)
        self.assert_refused(CONFIG, ("noise.cnf",), FAILOVER, "-c", str(conf), "-d", "db1")
        self.write("mha-helper/app1.conf", noise)
        for program, arguments in self.calls():
            with self.subTest(program):
                self.assert_refused(CONFIG, ("app1.conf",), program, *arguments)

    def calls(self) -> list[tuple[str, tuple[str, ...]]]:
        """One call of each program that reads our own configuration."""
        return [(ONLINE, ("--command=stop", *masters())),
                (HARD, ("--command=stopssh", *masters())),
                (REPORT, ("--orig_master_host=db1", "--subject=s", "--body=b"))]

    def test_bad_file_of_another_cluster_does_not_matter(self):
        self.write("mha-helper/other.conf", bytes(range(256)))
        done = self.run_program(HARD, "--command=stopssh", *masters())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_host_in_no_section(self):
        """One file: its [default], and a warning. Several: an error that names them."""
        elsewhere = masters(orig_master_host="db7")
        done = self.run_program(HARD, "--command=stopssh", *elsewhere)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"\[warning\] host db7 has no section in .*app1\.conf")
        self.write("mha-helper/app2.conf", "[default]\nvip_type=none\n[db8]\n")
        self.assert_refused(CONFIG, ("db7", "app1.conf", "app2.conf"), HARD,
                            "--command=status", *elsewhere)

    def test_options_of_aws(self):
        """What a mode lacks, and ids of the wrong form: file, section and key, before any call."""
        route = "vip_type=aws\naws_mode=route\nwriter_vip_cidr=192.168.77.10/32\ncluster_interface=e0\n"
        for text, words in ((route, ("[db1] aws_route_table_ids", "aws_mode = route needs it")),
                            (route + "aws_route_table_ids=rtb-1\n",
                             ("[default] aws_route_table_ids", "'rtb-1'")),
                            ("vip_type=aws\naws_mode=eip\n",
                             ("[db1] aws_allocation_id", "aws_mode = eip needs it")),
                            ("vip_type=aws\naws_region=Ireland\n",
                             ("[default] aws_region", "like eu-west-1"))):
            self.write("mha-helper/app1.conf", f"[default]\n{text}[db1]\n[db2]\n")
            self.assert_refused(CONFIG, ("app1.conf", *words), HARD, "--command=status", *masters())

    def test_options_of_openstack(self):
        """What a mode lacks, and ids of the wrong form: file, section and key, before any call."""
        pair = "vip_type=openstack\nwriter_vip_cidr=10.0.1.100/24\n"
        for text, words in ((pair, ("[db1] cluster_interface", "openstack_mode = address_pair needs it")),
                            (pair + "openstack_mode=vrrp\n", ("[default] openstack_mode", "'vrrp'")),
                            (pair + "openstack_port_id=db1\n",
                             ("[default] openstack_port_id", "'db1' is not an id")),
                            ("vip_type=openstack\nopenstack_mode=floating_ip\n",
                             ("[db1] openstack_floating_ip_id", "needs it"))):
            self.write("mha-helper/app1.conf", f"[default]\n{text}[db1]\n[db2]\n")
            self.assert_refused(CONFIG, ("app1.conf", *words), HARD, "--command=status", *masters())

    def test_login_of_aws_that_is_not_there(self):
        """Profile, keys and region are looked for in files at load: nobody is asked."""
        route = ("vip_type=aws\naws_mode=route\nwriter_vip_cidr=192.168.77.10/32\n"
                 "cluster_interface=e0\naws_route_table_ids=rtb-01234567\n")
        (self.folder / ".aws").mkdir()
        self.write(".aws/credentials", "[dba]\naws_access_key_id=AKIA\naws_secret_access_key=s\n")
        for text, more, words in (
                ("aws_profile=ops\naws_region=eu-west-1\n", {}, ("[db1] aws_profile", "'ops'")),
                ("aws_profile=dba\n", {"AWS_EC2_METADATA_DISABLED": "true"},
                 ("[db1] aws_region", "set aws_region")),
                ("aws_profile=dba\n", {"AWS_REGION": "Ireland"}, ("[db1] aws_region", "'Ireland'"))):
            self.write("mha-helper/app1.conf", f"[default]\n{route}{text}[db1]\n[db2]\n")
            for program, command in ((HARD, "status"), (ONLINE, "stop")):
                self.assert_refused(CONFIG, ("app1.conf: ", *words), program,
                                    f"--command={command}", *masters(), more_environment=more)

    def test_cloud_of_openstack_that_is_not_there(self):
        """clouds.yaml is read at load, before anything is asked of anybody."""
        self.write("mha-helper/app1.conf", "[default]\nvip_type=openstack\nopenstack_mode=floating_ip\n"
                   "writer_vip_cidr=203.0.113.10/32\nopenstack_cloud=prod\n[db1]\n[db2]\n")
        status = ("--command=status", *masters())
        self.assert_refused(CONFIG, ("app1.conf: [db1] openstack_cloud: the cloud 'prod'",
                                     "clouds.yaml"), HARD, *status)
        (self.folder / ".config" / "openstack").mkdir(parents=True)
        self.write(".config/openstack/clouds.yaml", "clouds: {test: {}, dev: {}}\n")
        self.assert_refused(CONFIG, ("openstack_cloud", "which has: test, dev"), HARD, *status)
        self.assert_refused(CONFIG, ("openstack_cloud", "which has: test, dev"), ONLINE,
                            "--command=stop", *masters())
        self.write(".config/openstack/clouds.yaml", "clouds: {prod: {profile: big}}\n")
        self.assert_refused(CONFIG, ("clouds.yaml", "profile", "not supported"), HARD, *status)

    # What cannot be reached.

    def test_servers_that_nobody_runs(self):
        """Both masters are tried at once, so there may be a line about each."""
        begin = time.monotonic()
        before = self.files()
        done = self.run_program(ONLINE, "--command=stop", *masters())
        self.assertEqual(done.returncode, UNDONE)
        self.assertLessEqual(done.stderr.count("\n"), 2)
        self.assertIn("127.0.0.1:1", done.stderr)
        self.assertIn("nothing was changed", done.stderr)
        self.assertEqual(self.files(), before)
        self.assertLess(time.monotonic() - begin, 20)

    @unittest.skipIf("UNDER_VALGRIND" in os.environ, "it makes a fork of posix_spawn's vfork: there "
                     "the child cannot tell that no such program is there")
    def test_mha_is_not_installed(self):
        self.assert_refused(CONFIG, ("masterha_master_switch",), SWITCH, "--engine=mha", "-c",
                            str(self.conf))

    # The report.

    def test_long_report(self):
        """As long as Linux lets an argument be; the mail server is down, so it is kept whole."""
        begin = "--body="
        lines = "".join(f"line {number}: ünïcödé\n" for number in range(100_000)).encode()
        body = lines[:LONGEST_ARGUMENT - len(begin)].decode(errors="ignore")
        done = self.run_program(REPORT, "--orig_master_host=db1", "--subject=s", begin + body)
        self.assertEqual(done.returncode, INCOMPLETE, done.stderr)
        self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
        self.assertLess(len(done.stderr), 600)
        self.assertEqual(self.state.stat().st_mode & 0o777, 0o700)
        kept = list((self.state / "spool").iterdir())
        self.assertEqual(len(kept), 1)
        self.assertIn(kept[0].name, done.stderr)
        self.assertEqual(kept[0].stat().st_mode & 0o777, 0o600)
        self.assertIn(body, json.loads(kept[0].read_text("utf-8"))["body"])

    def test_a_spooled_report_goes_with_the_next_one(self):
        self.run_program(REPORT, "--orig_master_host=db1", "--subject=first", "--body=b")
        with mail_server() as (port, subjects):
            self.write("mha-helper/app1.conf", HELPER_CONF.replace(
                f"smtp_host=127.0.0.1:{NOBODY}", f"smtp_host=127.0.0.1:{port}"))
            done = self.run_program(REPORT, "--orig_master_host=db1", "--subject=second",
                                    "--body=b")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("1 earlier report", done.stdout)
            self.assertEqual(subjects, ["second", "first"])
        self.assertFalse([path for path in (self.state / "spool").iterdir()
                          if path.name.endswith(".json")])

    def test_bytes_that_are_not_utf8(self):
        done = self.run_program(REPORT, "--orig_master_host=db1", b"--subject=caf\xe9\r\nBcc: x",
                                b"--body=\xff\xfe\x01")
        self.assertEqual(done.returncode, INCOMPLETE, done.stderr)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
