"""Cells of the matrix: a master that is dead, hangs, or cannot be reached."""

import json

import mails
import matrix_cell
import support
from matrix_cell import NATIVE, document
from support import DONE, UNDONE, Lab, Outcome

SURVIVORS = ("db2", "db3")


class FailoverCells(matrix_cell.Cell):
    def fail_over(self, lab: Lab, status: int, *extra: str) -> dict:
        """db1 is given up; what was said as JSON, and by mail where it came to a failover."""
        before = len(lab.mails())
        outcome = self.failover(lab, "db1", NATIVE, "--format=json", *extra)
        self.assert_status(outcome, status)
        self.assert_no_secret(lab, outcome.output)
        said = document(outcome)
        self.assertEqual(said["exit_code"], status)
        if status != UNDONE:
            self.assert_true_mail(lab, before, outcome, said)
        return said

    def assert_true_mail(self, lab: Lab, before: int, outcome: Outcome, said: dict) -> None:
        """One report, which says of the hosts what is so."""
        mail = lab.wait_for_mails(before + 1, timeout=20)[-1]
        mails.assert_well_formed(self, mail)
        seen = mails.facts(mail)
        new = said["new_master"]
        self.assertEqual(seen[new], ("HERE", "YES"), outcome.output)
        for host in SURVIVORS:
            if host != new:
                self.assertEqual(seen[host][0], "not here")
        self.assertIn(new, mails.body(mail))
        self.assert_no_secret(lab, mails.body(mail))

    def assert_led_by(self, lab: Lab, new: str, *replicas: str) -> None:
        self.assert_new_master(lab, new, *replicas)
        self.assert_same_rows_on(lab, new, *replicas)

    def assert_same_rows_on(self, lab: Lab, *hosts: str) -> None:
        lab.writer.stop()
        waiting = support.Eventually()
        while True:
            sums = {host: lab.sql(host, "CHECKSUM TABLE lab.written")[0]["Checksum"]
                    for host in hosts}
            if len(set(sums.values())) == 1:
                return
            self.assertFalse(waiting.over(), sums)

    def cut_off(self, lab: Lab, count: int) -> None:
        """The master takes and acknowledges `count` transactions that no replica receives."""
        for host in SURVIVORS:
            lab.database(host).stop_replica("IO_THREAD")
        for number in range(count):
            lab.sql("db1", "INSERT INTO lab.written VALUES (%s, 11)", (-1 - number,))

    def test_failover_of_a_killed_mysqld(self):
        lab = self.lab()
        lab.writer.start()
        lab.kill_mysqld("db1")
        said = self.fail_over(lab, DONE)
        self.assertEqual(said["new_master"], "db2")
        self.assert_new_master(lab, "db2", "db3")
        self.assert_nothing_lost(lab, *SURVIVORS)

    def test_failover_of_a_host_that_is_gone(self):
        """What its replicas had received is all there is, and they agree on that."""
        lab = self.lab()
        lab.writer.start()
        lab.stop_host("db1")
        said = self.fail_over(lab, DONE)
        self.assert_led_by(lab, said["new_master"],
                           *(host for host in SURVIVORS if host != said["new_master"]))
        self.assertIn("not", json.dumps(said["fence"]).lower())

    def test_failover_salvages_what_no_replica_has(self):
        """Acknowledged, on the dead master's disk alone: all of it is on the new master."""
        lab = self.lab()
        self.cut_off(lab, 7)
        lab.kill_mysqld("db1")
        said = self.fail_over(lab, DONE)
        self.assertEqual(len(said.get("salvaged", [])), 7, said)
        self.assertEqual(said.get("lost", []), [], said)
        for host in SURVIVORS:
            waiting = support.Eventually()
            while len(lab.sql(host, "SELECT number FROM lab.written WHERE number < 0")) != 7:
                self.assertFalse(waiting.over(), host)
        lab.writer.start()
        self.assert_new_master(lab, "db2", "db3")

    def test_failover_with_a_stopped_replica(self):
        """It is started, and has everything."""
        lab = self.lab()
        lab.writer.start()
        lab.database("db3").stop_replica()
        lab.writer.wait_for_writes(50)
        lab.kill_mysqld("db1")
        self.fail_over(lab, DONE)
        self.assert_new_master(lab, "db2", "db3")
        self.assert_nothing_lost(lab, *SURVIVORS)

    def test_failover_with_a_candidate_that_has_received_less(self):
        """What the other replica has received is on the new master before it takes writes."""
        lab = self.lab()
        lab.writer.start()
        lab.database("db2").stop_replica("IO_THREAD")
        lab.writer.wait_for_writes(50)
        lab.stop_host("db1")
        said = self.fail_over(lab, DONE)
        replicas = [host for host in SURVIVORS if host != said["new_master"]]
        self.assert_led_by(lab, said["new_master"], *replicas)

    def test_failover_with_a_replica_far_behind(self):
        """It has received nearly all and applied little: others do not wait for it, and it catches up."""
        lab = self.lab()
        held = matrix_cell.HeldReplica(lab, "db3", 100)
        lab.writer.start()
        lab.writer.wait_for_writes(50)
        # Whoever has received most is waited for: not this one.
        lab.database("db3").stop_replica("IO_THREAD")
        lab.writer.wait_for_writes(50)
        lab.kill_mysqld("db1")
        led: list[str] = []

        def another_leads() -> None:
            lab.writer.wait_for_writes(50)
            led.extend(lab.writable())
            held.release()

        outcome = self.failover(lab, "db1", NATIVE, "--format=json", "--new_master_host=db2",
                                on_line=matrix_cell.once("Adding the vip", another_leads))
        self.assertEqual(led, ["db2"], "it took writes while the other replica lagged")
        self.assertIn(outcome.status, (DONE, support.INCOMPLETE), outcome.output)
        self.assert_new_master(lab, "db2", "db3")
        self.assert_nothing_lost(lab, *SURVIVORS)

    def test_failover_with_an_errant_transaction(self):
        """Of a replica that is not to lead: named, and it does not stop the failover."""
        lab = self.lab()
        lab.writer.start()
        lab.writer.wait_for_writes(120)
        lab.sql("db3", "INSERT INTO lab.written VALUES (-1, 13)")
        lab.kill_mysqld("db1")
        outcome = self.failover(lab, "db1", NATIVE, "--format=json", "--new_master_host=db2")
        self.assertIn(outcome.status, (DONE, support.INCOMPLETE), outcome.output)
        self.assert_only_master(lab, "db2")
        if self.tells_errant_transactions:
            self.assertIn("db3", json.dumps(document(outcome)))
        self.assert_nothing_lost(lab, "db2")

    def test_failover_of_a_frozen_master(self):
        """SIGSTOP: it accepts connections and says nothing; it is killed before another leads."""
        lab = self.lab(sudoers=support.sudoers_of("mha_helper")
                       + "mha_helper ALL=(mysql) NOPASSWD: /usr/bin/kill -KILL [0-9]*\n")
        lab.writer.start()
        lab.database("db1").freeze()
        said = self.fail_over(lab, DONE)
        self.assertIsNone(lab.database("db1").pid(), "it could have come back as a second writer")
        self.assert_new_master(lab, said["new_master"],
                               *(host for host in SURVIVORS if host != said["new_master"]))
        self.assert_nothing_lost(lab, *SURVIVORS)

    def test_no_failover_of_a_living_master(self):
        lab = self.lab()
        lab.writer.start()
        before = support.lab_state(lab)
        self.fail_over(lab, UNDONE)
        self.assert_state(lab, before)
        self.assert_writes_go_on(lab, "db1")
