#!/usr/bin/python3
"""Online switches that are refused before anything changes: 20, and nobody noticed."""

import contextlib

import support
from support import DONE, UNDONE, Lab, LabState, options

NO_IP = "mha_helper ALL=(root) NOPASSWD: /usr/bin/arping\n"
NO_ARPING = "mha_helper ALL=(root) NOPASSWD: /usr/sbin/ip\n"
ASKS_FOR_PASSWORD = "mha_helper ALL=(root) /usr/sbin/ip, /usr/bin/arping\n"


class Refused(support.LabTest):
    """A lab with two clients: one writes, and one would notice the loss of its session."""

    def begin(self, lab: Lab) -> None:
        # Patient: on a busy machine it must not reconnect by itself.
        lab.writer.start(answer_timeout_ms=5000)
        self.connections = len(lab.writer.journal().connections)
        self.session = self.enterContext(contextlib.closing(lab.database("db1").connect(30)))
        self.session_id = self.session.thread_id()
        self.before: LabState = support.lab_state(lab)

    def assert_refused(self, lab: Lab, *words: str) -> None:
        outcome = self.switch(lab)
        self.assert_status(outcome, UNDONE)
        for word in words:
            self.assertIn(word, outcome.output)
        self.assert_state(lab, self.before)
        self.assert_nobody_noticed(lab)
        self.assertEqual(support.journals(lab), [], "nothing was begun")

    def assert_nobody_noticed(self, lab: Lab) -> None:
        lab.writer.wait_for_writes(100)
        journal = lab.writer.journal()
        self.assertEqual(len(journal.connections), self.connections, "the client's connections")
        self.assertEqual(journal.errors, [])
        with self.session.cursor() as cursor:
            cursor.execute("SELECT CONNECTION_ID() AS id")
            self.assertEqual(cursor.fetchone()["id"], self.session_id)


class SudoTest(Refused):
    def test_ip_is_not_allowed(self):
        lab = self.make_lab()
        self.begin(lab)
        for host in ("db1", "db2"):
            with self.subTest(host):
                lab.system.write_sudoers("db1", support.sudoers_of("mha_helper"))
                lab.system.write_sudoers(host, NO_IP)
                self.assert_refused(lab, f"host '{host}'", "sudo -n ip")

    def test_a_check_names_the_command_that_is_missing(self):
        """By our own engine. Without ip nothing can be done; without arping it is a warning."""
        lab = self.make_lab()
        self.begin(lab)
        for rules, missing, status in ((NO_IP, "sudo -n ip", UNDONE),
                                       (NO_ARPING, "sudo -n arping", DONE)):
            with self.subTest(missing):
                lab.system.write_sudoers("db2", rules)
                for task in ("--check", "--dry_run"):
                    outcome = self.switch(lab, "--engine=native", "--new_master_host=db2", task)
                    self.assert_status(outcome, status)
                    self.assertRegex(outcome.output, f"'?db2'?.*{missing}")
        self.assert_state(lab, self.before)
        self.assert_nobody_noticed(lab)

    def test_the_sample_is_enough(self):
        """With exactly the file that the package has: both engines, there and back, in silence."""
        sample = (options.PROJECT / "conf" / "mha-helper.sudoers").read_text("utf-8")
        lab = self.make_lab(sudoers=sample)
        for engine, new in (("native", "db2"), ("mha", "db1")):
            lab.wait_until_replicating()
            outcome = self.switch(lab, f"--engine={engine}", f"--new_master_host={new}",
                                  f"--new_master_port={lab.options.port}")
            self.assert_status(outcome, DONE)
            self.assertNotRegex(outcome.output, r"\[(warning|error)\].*(sudo|arping)")
            self.assert_only_master(lab, new)

    def test_sudo_asks_for_a_password(self):
        lab = self.make_lab(sudoers=ASKS_FOR_PASSWORD)
        self.begin(lab)
        self.assert_refused(lab, "a password is required", "sample sudoers")

    def test_no_such_interface(self):
        lab = self.make_lab(helper_host_conf={"db2": {"cluster_interface": "bond7"}})
        self.begin(lab)
        self.assert_refused(lab, "host 'db2' has no network interface 'bond7'")


class SshTest(Refused):
    def test_frozen_sshd_costs_its_deadline(self):
        lab = self.make_lab(helper_conf={"operation_timeout": "4", "kill_after_timeout": "0",
                                         "lock_wait_timeout": "1"})
        self.begin(lab)
        lab.sshd("db2").freeze()
        self.assert_refused(lab, "new master", "@db2", "said nothing")
        self.assertLess(self.ran[-1].end - self.ran[-1].begin, 12)

    def test_unknown_host_key(self):
        """MHA's own ssh accepts it here, ours does not: the message tells what to do."""
        lab = self.make_lab()
        self.begin(lab)
        known = lab.path("/run/lab/home/root/.ssh/known_hosts")
        kept = [line for line in known.read_text("ascii").splitlines() if "db2" not in line]
        known.write_text("\n".join(kept) + "\n", "ascii")
        self.assert_refused(lab, "host key", "db2", "ssh-keyscan")


class VipTest(Refused):
    def assert_switches(self, lab: Lab, *words: str) -> None:
        outcome = self.switch(lab)
        self.assert_status(outcome, DONE)
        for word in words:
            self.assertIn(word, outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_nothing_lost(lab, "db2")

    def test_on_both_hosts(self):
        """The switch leaves it where it belongs."""
        lab = self.make_lab()
        lab.writer.start()
        lab.add_vip("db2")
        self.assert_switches(lab, "[warning] the virtual IP 10.77.0.100 is on")

    def test_on_neither_host(self):
        """A start with the address lost: the switch brings it back."""
        lab = self.make_lab()
        lab.writer.start()
        lab.remove_vip("db1")
        self.assert_switches(lab, "[warning] the virtual IP 10.77.0.100 was not found")

    def test_on_a_third_machine(self):
        lab = self.make_lab()
        lab.remove_vip("db1")
        lab.add_vip("app")
        before = support.lab_state(lab)
        outcome = self.switch(lab)
        self.assert_status(outcome, UNDONE)
        self.assertIn("which is neither master", outcome.output)
        self.assert_state(lab, before)
        self.assertEqual(support.journals(lab), [])

    def test_on_the_original_and_on_a_third_machine(self):
        """Refused too: after the switch, the new master could not have the address."""
        lab = self.make_lab()
        lab.add_vip("mgr")
        before = support.lab_state(lab)
        outcome = self.switch(lab)
        self.assert_status(outcome, UNDONE)
        self.assertIn("which is neither master", outcome.output)
        self.assert_state(lab, before)
        self.assertEqual(support.journals(lab), [])


class StatusTest(support.LabTest):
    def test_vip_is_not_on_the_master(self):
        """masterha_check_repl asks the hook, and is not content."""
        lab = self.make_lab()
        lab.remove_vip("db1")
        outcome = self.run_on_mgr(
            lab, ["masterha_check_repl", f"--conf={support.APPLICATION_CONF}"])
        self.assertNotEqual(outcome.status, 0)
        self.assertIn("The VIP was not found on host db1", outcome.output)


if __name__ == "__main__":
    support.main()
