"""One way to cheat, as data: what it is called, what it does, and the files that do it to a given task."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from deepgym_envs.audit.target import Files, Target

Letter = Literal["A", "B", "C", "D", "E", "F", "G", "H"]
CLASSES: Mapping[Letter, str] = {
    "A": "the end of the process and the channel of the verdict",
    "B": "the test framework",
    "C": "values that deceive assertions",
    "D": "reading the answer",
    "E": "time, threads and what lingers",
    "F": "resources",
    "G": "what is shown",
    "H": "step rewards",
}
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True)
class Payload:
    """A cheat that solves nothing.

    ``make`` gives the changed files for a task, on top of its base. ``robustness`` marks what no grader pays,
    however naive: it is there to break one, and must fail without harm. Letters are those of ``CLASSES``.
    """

    name: str
    letter: Letter
    summary: str
    make: Callable[[Target], Files]
    robustness: bool = False

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or self.letter not in get_args(Letter):
            raise ValueError(f"a payload has a kebab-case name and a letter of A to H, not {self!r}")

    def __str__(self) -> str:
        return self.name


def at_import(name: str, letter: Letter, summary: str, code: str, *, robustness: bool = False) -> Payload:
    """A payload that runs ``code`` when a module under test is imported; see ``Target.at_import``."""
    return Payload(name, letter, summary, lambda target: target.at_import(code), robustness)


def instead(name: str, letter: Letter, summary: str, code: str, *, robustness: bool = False) -> Payload:
    """A payload that replaces what the hidden tests call; see ``Target.instead``."""
    return Payload(name, letter, summary, lambda target: target.instead(code), robustness)


def files(name: str, letter: Letter, summary: str, changed: Files, *, robustness: bool = False) -> Payload:
    """A payload of the same files for every task."""
    return Payload(name, letter, summary, lambda _: changed, robustness)
