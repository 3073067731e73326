"""Tells on standard error what a long run is doing: its steps, and the newest detail."""

import os
import sys
import time


class Progress:
    def __init__(self) -> None:
        self._begin = time.monotonic()
        self._terminal = sys.stderr.isatty()
        self._pending = False

    def step(self, text: str) -> None:
        """A line that stays, after the seconds since the beginning."""
        self.clear()
        print(f"[{time.monotonic() - self._begin:6.1f} s] {text}", file=sys.stderr, flush=True)

    def detail(self, text: str) -> None:
        """A line that the next one overwrites; nothing where standard error is no terminal."""
        if not self._terminal:
            return
        width = (os.get_terminal_size(sys.stderr.fileno()).columns or 80) - 1
        shown = (" " * 11 + " ".join(text.split()))[:width]
        print(f"\r\033[K{shown}", end="", file=sys.stderr, flush=True)
        self._pending = True

    def clear(self) -> None:
        if self._pending:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
            self._pending = False
