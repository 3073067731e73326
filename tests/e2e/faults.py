"""Faults at a chosen moment of an online switch, by way of halting_hook."""

import os
import pathlib
from collections.abc import Callable

from support import HERE, SIGNALS, Lab, Line, options

DIE_AT = pathlib.Path(os.environ.get(  # die_at.cc
    "MHA_E2E_DIE_AT", options.PROJECT / "build" / "release" / "tests" / "e2e" / "libdie_at.so"))
_ONLINE = "master_ip_online_change_script"


def with_halting_hook(**choices) -> dict:
    """Options of a lab whose online hook can be halted, killed, or made to fail."""
    programs = pathlib.Path(options.LabOptions().programs)
    hook = f"{HERE / 'halting_hook'} {programs / 'master_ip_online_failover_helper'}"
    return {**choices, "mha_conf": {**choices.get("mha_conf", {}), _ONLINE: hook}}


class Halt:
    """Does something while the hook waits; `reached` says whether it came to that.

    outcome = self.switch(lab, on_line=Halt(lab, "after-stop", act).on_line)
    """

    def __init__(self, lab: Lab, where: str, act: Callable[[], object]) -> None:
        self._file = lab.path(SIGNALS) / f"halt-{where}"
        self._file.touch()
        self._line = f"halting_hook: {where}"
        self._act = act
        self.reached = False

    def on_line(self, line: Line) -> None:
        if line.text == self._line and not self.reached:
            self.reached = True
            try:
                self._act()
            finally:
                self._file.unlink()


def kill_hook_after(lab: Lab, command: str, text: str) -> None:
    (lab.path(SIGNALS) / f"kill-{command}").write_text(f"{DIE_AT}\n{text}", encoding="utf-8")


def fail_hook(lab: Lab, command: str, status: int) -> None:
    (lab.path(SIGNALS) / f"fail-{command}").write_text(str(status), encoding="ascii")


def clear(lab: Lab) -> None:
    for file in lab.path(SIGNALS).iterdir():
        file.unlink()


def kill_mha(lab: Lab) -> None:
    """SIGKILL for MHA alone; its hook goes on for a moment, our command lives."""
    lab.hosts["mgr"].must_run(["pkill", "-KILL", "-f", "^[^ ]*perl .*masterha_master_switch"])
