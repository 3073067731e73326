#!/usr/bin/python3
"""What MHA passes on our command lines is gone from the process list, and no core file is left.

Each program is looked at while it hangs: its standard error is a pipe that nobody reads and that is
full, so it stops at the first thing that it says. Needs no lab and no root.
"""

import fcntl
import os
import pathlib
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest

PROJECT = pathlib.Path(__file__).resolve().parents[2]
PROGRAMS = pathlib.Path(os.environ.get("MHA_LAB_PROGRAMS", PROJECT / "build" / "release" / "bin")).resolve()

SECRET = "pl4nted-w0rd"
HOOKS = ("master_ip_online_failover_helper", "master_ip_hard_failover_helper",
         "master_failover_report")
ALL = (*HOOKS, "mysql_online_failover", "mysql_failover")
# As MHA spells it and as people do; known to the program or not.
SPELLINGS = ((f"--orig_master_password={SECRET}",), (f"--new-master-password={SECRET}=x",),
             ("--orig_master_password", SECRET), (f"--orig_master_passwd={SECRET}",),
             (f"--next_mha_secret={SECRET}",))
# A program that got through in this time would have; it is waited for, not slept.
PATIENCE = 20.0


class FullPipe:
    """Whoever writes to it waits."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.writer, False)
        for size in (4096, 1):
            try:
                while True:
                    os.write(self.writer, b"." * size)
            except BlockingIOError:
                pass
        # Of the open file, so the program's too.
        os.set_blocking(self.writer, True)
        assert not fcntl.fcntl(self.writer, fcntl.F_GETFL) & os.O_NONBLOCK

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class ProcessListTest(unittest.TestCase):
    def setUp(self) -> None:
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def start(self, program: str, *arguments: str) -> subprocess.Popen:
        pipe = FullPipe()
        self.addCleanup(pipe.close)
        resource_limit = (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_CORE)[1])
        process = subprocess.Popen(  # pylint: disable=consider-using-with,subprocess-popen-preexec-fn
            [PROGRAMS / program, *arguments], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=pipe.writer, stderr=pipe.writer,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, resource_limit),
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder),
                 "MHA_HELPER_CONFIG_DIR": str(self.folder / "none"),
                 "MHA_HELPER_STATE_DIR": str(self.folder / "state")})
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def command_line(self, process: subprocess.Popen) -> bytes:
        return pathlib.Path(f"/proc/{process.pid}/cmdline").read_bytes()

    def wait_until_wiped(self, process: subprocess.Popen) -> bytes:
        deadline = time.monotonic() + PATIENCE
        while True:
            line = self.command_line(process)
            self.assertIsNone(process.poll(), f"it hangs, so it has not ended: {line!r}")
            self.assertIn(b"--orig_master_host", line, "it is the program that we started")
            if SECRET.encode() not in line:
                return line
            self.assertLess(time.monotonic(), deadline, f"still there: {line!r}")
            time.sleep(0.001)

    def test_password_is_wiped_by_every_program_and_in_every_spelling(self):
        for program in ALL:
            for spelling in SPELLINGS:
                with self.subTest(program=program, spelling=spelling):
                    # A word that no program knows makes it say something, if only that.
                    process = self.start(program, "--orig_master_host=db1", *spelling,
                                         "--unknown_thing=x")
                    line = self.wait_until_wiped(process)
                    self.assertIn(spelling[0].partition("=")[0].encode(), line,
                                  "its name may be seen")

    def test_also_where_the_command_line_cannot_be_read(self):
        """An option that is given twice, and one that lacks its value: neither gets past parsing."""
        for broken in (("--orig_master_host=db2",), ("--orig_master_ip",)):
            for program in HOOKS:
                with self.subTest(program=program, broken=broken):
                    process = self.start(program, "--orig_master_host=db1",
                                         f"--orig_master_password={SECRET}", *broken)
                    self.wait_until_wiped(process)

    def test_no_core_file(self):
        """A program that dies of a signal whose default is a core file leaves none."""
        process = self.start(HOOKS[0], "--orig_master_host=db1",
                             f"--orig_master_password={SECRET}", "--unknown_thing=x")
        self.wait_until_wiped(process)
        self.wait_until_no_core(process)
        process.send_signal(signal.SIGABRT)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
        self.assertEqual(os.WTERMSIG(status), signal.SIGABRT)
        self.assertFalse(os.WCOREDUMP(status))
        self.assertEqual(list(self.folder.iterdir()), [])

    def wait_until_no_core(self, process: subprocess.Popen) -> None:
        """The limit is for what it starts; it shows from outside that main() has come so far."""
        deadline = time.monotonic() + PATIENCE
        while resource.prlimit(process.pid, resource.RLIMIT_CORE)[0] != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.001)


if __name__ == "__main__":
    sys.exit(unittest.main(verbosity=2))
