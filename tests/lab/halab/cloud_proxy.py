"""tests/cloud/fault_proxy on mgr, between our programs and a cloud's interface: it sets how fast that
answers, and tells what was asked of it."""

import dataclasses
import json
import pathlib
import shlex
import time

from halab import options
from halab.errors import LabError
from halab.hosts import Host

_PROGRAM = options.PROJECT / "tests" / "cloud" / "fault_proxy"
_LOG = "cloud-proxy.log"


@dataclasses.dataclass(frozen=True)
class Request:
    """Times are time.monotonic(), in seconds."""

    begin: float
    end: float
    name: str


class Proxy:
    """It ends with the lab. `style` is the cloud's name."""

    def __init__(self, host: Host, style: str) -> None:
        self._host = host
        self._style = style
        self._pipe = host.folder_inside / "cloud-proxy.pipe"
        self._folder = host.folder_inside / "cloud-proxy"

    def start(self, backends: dict[str, str], answers_in_ms: float) -> None:
        """Returns when it passes requests on."""
        proxy = shlex.join([str(_PROGRAM), "--style", self._style, "--folder", str(self._folder),
                            *(f"--to={name}={url}" for name, url in backends.items())])
        # Descriptor 3 keeps the pipe open between two commands.
        self._host.start_in_background(
            ["sh", "-c", f"mkdir {self._folder} && mkfifo {self._pipe} && exec 3<>{self._pipe} && "
             f"exec {proxy} <&3"], _LOG, {"PYTHONDONTWRITEBYTECODE": "1"})
        self._wait_for_lines(1)
        self._tell(f"pace {answers_in_ms:g}")

    def url(self, name: str) -> str:
        return self._lines()[0]["urls"][name]

    @property
    def ca_file(self) -> pathlib.PurePosixPath:
        """On mgr."""
        return self._folder / "ca.pem"

    def forget(self) -> None:
        """requests() begins anew."""
        self._tell("reset")

    def requests(self) -> list[Request]:
        """All that were answered since forget(), by their begin."""
        return sorted((Request(*one) for one in self._tell("times")["times"]),
                      key=lambda request: request.begin)

    def _tell(self, command: str) -> dict:
        before = len(self._lines())
        self._host.must_run(["sh", "-c", f"echo '{command}' >{self._pipe}"])
        answer = self._wait_for_lines(before + 1)[before]
        if "error" in answer:
            raise LabError(f"fault_proxy: {command}: {answer['error']}")
        return answer

    def _wait_for_lines(self, count: int, timeout: float = 20.0) -> list[dict]:
        deadline = time.monotonic() + timeout
        while len(found := self._lines()) < count:
            if time.monotonic() > deadline:
                raise LabError(f"fault_proxy did not answer within {timeout:g} s: "
                               f"{self._text().strip()[-500:]}")
            time.sleep(0.01)
        return found

    def _text(self) -> str:
        path = self._host.folder / "log" / _LOG
        return path.read_text("utf-8", errors="replace") if path.exists() else ""

    def _lines(self) -> list[dict]:
        """What it said so far; the last line may be in the making."""
        whole = self._text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
