#!/usr/bin/python3
"""Our own process is killed in the middle of a switch: another one undoes it, or carries it on.

die_at.cc ends it exactly before one of its effects. One lab serves a whole series: db1 and db2
change places as switches are finished. All the time a client writes through the virtual IP, and
after each kill others write on every server that takes it, as those do who know servers by their own
addresses.
"""

import re
import typing

import crowds
import faults
import support
from support import DONE, NOT_UNDONE, UNDONE, Lab, options

KILLED = 137
LOG = support.SIGNALS + "/effects"
NEVER = -1
BEGIN = '"event":"step_begin"'  # in the journal: the plan has begun

# What a switch by position says to MariaDB and to its journal, step by step; not made where it
# dies. What goes over SSH cannot be read: it lies between these, and test_anywhere comes there.
STEPS = {
    "before anything": BEGIN,
    "the candidate is read-only": "SET GLOBAL read_only='ON'",
    "clients are ended": "KILL ",
    "the candidate catches up": "MASTER_POS_WAIT",
    "the candidate stops replicating": "STOP SLAVE",
    "the handover is noted": '"event":"handover"',
    "the candidate is writable": "SET GLOBAL read_only='OFF'",
    "the point of no return is noted": '"event":"point_of_no_return"',
    "the source is forgotten": "RESET SLAVE ALL",
    "a replica is pointed elsewhere": "CHANGE MASTER TO",
    "replication is started": "START SLAVE",
    "all is over": '"event":"end"',
}


class Effect(typing.NamedTuple):
    number: int
    made: bool
    text: str


class KilledTest(support.LabTest):
    def begin(self, **choices) -> Lab:
        lab = self.make_lab(**choices)
        lab.sql("db1", "CREATE TABLE lab.kept (id INT AUTO_INCREMENT PRIMARY KEY)")
        lab.writer.start()
        self.master, self.other = "db1", "db2"
        self.kept = 0
        return lab

    def command(self, lab: Lab, *extra: str) -> list[str]:
        return [lab.mha.program("mysql_online_failover"), "-c", support.APPLICATION_CONF,
                "--interactive=0", "--engine=native", *extra]

    def switch_until(self, lab: Lab, text: str, count: int) -> list[Effect]:
        """Begins a switch that ends before effect `count` from `text` on; what it did, and that."""
        lab.path(LOG).unlink(missing_ok=True)
        lab.wait_until_replicating()
        outcome = self.run_on_mgr(
            lab, ["env", f"LD_PRELOAD={faults.DIE_AT}", f"DIE_AT_FROM={BEGIN}", f"DIE_AT_TEXT={text}",
                  f"DIE_AT_COUNT={count}", f"DIE_AT_LOG={LOG}",
                  *self.command(lab, f"--new_master_host={self.other}")])
        self.assert_status(outcome, DONE if count == NEVER else KILLED)
        effects = []
        for line in lab.path(LOG).read_text("utf-8").splitlines():
            number, what, rest = re.fullmatch(r"(\d+) (made|not made) (.*)", line).groups()
            effects.append(Effect(int(number), what == "made", rest))
        self.assertEqual([effect.made for effect in effects[:-1]].count(False), 0)
        self.assertEqual(effects[-1].made, count == NEVER)
        return effects

    def write_where_it_works(self, lab: Lab) -> None:
        for host in lab.writable():
            lab.sql(host, "INSERT INTO lab.kept VALUES ()")
            self.kept += 1

    def answer(self, lab: Lab, way: str) -> str:
        """Another process finishes what the dead one left, and finds its own way where it must.

        Returns what became of the switch.
        """
        self.write_where_it_works(lab)
        taken_over = self.other in lab.writable()
        holders = lab.vip_holders()
        self.assertLessEqual(len(holders), 1)
        if way == "rollback" and not taken_over:
            refused = self.run_on_mgr(lab, self.command(lab))
            self.assert_status(refused, UNDONE)
            self.assertIn("--resume or --rollback", refused.output)
            self.assertEqual(lab.vip_holders(), holders)
            self.assert_status(self.run_on_mgr(lab, self.command(lab, "--rollback")), DONE)
            became = "rolled back"
        else:
            if taken_over:
                refused = self.run_on_mgr(lab, self.command(lab, "--rollback"))
                if "there is no unfinished switch" in refused.output:
                    # It was killed behind its end, while it filed its papers.
                    self.assert_status(refused, UNDONE)
                    self.master, self.other = self.other, self.master
                    return self.assert_ended(lab, "ended")
                self.assert_status(refused, NOT_UNDONE)
                self.assertIn("--resume", refused.output)
                self.assertEqual(lab.vip_holders(), holders)
            self.assert_status(self.run_on_mgr(
                lab, self.command(lab, "--resume", f"--new_master_host={self.other}")), DONE)
            became = "carried on" if taken_over else "begun anew"
            self.master, self.other = self.other, self.master
        return self.assert_ended(lab, became)

    def assert_ended(self, lab: Lab, became: str) -> str:
        self.assert_only_master(lab, self.master)
        self.assert_replicate_from(lab, self.master, self.other, "db3")
        self.assert_writes_go_on(lab, self.master)
        self.assertEqual(lab.sql(self.master, "SELECT COUNT(*) AS n FROM lab.kept")[0]["n"],
                         self.kept, "rows that servers took after the kill")
        again = self.run_on_mgr(lab, self.command(lab, "--resume"))
        self.assert_status(again, UNDONE)
        self.assertIn("there is no unfinished switch", again.output)
        return became

    def assert_all_well(self, lab: Lab) -> None:
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_same_rows(lab)
        self.assert_same_rows(lab, "lab.kept")

    def test_before_each_step(self):
        lab = self.begin()
        became = set()
        for what, text in STEPS.items():
            for way in ("rollback", "resume"):
                if text == "KILL ":
                    # Somebody to end: the writer may just be between two connections.
                    crowds.CrowdOf(lab, f"idle-{way}", lab.options.vip, "app",
                                   lab.options.app_password, idle=2, writers=0)
                effects = self.switch_until(lab, text, 0)
                self.assertIn(text, effects[-1].text, what)
                became.add(self.answer(lab, way))
        self.assertEqual(became, {"rolled back", "begun anew", "carried on"})
        self.assert_all_well(lab)

    def anywhere(self, lab: Lab, stride: int, first: int = 0) -> None:
        """Before every `stride`-th of all that a switch sends and writes."""
        effects = self.switch_until(lab, "", NEVER)
        self.master, self.other = self.other, self.master
        became = set()
        # Threads change the order a little from run to run: the last few may come to none.
        for count in range(first, len(effects) - 5, stride):
            self.switch_until(lab, "", count)
            became.add(self.answer(lab, ("rollback", "resume")[count // stride % 2]))
        self.assertLessEqual({"rolled back", "begun anew", "carried on"}, became)
        self.assert_all_well(lab)

    def test_anywhere_by_position(self):
        self.anywhere(self.begin(), 6)

    def test_anywhere_by_gtid_on_mysql_9_7(self):
        self.anywhere(self.begin(server="mysql-9.7", gtid="on"), 9, 3)


if __name__ == "__main__":
    support.main()
