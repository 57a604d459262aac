"""The ledger: accepted entries, kept in order, and the balances they add up to."""

from __future__ import annotations

import bisect
import datetime as dt
from typing import Dict, Iterable, List, Optional, Tuple

from .accounts import Chart, is_within
from .entries import Entry, Flag, Posting
from .errors import AccountError, BalanceAssertionError, LedgerError, LockedPeriodError, UnknownEntryError
from .money import Bag, CurrencyRegistry
from .rates import RateTable

Totals = Dict[str, Bag]


class Ledger:
    """Entries over a chart of accounts.

    The ledger numbers entries as they are posted.  Wherever entries are listed
    they come by date, and by number within a day.

    Adding up a long history is slow, so the ledger can remember the balances
    at the end of a day (:meth:`checkpoint`) and start from there.  Checkpoints
    never change an answer: one that a later change makes untrue is dropped.
    """

    def __init__(self, chart: Optional[Chart] = None, currencies: Optional[CurrencyRegistry] = None,
                 rates: Optional[RateTable] = None) -> None:
        self.chart = chart if chart is not None else Chart()
        self.currencies = currencies if currencies is not None else CurrencyRegistry()
        self.rates = rates if rates is not None else RateTable()
        self._entries: Dict[int, Entry] = {}
        self._order: List[Tuple[dt.date, int]] = []
        self._checkpoints: Dict[dt.date, Totals] = {}
        self._last_id = 0
        self._locked_through: Optional[dt.date] = None

    # -- entries ---------------------------------------------------------

    def post(self, entry: Entry) -> Entry:
        """Accept *entry* and return it with its number."""
        self._check(entry)
        self._last_id += 1
        numbered = entry.replaced(id=self._last_id)
        self._insert(numbered)
        return numbered

    def amend(self, entry_id: int, *, date: Optional[dt.date] = None, description: Optional[str] = None,
              flag: Optional[Flag] = None, postings: Optional[Iterable[Posting]] = None) -> Entry:
        """Correct an entry in place; what is not given stays.  It keeps its number.

        From then on the ledger answers as if the entry had been posted that way.
        """
        old = self.entry(entry_id)
        self._check_open(old.date)
        amended = Entry.make(
            old.date if date is None else date,
            old.description if description is None else description,
            old.postings if postings is None else postings,
            old.flag if flag is None else flag,
        ).replaced(id=entry_id)
        self._check(amended)
        self._remove(old)
        self._insert(amended)
        return amended

    def void(self, entry_id: int) -> Entry:
        """Take an entry out of the ledger and return it.  Its number is not used again."""
        entry = self.entry(entry_id)
        self._check_open(entry.date)
        self._remove(entry)
        return entry

    def entry(self, entry_id: int) -> Entry:
        try:
            return self._entries[entry_id]
        except KeyError:
            raise UnknownEntryError(entry_id) from None

    @property
    def entries(self) -> Tuple[Entry, ...]:
        """All entries, by date and number."""
        return tuple(self._entries[entry_id] for _, entry_id in self._order)

    def between(self, start: Optional[dt.date] = None, end: Optional[dt.date] = None) -> List[Entry]:
        """The entries from *start* to *end*, both days included; None leaves a side open."""
        low = 0 if start is None else bisect.bisect_left(self._order, (start, 0))
        high = len(self._order) if end is None else self._after(end)
        return [self._entries[entry_id] for _, entry_id in self._order[low:high]]

    def _check(self, entry: Entry) -> None:
        self._check_open(entry.date)
        for name in entry.accounts():
            retired = self.chart.get(name).retired
            if retired is not None and entry.date > retired:
                raise AccountError(f"account {name!r} was retired on {retired}")

    def _insert(self, entry: Entry) -> None:
        bisect.insort(self._order, (entry.date, entry.id))
        self._entries[entry.id] = entry
        self._forget(entry.date)

    def _remove(self, entry: Entry) -> None:
        del self._order[bisect.bisect_left(self._order, (entry.date, entry.id))]
        del self._entries[entry.id]
        self._forget(entry.date)

    def _after(self, date: dt.date) -> int:
        """The place in the order behind the last entry of *date*."""
        return bisect.bisect_right(self._order, (date, self._last_id))

    # -- accounts --------------------------------------------------------

    def rename_account(self, old: str, new: str) -> None:
        """Rename an account, and with it all accounts below it.

        The entries follow, those of locked periods too: a rename changes what
        accounts are called and no balance.  For what is refused see
        :meth:`Chart.rename`.
        """
        names = self.chart.rename(old, new)
        self._entries = {entry_id: entry.renamed(names) for entry_id, entry in self._entries.items()}
        for day, totals in self._checkpoints.items():
            self._checkpoints[day] = {names.get(name, name): bag for name, bag in totals.items()}

    # -- balances --------------------------------------------------------

    def totals(self, as_of: Optional[dt.date] = None) -> Totals:
        """What has been posted to each account itself, up to and including *as_of*.

        Accounts that nothing was posted to are left out.
        """
        known = [day for day in self._checkpoints if as_of is None or day <= as_of]
        start = 0
        totals: Totals = {}
        if known:
            start = self._after(max(known))
            totals = dict(self._checkpoints[max(known)])
        end = len(self._order) if as_of is None else self._after(as_of)
        for _, entry_id in self._order[start:end]:
            for posting in self._entries[entry_id].postings:
                totals[posting.account] = totals.get(posting.account, Bag()) + posting.amount
        return totals

    def balance(self, account: str, as_of: Optional[dt.date] = None, deep: bool = True) -> Bag:
        """The balance of an account at the end of *as_of* (None: after all entries).

        With *deep*, the accounts below it are counted in.
        """
        self.chart.get(account)
        result = Bag()
        for name, bag in self.totals(as_of).items():
            if name == account or (deep and is_within(name, account)):
                result = result + bag
        return result

    def checkpoint(self, date: dt.date) -> None:
        """Remember the balances at the end of *date*."""
        self._checkpoints[date] = self.totals(date)

    @property
    def checkpoints(self) -> Tuple[dt.date, ...]:
        """The days whose balances are remembered."""
        return tuple(sorted(self._checkpoints))

    def _forget(self, date: dt.date) -> None:
        """Drop the checkpoints that an entry of *date* counts towards."""
        for day in [day for day in self._checkpoints if day >= date]:
            del self._checkpoints[day]

    def check_assertions(self) -> None:
        """Raise :class:`BalanceAssertionError` for the first asserted balance that is not met.

        Postings count in the order of the entries, and within an entry in the
        order they are written.  An assertion is about the account itself,
        without those below it, and about the asserted currency only.
        """
        totals: Totals = {}
        for entry in self.entries:
            for index, posting in enumerate(entry.postings):
                bag = totals.get(posting.account, Bag()) + posting.amount
                totals[posting.account] = bag
                if posting.asserted is not None:
                    actual = bag.get(posting.asserted.currency)
                    if actual != posting.asserted:
                        raise BalanceAssertionError(entry.id, index, posting.account, posting.asserted, actual)

    # -- locking ---------------------------------------------------------

    @property
    def locked_through(self) -> Optional[dt.date]:
        """The last day that entries can no longer be changed on, or None."""
        return self._locked_through

    def lock(self, through: dt.date) -> None:
        """Refuse changes to entries up to and including *through*."""
        if self._locked_through is not None and through < self._locked_through:
            raise LedgerError(f"books are closed through {self._locked_through} already")
        self._locked_through = through

    def unlock(self, through: Optional[dt.date] = None) -> None:
        """Take the lock back to *through*, or off altogether."""
        if through is not None and (self._locked_through is None or through > self._locked_through):
            raise LedgerError(f"books are not closed through {through}")
        self._locked_through = through

    def _check_open(self, date: dt.date) -> None:
        if self._locked_through is not None and date <= self._locked_through:
            raise LockedPeriodError(date, self._locked_through)
