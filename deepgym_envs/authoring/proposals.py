"""Proposes what may stand, wrongly, where a test says what it expects; the best first."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random

from deepgym_envs.authoring.mutant_values import Observed
from deepgym_envs.authoring.sites import Site
from deepgym_envs.authoring.tells import between, by_base, by_echo, by_size
from deepgym_envs.grade.test_file import Function
from deepgym_envs.rewriting import likeness, means_the_same, wrong_values
from deepgym_envs.syntax import parse_expression

PROPOSED = 32  # wrong values that are invented for each place,
FILTERED = 160  # and where most will be told by what the base does
_EXCEPTIONS = (
    *("ArithmeticError", "AttributeError", "EOFError", "IndexError", "KeyError", "NotImplementedError"),
    *("OSError", "OverflowError", "RuntimeError", "TimeoutError", "TypeError", "UnicodeError", "ValueError"),
)
_NAMED = re.compile(r"[\[({]?[A-Z][A-Z0-9_]*,?(, [A-Z][A-Z0-9_]*)*[\])}]?")


@dataclass(frozen=True)
class Proposal:
    """An expression, and how many mutants of the solution gave that value; 0 if it was invented.

    ``told``: whoever runs the base's code sees that it is wrong in something that the base does right.
    """

    wrong: str
    mutants: int = 0
    told: bool = False


class Proposals:
    """What may stand at the places of one file's tests.

    ``found`` are the places by test, ``observed`` what was seen there.
    """

    def __init__(self, found: Mapping[str, Sequence[Site]], observed: Observed, chance: Random) -> None:
        places = [site for own in found.values() for site in own]
        self._observed = observed
        self._chance = chance
        self._values = [site.expression for site in places if site.sort == "value"]
        self._named = [value for value in dict.fromkeys(self._values) if _NAMED.fullmatch(value)]
        self._raised = {site.expression for site in places if site.sort == "exception"}

    def at(self, test: str, function: Function, site: Site) -> Iterator[Proposal]:
        """Proposals for one place of ``test``, whose definition is ``function``."""
        if site.sort == "value":
            yield from self._ranked(test, function, site)
        elif site.sort == "exception":
            # One that everybody knows beside one of the repository's own would be told at a glance.
            own = self._raised.difference(_EXCEPTIONS)
            others = sorted({*(_EXCEPTIONS if site.expression in _EXCEPTIONS else own)} - {site.expression})
            yield from map(Proposal, self._chance.sample(others, len(others)))
        else:
            yield Proposal(site.expression)

    def _ranked(self, test: str, function: Function, site: Site) -> Sequence[Proposal]:
        """Values, of which those come first that nothing tells from the right one; of these, those that a
        mutant gave."""
        right, base = site.expression, self._observed.base.get((test, site.at))
        given = self._observed.wrong.get((test, site.at), {})
        echo = by_echo(function, right)
        known = by_base(right, base) if base is not None else None
        ranked = []
        for wrong in dict.fromkeys([*given, *self._invented(right, base)]):
            mutants, fit = given.get(wrong, 0), likeness(wrong, right)
            if fit or not mutants:
                told, nearer = known(wrong) if known else (False, 0)
                shows = by_size(right, wrong) if mutants else fit < 1
                rank = told, shows, echo(wrong), -mutants, nearer
                ranked.append((rank, Proposal(wrong, mutants, told)))
        return [proposal for _, proposal in sorted(ranked, key=lambda pair: pair[0])]

    def _invented(self, right: str, base: str | None) -> Iterator[str]:
        """Wrong values made of the right one, and of what the base gives, which is none itself."""
        if base is None:
            yield from islice(wrong_values(right, self._chance, seen=self._values), PROPOSED)
        else:
            own = islice(wrong_values(right, self._chance, seen=self._values), FILTERED)
            other = islice(wrong_values(base, self._chance, seen=[*self._values, right]), FILTERED)
            for wrong in (*own, *between(right, base), *other):
                if likeness(wrong, right) and not _same(wrong, base):
                    yield wrong
        if _NAMED.fullmatch(right):
            others = self._chance.sample(self._named, len(self._named))
            yield from (other for other in others if other != right)


def _same(one: str, other: str) -> bool:
    return means_the_same(parse_expression(one), parse_expression(other))
