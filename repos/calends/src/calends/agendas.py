"""Several schedules at once.

The functions take a mapping from labels to schedules; its order decides between
what takes place on the same day.
"""

from __future__ import annotations

import datetime as dt
import heapq
from typing import Iterator, Mapping, NamedTuple

from .holidays import WEEKDAYS, Calendar
from .schedules import Schedule, between, occurrences, schedule_finder
from .spans import ALWAYS, Span, SpanSet, complement, span, spanset
from .streams import coincidences, up_to


class Entry(NamedTuple):
    """Something takes place on a day."""

    day: dt.date
    label: str


def agenda(
    schedules: Mapping[str, Schedule], within: Span = ALWAYS, calendar: Calendar = WEEKDAYS
) -> Iterator[Entry]:
    """What takes place within a span, day by day, as far as it is asked for."""

    def entries(label: str, each: Schedule) -> Iterator[Entry]:
        days = up_to(occurrences(each, within.first, calendar), within.last)
        return (Entry(day, label) for day in days)

    streams = [entries(label, each) for label, each in schedules.items()]
    return heapq.merge(*streams, key=lambda entry: entry.day)


def clashes(
    schedules: Mapping[str, Schedule],
    at_least: int = 2,
    within: Span = ALWAYS,
    calendar: Calendar = WEEKDAYS,
) -> Iterator[dt.date]:
    """The days on which at least so many of the schedules take place."""
    finders = [schedule_finder(each, calendar) for each in schedules.values()]
    return coincidences(finders, at_least, within)


def free_spans(
    schedules: Mapping[str, Schedule], within: Span, calendar: Calendar = WEEKDAYS
) -> SpanSet:
    """The spans of *within* in which nothing takes place."""
    taken = spanset(
        span(day) for each in schedules.values() for day in between(each, within, calendar)
    )
    return complement(taken, within)
