#!/usr/bin/python3
"""Twenty-one of MHA's own test scenarios, by its names for them, with our engine.

What each scenario is about is MHA's; how it is set up here, and what is asserted, is ours. They run
by binary log position, as MHA knows it, with db2 as the candidate.
"""

import contextlib
import json

import matrix_cell
import support
import topologies
from matrix_cell import NATIVE
from support import DONE, INCOMPLETE, UNDONE, Eventually, Lab

MONITOR_LOCK = "MHA_Master_High_Availability_Monitor"


class Scenario(support.LabTest):
    def begin(self, **choices) -> Lab:
        lab = self.make_lab(**choices)
        lab.sql("db1", "CREATE TABLE lab.t (id INT PRIMARY KEY, text VARCHAR(100))")
        self.insert(lab, "db1", 1)
        lab.wait_until_replicating()
        return lab

    def insert(self, lab: Lab, host: str, *ids: int) -> None:
        for number in ids:
            lab.sql(host, "INSERT INTO lab.t VALUES (%s, 'a row')", (number,))

    def ids(self, lab: Lab, host: str) -> list[int]:
        """None where even the table has not come yet."""
        there = lab.sql(host, "SELECT 1 FROM information_schema.tables "
                              "WHERE table_schema = 'lab' AND table_name = 't'")
        if not there:
            return []
        return [row["id"] for row in lab.sql(host, "SELECT id FROM lab.t ORDER BY id")]

    def wait_for_ids(self, lab: Lab, host: str, wanted: list[int]) -> None:
        waiting = Eventually()
        while self.ids(lab, host) != wanted:
            self.assertFalse(waiting.over(), f"{host} has {self.ids(lab, host)}, not {wanted}")

    def assert_led_by(self, lab: Lab, master: str, *replicas: str, rows: int) -> None:
        """That many rows are on the master, and the next one reaches all its replicas."""
        self.assert_only_master(lab, master)
        self.assert_replicate_from(lab, master, *replicas)
        self.assertEqual(len(self.ids(lab, master)), rows)
        self.insert(lab, master, 10000003)
        for host in replicas:
            self.wait_for_ids(lab, host, self.ids(lab, master))


class OnlineScenariosTest(Scenario):
    def native_switch(self, lab: Lab, status: int, *extra: str) -> str:
        self.assert_status(self.switch(lab, NATIVE, "--new_master_host=db2", *extra), status)
        return self.ran[-1].output

    def test_online_normal(self):
        """The other replica follows the new master; the former one is left alone, read-only."""
        lab = self.begin()
        self.native_switch(lab, DONE, "--orig_master_is_new_slave=0")
        self.assert_led_by(lab, "db2", "db3", rows=1)
        self.assertIsNone(support.server_state(lab, "db1").source)
        self.assertTrue(lab.read_only("db1"))

    def test_online_slave(self):
        """The former master becomes a replica, and gets what the new one takes."""
        lab = self.begin()
        self.native_switch(lab, DONE)
        self.assert_led_by(lab, "db2", "db1", "db3", rows=1)

    def test_online_slave_sql_stop(self):
        """Refused while a replica's SQL thread is stopped, done once it runs."""
        lab = self.begin()
        lab.database("db3").stop_replica("SQL_THREAD")
        before = support.lab_state(lab)
        self.assertIn("db3: its SQL thread does not run", self.native_switch(lab, UNDONE))
        self.assert_state(lab, before)
        lab.database("db3").start_replica("SQL_THREAD")
        lab.wait_until_replicating()
        self.native_switch(lab, DONE)
        self.assert_led_by(lab, "db2", "db1", "db3", rows=1)

    def test_online_busy(self):
        """Readers of the new master hold nothing up; a locked table of the old one does."""
        lab = self.begin()
        for _ in range(15):
            lab.hosts["db2"].start_in_background(["mariadb", "-e", "SELECT SLEEP(100)"], "readers")
        waiting = Eventually()
        while sum("SLEEP" in (row["Info"] or "") for row in
                  lab.sql("db2", "SHOW PROCESSLIST")) < 15:
            self.assertFalse(waiting.over(), "the readers do not read")
        self.native_switch(lab, DONE, "--check")
        with contextlib.closing(lab.database("db1").connect()) as locker:
            with locker.cursor() as cursor:
                cursor.execute("LOCK TABLES lab.t WRITE")
            before = support.lab_state(lab)
            self.assertIn("`lab`.`t`", self.native_switch(lab, UNDONE), "what is locked")
            self.assert_state(lab, before)
        self.native_switch(lab, DONE)
        self.assert_led_by(lab, "db2", "db1", "db3", rows=1)

    def test_online_filter(self):
        """Refused while a replica filters what the new master does not, done once none does."""
        lab = self.begin()

        def filter_on_db3(tables: str) -> None:
            lab.database("db3").stop_replica()
            lab.sql("db3", "SET GLOBAL replicate_do_table=%s", (tables,))
            lab.database("db3").start_replica()
            lab.wait_until_replicating()

        filter_on_db3("lab.other")
        before = support.lab_state(lab)
        self.assertIn("db3: its replication filters differ", self.native_switch(lab, UNDONE))
        self.assert_state(lab, before)
        filter_on_db3("")
        self.native_switch(lab, DONE)
        self.assert_led_by(lab, "db2", "db1", "db3", rows=1)

    def test_advisory_select(self):
        """While a masterha_manager watches the master nobody else switches it."""
        lab = self.begin()
        lab.mha.start_manager()
        waiting = Eventually(60)
        while lab.sql("db1", "SELECT IS_USED_LOCK(%s) AS held", (MONITOR_LOCK,))[0]["held"] is None:
            self.assertFalse(waiting.over(), lab.mha.manager_log())
        before = support.lab_state(lab)
        self.assertIn("advisory lock", self.native_switch(lab, UNDONE))
        self.assert_state(lab, before)
        self.run_on_mgr(lab, ["masterha_stop", f"--conf={support.APPLICATION_CONF}"])
        while lab.sql("db1", "SELECT IS_USED_LOCK(%s) AS held", (MONITOR_LOCK,))[0]["held"]:
            self.assertFalse(waiting.over(), "masterha_stop")
        self.native_switch(lab, DONE)
        self.assert_led_by(lab, "db2", "db1", "db3", rows=1)

    def test_filter_incorrect(self):
        """Filters of the candidate alone, of its binary log or its replication, are refused."""
        for option, value, words in (
                ("binlog_do_db", "aaa", "binary log's filters differ"),
                ("replicate_ignore_db", "aaa", "replication filters differ"),
                ("replicate_do_table", "aaa.bbb", "replication filters differ")):
            with self.subTest(option):
                lab = self.begin()
                lab.kill_mysqld("db2")
                conf = lab.hosts["db2"].folder / "my.cnf"
                conf.write_text(conf.read_text("utf-8") + f"{option}={value}\n", encoding="utf-8")
                lab.start_mysqld("db2")
                lab.wait_until_replicating()
                before = support.lab_state(lab)
                self.assertIn(words, self.native_switch(lab, UNDONE))
                self.assert_state(lab, before)
                lab.down()


class DeadScenariosTest(Scenario):
    def fail_over(self, lab: Lab, status: int, *extra: str) -> dict:
        """mysqld of db1 is killed, and the failover ends with that exit code."""
        lab.kill_mysqld("db1")
        outcome = self.failover(lab, "db1", NATIVE, "--format=json", *extra)
        self.assert_status(outcome, status)
        said = matrix_cell.document(outcome)
        self.assertEqual(said["exit_code"], status, json.dumps(said))
        return said

    def stop_receiving(self, lab: Lab, *hosts: str) -> None:
        for host in hosts:
            lab.database(host).stop_replica("IO_THREAD")

    def assert_nothing_promoted(self, lab: Lab) -> None:
        self.assertEqual(lab.writable(), [])
        for host in ("db2", "db3"):
            self.assertEqual(support.server_state(lab, host).source, "db1")

    def test_normal_crash(self):
        """Nothing is amiss but the master's mysqld: the candidate leads, the other follows."""
        lab = self.begin()
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=1)

    def test_manual(self):
        """By hand, with the new master named: that one leads, candidate_master or not."""
        lab = self.begin()
        self.insert(lab, "db1", 2)
        lab.wait_until_replicating()
        self.fail_over(lab, DONE, "--new_master_host=db3")
        self.assert_led_by(lab, "db3", "db2", rows=2)

    def test_needsync_1(self):
        """The candidate has not received the last row, the other replica has: both end with it."""
        lab = self.begin()
        self.stop_receiving(lab, "db2")
        self.insert(lab, "db1", 2)
        self.wait_for_ids(lab, "db3", [1, 2])
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=2)

    def test_needsync_2(self):
        """The same with thousands of rows of which the candidate has the first thousand."""
        lab = self.begin()
        self.insert_many(lab, 2, 1000)
        self.wait_for_ids(lab, "db2", list(range(1, 1001)))
        self.stop_receiving(lab, "db2")
        self.insert_many(lab, 1001, 3001)
        self.wait_for_ids(lab, "db3", list(range(1, 3002)))
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=3001)

    def insert_many(self, lab: Lab, first: int, last: int) -> None:
        with contextlib.closing(lab.database("db1").connect()) as connection:
            with connection.cursor() as cursor:
                for number in range(first, last + 1):
                    cursor.execute("INSERT INTO lab.t VALUES (%s, REPEAT('x', 100))", (number,))

    def test_needsync_flush(self):
        """The master's binary log went on in a new file that the candidate has never seen."""
        lab = self.begin()
        self.stop_receiving(lab, "db2")
        lab.sql("db1", "FLUSH LOGS")
        self.insert(lab, "db1", 2)
        self.wait_for_ids(lab, "db3", [1, 2])
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=2)

    def test_save_master_log(self):
        """No replica has the last rows: they are fetched from the dead master's binary log."""
        lab = self.begin()
        self.stop_receiving(lab, "db2", "db3")
        self.insert(lab, "db1", 2, 3, 4, 5, 6)
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=6)

    def test_data_io_error(self):
        """The dead master's binary logs cannot be read: it goes on without, and says so."""
        lab = self.begin()
        self.stop_receiving(lab, "db2", "db3")
        self.insert(lab, "db1", 2)
        lab.kill_mysqld("db1")
        lab.hosts["db1"].must_run(["sh", "-c", "rm /var/lib/mysql/mysql-bin.*"])
        self.fail_over(lab, UNDONE, "--salvage=require")
        self.assert_nothing_promoted(lab)
        outcome = self.failover(lab, "db1", NATIVE, "--ignore_last_failover")
        self.assertIn(outcome.status, (DONE, INCOMPLETE), outcome.output)
        self.assertRegex(outcome.output, "(?i)binary log")
        self.assert_led_by(lab, "db2", "db3", rows=1)

    def test_recover_slave_fail(self):
        """A replica cannot apply what it lacks: the others go on, and that one is named."""
        lab = self.begin()
        self.stop_receiving(lab, "db3")
        self.insert(lab, "db1", 2, 3, 4, 5, 6)
        self.insert(lab, "db3", 4)
        self.wait_for_ids(lab, "db2", [1, 2, 3, 4, 5, 6])
        said = self.fail_over(lab, INCOMPLETE)
        self.assertIn("db3", json.dumps(said.get("leftovers", [])))
        self.assert_led_by(lab, "db2", rows=6)

    def test_recover_master_fail(self):
        """The candidate cannot apply what it lacks: nobody is promoted, and all is as it was."""
        lab = self.begin()
        self.stop_receiving(lab, "db2")
        self.insert(lab, "db1", 2, 3, 4, 5, 6)
        self.wait_for_ids(lab, "db3", [1, 2, 3, 4, 5, 6])
        self.insert(lab, "db2", 4)
        self.fail_over(lab, UNDONE, "--new_master_host=db2")
        self.assert_nothing_promoted(lab)

    def test_ignore_start(self):
        """A replica with ignore_fail is dead as well: the failover goes on without it."""
        lab = self.begin()
        self.set_of_server(lab, 3, ignore_fail="1")
        lab.kill_mysqld("db3")
        lab.kill_mysqld("db1")
        outcome = self.failover(lab, "db1", NATIVE)
        self.assertIn(outcome.status, (DONE, INCOMPLETE), outcome.output)
        self.assert_led_by(lab, "db2", rows=1)

    def set_of_server(self, lab: Lab, number: int, **values: str) -> None:
        """Adds to a server's section of MHA's configuration."""
        path = lab.path(support.APPLICATION_CONF)
        lines = "".join(f"{key}={value}\n" for key, value in values.items())
        text = path.read_text("utf-8").replace(f"[server{number}]\n", f"[server{number}]\n{lines}")
        lab.mha.write(support.APPLICATION_CONF, text)

    def test_slave_stop(self):
        """Refused while a replica is down that the conf does not let be, done once it is back."""
        lab = self.begin()
        lab.kill_mysqld("db3")
        self.fail_over(lab, UNDONE)
        self.assertEqual(lab.writable(), [])
        lab.start_mysqld("db3")
        self.fail_over(lab, DONE, "--ignore_last_failover")
        self.assert_led_by(lab, "db2", "db3", rows=1)

    def test_slave_sql_start(self):
        """A replica whose SQL thread was stopped runs afterwards, and has everything."""
        lab = self.begin()
        lab.database("db3").stop_replica("SQL_THREAD")
        self.insert(lab, "db1", 2)
        self.wait_for_ids(lab, "db2", [1, 2])
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=2)

    def test_mm_normal(self):
        """Of two masters the one that takes writes dies: the read-only one takes over."""
        lab = self.begin()
        topologies.dual_master(lab)
        self.insert(lab, "db1", 2, 3)
        self.wait_for_ids(lab, "db2", [1, 2, 3])
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=3)

    def test_3tier(self):
        """A replica of the new master's own keeps its source."""
        lab = self.begin()
        topologies.third_tier(lab)
        self.insert(lab, "db1", 2)
        self.wait_for_ids(lab, "db3", [1, 2])
        self.fail_over(lab, DONE)
        self.assert_led_by(lab, "db2", "db3", rows=2)


if __name__ == "__main__":
    support.main()
