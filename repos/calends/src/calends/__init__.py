"""Calends: spans of days, recurring dates and business days, as plain values and pure functions."""

from .agendas import Entry, agenda, clashes, free_spans
from .business import (
    CONVENTIONS, add_business_days, business_days, count_business_days, is_business_day, next_business_day,
    previous_business_day, roll,
)
from .days import FRI, MON, SAT, SUN, THU, TUE, WED
from .holidays import (
    WEEKDAYS, Calendar, Fixed, FromEaster, LastWeekday, NthWeekday, Once, calendar, combine, holidays_in,
)
from .notation import format_rule, format_schedule, format_span, parse_rule, parse_schedule, parse_span
from .rules import ANY, Place, Rule, rule, rule_days
from .schedules import Move, Schedule, between, first_on_or_after, occurrences, schedule, schedule_finder
from .spans import ALWAYS, Span, span, spanset

__version__ = "0.9.0"

__all__ = [
    "ALWAYS", "ANY", "CONVENTIONS", "Calendar", "Entry", "FRI", "Fixed", "FromEaster", "LastWeekday", "MON", "Move",
    "NthWeekday", "Once", "Place", "Rule", "SAT", "SUN", "Schedule", "Span", "THU", "TUE", "WED", "WEEKDAYS",
    "add_business_days", "agenda", "between", "business_days", "calendar", "clashes",
    "combine", "count_business_days", "first_on_or_after", "format_rule", "format_schedule", "format_span",
    "free_spans", "holidays_in", "is_business_day", "next_business_day", "occurrences", "parse_rule",
    "parse_schedule", "parse_span", "previous_business_day", "roll", "rule", "rule_days", "schedule",
    "schedule_finder", "span", "spanset",
]
