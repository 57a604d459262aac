"""Reports: each is computed when it is made and does not follow later changes."""

from __future__ import annotations

import datetime as dt
from typing import Iterable, List, NamedTuple, Optional, Sequence, Tuple

from .accounts import AccountKind, is_within
from .entries import Flag
from .ledger import Ledger, Totals
from .money import Amount, Bag, Currency


class Line(NamedTuple):
    """One account of a statement and its balance, positive on its normal side."""

    account: str
    balance: Bag


class Section:
    """The accounts of one kind that have a balance, and what they add up to."""

    def __init__(self, kind: AccountKind, lines: Iterable[Line]) -> None:
        self.kind = kind
        self.lines = list(lines)

    @property
    def total(self) -> Bag:
        return _sum(line.balance for line in self.lines)


class TrialLine(NamedTuple):
    account: str
    debit: Bag
    credit: Bag


class TrialBalance:
    """Every account with a balance of its own, on the debit or the credit side."""

    def __init__(self, ledger: Ledger, as_of: Optional[dt.date] = None) -> None:
        self.as_of = as_of
        self.lines: List[TrialLine] = []
        totals = ledger.totals(as_of)
        for account in ledger.chart:
            bag = totals.get(account.name, Bag())
            debit = Bag(amount for amount in bag if amount.units > 0)
            credit = Bag(-amount for amount in bag if amount.units < 0)
            if debit or credit:
                self.lines.append(TrialLine(account.name, debit, credit))

    @property
    def debit(self) -> Bag:
        return _sum(line.debit for line in self.lines)

    @property
    def credit(self) -> Bag:
        return _sum(line.credit for line in self.lines)

    def render(self) -> str:
        rows = [(line.account, str(line.debit or ""), str(line.credit or "")) for line in self.lines]
        return _table(("Account", "Debit", "Credit"), [*rows, ("Total", str(self.debit), str(self.credit))])


class RegisterRow(NamedTuple):
    date: dt.date
    entry_id: int
    description: str
    change: Bag
    balance: Bag


class Register:
    """What happened on an account, and below it, from *start* to *end*.

    ``opening`` is the balance before the first day, ``closing`` that after the
    last; each row has the change an entry made and the balance after it.
    Entries that do not change the balance have no row.
    """

    def __init__(self, ledger: Ledger, account: str, start: Optional[dt.date] = None,
                 end: Optional[dt.date] = None) -> None:
        ledger.chart.get(account)
        self.account = account
        self.opening = Bag()
        if start is not None and start > dt.date.min:
            self.opening = ledger.balance(account, start - dt.timedelta(days=1))
        self.rows: List[RegisterRow] = []
        balance = self.opening
        for entry in ledger.between(start, end):
            change = Bag(posting.amount for posting in entry.postings if is_within(posting.account, account))
            if change:
                balance = balance + change
                self.rows.append(RegisterRow(entry.date, entry.id, entry.description, change, balance))
        self.closing = balance

    def render(self) -> str:
        rows = [(str(row.date), row.description, str(row.change), str(row.balance)) for row in self.rows]
        return _table(("Date", "Description", "Change", "Balance"),
                      [("", "Opening balance", "", str(self.opening)), *rows])


class IncomeStatement:
    """Income and expenses from *start* to *end*, as they were before any closing."""

    def __init__(self, ledger: Ledger, start: Optional[dt.date], end: dt.date) -> None:
        self.start = start
        self.end = end
        totals: Totals = {}
        for entry in ledger.between(start, end):
            if entry.flag is Flag.CLOSING:
                continue
            for posting in entry.postings:
                totals[posting.account] = totals.get(posting.account, Bag()) + posting.amount
        self.income = _section(ledger, AccountKind.INCOME, totals)
        self.expenses = _section(ledger, AccountKind.EXPENSES, totals)

    @property
    def net(self) -> Bag:
        """What was earned: income less expenses."""
        return self.income.total - self.expenses.total

    def render(self) -> str:
        return _statement([self.income, self.expenses], [("Net", self.net)])


class BalanceSheet:
    """What is owned, owed and left at the end of a day.

    ``earnings`` is the income, less expenses, that no closing has moved to
    equity yet.  Without priced postings, ``assets`` always equal
    ``liabilities``, ``equity`` and ``earnings`` together.
    """

    def __init__(self, ledger: Ledger, as_of: dt.date) -> None:
        self.as_of = as_of
        self._ledger = ledger
        totals = ledger.totals(as_of)
        self.assets = _section(ledger, AccountKind.ASSETS, totals)
        self.liabilities = _section(ledger, AccountKind.LIABILITIES, totals)
        self.equity = _section(ledger, AccountKind.EQUITY, totals)
        income = _section(ledger, AccountKind.INCOME, totals)
        self.earnings = income.total - _section(ledger, AccountKind.EXPENSES, totals).total

    @property
    def net_worth(self) -> Bag:
        return self.assets.total - self.liabilities.total

    def net_worth_in(self, currency: Currency) -> Amount:
        """The net worth in one currency, at the rates of the day."""
        return self._ledger.rates.value(self.net_worth, currency, self.as_of)

    def render(self) -> str:
        return _statement([self.assets, self.liabilities, self.equity], [("Earnings", self.earnings)])


def _sum(bags: Iterable[Bag]) -> Bag:
    return Bag(amount for bag in bags for amount in bag)


def _section(ledger: Ledger, kind: AccountKind, totals: Totals) -> Section:
    lines = []
    for account in ledger.chart.of_kind(kind):
        bag = totals.get(account.name, Bag())
        if bag:
            lines.append(Line(account.name, bag if kind.is_debit_normal else -bag))
    return Section(kind, lines)


def _statement(sections: Iterable[Section], extra: Iterable[Tuple[str, Bag]]) -> str:
    rows: List[Tuple[str, str]] = []
    for section in sections:
        rows.extend((line.account, str(line.balance)) for line in section.lines)
        rows.append((f"Total {section.kind.value}", str(section.total)))
    rows.extend((title, str(bag)) for title, bag in extra)
    return _table(("Account", "Balance"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A plain table: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = []
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"
