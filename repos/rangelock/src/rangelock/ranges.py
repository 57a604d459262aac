"""Sets of versions, and the expressions that describe them.

A :class:`VersionRange` is a union of intervals, kept sorted, disjoint and as
few as possible, so two ranges with the same members have equal ``intervals``.

Pre-releases are inside an interval like any other version (``contains``), but
a range only *allows* those that its author asked for: a pre-release is allowed
if some comparator of the expression was written with a pre-release of the same
``MAJOR.MINOR.PATCH``.  The ceilings which the parser adds for carets, tildes
and partial versions end in ``-0``, the lowest pre-release there is, so that
``^1.2`` never contains ``2.0.0-alpha``; such ceilings ask for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import FrozenSet, Iterable, List, Optional, Tuple

from .errors import RangeError, VersionError
from .versions import Identifier, Triple, Version, parse_pre


@dataclass(frozen=True)
class Interval:
    """The versions between two bounds; ``None`` stands for no bound."""

    lower: Optional[Version] = None
    upper: Optional[Version] = None
    lower_closed: bool = False
    upper_closed: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether no version can be inside."""
        if self.lower is None or self.upper is None:
            return False
        if self.lower == self.upper:
            return not (self.lower_closed and self.upper_closed)
        return self.lower > self.upper

    def contains(self, version: Version) -> bool:
        """Whether ``version`` lies between the bounds."""
        if self.lower is not None:
            if version < self.lower or (version == self.lower and not self.lower_closed):
                return False
        if self.upper is not None:
            if version > self.upper or (version == self.upper and not self.upper_closed):
                return False
        return True

    def __str__(self) -> str:
        if self.lower is not None and self.lower == self.upper:
            return f"={self.lower}"
        parts = []
        if self.lower is not None:
            parts.append(f"{'>=' if self.lower_closed else '>'}{self.lower}")
        if self.upper is not None:
            parts.append(f"{'<=' if self.upper_closed else '<'}{self.upper}")
        return " ".join(parts) or "*"


def _lower_key(interval: Interval) -> Tuple:
    """Sorts lower bounds: the one that lets in more versions comes first."""
    if interval.lower is None:
        return (0,)
    return (1, interval.lower, not interval.lower_closed)


def _upper_key(interval: Interval) -> Tuple:
    """Sorts upper bounds: the one that lets in more versions comes last."""
    if interval.upper is None:
        return (1,)
    return (0, interval.upper, interval.upper_closed)


def _bounded(low: Interval, high: Interval) -> Interval:
    """The interval with the lower bound of ``low`` and the upper of ``high``."""
    return Interval(low.lower, high.upper, low.lower_closed, high.upper_closed)


def _connected(left: Interval, right: Interval) -> bool:
    """Whether ``right``, which starts no earlier, leaves no gap after ``left``."""
    if left.upper is None or right.lower is None:
        return True
    if left.upper == right.lower:
        return left.upper_closed or right.lower_closed
    return right.lower < left.upper


def _merged(intervals: Iterable[Interval]) -> Tuple[Interval, ...]:
    """Sorted, disjoint, and as few as possible."""
    result: List[Interval] = []
    for item in sorted((i for i in intervals if not i.is_empty), key=_lower_key):
        if result and _connected(result[-1], item):
            last = result.pop()
            item = _bounded(last, max(last, item, key=_upper_key))
        result.append(item)
    return tuple(result)


@dataclass(frozen=True)
class VersionRange:
    """A set of versions.

    ``intervals`` is canonical, see the module's docstring; use
    :meth:`from_intervals` to make a range from any intervals.  ``admits``
    holds the triples whose pre-releases the range allows.
    """

    intervals: Tuple[Interval, ...]
    admits: FrozenSet[Triple] = frozenset()

    @classmethod
    def from_intervals(
        cls, intervals: Iterable[Interval], admits: Iterable[Triple] = ()
    ) -> "VersionRange":
        """The union of ``intervals``, in canonical form."""
        return cls(_merged(intervals), frozenset(admits))

    @classmethod
    def any(cls) -> "VersionRange":
        """The range of all versions."""
        return cls((Interval(),))

    @classmethod
    def empty(cls) -> "VersionRange":
        """The range of no version."""
        return cls(())

    @property
    def is_empty(self) -> bool:
        """Whether no version can be inside."""
        return not self.intervals

    @property
    def pinned(self) -> Optional[Version]:
        """The only version inside, if the range is a single point."""
        if len(self.intervals) == 1:
            interval = self.intervals[0]
            if interval.lower is not None and interval.lower == interval.upper:
                return interval.lower
        return None

    def contains(self, version: Version) -> bool:
        """Whether ``version`` is inside, by precedence alone."""
        return any(interval.contains(version) for interval in self.intervals)

    def allows(self, version: Version) -> bool:
        """Whether ``version`` is inside and, as a pre-release, asked for."""
        if version.is_prerelease and version.triple not in self.admits:
            return False
        return self.contains(version)

    def intersect(self, other: "VersionRange") -> "VersionRange":
        """The versions in both; pre-releases stay allowed if both allow them."""
        pieces = [
            _bounded(max(a, b, key=_lower_key), min(a, b, key=_upper_key))
            for a in self.intervals
            for b in other.intervals
        ]
        return VersionRange.from_intervals(pieces, self.admits & other.admits)

    def union(self, other: "VersionRange") -> "VersionRange":
        """The versions in either; pre-releases are allowed if either does."""
        return VersionRange.from_intervals(
            self.intervals + other.intervals, self.admits | other.admits
        )

    def __str__(self) -> str:
        if self.is_empty:
            return "!=*"
        return " || ".join(str(interval) for interval in self.intervals)


# -- expressions --------------------------------------------------------------

_PART = r"(?:0|[1-9][0-9]*|[xX*])"
_PARTIAL_TEXT = (
    rf"{_PART}(?:\.{_PART}(?:\.{_PART})?)?"
    r"(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
)
_COMPARATOR = re.compile(rf"(?P<op>\^|~|>=|<=|!=|==|>|<|=)?\s*(?P<version>{_PARTIAL_TEXT})")
_HYPHEN = re.compile(rf"(?P<low>{_PARTIAL_TEXT})\s+-\s+(?P<high>{_PARTIAL_TEXT})")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")
_LOWEST_PRE: Tuple[Identifier, ...] = (0,)


@dataclass(frozen=True)
class _Partial:
    """A version of which the last numbers may be missing."""

    numbers: Tuple[int, ...]
    pre: Tuple[Identifier, ...] = ()

    @property
    def is_full(self) -> bool:
        return len(self.numbers) == 3

    def floor(self) -> Version:
        """The lowest release that begins with the numbers given."""
        major, minor, patch = (self.numbers + (0, 0, 0))[:3]
        return Version(major, minor, patch, self.pre)

    def next(self, position: int) -> Version:
        """The first release after all that agree up to ``position``."""
        numbers = list(self.numbers[: position + 1])
        numbers[position] += 1
        major, minor, patch = (tuple(numbers) + (0, 0, 0))[:3]
        return Version(major, minor, patch)


def _parse_partial(text: str) -> _Partial:
    """Read a full or partial version; a wildcard ends the numbers."""
    body = text.partition("+")[0]
    release, dash, pre_text = body.partition("-")
    numbers: List[int] = []
    wild = False
    for part in release.split("."):
        if part in "xX*":
            wild = True
        elif wild:
            raise RangeError(f"number after a wildcard: {text!r}")
        else:
            numbers.append(int(part))
    if dash and len(numbers) < 3:
        raise RangeError(f"pre-release of a partial version: {text!r}")
    try:
        pre = parse_pre(pre_text) if dash else ()
    except VersionError as error:
        raise RangeError(str(error)) from None
    return _Partial(tuple(numbers), pre)


def _below(version: Version) -> Version:
    """The ceiling that keeps out ``version`` and its pre-releases."""
    return Version(version.major, version.minor, version.patch, _LOWEST_PRE)


def _span(partial: _Partial) -> Interval:
    """The interval a version stands for: a point, or all it is a prefix of."""
    floor = partial.floor()
    if partial.is_full:
        return Interval(floor, floor, True, True)
    if not partial.numbers:
        return Interval()
    return Interval(floor, _below(partial.next(len(partial.numbers) - 1)), True, False)


def _caret(partial: _Partial) -> Interval:
    """Everything up to the next change of the leftmost number that is not 0."""
    if not partial.numbers:
        return Interval()
    position = len(partial.numbers) - 1
    for place, number in enumerate(partial.numbers):
        if number:
            position = place
            break
    return Interval(partial.floor(), _below(partial.next(position)), True, False)


def _tilde(partial: _Partial) -> Interval:
    """Everything with the same major and, if given, minor number."""
    if not partial.numbers:
        return Interval()
    position = min(len(partial.numbers), 2) - 1
    return Interval(partial.floor(), _below(partial.next(position)), True, False)


def _above(partial: _Partial) -> Tuple[Interval, ...]:
    """Everything after what the version stands for."""
    if partial.is_full:
        return (Interval(lower=partial.floor()),)
    if not partial.numbers:
        return ()
    return (Interval(lower=partial.next(len(partial.numbers) - 1), lower_closed=True),)


def _under(partial: _Partial) -> Tuple[Interval, ...]:
    """Everything before what the version stands for."""
    if partial.is_full:
        return (Interval(upper=partial.floor()),)
    if not partial.numbers:
        return ()
    return (Interval(upper=_below(partial.floor())),)


def _up_to(partial: _Partial) -> Interval:
    """Everything before the end of what the version stands for."""
    span = _span(partial)
    return Interval(upper=span.upper, upper_closed=span.upper_closed)


def _comparator(op: str, partial: _Partial) -> VersionRange:
    if op == "^":
        intervals: Tuple[Interval, ...] = (_caret(partial),)
    elif op == "~":
        intervals = (_tilde(partial),)
    elif op == ">=":
        intervals = (Interval(lower=partial.floor(), lower_closed=True),)
        if not partial.numbers:
            intervals = (Interval(),)
    elif op == ">":
        intervals = _above(partial)
    elif op == "<":
        intervals = _under(partial)
    elif op == "<=":
        intervals = (_up_to(partial),)
    elif op == "!=":
        intervals = _under(partial) + _above(partial)
    else:
        intervals = (_span(partial),)
    admits = [partial.floor().triple] if partial.pre else []
    return VersionRange.from_intervals(intervals, admits)


def _parse_set(text: str) -> VersionRange:
    """Read what stands between two ``||``: comparators that all must hold."""
    hyphen = _HYPHEN.fullmatch(text)
    if hyphen is not None:
        low = _comparator(">=", _parse_partial(hyphen["low"]))
        high = _comparator("<=", _parse_partial(hyphen["high"]))
        both = low.intersect(high)
        return VersionRange(both.intervals, low.admits | high.admits)
    result = VersionRange.any()
    admits: FrozenSet[Triple] = frozenset()
    position = 0
    while position < len(text):
        match = _COMPARATOR.match(text, position)
        if match is None:
            raise RangeError(f"cannot read range at {text[position:]!r}")
        part = _comparator(match["op"] or "=", _parse_partial(match["version"]))
        result = result.intersect(part)
        admits |= part.admits
        position = match.end()
        if position < len(text):
            gap = _SEPARATOR.match(text, position)
            if gap is None or gap.end() == len(text):
                raise RangeError(f"cannot read range at {text[position:]!r}")
            position = gap.end()
    return VersionRange(result.intervals, admits)


@lru_cache(maxsize=4096)
def parse_range(text: str) -> VersionRange:
    """Read a range expression.

    Alternatives are separated by ``||``; within one, comparators separated by
    blanks or commas must all hold.  An empty text means any version.
    """
    alternatives = [part.strip() for part in text.split("||")]
    if len(alternatives) > 1 and not all(alternatives):
        raise RangeError(f"empty alternative in range: {text!r}")
    result = VersionRange.empty()
    for part in alternatives:
        result = result.union(_parse_set(part))
    return result
