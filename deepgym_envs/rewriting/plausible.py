"""Other values that might as well have been meant: for a number, a date, a text.

Each function gives candidates and how likely each is. Two rules keep right and wrong alike. A way from one
value to another is as easy as the way back, for what decides is the distance between them; and of the places
that it leads to, one is chosen as often as such values are met in tests at all. Then a pair of values does
not say which one was made from which, for numbers that are small or round are wrong as often as they are
right."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import MAXYEAR, MINYEAR, date, timedelta

Candidates = list[tuple[str, float]]
Change = Callable[[str], Candidates]

# A change by less than one part in so many might be forgiven by a comparison with tolerance.
_SMALLEST_CHANGE = 1000
# From here on, numbers are as common as others near them; and longer ones are no numbers to anybody.
_LARGE = 10**6
_LONGEST = 40
_RELATED = (
    ("mon", "tue", "wed", "thu", "fri", "sat", "sun"),
    ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"),
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
    ("left", "right"), ("first", "last"), ("true", "false"), ("yes", "no"), ("on", "off"), ("open", "closed"),
    ("before", "after"), ("start", "end"), ("min", "max"), ("asc", "desc"), ("up", "down"), ("up", "half-up"),
    ("old", "new"), ("read", "write"), ("and", "or"), ("one", "two", "three", "four", "five"), ("any", "all"),
    ("applied", "skipped"), ("info", "warning", "error"), ("foo", "bar", "baz"), ("red", "green", "blue"),
)  # fmt: skip
_NEIGHBOURS = {word: [other for other in row if other != word] for row in _RELATED for word in row}
_ISO = re.compile(r"(?<!\d)\d{4}-\d\d-\d\d(?!\d)")
_DECIMAL = re.compile(r"(?<![\d.])\d+\.\d+(?![\d.])")
_WORD = re.compile(r"[^\W\d_]+")


def zeros(number: int) -> int:
    """How many zeros a number ends with; none for 0 itself."""
    number = abs(number)
    return len(str(number)) - len(str(number).rstrip("0")) if number else 0


def _how_common(number: int) -> float:
    """How often a number is met among expected values, next to others: small ones most, negative ones
    seldom."""
    return (1.0 if number >= 0 else 0.1) * _how_small(min(abs(number), _LARGE))


def _how_small(size: float) -> float:
    return 1 / (1 + (size / 3) ** 2)


def numbers(number: int) -> list[tuple[int, float]]:
    """Other integers, near or alike."""
    steps = {1: 4.0, 2: 2.0, 3: 1.0}
    size = abs(number)
    if size >= 10:
        steps[10] = 1.0
    if size >= 1000:
        steps[100] = 1.0
    unit = 10 ** zeros(size)
    if unit > 1:
        steps |= {unit: 4.0, 2 * unit: 2.0, 3 * unit: 1.0}
    found: dict[int, float] = {}
    for step, ease in steps.items():
        for other in (size + step, size - step):
            if other >= 0:
                new = -other if number < 0 else other
                found[new] = max(found.get(new, 0), ease * _how_common(new))
    for new in _digits_swapped(number):
        found[new] = max(found.get(new, 0), _how_common(new))
    if number:
        found[-number] = _how_common(-number)
    else:
        found[-1] = _how_common(-1)
    return [(new, weight) for new, weight in found.items() if new != number]


def _digits_swapped(number: int) -> Iterator[int]:
    digits = str(abs(number))
    sign = -1 if number < 0 else 1
    for at in range(len(digits) - 1):
        swapped = digits[:at] + digits[at + 1] + digits[at] + digits[at + 2 :]
        if swapped[0] != "0":
            yield sign * int(swapped)


def decimals(words: str) -> Candidates:
    """Other decimal numbers with as many digits behind the point, for ``12.50`` or ``1.5e-3``; no sign."""
    parts = re.fullmatch(r"(\d[\d_]*)(?:(\.)(\d*))?((?:[eE][-+]?\d+)?)", words)
    if parts is None or len(words) > _LONGEST:
        return []
    point, places = parts[2] or "", len(parts[3] or "")
    mantissa = int(parts[1].replace("_", "") + (parts[3] or ""))
    unit = int(10 ** (zeros(mantissa) if mantissa else places))
    while unit * _SMALLEST_CHANGE < mantissa:
        unit *= 10
    found: Candidates = []
    for step, ease in ((unit, 4.0), (2 * unit, 2.0), (3 * unit, 1.0)):
        for other in (mantissa + step, mantissa - step):
            if other >= 0:
                digits = str(other).zfill(places + 1)
                cut = len(digits) - places
                weight = ease * _how_small(min(other // 10**places, _LARGE))
                found.append((digits[:cut] + point + digits[cut:] + parts[4], weight))
    return found


def dates(day: date) -> list[tuple[date, float]]:
    """Other days: next to it, a week off, the same one of another month or year."""
    shifts = [(1, 4.0), (-1, 4.0), (2, 2.0), (-2, 2.0), (7, 3.0), (-7, 3.0)]
    found = []
    for days, ease in shifts:
        try:
            found.append((day + timedelta(days=days), ease))
        except OverflowError:
            continue
    for months, ease in ((1, 2.0), (-1, 2.0), (12, 1.0), (-12, 1.0)):
        other = _other_month(day, months)
        if other is not None:
            found.append((other, ease))
    return found


def is_edge_of_month(day: date) -> bool:
    return day.day == 1 or _is_last(day)


def _is_last(day: date) -> bool:
    return day == date.max or (day + timedelta(days=1)).day == 1


def _other_month(day: date, months: int) -> date | None:
    """The same day of another month, or the last day for a last day; ``None`` where the way back leads
    elsewhere."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        return None
    try:
        other = date(year, month + 1, 1 if _is_last(day) else day.day)
    except ValueError:
        return None
    if _is_last(day):
        while not _is_last(other):
            other += timedelta(days=1)
        return other
    return None if _is_last(other) else other


def kind_of(text: str) -> str:
    """What a text looks like, so that only its like takes its place.

    >>> kind_of("1.0.12+build a_b"), kind_of("Mon")
    ('0.0.0+a a_a', 'A')
    """
    return re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", lambda word: "a" if word[0].islower() else "A", text))


def texts(text: str, seen: Sequence[str] = ()) -> Candidates:
    """Other texts of the same kind: a number or a date in it differs, a word, a letter, or the order."""
    found: Candidates = []
    kind = kind_of(text)
    alike = [
        other
        for other in seen
        if other != text and kind_of(other) == kind and abs(len(other) - len(text)) <= 3 + len(text) // 4
    ]
    found += _share(4.0, [(other, 1.0) for other in alike])
    found += _share(3.0, _with_other_parts(text, _ISO, _iso_dates))
    plain = text if not _ISO.search(text) else ""
    found += _share(3.0, _with_other_parts(plain, _DECIMAL, decimals))
    found += _share(
        2.0, _with_other_parts(_DECIMAL.sub(lambda part: "_" * len(part[0]), plain), r"[0-9]+", _digits, text)
    )
    vocabulary = [word for other in seen if not _is_prose(other) for word in _WORD.findall(other)]
    found += _share(2.0, _with_other_parts(text, _WORD, lambda word: _words(word, vocabulary)))
    found += _share(1.5, _swapped(text))
    found += _share(0.1, _with_other_parts(text, _WORD, _cases))
    found += _share(0.05, _with_other_parts(text, _WORD, _plurals))
    if "\n" in text.rstrip("\n"):
        found.append((text[:-1] if text.endswith("\n") else text + "\n", 0.05))
    return [(new, weight) for new, weight in found if new != text]


def _share(total: float, candidates: Candidates) -> Candidates:
    whole = sum(weight for _, weight in candidates)
    return [(new, total * weight / whole) for new, weight in candidates] if whole else []


def _with_other_parts(
    text: str, pattern: re.Pattern[str] | str, change: Change, whole: str = ""
) -> Candidates:
    """The text with one part that matches changed, each part as likely as any other."""
    found: Candidates = []
    for part in re.finditer(pattern, text):
        for new, weight in _share(1.0, change(part[0])):
            found.append(((whole or text)[: part.start()] + new + (whole or text)[part.end() :], weight))
    return found


def _iso_dates(words: str) -> Candidates:
    try:
        day = date.fromisoformat(words)
    except ValueError:
        return []
    return [(other.isoformat(), weight) for other, weight in dates(day)]


def _digits(words: str) -> Candidates:
    """Another run of digits; one that begins with zeros stays as wide as it is."""
    if len(words) > _LONGEST:
        return []
    wide = len(words) if words.startswith("0") and len(words) > 1 else 0
    found = [(str(new).zfill(wide), weight) for new, weight in numbers(int(words)) if new >= 0]
    return [(new, weight) for new, weight in found if not wide or len(new) == wide]


def _words(word: str, vocabulary: Iterable[str]) -> Candidates:
    if len(word) == 1 and word.isascii():
        first = ord("A" if word.isupper() else "a")
        near = [(ord(word) + step, ease) for step, ease in ((1, 4.0), (-1, 4.0), (2, 2.0), (-2, 2.0))]
        return [
            (chr(code), ease / (1 + ((code - first) / 4) ** 2))
            for code, ease in near
            if first <= code < first + 26
        ]
    related = [(other, 1.0) for other in _NEIGHBOURS.get(word, ())]
    alike = [
        (other, 1.0)
        for other in vocabulary
        if other != word
        and len(other) > 1
        and kind_of(other) == kind_of(word)
        and abs(len(other) - len(word)) <= 3
    ]
    return _share(1.0, related) + _share(1.0, alike)


def _cases(word: str) -> Candidates:
    if len(word) > 1 and word.islower():
        return [(word.capitalize(), 0.2)]
    return [(word.lower(), 1.0)] if len(word) > 1 and word.istitle() else []


def _plurals(word: str) -> Candidates:
    if len(word) < 4 or not word.isascii() or not word.islower() or word.endswith("ss"):
        return []
    return [(word.removesuffix("s") if word.endswith("s") else word + "s", 1.0)]


def _swapped(text: str) -> Candidates:
    """Two neighbours of the same kind in the other order: lines, items, words; or two separators."""
    found: Candidates = []
    for separator, ease in (("\n", 1.0), (", ", 1.0), (" ", 0.3 if _is_prose(text) else 1.0)):
        items = text.split(separator)
        for at in range(len(items) - 1):
            if items[at].strip() and kind_of(items[at]) == kind_of(items[at + 1]):
                swapped = [*items[:at], items[at + 1], items[at], *items[at + 2 :]]
                found.append((separator.join(swapped), ease))
    for part in re.finditer(r"(?<=\w)([-,;:/|])(\w+)([-,;:/|])(?=\w)", text):
        if part[1] != part[3] and not _ISO.search(text):
            found.append((text[: part.start()] + part[3] + part[2] + part[1] + text[part.end() :], 0.2))
    return found


def _is_prose(text: str) -> bool:
    """Whether the order of words follows grammar."""
    return len(re.findall(r"(?<![\w-])[a-z]{2,}(?![\w-])", text)) >= 3


def iso_dates(text: str) -> Iterator[date]:
    """The days that a text names."""
    for words in _ISO.findall(text):
        try:
            yield date.fromisoformat(words)
        except ValueError:
            continue
