"""Streams of days, and finders.

A *stream* is an iterator of days in order.  It may never end, so it is only gone
through as far as its user asks.

A *finder* is a function from a day to the first of its days on or after that one,
or None if there are no more.  It can be asked about any day at any time, in any
order; unlike a stream it can skip, but each question may be dear.
"""

from __future__ import annotations

import datetime as dt
import heapq
from bisect import bisect_left
from itertools import takewhile
from typing import Callable, Dict, Iterable, Iterator, Optional, Sequence

from .days import day_after
from .spans import ALWAYS, Span, SpanSet, span_at

Stream = Iterator[dt.date]
Finder = Callable[[dt.date], Optional[dt.date]]


def merged(*streams: Iterable[dt.date]) -> Stream:
    """The days of all streams, in order.  A day that several have comes as often."""
    return heapq.merge(*streams)


def distinct(stream: Iterable[dt.date]) -> Stream:
    """The days of a stream, each once."""
    last = None
    for day in stream:
        if day != last:
            yield day
        last = day


def up_to(stream: Iterable[dt.date], last: dt.date) -> Stream:
    """The days of a stream until *last*, included."""
    return takewhile(lambda day: day <= last, stream)


def days_found(finder: Finder, within: Span = ALWAYS) -> Stream:
    """The days of a finder, as a stream."""
    day: Optional[dt.date] = within.first
    while day is not None:
        found = finder(day)
        if found is None or found > within.last:
            return
        yield found
        day = day_after(found)


def finder_of(days: Iterable[dt.date]) -> Finder:
    """A finder of given days, in any order."""
    known = sorted(days)

    def find(day: dt.date) -> Optional[dt.date]:
        index = bisect_left(known, day)
        return known[index] if index < len(known) else None

    return find


def excluding(finder: Finder, spans: SpanSet) -> Finder:
    """A finder of the days of *finder* that are not in *spans*.

    Behind a day in one of the spans it goes on at the end of that span.
    """

    def find(day: dt.date) -> Optional[dt.date]:
        onward: Optional[dt.date] = day
        while onward is not None:
            found = finder(onward)
            hole = None if found is None else span_at(spans, found)
            if hole is None:
                return found
            onward = day_after(hole.last)
        return None

    return find


def coincidences(finders: Sequence[Finder], at_least: int, within: Span = ALWAYS) -> Stream:
    """The days of *within* that at least so many of the finders have.

    Finders are only asked about days that can matter: a day that *at_least* of
    them have cannot come before the *at_least*-th of their next days.
    """
    if at_least < 1:
        raise ValueError("at_least is 1 or more")
    return _coincidences(finders, at_least, within)


def _coincidences(finders: Sequence[Finder], at_least: int, within: Span) -> Stream:
    ahead: Dict[int, dt.date] = {}

    def ask(index: int, day: Optional[dt.date]) -> None:
        found = None if day is None else finders[index](day)
        if found is None:
            ahead.pop(index, None)
        else:
            ahead[index] = found

    for index in range(len(finders)):
        ask(index, within.first)
    while len(ahead) >= at_least:
        target = sorted(ahead.values())[at_least - 1]
        if target > within.last:
            return
        for index in [index for index, day in ahead.items() if day < target]:
            ask(index, target)
        there = [index for index, day in ahead.items() if day == target]
        if len(there) >= at_least:
            yield target
            for index in there:
                ask(index, day_after(target))
