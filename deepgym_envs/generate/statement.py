"""Says what is wrong, from the behaviour that was seen to fail, where nobody has written it in words."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from deepgym_envs.figures import functions_touched
from deepgym_envs.generate.calls import MOST_TESTS, Example, examples
from deepgym_envs.generate.candidate import Rejected
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.recipe import RepoRecipe, SdistSource
from deepgym_envs.state import WorkspaceState
from deepgym_envs.syntax import parse_python
from deepgym_envs.text import clean

EXAMPLES, EXAMPLES_OF_EACH = 4, 3
_LINES, _CHARS = 4, 160  # of one failure
_WIDEST = 1_500  # characters of a line about a call
_DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
_TELLING = re.compile(
    r"(AssertionError: )?assert .|Failed: |(?!AssertionError)[\w.]+: \S|AssertionError: .*\s\S"
)
_SOMEHOW = "it fails"
_HEX = re.compile(r"0x[0-9a-f]{6,}")


def describe(
    runs: TaskRuns,
    base: WorkspaceState,
    gold: WorkspaceState,
    hidden: Mapping[str, bytes],
    failing: Sequence[str],
    problems: Sequence[Collection[str]] = (),
) -> tuple[str, str]:
    """A title and a text about what ``failing`` tests of ``hidden`` see, which pass with ``gold``.

    Raises:
        Rejected: as ``write_statement``.
        SandboxError: they could not be run.
    """
    groups = problems if len(problems) > 1 else [failing]
    watched = [node for group in groups for node in [each for each in failing if each in group][:MOST_TESTS]]
    told = examples(runs, base, gold, hidden, watched)
    package, before = _package(runs.task.recipe), runs.hidden(base, failing)
    return write_statement(package, gold, hidden, failing, before, told, problems)


def write_statement(
    package: str,
    solution: WorkspaceState,
    hidden: Mapping[str, bytes],
    failing: Sequence[str],
    base: TaskRun,
    calls: Mapping[str, Example],
    problems: Sequence[Collection[str]] = (),
) -> tuple[str, str]:
    """A title and a text for ``failing`` tests of ``package``, from what their run at the ``base`` told.

    Names what the tests speak of and the solution changes, and shows up to ``EXAMPLES`` of the ``calls`` that
    go wrong; or, where none is known, failures in the words of the test runner, without a test's name or
    source. Where there are several ``problems``, each with tests of its own, it shows up to
    ``EXAMPLES_OF_EACH`` of every one.

    Raises:
        Rejected: these words say nothing, or nothing of one of the problems: nobody could know what to mend.
    """
    names = [name for name in _subjects(solution, hidden, failing) if name != package]
    subject = " and ".join(f"`{name}`" for name in names) or f"`{package}`"
    whole = f"{subject} of {package}" if names else subject
    errors = Counter(_sort(base.why(node)) for node in failing)
    told = [sort for sort, _ in errors.most_common() if sort != _SOMEHOW] or [_SOMEHOW]
    seen = ", or ".join(told[:3])
    lines = [
        f"# {package}: {subject} {'do' if len(names) > 1 else 'does'} not work as described",
        "",
        f"In some cases {whole} {'go' if len(names) > 1 else 'goes'} wrong: {seen}.",
        "",
    ]
    if len(problems) > 1:
        lines.append(f"There are {len(problems)} problems. Examples of what happens, and of what should:")
        for number, problem in enumerate(problems, start=1):
            mine = [node for node in failing if node in problem]
            lines += ["", f"Problem {number}:", *_shown(mine, base, calls, EXAMPLES_OF_EACH)]
        lines += ["", "These are examples, not all that goes wrong. Find the causes and mend them there."]
        lines += ["Whatever is right today has to stay as it is."]
    else:
        lines += ["Examples of what happens, and of what should:", *_shown(failing, base, calls, EXAMPLES)]
        lines += ["", "These are examples of one problem, not all of it. Find its cause and mend it there."]
        lines += ["Whatever is right today has to stay as it is."]
    verb = "do" if len(names) > 1 else "does"
    title = f"{package}: {' and '.join(names) or 'a part of it'} {verb} not work as described"
    return title[:100], "\n".join(lines) + "\n"


def _package(recipe: RepoRecipe) -> str:
    """What people call it, whatever environment the name of its recipe tells."""
    source = recipe.source
    return source.name if isinstance(source, SdistSource) else re.sub(r"-[0-9a-f]{6}$", "", recipe.name)


def _sort(error: str) -> str:
    """What kind of failure it was, in words."""
    if not error or error.startswith(("AssertionError", "assert ", "Failed")):
        return "it gives another result than it should"
    name = error.partition(":")[0].strip()
    return f"it raises `{name}`" if re.fullmatch(r"[A-Za-z_][\w.]*", name) else _SOMEHOW


def _shown(failing: Sequence[str], base: TaskRun, calls: Mapping[str, Example], most: int) -> Iterator[str]:
    """The lines of a text that show ``most`` examples, short ones first; of half of what fails, so that a
    solution for what is shown is not one for all."""
    most = min(most, max(1, len(failing) // 2))
    names = "|".join(re.escape(name) for node in failing for name in (_function(node), _file(node)))
    telling = re.compile(rf"```|(?<!\w)({names})(?!\w)")
    found = list(_called(failing, calls, telling))[:most]
    if not found:
        found = list(islice(_failures(failing, base, telling), most))
        if not any(_TELLING.match(line) for example in found for line in example):
            raise Rejected("not_told", "no failure says in words what was expected and what was seen")
    for example in found:
        yield from ("", "```text", *example, "```")


def _called(
    failing: Sequence[str], calls: Mapping[str, Example], telling: re.Pattern[str]
) -> Sequence[Sequence[str]]:
    """Calls that differ, in lines that name no test; short ones first."""
    met: dict[str, Sequence[str]] = {}
    for example in (calls[node] for node in failing if node in calls):
        earlier = tuple(line for line in example.earlier if not telling.search(line) and len(line) <= _WIDEST)
        lines = tuple(clean(line).replace("\n", " ") for line in replace(example, earlier=earlier).lines)
        if not any(telling.search(line) or len(line) > _WIDEST for line in lines):
            met.setdefault(example.call, lines)
    return sorted(met.values(), key=lambda lines: sum(map(len, lines)))


def _failures(failing: Sequence[str], base: TaskRun, telling: re.Pattern[str]) -> Iterator[Sequence[str]]:
    """What the test runner said of failures that differ, in a few lines each, and without naming a test."""
    met: set[tuple[str, ...]] = set()
    for node in failing:
        told = [line[1:].strip() for line in base.report.details.get(node, "").splitlines()
                if line.startswith("E ")]  # fmt: skip
        lines = tuple(_HEX.sub("0x...", clean(line))[:_CHARS] for line in told[:_LINES] if line)
        if lines and lines not in met and not any(telling.search(line) for line in lines):
            met.add(lines)
            yield lines


def _subjects(
    solution: WorkspaceState, hidden: Mapping[str, bytes], failing: Sequence[str]
) -> tuple[str, ...]:
    """The names that most of the failing tests speak of, two at most, of what the solution changes."""
    spoken = Counter(name for node in failing for name in _spoken_of(hidden, node))
    changed = {part for _, name in functions_touched(solution) for part in name.split(".")}
    among = (name for name, _ in spoken.most_common() if name in changed and not name.startswith("_"))
    return tuple(islice(among, 2))


def _spoken_of(hidden: Mapping[str, bytes], node: str) -> set[str]:
    """Names of variables and attributes in one test, but for what its file defines."""
    function = _function(node)
    try:
        module = parse_python(hidden[node.partition("::")[0]])
    except (KeyError, ValueError):
        return set()
    own = {each.name for each in ast.walk(module) if isinstance(each, _DEFINITION)}
    for test in ast.walk(module):
        if isinstance(test, ast.FunctionDef | ast.AsyncFunctionDef) and test.name == function:
            parts = list(ast.walk(test))
            names = {part.id for part in parts if isinstance(part, ast.Name)}
            return (names | {part.attr for part in parts if isinstance(part, ast.Attribute)}) - own
    return set()


def _function(node: str) -> str:
    return node.partition("[")[0].rpartition("::")[2]


def _file(node: str) -> str:
    return node.partition("::")[0].rpartition("/")[2]
