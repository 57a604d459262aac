"""Closing a period: income and expenses move to equity and the books are locked."""

from __future__ import annotations

import datetime as dt
from typing import List, Optional

from .accounts import AccountKind
from .entries import Entry, Flag, Posting
from .errors import LedgerError
from .ledger import Ledger
from .money import Bag


class PeriodCloser:
    """Closes and reopens the periods of one ledger."""

    def __init__(self, ledger: Ledger, retained: str = "Equity:Retained") -> None:
        self.ledger = ledger
        self.retained = retained

    def close(self, through: dt.date) -> Optional[Entry]:
        """Close the books through the day given.

        Posts an entry, flagged as closing, that empties every income and
        expense account into the retained earnings; then locks the period and
        sets a checkpoint.  Returns the entry, or None if all were empty.
        """
        locked = self.ledger.locked_through
        if locked is not None and through <= locked:
            raise LedgerError(f"books are closed through {locked} already")
        self.ledger.chart.open(self.retained)
        totals = self.ledger.totals(through)
        postings: List[Posting] = []
        result = Bag()
        for account in self.ledger.chart.of_kind(AccountKind.INCOME, AccountKind.EXPENSES):
            for amount in totals.get(account.name, Bag()):
                postings.append(Posting(account.name, -amount))
                result = result + amount
        closing = None
        if postings:
            postings.extend(Posting(self.retained, amount) for amount in result)
            closing = self.ledger.post(Entry.make(through, "Closing entry", postings, Flag.CLOSING))
        self.ledger.lock(through)
        self.ledger.checkpoint(through)
        return closing

    def reopen(self) -> Optional[dt.date]:
        """Undo the last closing.  Returns the day the books are closed through now."""
        locked = self.ledger.locked_through
        if locked is None:
            raise LedgerError("no period is closed")
        closings = [entry for entry in self.ledger.between(None, locked) if entry.flag is Flag.CLOSING]
        last = [entry for entry in closings if entry.date == locked]
        earlier = [entry.date for entry in closings if entry.date < locked]
        self.ledger.unlock(max(earlier) if earlier else None)
        for entry in last:
            self.ledger.void(entry.id)
        return self.ledger.locked_through
