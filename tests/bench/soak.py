"""Many switches in a row: what grows?"""

import dataclasses
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lab"))

# pylint: disable=wrong-import-position
from halab.errors import LabError
from halab.lab import Lab
from halab.mha import APPLICATION_CONF
from halab.options import DATABASE_HOSTS
from halab.progress import Progress
from runs import STATE_DIR

_MAX_RSS = "/run/lab/max_rss"

# Of all processes of a host but what asks: how many, and their descriptors. Servers are left out:
# what they hold is theirs.
_PROCESSES = r"""
for p in /proc/[0-9]*; do
  pid=${p#/proc/}; name=$(cat $p/comm 2>/dev/null) || continue
  case $name in mysqld|mariadbd) continue ;; esac
  [ "$pid" = $$ ] && continue
  echo "$name $(ls $p/fd 2>/dev/null | wc -l)"
done
"""
# Where programs leave things. Journals are counted apart: each run has one, for good.
_FILES = ("find /tmp /var/tmp /run /dev/shm {state} -xdev -type f -o -xdev -type s -o -xdev -type p "
          "2>/dev/null | grep -v '^/run/lab/\\|\\.journal$' | wc -l")


@dataclasses.dataclass(frozen=True)
class Held:
    """After a switch. `rss_kb` is the program's most in that one."""

    rss_kb: int
    processes: int
    descriptors: int
    server_threads: int
    files: int
    journals: int


def measure(count: int, progress: Progress) -> list[Held]:
    """One for each switch, in order."""
    done: list[Held] = []
    with Lab(kill_after_timeout=0) as lab:
        master = "db1"
        for number in range(count):
            other = "db2" if master == "db1" else "db1"
            lab.wait_until_replicating()
            rss = _switch(lab, other)
            master = other
            if number % 10 == 9 or number == count - 1:
                lab.wait_until_replicating()
                done.append(_held(lab, rss))
                progress.step(f"{number + 1:4}/{count} switches: {done[-1]}")
        if lab.vip_holders() != [master] or lab.writable() != [master]:
            raise LabError(f"the address is on {lab.vip_holders()}, writable: {lab.writable()}")
    return done


def _switch(lab: Lab, other: str) -> int:
    command = [lab.mha.program("mysql_online_failover"), "-c", APPLICATION_CONF, "--interactive=0",
               "--engine=native", f"--new_master_host={other}"]
    outcome = lab.mha.run(["/usr/bin/time", "-f", "%M", "-o", _MAX_RSS, *command])
    if outcome.status != 0:
        raise LabError(f"a switch to {other} ended with {outcome.status}:\n{outcome.output}")
    return int(lab.path(_MAX_RSS).read_text("ascii"))


def _held(lab: Lab, rss: int) -> Held:
    processes = descriptors = files = threads = 0
    for name in ("mgr", *DATABASE_HOSTS):
        host = lab.hosts[name]
        for line in host.must_run(["sh", "-c", _PROCESSES]).splitlines():
            processes += 1
            descriptors += int(line.split()[-1])
        state = STATE_DIR if name == "mgr" else ""
        files += int(host.must_run(["sh", "-c", _FILES.format(state=state)]))
    for name in DATABASE_HOSTS:
        threads += len(lab.sql(name, "SHOW PROCESSLIST"))
    return Held(rss, processes, descriptors, threads, files,
                len(list(lab.path(STATE_DIR).glob("*.journal"))))
