#!/usr/bin/python3
"""The lab with each database server that it knows, by GTID and by position: it replicates, and lives on.

No switch: MHA cannot drive most of these. What the engine will be tested in must be sound itself.
"""

import support
from halab import servers
from halab.options import DATABASE_HOSTS
from support import Lab

REPLICAS = DATABASE_HOSTS[1:]


class ServersTest(support.LabTest):
    def replicate(self, server: str, gtid: str) -> None:
        """Rows reach all servers, also one that was killed meanwhile; then everything is equal."""
        lab = self.make_lab(server=server, gtid=gtid, hooks="shell")
        family, _, version = server.partition("-")
        for host in DATABASE_HOSTS:
            said = lab.database(host).version()
            self.assertTrue(said.startswith(f"{version}."), said)
            self.assertEqual("MariaDB" in said, family == "mariadb", said)
        self.assert_only_master(lab, "db1")
        self.assert_replicates_by(lab, gtid)

        lab.writer.start()
        lab.kill_mysqld("db3")
        self.assertIsNone(lab.database("db3").pid())
        lab.writer.wait_for_writes(100)
        lab.start_mysqld("db3")
        self.assertTrue(lab.read_only("db3"))
        self.assert_replicate_from(lab, "db1", *REPLICAS)
        self.assert_writes_go_on(lab, "db1")
        self.assert_nothing_lost(lab, *DATABASE_HOSTS)
        self.assert_same_rows(lab)
        self.assert_same_gtids(lab, gtid)

        # The master too comes back as a failed one should: read-only, with what it had.
        lab.kill_mysqld("db1")
        lab.start_mysqld("db1")
        self.assertEqual(lab.writable(), [])
        self.assert_same_gtids(lab, gtid)

    def assert_replicates_by(self, lab: Lab, gtid: str) -> None:
        for host in REPLICAS:
            status = lab.database(host).replica_status()
            if lab.options.server.startswith("mariadb"):
                self.assertEqual(status["Using_Gtid"], {"on": "Slave_Pos", "off": "No"}[gtid])
            else:
                self.assertEqual(int(status["Auto_Position"]), {"on": 1, "off": 0}[gtid])
                mode = lab.sql(host, "SELECT @@GLOBAL.gtid_mode AS value")[0]["value"]
                self.assertEqual(mode, gtid.upper())

    def assert_same_gtids(self, lab: Lab, gtid: str) -> None:
        found = {host: lab.database(host).gtids() for host in DATABASE_HOSTS}
        self.assertEqual(len(set(found.values())), 1, found)
        self.assertEqual(bool(found["db1"]), gtid == "on", found)


def _add_tests() -> None:
    """A test for each server and way to replicate, so that each is named where it fails."""
    for server in servers.NAMES:
        for gtid in ("on", "off"):
            def test(self, server=server, gtid=gtid):
                self.replicate(server, gtid)
            word = server.replace("-", "_").replace(".", "_")
            setattr(ServersTest, f"test_{word}_gtid_{gtid}", test)


_add_tests()

if __name__ == "__main__":
    support.main()
