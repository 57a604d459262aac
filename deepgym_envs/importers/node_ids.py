"""Turns the names that data sets give to tests into pytest node ids, as far as there is no doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.layout import role
from deepgym_envs.state import check_path
from deepgym_envs.unified_diff import FileDiff, Hunk

_DJANGO = re.compile(r"(\w+) \(([\w.]+)\)")
_BARE = re.compile(r"(test\w*)(\[.*\])?")
_DEFINED = re.compile(r"( *)(?:async )?def (test\w*)\(")
_AT_TOP = re.compile(r"[ +](?:async )?def (test\w*)\(")
_CLASS = re.compile(r"class (\w+)")
_ROOTS = ("./", "/testbed/")


@dataclass(frozen=True)
class NodeIds:
    """Turns names into node ids, by what is known of a row's ``tests``, its test patch.

    >>> patch = (FileDiff("app/test_views.py", "app/test_views.py"),)
    >>> NodeIds(patch)("test_in (app.test_views.LoginTest)")
    'app/test_views.py::LoginTest::test_in'
    """

    tests: Sequence[FileDiff]

    def __call__(self, name: str) -> str:
        """The pytest node id of the test called ``name``.

        Raises:
            Rejected: it is cut off, leads outside, or may mean more than one test or none.
        """
        name = name.strip()
        if not name.isprintable():
            raise Rejected("test-id", f"{name[:80]!r}: holds characters that are not printable")
        if "::" in name:
            return _of_pytest(name)
        django = _DJANGO.fullmatch(name)
        if django is not None:
            return self._of_django(django[1], django[2])
        bare = _BARE.fullmatch(name)
        if bare is None:
            raise Rejected("test-id", f"{name[:80]!r}: names no file")
        homes = self.files if len(self.files) == 1 else self._homes.get(bare[1], [])
        if len(homes) != 1:
            raise Rejected("test-id", f"{name[:80]!r}: may stand in {len(homes)} of the test files")
        return f"{homes[0]}::{name}"

    @cached_property
    def files(self) -> list[str]:
        """The test files that the patch writes or changes."""
        return [diff.new for diff in self.tests if diff.new is not None and role(diff.new) == "test"]

    @cached_property
    def _homes(self) -> Mapping[str, list[str]]:
        """By name of a function at the top of a file, as hunks show it: the files that have one."""
        found: dict[str, list[str]] = {}
        for diff in self.tests:
            lines = (line for hunk in diff.hunks for line in (f" {hunk.section}", *hunk.lines))
            shown = {match[1] for match in map(_AT_TOP.match, lines) if match}
            for test in shown if diff.new in self.files else ():
                found.setdefault(test, []).append(diff.path)
        return found

    def _of_django(self, test: str, dotted: str) -> str:
        module, _, kind = dotted.removesuffix(f".{test}").rpartition(".")
        path = module.replace(".", "/") + ".py"
        homes = [file for file in self.files if file == path or file.endswith(f"/{path}")]
        if not module or len(homes) != 1:
            raise Rejected("test-id", f"{test} ({dotted[:80]}): may stand in {len(homes)} of the test files")
        return f"{homes[0]}::{kind}::{test}"


def added_tests(diffs: Sequence[FileDiff]) -> tuple[str, ...]:
    """Node ids of the test functions that ``diffs`` write anew, at the top of a file or in a class at its
    top; those with parameters are left out, for what their ids are cannot be told."""
    found = [
        node
        for diff in diffs
        if diff.new is not None
        for hunk in diff.hunks
        for node in _added(diff.new, hunk)
    ]
    return tuple(dict.fromkeys(found))


def _added(path: str, hunk: Hunk) -> Iterator[str]:
    kind = _CLASS.match(hunk.section)
    above: list[str] = []
    for line in hunk.lines:
        sign, text = line[:1], line[1:]
        if sign == "-":
            continue
        if text[:1].strip():  # what stands at the top ends a class
            kind = _CLASS.match(text) or (kind if text[0] in "@)#" else None)
        test = _DEFINED.match(text)
        if test is not None and sign == "+" and "parametrize" not in "".join(above):
            if not test[1]:
                yield f"{path}::{test[2]}"
            elif test[1] == "    " and kind is not None:
                yield f"{path}::{kind[1]}::{test[2]}"
        above = [] if test is not None or not text.strip() else [*above, text]


def _of_pytest(name: str) -> str:
    for root in _ROOTS:
        name = name.removeprefix(root)
    file, _, rest = name.partition("::")
    if not rest or ("[" in rest) != rest.endswith("]"):
        raise Rejected("truncated-id", f"{name[:80]!r}: is cut off")
    if not file.endswith(".py") or file == ".py" or ":" in file:
        raise Rejected("test-id", f"{name[:80]!r}: {file[:80]!r} is not a Python file")
    try:
        return f"{check_path(file)}::{rest}"
    except ValueError as error:
        raise Rejected("test-id", f"{name[:80]!r}: {error}") from None
