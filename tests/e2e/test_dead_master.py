#!/usr/bin/python3
"""Failover of a master whose mysqld is dead, or does not answer, on a host that lives."""

import mails
import support
from support import DONE, INCOMPLETE, Eventually


class DeadMasterTest(support.LabTest):
    def one_mail(self, lab: support.Lab) -> mails.Mail:
        received = lab.wait_for_mails(1, timeout=20)
        self.assertEqual(len(received), 1)
        mails.assert_well_formed(self, received[0])
        return received[0]

    def test_killed_mysqld(self):
        lab = self.make_lab()
        lab.writer.start()
        lab.kill_mysqld("db1")
        outcome = self.failover(lab)
        self.assert_status(outcome, DONE)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")
        self.assert_nothing_lost(lab, "db2", "db3")

        mail = self.one_mail(lab)
        self.assertIn("db1", mail.message["Subject"])
        self.assertIn("succeeded", mail.message["Subject"])
        seen = mails.facts(mail)
        self.assertEqual(seen["db2"], ("HERE", "YES"))
        self.assertEqual(seen["db3"], ("not here", "no (read_only)"))
        self.assertEqual(seen["db1"][0], "not here")
        self.assertRegex(seen["db1"][1], "^not known")
        self.assertEqual(mails.alarms(mail), [])
        text = mails.body(mail)
        timeline = ["hard_stop began", "virtual IP not on the dead master", "hard_start began",
                    "the new master takes writes", "ensure_vip_present db2 done"]
        places = [text.find(line) for line in timeline]
        self.assertNotIn(-1, places, text)
        self.assertEqual(places, sorted(places), text)
        self.assertIn("Master failover to db2", text, "MHA's own report")
        self.assert_no_secret(lab, outcome.output, text)

    def test_dead_host_that_came_back_without_the_address(self):
        """A rebooted master: there is no address to remove, and that is success."""
        lab = self.make_lab()
        lab.writer.start()
        lab.stop_host("db1")
        lab.start_host("db1")
        lab.kill_mysqld("db1")
        self.assert_status(self.failover(lab), DONE)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assertEqual(mails.alarms(self.one_mail(lab)), [])

    def test_manager_fails_over_by_itself(self):
        lab = self.make_lab()
        lab.writer.start()
        lab.mha.start_manager()
        waiting = Eventually(60)
        while "Ping(SELECT) succeeded" not in lab.mha.manager_log():
            self.assertFalse(waiting.over(), lab.mha.manager_log())
        lab.kill_mysqld("db1")
        received = lab.wait_for_mails(1, timeout=60)
        mails.assert_well_formed(self, received[0])
        self.assertEqual(mails.facts(received[0])["db2"], ("HERE", "YES"))
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")
        self.assert_nothing_lost(lab, "db2", "db3")
        self.assert_no_secret(lab, lab.mha.manager_log())

    def test_frozen_mysqld(self):
        """It accepts connections and says nothing; nobody waits for it longer than agreed."""
        lab = self.make_lab()
        lab.writer.start()
        lab.database("db1").freeze()
        outcome = self.failover(lab)
        self.assert_status(outcome, DONE)
        self.assertLess(outcome.end - outcome.begin, 60)
        self.assertEqual(lab.vip_holders(), ["db2"])
        self.assertFalse(lab.read_only("db2"))
        self.assert_writes_go_on(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")
        mail = self.one_mail(lab)
        self.assertIn("mysqld was still running on db1", "\n".join(mails.alarms(mail)))
        self.assertRegex(mails.facts(mail)["db1"][1], "^not known")

    def test_frozen_sshd_on_the_dead_master(self):
        """SSH accepts and says nothing: MHA asks for `stop`, which costs its deadline, no more."""
        lab = self.make_lab(record_hooks=True)
        lab.writer.start()
        lab.kill_mysqld("db1")
        lab.sshd("db1").freeze()
        outcome = self.failover(lab)
        self.assert_status(outcome, DONE)
        self.assertLess(outcome.end - outcome.begin, 60)
        self.assertEqual(lab.writable(), ["db2"])
        self.assertIn("db2", lab.vip_holders())
        self.assertIn("NOT FENCED", outcome.output)
        stop = next(call for call in lab.mha.hook_calls() if "--command=stop" in call.arguments)
        self.assertLess(stop.end - stop.begin, 8)
        mail = self.one_mail(lab)
        self.assertIn("NOT FENCED", mails.alarms(mail)[0])
        self.assertRegex(mails.facts(mail)["db1"][0], "^not known")
        self.assert_writes_go_on(lab, "db2")

    def test_address_that_cannot_be_added_is_incomplete(self):
        """The new master is writable by then: MHA must go on, or replicas hang on a dead host."""
        lab = self.make_lab()
        lab.system.write_sudoers("db2", "mha_helper ALL=(root) NOPASSWD: /usr/bin/arping\n")
        lab.kill_mysqld("db1")
        outcome = self.failover(lab)
        self.assert_status(outcome, INCOMPLETE)
        self.assertEqual(lab.writable(), ["db2"])
        self.assertEqual(lab.vip_holders(), [])
        self.assert_replicate_from(lab, "db2", "db3")
        self.assertIn("ip addr add 10.77.0.100/24 dev eth0", outcome.output, "how to mend it")
        mail = self.one_mail(lab)
        self.assertIn("No host that we could ask has the virtual IP", mails.body(mail))
        self.assertEqual(mails.facts(mail)["db2"], ("not here", "YES"))


if __name__ == "__main__":
    support.main()
