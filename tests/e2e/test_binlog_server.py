#!/usr/bin/python3
"""[binlogN] of MHA's conf: a master whose host is gone, and a host that has copied its binary log."""

import json

import support
from matrix_cell import NATIVE, document
from support import APPLICATION_CONF, DONE, UNDONE, Lab

FOLDER = "/var/tmp/binlogs"
LOST_ROWS = 7


class BinlogServerTest(support.LabTest):
    def copy_binary_log(self, lab: Lab, host: str, first: str) -> None:
        """As the manual of mysqlbinlog has it, by the account that MHA comes with over SSH."""
        program = "mariadb-binlog" if lab.options.server.startswith("mariadb") else "mysqlbinlog"
        account = lab.options.replication_account
        lab.host(host).must_run(["install", "-d", "-o", lab.options.ssh_user, FOLDER])
        words = [program, "--read-from-remote-server", "--raw", "--stop-never", "--host=db1",
                 f"--user={account.user}", f"--password={account.password}",
                 f"--result-file={FOLDER}/", first]
        if program == "mysqlbinlog":
            words.insert(1, "--get-server-public-key")
        lab.host(host).start_in_background(
            ["runuser", "-u", lab.options.ssh_user, "--", *words], "mysqlbinlog.out")

    def add_section(self, lab: Lab, number: int, host: str, folder: str = FOLDER) -> None:
        text = lab.path(APPLICATION_CONF).read_text("utf-8")
        lab.mha.write(APPLICATION_CONF, f"{text}\n[binlog{number}]\nhostname={host}\n"
                      f"master_binlog_dir={folder}\n")

    def wait_until_copied(self, lab: Lab, host: str) -> None:
        name, position = lab.database("db1").position()
        waiting = support.Eventually()
        while True:
            done = lab.host(host).run(["stat", "-c", "%s", f"{FOLDER}/{name}"])
            if done.status == 0 and int(done.output) == position:
                return
            log = lab.host(host).run(["cat", f"{lab.host(host).folder_inside}/log/mysqlbinlog.out"])
            self.assertFalse(waiting.over(), f"{done} is to be {position}; {log}")

    def lose_the_master(self, lab: Lab) -> None:
        """Rows that the master acknowledged and no replica received; then its host is gone."""
        self.copy_binary_log(lab, "db3", lab.database("db1").position()[0])
        for host in ("db2", "db3"):
            lab.database(host).stop_replica("IO_THREAD")
        for number in range(LOST_ROWS):
            lab.sql("db1", "INSERT INTO lab.written VALUES (%s, 11)", (-1 - number,))
        self.wait_until_copied(lab, "db3")
        lab.stop_host("db1")

    def salvage(self, server: str, gtid: str) -> None:
        lab = self.make_lab(server=server, gtid=gtid)
        self.add_section(lab, 1, "db3")
        self.add_section(lab, 2, "db2", "/var/tmp")  # which has no logs
        self.lose_the_master(lab)
        outcome = self.failover(lab, "db1", NATIVE, "--format=json", "--salvage=require")
        self.assert_status(outcome, DONE)
        said = document(outcome)
        self.assertEqual(len(said["salvaged"]), LOST_ROWS, said)
        self.assertIn("binlog server db3 (binlog1)", json.dumps(said["leftovers"]))
        self.assertIn("binlog server db2 (binlog2): ", outcome.output)
        for host in ("db2", "db3"):
            waiting = support.Eventually()
            while len(lab.sql(host, "SELECT number FROM lab.written WHERE number < 0")) != LOST_ROWS:
                self.assertFalse(waiting.over(), host)
        self.assert_only_master(lab, "db2")
        self.assert_replicate_from(lab, "db2", "db3")
        lab.writer.start()
        self.assert_writes_go_on(lab, "db2")
        self.assert_nothing_lost(lab, "db2", "db3")

    def test_mariadb_by_position(self):
        self.salvage("mariadb-10.11", "off")

    def test_mariadb_by_gtid(self):
        self.salvage("mariadb-10.11", "on")

    def test_mysql_by_gtid(self):
        self.salvage("mysql-9.7", "on")

    def test_none_that_has_the_log(self):
        """MHA ends there; --salvage=require does, and puts the replicas back."""
        lab = self.make_lab()
        self.add_section(lab, 1, "db3")
        lab.host("db3").must_run(["mkdir", FOLDER])
        lab.stop_host("db1")
        outcome = self.failover(lab, "db1", NATIVE, "--salvage=require")
        self.assert_status(outcome, UNDONE)
        self.assertIn("binlog server db3 (binlog1): ", outcome.output)
        self.assertEqual(lab.writable(), [])
        for host in ("db2", "db3"):
            self.assertEqual(support.server_state(lab, host).sql_thread, "Yes")


if __name__ == "__main__":
    support.main()
