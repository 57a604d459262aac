"""Holidays and calendars of them.

A holiday is written as a pattern that falls on at most one day of a year.  A
:class:`Calendar` says which days nobody works: a weekend and any number of holidays.
"""

from __future__ import annotations

import datetime as dt
from functools import lru_cache
from typing import FrozenSet, Iterable, List, NamedTuple, Optional, Set, Tuple, TypeVar, Union

from .days import (
    FIRST_DAY, LAST_DAY, MON, SAT, SUN, day_after, day_in_month, easter, from_ordinal, weekday_in_month,
)
from .errors import CalendarError

_Value = TypeVar("_Value", bound=type)


def _compared_by_kind(cls: _Value) -> _Value:
    """Let values of different classes differ, which as bare tuples of the same numbers they would not."""

    def equal(self: tuple, other: object) -> bool:
        return type(other) is cls and tuple.__eq__(self, other)

    def unequal(self: tuple, other: object) -> bool:
        return not equal(self, other)

    def hashed(self: tuple) -> int:
        return hash((cls.__name__, *self))

    cls.__eq__, cls.__ne__, cls.__hash__ = equal, unequal, hashed  # type: ignore[assignment]
    return cls


@_compared_by_kind
class Fixed(NamedTuple):
    """The same day of every year; 29 February only in leap years."""

    month: int
    day: int


@_compared_by_kind
class NthWeekday(NamedTuple):
    """The *nth* such weekday of a month, from 1 to 5."""

    month: int
    weekday: int
    nth: int


@_compared_by_kind
class LastWeekday(NamedTuple):
    """The last such weekday of a month."""

    month: int
    weekday: int


@_compared_by_kind
class FromEaster(NamedTuple):
    """So many days after Easter Sunday; negative before it."""

    days: int


@_compared_by_kind
class Once(NamedTuple):
    """One day of one year."""

    year: int
    month: int
    day: int


Pattern = Union[Fixed, NthWeekday, LastWeekday, FromEaster, Once]


class Calendar(NamedTuple):
    """Weekend and holidays.  Make one with :func:`calendar`, which checks it.

    If ``observed``, a holiday on a weekend is made up for on the first day after it
    that is neither weekend nor holiday, nor taken by an earlier holiday.
    """

    weekend: Tuple[int, ...] = (SAT, SUN)
    holidays: Tuple[Pattern, ...] = ()
    observed: bool = False


#: Mondays to Fridays, without holidays.
WEEKDAYS = Calendar()


def calendar(
    holidays: Iterable[Pattern] = (), *, weekend: Iterable[int] = (SAT, SUN), observed: bool = False
) -> Calendar:
    """A checked calendar.  Holidays keep their order; one given twice counts once."""
    days_off = tuple(sorted(set(weekend)))
    if not all(MON <= weekday <= SUN for weekday in days_off):
        raise CalendarError("weekdays are numbers from 1 to 7")
    if len(days_off) == 7:
        raise CalendarError("a week needs a day that is not weekend")
    patterns = tuple(dict.fromkeys(holidays))
    for pattern in patterns:
        _check_pattern(pattern)
    return Calendar(days_off, patterns, observed)


def combine(one: Calendar, other: Calendar) -> Calendar:
    """A calendar of the days off of both; holidays are made up for if both do so."""
    return calendar(
        (*one.holidays, *other.holidays),
        weekend=(*one.weekend, *other.weekend),
        observed=one.observed and other.observed,
    )


def holiday_in(pattern: Pattern, year: int) -> Optional[dt.date]:
    """The day on which a holiday falls in a year, if it does."""
    if isinstance(pattern, Fixed):
        return day_in_month(year, pattern.month, pattern.day)
    if isinstance(pattern, NthWeekday):
        return weekday_in_month(year, pattern.month, pattern.weekday, pattern.nth)
    if isinstance(pattern, LastWeekday):
        return weekday_in_month(year, pattern.month, pattern.weekday, -1)
    if isinstance(pattern, FromEaster):
        day = from_ordinal(easter(year).toordinal() + pattern.days)
        return day if day is not None and day.year == year else None
    return dt.date(*pattern) if pattern.year == year else None


@lru_cache(maxsize=1024)
def holidays_in(each: Calendar, year: int) -> FrozenSet[dt.date]:
    """The days of a year that are holidays or make up for one."""
    days = _fall_in(each, year)
    if each.observed:
        days |= {day for day in _substitutes(each, year) if day.year == year}
    return frozenset(days)


def is_weekend(each: Calendar, day: dt.date) -> bool:
    return day.isoweekday() in each.weekend


def is_day_off(each: Calendar, day: dt.date) -> bool:
    """Whether *day* is weekend or a holiday."""
    return is_weekend(each, day) or day in holidays_in(each, day.year)


def _fall_in(each: Calendar, *years: int) -> Set[dt.date]:
    found = (
        holiday_in(pattern, year)
        for year in years if FIRST_DAY.year <= year <= LAST_DAY.year
        for pattern in each.holidays
    )
    return {day for day in found if day is not None}


def _substitutes(each: Calendar, year: int) -> List[dt.date]:
    """What makes up for the holidays of a year, and of the year before: those may be late."""
    taken = _fall_in(each, year - 1, year, year + 1)
    made_up = []
    for holiday in sorted(_fall_in(each, year - 1, year)):
        if not is_weekend(each, holiday):
            continue
        day = day_after(holiday)
        while day is not None and (is_weekend(each, day) or day in taken):
            day = day_after(day)
        if day is not None:
            taken.add(day)
            made_up.append(day)
    return made_up


def _check_pattern(pattern: Pattern) -> None:
    if isinstance(pattern, FromEaster):
        return
    if isinstance(pattern, Once):
        try:
            dt.date(*pattern)
        except ValueError:
            raise CalendarError(f"no such day: {pattern}") from None
        return
    if not isinstance(pattern, (Fixed, NthWeekday, LastWeekday)):
        raise CalendarError(f"not a holiday: {pattern!r}")
    if not 1 <= pattern.month <= 12:
        raise CalendarError(f"no such month: {pattern}")
    if isinstance(pattern, Fixed):
        # A leap year has all the days there are.
        if day_in_month(2000, pattern.month, pattern.day) is None or pattern.day < 1:
            raise CalendarError(f"no such day: {pattern}")
        return
    if not MON <= pattern.weekday <= SUN:
        raise CalendarError("weekdays are numbers from 1 to 7")
    if isinstance(pattern, NthWeekday) and not 1 <= pattern.nth <= 5:
        raise CalendarError(f"no month has so many: {pattern}")
