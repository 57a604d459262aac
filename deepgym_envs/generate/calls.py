"""Finds out by which call a test sees that something is wrong: what it gives, and what it should give.

A failing test runs on the base and on the solution, while each call from the tests into the package is noted.
The first that ends in another way is an example that nobody has to write, of values, not of anyone's text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.state import WorkspaceState

MOST_TESTS = 12  # of one problem that are worth watching
_EARLIER, _LATER = 3, 2  # calls that are shown before the one that goes wrong, and behind
_CHILD = Path(__file__).with_name("calls_child.py")
_FOLDER, _CONFTEST = "deepgym_calls", "conftest.py"
_PLUGIN = f"""
import sys as _deepgym_sys
_deepgym_sys.path.append(__file__.rsplit("/", 1)[0] + "/{_FOLDER}")
pytest_plugins = ["{_FOLDER}"]
"""
# What differs from run to run: addresses, and folders that pytest makes and names after tests.
_PASSING = re.compile(r"(0x)[0-9a-f]{6,}|(/tmp/)pytest-of-\w+/pytest-\d+/[\w-]+")
_How = Literal["gives", "raises"]


@dataclass(frozen=True)
class Example:
    """A ``call`` that goes wrong, after some ``earlier`` ones, as one would write them in Python.

    ``given`` is how it ends at the base, ``wanted`` how it should: "gives 3", "raise KeyError: 'x'". Where
    nothing comes to be at the base, ``later`` is what is done with it when it does.
    """

    earlier: tuple[str, ...]
    call: str
    given: str
    wanted: str
    later: tuple[str, ...] = ()

    @property
    def lines(self) -> tuple[str, ...]:
        """It in words."""
        return (*self.earlier, self.call, f"    {self.given}", f"    should {self.wanted}", *self.later)


def examples(
    runs: TaskRuns,
    base: WorkspaceState,
    gold: WorkspaceState,
    hidden: Mapping[str, bytes],
    nodes: Sequence[str],
) -> Mapping[str, Example]:
    """Of each of ``nodes``, tests that fail at ``base`` and pass with ``gold``, the call that goes wrong.

    Those are left out of which no call can be told to.

    Raises:
        SandboxError: they could not be run.
    """
    if b"pytest_plugins" in hidden.get(_CONFTEST, b""):
        return {}

    def seen(state: WorkspaceState, wanted: Mapping[str, int]) -> Mapping[str, Mapping[int, _Call]]:
        files = {
            **hidden,
            _CONFTEST: hidden.get(_CONFTEST, b"") + _PLUGIN.encode(),
            f"{_FOLDER}/{_FOLDER}.py": _CHILD.read_bytes(),
            f"{_FOLDER}/wanted.json": json.dumps(wanted).encode(),
        }
        return _told(runs.tried(state, nodes, files))

    before = seen(base, {})
    after = seen(gold, {node: max(calls) + _LATER for node, calls in before.items() if calls})
    found = {node: _example(before.get(node, {}), after.get(node, {})) for node in nodes}
    return {node: example for node, example in found.items() if example is not None}


@dataclass(frozen=True)
class _Call:
    text: str
    how: _How
    what: str

    @property
    def ended(self) -> str:
        return f"{self.how} {self.what}"

    @property
    def should(self) -> str:
        return f"{self.how.removesuffix('s')} {self.what}"


def _example(before: Mapping[int, _Call], after: Mapping[int, _Call]) -> Example | None:
    for number, call in before.items():
        other = after.get(number)
        if other is None:
            continue
        if other.text != call.text:
            return None
        if other.ended != call.ended:
            new = call.how == "raises" and other.what.startswith("<")
            later = [after[each] for each in range(number + 1, number + 1 + _LATER) if each in after and new]
            told = [line for each in later for line in (each.text, f"    should {each.should}")]
            silent = call.how == "raises" and other.what == "None"
            wanted = "raise nothing" if silent else other.should
            return Example(tuple(_earlier(before, number)), call.text, call.ended, wanted, tuple(told))
    return None


def _earlier(calls: Mapping[int, _Call], number: int) -> Iterator[str]:
    """Calls that made what the one of that ``number`` works on, as far as that can be told."""
    call = calls[number].text
    owner = call.partition("(")[0].partition(".")[0] if "." in call.partition("(")[0] else ""
    if not owner and "<" not in call:
        return
    for each in range(number - _EARLIER, number):
        if each in calls and ".__" not in calls[each].text:
            yield calls[each].text


def _told(run: TaskRun) -> Mapping[str, Mapping[int, _Call]]:
    """By test, the calls by number that a run tells of; what is no such telling is left out."""
    found: dict[str, dict[int, _Call]] = {}
    for node, said in run.report.details.items():
        try:
            calls = _calls(json.loads(_PASSING.sub(r"\1\2...", said)))
        except (ValueError, RecursionError):
            continue
        found[node] = {number: call for number, call in calls.items() if call is not None}
    return found


def _calls(said: object) -> Mapping[int, _Call | None]:
    match said:
        case [int(start), [*rows]]:
            return {start + at: _call(row) for at, row in enumerate(rows)}
    raise ValueError("no list of calls")


def _call(row: object) -> _Call | None:
    match row:
        case [str(text), "gives" | "raises" as how, str(what)]:
            return _Call(text, how, what)
        case [str(), "open", str()]:
            return None
    raise ValueError("not a call")
