"""What might become a task."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from deepgym_envs.content import Origin
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.state import Tree, WorkspaceState
from deepgym_envs.task import Kind

Code = Literal[
    "no_release",  # there is no source release, or none before it; or no commit before it
    "no_tests",  # its source release holds no tests
    "no_source",  # it holds no Python that is not tests
    "not_pure",  # it has parts that must be compiled
    "needed_by_tests",  # the tests' own environment needs the package, so that its fix would lie there
    "no_environment",  # its requirements cannot be resolved, or not installed
    "unreadable",  # a file that matters is not Python that can be parsed, or not text
    "no_change",  # no source differs, or no test that fails before
    "not_collected",  # its tests cannot be collected
    "not_ended",  # its tests do not end in time, or break the run
    "solution_fails",  # no test passes with the solution
    "nothing_fails",  # every test that passes with the solution passes before too
    "nothing_kept",  # no test passes both before and with the solution
    "too_large",  # the change touches more than a task should
    "too_slow",  # the tests take too long
    "flaky",  # no steady test is left that fails before
    "twin",  # another task is the same
    "forgeable",  # a made-up report would be believed too often
    "not_told",  # no failure says in words what is wrong
    "leak",  # the statement holds part of the solution or of the tests
    "not_valid",  # the finished task does not pass validation
    "not_judged",  # the infrastructure failed
]


class Rejected(Exception):
    """A candidate does not become a task; ``code`` counts it, the message says what was seen."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code: Code = code


@dataclass(frozen=True)
class Refusal:
    """What did not even become a candidate, by the name that it would have had."""

    name: str
    why: Rejected


@dataclass(frozen=True, eq=False)
class Candidate:
    """A repository before and after a change, and tests that may tell these apart.

    ``name`` is the task's name in its suite. ``hidden`` maps paths as in the repository to the test code of
    the side that is right. An empty ``instruction`` is written from the behaviour that fails, of each of
    the ``problems``, if the change mends several: these are the tests that notice each. With ``releases``, or
    commits, the task is written as cut out of them.
    """

    name: str
    recipe: RepoRecipe
    base: Tree
    solution: WorkspaceState
    hidden: Mapping[str, bytes]
    kind: Kind = "bug"
    title: str = ""
    instruction: str = ""
    tags: tuple[str, ...] = ()
    problems: tuple[tuple[str, ...], ...] = ()
    releases: Mapping[str, Origin] = field(default_factory=dict)
    proof: Mapping[str, object] = field(default_factory=dict)
    """What its maker has found out, for the record beside the task."""
