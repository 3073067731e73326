#!/usr/bin/python3
"""Two labs at once, with the same names and addresses, do not disturb each other."""

import concurrent.futures

import support
from support import DONE


class TwoLabsTest(support.LabTest):
    def test_a_switch_here_and_a_failover_there(self):
        one = self.make_lab()
        two = self.make_lab()
        for lab in (one, two):
            lab.writer.start()
        two.kill_mysqld("db1")
        with concurrent.futures.ThreadPoolExecutor() as pool:
            switched = pool.submit(one.switch)
            failed = pool.submit(two.failover)
        self.ran += [switched.result(), failed.result()]
        for outcome in self.ran:
            self.assert_status(outcome, DONE)
        for lab in (one, two):
            self.assert_only_master(lab, "db2")
            self.assert_writes_go_on(lab, "db2")
            self.assert_nothing_lost(lab, "db2")
        self.assertEqual(one.mails(), [])
        self.assertEqual(len(two.wait_for_mails(1)), 1)
        self.assertEqual({journal.name.split("-")[0] for journal in support.journals(one)},
                         {"online_stop", "online_start"})
        self.assertEqual({journal.name.split("-")[0] for journal in support.journals(two)},
                         {"hard_stop", "hard_start"})
        self.assertIsNotNone(one.database("db1").pid())
        one.down()
        self.assert_only_master(two, "db2")


if __name__ == "__main__":
    support.main()
