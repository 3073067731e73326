"""Starts the lab's mail server on mgr and reads what it kept."""

import dataclasses
import email
import email.message
import email.policy
import json
import pathlib
import time

from halab import options
from halab.errors import LabError
from halab.hosts import Host
from halab.sandbox import INSIDE, Sandbox

_FOLDER = INSIDE / "mail"


@dataclasses.dataclass(frozen=True)
class Mail:
    """One mail as it came, with its envelope."""

    sender: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> email.message.EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)


class Sink:
    def __init__(self, sandbox: Sandbox, host: Host) -> None:
        self._sandbox = sandbox
        self._host = host

    @property
    def folder(self) -> pathlib.Path:
        return self._sandbox.path(_FOLDER)

    def begin_start(self) -> None:
        self.folder.mkdir(exist_ok=True)
        program = options.LAB_FOLDER / "halab" / "sink_server.py"
        self._host.start_in_background(["/usr/bin/python3", "-B", str(program), str(_FOLDER)],
                                       "sink.log")

    def finish_start(self, timeout: float = 15.0) -> None:
        deadline = time.monotonic() + timeout
        while not (self.folder / "ready").exists():
            if time.monotonic() > deadline:
                log = (self._host.folder / "log/sink.log").read_text("utf-8", errors="replace")
                raise LabError(f"the mail server did not start within {timeout:g} s: {log.strip()}")
            time.sleep(0.01)

    def mails(self) -> list[Mail]:
        found = []
        for path in sorted(self.folder.glob("*.eml")):
            envelope = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
            found.append(Mail(envelope["from"], tuple(envelope["to"]), path.read_bytes()))
        return found
