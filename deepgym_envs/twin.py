"""Twins: wrong copies of hidden tests, as they are kept beside a task in ``twins.json``.

A twin is a copy of a hidden test in which one expected value is wrong but plausible, so that it must fail on
every right solution. Which changes are fit for that is found out once, when a task is recorded; which of them
are used, and under which names, is drawn anew for each grading (``deepgym_envs.grade.deck``).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import Manifest, parse_manifest

Place = tuple[int, int, int, int]
"""First line, column, last line, end column of an expression, as in ``ast``: lines from 1, bytes from 0."""


class Change(Manifest):
    """The expression at ``at`` in the test file, and the ``wrong`` one that may stand in its stead.

    ``fails`` maps each case that fails then, by its number among the test's cases, to the id that the case
    has in the wrong copy (``"[3-x]"``; empty for a test without parameters). ``by_case`` tells that the
    change concerns these cases alone, so that several of one test can be made independently of each other.
    ``weak``: it turns an assertion round, expects another exception, or is wrong in something that the base
    does right, which shows; such a twin tells whoever makes everything pass, but is no obstacle to one who
    guesses. ``mutants``: how many of the solution's were seen to give this value; 0 if it was invented.
    """

    at: Place
    wrong: Annotated[str, Field(min_length=1)]
    fails: Annotated[dict[int, str], Field(min_length=1)]
    by_case: bool = False
    weak: bool = False
    mutants: Annotated[int, Field(ge=0)] = 0


class TestTwins(Manifest):
    """What may be changed in one test: ``test`` is its node id without a case, ``cases`` are its ids."""

    __test__ = False

    test: str
    cases: Annotated[tuple[str, ...], Field(min_length=1)]
    changes: Annotated[tuple[Change, ...], Field(min_length=1)]


class Twins(Manifest):
    """All that is known of a task's twins, for test files whose SHA-256 is that of ``files``."""

    files: dict[str, str]
    tests: tuple[TestTwins, ...]

    def current(self, hidden: Mapping[str, bytes]) -> frozenset[str]:
        """The files of ``hidden`` that are still what they were when their twins were found."""
        same = (path for path, digest in self.files.items() if file_digest(hidden.get(path, b"")) == digest)
        return frozenset(same)

    def of(self, hidden: Mapping[str, bytes]) -> Mapping[str, TestTwins]:
        """By test, the twins in files of ``hidden`` that are still what they were."""
        current = self.current(hidden)
        return {each.test: each for each in self.tests if each.test.partition("::")[0] in current}

    def as_json(self) -> bytes:
        """The content of a ``twins.json``: one line for each test, so that a diff shows what changed."""
        tests = ",\n  ".join(json.dumps(test.model_dump(exclude_defaults=True)) for test in self.tests)
        return f'{{"files": {json.dumps(self.files, sort_keys=True)},\n "tests": [\n  {tests}]}}\n'.encode()


NO_TWINS = Twins(files={}, tests=())


def parse_twins(data: bytes, where: str) -> Twins:
    """The twins that ``as_json`` wrote; ``where`` names the origin in complaints.

    Raises:
        TaskError: it is not JSON, or does not fit.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{where}: not JSON: {error}; write it with 'deepgym-envs record'") from None
    return parse_manifest(found, Twins, where)


def file_digest(data: bytes) -> str:
    """SHA-256 of a test file, 64 digits."""
    return hashlib.sha256(data).hexdigest()
