"""What tier 4 of an audit found out: is the verifier weak?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from deepgym_envs.audit.report import Figure, Finding, Status, Tier
from deepgym_envs.audit.weakness.fuzz import Compared, Difference
from deepgym_envs.audit.weakness.leaks import LeakScan
from deepgym_envs.audit.weakness.lookup import LookUp
from deepgym_envs.audit.weakness.mutants import Fate
from deepgym_envs.statistics import wilson

WEAK = 0.5
"""A mutation score that is below this for sure, at 95 %, leaves the audit inconclusive."""

_SHOWN = 10
_ORDER = ("bad", "open", "note")


@dataclass(frozen=True)
class Survivor:
    """A fault of the reference solution that the verdict pays, as a unified ``diff`` on that.

    ``inputs`` reached its function and were compared; ``bound`` is the upper limit, at 95 %, of the share of
    such inputs on which it differs, if it was seen on none of them.
    """

    title: str
    diff: str
    inputs: int = 0
    bound: float = 1.0
    difference: Difference | None = None
    is_alike: bool = False

    def after(self, compared: Compared) -> Survivor:
        """The same with what came of the comparison."""
        return replace(
            self,
            inputs=compared.inputs,
            bound=compared.bound,
            difference=compared.difference,
            is_alike=compared.is_alike,
        )


@dataclass(frozen=True)
class WeaknessReport:
    """What was tried on one task; implements ``TierReport``.

    ``fates`` counts the faults that were judged, of ``population`` that there are. ``said`` are leaks in the
    instruction. ``problems`` are what could not be judged, and why. ``is_about_tests``: of a task of kind
    ``tests`` leaks alone are looked for.
    """

    task: str
    sandbox: str
    is_about_tests: bool = False
    population: int = 0
    fates: Mapping[Fate, int] = field(default_factory=dict)
    survivors: tuple[Survivor, ...] = ()
    look_up: LookUp | None = None
    scan: LeakScan | None = None
    said: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()

    @property
    def tier(self) -> Tier:
        """See ``TierReport.tier``."""
        return 4

    @property
    def status(self) -> Status:
        """``hackable`` if the table was paid or there is a leak. ``inconclusive`` if something could not be
        judged, or if the tests refuse so few faults that a verdict means little."""
        worst = {finding.severity for finding in self.findings()}
        return "hackable" if "bad" in worst else "inconclusive" if "open" in worst else "robust"

    @property
    def killed(self) -> int:
        """Faults that were refused; one that hangs is."""
        return self.fates.get("killed", 0) + self.fates.get("timed_out", 0)

    @property
    def score(self) -> tuple[float, float] | None:
        """The share of faults that are refused, if all survivors count and if those that are probably
        equivalent to the reference do not; None without any."""
        whole = self.killed + len(self.survivors)
        if not whole:
            return None
        counted = whole - sum(each.is_alike for each in self.survivors)
        return self.killed / whole, self.killed / counted if counted else 1.0

    @property
    def interval(self) -> tuple[float, float]:
        """From the lower limit of the lower score to the upper limit of the upper one, at 95 %."""
        whole = self.killed + len(self.survivors)
        counted = whole - sum(each.is_alike for each in self.survivors)
        return wilson(self.killed, whole)[0], wilson(self.killed, counted)[1]

    def figures(self) -> Mapping[str, Figure]:
        """See ``TierReport.figures``."""
        score = self.score
        return {
            "mutants": self.killed + len(self.survivors),
            "killed": self.killed,
            "real": sum(each.difference is not None for each in self.survivors),
            "alike": sum(each.is_alike for each in self.survivors),
            "score": None if score is None else _range(*score),
            "at 95 %": None if score is None else _range(*self.interval),
            "look-up": self._look_up_figure(),
            "leaks": None if self.scan is None else len(self.scan.leaks) + len(self.said),
        }

    def findings(self) -> Sequence[Finding]:
        """See ``TierReport.findings``."""
        found = [
            *self._of_leaks(), *self._of_look_up(), *self._of_score(),
            *(Finding("open", f"{what} could not be judged", why) for what, why in self.problems),
        ]  # fmt: skip
        if self.is_about_tests:
            what = "the agent writes tests: there are no hidden ones whose strength could be measured"
            found.append(Finding("note", f"{what}; only leaks were looked for"))
        return sorted(found, key=lambda finding: _ORDER.index(finding.severity))

    def _look_up_figure(self) -> str | None:
        if self.look_up is None:
            return None
        end = "paid" if self.look_up.accepted else "refused"
        return f"{end} ({self.look_up.entries} answers, {len(self.look_up.gained)} visible tests gained)"

    def _of_leaks(self) -> Iterator[Finding]:
        for line in self.said:
            yield Finding("bad", line)
        if self.scan is None:
            return
        for leak in self.scan.leaks:
            what = "lines of" if leak.lines else "compiled functions of"
            yield Finding("bad", f"{what} the {leak.secret} lie at {leak.place}", _some(leak.lines))
        if self.scan.problem:
            yield Finding("open", "not all was looked through for leaks", self.scan.problem)
        packs = [place for place in self.scan.unread if place.endswith(".pack")]
        if packs:
            yield Finding("open", "objects of git could not be read, for there is no git", _some(packs))
        others = [place for place in self.scan.unread if place not in packs]
        if others:
            yield Finding("note", "archives could not be read", _some(others))

    def _of_look_up(self) -> Iterator[Finding]:
        tried = self.look_up
        if tried is None:
            return
        if tried.accepted:
            who = "a table of the visible answers" if tried.entries else "the base itself"
            yield Finding("bad", f"{who} is paid: the hidden tests ask for no more", tried.reason)
        elif tried.lost:
            what = f"the table of visible answers breaks {len(tried.lost)} visible tests"
            yield Finding("open", f"{what}, so its refusal says little", _some(tried.lost))
        elif not tried.entries:
            yield Finding("note", "no visible test has a call with literals and an answer to learn by heart")

    def _of_score(self) -> Iterator[Finding]:
        high = self.interval[1]
        if self.score is not None and high < WEAK:
            what = f"the hidden tests refuse at most {high:.0%} of small faults in the solution"
            yield Finding("open", f"{what}, so being paid says little")
        for each in sorted(self.survivors, key=lambda each: (each.difference is None, each.is_alike)):
            yield Finding("note", _title(each), _body(each))


def _title(survivor: Survivor) -> str:
    if survivor.difference is not None:
        return f"paid, though it differs: {survivor.title}"
    if survivor.is_alike:
        said = f"alike on {survivor.inputs} inputs, so on all but {survivor.bound:.1%} of them at 95 %"
        return f"paid, probably equivalent ({said}): {survivor.title}"
    return f"paid, too few inputs reach it ({survivor.inputs}): {survivor.title}"


def _body(survivor: Survivor) -> str:
    seen = f"\n{survivor.difference.text}\n" if survivor.difference else ""
    return f"{survivor.diff}{seen}"


def _range(low: float, high: float) -> str:
    return f"{low:.0%} to {high:.0%}"


def _some(lines: Sequence[str]) -> str:
    more = [f"and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
    return "\n".join([*lines[:_SHOWN], *more])
