"""Rules for days that come again.

A :class:`Rule` divides the time from its start into periods (days, weeks, months
or years), takes every so many of them, beginning with the one around the start,
and says which days of a period occur.
"""

from __future__ import annotations

import datetime as dt
from itertools import count, dropwhile, islice, takewhile
from typing import Iterable, Iterator, List, NamedTuple, Optional, Tuple

from .days import (
    FIRST_DAY, LAST_DAY, MON, SUN, day_in_month, from_ordinal, is_day, month_after, week_begin, weekday_in_month,
)
from .errors import RuleError

UNITS = ("day", "week", "month", "year")

#: The weekday of a :class:`Place` that counts days of any weekday.
ANY = 0


class Place(NamedTuple):
    """A place in a month: the *nth* such weekday, or the *nth* day; negative from the end."""

    nth: int
    weekday: int = ANY


class Rule(NamedTuple):
    """Days that come again.  Make one with :func:`rule`, which checks it.

    ``weekdays`` are for weeks, ``places`` for months and years, ``months`` for
    years.  A month that lacks a place (a 31st, a fifth Friday) goes without it.
    ``times`` limits the number of occurrences, ``until`` is the last day that may
    be one.
    """

    start: dt.date
    unit: str
    every: int = 1
    weekdays: Tuple[int, ...] = ()
    places: Tuple[Place, ...] = ()
    months: Tuple[int, ...] = ()
    times: Optional[int] = None
    until: Optional[dt.date] = None


def rule(
    start: dt.date,
    unit: str,
    every: int = 1,
    *,
    weekdays: Iterable[int] = (),
    places: Iterable[Place] = (),
    months: Iterable[int] = (),
    times: Optional[int] = None,
    until: Optional[dt.date] = None,
) -> Rule:
    """A checked rule, with what its unit needs and was not given taken from *start*.

    Weekdays, places and months are put in order, each once.
    """
    if not is_day(start) or not (until is None or is_day(until)):
        raise RuleError("start and until are dates")
    if unit not in UNITS:
        raise RuleError(f"unknown unit {unit!r}")
    if every < 1:
        raise RuleError(f"every {every} {unit}s is never")
    if times is not None and until is not None:
        raise RuleError("a rule has either times or until")
    if times is not None and times < 1:
        raise RuleError(f"{times} times is never")
    if until is not None and until < start:
        raise RuleError(f"rule ends on {until}, before it starts on {start}")
    weekdays, places, months = set(weekdays), set(places), set(months)
    if weekdays and unit != "week" or places and unit not in ("month", "year") or months and unit != "year":
        raise RuleError(f"a rule by the {unit} has no such parts")
    if not all(MON <= weekday <= SUN for weekday in weekdays):
        raise RuleError("weekdays are numbers from 1 to 7")
    if not all(1 <= month <= 12 for month in months):
        raise RuleError("months are numbers from 1 to 12")
    for place in places:
        _check_place(place)
    if unit == "week" and not weekdays:
        weekdays = {start.isoweekday()}
    if unit in ("month", "year") and not places:
        places = {Place(start.day)}
    if unit == "year" and not months:
        months = {start.month}
    in_order = tuple(sorted(places, key=lambda place: (place.nth < 0, place)))
    return Rule(start, unit, every, tuple(sorted(weekdays)), in_order, tuple(sorted(months)), times, until)


def _check_place(place: Place) -> None:
    most = 31 if place.weekday == ANY else 5
    if not ANY <= place.weekday <= SUN:
        raise RuleError("weekdays are numbers from 1 to 7")
    if not 1 <= abs(place.nth) <= most:
        raise RuleError(f"no month has a place {place.nth}")


def rule_days(each: Rule, since: dt.date = FIRST_DAY) -> Iterator[dt.date]:
    """The days of a rule from *since* on, in order.  They may go on to the end of the calendar.

    Where nothing has to be counted, the periods before *since* are not gone through.
    """
    begin = 0 if each.times is not None else _index_around(each, max(since, each.start))
    days = _days_of_periods(each, begin)
    if each.until is not None:
        days = takewhile(lambda day: day <= each.until, days)
    if each.times is not None:
        days = islice(days, each.times)
    return dropwhile(lambda day: day < since, days)


def _days_of_periods(each: Rule, begin: int) -> Iterator[dt.date]:
    for index in count(begin):
        days = _days_of_period(each, index)
        if days is None:
            return
        yield from (day for day in days if day >= each.start)


def _index_around(each: Rule, day: dt.date) -> int:
    """The number of the last period of the rule that begins on or before *day*."""
    start = each.start
    if each.unit == "day":
        return (day - start).days // each.every
    if each.unit == "week":
        return (week_begin(day) - week_begin(start)) // 7 // each.every
    if each.unit == "month":
        return ((day.year - start.year) * 12 + day.month - start.month) // each.every
    return (day.year - start.year) // each.every


def _days_of_period(each: Rule, index: int) -> Optional[List[dt.date]]:
    """The days of one period, in order; None behind the end of the calendar."""
    step = index * each.every
    if each.unit == "day":
        day = from_ordinal(each.start.toordinal() + step)
        return None if day is None else [day]
    if each.unit == "week":
        begin = week_begin(each.start) + 7 * step
        if begin > LAST_DAY.toordinal():
            return None
        return _present(from_ordinal(begin + weekday - MON) for weekday in each.weekdays)
    if each.unit == "month":
        month = month_after(each.start.year, each.start.month, step)
        return None if month is None else _days_of_month(each, *month)
    year = each.start.year + step
    if year > LAST_DAY.year:
        return None
    return [day for month in each.months for day in _days_of_month(each, year, month)]


def _days_of_month(each: Rule, year: int, month: int) -> List[dt.date]:
    return sorted(set(_present(_place_in_month(place, year, month) for place in each.places)))


def _place_in_month(place: Place, year: int, month: int) -> Optional[dt.date]:
    if place.weekday == ANY:
        return day_in_month(year, month, place.nth)
    return weekday_in_month(year, month, place.weekday, place.nth)


def _present(days: Iterable[Optional[dt.date]]) -> List[dt.date]:
    return [day for day in days if day is not None]
