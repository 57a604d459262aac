"""Arithmetic on days, months and weekdays.

Days are :class:`datetime.date`; weekdays are numbers from 1 (Monday) to 7
(Sunday).  A day that does not exist, be it the 31st of April or the day after
the last one that Python knows, is ``None``.
"""

from __future__ import annotations

import calendar as _gregorian
import datetime as dt
from typing import Optional, Tuple

MON, TUE, WED, THU, FRI, SAT, SUN = range(1, 8)

WEEKDAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

FIRST_DAY = dt.date.min
LAST_DAY = dt.date.max
ONE_DAY = dt.timedelta(days=1)


def is_day(value: object) -> bool:
    """Whether *value* is a plain date.  A datetime is not, although it is one to isinstance()."""
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def day_after(day: dt.date) -> Optional[dt.date]:
    return None if day == LAST_DAY else day + ONE_DAY


def day_before(day: dt.date) -> Optional[dt.date]:
    return None if day == FIRST_DAY else day - ONE_DAY


def from_ordinal(number: int) -> Optional[dt.date]:
    """The day with that proleptic ordinal, if there is one."""
    if FIRST_DAY.toordinal() <= number <= LAST_DAY.toordinal():
        return dt.date.fromordinal(number)
    return None


def month_length(year: int, month: int) -> int:
    return _gregorian.monthrange(year, month)[1]


def month_after(year: int, month: int, by: int) -> Optional[Tuple[int, int]]:
    """Year and month *by* months later."""
    years, months = divmod(year * 12 + month - 1 + by, 12)
    return (years, months + 1) if FIRST_DAY.year <= years <= LAST_DAY.year else None


def day_in_month(year: int, month: int, number: int) -> Optional[dt.date]:
    """The *number*-th day of a month; -1 is the last one, -2 the one before."""
    length = month_length(year, month)
    number = number if number > 0 else length + 1 + number
    return dt.date(year, month, number) if 1 <= number <= length else None


def weekday_in_month(year: int, month: int, weekday: int, nth: int) -> Optional[dt.date]:
    """The *nth* such weekday of a month; -1 is the last one."""
    if nth > 0:
        first = dt.date(year, month, 1).isoweekday()
        return day_in_month(year, month, 1 + (weekday - first) % 7 + 7 * (nth - 1))
    length = month_length(year, month)
    last = dt.date(year, month, length).isoweekday()
    number = length - (last - weekday) % 7 + 7 * (nth + 1)
    return day_in_month(year, month, number) if number > 0 else None


def week_begin(day: dt.date) -> int:
    """The ordinal of the Monday on or before *day*."""
    return day.toordinal() - (day.isoweekday() - MON)


def easter(year: int) -> dt.date:
    """Easter Sunday, by the Gregorian reckoning."""
    golden = year % 19
    century, rest = divmod(year, 100)
    epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    shift = (golden + 11 * epact + 22 * sunday) // 451
    month, day = divmod(epact + sunday - 7 * shift + 114, 31)
    return dt.date(year, month, day + 1)
