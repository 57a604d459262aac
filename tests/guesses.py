"""What somebody might go by who sees a right and a wrong value and knows nothing of the code."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple


class Rate(NamedTuple):
    """How often a guess is right: ``overall``, a coin where it sees no difference; where it ``decided``; and in
    how many ``pairs`` that was so."""

    overall: float
    decided: float
    pairs: int


def _numbers(source: str) -> list[str]:
    return re.findall(r"\d+", source)


def _words(source: str) -> list[str]:
    return re.findall(r"\w+", source)


def _like_english(source: str) -> float:
    letters = re.findall(r"[a-z]", source.lower())
    return -abs(sum(letter in "aeiou" for letter in letters) / len(letters) - 0.38) if letters else 0


GUESSES: dict[str, Callable[[str], float]] = {
    "smaller": lambda source: -sum(map(int, _numbers(source))),
    "rounder": lambda source: sum(len(word) - len(word.rstrip("0")) for word in _numbers(source)),
    "even": lambda source: sum(int(word) % 2 == 0 for word in _numbers(source)),
    "a multiple of five": lambda source: sum(int(word) % 5 == 0 for word in _numbers(source)),
    "shorter": lambda source: -len(source),
    "sorted": lambda source: sum(left <= right for left, right in pairwise(_words(source))),
    "without repetition": lambda source: len(set(_words(source))) - len(_words(source)),
    "few digits": lambda source: -len(set(re.findall(r"\d", source))),
    "like English": _like_english,
    "lower case": lambda source: sum(char.islower() for char in source),
    "positive": lambda source: -source.count("-"),
}


def rates(found: Sequence[tuple[str, str]]) -> Mapping[str, Rate]:
    """How good each guess is at pairs of a right and a wrong value."""
    common = Counter("".join(right + wrong for right, wrong in found))
    guesses = GUESSES | {
        "of common characters": lambda source: sum(common[char] for char in source) / len(source)
    }
    known = {name: _rate(found, liking) for name, liking in guesses.items()}
    first = sum(right < wrong for right, wrong in found) / len(found)
    return {**known, "first in the alphabet": Rate(first, first, len(found))}


def _rate(found: Sequence[tuple[str, str]], liking: Callable[[str], float]) -> Rate:
    pairs = [(liking(right), liking(wrong)) for right, wrong in found]
    decided = [right > wrong for right, wrong in pairs if right != wrong]
    overall = (sum(decided) + (len(found) - len(decided)) / 2) / len(found)
    return Rate(overall, sum(decided) / max(1, len(decided)), len(decided))
