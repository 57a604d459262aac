"""Reading and writing the plain-text journal.

The format is described in the README.  Reading keeps track of positions, so
that every :class:`~tallybook.errors.JournalError` names a file, line and
column.  Writing produces a canonical text that reads back to an equal ledger.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import tempfile
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Tuple, TypeVar, Union

from .entries import Entry, Flag, Posting, Price
from .errors import AmountError, BalanceAssertionError, JournalError, TallybookError
from .ledger import Ledger
from .money import Amount

PathLike = Union[str, Path]
T = TypeVar("T")

_COMMENT = re.compile(r"(?:^|\s);")
_WORD = re.compile(r"\S+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_GAP = re.compile(r"\s*\t\s*|\s{2,}")
_MARKS = {flag.value: flag for flag in Flag if flag.value}


class _Field(NamedTuple):
    """A piece of a line and the column (from 0) where it starts."""

    text: str
    column: int


class _Where(NamedTuple):
    path: Optional[str]
    line: int
    column: int


class _Draft:
    """An entry that is still being read."""

    def __init__(self, where: _Where, date: dt.date, flag: Flag, description: str) -> None:
        self.where = where
        self.date = date
        self.flag = flag
        self.description = description
        self.postings: List[Posting] = []
        #: Where each asserted balance is written, in the order of the postings.
        self.assertions: List[_Where] = []


class JournalParser:
    """Reads journals into a ledger.

    Accounts are opened as they are met, unless *strict*; then each one needs an
    ``account`` directive above its first use.
    """

    def __init__(self, ledger: Optional[Ledger] = None, strict: bool = False) -> None:
        self.ledger = ledger if ledger is not None else Ledger()
        self.strict = strict
        self._path: Optional[str] = None
        self._line = 0
        self._including: List[Path] = []
        self._draft: Optional[_Draft] = None
        self._lock: Optional[dt.date] = None
        self._drafts: Dict[int, _Draft] = {}

    def parse_file(self, path: PathLike) -> Ledger:
        """Read a journal file and those it includes."""
        self._read_file(Path(path))
        return self._finish()

    def parse_text(self, text: str, path: Optional[str] = None) -> Ledger:
        """Read a journal from a string; *path* is what error messages call it."""
        self._read_text(text, path)
        return self._finish()

    def _finish(self) -> Ledger:
        try:
            self.ledger.check_assertions()
        except BalanceAssertionError as error:
            draft = self._drafts.get(error.entry_id)
            if draft is None:
                raise
            before = self.ledger.entry(error.entry_id).postings[:error.index]
            where = draft.assertions[sum(posting.asserted is not None for posting in before)]
            raise JournalError(str(error), *where) from error
        if self._lock is not None:
            self.ledger.lock(self._lock)
        return self.ledger

    def _read_file(self, path: Path) -> None:
        self._including.append(path.resolve())
        self._read_text(path.read_text(encoding="utf-8"), str(path))
        self._including.pop()

    def _read_text(self, text: str, path: Optional[str]) -> None:
        outer = self._path, self._line
        self._path = path
        for number, line in enumerate(text.split("\n"), 1):
            self._line = number
            self._read_line(line)
        self._end_entry()
        self._path, self._line = outer

    def _read_line(self, raw: str) -> None:
        comment = _COMMENT.search(raw)
        line = (raw[:comment.start()] if comment else raw).rstrip()
        if not line:
            if not raw.strip():
                self._end_entry()
            return
        if line[0].isspace():
            if self._draft is None:
                raise self._error("a posting must follow the first line of an entry", _indent(line))
            self._read_posting(self._draft, line)
            return
        self._end_entry()
        if _DATE.match(line):
            self._read_entry(line)
        else:
            self._read_directive(line)

    # -- entries ---------------------------------------------------------

    def _read_entry(self, line: str) -> None:
        date, *rest = _words(line)
        day = self._date(date)
        flag = Flag.PLAIN
        at = len(date.text)
        if rest and rest[0].text in _MARKS:
            flag = _MARKS[rest[0].text]
            at = rest[0].column + 1
        self._draft = _Draft(self._where(0), day, flag, line[at:].strip())

    def _read_posting(self, draft: _Draft, line: str) -> None:
        start = _indent(line)
        gap = _GAP.search(line, start)
        account = _Field(line[start:gap.start()] if gap else line[start:], start)
        amount = price = asserted = asserted_field = None
        if gap:
            field, asserted_field = _cut(_Field(line[gap.end():], gap.end()), "=")
            field, price_field = _cut(field, "@")
            if field.text.strip() or price_field is not None:
                amount = self._amount(field)
            if price_field is not None:
                price = self._price(price_field)
            if asserted_field is not None:
                asserted = self._amount(asserted_field)
        try:
            posting = Posting(account.text, amount, price, asserted)
            if not self.strict:
                self.ledger.chart.open(account.text)
            self.ledger.chart.get(account.text)
        except TallybookError as error:
            raise self._error(str(error), account.column) from error
        draft.postings.append(posting)
        if asserted_field is not None:
            column = asserted_field.column + _indent(asserted_field.text)
            draft.assertions.append(self._where(column))

    def _price(self, field: _Field) -> Price:
        is_total = field.text.startswith("@")
        if is_total:
            field = _Field(field.text[1:], field.column + 1)
        amount = self._amount(field)
        number = _Field(field.text, field.column + _indent(field.text))
        return self._guard(number, lambda: Price(amount, is_total))

    def _end_entry(self) -> None:
        draft, self._draft = self._draft, None
        if draft is None:
            return
        try:
            entry = self.ledger.post(Entry.make(draft.date, draft.description, draft.postings, draft.flag))
        except TallybookError as error:
            raise JournalError(str(error), *draft.where) from error
        self._drafts[entry.id] = draft

    # -- directives ------------------------------------------------------

    def _read_directive(self, line: str) -> None:
        keyword, *fields = _words(line)
        if keyword.text == "account":
            self._read_account(line, keyword)
        elif keyword.text == "include":
            self._include(_rest(line, keyword))
        elif keyword.text == "currency":
            code, places = self._expect(fields, 2, line, "currency CODE PLACES")
            if not re.fullmatch(r"[0-9]+", places.text):
                raise self._error(f"not a number of places: {places.text!r}", places.column)
            self._guard(code, lambda: self.ledger.currencies.declare(code.text, int(places.text)))
        elif keyword.text == "price":
            date, source, value, target = self._expect(fields, 4, line, "price DATE CODE NUMBER CODE")
            day = self._date(date)
            base = self._guard(source, lambda: self.ledger.currencies.get(source.text))
            quote = self._guard(target, lambda: self.ledger.currencies.get(target.text))
            if not re.fullmatch(r"[0-9]+(\.[0-9]+)?", value.text):
                raise self._error(f"not a rate: {value.text!r}", value.column)
            self._guard(value, lambda: self.ledger.rates.add(day, base, quote, value.text))
        elif keyword.text == "locked":
            (date,) = self._expect(fields, 1, line, "locked DATE")
            self._lock = self._date(date)
        else:
            raise self._error(f"unknown directive {keyword.text!r}", keyword.column)

    def _read_account(self, line: str, keyword: _Field) -> None:
        field = _rest(line, keyword)
        gap = _GAP.search(field.text)
        name = _Field(field.text[:gap.start()] if gap else field.text, field.column)
        self._guard(name, lambda: self.ledger.chart.open(name.text))
        if gap:
            option, *rest = _words(line, field.column + gap.end())
            if option.text != "retired":
                raise self._error(f"unknown option {option.text!r}", option.column)
            (date,) = self._expect(rest, 1, line, "account NAME  retired DATE")
            self.ledger.chart.retire(name.text, self._date(date))

    def _include(self, field: _Field) -> None:
        if not field.text:
            raise self._error("expected: include PATH", field.column)
        path = Path(self._path).parent / field.text if self._path else Path(field.text)
        if path.resolve() in self._including:
            raise self._error(f"{field.text} includes itself", field.column)
        if not path.is_file():
            raise self._error(f"no such file: {field.text}", field.column)
        self._read_file(path)

    # -- positions -------------------------------------------------------

    def _where(self, column: int) -> _Where:
        return _Where(self._path, self._line, column + 1)

    def _error(self, message: str, column: int) -> JournalError:
        return JournalError(message, *self._where(column))

    def _guard(self, field: _Field, action: Callable[[], T]) -> T:
        """Do *action*; blame *field* for an error."""
        try:
            return action()
        except TallybookError as error:
            raise self._error(str(error), field.column) from error

    def _expect(self, fields: List[_Field], count: int, line: str, usage: str) -> List[_Field]:
        if len(fields) != count:
            column = fields[count].column if len(fields) > count else len(line)
            raise self._error(f"expected: {usage}", column)
        return fields

    def _date(self, field: _Field) -> dt.date:
        try:
            if not _DATE.fullmatch(field.text):
                raise ValueError
            return dt.date.fromisoformat(field.text)
        except ValueError:
            raise self._error(f"not a date: {field.text!r}", field.column) from None

    def _amount(self, field: _Field) -> Amount:
        try:
            return Amount.parse(field.text, self.ledger.currencies)
        except AmountError as error:
            raise self._error(str(error), field.column + error.offset) from error


def _words(line: str, start: int = 0) -> List[_Field]:
    return [_Field(match.group(), match.start()) for match in _WORD.finditer(line, start)]


def _rest(line: str, keyword: _Field) -> _Field:
    """What follows the keyword of a directive."""
    at = keyword.column + len(keyword.text)
    at += _indent(line[at:])
    return _Field(line[at:], at)


def _cut(field: _Field, mark: str) -> Tuple[_Field, Optional[_Field]]:
    """The field up to the first *mark* and the part behind it, if there is one."""
    before, found, after = field.text.partition(mark)
    return _Field(before, field.column), _Field(after, field.column + len(before) + 1) if found else None


def _indent(text: str) -> int:
    return len(text) - len(text.lstrip())


class JournalWriter:
    """Writes a ledger as a journal: declarations first, then the entries in order."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger

    def text(self) -> str:
        blocks = [self._currencies(), self._accounts(), self._prices()]
        blocks.extend(self._entry(entry) for entry in self.ledger.entries)
        if self.ledger.locked_through is not None:
            blocks.append([f"locked {self.ledger.locked_through}"])
        return "\n".join("\n".join(block) + "\n" for block in blocks if block)

    def write(self, path: PathLike) -> None:
        """Write to a file, which is replaced only once the text is complete."""
        target = Path(path)
        handle, name = tempfile.mkstemp(dir=str(target.parent), prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(self.text())
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise

    def _currencies(self) -> List[str]:
        return [f"currency {currency} {currency.places}" for currency in self.ledger.currencies.declared]

    def _accounts(self) -> List[str]:
        return [
            f"account {account.name}" + (f"  retired {account.retired}" if account.retired else "")
            for account in self.ledger.chart
        ]

    def _prices(self) -> List[str]:
        return [f"price {rate.date} {rate.source} {rate.value:f} {rate.target}" for rate in self.ledger.rates]

    def _entry(self, entry: Entry) -> List[str]:
        head = " ".join(part for part in (str(entry.date), entry.flag.value, entry.description) if part)
        width = max(len(posting.account) for posting in entry.postings)
        number_width = max(len(str(posting.amount)) for posting in entry.postings)
        lines = [head]
        for posting in entry.postings:
            text = f"    {posting.account.ljust(width)}  {str(posting.amount).rjust(number_width)}"
            if posting.price is not None:
                text += f" {posting.price}"
            if posting.asserted is not None:
                text += f" = {posting.asserted}"
            lines.append(text)
        return lines


def load(path: PathLike, strict: bool = False) -> Ledger:
    """Read a ledger from a journal file."""
    return JournalParser(strict=strict).parse_file(path)


def loads(text: str, strict: bool = False) -> Ledger:
    """Read a ledger from the text of a journal."""
    return JournalParser(strict=strict).parse_text(text)


def dump(ledger: Ledger, path: PathLike) -> None:
    """Write a ledger to a journal file."""
    JournalWriter(ledger).write(path)


def dumps(ledger: Ledger) -> str:
    """The ledger as the text of a journal."""
    return JournalWriter(ledger).text()
