"""Exchange rates over time."""

from __future__ import annotations

import bisect
import datetime as dt
from decimal import Decimal
from fractions import Fraction
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from .errors import MissingRateError, RateError
from .money import Amount, Bag, Currency


class Rate(NamedTuple):
    """From *date* on, one unit of *source* is worth *value* units of *target*."""

    date: dt.date
    source: Currency
    target: Currency
    value: Decimal


class RateTable:
    """Rates by pair of currencies, each valid until the next one of its pair.

    A rate also serves backwards.  Two currencies without a rate between them
    are converted through the *pivot*, if the table has one.  Only the result of
    a conversion is rounded, never a step on the way.
    """

    def __init__(self, pivot: Optional[Currency] = None) -> None:
        self.pivot = pivot
        self._rates: Dict[Tuple[str, str], List[Rate]] = {}

    def add(self, date: dt.date, source: Currency, target: Currency,
            value: Union[int, str, Decimal]) -> Rate:
        """Record a rate; one of the same pair and date is replaced."""
        try:
            value = Decimal(value)
        except ArithmeticError:
            raise RateError(f"not a rate: {value!r}") from None
        if source.code == target.code:
            raise RateError(f"a rate needs two currencies, not {source} twice")
        if not value.is_finite() or value <= 0:
            raise RateError(f"a rate must be above zero: {value}")
        rate = Rate(date, source, target, value)
        rates = self._rates.setdefault((source.code, target.code), [])
        at = bisect.bisect_left([known.date for known in rates], date)
        if at < len(rates) and rates[at].date == date:
            rates[at] = rate
        else:
            rates.insert(at, rate)
        return rate

    def _latest(self, source: str, target: str, date: dt.date) -> Optional[Rate]:
        rates = self._rates.get((source, target), [])
        at = bisect.bisect_right([known.date for known in rates], date)
        return rates[at - 1] if at else None

    def _direct(self, source: str, target: str, date: dt.date) -> Optional[Fraction]:
        """The newest rate of the pair in either direction; forwards wins on the same day."""
        forward = self._latest(source, target, date)
        backward = self._latest(target, source, date)
        if forward and (backward is None or forward.date >= backward.date):
            return Fraction(forward.value)
        return 1 / Fraction(backward.value) if backward else None

    def factor(self, source: Currency, target: Currency, date: dt.date) -> Fraction:
        """What one unit of *source* is worth in *target* on *date*, exactly."""
        if source.code == target.code:
            return Fraction(1)
        direct = self._direct(source.code, target.code, date)
        if direct is not None:
            return direct
        if self.pivot is not None and self.pivot.code not in (source.code, target.code):
            first = self._direct(source.code, self.pivot.code, date)
            second = self._direct(self.pivot.code, target.code, date)
            if first is not None and second is not None:
                return first * second
        raise MissingRateError(source.code, target.code, date)

    def convert(self, amount: Amount, target: Currency, date: dt.date) -> Amount:
        """*amount* in another currency, rounded once (half to even)."""
        return self.value(Bag([amount]), target, date)

    def value(self, bag: Bag, target: Currency, date: dt.date) -> Amount:
        """What everything in *bag* is worth in *target*, rounded once."""
        worth = sum((amount.exact * self.factor(amount.currency, target, date) for amount in bag), Fraction(0))
        return Amount.rounded(worth, target)

    def __iter__(self) -> Iterator[Rate]:
        """All rates by date, then by currencies."""
        rates = [rate for known in self._rates.values() for rate in known]
        return iter(sorted(rates, key=lambda rate: (rate.date, rate.source.code, rate.target.code)))
