#!/usr/bin/python3
"""Many clients at once: some that only keep a connection, some that write numbered rows.

Writers connect again when they lose their connection; the others do not. The table is
lab.crowd (id, writer, number), its log has a line per event, times from CLOCK_MONOTONIC in ns:
    open TIME CONNECTION_ID              of every connection, when it is made
    ack TIME WRITER NUMBER
    error TIME WRITER CODE
    ready TIME                           once: every client has connected
"""

import argparse
import os
import signal
import threading
import time

import pymysql


class Crowd:
    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._log = os.open(arguments.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        self._ready = threading.Barrier(arguments.writers + 1)
        self.stopping = threading.Event()

    def note(self, kind: str, *fields: object) -> None:
        os.write(self._log, (" ".join([kind, str(time.monotonic_ns()), *map(str, fields)])
                             + "\n").encode())

    def connect(self, attempts: float = 10.0) -> pymysql.connections.Connection:
        """Tries for `attempts` seconds at most between two checks of stopping."""
        arguments = self._arguments
        connection = pymysql.connect(
            host=arguments.host, port=arguments.port, user=arguments.user,
            password=os.environ["LAB_PASSWORD"], database="lab", autocommit=True,
            connect_timeout=attempts, read_timeout=2, write_timeout=2)
        self.note("open", connection.thread_id())
        return connection

    def write(self, writer: int) -> None:
        connection = self.connect()
        self._ready.wait()
        number = 0
        while not self.stopping.is_set():
            try:
                if connection is None:
                    connection = self.connect(0.1)
                number += 1
                with connection.cursor() as cursor:
                    cursor.execute("INSERT INTO crowd (writer, number) VALUES (%s, %s)",
                                   (writer, number))
                self.note("ack", writer, number)
            except (pymysql.err.Error, OSError) as error:
                self.note("error", writer, error.args[0] if error.args else 0)
                connection = None
                time.sleep(0.001)
            time.sleep(self._arguments.interval_ms / 1000)

    def run(self) -> None:
        idle = [self.connect() for _ in range(self._arguments.idle)]
        writers = [threading.Thread(target=self.write, args=(number,), daemon=True)
                   for number in range(self._arguments.writers)]
        for writer in writers:
            writer.start()
        self._ready.wait()
        self.note("ready")
        self.stopping.wait()
        for writer in writers:
            writer.join(5)
        del idle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, default=3306)
    parser.add_argument("--user", default="app")
    parser.add_argument("--idle", type=int, default=0)
    parser.add_argument("--writers", type=int, default=1)
    parser.add_argument("--interval-ms", type=float, default=2)
    parser.add_argument("--log", required=True)
    crowd = Crowd(parser.parse_args())
    signal.signal(signal.SIGTERM, lambda *_: crowd.stopping.set())
    crowd.run()


if __name__ == "__main__":
    main()
