"""Whether a state changes what the failing visible tests run: coverage of failing tests as a potential."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deepgym_envs.errors import SandboxError
from deepgym_envs.figures import function_lines, functions_touched
from deepgym_envs.grade import Grader
from deepgym_envs.sandbox import Command
from deepgym_envs.state import WorkspaceState
from deepgym_envs.strict_json import parse_json
from deepgym_envs.task import Task

_CHILD = Path(__file__).with_name("spectrum_child.py")
_REPORT_BYTES = 8 << 20


@dataclass(frozen=True)
class Spectrum:
    """How suspicious functions of the base are, in [0, 1], by path and qualified name; all others are 0."""

    functions: Mapping[tuple[str, str], float]


def suspiciousness(grader: Grader, state: WorkspaceState) -> float:
    """Mean suspiciousness of the base's functions that ``state`` changes, over the greatest that there is.

    A function's suspiciousness is Ochiai's ``f / sqrt(F (f + p))`` (Abreu, Zoeteweij and van Gemund, TAIC
    PART 2007): ``f`` of the ``F`` visible tests that fail at the base call it, and ``p`` of those that pass.
    Functions that a state adds are neutral. It is 0 where no function of the base is changed, and everywhere
    if no visible test fails at the base.

    The tests run once for a task and memory, on the base, under a profiler; nothing is run for other states.
    It uses visible tests alone, so it is no privileged knowledge, and says where, never whether.

    Raises:
        SandboxError: the tests did not come to their end at the base.
    """
    base = WorkspaceState(grader.task.base)
    spectrum = grader.measured("spectrum 1", base, Spectrum, lambda: _recorded(grader, base))
    most = max(spectrum.functions.values(), default=0.0)
    touched = functions_touched(grader.judged_part(state))
    lines = {path: function_lines(base.get(path)) for path, _ in touched}
    changed = [place for place in touched if place[1] in lines[place[0]]]
    if not changed or not most:
        return 0.0
    total = math.fsum(spectrum.functions.get(place, 0.0) for place in changed)
    return min(1.0, total / len(changed) / most)


def _recorded(grader: Grader, base: WorkspaceState) -> Spectrum:
    task = grader.task
    done = grader.run(base, _command(task))
    rows = None
    if done is not None and not done.timed_out and not done.report_overflow:
        rows = _rows(done.report)
    if rows is None:  # no agent's code was in it
        raise SandboxError(f"the visible tests of {task.id} could not be profiled at its base")
    failing, counts = rows
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for path, line, failed, passed in counts:
        for name, (first, last) in function_lines(base.get(path)).items():
            if first <= line <= last:  # the function, or one inside of it, of which each test calls either
                before = found.get((path, name), (0, 0))
                found[path, name] = max(before[0], failed), max(before[1], passed)
    return Spectrum({place: _ochiai(failing, *pair) for place, pair in found.items()})


def _ochiai(failing: int, failed: int, passed: int) -> float:
    return failed / math.sqrt(failing * (failed + passed)) if failed else 0.0


def _command(task: Task) -> Command:
    files = [path for path in task.base if path.endswith(".py") and task.may_edit(path)]
    job = {
        "files": files,
        "paths": [*task.recipe.test.options, *task.recipe.test.paths],
        "plugins": list(task.recipe.test.plugins),
        "pythonpath": list(task.recipe.install.pythonpath),
    }
    return Command(
        argv=("python", "-I", "-B", "{files}/spectrum_child.py"),
        seconds=task.limits.test_seconds,
        stdin=json.dumps(job).encode(),
        files={"spectrum_child.py": _CHILD.read_bytes()},
        output_bytes=task.limits.output_bytes,
        report_bytes=_REPORT_BYTES,
        warm=True,
    )


def _rows(report: bytes) -> tuple[int, list[tuple[str, int, int, int]]] | None:
    """How many tests failed; path, line, failing and passing tests of each function. None if it is no report.

    These exit codes of pytest's are those of runs that came to their end: all passed, some failed, some could
    not be collected, there were none.
    """
    try:
        said = parse_json(report)
    except ValueError:
        return None
    match said:
        case {"exit": 0 | 1 | 2 | 5, "failed": int(failing), "functions": list(functions), **rest} if (
            not rest
        ):
            rows = [row for row in functions if _is_row(row, failing)]
            return (failing, [tuple(row) for row in rows]) if len(rows) == len(functions) else None
    return None


def _is_row(row: object, failing: int) -> bool:
    match row:
        case [str(), int(line), int(failed), int(passed)]:
            return line >= 0 and 0 <= failed <= failing and passed >= 0
    return False
