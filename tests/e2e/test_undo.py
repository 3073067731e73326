#!/usr/bin/python3
"""Online switches that fail after something was changed: everything is put back as it was found."""

import contextlib

import crowds
import faults
import support
from support import HERE, NOT_UNDONE, UNDONE, Lab, Outcome, options

# Short deadlines where a test has to wait for one of them.
QUICK = {"operation_timeout": "4", "lock_wait_timeout": "2"}
STOPPED = "taking the clients off the original master: done"
WAITING = "Waiting 30 seconds for application threads to disconnect"


class Undo(support.LabTest):
    def begin(self, **choices) -> Lab:
        lab = self.make_lab(**faults.with_halting_hook(kill_after_timeout=0, **choices))
        lab.writer.start()
        self.before = support.lab_state(lab)
        return lab

    def assert_put_back(self, lab: Lab, outcome: Outcome, status: int = UNDONE) -> None:
        self.assert_status(outcome, status)
        self.assert_state(lab, self.before)
        self.assert_writes_go_on(lab, "db1")

    def assert_all_put_back(self, lab: Lab, outcome: Outcome) -> None:
        self.assert_put_back(lab, outcome)
        stop = support.journals(lab, "online_stop")[-1]
        self.assertEqual(stop.ending, UNDONE)
        self.assert_no_secret(lab, outcome.output)
        # A switch that is put back is one that can be tried again.
        faults.clear(lab)
        lab.wait_until_replicating()
        self.assert_status(self.switch(lab), support.DONE)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_same_rows(lab)


class MhaFailsTest(Undo):
    """Our stop has succeeded, and MHA ends before our start."""

    def test_start_hook_of_somebody_else_fails(self):
        lab = self.begin()
        faults.fail_hook(lab, "start", 1)
        outcome = self.switch(lab)
        self.assertIn(STOPPED, outcome.output)
        self.assert_all_put_back(lab, outcome)

    def test_mha_is_killed(self):
        lab = self.begin()
        halt = faults.Halt(lab, "after-stop", lambda: faults.kill_mha(lab))
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assertIn("signal 9", outcome.output)
        self.assert_all_put_back(lab, outcome)

    def test_mha_is_killed_before_start(self):
        """By now MHA has stopped the new master's replication."""
        lab = self.begin()
        halt = faults.Halt(lab, "before-start", lambda: faults.kill_mha(lab))
        faults.fail_hook(lab, "start", 1)
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assert_all_put_back(lab, outcome)

    def test_operator_interrupts_mha(self):
        lab = self.begin()
        (lab.path(support.SIGNALS) / "halt-after-stop").touch()
        outcome = self.run_on_mgr(lab, [
            str(HERE / "terminal.py"), "--interrupt-after=halting_hook: after-stop", "--",
            lab.mha.program("mysql_online_failover"), "--engine=mha", "-c",
            support.APPLICATION_CONF])
        self.assertIn(STOPPED, outcome.output)
        self.assert_all_put_back(lab, outcome)

    def test_new_master_does_not_catch_up(self):
        """MHA gives up waiting for the relay log. Who stopped its thread is not our affair."""
        lab = self.begin()

        def stop_and_forget() -> None:
            lab.sql("db2", "STOP SLAVE SQL_THREAD")

        halt = faults.Halt(lab, "after-stop", stop_and_forget)
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assertIn(STOPPED, outcome.output)
        self.assert_status(outcome, UNDONE)
        self.assert_only_master(lab, "db1")
        self.assert_writes_go_on(lab, "db1")
        self.assert_replicate_from(lab, "db1", "db3")

    def test_address_that_somebody_took_meanwhile(self):
        """It cannot be given back, and that is said with the command that mends it."""
        lab = self.begin()
        halt = faults.Halt(lab, "after-stop", lambda: (lab.add_vip("mgr"), faults.kill_mha(lab)))
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assert_status(outcome, NOT_UNDONE)
        self.assertEqual(lab.writable(), ["db1"])
        self.assertEqual(lab.vip_holders(), ["mgr"])
        self.assertIn("not put back: ensure_vip_absent db1", outcome.output)
        self.assertIn("by hand: sudo ip addr add 10.77.0.100/24 dev eth0", outcome.output)
        self.assert_replicate_from(lab, "db1", "db2", "db3")


class StopEndsEarlyTest(Undo):
    def begin_with_idle_client(self) -> Lab:
        """Who keeps an idle connection has half a minute to leave. No wrapper round the hook."""
        lab = self.make_lab(kill_after_timeout=30)
        lab.writer.start()
        self.session = self.enterContext(contextlib.closing(lab.database("db1").connect(60)))
        self.before = support.lab_state(lab)
        return lab

    def assert_undone_at_once(self, lab: Lab, outcome: Outcome) -> None:
        self.assertLess(outcome.end - outcome.begin, 15)
        self.assert_put_back(lab, outcome)
        self.assertEqual(support.journals(lab, "online_stop")[-1].ending, UNDONE)
        with self.session.cursor() as cursor:
            cursor.execute("SELECT 1")  # not ended: it was never its turn
        left = lab.hosts["mgr"].run(["pgrep", "-f", f"bin/[{support.ONLINE_HOOK[0]}]"
                                     + support.ONLINE_HOOK[1:]])
        self.assertEqual(left.output, "", "a hook that goes on alone")

    def test_operator_interrupts_stop(self):
        """Ctrl-C while clients are given time to leave."""
        lab = self.begin_with_idle_client()
        outcome = self.run_on_mgr(lab, [
            str(HERE / "terminal.py"), f"--interrupt-after={WAITING}", "--",
            lab.mha.program("mysql_online_failover"), "--engine=mha", "-c",
            support.APPLICATION_CONF])
        self.assert_undone_at_once(lab, outcome)

    def test_mha_is_killed_during_stop(self):
        """The hook notices that nobody goes on from there."""
        lab = self.begin_with_idle_client()

        def kill_while_waiting(line: support.Line) -> None:
            if WAITING in line.text:
                faults.kill_mha(lab)

        outcome = self.switch(lab, on_line=kill_while_waiting)
        self.assertIn("signal 9", outcome.output)
        self.assert_undone_at_once(lab, outcome)

    def test_stop_is_killed(self):
        """SIGKILL in each of its steps: the next process undoes them from the journal."""
        lab = self.begin()
        crowds.make_table(lab)
        for number, text in enumerate((
                '"ensure_read_only db2:3306"',
                '"ensure_read_only db1:3306"',
                '"ensure_no_clients db1:3306 with writes off"',
                '"ensure_vip_absent db1"',
                '"ensure_no_clients db1:3306 with the virtual IP off"')):
            with self.subTest(text):
                faults.clear(lab)
                # Somebody to terminate: the writer may be between two connections.
                crowds.CrowdOf(lab, f"idle{number}", lab.options.vip, "app",
                               lab.options.app_password, idle=1, writers=0)
                faults.kill_hook_after(lab, "stop", text)
                outcome = self.switch(lab)
                self.assertIn("halting_hook: killed stop", outcome.output)
                self.assert_put_back(lab, outcome)
        self.assert_all_put_back(lab, outcome)


class StartFailsTest(Undo):
    """The new master cannot take over: before it is writable, the original gets clients back."""

    def test_frozen_sshd_of_the_new_master(self):
        lab = self.begin(helper_conf=QUICK)
        halt = faults.Halt(lab, "after-stop", lambda: lab.sshd("db2").freeze())
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assert_put_back(lab, outcome)
        self.assertLess(outcome.end - outcome.begin, 40)
        lab.sshd("db2").thaw()
        self.assert_all_put_back(lab, outcome)

    def test_new_master_refuses_our_account(self):
        """Its state cannot be read back then: 21 and what to look at, but the clients are back."""
        lab = self.begin(helper_conf=QUICK)
        halt = faults.Halt(lab, "before-start", lambda: lab.sql(
            "db2", "SET STATEMENT sql_log_bin=0 FOR ALTER USER mha@'%%' ACCOUNT LOCK", ()))
        outcome = self.switch(lab, on_line=halt.on_line)
        self.assertTrue(halt.reached)
        self.assert_status(outcome, NOT_UNDONE)
        self.assert_only_master(lab, "db1")
        self.assert_writes_go_on(lab, "db1")
        self.assertIn("not put back: ensure_read_only db2:3306", outcome.output)
        self.assert_replicate_from(lab, "db1", "db3")

    def test_frozen_mysqld_of_the_new_master(self):
        lab = self.begin(helper_conf=QUICK)
        halt = faults.Halt(lab, "before-start", lambda: lab.database("db2").freeze())
        try:
            outcome = self.switch(lab, on_line=halt.on_line)
        finally:
            lab.database("db2").thaw()
        self.assertTrue(halt.reached)
        self.assert_status(outcome, NOT_UNDONE)
        self.assertLess(outcome.end - outcome.begin, 60)
        self.assert_only_master(lab, "db1")
        self.assert_writes_go_on(lab, "db1")


if __name__ == "__main__":
    support.main()
