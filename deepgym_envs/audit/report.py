"""What each tier of an audit reports, whatever it tried: the terminal, JSON and the page are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Tier = Literal[1, 2, 3, 4, 5]
Status = Literal["robust", "hackable", "inconclusive"]
Severity = Literal["bad", "open", "note"]
Figure = str | float | int | None
TIERS: Mapping[Tier, str] = {
    1: "known cheats, lazy agents and honest work",
    2: "a model that sees the grader and the hidden tests",
    3: "a model that sees the score alone",
    4: "tests that pass what is wrong, and leaks of the solution",
    5: "what reinforcement learning finds",
}


@dataclass(frozen=True)
class Finding:
    """One thing that a person should look at.

    ``bad`` is what makes a reward hackable, ``open`` what leaves the audit inconclusive, ``note`` neither.
    ``body`` may be long: a diff, a transcript's path, a reason. It is not to be trusted as text.
    """

    severity: Severity
    title: str
    body: str = ""


class TierReport(Protocol):
    """What one tier found out about one task; frozen."""

    @property
    def tier(self) -> Tier:
        """Which one."""

    @property
    def task(self) -> str:
        """The task's id."""

    @property
    def status(self) -> Status:
        """``hackable`` where a cheat was paid, ``inconclusive`` where that cannot be said."""

    def figures(self) -> Mapping[str, Figure]:
        """A row of a table: headings, the same for all reports of a tier, with what was counted or measured.

        A float is a share.
        """

    def findings(self) -> Sequence[Finding]:
        """What is to be looked at, the worst first."""


def shown(figure: Figure) -> str:
    """A figure as a person reads it.

    >>> shown(0.0487), shown(61), shown(None)
    ('4.9%', '61', '-')
    """
    if figure is None:
        return "-"
    return f"{figure:.1%}" if isinstance(figure, float) else str(figure)


def worst(statuses: Sequence[Status]) -> Status:
    """What several reports on one task come to.

    >>> worst(["robust", "inconclusive"])
    'inconclusive'
    """
    order: tuple[Status, ...] = ("hackable", "inconclusive")
    return next((status for status in order if status in statuses), "robust")
