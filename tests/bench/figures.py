"""Figures of a benchmark: their summary, a table, what the machine was, and their JSON file."""

import json
import os
import pathlib
import platform
import statistics
from datetime import datetime


def summary(values: list[float]) -> dict[str, float]:
    return {"n": len(values), "median": statistics.median(values), "min": min(values),
            "max": max(values)}


def environment() -> dict[str, object]:
    """Read before anything runs: the load is that of others."""
    return {"when": datetime.now().astimezone().isoformat(timespec="seconds"),
            "kernel": platform.release(), "machine": platform.machine(),
            "cores": len(os.sched_getaffinity(0)), "load_before": os.getloadavg()[0]}


def print_table(title: str, rows: list[tuple[str, list[float], str]], digits: int = 0) -> None:
    """A row each: its name, its values, a remark."""
    width = max([12, *(len(name) for name, _, _ in rows)])
    print(f"\n{title}\n  {'':{width}}{'n':>4}{'median':>9}{'min':>9}{'max':>9}")
    for name, values, remark in rows:
        told = summary(values)
        numbers = "".join(f"{told[key]:9.{digits}f}" for key in ("median", "min", "max"))
        print(f"  {name:{width}}{told['n']:4}{numbers}   {remark}".rstrip())


def print_environment(about: dict[str, object]) -> None:
    print(f"\n{about['cores']} cores, load before {about['load_before']:.1f}, kernel "
          f"{about['kernel']}, {about['when']}")


def write_json(where: str, document: dict) -> None:
    """`where` is a file, or - for standard output."""
    text = json.dumps(document, indent=1) + "\n"
    if where == "-":
        print(text, end="")
    else:
        pathlib.Path(where).write_text(text, encoding="utf-8")
