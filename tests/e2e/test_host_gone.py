#!/usr/bin/python3
"""Failover of a master whose whole host answers nobody: fenced or not is said, and is a choice."""

import mails
import support
from support import DONE, NOT_UNDONE


class HostGoneTest(support.LabTest):
    def report(self, lab: support.Lab) -> mails.Mail:
        mail = lab.wait_for_mails(1, timeout=20)[0]
        mails.assert_well_formed(self, mail)
        return mail

    def test_proceeds_without_fencing_and_says_so(self):
        """The host lost power: in truth nobody holds the address, but nobody can know."""
        lab = self.make_lab()
        lab.writer.start()
        lab.stop_host("db1")
        outcome = self.failover(lab)
        self.assert_status(outcome, DONE)
        self.assertIn("NOT FENCED", outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")
        mail = self.report(lab)
        self.assertRegex(mails.alarms(mail)[0], "^!! NOT FENCED: .*not removed from db1")
        seen = mails.facts(mail)
        self.assertRegex(seen["db1"][0], "^not known")
        self.assertRegex(seen["db1"][1], "^not known")
        self.assertEqual(seen["db2"], ("HERE", "YES"))

    def test_host_behind_a_broken_wire(self):
        """It lives, has the address and takes writes: two masters, which the mail must not hide."""
        lab = self.make_lab()
        lab.writer.start()
        lab.network.partition("db1")
        outcome = self.failover(lab)
        self.assert_status(outcome, DONE)
        self.assertIn("NOT FENCED", outcome.output)
        self.assertEqual(lab.vip_holders(), ["db1", "db2"])
        self.assertEqual(lab.writable(), ["db1", "db2"])
        self.assert_writes_go_on(lab, "db2")
        mail = self.report(lab)
        self.assertIn("NOT FENCED", mails.alarms(mail)[0])
        self.assertIn("may still hold", mails.alarms(mail)[0])

    def test_refuses_without_fencing(self):
        lab = self.make_lab(helper_conf={"unfenced_failover": "refuse"})
        before = support.lab_state(lab)
        lab.stop_host("db1")
        outcome = self.failover(lab)
        self.assert_status(outcome, NOT_UNDONE)
        self.assertIn("was not removed from db1, and MHA has stopped the replicas", outcome.output)
        self.assertIn("NOT FENCED", outcome.output)
        self.assertIn("unfenced_failover=refuse", outcome.output)
        self.assertEqual(lab.writable(), [])
        self.assertEqual(lab.vip_holders(), [])
        for name in ("db2", "db3"):
            now = support.server_state(lab, name)
            self.assertEqual(now.source, before.servers[name].source)
            self.assertEqual((now.io_thread, now.sql_thread), ("No", "Yes"), "by MHA, and said")
        mail = self.report(lab)
        self.assertIn("NOT FENCED", mails.alarms(mail)[0])
        self.assertIn("No server that we could ask takes writes", mails.body(mail))


if __name__ == "__main__":
    support.main()
