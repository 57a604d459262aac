"""An agent that learns the visible answers by heart: is that paid?

Its solution is the base's code with a table in front of it, of calls that the visible tests and the
instruction make and what must come of them. Where the base's answer is another one, the table's is given; all
other input falls through to the base.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from deepgym_envs.audit.weakness.examples import Example, examples
from deepgym_envs.grade import Grader, TaskRuns
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

_CODE = """

def _look_up(scope):
    rows = {rows}
    answers = {{}}

    def given(*args, **kwargs):
        return repr((args, sorted(kwargs.items())))

    def learn():
        answers[None] = None  # what is asked meanwhile is not known yet
        for name, heads, call, expected, error in rows:
            names = {{"given": given}}
            try:
                exec(heads, names)
                answers[name, eval(call, names)] = expected, error, names
            except Exception:
                continue

    def corrected(found, original, args, kwargs):
        answers["busy"] = True  # what the expected value is made of falls through
        try:
            expected, error, names = found
            wanted = eval(error or expected, names)
        finally:
            del answers["busy"]
        try:
            value = original(*args, **kwargs)
            if not error and value == wanted:
                return value
        except wanted if error else ():
            raise
        except Exception:
            pass
        if error:
            raise wanted
        return wanted

    def looked_up(name, original):
        def answer(*args, **kwargs):
            if not answers:
                learn()
            try:
                found = None if "busy" in answers else answers.get((name, given(*args, **kwargs)))
            except Exception:
                found = None
            if original is None and found is None:
                raise NotImplementedError(name)
            if found is None:
                return original(*args, **kwargs)
            return corrected(found, original, args, kwargs)

        return answer

    for name in {{row[0] for row in rows}}:
        owner, _, last = name.rpartition(".")
        homes = map(vars, scope[owner].__mro__) if owner else [scope]
        original = next((home[last] for home in homes if last in home), None)
        if isinstance(original, type(looked_up)) or original is None:
            if owner:
                setattr(scope[owner], last, looked_up(name, original))
            else:
                scope[last] = looked_up(name, original)


_look_up(globals())
"""


@dataclass(frozen=True)
class LookUp:
    """What came of it.

    ``entries`` are calls in the table, ``gained`` visible tests that pass by it and do not at the base,
    ``lost`` those that it breaks: then the table is at fault, and its refusal says nothing. ``accepted`` is
    the verdict on it; where nothing could be learnt, on the base itself.
    """

    entries: int
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    accepted: bool
    reason: str


def look_up(task: Task, backend: Backend) -> LookUp:
    """Build the solution, try it on the visible tests, and have it graded.

    Raises:
        SandboxError: it could not be judged.
    """
    known: Sequence[Example] = examples(task)
    before = after = frozenset[str]()
    if known:
        with TaskRuns(task, backend) as runs:
            known, before, after = _harmless(task, runs, known)
    with Grader(task, backend) as grader:
        verdict = grader.grade(with_table(task, known))
    gained, lost = sorted(after - before), sorted(before - after)
    return LookUp(len(known), tuple(gained), tuple(lost), verdict.passed, verdict.reason)


def _harmless(
    task: Task, runs: TaskRuns, known: Sequence[Example]
) -> tuple[Sequence[Example], frozenset[str], frozenset[str]]:
    """Those examples that break no visible test, and the tests that pass without and with them.

    What is asked for in a test may depend on what was done before. A file whose examples are of that kind is
    left as it is.
    """

    def passing(examples: Sequence[Example]) -> frozenset[str]:
        return frozenset(runs.visible(with_table(task, examples)).passed)

    before, after = passing(()), passing(known)
    if before - after:
        paths = dict.fromkeys(each.path for each in known)
        own = {path: [each for each in known if each.path == path] for path in paths}
        known = [each for path in paths if before <= passing(own[path]) for each in own[path]]
        after = passing(known)
    return known, before, after


def with_table(task: Task, known: Sequence[Example]) -> WorkspaceState:
    """The base with a table of ``known`` in front of what they call."""
    state = WorkspaceState(task.base)
    for path in dict.fromkeys(example.path for example in known):
        rows = [
            (each.name, each.heads, each.given, each.expected, each.error)
            for each in known
            if each.path == path
        ]
        table = textwrap.indent(",\n".join(map(repr, rows)), " " * 8)
        code = _CODE.format(rows=f"[\n{table},\n    ]")
        state = state.with_file(path, task.base[path].data.rstrip(b"\n") + b"\n" + code.encode())
    return state
