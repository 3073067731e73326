#!/usr/bin/python3
"""Runs a command on a terminal of its own, and types there: answers to questions, or Ctrl-C; or takes
the terminal away, as a connection does that is lost.

Its output and exit status are ours.
usage: terminal.py [--answer=TEXT] [--interrupt-after=TEXT] [--hang-up-after=TEXT]
                   [--timeout=SECONDS] -- COMMAND...
"""

import argparse
import os
import pty
import re
import select
import signal
import sys
import time

_QUESTION = re.compile(rb"\([A-Za-z]+/[A-Za-z]+\):? *$")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answer", default="", help="typed at each question like (yes/NO):")
    parser.add_argument("--interrupt-after", default="", help="types Ctrl-C once this was printed")
    parser.add_argument("--hang-up-after", default="", help="ends the terminal once this was printed")
    parser.add_argument("--timeout", type=float, default=60)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()

    child, terminal = pty.fork()
    if child == 0:
        os.execvp(arguments.command[0], arguments.command)
    deadline = time.monotonic() + arguments.timeout
    awaited = arguments.interrupt_after.encode()
    seen = b""
    while True:
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            sys.exit(f"terminal.py: not over after {arguments.timeout:g} s")
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            data = os.read(terminal, 65536)
        except OSError:  # EIO: the last process has closed the terminal
            break
        if not data:
            break
        # The terminal ends lines with CR LF.
        sys.stdout.buffer.write(data.replace(b"\r\n", b"\n"))
        sys.stdout.buffer.flush()
        seen += data
        if awaited and awaited in seen:
            awaited = b""
            os.write(terminal, b"\x03")
        if arguments.hang_up_after and arguments.hang_up_after.encode() in seen:
            os.close(terminal)
            break
        if arguments.answer and _QUESTION.search(seen[-80:]):
            os.write(terminal, arguments.answer.encode() + b"\n")
            seen = b""
    while True:
        ended, how = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            sys.exit(f"terminal.py: not over after {arguments.timeout:g} s")
        time.sleep(0.01)
    status = os.waitstatus_to_exitcode(how)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
