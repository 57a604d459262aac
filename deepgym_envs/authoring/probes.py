"""Finds out which values tests are given where they say what they expect.

In a copy of each test the expected values are replaced by probes, which equal everything and note what that
is. Only values of exactly plain types leave the box.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deepgym_envs import plain
from deepgym_envs.authoring.sites import Site
from deepgym_envs.grade import TaskRun
from deepgym_envs.grade.deck import path_of
from deepgym_envs.grade.test_file import Copy, TestFile
from deepgym_envs.plain import NotPlain
from deepgym_envs.rewriting import is_written_out, source_of
from deepgym_envs.syntax import parse_expression, parse_python
from deepgym_envs.twin import Place

Spot = tuple[str, Place]
"""A test, as a node id without a case, and where in its file a value is expected."""
_CHILD = Path(__file__).with_name("probe_child.py")
_FOLDER = "deepgym_probe"
_HEAD = """\
import sys as _deepgym_sys
_deepgym_sys.path.append(__file__.rsplit("/", {depth})[0] + "/{folder}")
from deepgym_probe import Probe as _deepgym_Probe, tell as _deepgym_tell
"""


class Probes:
    """Hidden files with a probe at each place where one of ``found``, by test, expects a plain value.

    ``files`` are what is put into a box, ``nodes`` the tests to be run.
    """

    def __init__(
        self, hidden: Mapping[str, bytes], files: Mapping[str, TestFile], found: Mapping[str, Sequence[Site]]
    ) -> None:
        self._spots: list[tuple[Spot, ast.expr]] = []
        copies: dict[str, list[Copy]] = {}
        for test, sites in found.items():
            changes: list[tuple[Place, str]] = []
            for site in sites:
                expression = parse_expression(site.expression)
                if site.sort == "value" and is_written_out(expression) and not _is_one_of_a_kind(expression):
                    changes.append((site.at, f"_deepgym_Probe({len(self._spots)})"))
                    self._spots.append(((test, site.at), expression))
            if changes:
                name = test.partition("::")[2]
                own = name.rpartition("::")[2]
                copies.setdefault(path_of(test), []).append(Copy(name, own, tuple(changes)))
        self.nodes = [f"{path}::{copy.test}" for path, its in copies.items() for copy in its]
        self.files = dict(hidden)
        self.files |= {path: _probed(path, files[path].written(its)) for path, its in copies.items()}
        self.files[f"{_FOLDER}/deepgym_probe.py"] = _CHILD.read_bytes()
        self.files[f"{_FOLDER}/deepgym_plain.py"] = Path(plain.__file__).read_bytes()

    def seen(self, run: TaskRun) -> Mapping[Spot, tuple[str, ...]]:
        """The different values that the probes of each place met in a run of ``nodes``, written as what is
        expected there is.

        Values that cannot be written so are left out, and places that no such value was seen at.
        """
        found: dict[Spot, dict[str, None]] = {}
        for told in run.report.details.values():
            for number, value in _rows(told):
                if 0 <= number < len(self._spots):
                    spot, expression = self._spots[number]
                    source = source_of(value, expression)
                    if source is not None:
                        found.setdefault(spot, {})[source] = None
        return {spot: tuple(sources) for spot, sources in found.items()}


def _is_one_of_a_kind(expression: ast.expr) -> bool:
    """Whether a value is mostly asked for with ``is``, which no probe passes."""
    return isinstance(expression, ast.Constant) and (
        expression.value is None or isinstance(expression.value, bool)
    )


def _probed(path: str, text: bytes) -> bytes:
    """A test file that imports its probes, behind its imports of future features, which come first."""
    lines = text.decode().split("\n")
    first = [
        node.end_lineno or 0
        for node in parse_python(text).body
        if isinstance(node, ast.ImportFrom) and node.module == "__future__"
    ]
    at = max(first, default=0)
    head = _HEAD.format(depth=path.count("/") + 1, folder=_FOLDER)
    return "\n".join([*lines[:at], head, *lines[at:]]).encode()


def _rows(told: str) -> Iterator[tuple[int, Any]]:
    """The number of a probe, and a value that it met: what the end of a test says."""
    try:
        rows = plain.loads(told)
    except NotPlain:
        return
    for row in rows if type(rows) is list else ():
        match row:
            case [int(number), form] if type(number) is int:
                try:
                    yield number, plain.decode(form)
                except NotPlain:
                    continue
