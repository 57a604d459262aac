"""Schedules: rules and single dates, with exceptions and moves, perhaps kept to business days."""

from __future__ import annotations

import datetime as dt
from itertools import dropwhile
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .business import CONVENTIONS, begin_of_break, roll as roll_day
from .days import FIRST_DAY, LAST_DAY
from .errors import ScheduleError
from .holidays import WEEKDAYS, Calendar
from .rules import Rule, rule_days
from .spans import Span, SpanSet, span_at, spanset
from .streams import Finder, distinct, merged, up_to


class Move(NamedTuple):
    """What would take place on *origin* takes place on *target* instead."""

    origin: dt.date
    target: dt.date


class Schedule(NamedTuple):
    """When something takes place.  Make one with :func:`schedule`, which checks it.

    Rules and dates give the regular days, except those in ``exceptions``.  Of these
    the ones that ``moves`` names are moved, and the rest is rolled to business
    days, if ``roll`` says how.
    """

    rules: Tuple[Rule, ...] = ()
    dates: Tuple[dt.date, ...] = ()
    exceptions: SpanSet = ()
    moves: Tuple[Move, ...] = ()
    roll: Optional[str] = None


def schedule(
    rules: Iterable[Rule] = (),
    *,
    dates: Iterable[dt.date] = (),
    exceptions: Iterable[Span] = (),
    moves: Iterable[Move] = (),
    roll: Optional[str] = None,
) -> Schedule:
    """A checked schedule; dates, exceptions and moves are put in order."""
    in_order = tuple(sorted(set(moves)))
    for one, other in zip(in_order, in_order[1:]):
        if one.origin == other.origin:
            raise ScheduleError(f"{one.origin} is moved to both {one.target} and {other.target}")
    if roll is not None and roll not in CONVENTIONS:
        raise ScheduleError(f"unknown convention {roll!r}")
    return Schedule(tuple(rules), tuple(sorted(set(dates))), spanset(exceptions), in_order, roll)


def regular_days(each: Schedule, since: dt.date = FIRST_DAY) -> Iterator[dt.date]:
    """The days that rules and dates give and no exception takes away, from *since* on."""
    streams: List[Iterable[dt.date]] = [rule_days(rule, since) for rule in each.rules]
    streams.append(day for day in each.dates if day >= since)
    for day in distinct(merged(*streams)):
        exception = span_at(each.exceptions, day)
        if exception is None:
            yield day
        elif exception.last == LAST_DAY:
            return


def occurrences(
    each: Schedule, since: dt.date = FIRST_DAY, calendar: Calendar = WEEKDAYS
) -> Iterator[dt.date]:
    """The days from *since* on when it takes place, in order, each once.

    They may go on to the end of the calendar.  *calendar* is for rolling.
    """
    return distinct(merged(_unmoved(each, since, calendar), _moved(each, since)))


def _moved(each: Schedule, since: dt.date) -> List[dt.date]:
    targets = (target for origin, target in each.moves if target >= since and _is_regular(each, origin))
    return sorted(targets)


def _unmoved(each: Schedule, since: dt.date, calendar: Calendar) -> Iterator[dt.date]:
    origins = {move.origin for move in each.moves}
    if each.roll is None:
        return (day for day in regular_days(each, since) if day not in origins)
    convention = each.roll
    # A day off before *since* may be rolled to *since* or later; a business day stays before it.
    regular = regular_days(each, begin_of_break(calendar, since))
    rolled = (roll_day(calendar, day, convention) for day in regular if day not in origins)
    return dropwhile(lambda day: day < since, rolled)


def _is_regular(each: Schedule, day: dt.date) -> bool:
    return next(regular_days(each, day), None) == day


def between(each: Schedule, within: Span, calendar: Calendar = WEEKDAYS) -> Tuple[dt.date, ...]:
    """The days of a span when it takes place."""
    return tuple(up_to(occurrences(each, within.first, calendar), within.last))


def first_on_or_after(each: Schedule, day: dt.date, calendar: Calendar = WEEKDAYS) -> Optional[dt.date]:
    """The first day from *day* on when it takes place, if there is one."""
    return next(occurrences(each, day, calendar), None)


def schedule_finder(each: Schedule, calendar: Calendar = WEEKDAYS) -> Finder:
    """A finder of the days of a schedule."""
    return lambda day: first_on_or_after(each, day, calendar)
