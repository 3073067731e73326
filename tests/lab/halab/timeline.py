"""One story of an operation from several tellers: the client, the kernel, MHA, the hooks."""

import dataclasses
import re

from halab import options
from halab.lab import Lab
from halab.mha import Line, Outcome
from halab.writer import Gap, Journal

_SERVER_NAMES = {number: host for host, number in options.HOST_NUMBERS.items()}

# MHA's own lines begin with its clock: Fri Nov 20 16:28:18 2026 - [info] text
_MHA_LINE = re.compile(
    r"^\w{3} \w{3} [ \d]\d \d\d:\d\d:\d\d \d{4} - \[(\w+)\](?:\[[^\]]*\])?\s*(.*)")
# Those of them that tell what MHA does; the rest is detail.
_MILESTONES = re.compile(
    r"^(\* Phase [\d.]+: .*[Pp]hase\.\.|Executing master (ip|IP) .*script|Executing SHUTDOWN"
    r"|.*\bis down!?$|Switching master to .* completed|Master failover to .* completed"
    r"|All new slave servers .*|.*Starting orig master as a new slave|Sending mail)")
# The clock at the head of our programs' lines: the timeline has a better one.
_CLOCK = re.compile(r"^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)? (?:\[info\] )?")
_HOOK_BEGINS = re.compile(r"^(Executing .* script|Checking master_ip_failover_script|Sending mail)")


@dataclasses.dataclass(frozen=True)
class Moment:
    when: float
    who: str
    what: str


def moments(lab: Lab, outcome: Outcome, gap: Gap, begin: float) -> list[Moment]:
    """What happened from `begin` to the end of the operation or of the gap, by time."""
    journal = lab.writer.journal()
    end = max(outcome.end, gap.end) + 0.001
    found = [Moment(outcome.begin, "operator", "runs " + outcome.command[0].rpartition("/")[2])]
    found += _of_client(journal, gap, begin, end)
    for event in lab.vip_watch.events():
        if event.present:
            what = "has the virtual IP" + (", still tentative" if event.tentative else "")
        else:
            what = "has lost the virtual IP"
        found.append(Moment(event.when, event.host, what))
    for from_log in (False, True):
        found += _of_programs([line for line in outcome.lines if line.from_log == from_log])
    return sorted((moment for moment in found if begin <= moment.when <= end),
                  key=lambda moment: moment.when)


def _of_client(journal: Journal, gap: Gap, begin: float, end: float) -> list[Moment]:
    found = [Moment(when, "client", f"{which} acknowledged write, on {_server(journal, when)}")
             for when, which in ((gap.begin, "last"), (gap.end, "first"))]
    seen: set[int] = set()
    for when, _, code, text in journal.errors:
        # The first of each kind: there may be hundreds.
        if begin <= when <= end and code not in seen:
            seen.add(code)
            found.append(Moment(when, "client", f"error {code}: {text}"))
    return found


def _of_programs(lines: list[Line]) -> list[Moment]:
    """MHA's milestones, each line of a hook, and those of a program of ours that runs MHA.

    MHA prints drawings and reports without its clock too: those are left out.
    """
    matched = [_MHA_LINE.match(line.text) for line in lines]
    of_mha = [index for index, match in enumerate(matched) if match]
    found = []
    in_hook = False
    for index, (match, line) in enumerate(zip(matched, lines)):
        if match is None:
            inside = bool(of_mha) and of_mha[0] < index < of_mha[-1]
            if line.text.strip() and (in_hook or not inside):
                found.append(Moment(line.when, "hook" if in_hook else "program",
                                    _CLOCK.sub("", line.text.strip())))
            continue
        level, text = match[1], match[2]
        # The line after the announcement is the hook's command line.
        in_hook = bool(_HOOK_BEGINS.match(text)) or (in_hook and text.startswith("/"))
        if level in ("error", "warning"):
            found.append(Moment(line.when, "MHA", f"{level}: {text}"))
        elif _MILESTONES.match(text):
            found.append(Moment(line.when, "MHA", text))
    return found


def _server(journal: Journal, when: float) -> str:
    """The server that the client was connected to at that time."""
    number = None
    for connected, server_id in journal.connections:
        if connected <= when:
            number = server_id
    return _SERVER_NAMES.get(number, "?")


def text_of(told: list[Moment], zero: float, width: int | None = None) -> str:
    """A line each, in milliseconds from `zero`; cut to `width` where there is one."""
    lines = []
    for moment in told:
        line = f"{(moment.when - zero) * 1000:+9.0f} ms  {moment.who:<8}  {moment.what}"
        cut = width is not None and len(line) > width
        lines.append(line[:width - 3] + "..." if cut else line)
    return "\n".join(lines)
