"""Spans of days and sets of spans.

A :class:`Span` goes from its first day to its last day, both included, so it is
never empty.  An open end is written as the end of the calendar: ``ALWAYS`` is the
longest span there is.

A *span set* is a tuple of spans in normal form: in order, disjoint, and with at
least one day between neighbours.  Two sets hold the same days exactly if they are
equal.  :func:`spanset` makes one; the functions that take span sets return such.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .days import FIRST_DAY, LAST_DAY, is_day
from .errors import SpanError


class Span(NamedTuple):
    """The days from *first* to *last*, both included."""

    first: dt.date
    last: dt.date


SpanSet = Tuple[Span, ...]

ALWAYS = Span(FIRST_DAY, LAST_DAY)


def span(first: dt.date, last: Optional[dt.date] = None) -> Span:
    """A checked span; of one day, if *last* is not given."""
    last = first if last is None else last
    if not (is_day(first) and is_day(last)):
        raise SpanError(f"a span is made of two dates, not {first!r} and {last!r}")
    if last < first:
        raise SpanError(f"span ends on {last}, before it begins on {first}")
    return Span(first, last)


def length(each: Span) -> int:
    """The number of days."""
    return each.last.toordinal() - each.first.toordinal() + 1


def contains(each: Span, day: dt.date) -> bool:
    return each.first <= day <= each.last


def touches(one: Span, other: Span) -> bool:
    """Whether the two overlap or follow on one another, with no day between them."""
    gap = max(one.first, other.first).toordinal() - min(one.last, other.last).toordinal()
    return gap <= 1


def days_of(each: Span) -> Iterator[dt.date]:
    """The days of a span, in order."""
    for number in range(each.first.toordinal(), each.last.toordinal() + 1):
        yield dt.date.fromordinal(number)


def shift(each: Span, days: int) -> Optional[Span]:
    """The span moved by a number of days, later or (negative) earlier.

    What would leave the calendar is cut off; if nothing is left, the answer is None.
    """
    return _between(each.first.toordinal() + days, each.last.toordinal() + days)


def spanset(spans: Iterable[Span]) -> SpanSet:
    """The days of all *spans*, as a span set."""
    merged: List[Span] = []
    for each in sorted(spans):
        if merged and touches(merged[-1], each):
            merged[-1] = Span(merged[-1].first, max(merged[-1].last, each.last))
        else:
            merged.append(each)
    return tuple(merged)


def union(*sets: SpanSet) -> SpanSet:
    """The days in any of the sets."""
    return spanset(each for spans in sets for each in spans)


def intersection(one: SpanSet, other: SpanSet) -> SpanSet:
    """The days in both sets."""
    common: List[Span] = []
    here = there = 0
    while here < len(one) and there < len(other):
        first = max(one[here].first, other[there].first)
        last = min(one[here].last, other[there].last)
        if first <= last:
            common.append(Span(first, last))
        if one[here].last < other[there].last:
            here += 1
        else:
            there += 1
    return tuple(common)


def complement(spans: SpanSet, within: Span = ALWAYS) -> SpanSet:
    """The days of *within* that are not in *spans*."""
    gaps: List[Optional[Span]] = []
    begin = within.first.toordinal()
    for each in intersection(spans, (within,)):
        gaps.append(_between(begin, each.first.toordinal() - 1))
        begin = each.last.toordinal() + 1
    gaps.append(_between(begin, within.last.toordinal()))
    return tuple(gap for gap in gaps if gap is not None)


def difference(one: SpanSet, other: SpanSet) -> SpanSet:
    """The days in *one* that are not in *other*."""
    return intersection(one, complement(other))


def widen(spans: SpanSet, before: int = 0, after: int = 0) -> SpanSet:
    """Each span with *before* more days in front and *after* more behind it.

    Spans that meet become one; none grows beyond the ends of the calendar.
    """
    if before < 0 or after < 0:
        raise SpanError("a span can only be widened by 0 days or more")
    wider = (
        _between(each.first.toordinal() - before, each.last.toordinal() + after) for each in spans
    )
    return spanset(each for each in wider if each is not None)


def span_at(spans: SpanSet, day: dt.date) -> Optional[Span]:
    """The span of the set that contains *day*."""
    index = bisect_right(spans, (day, LAST_DAY)) - 1
    return spans[index] if index >= 0 and contains(spans[index], day) else None


def covers(spans: SpanSet, day: dt.date) -> bool:
    return span_at(spans, day) is not None


def total_days(spans: SpanSet) -> int:
    return sum(length(each) for each in spans)


def _between(first: int, last: int) -> Optional[Span]:
    """The span between two ordinals, cut to what the calendar has."""
    first = max(first, FIRST_DAY.toordinal())
    last = min(last, LAST_DAY.toordinal())
    return Span(dt.date.fromordinal(first), dt.date.fromordinal(last)) if first <= last else None
