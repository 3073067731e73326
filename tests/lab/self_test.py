#!/usr/bin/python3
"""The lab's own test: does each fault do what its name says, and is nothing left behind?

It uses the real MHA with the shell hooks, so it needs nothing built. usage: sudo ./self_test.py
"""

import os
import pathlib
import subprocess
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# pylint: disable=wrong-import-position
from halab import options
from halab.errors import LabError
from halab.lab import Lab, labs
from halab.sandbox import Process

HARD_PASSWORD = "p@ss w'o\\rd$1\"!"


def machine() -> dict[str, object]:
    """What a lab could leave on the machine."""
    return {
        "mounts": pathlib.Path("/proc/self/mountinfo").read_text(encoding="utf-8"),
        "links": sorted(os.listdir("/sys/class/net")),
        "namespaces": sorted(os.listdir("/run/netns")) if os.path.isdir("/run/netns") else [],
        "users": pathlib.Path("/etc/passwd").read_text(encoding="utf-8"),
        "sudoers": sorted(os.listdir("/etc/sudoers.d")),
        "etc": sorted(os.listdir("/etc")),
        "var": sorted(os.listdir("/var/lib")) + sorted(os.listdir("/var/log")),
    }


def processes_of(lab_name: str) -> list[str]:
    """Command lines of live processes that mention a lab's name, our own left out."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if lab_name in text:
            found.append(text)
    return found


def mysql_through(lab: Lab, host: str, target: str) -> int:
    """Exit status of a TCP connection from `host` to the server at `target`, within a second."""
    return lab.hosts[host].run(
        ["timeout", "1", "bash", "-c", f"exec 3<>/dev/tcp/{target}/{lab.options.port} && "
         "head -c 5 <&3 >/dev/null"]).status


class LifeTest(unittest.TestCase):
    def test_two_labs_at_once_and_nothing_left_behind(self):
        before = machine()
        with Lab(hooks="shell") as one, Lab(hooks="shell") as two:
            self.assertEqual({one.id: False, two.id: False}.items() - labs().items(), set())
            one.sql("db1", "INSERT INTO lab.written VALUES (1, 1)")
            self.assertEqual(two.sql("db1", "SELECT COUNT(*) AS n FROM lab.written")[0]["n"], 0)
            self.assertEqual(one.vip_holders(), ["db1"])
            self.assertEqual(two.vip_holders(), ["db1"])
            self.assertEqual(machine(), before, "while labs are up")
            ids = {one.id, two.id}
        self.assertEqual(machine(), before)
        self.assertFalse(set(labs()) & ids)

    def test_ends_when_its_owner_is_killed(self):
        program = ("import sys, time; sys.path.insert(0, sys.argv[1]); from halab.lab import Lab\n"
                   "lab = Lab(hooks='shell'); lab.up()\n"
                   "print(lab.name, lab._sandbox.first.pid, flush=True); time.sleep(60)")
        owner = subprocess.Popen([sys.executable, "-B", "-c", program, str(options.LAB_FOLDER)],
                                 stdout=subprocess.PIPE, text=True)
        with owner.stdout:
            name, pid = owner.stdout.readline().split()
        first = Process.of_pid(int(pid))
        owner.kill()
        owner.wait()
        deadline = time.monotonic() + 10
        while first.alive() or processes_of(name):
            self.assertLess(time.monotonic(), deadline, processes_of(name))
            time.sleep(0.02)

    def test_detached_lab_is_found_again_and_ended_by_id(self):
        made = Lab(hooks="shell", server_conf={"lock_wait_timeout": "7"})
        made.up(detached=True)
        try:
            self.assertIs(labs()[made.id], True)
            found = Lab.attach(made.id)
            self.assertEqual(found.vip_holders(), ["db1"])
            self.assertEqual(found.sql("db2", "SELECT @@lock_wait_timeout AS v")[0]["v"], 7)
            with self.assertRaises(LabError):
                Lab(lab_id=made.id).up()
        finally:
            made.down()
        with self.assertRaises(LabError):
            Lab.attach(made.id)


class FaultTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(hooks="shell", log_ssh_commands=True)
        cls.lab.up()
        cls.addClassCleanup(cls.lab.down)

    def test_partition_of_a_host_is_silent_and_heals(self):
        self.assertEqual(mysql_through(self.lab, "app", "db2"), 0)
        self.lab.network.partition("db2")
        self.assertEqual(mysql_through(self.lab, "app", "db2"), 124)
        self.assertEqual(self.lab.read_only("db2"), True, "the lab itself still asks it")
        self.lab.network.heal("db2")
        self.assertEqual(mysql_through(self.lab, "app", "db2"), 0)

    def test_partition_of_a_pair_leaves_others_and_covers_the_virtual_ip(self):
        vip = self.lab.options.vip
        self.assertEqual(mysql_through(self.lab, "app", vip), 0)
        self.lab.network.partition_pair("app", "db1")
        self.assertEqual(mysql_through(self.lab, "app", "db1"), 124)
        self.assertEqual(mysql_through(self.lab, "app", vip), 124)
        self.assertEqual(mysql_through(self.lab, "mgr", "db1"), 0)
        self.assertEqual(mysql_through(self.lab, "app", "db2"), 0)
        self.lab.network.heal("app")
        self.assertEqual(mysql_through(self.lab, "app", vip), 0)

    def test_frozen_servers_accept_and_are_silent(self):
        self.lab.database("db3").freeze()
        self.assertEqual(mysql_through(self.lab, "app", "db3"), 124)
        self.lab.database("db3").thaw()
        self.assertEqual(mysql_through(self.lab, "app", "db3"), 0)
        ssh = ["timeout", "2", "ssh", "-o", "BatchMode=yes", "mha_helper@db3", "true"]
        self.lab.sshd("db3").freeze()
        self.assertEqual(self.lab.hosts["mgr"].run(ssh).status, 124)
        self.lab.sshd("db3").thaw()
        self.assertEqual(self.lab.hosts["mgr"].run(ssh).status, 0)

    def test_stopped_host_comes_back_without_addresses_it_was_given(self):
        self.lab.add_vip("db3")
        self.assertEqual(self.lab.vip_holders(), ["db1", "db3"])
        self.lab.stop_host("db3")
        self.assertEqual(self.lab.vip_holders(), ["db1"])
        with self.assertRaises(LabError):
            self.lab.hosts["db3"].run(["true"])
        self.lab.start_host("db3")
        self.lab.start_host("db3")
        self.assertEqual(self.lab.vip_holders(), ["db1"])
        self.assertTrue(self.lab.read_only("db3"))
        self.assertEqual(mysql_through(self.lab, "app", "db3"), 0)

    def test_killed_server_stays_down_until_started(self):
        self.lab.kill_mysqld("db3")
        self.lab.kill_mysqld("db3")
        self.assertIsNone(self.lab.database("db3").pid())
        self.lab.start_mysqld("db3")
        self.assertTrue(self.lab.read_only("db3"))

    def test_helper_may_run_ip_and_arping_and_nothing_else(self):
        def ssh(command: str) -> int:
            return self.lab.hosts["mgr"].run(
                ["ssh", "-o", "BatchMode=yes", "mha_helper@db2", command]).status
        self.assertEqual(ssh("sudo -n /usr/sbin/ip link show eth0"), 0)
        self.assertNotEqual(ssh("sudo -n /usr/bin/id"), 0)
        self.assertTrue(any(line.endswith("mha_helper sudo -n /usr/bin/id")
                            for line in self.lab.sshd("db2").commands()))
        self.lab.system.write_sudoers("db2", "")
        self.assertNotEqual(ssh("sudo -n /usr/sbin/ip link show eth0"), 0)

    def test_writer_notices_a_lost_row(self):
        self.lab.writer.start()
        self.lab.writer.wait_for_writes(50)
        self.lab.writer.stop()
        number = self.lab.writer.journal().acknowledged[20][1]
        self.lab.sql("db1", f"DELETE FROM lab.written WHERE number = {number}")
        written = self.lab.write_report("db1")
        self.assertEqual(written.lost, (number,))
        self.assertGreaterEqual(written.acknowledged, 50)


class MhaTest(unittest.TestCase):
    def operate(self, **choices):
        """A switch, then the failover of the killed new master; returns the lab's findings."""
        with Lab(hooks="shell", record_hooks=True, **choices) as lab:
            lab.writer.start()
            begin = time.monotonic()
            switched = lab.switch()
            self.assertEqual(switched.status, 0, switched.output)
            self.assertEqual(lab.vip_holders(), ["db2"])
            self.assertEqual(lab.writable(), ["db2"])
            lab.writer.wait_for_writes(100)
            print(f"\n{choices}: gap {lab.writer.journal().longest_gap(begin).ms:.0f} ms", end=" ")
            begin = time.monotonic()
            lab.kill_mysqld("db2")
            failed = lab.failover("db2")
            self.assertEqual(failed.status, 0, failed.output)
            self.assertEqual(lab.vip_holders(), ["db1"])
            self.assertEqual(lab.writable(), ["db1"])
            lab.writer.wait_for_writes(100)
            print(f"{lab.writer.journal().longest_gap(begin).ms:.0f} ms", end=" ", flush=True)
            lab.writer.stop()
            self.assertEqual(lab.write_report("db1").lost, ())
            self.assertEqual(len(lab.wait_for_mails(1)), 1)
            self.assertIn("succeeded", lab.mails()[0].message["Subject"])
            return lab.mha.hook_calls()

    def test_as_mha_helper_with_sudo(self):
        calls = self.operate()
        self.assertEqual([call.program for call in calls],
                         ["master_ip_online_change"] * 2 + ["master_ip_failover"] * 2
                         + ["send_report"])

    def test_as_root_with_a_hard_password_and_another_port(self):
        self.operate(ssh_user="root", mha_password=HARD_PASSWORD, port=3307)

    def test_v6(self):
        self.operate(family="v6")

    def test_host_gone(self):
        with Lab(hooks="shell") as lab:
            lab.writer.start()
            begin = time.monotonic()
            lab.stop_host("db1")
            failed = lab.failover("db1")
            self.assertEqual(failed.status, 0, failed.output)
            self.assertEqual(lab.vip_holders(), ["db2"])
            lab.writer.wait_for_writes(100)
            print(f"\nhost gone: gap {lab.writer.journal().longest_gap(begin).ms:.0f} ms")

    def test_masterha_check_repl_asks_the_status_hook(self):
        with Lab(hooks="shell") as lab:
            self.assertEqual(lab.mha.check().status, 0)
            lab.remove_vip("db1")
            self.assertNotEqual(lab.mha.check().status, 0)

    def test_manager_fails_over_by_itself(self):
        with Lab(hooks="shell") as lab:
            lab.mha.start_manager()
            deadline = time.monotonic() + 60
            while "Ping(SELECT) succeeded" not in lab.mha.manager_log():
                self.assertLess(time.monotonic(), deadline, lab.mha.manager_log())
                time.sleep(0.1)
            lab.kill_mysqld("db1")
            lab.wait_for_mails(1, timeout=60)
            self.assertEqual(lab.vip_holders(), ["db2"])


if __name__ == "__main__":
    unittest.main()
