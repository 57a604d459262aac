"""Business days: what is left when the days off of a calendar are taken away."""

from __future__ import annotations

import datetime as dt
from typing import Iterator, Optional

from .days import day_after, day_before
from .errors import CalendarError, NoBusinessDayError
from .holidays import Calendar, holidays_in, is_day_off, is_weekend
from .spans import Span, days_of, length

#: How a day that is not a business day can be rolled to one; see :func:`roll`.
CONVENTIONS = ("following", "preceding", "modified following", "nearest")


def is_business_day(calendar: Calendar, day: dt.date) -> bool:
    return not is_day_off(calendar, day)


def next_business_day(calendar: Calendar, day: dt.date) -> dt.date:
    """The first business day on or after *day*."""
    found: Optional[dt.date] = day
    while found is not None and is_day_off(calendar, found):
        found = day_after(found)
    if found is None:
        raise NoBusinessDayError(day, "on or after")
    return found


def previous_business_day(calendar: Calendar, day: dt.date) -> dt.date:
    """The last business day on or before *day*."""
    found: Optional[dt.date] = day
    while found is not None and is_day_off(calendar, found):
        found = day_before(found)
    if found is None:
        raise NoBusinessDayError(day, "on or before")
    return found


def roll(calendar: Calendar, day: dt.date, convention: str = "following") -> dt.date:
    """The business day that stands in for *day*; a business day stands for itself.

    * ``following``: the first one after it,
    * ``preceding``: the last one before it,
    * ``modified following``: like following, unless that is in another month; then
      like preceding,
    * ``nearest``: whichever of the two is nearer, the later one if both are as near.

    Rolling keeps days in order: a later day never comes before an earlier one.
    """
    if convention not in CONVENTIONS:
        raise CalendarError(f"unknown convention {convention!r}")
    if convention == "preceding":
        return previous_business_day(calendar, day)
    later = next_business_day(calendar, day)
    if convention == "following" or later == day:
        return later
    if convention == "modified following":
        return later if later.month == day.month else previous_business_day(calendar, day)
    earlier = previous_business_day(calendar, day)
    return earlier if day - earlier < later - day else later


def add_business_days(calendar: Calendar, day: dt.date, number: int) -> dt.date:
    """The *number*-th business day after *day*, or before it, if negative.

    *day* itself is not counted, whether it is a business day or not.  Adding 0
    gives the first business day on or after *day*.
    """
    if number == 0:
        return next_business_day(calendar, day)
    step, search, direction = (
        (day_after, next_business_day, "after") if number > 0 else (day_before, previous_business_day, "before")
    )
    found = day
    for _ in range(abs(number)):
        onward = step(found)
        if onward is None:
            raise NoBusinessDayError(found, direction)
        found = search(calendar, onward)
    return found


def business_days(calendar: Calendar, within: Span) -> Iterator[dt.date]:
    """The business days of a span, in order."""
    return (day for day in days_of(within) if not is_day_off(calendar, day))


def count_business_days(calendar: Calendar, within: Span) -> int:
    """The number of business days of a span, without going through its days."""
    weeks, rest = divmod(length(within), 7)
    begin = within.first.isoweekday() - 1
    tail = [(begin + offset) % 7 + 1 for offset in range(rest)]
    working = weeks * (7 - len(calendar.weekend)) + sum(weekday not in calendar.weekend for weekday in tail)
    return working - sum(
        within.first <= holiday <= within.last and not is_weekend(calendar, holiday)
        for year in range(within.first.year, within.last.year + 1)
        for holiday in holidays_in(calendar, year)
    )


def begin_of_break(calendar: Calendar, day: dt.date) -> dt.date:
    """The first of the days off in a row that end just before *day*; *day* if there are none."""
    begin = day
    before = day_before(day)
    while before is not None and is_day_off(calendar, before):
        begin, before = before, day_before(before)
    return begin
