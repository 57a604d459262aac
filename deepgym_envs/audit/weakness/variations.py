"""The tests of a task, again and again with other input, as files that observe."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from random import Random

from deepgym_envs.audit.weakness.observed import ObservedFile
from deepgym_envs.audit.weakness.oracle_tests import as_tests
from deepgym_envs.audit.weakness.other_inputs import OtherInputs, kind_of
from deepgym_envs.audit.weakness.visible import visible_files
from deepgym_envs.oracle_file import ORACLE
from deepgym_envs.task import Task
from deepgym_envs.twin import Place

_SHARED = 0.3  # how often something that tests share is changed as well
_HIDDEN, _VISIBLE = "hidden", "visible"


@dataclass(frozen=True)
class Variation:
    """Some ``tests`` of the file at ``module`` with other literals at some places, as a file of its own."""

    module: str
    file: ObservedFile
    number: int
    tests: tuple[str, ...]
    changes: Mapping[Place, str]

    @property
    def path(self) -> str:
        """Where it lies: beside the original, which its imports and fixtures are found from."""
        return f"{self.module.removesuffix('.py')}__{self.number}.py"

    @cached_property
    def source(self) -> bytes:
        """What it says."""
        return self.file.written(self.tests, self.changes)

    def changed_in(self, test: str) -> Sequence[tuple[str, str]]:
        """Literals that are others in ``test`` or in what it shares: what there was, and what there is."""
        places = {place for home in (test, "") for row in self.file.inputs.get(home, ()) for place in row}
        return [(self.file.sources[at], new) for at, new in self.changes.items() if at in places]


@dataclass(frozen=True)
class Focus:
    """What is of most interest: ``callees``, functions by name, and ``literals`` that stand where they are
    faulty."""

    callees: frozenset[str] = frozenset()
    literals: Sequence[str] = ()


class Variations:
    """Varies the files of tests of one task; the same for the same ``seed``.

    ``files`` is what they need beside them, ``originals`` are the tests as they are, but observing.
    """

    def __init__(self, task: Task, seed: int) -> None:
        self._chance = Random(seed)
        modules, self.files = _modules(task, self._chance)
        self.originals = tuple(
            Variation(path, file, 0, file.tests, {}) for path, file in modules.items() if file.tests
        )
        self._others = {path: OtherInputs([*file.sources.values()]) for path, file in modules.items()}

    def vary(self, original: Variation, number: int, tests: Collection[str], focus: Focus) -> Variation:
        """Those ``tests`` of a file with one literal of each row changed, and now and then one that they
        share.

        By turns, as ``number`` counts, it is drawn, or what is in ``focus`` takes the place of one after the
        other, of those that are given to what is in focus first.
        """
        file, others = original.file, self._others[original.module]
        kept = tuple(test for test in original.tests if test in tests)
        rows = [row for test in kept for row in file.inputs.get(test, ())]
        if not any(rows) or self._chance.random() < _SHARED:
            rows += file.inputs[""]
        changes: dict[Place, str] = {}
        for row in filter(None, rows):
            aimed = self._aimed(file, row, focus) if number % 2 else []
            if aimed:
                at, other = aimed[number // 2 % len(aimed)]
                changes[at] = other
                continue
            at = self._chance.choice(row)
            drawn = others.draw(file.sources[at], self._chance)
            if drawn is not None:
                changes[at] = drawn
        return Variation(original.module, file, number, kept, changes)

    def _aimed(self, file: ObservedFile, row: Sequence[Place], focus: Focus) -> list[tuple[Place, str]]:
        first = sorted(row, key=lambda at: file.callees[at] not in focus.callees)
        return [
            (at, literal)
            for at in first
            for literal in focus.literals
            if kind_of(literal) == kind_of(file.sources[at]) and literal != file.sources[at]
        ]


def _modules(task: Task, chance: Random) -> tuple[dict[str, ObservedFile], dict[str, bytes]]:
    """Files of tests by place, and all files that they may need: the hidden ones, the visible ones, and the
    oracle's cases."""
    files = {f"{_HIDDEN}/{path}": data for path, data in task.hidden.items() if path != ORACLE}
    files |= {f"{_VISIBLE}/{path}": data for path, data in visible_files(task).items()}
    sources = {path: data for path, data in files.items() if _has_tests(path)}
    if task.oracle is not None:
        sources["oracle/test_cases.py"] = as_tests(task.oracle, chance)
    modules = {}
    for path, source in sources.items():
        try:
            modules[path] = ObservedFile(source)
        except ValueError:
            continue
    return modules, {path: data for path, data in files.items() if path not in modules}


def _has_tests(path: str) -> bool:
    name = path.rpartition("/")[2]
    return name.endswith(".py") and (name.startswith("test_") or name.endswith("_test.py"))
