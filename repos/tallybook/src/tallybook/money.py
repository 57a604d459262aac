"""Currencies and exact amounts.

An :class:`Amount` is a whole number of minor units (cents, say) of one
currency, so adding amounts up never rounds.  The few operations that can
produce a fraction of a minor unit say how they round.
"""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction
from functools import total_ordering
from typing import Dict, Iterable, Iterator, List, Mapping, Tuple, Union

from .errors import AmountError, CurrencyError, CurrencyMismatchError, UnknownCurrencyError

Number = Union[int, Decimal, Fraction]

_CODE = re.compile(r"[A-Z][A-Z0-9]{1,7}")
_WHOLE = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])|[0-9]+")
_DIGITS = re.compile(r"[0-9]+")
_MAX_PLACES = 8


class Currency:
    """A currency: its code and the number of decimal places of its amounts."""

    __slots__ = ("code", "places")

    def __init__(self, code: str, places: int = 2) -> None:
        if not _CODE.fullmatch(code):
            raise CurrencyError(f"malformed currency code {code!r}")
        if not 0 <= places <= _MAX_PLACES:
            raise CurrencyError(f"{code}: places must be between 0 and {_MAX_PLACES}")
        self.code = code
        self.places = places

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Currency):
            return NotImplemented
        return (self.code, self.places) == (other.code, other.places)

    def __hash__(self) -> int:
        return hash((self.code, self.places))

    def __repr__(self) -> str:
        return f"Currency({self.code!r}, {self.places})"

    def __str__(self) -> str:
        return self.code


#: What every new registry starts with.
STANDARD = (
    Currency("AUD"), Currency("CAD"), Currency("CHF"), Currency("EUR"), Currency("GBP"),
    Currency("JPY", 0), Currency("KWD", 3), Currency("SEK"), Currency("USD"),
)


class CurrencyRegistry:
    """The currencies a ledger knows, by code."""

    def __init__(self, currencies: Iterable[Currency] = STANDARD) -> None:
        self._known: Dict[str, Currency] = {currency.code: currency for currency in currencies}
        self._declared: List[str] = []

    def declare(self, code: str, places: int = 2) -> Currency:
        """Make *code* known.  Declaring it again the same way changes nothing."""
        currency = Currency(code, places)
        known = self._known.get(code)
        if known is not None and known != currency:
            raise CurrencyError(f"{code} already has {known.places} places, not {places}")
        if known is None:
            self._known[code] = currency
            self._declared.append(code)
        return self._known[code]

    def get(self, code: str) -> Currency:
        try:
            return self._known[code]
        except KeyError:
            raise UnknownCurrencyError(code) from None

    @property
    def declared(self) -> Tuple[Currency, ...]:
        """The currencies added by :meth:`declare`, in that order."""
        return tuple(self._known[code] for code in self._declared)

    def __contains__(self, code: object) -> bool:
        return code in self._known


@total_ordering
class Amount:
    """An exact amount of one currency.  Immutable.

    >>> Amount("12.50", Currency("EUR")).units
    1250
    """

    __slots__ = ("_units", "_currency")

    def __init__(self, value: Union[int, str, Decimal], currency: Currency) -> None:
        if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
            raise AmountError(f"an amount is made from int, str or Decimal, not {type(value).__name__}")
        try:
            exact = Fraction(Decimal(value))
        except (ArithmeticError, ValueError, OverflowError):
            raise AmountError(f"not an amount: {value!r}") from None
        units = exact * 10 ** currency.places
        if units.denominator != 1:
            raise AmountError(f"{value} has more than {currency.places} decimal places for {currency}")
        self._units = int(units)
        self._currency = currency

    @classmethod
    def from_units(cls, units: int, currency: Currency) -> Amount:
        """The amount of *units* minor units."""
        amount = cls.__new__(cls)
        amount._units = units
        amount._currency = currency
        return amount

    @classmethod
    def rounded(cls, value: Number, currency: Currency) -> Amount:
        """The amount nearest to *value*; half a minor unit goes to the even neighbour."""
        return cls.from_units(round(Fraction(value) * 10 ** currency.places), currency)

    @classmethod
    def parse(cls, text: str, currencies: CurrencyRegistry) -> Amount:
        """Read ``12.50 EUR``, ``EUR 12.50`` or ``-1,234.50 EUR``.

        Commas may group the whole part by thousands; then they must do so
        throughout.  :attr:`AmountError.offset` is relative to *text* as given.
        """
        at = len(text) - len(text.lstrip())
        code = _CODE.match(text, at)
        if code:
            at = _skip_blanks(text, code.end())
        start = at
        at += text[at:at + 1] in ("-", "+")
        whole = _WHOLE.match(text, at)
        if not whole:
            raise AmountError("expected a number", at)
        at = whole.end()
        digits = whole.group().replace(",", "")
        if text[at:at + 1] == ".":
            part = _DIGITS.match(text, at + 1)
            if not part:
                raise AmountError("expected a digit after the decimal point", at + 1)
            digits += "." + part.group()
            at = part.end()
        number_end = at
        if not code:
            at = _skip_blanks(text, at)
            code = _CODE.match(text, at)
            if not code:
                raise AmountError("expected a currency code", at)
            at = code.end()
        rest = _skip_blanks(text, at)
        if rest != len(text):
            raise AmountError(f"unexpected {text[rest]!r} after the amount", rest)
        if code.group() not in currencies:
            raise AmountError(f"unknown currency {code.group()!r}", code.start())
        currency = currencies.get(code.group())
        sign = "-" if text[start] == "-" else ""
        try:
            return cls(sign + digits, currency)
        except AmountError as error:
            raise AmountError(str(error), number_end - 1) from None

    @property
    def units(self) -> int:
        return self._units

    @property
    def currency(self) -> Currency:
        return self._currency

    @property
    def value(self) -> Decimal:
        digits = tuple(int(digit) for digit in str(abs(self._units)))
        return Decimal((int(self._units < 0), digits, -self._currency.places))

    @property
    def exact(self) -> Fraction:
        """The value as a fraction, for calculations that round later."""
        return Fraction(self._units, 10 ** self._currency.places)

    def _other_units(self, other: Amount) -> int:
        if other._currency != self._currency:
            raise CurrencyMismatchError(f"cannot combine {self._currency} with {other._currency}")
        return other._units

    def __add__(self, other: Amount) -> Amount:
        if not isinstance(other, Amount):
            return NotImplemented
        return Amount.from_units(self._units + self._other_units(other), self._currency)

    def __sub__(self, other: Amount) -> Amount:
        if not isinstance(other, Amount):
            return NotImplemented
        return Amount.from_units(self._units - self._other_units(other), self._currency)

    def __neg__(self) -> Amount:
        return Amount.from_units(-self._units, self._currency)

    def __bool__(self) -> bool:
        return self._units != 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Amount):
            return NotImplemented
        return (self._units, self._currency) == (other._units, other._currency)

    def __lt__(self, other: Amount) -> bool:
        if not isinstance(other, Amount):
            return NotImplemented
        return self._units < self._other_units(other)

    def __hash__(self) -> int:
        return hash((self._units, self._currency))

    def times(self, factor: Number) -> Amount:
        """This amount times *factor*, rounded once (half to even)."""
        return Amount.rounded(self.exact * Fraction(factor), self._currency)

    def allocate(self, weights: Iterable[Union[int, Decimal]]) -> List[Amount]:
        """Divide this amount in proportion to *weights*, to the last minor unit.

        *weights* is any iterable of ints and Decimals.  The shares come in the
        order of the weights and add up to the amount exactly.  Each exact share
        is first cut down, towards zero, to whole minor units; the units that
        are left over go one each to the shares that lost the largest part of a
        unit, earlier ones first among equals.  So a weight of zero gets
        nothing, and a negative amount is divided as the positive one would be,
        with every sign turned round.

        Raises :class:`AmountError` for a weight that is negative, not finite or
        of another type, and if there is no weight above zero.
        """
        parts = [_weight(weight) for weight in weights]
        total = sum(parts)
        if not total:
            raise AmountError("allocate needs a weight above zero")
        shares: List[int] = []
        lost: List[Fraction] = []
        for part in parts:
            exact = abs(self._units) * part / total
            shares.append(int(exact))
            lost.append(exact - int(exact))
        left_over = abs(self._units) - sum(shares)
        for index in sorted(range(len(parts)), key=lambda i: -lost[i])[:left_over]:
            shares[index] += 1
        sign = -1 if self._units < 0 else 1
        return [Amount.from_units(sign * share, self._currency) for share in shares]

    def split(self, count: int) -> List[Amount]:
        """Divide this amount into *count* parts that differ by at most a minor unit."""
        return self.allocate([1] * count)

    def __str__(self) -> str:
        places = self._currency.places
        digits = str(abs(self._units)).rjust(places + 1, "0")
        whole, part = digits[:len(digits) - places], digits[len(digits) - places:]
        sign = "-" if self._units < 0 else ""
        return f"{sign}{whole}{'.' if places else ''}{part} {self._currency}"

    def __repr__(self) -> str:
        return f"<Amount {self}>"


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


def _weight(weight: Union[int, Decimal]) -> Fraction:
    if isinstance(weight, bool) or not isinstance(weight, (int, Decimal)):
        raise AmountError(f"a weight is an int or a Decimal, not {type(weight).__name__}")
    if isinstance(weight, Decimal) and not weight.is_finite():
        raise AmountError(f"a weight must be finite, not {weight}")
    if weight < 0:
        raise AmountError(f"a weight must not be negative: {weight}")
    return Fraction(weight)


class Bag:
    """Amounts of any number of currencies, at most one of each.  Immutable.

    Amounts of zero are not kept, so two bags are equal when they are worth the
    same in every currency, and an empty bag is false.
    """

    __slots__ = ("_amounts",)

    def __init__(self, amounts: Iterable[Amount] = ()) -> None:
        totals: Dict[str, Amount] = {}
        for amount in amounts:
            code = amount.currency.code
            totals[code] = totals[code] + amount if code in totals else amount
        self._amounts: Mapping[str, Amount] = {code: totals[code] for code in sorted(totals) if totals[code]}

    def get(self, currency: Currency) -> Amount:
        """The amount of *currency*, zero if there is none."""
        return self._amounts.get(currency.code, Amount.from_units(0, currency))

    def __iter__(self) -> Iterator[Amount]:
        return iter(self._amounts.values())

    def __bool__(self) -> bool:
        return bool(self._amounts)

    def __add__(self, other: Union[Bag, Amount]) -> Bag:
        if not isinstance(other, (Bag, Amount)):
            return NotImplemented
        return Bag([*self, *([other] if isinstance(other, Amount) else other)])

    def __sub__(self, other: Union[Bag, Amount]) -> Bag:
        if not isinstance(other, (Bag, Amount)):
            return NotImplemented
        return self + -other

    def __neg__(self) -> Bag:
        return Bag(-amount for amount in self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Bag):
            return NotImplemented
        return self._amounts == other._amounts

    def __hash__(self) -> int:
        return hash(tuple(self._amounts.values()))

    def __str__(self) -> str:
        return ", ".join(str(amount) for amount in self) or "0"

    def __repr__(self) -> str:
        return f"<Bag {self}>"
