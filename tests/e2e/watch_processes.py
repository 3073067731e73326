#!/usr/bin/python3
"""Watches the command lines and environments of all processes for planted words.

usage: watch_processes.py WORDS

WORDS is a file with a word in each line. Prints "ready", and at the end of its standard input one JSON
document: {"processes": how many were looked at, "names": their names, "found": [...]}, where each found
one has its name, its parent's name, the beginning of its command line (cut before the first word), where
the word was, and whether it was still there when the process was last looked at.
"""

import json
import os
import select
import sys
import time

# Young processes are looked at each time: what a fork shows is not what exec will. In seconds.
_YOUNG = 0.5
# The others every so many rounds: a long-running one may come by a word later.
_ROUNDS = 50


def read(pid: str, name: str) -> bytes:
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
            return file.read(1 << 20)
    except OSError:
        return b""


def name_and_parent(pid: str) -> tuple[str, str]:
    stat = read(pid, "stat").decode("utf-8", "replace")
    name = stat[stat.find("(") + 1:stat.rfind(")")]
    rest = stat[stat.rfind(")") + 2:].split()
    return name, rest[1] if len(rest) > 1 else "0"


class Watch:
    def __init__(self, words: list[bytes]) -> None:
        self._words = words
        self._first_seen: dict[str, float] = {}
        self._names: set[str] = set()
        self._found: dict[tuple[str, str, str], dict] = {}
        self._round = 0
        self.processes = 0

    def look(self) -> None:
        now = time.monotonic()
        self._round += 1
        pids = [entry for entry in os.listdir("/proc") if entry.isdigit()]
        for pid in self._first_seen.keys() - set(pids):
            del self._first_seen[pid]
        for pid in pids:
            if pid not in self._first_seen:
                self._first_seen[pid] = now
                self.processes += 1
            if now - self._first_seen[pid] < _YOUNG or self._round % _ROUNDS == 0:
                self._look_at(pid)

    def _look_at(self, pid: str) -> None:
        name, parent = name_and_parent(pid)
        self._names.add(name)
        for where in ("cmdline", "environ"):
            text = read(pid, where)
            at = min((text.find(word) for word in self._words if word in text), default=-1)
            # Whether it is still there is a question to the same program: exec makes another of it.
            key = (pid, name, where)
            if at < 0:
                if text and key in self._found:
                    self._found[key]["stayed"] = False
                continue
            self._found.setdefault(key, {
                "name": name, "parent": name_and_parent(parent)[0], "where": where,
                "begin": text[:at][:200].replace(b"\0", b" ").decode("utf-8", "replace")})
            self._found[key]["stayed"] = True

    def result(self) -> dict:
        return {"processes": self.processes, "names": sorted(self._names),
                "found": list(self._found.values())}


def main() -> None:
    with open(sys.argv[1], "rb") as file:
        watch = Watch(file.read().split())
    watch.look()
    print("ready", flush=True)
    while not select.select([sys.stdin], [], [], 0.0005)[0]:
        watch.look()
    print(json.dumps(watch.result()))


if __name__ == "__main__":
    main()
