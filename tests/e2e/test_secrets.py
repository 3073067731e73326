#!/usr/bin/python3
"""Planted passwords are in no process list, environment, log, journal, mail, report or error.

Every way to run the suite, at every log level, and runs that fail by a wrong password. A watcher
looks at all processes all the time; afterwards everything that was written is searched.
"""

import base64
import contextlib
import json
import pathlib
import stat
import subprocess
import sys
import tempfile
import typing
import urllib.parse

import support
from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from support import APPLICATION_CONF, DONE, INCOMPLETE, NOT_UNDONE, UNDONE, Lab

MYSQL = "pl4nt-mysql-'$w0rd"
REPLICATION = "pl4nt-repl-'$w0rd"
SMTP = "pl4nt-smtp-'$w0rd"
AWS = "pl4nt/aws+w0rd"
OPENSTACK = "pl4nt-openstack-'$w0rd"
WRONG = "pl4nt-wrong-'$w0rd"
# What all of them have in common, however a shell or MHA has quoted the rest.
ROOT = "pl4nt"

SMTP_PORT = 2525
LOGIN_MAILS = "/run/lab/login-mail"
WORK_FOLDER = "/var/log/masterha/app1"
PASSWORD_FOLDER = "/etc/mha-passwords"
CREDENTIALS = "/run/lab/home/root/.aws/credentials"
CLOUDS = "/etc/openstack/clouds.yaml"
SCRIPT = "/etc/mha/change.sh"
# MHA tells there what it ran.
MHAS_OWN = ("/manager.log", "/lab-ssh-commands.log")
OURS = ("master_ip_", "master_failover", "mysql_failover", "mysql_online_fa", "mha-ssh-keeper")


def login_file(paths: dict[str, tuple[str, str]]) -> bytes:
    """As mysql_config_editor writes it; a key of zeros is a key."""
    encipher = Cipher(algorithms.AES(bytes(16)), modes.ECB())
    content = bytes(24)
    for name, (user, password) in paths.items():
        for line in (f"[{name}]\n", f'user = "{user}"\n', f'password = "{password}"\n'):
            pad = padding.PKCS7(128).padder()
            encryptor = encipher.encryptor()
            record = encryptor.update(pad.update(line.encode()) + pad.finalize())
            content += len(record).to_bytes(4, "little") + record + encryptor.finalize()
    return content


def spellings(secret: str) -> set[bytes]:
    """The ways in which it could be written down."""
    plain = secret.encode()
    # Base64 depends on what stands before: AUTH PLAIN's user, or nothing.
    encoded = [base64.b64encode(before + plain).rstrip(b"=")[:-1]
               for before in (b"", b"\0mha\0", b"mha:")]
    return {plain, plain.hex().encode(), plain.hex().upper().encode(),
            urllib.parse.quote(secret).encode(), ROOT.encode(), *encoded}


@contextlib.contextmanager
def watching() -> typing.Iterator[dict]:
    """What watch_processes.py tells, once the block has ended."""
    told: dict = {}
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as words:
        words.write(ROOT + "\n")
        words.flush()
        with subprocess.Popen([sys.executable, "-B", str(support.HERE / "watch_processes.py"),
                               words.name], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True) as watcher:
            assert watcher.stdout.readline() == "ready\n"
            try:
                yield told
            finally:
                output, _ = watcher.communicate()
                told.update(json.loads(output))


def is_ours(name: str) -> bool:
    return name.startswith(OURS)


class SecretsTest(support.LabTest):
    maxDiff = None

    # What is searched.

    def written(self, lab: Lab) -> dict[str, bytes]:
        """All that our programs may have written: files, mails, commands over SSH."""
        found = {}
        folders = [lab.path(inside) for inside in
                   (support.STATE_DIR, "/var/log", "/var/tmp", LOGIN_MAILS, "/run/lab/mail")]
        folders += [lab.host(name).folder / part for name in (*support.DATABASE_HOSTS, "mgr")
                    for part in ("log", "tmp", "run")]
        for folder in folders:
            for path in folder.rglob("*") if folder.exists() else ():
                if path.is_file() and not path.is_symlink() and "mysql" not in path.parts:
                    found[str(path)] = path.read_bytes()
        return found

    def assert_nothing_told(self, lab: Lab, *secrets: str, allowed: tuple[str, ...] = ()) -> None:
        texts = self.written(lab)
        self.assertTrue(any(".journal" in name for name in texts), "a run's journal is among them")
        for number, outcome in enumerate(self.ran):
            texts[f"output of run {number}"] = "".join(
                line.text + "\n" for line in outcome.lines if not line.from_log).encode()
        for name, text in texts.items():
            if name.endswith(allowed or ("\0",)):
                continue
            for secret in secrets:
                for spelling in spellings(secret):
                    at = text.find(spelling)
                    around = text[max(0, at - 300):at + 20] if at >= 0 else b""
                    self.assertEqual(at, -1, f"{spelling!r} in {name}: {around!r}")

    def assert_no_process_had_it(self, seen: dict) -> None:
        self.assertGreater(seen["processes"], 20)
        self.assertTrue(any(map(is_ours, seen["names"])), seen["names"])
        self.assertEqual(seen["found"], [])

    def assert_private(self, lab: Lab) -> None:
        """Journals, logs and spool: nobody else's, however open the umask was."""
        runs = lab.path(WORK_FOLDER + "/app1.runs")
        self.assertTrue(list(runs.glob("*.journal")))
        for folder in (lab.path(support.STATE_DIR), runs):
            for path in (folder, *folder.rglob("*")):
                mode = stat.S_IMODE(path.lstat().st_mode)
                self.assertEqual(mode, 0o700 if path.is_dir() else 0o600, path)
        for path in lab.path(WORK_FOLDER).rglob("*"):
            self.assertEqual(stat.S_IMODE(path.lstat().st_mode) & 0o022, 0, path)

    # Operations.

    def command(self, lab: Lab, program: str, *arguments: str,
                environment: dict[str, str] | None = None) -> support.Outcome:
        """By somebody whose umask hides nothing."""
        return self.run_on_mgr(lab, ["sh", "-c", 'umask 0; exec "$@"', "sh",
                                     lab.mha.program(program), *arguments],
                               extra_environment=environment)

    def native_switch(self, lab: Lab, new: str, *more: str, **how) -> support.Outcome:
        return self.command(lab, "mysql_online_failover", "-c", APPLICATION_CONF,
                            f"--new_master_host={new}", *more, **how)

    def native_failover(self, lab: Lab, dead: str, *more: str, **how) -> support.Outcome:
        return self.command(lab, "mysql_failover", "-c", APPLICATION_CONF, "-d", dead, *more, **how)

    def write_password(self, lab: Lab, name: str, text: str | bytes) -> str:
        path = f"{PASSWORD_FOLDER}/{name}"
        lab.mha.write(path, text if isinstance(text, bytes) else text + "\n", 0o600)
        return path

    def start_mail_server(self, lab: Lab) -> None:
        """One more, which wants a login and takes the right one only."""
        lab.path(LOGIN_MAILS).mkdir()
        lab.host("mgr").start_in_background(
            ["/usr/bin/python3", "-B", str(support.options.LAB_FOLDER / "halab/sink_server.py"),
             LOGIN_MAILS, f"--port={SMTP_PORT}",
             f"--password_file={self.write_password(lab, 'mail-server', SMTP)}"], "login-sink.log")
        waiting = support.Eventually()
        while not (lab.path(LOGIN_MAILS) / "ready").exists():
            self.assertFalse(waiting.over())

    def login_mails(self, lab: Lab) -> list[pathlib.Path]:
        return sorted(lab.path(LOGIN_MAILS).glob("*.eml"))

    def lab_with_password_files(self, **more) -> Lab:
        """MHA's configuration has no password: ours names a login path and files."""
        lab = self.make_lab(
            mha_password=MYSQL, replication_password=REPLICATION, log_ssh_commands=True,
            mha_conf={"password": None, "repl_password": None},
            helper_conf={"mysql_login_path": "mha", "mysql_login_file": f"{PASSWORD_FOLDER}/login",
                         "repl_password_file": f"{PASSWORD_FOLDER}/repl",
                         "smtp_host": f"127.0.0.1:{SMTP_PORT}", "smtp_user": "mha",
                         "smtp_password_file": f"{PASSWORD_FOLDER}/smtp", **more})
        self.write_password(lab, "login", login_file({"mha": ("mha", MYSQL)}))
        self.write_password(lab, "repl", REPLICATION)
        self.write_password(lab, "smtp", SMTP)
        self.start_mail_server(lab)
        return lab

    # The runs.

    def test_our_engine_with_passwords_from_files(self):
        lab = self.lab_with_password_files()
        with watching() as seen:
            for new, more in (("db2", ("--verbose",)), ("db1", ("--format=json", "--verbose"))):
                lab.wait_until_replicating()
                self.assert_status(self.native_switch(lab, new, "--check", *more), DONE)
                self.assert_status(self.native_switch(lab, new, "--dry_run", *more), DONE)
                self.assert_status(self.native_switch(lab, new, *more), DONE)
                self.assert_only_master(lab, new)
            self.assert_replicate_from(lab, "db1", "db2", "db3")
            lab.kill_mysqld("db1")
            self.assert_status(self.native_failover(lab, "db1", "--check", "--verbose"), DONE)
            self.assert_status(self.native_failover(lab, "db1", "--verbose"), DONE)
            self.assert_only_master(lab, "db2")
            self.assert_status(self.native_failover(lab, "db1", "--history", "--format=json"), DONE)
        self.assertEqual(len(self.login_mails(lab)), 1, "the report was sent with the password")
        self.assert_private(lab)
        self.assert_no_process_had_it(seen)
        self.assert_nothing_told(lab, MYSQL, REPLICATION, SMTP)

    def test_wrong_passwords(self):
        lab = self.lab_with_password_files(mysql_login_path=None, repl_password_file=None,
                                           operation_timeout="10")
        wrong = {"MHA_HELPER_MYSQL_PASSWORD": WRONG, "MHA_HELPER_REPL_PASSWORD": WRONG}
        half = {"MHA_HELPER_MYSQL_PASSWORD": MYSQL, "MHA_HELPER_REPL_PASSWORD": WRONG}
        with watching() as seen:
            for more in (("--verbose",), ("--format=json",), ("--check",)):
                for outcome in (self.native_switch(lab, "db2", *more, environment=wrong),
                                self.native_failover(lab, "db1", *more, environment=wrong)):
                    self.assert_status(outcome, UNDONE)
                    self.assertIn("Access denied", outcome.output)
            # The old master cannot follow: done, but incomplete.
            outcome = self.native_switch(lab, "db2", "--verbose", environment=half)
            self.assertIn(outcome.status, (INCOMPLETE, UNDONE), outcome.output)
            self.write_password(lab, "smtp", WRONG)
            outcome = self.command(lab, "master_failover_report", "--orig_master_host=db1",
                                   f"--conf={APPLICATION_CONF}", "--subject=s", "--body=b",
                                   "--verbose", environment=wrong)
            self.assert_status(outcome, INCOMPLETE)
            self.assertIn("spool", outcome.output)
        self.assertTrue(seen["found"], "the variables are seen where the test hands them over")
        # Not of the programs by which the test enters the lab.
        self.assertEqual([one for one in seen["found"]
                          if one["where"] == "cmdline" or is_ours(one["parent"])
                          or is_ours(one["name"]) and one["stayed"]], [])
        self.assertEqual(self.login_mails(lab), [])
        self.assert_nothing_told(lab, MYSQL, REPLICATION, SMTP, WRONG)

    def test_a_file_that_others_can_read_is_refused(self):
        lab = self.lab_with_password_files()
        for name in ("login", "repl"):
            path = f"{PASSWORD_FOLDER}/{name}"
            lab.path(path).chmod(0o644)
            outcome = self.native_switch(lab, "db2", "--check")
            self.assert_status(outcome, 3)
            self.assertIn(f"chmod 600 {path}", outcome.output)
            lab.path(path).chmod(0o600)
        self.assert_status(self.native_switch(lab, "db2", "--check"), DONE)

    def test_hooks_under_mha(self):
        """MHA passes the password to our hooks on their command line; from there on it is quiet."""
        # MHA does not quote this one in its own statement.
        replication = REPLICATION.replace("'", "")
        lab = self.make_lab(mha_password=MYSQL, replication_password=replication,
                            log_ssh_commands=True)
        with watching() as seen:
            self.assert_status(self.switch(lab, "--engine=mha", "--verbose"), DONE)
            lab.wait_until_replicating()
            self.run_on_mgr(lab, ["masterha_check_repl", f"--conf={APPLICATION_CONF}"])
            lab.kill_mysqld("db2")
            self.assert_status(self.failover(lab, "db2", "--engine=mha", "--ignore_last_failover"),
                               DONE)
        self.assertTrue([one for one in seen["found"] if one["name"] == "sh"],
                        "MHA's own shells show it: the watcher sees what there is")
        hooks = [one for one in seen["found"] if is_ours(one["name"])]
        self.assertEqual([one for one in hooks if one["stayed"] or one["where"] != "cmdline"], [],
                         "a hook's command line is wiped as soon as it runs")
        self.assertEqual([one for one in seen["found"]
                          if is_ours(one["parent"]) and not one["name"].startswith("masterha")], [],
                         "what a hook starts")
        # MHA's log and the commands of MHA's own are MHA's.
        self.assert_nothing_told(lab, MYSQL, replication, allowed=MHAS_OWN)

    def test_a_hook_by_hand_with_a_wrong_password(self):
        lab = self.make_lab(mha_password=MYSQL, replication_password=REPLICATION)
        self.assert_status(self.native_switch(lab, "db2", "--engine=native"), DONE)
        masters = [f"--{which}_master_{name}={value}"
                   for which, host in (("orig", "db2"), ("new", "db1"))
                   for name, value in (("host", host), ("user", "mha"), ("password", WRONG),
                                       ("ssh_user", "mha_helper"))]
        for program, command in (("master_ip_online_failover_helper", "stop"),
                                 ("master_ip_online_failover_helper", "start"),
                                 ("master_ip_hard_failover_helper", "start")):
            outcome = self.command(lab, program, f"--command={command}", "--verbose", *masters)
            self.assertIn(outcome.status, (UNDONE, NOT_UNDONE), outcome.output)
            self.assertIn("Access denied", outcome.output)
        self.assert_nothing_told(lab, MYSQL, REPLICATION, WRONG)

    def test_only_a_script_of_others_gets_it(self):
        """MHA's contract: its scripts get the password as an option. Nothing else does."""
        lab = self.make_lab(mha_password=MYSQL, replication_password=REPLICATION,
                            mha_conf={"master_ip_online_change_script": SCRIPT})
        lab.mha.write(SCRIPT, "#!/bin/sh\nsleep 0.3\nulimit -c\nexit 0\n", 0o755)
        with watching() as seen:
            outcome = self.native_switch(lab, "db2", "--verbose")
            self.assert_status(outcome, DONE)
        self.assertTrue(seen["found"])
        for one in seen["found"]:
            self.assertEqual(one["where"], "cmdline", one)
            self.assertIn(SCRIPT, one["begin"], one)
        self.assertIn("\n0\n", outcome.output, "the script leaves no core file either")
        self.assert_nothing_told(lab, MYSQL, REPLICATION)

    def test_keys_of_a_cloud(self):
        """Wrong ones of the environment, and the right ones of the file."""
        lab = self.make_lab(mha_password=MYSQL, replication_password=REPLICATION, vip_type="aws")
        wrong = {"AWS_ACCESS_KEY_ID": "AKIAPLANTED", "AWS_SECRET_ACCESS_KEY": AWS,
                 "AWS_SESSION_TOKEN": AWS}
        with watching() as seen:
            for more in ("--verbose", "--format=json"):
                outcome = self.native_switch(lab, "db2", more, environment=wrong)
                self.assert_status(outcome, UNDONE)
                self.assertIn("AuthFailure", outcome.output)
            self.assert_status(self.native_switch(lab, "db2", "--verbose"), DONE)
        self.assertEqual([one for one in seen["found"] if one["where"] == "cmdline"], [])
        keys = lab.path(CREDENTIALS).read_text("utf-8")
        secret = keys.partition("aws_secret_access_key = ")[2].split()[0]
        self.assertGreater(len(secret), 20)
        self.assert_nothing_told(lab, MYSQL, REPLICATION, AWS, secret, allowed=("/cloud.log",))

    def test_secret_of_an_openstack_cloud(self):
        """A wrong one, by which Keystone lets nobody in, and the right one."""
        lab = self.make_lab(mha_password=MYSQL, replication_password=REPLICATION,
                            vip_type="openstack", cloud_mode="fixed_ip")
        clouds = json.loads(lab.path(CLOUDS).read_text("utf-8"))
        login = clouds["clouds"]["fixed_ip"]["auth"]
        right = login["application_credential_secret"]
        self.assertGreater(len(right), 8)
        with watching() as seen:
            login["application_credential_secret"] = OPENSTACK
            lab.mha.write(CLOUDS, json.dumps(clouds), 0o600)
            for more in ("--verbose", "--format=json", "--check"):
                outcome = self.native_switch(lab, "db2", more)
                self.assert_status(outcome, UNDONE)
                self.assertIn("401", outcome.output)
            login["application_credential_secret"] = right
            lab.mha.write(CLOUDS, json.dumps(clouds), 0o600)
            self.assert_status(self.native_switch(lab, "db2", "--verbose"), DONE)
        self.assertEqual([one for one in seen["found"] if one["where"] == "cmdline"], [])
        # The cloud itself tells there which secrets it has made.
        self.assert_nothing_told(lab, MYSQL, REPLICATION, OPENSTACK, right, allowed=("/cloud.log",))


if __name__ == "__main__":
    support.main()
