#!/usr/bin/python3
"""The native switch where replicas have replicas, and between two masters."""

import support
import topologies
from support import DONE, UNDONE, Lab, options

NATIVE = "--engine=native"
SERVERS = (("mariadb-10.11", "off"), ("mariadb-10.11", "on"), ("mysql-5.6", "off"),
           ("mysql-9.7", "on"))


class TopologiesTest(support.LabTest):
    def native_switch(self, lab: Lab, status: int, *extra: str) -> None:
        self.assert_status(self.switch(lab, NATIVE, *extra), status)

    def assert_all_equal(self, lab: Lab) -> None:
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_same_rows(lab)

    def third_tier(self, lab: Lab) -> None:
        """db3 keeps db2 as its source, whatever db2 becomes; it is no candidate itself."""
        topologies.third_tier(lab)
        lab.writer.start()
        before = support.lab_state(lab)
        self.native_switch(lab, 2, "--new_master_host=db1")
        self.native_switch(lab, UNDONE, "--new_master_host=db3")
        self.assertIn("db3 does not replicate from the master db1", self.ran[-1].output)
        self.assert_state(lab, before)
        for old, new in (("db1", "db2"), ("db2", "db1")):
            lab.wait_until_replicating()
            self.native_switch(lab, DONE, f"--new_master_host={new}")
            self.assert_only_master(lab, new)
            self.assert_writes_go_on(lab, new)
            self.assert_replicate_from(lab, new, old)
            # Where db2 is the master, db3 is its replica as any other, and goes with the others.
            self.assert_replicate_from(lab, {"db2": "db2", "db1": "db1"}[new], "db3")
        self.assert_all_equal(lab)

    def dual_master(self, lab: Lab) -> None:
        """The read-only one takes over and forgets its source; the former one follows it on."""
        topologies.dual_master(lab)
        lab.writer.start()
        for old, new in (("db1", "db2"), ("db2", "db1")):
            lab.wait_until_replicating()
            self.native_switch(lab, DONE, f"--new_master_host={new}")
            self.assert_only_master(lab, new)
            self.assert_writes_go_on(lab, new)
            self.assert_replicate_from(lab, new, old, "db3")
            self.assertIsNone(support.server_state(lab, new).source)
        self.assert_all_equal(lab)

    def dual_master_and_a_third(self, lab: Lab) -> None:
        """Of two masters and a replica the replica becomes the master: both follow it."""
        topologies.dual_master(lab)
        lab.writer.start()
        self.native_switch(lab, DONE, "--new_master_host=db3")
        self.assert_only_master(lab, "db3")
        self.assert_writes_go_on(lab, "db3")
        self.assert_replicate_from(lab, "db3", "db1", "db2")
        self.assertIsNone(support.server_state(lab, "db3").source)
        self.assert_all_equal(lab)

    def test_two_masters_that_both_take_writes(self):
        lab = self.make_lab()
        topologies.dual_master(lab)
        lab.sql("db2", "SET GLOBAL read_only=0")
        before = support.lab_state(lab)
        self.native_switch(lab, UNDONE)
        self.assertIn("two masters: db1, db2", self.ran[-1].output)
        self.assert_state(lab, before)

    def test_the_idle_master_is_dead(self):
        """Nobody may take that for the master's death."""
        lab = self.make_lab()
        topologies.dual_master(lab)
        lab.kill_mysqld("db2")
        self.native_switch(lab, UNDONE)
        self.assertIn("db1, which replicates from it, takes writes", self.ran[-1].output)
        self.assert_only_master(lab, "db1")
        outcome = self.failover(lab, "db2", NATIVE)
        self.assert_status(outcome, UNDONE)
        self.assertIn("db1: it has the virtual IP", outcome.output)
        self.assert_only_master(lab, "db1")
        self.assert_replicate_from(lab, "db1", "db3")


def _add_tests() -> None:
    for server, gtid in SERVERS:
        for name in ("third_tier", "dual_master", "dual_master_and_a_third"):
            def test(self, server=server, gtid=gtid, name=name):
                getattr(self, name)(self.make_lab(server=server, gtid=gtid))
            word = server.replace("-", "_").replace(".", "_")
            setattr(TopologiesTest, f"test_{name}_{word}_gtid_{gtid}", test)


_add_tests()

if __name__ == "__main__":
    support.main()
