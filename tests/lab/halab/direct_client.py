#!/usr/bin/python3
"""Tries all the time to write to every database host by the host's own address.

It is the witness of "one writer": where an INSERT is accepted, and when. Its account has no right
that goes past read_only, and lab.direct is a table of its own. A row names its host and a number.

Its log has a line per event, times from CLOCK_MONOTONIC in ns:
    took HOST SENT ANSWERED NUMBER      the server took it at some moment between these two
    refused HOST ANSWERED CODE          the first of a series: it answered, and took nothing
"""

import argparse
import os
import signal
import threading
import time

import pymysql


class Prober:
    """One host, one thread."""

    def __init__(self, host: str, arguments: argparse.Namespace, log: int,
                 stopping: threading.Event) -> None:
        self._host = host
        self._arguments = arguments
        self._log = log
        self._stopping = stopping
        self._connection = None
        self._refused = False
        self._number = arguments.first_number

    def run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._probe()
            except (pymysql.err.Error, OSError) as error:
                code = error.args[0] if error.args else 0
                if not self._refused:
                    self._note("refused", time.monotonic_ns(), code)
                self._refused = True
                # A server that is read-only has answered; all other errors cost the connection.
                if code != 1290:
                    self._connection = None
            self._stopping.wait(self._arguments.interval_ms / 1000)

    def _probe(self) -> None:
        if self._connection is None:
            self._connection = pymysql.connect(
                host=self._host, port=self._arguments.port, user=self._arguments.user,
                password=os.environ["LAB_PASSWORD"], database="lab", autocommit=True,
                connect_timeout=1, read_timeout=1, write_timeout=1)
        self._number += 1
        sent = time.monotonic_ns()
        with self._connection.cursor() as cursor:
            cursor.execute("INSERT INTO direct (host, number) VALUES (%s, %s)",
                           (self._host, self._number))
        self._note("took", sent, time.monotonic_ns(), self._number)
        self._refused = False

    def _note(self, kind: str, *fields: object) -> None:
        os.write(self._log, (" ".join([kind, self._host, *map(str, fields)]) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("hosts", nargs="+")
    parser.add_argument("--port", type=int, default=3306)
    parser.add_argument("--user", default="app")
    parser.add_argument("--log", required=True)
    parser.add_argument("--first-number", type=int, default=0)
    parser.add_argument("--interval-ms", type=float, default=1)
    arguments = parser.parse_args()
    log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    threads = [threading.Thread(target=Prober(host, arguments, log, stopping).run)
               for host in arguments.hosts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
