#!/usr/bin/python3
"""The MySQL account with what README asks for and nothing more: a switch and a failover by our own engine.

Each privilege that is taken away is named by --check.
"""

import pathlib
import re

import support
from matrix_cell import NATIVE, document
from support import DONE, UNDONE, Lab

README = pathlib.Path(__file__).resolve().parents[2] / "README.rst"
UNSEEN_ROWS = 3
NIGHTLY = "lab.nightly"


def privileges_of(line: str) -> list[str]:
    """What README's table says in the line that begins so; a line may be broken."""
    table = README.read_text("utf-8").split("**The MySQL account**", 1)[1]
    found = re.search(rf"^{re.escape(line)} +``([^`]+)``", table, re.MULTILINE)
    return [" ".join(name.split()) for name in found[1].split(",")]


def on_what(privilege: str) -> str:
    return privilege if " ON " in privilege else f"{privilege} ON *.*"


class PrivilegesTest(support.LabTest):
    def make(self, server: str, gtid: str, privileges: list[str]) -> Lab:
        """The lab's account has everything: it is made anew, on the master, by replication on all."""
        lab = self.make_lab(server=server, gtid=gtid)
        account = lab.options.mha_account
        lab.sql("db1", f"DROP USER {account.user}@'%'")
        lab.sql("db1", "CREATE USER %s@'%%' IDENTIFIED BY %s", (account.user, account.password))
        for privilege in privileges:
            self.change(lab, "GRANT", privilege, "TO")
        lab.wait_until_replicating()
        return lab

    def change(self, lab: Lab, verb: str, privilege: str, whom: str) -> None:
        lab.sql("db1", f"{verb} {on_what(privilege)} {whom} {lab.options.mha_user}@'%'")

    def assert_each_is_named(self, lab: Lab, privileges: list[str]) -> None:
        for privilege in privileges:
            self.change(lab, "REVOKE", privilege, "FROM")
            lab.wait_until_replicating()
            outcome = self.switch(lab, NATIVE, "--check")
            self.assert_status(outcome, UNDONE)
            self.assertIn(f"the user '{lab.options.mha_user}' lacks {privilege};", outcome.output)
            self.assertIn(f"GRANT {on_what(privilege)} TO", outcome.output)
            self.change(lab, "GRANT", privilege, "TO")
        lab.wait_until_replicating()

    def assert_enough(self, lab: Lab) -> None:
        """A switch with an event to bring over, back again, and a failover that salvages."""
        account = lab.options.mha_account
        lab.sql("db1", "CREATE DEFINER=%s@'%%' EVENT " + NIGHTLY + " ON SCHEDULE EVERY 1 DAY "
                "STARTS NOW() + INTERVAL 1 DAY DO DO 0", (account.user,))
        lab.wait_until_replicating()
        self.assert_status(self.switch(lab, NATIVE, "--check"), DONE)
        lab.writer.start()
        lab.writer.wait_for_writes(50)
        self.assert_status(self.switch(lab, NATIVE), DONE)
        self.assert_only_master(lab, "db2")
        self.assertEqual(lab.sql("db2", "SELECT STATUS FROM information_schema.EVENTS")[0]["STATUS"],
                         "ENABLED")
        self.assert_writes_go_on(lab, "db2")
        lab.wait_until_replicating()
        self.assert_status(self.switch(lab, NATIVE), DONE)
        self.assert_only_master(lab, "db1")
        lab.wait_until_replicating()
        self.assert_nothing_lost(lab, "db1", "db2", "db3")

        for host in ("db2", "db3"):
            lab.database(host).stop_replica("IO_THREAD")
        for number in range(UNSEEN_ROWS):
            lab.sql("db1", "INSERT INTO lab.written VALUES (%s, 11)", (-1 - number,))
        lab.kill_mysqld("db1")
        self.assert_status(self.failover(lab, "db1", NATIVE, "--check"), DONE)
        outcome = self.failover(lab, "db1", NATIVE, "--format=json", "--salvage=require")
        self.assert_status(outcome, DONE)
        self.assertEqual(len(document(outcome)["salvaged"]), UNSEEN_ROWS, outcome.output)
        self.assert_only_master(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")

    def try_out(self, server: str, gtid: str, line: str) -> None:
        privileges = privileges_of(line)
        lab = self.make(server, gtid, privileges)
        self.assert_each_is_named(lab, privileges)
        self.assert_enough(lab)

    def test_mysql_5_6(self):
        self.try_out("mysql-5.6", "on", "MySQL 5.6 and 5.7")

    def test_mysql_9_7(self):
        self.try_out("mysql-9.7", "on", "MySQL 8.4 and newer")

    def test_mariadb_10_11(self):
        self.try_out("mariadb-10.11", "on", "MariaDB 10.11")

    def test_mariadb_11_8(self):
        self.try_out("mariadb-11.8", "on", "MariaDB 11.0 and up")

    def test_mariadb_10_11_by_position(self):
        self.try_out("mariadb-10.11", "off", "MariaDB 10.11")


if __name__ == "__main__":
    support.main()
