#!/usr/bin/python3
"""A switch and a failover in each setting that a site may have; and one that ends incomplete."""

import faults
import mails
import support
from support import DONE, INCOMPLETE, Lab

HARD_PASSWORD = "p@ss w'o\\rd$1\"!"


class VariantsTest(support.LabTest):
    def switch_then_fail_over(self, lab: Lab) -> None:
        """db1 to db2 online, then db2 dies."""
        lab.writer.start()
        switched = self.switch(lab)
        self.assert_status(switched, DONE)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.switch_gap = lab.writer.journal().longest_gap(switched.begin)
        lab.wait_until_replicating()
        lab.kill_mysqld("db2")
        failed = self.failover(lab, "db2")
        self.assert_status(failed, DONE)
        self.assert_only_master(lab, "db1")
        self.assert_writes_go_on(lab, "db1")
        self.assert_replicate_from(lab, "db1", "db3")
        self.assert_nothing_lost(lab, "db1", "db3")
        mail = lab.wait_for_mails(1)[0]
        mails.assert_well_formed(self, mail)
        self.assertEqual(mails.facts(mail)["db1"], ("HERE", "YES"))
        self.assertEqual(mails.facts(mail)["db2"][0], "not here")
        self.assert_no_secret(lab, switched.output, failed.output, mails.body(mail))

    def test_password_with_every_special_character(self):
        self.switch_then_fail_over(self.make_lab(mha_password=HARD_PASSWORD))

    def test_another_port(self):
        self.switch_then_fail_over(self.make_lab(port=3307))

    def test_root_without_sudo(self):
        self.switch_then_fail_over(
            self.make_lab(ssh_user="root", requires_sudo=False, sudoers=""))

    def test_v6(self):
        """Duplicate address detection takes two seconds; then clients find the master at once."""
        lab = self.make_lab(family="v6", kill_after_timeout=0)
        self.switch_then_fail_over(lab)
        self.assertLess(self.switch_gap.ms, 4000)

    def test_no_vip(self):
        """vip_type=none: connections are ended all the same; clients find the master otherwise."""
        lab = self.make_lab(kill_after_timeout=0, helper_conf={
            "vip_type": "none", "writer_vip_cidr": None, "cluster_interface": None})
        lab.writer.start()
        self.assert_status(self.switch(lab), DONE)
        self.assertEqual(lab.vip_holders(), ["db1"], "not ours to move")
        self.assertEqual(lab.writable(), ["db2"])
        self.assert_nothing_lost(lab, "db2")


class IncompleteTest(support.LabTest):
    def test_address_that_cannot_be_added(self):
        """sudo is taken away after stop: past the point of no return MHA has to go on."""
        # Without the session that stop leaves behind, whose sudo may have been let in already.
        lab = self.make_lab(**faults.with_halting_hook(kill_after_timeout=0,
                                                       helper_conf={"ssh_session_keep": "0"}))
        lab.writer.start()
        halt = faults.Halt(lab, "after-stop", lambda: lab.system.write_sudoers("db2", ""))
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assertEqual(lab.writable(), ["db2"])
        self.assertEqual(lab.vip_holders(), [])
        self.assert_replicate_from(lab, "db2", "db1", "db3")
        self.assertIn("done, but incomplete", outcome.output)
        self.assertIn("sudo ip addr add 10.77.0.100/24 dev eth0", outcome.output, "how to mend it")
        self.assert_status(outcome, INCOMPLETE)
        lab.add_vip("db2")
        lab.hosts["db2"].must_run(["arping", "-U", "-c", "1", "-I", "eth0", lab.options.vip])
        self.assert_writes_go_on(lab, "db2")
        self.assert_nothing_lost(lab, "db2")


if __name__ == "__main__":
    support.main()
