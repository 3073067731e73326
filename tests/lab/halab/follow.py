"""Reads what is appended to a log file while something else runs."""

import contextlib
import pathlib
import threading
from collections.abc import Callable, Iterator

_INTERVAL = 0.01  # seconds; the precision of the times of lines


@contextlib.contextmanager
def following(path: pathlib.Path, on_line: Callable[[str], None]) -> Iterator[None]:
    """Calls on_line for each line that is appended inside the `with`, from another thread.

    The file may not exist yet. All lines that were there at the end have been passed on.
    """
    stop = threading.Event()
    begin = path.stat().st_size if path.exists() else 0
    thread = threading.Thread(target=_follow, args=(path, begin, on_line, stop), daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _follow(path: pathlib.Path, position: int, on_line: Callable[[str], None],
            stop: threading.Event) -> None:
    begun = b""
    while True:
        last = stop.wait(_INTERVAL)
        with contextlib.suppress(FileNotFoundError), path.open("rb") as log:
            log.seek(position)
            data = log.read()
            position += len(data)
            *lines, begun = (begun + data).split(b"\n")
            for line in lines:
                on_line(line.decode(errors="replace"))
        if last:
            return
