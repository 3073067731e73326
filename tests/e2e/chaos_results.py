"""What became of runs: a line each, a table of many, and the evidence of what did not hold."""

import collections
import contextlib
import dataclasses
import json
import pathlib
import statistics

from chaos_plan import Case
from chaos_run import Performance
from chaos_scene import Scene


@dataclasses.dataclass(frozen=True)
class Result:
    seed: int
    run: int
    server: str
    gtid: str
    operation: str
    load: str
    faults: list[str]
    reached: list[str]
    status: int
    answers: list[int]
    program_s: float
    # By MHA: the longest call of a hook of ours, and whether MHA itself came to no end.
    hook_s: float
    given_up: bool
    run_s: float
    violations: list[str]
    trouble: str

    @property
    def held(self) -> bool:
        return not self.violations and not self.trouble

    def line(self) -> str:
        text = (f"exit {self.status} after {self.program_s:.1f} s"
                + "".join(f", then {status}" for status in self.answers)
                + f"; the run took {self.run_s:.1f} s")
        missed = [fault for fault in self.faults if fault not in self.reached]
        if missed:
            text += f"; it did not come to {', '.join(missed)}"
        for violation in self.violations:
            text += f"\n  VIOLATION: {violation}"
        if self.trouble:
            text += "\n  TROUBLE (of the test itself): " + self.trouble.strip().splitlines()[-1]
        return text


def result_of(case: Case, seen: Performance | None, violations: list[str], trouble: str,
              run_s: float) -> Result:
    outcome = seen.outcome if seen is not None else None
    return Result(case.seed, case.run, case.server, case.gtid, case.operation, case.load,
                  [fault.name for fault in case.faults],
                  [name for name, came in (seen.reached if seen else {}).items() if came],
                  outcome.status if outcome else -1,
                  [answer.status for answer in seen.answers] if seen else [],
                  round(seen.took, 2) if outcome else 0.0,
                  round(max((call.end - call.begin for call in seen.hooks), default=0.0), 2)
                  if outcome else 0.0, bool(outcome) and seen.given_up, round(run_s, 2), violations, trouble)


def keep(path: pathlib.Path | None, result: Result) -> None:
    if path is not None:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(result)) + "\n")


def numbers(path: pathlib.Path, seed: int) -> set[int]:
    """The runs of that seed whose results are there."""
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return {row["run"] for row in rows if row["seed"] == seed}


def summary(results: list[Result]) -> str:
    broken = [result for result in results if result.violations]
    troubled = [result for result in results if result.trouble and not result.violations]
    lines = [f"{len(results)} runs, {len(broken)} with a violation, {len(troubled)} with trouble of "
             "the test itself"]
    if results:
        lines[0] += f"; {statistics.mean(result.run_s for result in results):.1f} s a run"
    for result in broken + troubled:
        lines.append(f"  again: tests/e2e/chaos --seed={result.seed} --first={result.run} --runs=1"
                     f"   ({', '.join(result.violations) or 'trouble'})")
    return "\n".join(lines)


# The evidence.

def keep_evidence(folder: pathlib.Path, scene: Scene, case: Case, seen: Performance | None,
                  violations: list[str], trouble: str) -> None:
    """A folder for the run: what was to happen, what happened when, journals and logs."""
    into = folder / f"seed-{case.seed}-run-{case.run}"
    into.mkdir(parents=True, exist_ok=True)
    (into / "case.txt").write_text("\n".join([
        str(case), *violations, trouble,
        f"before: {getattr(seen, 'before', None)}", f"after: {getattr(seen, 'after', None)}",
        f"final: {getattr(seen, 'final', None)}"]) + "\n", "utf-8")
    (into / "timeline.txt").write_text(timeline(scene, seen), "utf-8")
    with contextlib.suppress(OSError):
        for journal in scene.state_folder().glob("*.journal"):
            (into / journal.name).write_bytes(journal.read_bytes())
    with contextlib.suppress(OSError):
        effects = scene.lab.path("/run/lab/e2e/effects")
        (into / "effects.txt").write_bytes(effects.read_bytes())
    with contextlib.suppress(Exception):
        for name, text in scene.lab.logs().items():
            (into / name.replace("/", "-")).write_text(text, "utf-8")


def timeline(scene: Scene, seen: Performance | None) -> str:
    """Milliseconds from the operation's begin: faults, the programs' lines, the address, clients."""
    if seen is None or seen.outcome is None:
        return "".join(f"{note.when:.3f} {note.who} {note.what}\n" for note in scene.notes)
    zero = seen.outcome.begin
    moments = [(note.when, note.who, note.what) for note in scene.notes]
    for outcome in (seen.outcome, *seen.answers, *seen.beside):
        moments += [(line.when, "program", line.text) for line in outcome.lines
                    if seen.case.by_mha or not line.from_log]
    for event in scene.lab.vip_watch.events():
        moments.append((event.when, event.host, "has the virtual IP" if event.present
                        else "has lost the virtual IP"))
    last = ""
    for row in seen.taken:
        if row.host != last:
            moments.append((row.answered / 1e9, "client", f"{row.host} takes rows"))
        last = row.host
    return "".join(f"{(when - zero) * 1000:+10.0f} ms  {who:<9} {what}\n"
                   for when, who, what in sorted(moments) if when > zero - 10)


# The table.

def table(paths: list[pathlib.Path]) -> str:
    """reStructuredText: a row for each operation and server, one for each fault, one for each load."""
    rows = [json.loads(line) for path in paths for line in path.read_text("utf-8").splitlines()]
    families = collections.defaultdict(list)
    faults = collections.defaultdict(list)
    for row in rows:
        families[(row["operation"], row["server"], row["gtid"])].append(row)
        for name in row["faults"]:
            faults[name].append(row)
    head = ("operation", "server", "GTIDs", "runs", "0", "10", "20", "21", "killed", "other",
            "longest", "longest hook", "violations")
    body = [[operation, server, gtid, *_counts(found)]
            for (operation, server, gtid), found in sorted(families.items())]
    body.append(["all", "", "", *_counts(rows)])
    loads = collections.Counter(row["load"] for row in rows)
    bad = collections.Counter(row["load"] for row in rows if row["violations"])
    third = [[load, str(count), str(bad[load])] for load, count in sorted(loads.items())]
    second = [[name, str(len(found)), str(sum(name in row["reached"] for row in found)),
               str(sum(bool(row["violations"]) for row in found))]
              for name, found in sorted(faults.items())]
    return (_csv_table(head, body) + "\n"
            + _csv_table(("fault", "drawn", "its moment came", "violations"), second) + "\n"
            + _csv_table(("load", "runs", "violations"), third))


def _counts(rows: list[dict]) -> list[str]:
    of = collections.Counter(row["status"] for row in rows)
    known = (0, 10, 20, 21, 137)
    hook = max(row.get("hook_s", 0.0) for row in rows)
    return [str(len(rows)), *(str(of[status]) for status in known),
            str(len(rows) - sum(of[status] for status in known)),
            f"{max(row['program_s'] for row in rows):.1f} s", f"{hook:.1f} s" if hook else "-",
            str(sum(bool(row["violations"]) for row in rows))]


def _csv_table(head: tuple[str, ...], body: list[list[str]]) -> str:
    lines = [head, *body]
    widths = [max(len(str(line[column])) for line in lines) for column in range(len(head))]
    rule = "  ".join("=" * width for width in widths)
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
            for line in lines]
    # A simple table's first column must not be empty.
    return "\n".join([rule, text[0], rule, *text[1:], rule]) + "\n"
