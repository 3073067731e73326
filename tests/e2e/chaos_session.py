"""Many runs one after the other: labs are kept between them where they are as they were."""

import pathlib
import time
import traceback

import chaos_invariants
import chaos_results
from chaos_plan import Case
from chaos_run import LASTING, Performance, Run
from chaos_scene import Scene
from support import NOT_UNDONE

# A lab's logs and tables grow.
_RUNS_IN_A_LAB = 15


class Session:
    def __init__(self, folder: pathlib.Path, results: pathlib.Path | None, until: float) -> None:
        self._folder = folder
        self._results = results
        self._until = until
        self._scene: Scene | None = None
        self._uses = 0

    def perform(self, cases: list[Case]) -> int:
        """Those of one kind of lab after the other; how many did not hold."""
        bad = 0
        done: list[chaos_results.Result] = []
        try:
            for number, case in enumerate(sorted(cases, key=_lab_of)):
                if time.monotonic() > self._until:
                    print(f"the time is over: {len(cases) - number} runs were not begun")
                    break
                done.append(self._one(case, number))
                bad += not done[-1].held
                chaos_results.keep(self._results, done[-1])
        finally:
            self._drop()
        print(chaos_results.summary(done))
        return bad

    def _scene_for(self, case: Case) -> Scene:
        if self._scene is not None and (
                self._scene.kind != _lab_of(case) or self._uses >= _RUNS_IN_A_LAB):
            self._drop()
        if self._scene is None:
            self._scene = Scene(*_lab_of(case))
            self._scene.up()
            self._uses = 0
        self._uses += 1
        return self._scene

    def _drop(self) -> None:
        if self._scene is not None:
            self._scene.down()
        self._scene = None

    def _one(self, case: Case, number: int) -> chaos_results.Result:
        begin = time.monotonic()
        print(case, flush=True)
        scene = None
        run = None
        broken: list[str] = []
        trouble = ""
        try:
            scene = self._scene_for(case)
            run = Run(scene, case, number)
            seen = run.perform()
            broken = chaos_invariants.violations(scene, seen)
        except Exception:  # pylint: disable=broad-exception-caught
            trouble = traceback.format_exc()
        seen = getattr(run, "seen", None)
        if (broken or trouble) and scene is not None and run is not None:
            chaos_results.keep_evidence(self._folder, scene, case, seen, broken, trouble)
        if not self._stays(case, seen, broken, trouble):
            self._drop()
        result = chaos_results.result_of(case, seen, broken, trouble, time.monotonic() - begin)
        print(f"  {result.line()}", flush=True)
        return result

    def _stays(self, case: Case, seen: Performance | None, broken: list[str],
               trouble: str) -> bool:
        """Whether the lab may be used again."""
        if broken or trouble or seen is None or not case.is_switch or self._scene is None:
            return False
        if seen.outcome.status == NOT_UNDONE:
            return False
        # MHA leaves the scheduler's events where they are, and its manager marks of a failover.
        if case.by_mha or any(fault.name in (*LASTING, "masterha-manager") for fault in case.faults):
            return False
        if not self._scene.is_clean():
            return False
        self._scene.cast_again()
        return True


def _lab_of(case: Case) -> tuple[str, str, bool, bool]:
    """For Scene()."""
    # Whether sudo lets the account kill a server that hangs: the optional rule of the sample.
    kills_hangers = case.run % 3 != 0
    return case.server, case.gtid, kills_hangers, case.by_mha
