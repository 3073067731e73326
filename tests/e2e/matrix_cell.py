"""What the cells of the matrix share: their lab, and what is looked at from outside."""

import json
from collections.abc import Callable

import support
from support import Lab, Line, Outcome, options

NATIVE = "--engine=native"
DATABASE_HOSTS = options.DATABASE_HOSTS


def document(outcome: Outcome) -> dict:
    """What --format=json printed, among the lines of the log."""
    text = outcome.output
    return json.loads(text[text.index("{\n"):text.rindex("\n}") + 2])


class Cell(support.LabTest):
    """A test of one server and one way to replicate; the runner's classes say which."""

    server = ""
    gtid = ""

    def lab(self, **choices) -> Lab:
        return self.make_lab(server=self.server, gtid=self.gtid, **choices)

    @property
    def is_mariadb(self) -> bool:
        return self.server.startswith("mariadb")

    @property
    def tells_errant_transactions(self) -> bool:
        """MariaDB numbers its transactions always; MySQL does with GTIDs only."""
        return self.gtid == "on" or self.is_mariadb

    def native_switch(self, lab: Lab, status: int, *extra: str, **how) -> dict:
        outcome = self.switch(lab, NATIVE, "--format=json", *extra, **how)
        self.assert_status(outcome, status)
        self.assert_no_secret(lab, outcome.output)
        said = document(outcome)
        self.assertEqual(said["exit_code"], status)
        return said

    # What must hold.

    def assert_way_of_replication(self, lab: Lab, *replicas: str) -> None:
        """Each still replicates as the lab began: by GTID or by position."""
        for host in replicas:
            status = lab.database(host).replica_status()
            if self.is_mariadb:
                self.assertEqual(status["Using_Gtid"], {"on": "Slave_Pos", "off": "No"}[self.gtid])
            else:
                self.assertEqual(int(status["Auto_Position"]), {"on": 1, "off": 0}[self.gtid])

    def assert_new_master(self, lab: Lab, new: str, *replicas: str) -> None:
        """One writable server, which has the address, a client that writes, and all that follow."""
        self.assert_only_master(lab, new)
        self.assert_writes_go_on(lab, new)
        self.assert_replicate_from(lab, new, *replicas)
        self.assert_way_of_replication(lab, *replicas)
        self.assertIsNone(support.server_state(lab, new).source, "it has forgotten its source")

    def assert_masters_in_turn(self, lab: Lab, *masters: str) -> None:
        """Each row says which server took it: the masters took theirs one after the other."""
        rows = lab.sql(masters[-1], "SELECT server_id FROM lab.written ORDER BY number")
        order: list[int] = []
        for row in rows:
            if not order or order[-1] != row["server_id"]:
                order.append(row["server_id"])
        self.assertEqual(order, [options.HOST_NUMBERS[name] for name in masters])

    def assert_problem(self, said: dict, host: str, words: str) -> None:
        """Among the reasons one names the host and says that; each has a remedy."""
        found = [problem["what"] for problem in said["problems"] if problem["host"] == host]
        self.assertTrue(any(words in what for what in found), said)
        for problem in said["problems"]:
            self.assertTrue(problem["remedy"], problem)


def once(words: str, act: Callable[[], None]) -> Callable[[Line], None]:
    """For on_line: does that at the first line with these words, which manager_log may repeat."""
    seen: list[Line] = []

    def on_line(line: Line) -> None:
        if words in line.text:
            seen.append(line)
            if len(seen) == 1:
                act()

    return on_line


class HeldReplica:
    """A replica whose SQL thread waits for a lock; what it waits at is `age` seconds old.

    Seconds_Behind_Master then says `age` at once, and goes on counting.
    """

    def __init__(self, lab: Lab, host: str, age: int) -> None:
        lab.sql(options.FIRST_MASTER, "CREATE TABLE lab.aged (number INT PRIMARY KEY)")
        lab.database(host).wait_for(lab.database(options.FIRST_MASTER).position())
        self._blocker = lab.database(host).connect()
        with self._blocker.cursor() as cursor:
            cursor.execute("LOCK TABLES lab.aged WRITE")
        master = lab.database(options.FIRST_MASTER).connect()
        with master.cursor() as cursor:
            cursor.execute("SET TIMESTAMP = UNIX_TIMESTAMP() - %s", (age,))
            cursor.execute("INSERT INTO lab.aged VALUES (1)")
        master.close()
        waiting = support.Eventually()
        while (lab.database(host).replica_status()["Seconds_Behind_Master"] or 0) < age:
            if waiting.over():
                raise AssertionError(f"{host} is not behind")

    def release(self) -> None:
        self._blocker.close()
