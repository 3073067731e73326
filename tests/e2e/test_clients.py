#!/usr/bin/python3
"""What becomes of connections in an online switch: many, privileged, locking, and none."""

import contextlib
import time

import crowds
import faults
import support
from support import DONE, UNDONE, Lab, options


def clients_of(lab: Lab, host: str, *users: str) -> list[dict]:
    """Rows of the process list of these accounts."""
    listed = lab.sql(host, "SHOW FULL PROCESSLIST")
    return [row for row in listed if row["User"] in users]


class ManyClientsTest(support.LabTest):
    def test_all_leave_the_original(self):
        """50 that idle and 8 that write; the event scheduler's thread is nobody to wait for."""
        lab = self.make_lab(kill_after_timeout=1, record_hooks=True,
                            server_conf={"event_scheduler": "ON"})
        crowds.make_table(lab)
        crowd = crowds.CrowdOf(lab, "crowd", lab.options.vip, "app", lab.options.app_password,
                               idle=50, writers=8)
        crowd.wait_for_writes(200)
        self.assertEqual(len(clients_of(lab, "db1", "app")), 58)
        self.assertEqual(len(clients_of(lab, "db1", "event_scheduler")), 1)
        outcome = self.switch(lab)
        self.assert_status(outcome, DONE)
        self.assert_only_master(lab, "db2")
        self.assertEqual(clients_of(lab, "db1", "app"), [])
        self.assertEqual(len(clients_of(lab, "db1", "event_scheduler")), 1)
        crowd.wait_for_writes(200)
        # One that ran into its own time-out may be between two connections.
        deadline = time.monotonic() + 20
        while len(clients_of(lab, "db2", "app")) != 8 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(len(clients_of(lab, "db2", "app")), 8, "writers came back, idlers did not")
        crowd.stop()
        self.assertEqual(crowd.lost("db2"), set())
        self.assert_same_rows(lab, "lab.crowd")
        stop = lab.mha.hook_calls()[0]
        self.assertIn("--command=stop", stop.arguments)
        self.assertGreater(stop.end - stop.begin, 1.0, "they had a second to leave")
        self.assertLess(stop.end - stop.begin, 4.0)
        self.assertIn("Waiting 1 seconds for application threads to disconnect", outcome.output)
        self.assertRegex(outcome.output,
                         r"Terminating thread Id => \d+, User => app, Host => 10\.77\.0\.20")

    def test_nobody_to_wait_for(self):
        """Only daemons and replication are connected: kill_after_timeout is not waited for."""
        lab = self.make_lab(kill_after_timeout=10, record_hooks=True,
                            server_conf={"event_scheduler": "ON"})
        outcome = self.switch(lab)
        self.assert_status(outcome, DONE)
        self.assert_only_master(lab, "db2")
        stop = lab.mha.hook_calls()[0]
        self.assertLess(stop.end - stop.begin, 5.0)
        self.assertNotIn("Terminating thread", outcome.output)
        self.assert_replicate_from(lab, "db2", "db1", "db3")


class PrivilegedClientTest(support.LabTest):
    """read_only does not bind SUPER (MariaDB: READ_ONLY ADMIN, which GRANT ALL contains)."""

    def begin(self, **choices) -> Lab:
        lab = self.make_lab(kill_after_timeout=0, **choices)
        crowds.make_table(lab)
        lab.sql("db1", "GRANT ALL PRIVILEGES ON *.* TO boss@'%%' IDENTIFIED BY 'boss-secret'", ())
        lab.wait_until_replicating()
        return lab

    def test_one_connection_is_ended(self):
        """Through the virtual IP: ended, and back on the new master."""
        lab = self.begin()
        boss = crowds.CrowdOf(lab, "boss", lab.options.vip, "boss", "boss-secret")
        boss.wait_for_writes(100)
        self.assert_status(self.switch(lab), DONE)
        boss.wait_for_writes(100)
        boss.stop()
        self.assertEqual(boss.lost("db2"), set())
        self.assert_only_master(lab, "db2")
        self.assert_same_rows(lab, "lab.crowd")

    def test_one_that_knows_the_host_and_comes_back(self):
        """It writes to the original itself and connects again at once, whatever ends it.

        Either no row that it was told of during the switch is lost, or the switch is refused with
        everything put back.
        """
        lab = self.begin()
        before = support.lab_state(lab)
        boss = crowds.CrowdOf(lab, "boss", options.address_v4(options.HOST_NUMBERS["db1"]),
                              "boss", "boss-secret", writers=4)
        boss.wait_for_writes(100)
        outcome = self.switch(lab)
        boss.stop()
        if outcome.status == UNDONE:
            self.assert_state(lab, before)
            self.assertEqual(boss.lost("db1"), set())
            self.assertIn("boss", outcome.output, "who is in the way")
            return
        self.assert_status(outcome, DONE)
        times = boss.acknowledged()
        lost = {row for row in boss.lost("db2") if times[row] < outcome.end}
        self.assertEqual(len(lost), 0, "rows acknowledged during the switch and lost")


class LockTest(support.LabTest):
    """LOCK TABLES of somebody: our stop is refused, names who is in the way, and writes go on."""

    def lock_before_stop(self, named: str, **choices) -> None:
        """`named` is what the message must have; {thread} in it is the holder's."""
        lab = self.make_lab(**faults.with_halting_hook(
            helper_conf={"lock_wait_timeout": "2", "kill_after_timeout": "0"}, **choices))
        lab.writer.start()
        lab.sql("db1", "CREATE TABLE lab.locked (number INT)")
        lab.wait_until_replicating()
        before = support.lab_state(lab)
        holder = self.enterContext(contextlib.closing(lab.database("db1").connect(60)))

        def lock() -> None:
            with holder.cursor() as cursor:
                cursor.execute("LOCK TABLES lab.locked WRITE")

        halt = faults.Halt(lab, "before-stop", lock)
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assert_status(outcome, UNDONE)
        self.assert_state(lab, before)
        self.assertRegex(outcome.output, "blocked by: .*" + named.format(thread=holder.thread_id()))
        self.assert_writes_go_on(lab, "db1")
        with holder.cursor() as cursor:
            cursor.execute("INSERT INTO lab.locked VALUES (1)")
        self.assert_nothing_lost(lab, "db1")

    def test_holder_is_named_where_the_server_knows(self):
        self.lock_before_stop(r"thread {thread} .*`lab`\.`locked`",
                              server_conf={"plugin_load_add": "metadata_lock_info"})

    def test_table_is_named_where_it_does_not(self):
        """Not those who wait behind our own statement: they are the victims."""
        self.lock_before_stop(r"`lab`\.`locked`")
        self.assertNotRegex(self.ran[-1].output, "blocked by: .*INSERT INTO written")

    def test_lock_taken_before_mha(self):
        lab = self.make_lab(helper_conf={"lock_wait_timeout": "2"})
        lab.sql("db1", "CREATE TABLE lab.locked (number INT)")
        lab.wait_until_replicating()
        before = support.lab_state(lab)
        holder = self.enterContext(contextlib.closing(lab.database("db1").connect(60)))
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLES lab.locked WRITE")
            outcome = self.switch(lab)
            self.assert_status(outcome, UNDONE)
            self.assertIn("`lab`.`locked`", outcome.output)
            self.assert_state(lab, before)
            cursor.execute("INSERT INTO lab.locked VALUES (1)")


if __name__ == "__main__":
    support.main()
