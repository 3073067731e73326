"""Cells of the matrix: a living master is switched, or every reason not to is named."""

import matrix_cell
import support
from matrix_cell import DATABASE_HOSTS
from support import DONE, UNDONE


class SwitchCells(matrix_cell.Cell):
    def test_switch_there_and_back(self):
        """A client writes all the time: no acknowledged row is lost, and all servers are equal."""
        lab = self.lab()
        lab.writer.start()
        for old, new in (("db1", "db2"), ("db2", "db1")):
            lab.wait_until_replicating()
            said = self.native_switch(lab, DONE, f"--new_master_host={new}")
            self.assertEqual((said["orig_master"], said["new_master"]), (old, new))
            self.assertEqual(said.get("leftovers", []), [])
            self.assertGreater(said["downtime_ms"], 0)
            self.assert_new_master(lab, new, old, "db3")
        self.assert_nothing_lost(lab, *DATABASE_HOSTS)
        self.assert_same_rows(lab)
        self.assert_masters_in_turn(lab, "db1", "db2", "db1")

    def test_switch_refused_with_a_stopped_replica(self):
        """Either thread, of the candidate or of another replica: named, and nothing is changed."""
        lab = self.lab()
        for host, thread, words in (("db3", "SQL_THREAD", "its SQL thread does not run"),
                                    ("db2", "IO_THREAD", "its I/O thread does not run")):
            lab.database(host).stop_replica(thread)
            before = support.lab_state(lab)
            said = self.native_switch(lab, UNDONE, "--new_master_host=db2")
            self.assert_problem(said, host, words)
            self.assert_state(lab, before)
            lab.database(host).start_replica()
            lab.wait_until_replicating()
        self.native_switch(lab, DONE, "--new_master_host=db2")

    def test_switch_refused_with_a_replica_far_behind(self):
        lab = self.lab()
        held = matrix_cell.HeldReplica(lab, "db3", 100)
        before = support.lab_state(lab)
        said = self.native_switch(lab, UNDONE, "--new_master_host=db2")
        self.assert_problem(said, "db3", "s behind, and 30 are allowed")
        self.assert_state(lab, before)
        held.release()

    def test_switch_catches_up_first(self):
        """The candidate lags, but not too far: clients do not wait while it catches up."""
        lab = self.lab()
        lab.writer.start()
        held = matrix_cell.HeldReplica(lab, "db2", 10)
        writing = []

        def let_go() -> None:
            lab.writer.wait_for_writes(50)
            writing.append(lab.writable())
            held.release()

        said = self.native_switch(
            lab, DONE, "--new_master_host=db2",
            on_line=matrix_cell.once("switching from db1 to db2", let_go))
        self.assertEqual(writing, [["db1"]], "it took writes while the candidate lagged")
        self.assertLess(said["downtime_ms"], 5000)
        self.assert_new_master(lab, "db2", "db1", "db3")
        self.assert_nothing_lost(lab, *DATABASE_HOSTS)

    def test_switch_with_a_replica_that_lags(self):
        """Another replica is pointed to the new master only once it has applied the old one's log.

        Meanwhile the old master follows the new one and logs what clients write there: nothing of
        that may come to the replica twice.
        """
        lab = self.lab()
        lab.writer.start()
        held = matrix_cell.HeldReplica(lab, "db3", 10)

        def let_go() -> None:
            lab.writer.wait_for_writes(50)
            held.release()

        self.native_switch(lab, DONE, "--new_master_host=db2",
                           on_line=matrix_cell.once("Adding the vip", let_go))
        self.assert_new_master(lab, "db2", "db1", "db3")
        self.assert_nothing_lost(lab, *DATABASE_HOSTS)
        self.assert_same_rows(lab)

    def test_switch_refused_with_an_errant_transaction(self):
        """On a replica alone: named where the servers number transactions, invisible elsewhere."""
        lab = self.lab()
        lab.sql("db2", "INSERT INTO lab.written VALUES (-1, 12)")
        before = support.lab_state(lab)
        if self.tells_errant_transactions:
            said = self.native_switch(lab, UNDONE, "--new_master_host=db2")
            self.assert_problem(said, "db2", "transactions that the master has not: ")
            self.assert_state(lab, before)
            said = self.native_switch(lab, UNDONE, "--new_master_host=db3")
            self.assert_problem(said, "db2", "transactions that the master has not: ")
            self.assert_state(lab, before)
            return
        lab.writer.start()
        self.native_switch(lab, DONE, "--new_master_host=db2")
        self.assert_new_master(lab, "db2", "db1", "db3")
        self.assert_nothing_lost(lab, *DATABASE_HOSTS)
