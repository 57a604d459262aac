"""The exceptions of tallybook.

Everything the library raises on purpose derives from :class:`TallybookError`,
so that a caller can tell bad books from bad programs.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Optional


class TallybookError(Exception):
    """Base class of every error raised by this package."""


class MoneyError(TallybookError):
    """Something is wrong with a currency or an amount."""


class CurrencyError(MoneyError):
    """A currency is malformed, or declared twice in different ways."""


class UnknownCurrencyError(CurrencyError):
    """A currency code that the registry does not know."""

    def __init__(self, code: str) -> None:
        super().__init__(f"unknown currency {code!r}")
        self.code = code


class CurrencyMismatchError(MoneyError):
    """An operation that needs one currency was given two."""


class AmountError(MoneyError):
    """An amount cannot be read or represented.

    ``offset`` is the position of the offending character in the text that was
    being parsed; it is 0 when no text was involved.
    """

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


class AccountError(TallybookError):
    """An account name is malformed or an account cannot be used that way."""


class UnknownAccountError(AccountError):
    """An account that the chart does not contain."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown account {name!r}")
        self.name = name


class EntryError(TallybookError):
    """An entry is malformed."""


class UnbalancedError(EntryError):
    """The postings of an entry do not add up to zero; ``residue`` says by how much."""

    def __init__(self, residue: Any) -> None:
        super().__init__(f"entry does not balance: {residue} left over")
        self.residue = residue


class LedgerError(TallybookError):
    """An operation that the ledger refuses."""


class UnknownEntryError(LedgerError):
    """An entry id that the ledger does not hold."""

    def __init__(self, entry_id: int) -> None:
        super().__init__(f"no entry with id {entry_id}")
        self.entry_id = entry_id


class LockedPeriodError(LedgerError):
    """A change to a period that has been locked."""

    def __init__(self, date: dt.date, locked_through: dt.date) -> None:
        super().__init__(f"{date} is locked (books are closed through {locked_through})")
        self.date = date
        self.locked_through = locked_through


class BalanceAssertionError(LedgerError):
    """A posting asserts a balance that its account does not have."""

    def __init__(self, entry_id: int, index: int, account: str, expected: Any, actual: Any) -> None:
        super().__init__(f"balance of {account} is {actual}, not {expected}")
        self.entry_id = entry_id
        self.index = index
        self.account = account
        self.expected = expected
        self.actual = actual


class RateError(TallybookError):
    """An exchange rate is malformed."""


class MissingRateError(RateError):
    """No rate leads from one currency to another on a given date."""

    def __init__(self, source: str, target: str, date: dt.date) -> None:
        super().__init__(f"no rate from {source} to {target} on {date}")
        self.source = source
        self.target = target
        self.date = date


class JournalError(TallybookError):
    """A journal cannot be read; says where.  Lines and columns count from 1."""

    def __init__(self, message: str, path: Optional[str], line: int, column: int) -> None:
        super().__init__(f"{path or '<journal>'}:{line}:{column}: {message}")
        self.message = message
        self.path = path
        self.line = line
        self.column = column
