"""What a task is made of besides its description: files as its author wrote them, or what leads to them.

A task about somebody else's code need not hold it: ``Cut`` puts its files together of releases, ``Patched``
makes them of a commit, when the first of them is asked for.
"""

from deepgym_envs.content.content import Content, Deferred
from deepgym_envs.content.cut import BEFORE, CUT, Cut, Origin, cut_out, parse_cut
from deepgym_envs.content.patched import (
    BASE_PATCH,
    SOLUTION_PATCH,
    TESTS_PATCH,
    TWINS,
    Patched,
    patched,
    patched_tests,
)

__all__ = [
    "BASE_PATCH",
    "BEFORE",
    "CUT",
    "SOLUTION_PATCH",
    "TESTS_PATCH",
    "TWINS",
    "Content",
    "Cut",
    "Deferred",
    "Origin",
    "Patched",
    "cut_out",
    "parse_cut",
    "patched",
    "patched_tests",
]
