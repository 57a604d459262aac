"""Counts what became of candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from deepgym_envs.generate.candidate import Rejected


@dataclass
class Funnel:
    """How many candidates there were, which tasks came of them, and why the others were rejected.

    >>> funnel = Funnel()
    >>> funnel.accept("pypi/shop-1")
    >>> funnel.reject("shop-2", Rejected("flaky", "test_a: passes at times"))
    >>> funnel.plain()["rejected"]
    {'flaky': 1}
    """

    accepted: list[str] = field(default_factory=list)
    reasons: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Of each rejected candidate the code, and what was seen."""

    def accept(self, task: str) -> None:
        """Count a task that was written."""
        self.accepted.append(task)

    def reject(self, name: str, why: Rejected) -> None:
        """Count the candidate ``name``, which became no task."""
        self.reasons[name] = (why.code, str(why))

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rejected candidates by code, the most frequent first."""
        return dict(Counter(code for code, _ in self.reasons.values()).most_common())

    def plain(self) -> dict[str, Any]:
        """As plain JSON values."""
        return {
            "candidates": len(self.accepted) + len(self.reasons),
            "accepted": len(self.accepted),
            "rejected": dict(self.rejected),
            "tasks": list(self.accepted),
            "reasons": {name: {"code": code, "message": said} for name, (code, said) in self.reasons.items()},
        }
