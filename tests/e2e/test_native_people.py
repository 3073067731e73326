#!/usr/bin/python3
"""The native engine from the user's view: phases on a terminal, history, logs, scripts of others."""

import json
import re
import stat
import sys

import support
from support import APPLICATION_CONF, DONE, HERE, UNDONE, Lab, options

NATIVE = "--engine=native"
WORKDIR = "/var/log/masterha/app1"
RUNS = WORKDIR + "/app1.runs"
SCRIPT = "/etc/mha/change.sh"
SHELL_HOOK = options.LAB_FOLDER / "shell_hooks" / "master_ip_online_change"


class PeopleTest(support.LabTest):
    def program(self, lab: Lab, *arguments: str) -> list[str]:
        return [lab.mha.program("mysql_online_failover"), "-c", APPLICATION_CONF, *arguments]

    def history(self, lab: Lab) -> list[dict]:
        outcome = self.run_on_mgr(lab, self.program(lab, "--history", "--format=json"))
        self.assert_status(outcome, DONE)
        return json.loads(outcome.output)["runs"]

    def test_phases_on_a_terminal_and_what_stays_of_a_run(self):
        lab = self.make_lab()
        self.assertEqual(self.history(lab), [])
        command = [sys.executable, str(HERE / "terminal.py"), "--",
                   *self.program(lab, NATIVE, "--new_master_host=db2")]
        outcome = self.run_on_mgr(lab, command, extra_environment={"TERM": "xterm"})
        self.assert_status(outcome, DONE)
        self.assert_only_master(lab, "db2")
        screen = "".join(line.text + "\n" for line in outcome.lines if not line.from_log)
        shown = re.split(r"[\r\n]+|\x1b\[K", screen)
        phases = [line for line in shown if re.match(r"ok +[0-9.]+ s  ", line)]
        self.assertGreater(len(phases), 8, screen)
        self.assertIn("look at 3 hosts", phases[0])
        marks = [line for line in shown if line.startswith("--")]
        self.assertEqual(marks, ["-- from here clients wait --", "-- point of no return --",
                                 "-- clients can write again --"], screen)
        self.assertRegex(screen, r"db2 is the master now, instead of db1; clients waited for")
        self.assertNotRegex(screen, r"\[info\]", "the phases tell it")

        runs = self.history(lab)
        self.assertEqual(len(runs), 1, runs)
        run = runs[0]
        self.assertEqual((run["operation"], run["orig_master"], run["new_master"],
                          run["exit_code"], run["outcome"]),
                         ("switchover", "db1", "db2", DONE, "done"))
        self.assertGreater(run["downtime_ms"], 0)
        self.assertTrue(run["journal"].startswith(RUNS + "/"), run)
        kept = lab.path(run["journal"])
        log = kept.with_suffix(".log")
        for path in (kept, log):
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        self.assertIn("look at 3 hosts: done in", log.read_text("utf-8"))
        self.assertRegex(lab.mha.manager_log(),
                         r"(?m)^\w{3} \w{3} [ 0-9]\d [0-9:]{8} 20\d\d - \[info\] db2 is the master")
        self.assert_no_secret(lab, outcome.output, log.read_text("utf-8"), lab.mha.manager_log())

        table = self.run_on_mgr(lab, self.program(lab, "--history"))
        self.assert_status(table, DONE)
        self.assertRegex(table.output, r"switchover +db1 -> db2 +0 +[0-9.]+ ms +done")

    def test_a_terminal_that_is_lost_leaves_nothing_half_done(self):
        lab = self.make_lab()
        lab.writer.start()
        lab.writer.wait_for_writes(5)
        before = support.lab_state(lab)

        def switch_until(shown: str):
            return self.run_on_mgr(lab, [
                sys.executable, str(HERE / "terminal.py"), f"--hang-up-after={shown}", "--",
                *self.program(lab, NATIVE, "--new_master_host=db2")],
                extra_environment={"TERM": "xterm"})

        self.assert_status(switch_until("look at 3 hosts"), UNDONE)
        self.assert_state(lab, before)
        self.assert_writes_go_on(lab, "db1")
        self.assert_status(switch_until("-- point of no return --"), DONE)
        self.assert_only_master(lab, "db2")
        self.assert_writes_go_on(lab, "db2")
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assertEqual(self.history(lab)[0]["exit_code"], DONE)

    def test_json_alone_on_standard_output(self):
        lab = self.make_lab()
        lab.sql("db3", "STOP SLAVE SQL_THREAD")
        command = " ".join([*self.program(lab, NATIVE, "--format=json"), "2>/dev/null"])
        refused = self.run_on_mgr(lab, ["sh", "-c", command])
        self.assert_status(refused, UNDONE)
        self.assertEqual(self.document(refused)["exit_code"], UNDONE)
        self.assertEqual(self.history(lab), [], "nothing was begun")
        lab.sql("db3", "START SLAVE SQL_THREAD")
        lab.wait_until_replicating()
        done = self.run_on_mgr(lab, ["sh", "-c", command])
        self.assert_status(done, DONE)
        document = self.document(done)
        self.assertEqual((document["exit_code"], document["leftovers"]), (DONE, []))
        self.assertEqual((document["orig_master"], document["new_master"]), ("db1", "db2"))

    def document(self, outcome) -> dict:
        return json.loads("".join(line.text for line in outcome.lines if not line.from_log))

    # Scripts of others.

    def use_script(self, lab: Lab, text: str) -> None:
        lab.mha.write(SCRIPT, text, 0o755)
        sections = lab.mha.application_conf()
        sections["server default"]["master_ip_online_change_script"] = SCRIPT
        lab.mha.write(APPLICATION_CONF, "\n".join(
            f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())
            for name, values in sections.items()))

    def test_a_script_that_is_not_ours_is_run_as_mha_runs_it(self):
        """A plain shell hook moves the address; and again where our configuration knows of none."""
        lab = self.make_lab()
        told = f"{WORKDIR}/told"
        self.use_script(lab, f"#!/bin/sh\nprintf '%s\\n' \"$@\" >>{told}\nexec {SHELL_HOOK} \"$@\"\n")
        lab.writer.start()
        for old, new in (("db1", "db2"), ("db2", "db1")):
            lab.wait_until_replicating()
            lab.path(told).unlink(missing_ok=True)
            outcome = self.switch(lab, NATIVE, f"--new_master_host={new}")
            self.assert_status(outcome, DONE)
            self.assert_only_master(lab, new)
            self.assert_writes_go_on(lab, new)
            self.assert_replicate_from(lab, new, old, "db3")
            words = lab.path(told).read_text("utf-8").splitlines()
            self.assertEqual([word for word in words if word.startswith("--command=")],
                             ["--command=stop", "--command=start"])
            for word in (f"--orig_master_host={old}", f"--new_master_host={new}",
                         f"--orig_master_ip={options.address_v4(options.HOST_NUMBERS[old])}",
                         "--orig_master_is_new_slave",
                         f"--new_master_password={lab.options.mha_password}"):
                self.assertEqual(words.count(word), 2, (word, words))
            self.assert_no_secret(lab, outcome.output)
        self.assert_nothing_lost(lab, *options.DATABASE_HOSTS)
        self.assert_same_rows(lab)

    def test_a_script_that_fails_is_undone_by_its_start_for_the_original(self):
        lab = self.make_lab()
        told = f"{WORKDIR}/told"
        self.use_script(lab, f"#!/bin/sh\necho \"$*\" >>{told}\n"
                        "case \"$*\" in *--command=stop*) exit 1;; esac\n")
        lab.writer.start()
        lab.writer.wait_for_writes(50)
        before = support.lab_state(lab)
        outcome = self.switch(lab, NATIVE)
        self.assert_status(outcome, UNDONE)
        self.assertIn("change.sh --command=stop ended with exit status 1", outcome.output)
        self.assert_state(lab, before)
        self.assert_writes_go_on(lab, "db1")
        stop, back = lab.path(told).read_text("utf-8").splitlines()
        self.assertIn("--command=stop --orig_master_host=db1", stop)
        self.assertIn("--command=start --orig_master_host=db2", back)
        self.assertIn("--new_master_host=db1", back)
        runs = self.history(lab)
        self.assertEqual([run["exit_code"] for run in runs], [UNDONE])
        self.assert_nothing_lost(lab, "db1", "db2", "db3")


if __name__ == "__main__":
    support.main()
