#!/usr/bin/python3
"""Connects, asks one thing and leaves, a hundred times a second.

usage: chaos_reconnecting.py HOST USER     (password: LAB_PASSWORD)
"""

import os
import sys
import time

import pymysql


def main() -> None:
    host, user = sys.argv[1:]
    due = time.monotonic()
    while True:
        try:
            connection = pymysql.connect(
                host=host, user=user, password=os.environ["LAB_PASSWORD"], database="lab",
                connect_timeout=0.2, read_timeout=0.2, write_timeout=0.2)
            with connection.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM held")
            connection.close()
        except (pymysql.err.Error, OSError):
            pass
        due = max(due + 0.01, time.monotonic())
        time.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    main()
