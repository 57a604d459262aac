"""Finds wrong values that are plausible because broken programs really give them.

The reference solution is given one fault at a time, in a function that it changed, and what its hidden tests
are then given where they expect a value is noted.
"""

from __future__ import annotations

import ast
import difflib
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random

from deepgym_envs.authoring.probes import Probes, Spot
from deepgym_envs.authoring.sites import Site
from deepgym_envs.grade import TaskRuns
from deepgym_envs.grade.test_file import Function, TestFile
from deepgym_envs.rewriting import Mutant, means_the_same, mutants, sample
from deepgym_envs.state import WorkspaceState
from deepgym_envs.syntax import parse_expression, parse_python
from deepgym_envs.task import Task

MUTANTS = 32  # of the reference solution
SECONDS = 10.0  # for all of them together
_LONGEST = 4.0  # seconds for one, which may not come to its end


@dataclass(frozen=True)
class Observed:
    """What was seen at the places where tests expect plain values, as source texts.

    ``base`` is what the base gives there, if not the right value; ``wrong`` what mutants of the solution give
    instead of either, and how many of them do.
    """

    base: Mapping[Spot, str]
    wrong: Mapping[Spot, Mapping[str, int]]


def observe(
    task: Task,
    runs: TaskRuns,
    files: Mapping[str, TestFile],
    found: Mapping[str, Sequence[Site]],
    chance: Random,
    seconds: float,
) -> Observed:
    """Run the tests that ``found`` has places of, on the solution, the base and, for ``seconds``, mutants.

    The same for the same ``chance``, unless the time runs out.

    Raises:
        SandboxError: they could not be run.
    """
    probes = Probes(task.hidden, files, found)
    if not probes.nodes:
        return Observed({}, {})

    def seen(state: WorkspaceState, seconds: float | None = None) -> Mapping[Spot, tuple[str, ...]]:
        return probes.seen(runs.tried(state, probes.nodes, probes.files, seconds))

    gold = task.gold.only(task.may_edit)
    sites = {
        (test, site.at): parse_expression(site.expression) for test, own in found.items() for site in own
    }
    # Of a place that is not simply compared with, nothing is known.
    right = {
        spot: values[0]
        for spot, values in seen(gold).items()
        if len(values) == 1 and means_the_same(parse_expression(values[0]), sites[spot])
    }
    base = {
        spot: others[0]
        for spot, values in seen(WorkspaceState(task.base)).items()
        if spot in right and (others := [value for value in values if value != right[spot]])
    }
    wrong: dict[Spot, Counter[str]] = {}
    end = time.monotonic() + seconds
    for state in mutants_of(task, gold, chance):
        left = end - time.monotonic()
        if left <= 0:
            break
        for spot, values in seen(state, min(left, _LONGEST)).items():
            if spot in right:
                known = right[spot], base.get(spot)
                wrong.setdefault(spot, Counter()).update(value for value in values if value not in known)
    return Observed(base, {spot: dict(values.most_common()) for spot, values in wrong.items()})


def mutants_of(task: Task, gold: WorkspaceState, chance: Random) -> Iterator[WorkspaceState]:
    """The solution with one fault: in a function that it changed, and where these have too few, elsewhere in
    the same files."""
    near: dict[Mutant, str] = {}
    rest: dict[Mutant, str] = {}
    for path, file in gold.changes.items():
        if file is None or not path.endswith(".py"):
            continue
        old = task.base.get(path)
        try:
            source = file.data.decode()
            lines = touched(old.data.decode() if old else "", source)
        except ValueError:
            continue  # what is not in UTF-8, or no Python, has no mutants
        for mutant in mutants(source):
            home = near if not lines.isdisjoint(range(mutant.line, mutant.end_line + 1)) else rest
            home[mutant] = path
    seed = chance.getrandbits(32)
    chosen = sample(near, MUTANTS, seed)
    for mutant in (*chosen, *sample(rest, MUTANTS - len(chosen), seed)):
        yield gold.with_file((near | rest)[mutant], mutant.source.encode())


def touched(old: str, new: str) -> frozenset[int]:
    """The lines of ``new``, from 1, that ``old`` has not, or that are beside what only ``old`` has; and all
    lines of the functions that these are in.

    >>> sorted(touched("def f():\\n    a()\\n    b()\\n", "def f():\\n    a()\\n    c()\\n"))
    [1, 2, 3]
    """
    match = difflib.SequenceMatcher(None, old.splitlines(), new.splitlines(), autojunk=False)
    changed = {
        line
        for what, _, _, start, end in match.get_opcodes()
        if what != "equal"
        for line in (range(start + 1, end + 1) or (start, start + 1))
    }
    functions = (node for node in ast.walk(parse_python(new)) if isinstance(node, Function))
    spans = [range(node.lineno, (node.end_lineno or node.lineno) + 1) for node in functions]
    return frozenset(changed.union(*(span for span in spans if not changed.isdisjoint(span))))
