#!/usr/bin/python3
"""An online switch there and back, by our command and by MHA's own, with a client writing."""


import support
from support import DONE, HERE, Lab, options


class OnlineSwitchTest(support.LabTest):
    def assert_sane_timeline(self, lab: Lab, old: str, new: str, begin: float) -> None:
        """The address left the old master before the new one had it, and no write went back."""
        events = [event for event in lab.vip_watch.events() if event.when >= begin]
        self.assertEqual([(event.host, event.present) for event in events],
                         [(old, False), (new, True)])
        servers = [number for when, number in lab.writer.journal().connections if when >= begin]
        numbers = options.HOST_NUMBERS
        self.assertIn(numbers[new], servers)
        self.assertNotIn(numbers[old], servers[servers.index(numbers[new]):])
        lost, had = events
        self.assertGreater(had.when, lost.when)

    def assert_rows_in_order_of_masters(self, lab: Lab, *masters: str) -> None:
        """Each row says which server took it: the masters took theirs one after the other."""
        rows = lab.sql(masters[-1], "SELECT server_id FROM lab.written ORDER BY number")
        order: list[int] = []
        for row in rows:
            if not order or order[-1] != row["server_id"]:
                order.append(row["server_id"])
        self.assertEqual(order, [options.HOST_NUMBERS[name] for name in masters])

    def test_there_and_back(self):
        lab = self.make_lab()
        lab.writer.start()
        for old, new in (("db1", "db2"), ("db2", "db1")):
            lab.wait_until_replicating()
            outcome = self.switch(lab)
            self.assert_status(outcome, DONE)
            self.assert_only_master(lab, new)
            self.assert_writes_go_on(lab, new)
            self.assert_replicate_from(lab, new, old, "db3")
            self.assert_sane_timeline(lab, old, new, outcome.begin)
            self.assert_no_secret(lab, outcome.output)
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_rows_in_order_of_masters(lab, "db1", "db2", "db1")
        self.assert_same_rows(lab)
        self.assertEqual(lab.mails(), [], "MHA reports failovers of dead masters only")
        stops = support.journals(lab, "online_stop")
        self.assertEqual([journal.closed for journal in stops], [True, True])

    def test_to_a_named_host_without_the_old_master(self):
        lab = self.make_lab()
        lab.writer.start()
        outcome = self.switch(lab, "--new-master-host=db3", "--new_master_port", "3306",
                              "--orig_master_is_new_slave=0")
        self.assert_status(outcome, DONE)
        self.assert_only_master(lab, "db3")
        self.assert_writes_go_on(lab, "db3")
        self.assert_replicate_from(lab, "db3", "db2")
        self.assertIsNone(support.server_state(lab, "db1").source)
        self.assert_nothing_lost(lab, "db3", "db2")

    def test_by_masterha_master_switch(self):
        lab = self.make_lab(record_hooks=True)
        lab.writer.start()
        outcome = self.run_on_mgr(lab, [
            "masterha_master_switch", f"--conf={support.APPLICATION_CONF}", "--interactive=0",
            "--master_state=alive", "--orig_master_is_new_slave"])
        self.assert_status(outcome, DONE)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db1", "db3")
        self.assert_sane_timeline(lab, "db1", "db2", outcome.begin)
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_same_rows(lab)
        calls = lab.mha.hook_calls()
        self.assertEqual([(call.program, call.status) for call in calls],
                         [(support.ONLINE_HOOK, 0)] * 2)

    def test_operator_answers_on_a_terminal(self):
        """--interactive=1: MHA reads from the terminal; the hooks must not."""
        lab = self.make_lab()
        lab.writer.start()
        outcome = self.run_on_mgr(lab, [
            str(HERE / "terminal.py"), "--answer=YES", "--",
            lab.mha.program("mysql_online_failover"), "--engine=mha", "-c",
            support.APPLICATION_CONF,
            "--interactive=1"])
        self.assert_status(outcome, DONE)
        self.assertIn("(yes/NO)", outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_nothing_lost(lab, "db2")


if __name__ == "__main__":
    support.main()
