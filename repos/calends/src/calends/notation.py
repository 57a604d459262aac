"""The notation of spans, rules and schedules; the README has its grammar.

Texts are read without regard to case and to the width of blanks, and written in
one canonical way: ``parse_x(format_x(value)) == value``.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Callable, Dict, List, NamedTuple, NoReturn, Optional, Sequence, TypeVar

from .business import CONVENTIONS
from .days import FIRST_DAY, LAST_DAY, MONTH_NAMES, WEEKDAY_NAMES
from .errors import CalendsError, NotationError
from .rules import ANY, UNITS, Place, Rule, rule
from .schedules import Move, Schedule, schedule
from .spans import Span, span

_T = TypeVar("_T")

_TOKEN = re.compile(r"\s*(?:(?P<word>[^\s,.]+)|(?P<dots>\.\.)|(?P<comma>,)|(?P<bad>\.))")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ORDINAL = re.compile(r"([1-9][0-9]?)(?:st|nd|rd|th)")
_NUMBER = re.compile(r"[0-9]{1,6}")


class _Token(NamedTuple):
    text: str
    column: int


class _Reader:
    """Goes through the tokens of one line."""

    def __init__(self, text: str, line: int = 1) -> None:
        self.line = line
        self.tokens: List[_Token] = []
        self.index = 0
        self.end = len(text.rstrip()) + 1
        position = 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            assert match is not None and match.lastgroup is not None
            column = match.start(match.lastgroup) + 1
            if match.lastgroup == "bad":
                self.fail("a single dot means nothing", column)
            self.tokens.append(_Token(match.group(match.lastgroup).lower(), column))
            position = match.end()

    def fail(self, message: str, column: Optional[int] = None) -> NoReturn:
        raise NotationError(message, self.column if column is None else column, self.line)

    @property
    def column(self) -> int:
        return self.end if self.at_end() else self.tokens[self.index].column

    def at_end(self) -> bool:
        return self.index == len(self.tokens)

    def peek(self) -> str:
        return "" if self.at_end() else self.tokens[self.index].text

    def take(self, expected: str) -> str:
        """The next token, whatever it is; *expected* is for the message if there is none."""
        if self.at_end():
            self.fail(f"expected {expected}")
        self.index += 1
        return self.tokens[self.index - 1].text

    def accept(self, *texts: str) -> bool:
        """Go past the next token, if it is one of those."""
        if self.peek() in texts and not self.at_end():
            self.index += 1
            return True
        return False

    def require(self, text: str) -> None:
        if not self.accept(text):
            self.fail(f"expected {text!r}")

    def finish(self) -> None:
        if not self.at_end():
            self.fail(f"unexpected {self.peek()!r}")

    def date(self) -> dt.date:
        column = self.column
        text = self.take("a date")
        try:
            if not _DATE.fullmatch(text):
                raise ValueError(text)
            return dt.date.fromisoformat(text)
        except ValueError:
            self.fail(f"not a date: {text!r}", column)

    def number(self) -> int:
        column = self.column
        text = self.take("a number")
        if not _NUMBER.fullmatch(text):
            self.fail(f"not a number: {text!r}", column)
        return int(text)

    def name(self, names: Sequence[str], kind: str) -> int:
        """The number, from 1, of a name in a list of them."""
        column = self.column
        text = self.take(kind)
        if text not in names:
            self.fail(f"not {kind}: {text!r}", column)
        return names.index(text) + 1


# -- spans -------------------------------------------------------------------


def parse_span(text: str) -> Span:
    """``2024-05-01``, ``2024-05-01..2024-05-31``, or with one or both ends left open."""
    reader = _Reader(text)
    found = _read_span(reader)
    reader.finish()
    return found


def format_span(each: Span) -> str:
    if each.first == each.last:
        return each.first.isoformat()
    first = "" if each.first == FIRST_DAY else each.first.isoformat()
    last = "" if each.last == LAST_DAY else each.last.isoformat()
    return f"{first}..{last}"


def _read_span(reader: _Reader) -> Span:
    column = reader.column
    first = FIRST_DAY
    if reader.peek() != "..":
        first = reader.date()
        if reader.peek() != "..":
            return span(first)
    reader.require("..")
    last = LAST_DAY if reader.at_end() or reader.peek() == "," else reader.date()
    try:
        return span(first, last)
    except CalendsError as error:
        reader.fail(str(error), column)


# -- rules -------------------------------------------------------------------


def parse_rule(text: str) -> Rule:
    """``2024-01-09 every 2 weeks on tue, thu until 2024-12-31`` and the like."""
    reader = _Reader(text)
    found = _read_rule(reader)
    reader.finish()
    return found


def format_rule(each: Rule) -> str:
    words = [each.start.isoformat(), "every"]
    words += [each.unit] if each.every == 1 else [str(each.every), each.unit + "s"]
    if each.months:
        words += ["in", ", ".join(MONTH_NAMES[month - 1] for month in each.months)]
    if each.weekdays:
        words += ["on", ", ".join(WEEKDAY_NAMES[weekday - 1] for weekday in each.weekdays)]
    if each.places:
        words += ["on", ", ".join(_format_place(place) for place in each.places)]
    if each.times is not None:
        words += ["times", str(each.times)]
    if each.until is not None:
        words += ["until", each.until.isoformat()]
    return " ".join(words)


def _read_rule(reader: _Reader) -> Rule:
    column = reader.column
    start = reader.date()
    reader.require("every")
    every = reader.number() if reader.peek()[:1].isdigit() else 1
    unit = _read_unit(reader)
    parts: Dict[str, object] = {}
    if unit == "year" and reader.accept("in"):
        parts["months"] = _read_list(reader, lambda: reader.name(MONTH_NAMES, "a month"))
    if unit == "week" and reader.accept("on"):
        parts["weekdays"] = _read_list(reader, lambda: reader.name(WEEKDAY_NAMES, "a weekday"))
    if unit in ("month", "year") and reader.accept("on"):
        parts["places"] = _read_list(reader, lambda: _read_place(reader))
    if reader.accept("times"):
        parts["times"] = reader.number()
    if reader.accept("until"):
        parts["until"] = reader.date()
    try:
        return rule(start, unit, every, **parts)  # type: ignore[arg-type]
    except CalendsError as error:
        reader.fail(str(error), column)


def _read_unit(reader: _Reader) -> str:
    column = reader.column
    text = reader.take("a unit")
    for unit in UNITS:
        if text in (unit, unit + "s"):
            return unit
    reader.fail(f"not a unit: {text!r}", column)


def _read_list(reader: _Reader, read: Callable[[], _T]) -> List[_T]:
    found = [read()]
    while reader.accept(","):
        found.append(read())
    return found


def _read_place(reader: _Reader) -> Place:
    column = reader.column
    sign = 1
    nth = _ordinal(reader.peek())
    if nth is not None:
        reader.take("a place")
    if reader.accept("last"):
        sign, nth = -1, nth or 1
    if nth is None:
        reader.fail("expected a place such as '2nd tue' or 'last day'", column)
    if reader.accept("day"):
        return Place(sign * nth, ANY)
    return Place(sign * nth, reader.name(WEEKDAY_NAMES, "a weekday"))


def _ordinal(text: str) -> Optional[int]:
    match = _ORDINAL.fullmatch(text)
    if match is None or text != _format_ordinal(int(match.group(1))):
        return None
    return int(match.group(1))


def _format_ordinal(number: int) -> str:
    teen = 10 <= number % 100 <= 20
    return str(number) + ("th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th"))


def _format_place(place: Place) -> str:
    what = "day" if place.weekday == ANY else WEEKDAY_NAMES[place.weekday - 1]
    if place.nth > 0:
        return f"{_format_ordinal(place.nth)} {what}"
    return f"last {what}" if place.nth == -1 else f"{_format_ordinal(-place.nth)} last {what}"


# -- schedules ---------------------------------------------------------------


def parse_schedule(text: str) -> Schedule:
    """A schedule of several lines.  Blank lines and what follows a ``#`` do not count."""
    rules: List[Rule] = []
    dates: List[dt.date] = []
    exceptions: List[Span] = []
    moves: List[Move] = []
    rolls: List[str] = []
    for number, line in enumerate(text.splitlines(), start=1):
        reader = _Reader(line.partition("#")[0], number)
        if reader.at_end():
            continue
        column = reader.column
        keyword = reader.take("a keyword")
        if keyword == "rule":
            rules.append(_read_rule(reader))
        elif keyword == "date":
            dates.append(reader.date())
        elif keyword == "except":
            exceptions += _read_list(reader, lambda: _read_span(reader))
        elif keyword == "move":
            moves.append(_read_move(reader, moves))
        elif keyword == "roll" and not rolls:
            rolls.append(_read_convention(reader))
        else:
            reader.fail(f"unexpected {keyword!r}", column)
        reader.finish()
    return schedule(rules, dates=dates, exceptions=exceptions, moves=moves, roll=rolls[0] if rolls else None)


def format_schedule(each: Schedule) -> str:
    """One line for each part, without a line break at the end."""
    lines = [f"rule {format_rule(found)}" for found in each.rules]
    lines += [f"date {day.isoformat()}" for day in each.dates]
    lines += [f"except {format_span(found)}" for found in each.exceptions]
    lines += [f"move {move.origin.isoformat()} to {move.target.isoformat()}" for move in each.moves]
    lines += [] if each.roll is None else [f"roll {each.roll}"]
    return "\n".join(lines)


def _read_move(reader: _Reader, known: Sequence[Move]) -> Move:
    column = reader.column
    origin = reader.date()
    reader.require("to")
    move = Move(origin, reader.date())
    if any(other.origin == origin and other != move for other in known):
        reader.fail(f"{origin} is moved twice", column)
    return move


def _read_convention(reader: _Reader) -> str:
    column = reader.column
    words = [reader.take("a convention")]
    if words == ["modified"]:
        words.append(reader.take("'following'"))
    if " ".join(words) not in CONVENTIONS:
        reader.fail(f"unknown convention {' '.join(words)!r}", column)
    return " ".join(words)
