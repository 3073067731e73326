#!/usr/bin/python3
"""Failover of a master whose whole host answers nobody: fenced or not is said, and is a choice."""

import mails
import support
from matrix_cell import NATIVE, HeldReplica, once
from support import DONE, NOT_UNDONE, UNDONE, Line, sudoers_of

MAY_KILL = sudoers_of("mha_helper") + "mha_helper ALL=(mysql) NOPASSWD: /usr/bin/kill -KILL [0-9]*\n"


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


class NativeHostGoneTest(HostGoneTest):
    """The same by our own engine, which waits for the host no longer than for its other witnesses."""

    def test_proceeds_without_fencing_and_says_so(self):
        lab = self.make_lab()
        lab.writer.start()
        lab.stop_host("db1")
        outcome = self.failover(lab, "db1", NATIVE)
        self.assert_status(outcome, DONE)
        self.assertIn("NOT FENCED: the virtual IP was not removed from", outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")
        mail = self.report(lab)
        self.assertRegex(mails.alarms(mail)[0], "^!! db1: NOT FENCED: .* Power it off")

    def test_host_behind_a_broken_wire(self):
        """It answers once another one leads: it is fenced then, and the mail says how late."""
        lab = self.make_lab(sudoers=MAY_KILL)
        lab.writer.start()
        lab.network.partition("db1")
        outcome = self.failover(lab, "db1", NATIVE,
                                on_line=once("Adding the vip", lambda: lab.network.heal("db1")))
        self.assert_status(outcome, DONE)
        self.assertIsNone(lab.database("db1").pid(), outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assertRegex(mails.alarms(self.report(lab))[0],
                         "^!! db1: fenced .only once .*db2.* may have taken some")

    def test_answers_before_another_one_leads(self):
        """Silent while it is asked whether it lives; back while the new master catches up."""
        lab = self.make_lab(sudoers=MAY_KILL)
        lab.writer.start()
        lab.writer.wait_for_writes(50)
        held = HeldReplica(lab, "db2", 100)
        lab.network.partition("db1")
        servers: list[int | None] = []

        def come_back() -> None:
            lab.network.heal("db1")
            waiting = support.Eventually()
            while lab.host("db1").run(["pgrep", "-u", "mha_helper", "sshd"]).status != 0:
                self.assertFalse(waiting.over(), "it is not called")
            held.release()

        comes_back = once("failing over from", come_back)
        looks = once("Adding the vip", lambda: servers.append(lab.database("db1").pid()))

        def on_line(line: Line) -> None:
            comes_back(line)
            looks(line)

        outcome = self.failover(lab, "db1", NATIVE, "--new_master_host=db2", on_line=on_line)
        self.assert_status(outcome, DONE)
        self.assertEqual(servers, [None], outcome.output)
        self.assertNotIn("NOT FENCED", outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_nothing_lost(lab, "db2", "db3")

    def test_refuses_without_fencing(self):
        lab = self.make_lab()
        before = support.lab_state(lab)
        lab.stop_host("db1")
        outcome = self.failover(lab, "db1", NATIVE, "--require_fencing")
        self.assert_status(outcome, UNDONE)
        self.assertIn("--require_fencing ends the failover here", outcome.output)
        self.assertEqual(lab.writable(), [])
        for name in ("db2", "db3"):
            now = support.server_state(lab, name)
            self.assertEqual(now.source, before.servers[name].source)
            self.assertEqual(now.sql_thread, "Yes")


if __name__ == "__main__":
    support.main()
