"""Entries and their postings."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, replace
from typing import Iterable, List, Mapping, Optional, Tuple

from .accounts import check_name
from .errors import EntryError, UnbalancedError
from .money import Amount, Bag


class Flag(enum.Enum):
    """The state of an entry; the value is its mark in a journal."""

    PLAIN = ""
    PENDING = "!"
    CLEARED = "*"
    CLOSING = "%"


@dataclass(frozen=True)
class Price:
    """What a posting's amount is exchanged at: per unit, or for all of it."""

    amount: Amount
    is_total: bool = False

    def __post_init__(self) -> None:
        if self.amount.units < 0:
            raise EntryError(f"a price must not be negative: {self.amount}")

    def weigh(self, amount: Amount) -> Amount:
        """The worth of *amount* at this price, with the sign of *amount*."""
        if self.is_total:
            return -self.amount if amount.units < 0 else self.amount
        return Amount.rounded(amount.exact * self.amount.exact, self.amount.currency)

    def __str__(self) -> str:
        return f"{'@@' if self.is_total else '@'} {self.amount}"


@dataclass(frozen=True)
class Posting:
    """A change to one account.

    ``amount`` is None for the one posting of an entry that takes up whatever
    the others leave (see :meth:`Entry.make`).  ``asserted`` claims the balance
    that the account has in that currency once this posting has been made; see
    :meth:`tallybook.ledger.Ledger.check_assertions`.
    """

    account: str
    amount: Optional[Amount] = None
    price: Optional[Price] = None
    asserted: Optional[Amount] = None

    def __post_init__(self) -> None:
        check_name(self.account)
        if self.price is not None:
            if self.amount is None:
                raise EntryError("a posting without an amount cannot have a price")
            if self.price.amount.currency == self.amount.currency:
                raise EntryError(f"{self.amount} is priced in its own currency")

    @property
    def weight(self) -> Amount:
        """What this posting counts for when its entry is balanced."""
        if self.amount is None:
            raise EntryError(f"the posting to {self.account} has no amount yet")
        return self.price.weigh(self.amount) if self.price else self.amount


@dataclass(frozen=True)
class Entry:
    """A dated set of postings whose weights add up to zero in every currency.

    ``id`` is 0 until a ledger accepts the entry and numbers it.
    """

    date: dt.date
    description: str
    postings: Tuple[Posting, ...]
    flag: Flag = Flag.PLAIN
    id: int = 0

    def __post_init__(self) -> None:
        _check_description(self.description)
        if len(self.postings) < 2:
            raise EntryError("an entry needs at least two postings")
        residue = Bag(posting.weight for posting in self.postings)
        if residue:
            raise UnbalancedError(residue)

    @classmethod
    def make(cls, date: dt.date, description: str, postings: Iterable[Posting],
             flag: Flag = Flag.PLAIN) -> Entry:
        """An entry in which one posting may lack an amount and then takes up the rest.

        If the rest is in several currencies, that posting becomes one for each,
        in the order of the currency codes; an asserted balance goes with the
        last of them.
        """
        return cls(date, description, tuple(_filled(list(postings))), flag)

    def replaced(self, **changes: object) -> Entry:
        """A copy with some fields changed, checked like a new entry."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def renamed(self, names: Mapping[str, str]) -> Entry:
        """A copy with the accounts in *names* under their new names."""
        if not any(posting.account in names for posting in self.postings):
            return self
        return replace(self, postings=tuple(
            replace(posting, account=names.get(posting.account, posting.account))
            for posting in self.postings
        ))

    def accounts(self) -> List[str]:
        """The accounts of the postings, each once, in order of appearance."""
        return list(dict.fromkeys(posting.account for posting in self.postings))


def _filled(postings: List[Posting]) -> List[Posting]:
    open_at = [index for index, posting in enumerate(postings) if posting.amount is None]
    if not open_at:
        return postings
    if len(open_at) > 1:
        raise EntryError("only one posting of an entry may lack an amount")
    index = open_at[0]
    rest = list(-Bag(posting.weight for posting in postings if posting.amount is not None))
    if not rest:
        raise EntryError(f"nothing is left over for {postings[index].account}")
    filling = [Posting(postings[index].account, amount) for amount in rest]
    filling[-1] = replace(filling[-1], asserted=postings[index].asserted)
    return postings[:index] + filling + postings[index + 1:]


def _check_description(description: str) -> None:
    if description != description.strip() or "\n" in description or "\r" in description:
        raise EntryError("a description is one line without blanks at its ends")
    if ";" in description:
        raise EntryError("a description cannot contain ';', which starts a comment")
    if description[:1] in {flag.value for flag in Flag if flag.value}:
        raise EntryError(f"a description cannot start with {description[0]!r}, which marks a flag")
