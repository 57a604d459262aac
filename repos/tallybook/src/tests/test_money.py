from decimal import Decimal

import pytest

from tallybook import Amount, Bag, Currency, CurrencyRegistry
from tallybook.errors import (
    AmountError, CurrencyError, CurrencyMismatchError, TallybookError, UnknownCurrencyError,
)

JPY = Currency("JPY", 0)
USD = Currency("USD")
KWD = Currency("KWD", 3)


def units(amounts):
    return [amount.units for amount in amounts]


def test_amount_is_exact(eur):
    assert Amount("0.10", eur) + Amount("0.20", eur) == Amount("0.30", eur)
    assert Amount(Decimal("1e1"), eur).units == 1000
    assert Amount(7, JPY).value == Decimal("7")


def test_large_amounts_lose_nothing(eur):
    large = Amount("123456789012345678901234567890.12", eur)
    assert (large + Amount("0.01", eur)).value == Decimal("123456789012345678901234567890.13")


@pytest.mark.parametrize("value", ["0.001", "abc", "NaN", "Infinity", ""])
def test_amount_rejects(value, eur):
    with pytest.raises(AmountError):
        Amount(value, eur)


def test_amount_rejects_floats(eur):
    with pytest.raises(AmountError, match="not float"):
        Amount(0.5, eur)


def test_currencies_do_not_mix(eur):
    with pytest.raises(CurrencyMismatchError):
        Amount(1, eur) + Amount(1, USD)
    with pytest.raises(CurrencyMismatchError):
        Amount(1, eur) < Amount(1, USD)
    assert Amount(1, eur) != Amount(1, USD)


def test_ordering(eur):
    assert sorted([Amount(2, eur), Amount(-1, eur), Amount(0, eur)])[0] == Amount(-1, eur)
    assert Amount(2, eur) >= Amount("2.00", eur)


@pytest.mark.parametrize("value, currency, text", [
    ("-0.05", USD, "-0.05 USD"), ("1234.5", USD, "1234.50 USD"), ("12", JPY, "12 JPY"), ("0", KWD, "0.000 KWD"),
])
def test_text_form(value, currency, text):
    assert str(Amount(value, currency)) == text


def test_times_rounds_half_to_even(eur):
    assert Amount("0.25", eur).times(Decimal("0.5")).units == 12
    assert Amount("0.35", eur).times(Decimal("0.5")).units == 18
    assert Amount("-0.25", eur).times(Decimal("0.5")).units == -12


@pytest.mark.parametrize("text, expected", [
    ("12.50 EUR", "12.50 EUR"), ("EUR 12.5", "12.50 EUR"), ("  -1,234.50EUR ", "-1234.50 EUR"),
    ("+3 JPY", "3 JPY"), ("1,000,000 JPY", "1000000 JPY"), ("1.000 EUR", "1.00 EUR"),
])
def test_parse(text, expected):
    assert str(Amount.parse(text, CurrencyRegistry())) == expected


@pytest.mark.parametrize("text, offset", [
    ("EUR", 3), ("12.50", 5), ("12. EUR", 3), ("1,23 EUR", 1), (" 1.005 EUR", 5), ("1 EUR x", 6), ("5 XYZ", 2),
    ("1 EUR EUR", 6),
])
def test_parse_errors_say_where(text, offset):
    with pytest.raises(AmountError) as caught:
        Amount.parse(text, CurrencyRegistry())
    assert caught.value.offset == offset


def test_allocate_gives_the_rest_to_the_largest_fractions(eur):
    assert units(Amount("1.00", eur).allocate([1, 1, 1])) == [34, 33, 33]
    assert units(Amount("1.00", eur).allocate([1, 2, 4])) == [14, 29, 57]
    assert units(Amount("0.05", eur).allocate([3, 7])) == [2, 3]


def test_allocate_negative(eur):
    assert units(Amount("-1.00", eur).allocate([1, 1, 1])) == [-34, -33, -33]


def test_allocate_negative_by_decimals(eur):
    shares = units(Amount("-1.00", eur).allocate([Decimal("0.5"), Decimal("0.5"), Decimal("0.5")]))
    assert sum(shares) == -100


def test_allocate_by_decimals(eur):
    assert units(Amount("10.00", eur).allocate([Decimal("0.5"), Decimal("0.25"), Decimal("0.25")])) == [500, 250, 250]


def test_allocate_takes_any_iterable(eur):
    assert units(Amount("1.00", eur).allocate(weight for weight in (1, 3))) == [25, 75]


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1, 3], [0.5, 0.5], [1, Decimal("NaN")]],
                         ids=["none", "zeros", "negative", "float", "nan"])
def test_allocate_refuses(weights, eur):
    with pytest.raises(AmountError):
        Amount("1.00", eur).allocate(weights)


def test_split():
    assert units(Amount(10, JPY).split(4)) == [3, 3, 2, 2]


def test_bag_adds_by_currency(eur):
    bag = Bag([Amount(1, eur), Amount(5, USD), Amount(2, eur)])
    assert str(bag) == "3.00 EUR, 5.00 USD"
    assert str(bag - Amount(3, eur)) == "5.00 USD"
    assert not bag - bag
    assert str(Bag()) == "0"


def test_bag_get(eur):
    assert Bag([Amount(1, eur)]).get(USD) == Amount(0, USD)


def test_registry_declares_once():
    registry = CurrencyRegistry()
    registry.declare("XBT", 8)
    assert registry.declare("XBT", 8).places == 8
    assert [currency.code for currency in registry.declared] == ["XBT"]
    with pytest.raises(CurrencyError, match="already has 8 places"):
        registry.declare("XBT", 2)
    assert "XBT" not in CurrencyRegistry()


def test_unknown_currency_is_a_tallybook_error():
    with pytest.raises(UnknownCurrencyError) as caught:
        CurrencyRegistry().get("XXX")
    assert caught.value.code == "XXX"
    assert isinstance(caught.value, TallybookError)


@pytest.mark.parametrize("code, places", [("eur", 2), ("E", 2), ("EUR", 9), ("EUR", -1)])
def test_malformed_currency(code, places):
    with pytest.raises(CurrencyError):
        Currency(code, places)
