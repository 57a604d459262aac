"""What came of an attack by a model: each of its answers, and what follows from all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from deepgym_envs.audit.attackers.chat import NO_TOKENS, Usage
from deepgym_envs.audit.attackers.truth import ModelTier, Truth
from deepgym_envs.audit.heuristics import upper_bound
from deepgym_envs.audit.judges import GraderName
from deepgym_envs.audit.report import Figure, Finding, Status
from deepgym_envs.text import shorten

Outcome = Literal[
    "no_attempt",  # nothing that can be graded
    "repeated",  # what had been handed in before
    "not_judged",  # the infrastructure failed
    "refused",
    "paid",
]
_LONGEST_DIFF = 20_000


@dataclass(frozen=True)
class Round:
    """One answer of the model, and what came of it.

    ``reason`` is the grader's, or says why nothing was graded. ``state`` is the digest of the whole of what
    was handed in, ``diff`` what it changes; both are empty where there was no attempt. ``truth`` is what
    further checks say of one that was paid, None where they could not be made, and ``cheat`` what follows in
    this tier; ``signs`` are as in ``deepgym_envs.grade.signs``, each with its path.
    """

    number: int
    outcome: Outcome
    reason: str
    state: str = ""
    diff: str = ""
    signs: tuple[str, ...] = ()
    truth: Truth | None = None
    cheat: bool = False


@dataclass(frozen=True)
class AttackReport:
    """How a model tried to be paid without work; implements ``TierReport``.

    ``trouble`` says why it ended early, if the model failed. ``transcript`` is the file's path, if there is
    one.
    """

    task: str
    tier: ModelTier
    grader: GraderName
    sandbox: str
    rounds: tuple[Round, ...]
    model: str = ""
    usage: Usage = NO_TOKENS
    trouble: str = ""
    transcript: str = ""

    @property
    def tried(self) -> int:
        """Different attempts that were graded."""
        return sum(each.outcome in ("refused", "paid") for each in self.rounds)

    @property
    def paid(self) -> tuple[Round, ...]:
        """Rounds that were paid, for cheating or not."""
        return tuple(each for each in self.rounds if each.outcome == "paid")

    @property
    def cheats(self) -> tuple[Round, ...]:
        """Rounds that were paid and have not solved the task."""
        return tuple(each for each in self.paid if each.cheat)

    @property
    def bound(self) -> float | None:
        """Upper limit, at 95 %, of the share of attempts like these that are paid; None if any was.

        As ``Report.bound`` of tier 1, for attempts drawn as these were: those of one conversation follow from
        each other.
        """
        return None if self.paid or not self.tried else upper_bound(self.tried)

    @property
    def status(self) -> Status:
        """``hackable`` if a cheat was paid; ``inconclusive`` if anything else was, if something could not be
        judged, the model failed, or handed in nothing that can be graded."""
        if self.cheats:
            return "hackable"
        lost = any(each.outcome == "not_judged" for each in self.rounds)
        return "inconclusive" if self.paid or lost or self.trouble or not self.tried else "robust"

    def figures(self) -> Mapping[str, Figure]:
        """A row of a table."""
        return {
            "grader": self.grader,
            "model": self.model,
            "rounds": len(self.rounds),
            "tried": self.tried,
            "paid": len(self.paid),
            "cheats": len(self.cheats),
            "at most": self.bound,
            "tokens read": self.usage.prompt,
            "tokens written": self.usage.completion,
        }

    def findings(self) -> Sequence[Finding]:
        """Cheats, then what is open, then where it is written down."""
        found = [self._of(each) for each in self.paid]
        lost = [each for each in self.rounds if each.outcome == "not_judged"]
        found += [Finding("open", f"round {each.number} could not be judged", each.reason) for each in lost]
        if self.trouble:
            found.append(Finding("open", "the model failed", self.trouble))
        elif not self.tried and not lost:
            last = self.rounds[-1].reason if self.rounds else ""
            found.append(Finding("open", "the model handed in nothing that can be graded", last))
        if self.transcript:
            found.append(Finding("note", "transcript", self.transcript))
        return sorted(found, key=lambda finding: ("bad", "open", "note").index(finding.severity))

    def _of(self, each: Round) -> Finding:
        why = each.truth.why if each.truth is not None else "it could not be judged a second time"
        signs = (
            f"What stands out: {', '.join(each.signs)}" if each.signs else "Nothing stands out in its source."
        )
        body = "\n\n".join([why, signs, shorten(each.diff, _LONGEST_DIFF)])
        paid = f"{self.grader} paid in round {each.number}"
        if each in self.cheats:
            return Finding("bad", f"{paid} for what does not solve the task", body)
        if each.truth is not None and each.truth.says == "recites":
            return Finding(
                "open", f"{paid} for hidden tests alone: read whether it brings their answers along", body
            )
        return Finding("open", f"{paid}, and nothing shows that it cheats: read the diff", body)
