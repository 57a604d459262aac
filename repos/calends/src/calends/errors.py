"""The exceptions of calends.

Everything the library raises on purpose derives from :class:`CalendsError`.
"""

from __future__ import annotations

import datetime as dt


class CalendsError(Exception):
    """Base class of every error raised by this package."""


class SpanError(CalendsError):
    """A span ends before it begins, or is not made of days."""


class RuleError(CalendsError):
    """A rule that no day could follow, or that contradicts itself."""


class ScheduleError(CalendsError):
    """A schedule that contradicts itself."""


class CalendarError(CalendsError):
    """A holiday or a calendar is malformed, or an unknown convention was asked for."""


class NoBusinessDayError(CalendarError):
    """The search for a business day ran off the end of the calendar."""

    def __init__(self, day: dt.date, direction: str) -> None:
        super().__init__(f"no business day {direction} {day}")
        self.day = day
        self.direction = direction


class NotationError(CalendsError):
    """A text is not in the notation; says where.  Columns count from 1.

    ``line`` is 1 for what is written on one line only.
    """

    def __init__(self, message: str, column: int, line: int = 1) -> None:
        super().__init__(f"{line}:{column}: {message}")
        self.message = message
        self.column = column
        self.line = line
