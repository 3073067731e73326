#!/usr/bin/python3
"""The application: inserts a numbered row every 2 ms through the virtual IP, notes each answer.

It measures the service, not itself. A connection attempt is given up after 10 ms and made anew: a
SYN that went nowhere would be repeated by TCP after a second. An answer is awaited for 50 ms (the
slowest seen in a healthy lab took 10): what the virtual IP left behind never answers. Every attempt
to write takes a new number, so that afterwards each number's fate is known from the table:
acknowledged and there, acknowledged and lost, or there without an acknowledgement.

Its log has a line per event, times from CLOCK_MONOTONIC in ns (one clock for the whole machine):
    connected TIME SERVER_ID
    ack TIME NUMBER
    error TIME NUMBER SENT CODE TEXT...     an INSERT that failed, or whose answer never came
    refused TIME COUNT TEXT...              attempts to connect that failed, since the line before
"""

import argparse
import os
import signal
import time

import pymysql


class Log:
    """Lines that are in the file before the next statement is sent."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def write(self, kind: str, *fields: object) -> None:
        line = " ".join([kind, str(time.monotonic_ns()), *map(str, fields)])
        os.write(self._file, (line.replace("\n", " ") + "\n").encode())


class Client:
    def __init__(self, arguments: argparse.Namespace, password: str) -> None:
        self._arguments = arguments
        self._password = password
        self._log = Log(arguments.log)
        self._connection = None
        self._number = arguments.first_number
        self._failures = 0
        self._failed_text = ""
        self.stopping = False

    def run(self) -> None:
        interval = self._arguments.interval_ms / 1000
        due = time.monotonic()
        while not self.stopping:
            if self._connection is None and not self._connect():
                continue
            self._insert()
            due = max(due + interval, time.monotonic())
            time.sleep(max(0.0, due - time.monotonic()))
        self._note_failures()

    def _connect(self) -> bool:
        started = time.monotonic()
        try:
            connection = pymysql.connect(
                host=self._arguments.host, port=self._arguments.port, user=self._arguments.user,
                password=self._password, database="lab", autocommit=True,
                connect_timeout=self._arguments.connect_timeout_ms / 1000,
                read_timeout=self._arguments.answer_timeout_ms / 1000,
                write_timeout=self._arguments.answer_timeout_ms / 1000)
            with connection.cursor() as cursor:
                cursor.execute("SELECT @@server_id")
                server_id = cursor.fetchone()[0]
        except (pymysql.err.Error, OSError) as error:
            self._failures += 1
            self._failed_text = str(error)
            # A refused connection comes back at once: do not turn that into a busy loop.
            time.sleep(max(0.0, 0.002 - (time.monotonic() - started)))
            return False
        self._note_failures()
        self._connection = connection
        self._log.write("connected", server_id)
        return True

    def _note_failures(self) -> None:
        if self._failures:
            self._log.write("refused", self._failures, self._failed_text)
            self._failures = 0

    def _insert(self) -> None:
        number = self._number
        self._number += 1
        sent = time.monotonic_ns()
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO written VALUES ({number}, @@server_id)")
        except (pymysql.err.Error, OSError) as error:
            code = error.args[0] if error.args else 0
            self._log.write("error", number, sent, code, error.args[-1] if error.args else error)
            self._drop()
            return
        self._log.write("ack", number)

    def _drop(self) -> None:
        """Without the farewell of close(): a dead peer would not read it."""
        try:
            self._connection._force_close()  # pylint: disable=protected-access
        finally:
            self._connection = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=3306)
    parser.add_argument("--user", default="app")
    parser.add_argument("--log", required=True)
    parser.add_argument("--first-number", type=int, default=1)
    parser.add_argument("--interval-ms", type=float, default=2)
    parser.add_argument("--connect-timeout-ms", type=float, default=10)
    parser.add_argument("--answer-timeout-ms", type=float, default=50)
    # The password is in the environment (LAB_PASSWORD): arguments are for everybody to see.
    client = Client(parser.parse_args(), os.environ["LAB_PASSWORD"])

    def stop(*_: object) -> None:
        client.stopping = True

    signal.signal(signal.SIGTERM, stop)
    client.run()


if __name__ == "__main__":
    main()
