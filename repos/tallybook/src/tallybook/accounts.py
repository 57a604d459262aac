"""Account names and the chart of accounts, a tree written with colons."""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass, replace
from typing import Dict, Iterator, List, Optional

from .errors import AccountError, UnknownAccountError

#: A part of an account name: words divided by single spaces.
_PART = re.compile(r"[^\W_][\w&'./-]*(?: [\w&'./-]+)*")


class AccountKind(enum.Enum):
    """The five roots of the chart."""

    ASSETS = "Assets"
    LIABILITIES = "Liabilities"
    EQUITY = "Equity"
    INCOME = "Income"
    EXPENSES = "Expenses"

    @property
    def is_debit_normal(self) -> bool:
        """Whether accounts of this kind grow on the debit (positive) side."""
        return self in (AccountKind.ASSETS, AccountKind.EXPENSES)


@dataclass(frozen=True)
class Account:
    """One account of a chart.

    ``retired`` is the last day on which the account may be posted to, or None
    for an account that is still in use.
    """

    name: str
    retired: Optional[dt.date] = None

    def __post_init__(self) -> None:
        check_name(self.name)

    @property
    def kind(self) -> AccountKind:
        return AccountKind(self.name.partition(":")[0])

    @property
    def parent_name(self) -> Optional[str]:
        return self.name.rpartition(":")[0] or None


def check_name(name: str) -> str:
    """Return *name*, or raise :class:`AccountError` if it is not an account name."""
    parts = name.split(":")
    if parts[0] not in {kind.value for kind in AccountKind}:
        roots = ", ".join(kind.value for kind in AccountKind)
        raise AccountError(f"account {name!r} must start with one of {roots}")
    for part in parts:
        if not _PART.fullmatch(part):
            raise AccountError(f"malformed account name {name!r}")
    return name


def is_within(name: str, ancestor: str) -> bool:
    """Whether account *name* is *ancestor* itself or lies below it."""
    return name == ancestor or name.startswith(ancestor + ":")


class Chart:
    """The accounts of a ledger.  Whenever it holds an account it holds its parents."""

    def __init__(self) -> None:
        self._accounts: Dict[str, Account] = {}

    def open(self, name: str) -> Account:
        """Add an account and those above it; an account that exists is returned as it is."""
        if name not in self._accounts:
            account = Account(name)
            if account.parent_name:
                self.open(account.parent_name)
            self._accounts[name] = account
        return self._accounts[name]

    def get(self, name: str) -> Account:
        try:
            return self._accounts[name]
        except KeyError:
            raise UnknownAccountError(name) from None

    def retire(self, name: str, last_day: dt.date) -> Account:
        """Refuse postings to the account after *last_day*."""
        self._accounts[name] = replace(self.get(name), retired=last_day)
        return self._accounts[name]

    def rename(self, old: str, new: str) -> Dict[str, str]:
        """Give an account and everything below it another name.

        Returns the new name of every account that moved, by its old name.  The
        accounts above *new* are opened.  An account cannot be renamed to one
        that exists, to one of another kind, or to one below itself.
        """
        self.get(old)
        if Account(new).kind is not self.get(old).kind:
            raise AccountError(f"cannot rename {old!r} to {new!r}: the kinds differ")
        if new in self._accounts:
            raise AccountError(f"account {new!r} exists already")
        if is_within(new, old):
            raise AccountError(f"cannot move {old!r} below itself")
        moved = {name: new + name[len(old):] for name in self._accounts if is_within(name, old)}
        for before, after in moved.items():
            self._accounts[after] = replace(self._accounts.pop(before), name=after)
        parent = Account(new).parent_name
        if parent:
            self.open(parent)
        return moved

    def of_kind(self, *kinds: AccountKind) -> List[Account]:
        return [account for account in self if account.kind in kinds]

    def __contains__(self, name: object) -> bool:
        return name in self._accounts

    def __iter__(self) -> Iterator[Account]:
        """All accounts: the five kinds in their usual order, parents before children."""
        order = list(AccountKind)
        return iter(sorted(
            self._accounts.values(),
            key=lambda account: (order.index(account.kind), account.name.split(":")),
        ))
