#!/usr/bin/python3
"""The switch by our own engine: there and back with a client writing, by GTID and by position."""

import json
import re

import support
from support import DONE, UNDONE, Lab, options

NATIVE = "--engine=native"


def use_gtids(lab: Lab) -> None:
    """Lets the replicas follow by MariaDB's GTIDs; the lab begins by position."""
    for name in options.DATABASE_HOSTS:
        if lab.database(name).replica_status() is None:
            continue
        for statement in ("STOP SLAVE", "CHANGE MASTER TO master_use_gtid=slave_pos",
                          "START SLAVE"):
            lab.sql(name, statement)
    lab.wait_until_replicating()


class NativeSwitchTest(support.LabTest):
    def there_and_back(self, lab: Lab, using_gtid: str) -> None:
        lab.writer.start()
        for old, new in (("db1", "db2"), ("db2", "db1")):
            lab.wait_until_replicating()
            outcome = self.switch(lab, NATIVE, f"--new_master_host={new}")
            self.assert_status(outcome, DONE)
            self.assert_only_master(lab, new)
            self.assert_writes_go_on(lab, new)
            self.assert_replicate_from(lab, new, old, "db3")
            self.assertIsNone(support.server_state(lab, new).source, "it has forgotten its source")
            for name in (old, "db3"):
                self.assertEqual(lab.database(name).replica_status()["Using_Gtid"], using_gtid)
            self.assert_no_secret(lab, outcome.output)
            said = re.search(r"clients waited for ([0-9.]+) ms", outcome.output)
            self.assertIsNotNone(said, outcome.output)
            gap = lab.writer.journal().longest_gap()
            print(f"\n    {old} -> {new}: we say {said[1]} ms, longest gap so far {gap.ms:.0f} ms")
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_same_rows(lab)
        self.assert_rows_in_order_of_masters(lab, "db1", "db2", "db1")

    def assert_rows_in_order_of_masters(self, lab: Lab, *masters: str,
                                        table: str = "written") -> None:
        """Each row says which server took it: the masters took theirs one after the other."""
        rows = lab.sql(masters[-1], f"SELECT server_id FROM lab.{table} ORDER BY number")
        order: list[int] = []
        for row in rows:
            if not order or order[-1] != row["server_id"]:
                order.append(row["server_id"])
        self.assertEqual(order, [options.HOST_NUMBERS[name] for name in masters])

    def test_by_position(self):
        self.there_and_back(self.make_lab(), "No")

    def test_by_gtid(self):
        lab = self.make_lab()
        use_gtids(lab)
        self.there_and_back(lab, "Slave_Pos")

    def events(self, lab: Lab, host: str) -> dict[str, tuple]:
        return {row["EVENT_NAME"]: (row["STATUS"], row["DEFINER"])
                for row in lab.sql(host, "SELECT * FROM information_schema.EVENTS")}

    def wait_for_ticks(self, lab: Lab, master: str, count: int) -> None:
        """So many more rows than now, of that server's event."""
        query = ("SELECT COUNT(*) AS n FROM lab.ticks "
                 f"WHERE server_id = {options.HOST_NUMBERS[master]}")
        wanted = lab.sql(master, query)[0]["n"] + count
        waiting = support.Eventually()
        while lab.sql(master, query)[0]["n"] < wanted:
            self.assertFalse(waiting.over(), f"{master} runs its event: {self.events(lab, master)}")

    def test_events_move_with_the_master(self):
        """An event runs on the master and nowhere else, there and back, with its own definer."""
        lab = self.make_lab(server_conf={"event_scheduler": "1"})
        for statement in (
                "CREATE TABLE lab.ticks (number INT AUTO_INCREMENT PRIMARY KEY, server_id INT)",
                "GRANT EVENT ON lab.* TO app@`%`",
                "CREATE DEFINER=app@`%` EVENT lab.tick ON SCHEDULE EVERY 1 SECOND "
                "DO INSERT INTO lab.ticks (server_id) VALUES (@@server_id)",
                "CREATE DEFINER=app@`%` EVENT lab.off ON SCHEDULE EVERY 1 SECOND DISABLE "
                "DO INSERT INTO lab.ticks (server_id) VALUES (0)"):
            lab.sql("db1", statement)
        self.wait_for_ticks(lab, "db1", 2)
        for old, new in (("db1", "db2"), ("db2", "db1"), ("db1", "db2")):
            lab.wait_until_replicating()
            outcome = self.switch(lab, NATIVE, f"--new_master_host={new}")
            self.assert_status(outcome, DONE)
            self.wait_for_ticks(lab, new, 2)
            lab.wait_until_replicating()
            self.assertEqual(self.events(lab, new)["tick"], ("ENABLED", "app@%"))
            for name in (old, "db3"):
                self.assertEqual(self.events(lab, name)["tick"], ("SLAVESIDE_DISABLED", "app@%"),
                                 name)
            for name in options.DATABASE_HOSTS:
                self.assertNotEqual(self.events(lab, name)["off"][0], "ENABLED", name)
        lab.sql("db2", "ALTER EVENT lab.tick DISABLE")
        self.assert_same_rows(lab, "lab.ticks")
        self.assert_rows_in_order_of_masters(lab, "db1", "db2", "db1", "db2", table="ticks")

    def test_check_changes_nothing_and_names_every_reason(self):
        lab = self.make_lab()
        before = support.lab_state(lab)
        outcome = self.switch(lab, NATIVE, "--check")
        self.assert_status(outcome, DONE)
        plan = self.switch(lab, NATIVE, "--dry_run")
        self.assert_status(plan, DONE)
        self.assertIn("point of no return", plan.output)
        self.assert_state(lab, before)

        lab.sql("db3", "STOP SLAVE SQL_THREAD")
        lab.system.write_sudoers("db2", "")
        before = support.lab_state(lab)
        outcome = self.switch(lab, NATIVE, "--check", "--format=json", "--new_master_host=db2")
        self.assert_status(outcome, UNDONE)
        document = json.loads(outcome.output[outcome.output.index("{"):
                                             outcome.output.rindex("}") + 1])
        hosts = {problem["host"] for problem in document["problems"]}
        self.assertEqual(hosts, {"db2", "db3"}, document)
        self.assert_state(lab, before)

    def test_a_lock_in_the_way_is_named_and_all_is_put_back(self):
        lab = self.make_lab(server_conf={"event_scheduler": "1"})
        lab.writer.start()
        lab.writer.wait_for_writes(50)
        before = support.lab_state(lab)
        blocker = lab.database("db1").connect()
        with blocker.cursor() as cursor:
            cursor.execute("LOCK TABLES lab.written WRITE")
        outcome = self.switch(lab, NATIVE)
        self.assert_status(outcome, UNDONE)
        self.assertIn("`lab`.`written`", outcome.output, "what is locked")
        self.assert_state(lab, before)
        self.assertEqual(lab.sql("db1", "SELECT @@event_scheduler AS e")[0]["e"], "ON")
        blocker.close()
        self.assert_writes_go_on(lab, "db1")
        self.assert_nothing_lost(lab, "db1", "db2", "db3")


if __name__ == "__main__":
    support.main()
