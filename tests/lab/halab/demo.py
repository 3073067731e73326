"""tests/lab/demo: an online switch and a failover by the real MHA, and what a client saw of it."""

import argparse
import collections
import os
import shutil
import signal
import subprocess
import sys
import time
import types

from halab import cloud, report, timeline
from halab.errors import LabError
from halab.lab import Lab
from halab.mha import Line, Outcome
from halab.options import DATABASE_HOSTS, FIRST_MASTER, PROJECT
from halab.progress import Progress
from halab.writer import Gap


def build(progress: Progress) -> None:
    """The two commands of the README, with their output kept for the case that they fail."""
    for command in (["cmake", "--preset", "release"], ["cmake", "--build", "--preset", "release"]):
        progress.step("building: " + " ".join(command))
        last: collections.deque[str] = collections.deque(maxlen=40)
        with subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", start_new_session=True) as process:
            try:
                for line in process.stdout:
                    last.append(line)
                    progress.detail(line)
            except BaseException:
                os.killpg(process.pid, signal.SIGTERM)
                raise
        if process.returncode != 0:
            progress.clear()
            sys.stderr.write("".join(last))
            raise LabError(f"{' '.join(command)} failed with exit {process.returncode}")


class Demo:
    """Runs operations in one lab. `faults` collects whatever is not as it must be."""

    def __init__(self, lab: Lab, progress: Progress) -> None:
        self._lab = lab
        self._progress = progress
        self.faults: list[str] = []

    def _start_writing(self) -> None:
        lab = self._lab
        self._progress.step(f"the client begins to write a row every 2 ms to {lab.options.vip}")
        lab.writer.start()
        lab.writer.wait_for_writes(500)

    def run_host_gone(self) -> None:
        """The third one, in a lab of its own: what the second left is no cluster any more."""
        self._start_writing()
        self._title(f"Failover: the host {FIRST_MASTER} is gone, nobody can ask it")
        self._progress.step(f"power off for {FIRST_MASTER}")
        before = time.monotonic()
        self._operation("the failover", before, self._stop_and_fail_over)
        self._progress.step("the client stops")
        self._lab.writer.stop()
        self._print_mails()

    def _stop_and_fail_over(self) -> Outcome:
        self._lab.stop_host(FIRST_MASTER)
        return self._lab.failover(FIRST_MASTER, on_line=self._show)

    def run(self) -> None:
        lab = self._lab
        self._start_writing()

        before = time.monotonic()
        self._title(f"Online switch of the living master {FIRST_MASTER}")
        self._operation("the online switch", before,
                        lambda: lab.switch(on_line=self._show))
        switched = time.monotonic()

        master = self._only(lab.vip_holders())
        self._title(f"Failover: mysqld on the master {master} is killed")
        self._progress.step(f"SIGKILL for mysqld on {master}")
        before = time.monotonic()
        self._operation("the failover", before, lambda: self._kill_and_fail_over(master))
        self._progress.step("the client stops")
        lab.writer.stop()
        self._print_writes(switched)
        self._print_mails()

    def _kill_and_fail_over(self, master: str) -> Outcome:
        self._lab.kill_mysqld(master)
        return self._lab.failover(master, on_line=self._show)

    def _operation(self, what: str, begin: float, run) -> None:
        lab = self._lab
        holders = self._holders()
        outcome = run()
        self._progress.step(f"{what} took {outcome.end - outcome.begin:.1f} s, exit "
                            f"{outcome.status}; the client goes on")
        try:
            if outcome.status != 0:
                raise LabError(f"{what} ended with exit {outcome.status}")
            lab.writer.wait_for_writes(250)
        except LabError:
            self._progress.clear()
            sys.stderr.write(f"{outcome.output}\n{report.servers(lab)}\n")
            raise
        gap = lab.writer.journal().longest_gap(since=begin)
        self._print_operation(outcome, gap, begin, holders)

    def _holders(self) -> dict[str, list[str]]:
        """Hosts with the virtual IP, by who says so."""
        found = {"": self._lab.vip_holders()}
        if self._lab.options.vip_type in cloud.KINDS:
            how = "" if self._lab.cloud.names_one_holder else ", allowed"
            found[f"{how} by {self._lab.options.vip_type}'s API"] = self._lab.cloud.holders()
        return found

    def _print_operation(self, outcome: Outcome, gap: Gap, begin: float,
                         holders: dict[str, list[str]]) -> None:
        self._progress.clear()
        told = timeline.moments(self._lab, outcome, gap, begin)
        print("timeline; 0 is the last acknowledged write before the longest gap")
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(timeline.text_of(told, gap.begin, width))
        after = self._holders()
        width = max(28, *(len(f"virtual IP before{who}") + 2 for who in after))
        print()
        for who, hosts in after.items():
            print(f"{f'virtual IP before{who}':<{width}}{', '.join(holders[who]) or 'nowhere'}\n"
                  f"{f'virtual IP after{who}':<{width}}{', '.join(hosts) or 'nowhere'}")
        print(f"{'longest gap between writes':<{width}}{gap.ms:.0f} ms\n")
        print(report.servers(self._lab), flush=True)
        writable = self._lab.writable()
        for who, hosts in after.items():
            one = not who or self._lab.cloud.names_one_holder
            good = hosts == writable if one else set(writable) <= set(hosts)
            if not good or len(writable) != 1:
                self.faults.append(f"the virtual IP is{who} on {hosts}, writable are {writable}")

    def _print_writes(self, switched: float) -> None:
        """Of the switch alone as well: there, a lost row is never acceptable."""
        master = self._only(self._lab.vip_holders())
        written = self._lab.write_report(master)
        journal = self._lab.writer.journal()
        lost = set(written.lost)
        in_switch = sum(1 for when, number in journal.acknowledged
                        if number in lost and when <= switched)
        self._title(f"The client's rows, looked up on {master}")
        print(f"{report.writes(written)}\n"
              f"  in the online switch       {in_switch}\n"
              f"  in the failover            {len(lost) - in_switch}", flush=True)
        if lost:
            self.faults.append(f"{len(lost)} acknowledged rows are lost")

    def _print_mails(self) -> None:
        mails = self._lab.wait_for_mails(1)
        self._title(f"{len(mails)} mail(s), as the mail server received them")
        print(report.mails(self._lab), flush=True)

    def _show(self, line: Line) -> None:
        self._progress.detail(line.text)

    def _title(self, text: str) -> None:
        self._progress.clear()
        print(f"\n{text}\n{'=' * len(text)}", flush=True)

    @staticmethod
    def _only(hosts: list[str]) -> str:
        if len(hosts) != 1:
            raise LabError(f"the virtual IP is on {hosts or 'no host'}, not on one of "
                           f"{', '.join(DATABASE_HOSTS)}")
        return hosts[0]


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests/lab/demo", description=__doc__)
    parser.add_argument("--hooks", choices=("ours", "shell"), default="ours",
                        help="our programs (default), or plain shell hooks beside them")
    parser.add_argument("--family", choices=("v4", "v6"), default="v4", help="of the virtual IP")
    parser.add_argument("--vip", choices=("metal", *cloud.KINDS), default="metal",
                        help="who moves it: the hosts, or a cloud's interface")
    parser.add_argument("--ssh-user", default="mha_helper", help="mha_helper (default) or root")
    parser.add_argument("--no-build", action="store_true", help="take build/release as it is")
    return parser.parse_args()


def _interrupt(number: int, _: types.FrameType | None) -> None:
    """A signal unwinds the stack, so the lab goes down; a second one does not stop that."""
    for other in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(other, signal.SIG_IGN)
    sys.exit(128 + number)


def main() -> int:
    arguments = _parse()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    if os.geteuid() != 0:
        print("tests/lab/demo needs root: it makes network namespaces (try sudo)", file=sys.stderr)
        return 1
    progress = Progress()
    try:
        if arguments.hooks == "ours" and not arguments.no_build:
            build(progress)
        faults = []
        runs = [Demo.run]
        if arguments.vip in cloud.KINDS:
            progress.step(f"fetching the servers of {arguments.vip}, once")
            cloud.prepare(arguments.vip)
            runs.append(Demo.run_host_gone)
        for run in runs:
            progress.step("making the lab: five hosts, three servers, replication")
            with Lab(hooks=arguments.hooks, family=arguments.family, vip_type=arguments.vip,
                     ssh_user=arguments.ssh_user) as lab:
                progress.step(f"lab {lab.id} is up; hooks: {arguments.hooks}")
                demo = Demo(lab, progress)
                run(demo)
                faults += demo.faults
                progress.step("taking the lab down")
        progress.step("done")
    except LabError as error:
        progress.clear()
        print(f"tests/lab/demo: {error}", file=sys.stderr)
        return 1
    for fault in faults:
        print(f"tests/lab/demo: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
