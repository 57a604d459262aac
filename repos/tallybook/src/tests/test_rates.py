import datetime as dt
from decimal import Decimal

import pytest

from tallybook import Amount, Bag, Currency, RateTable
from tallybook.errors import MissingRateError, RateError

EUR, USD, JPY, GBP = Currency("EUR"), Currency("USD"), Currency("JPY", 0), Currency("GBP")
JAN, FEB = dt.date(2024, 1, 1), dt.date(2024, 2, 1)


def test_latest_rate_counts():
    table = RateTable()
    table.add(FEB, USD, EUR, "0.95")
    table.add(JAN, USD, EUR, "0.90")
    assert str(table.convert(Amount(10, USD), EUR, dt.date(2024, 1, 31))) == "9.00 EUR"
    assert str(table.convert(Amount(10, USD), EUR, FEB)) == "9.50 EUR"
    with pytest.raises(MissingRateError):
        table.convert(Amount(10, USD), EUR, dt.date(2023, 12, 31))


def test_adding_again_replaces():
    table = RateTable()
    table.add(JAN, USD, EUR, "0.90")
    table.add(JAN, USD, EUR, "0.80")
    assert [rate.value for rate in table] == [Decimal("0.80")]


def test_rates_serve_backwards():
    table = RateTable()
    table.add(JAN, USD, EUR, "0.80")
    assert str(table.convert(Amount(10, EUR), USD, JAN)) == "12.50 USD"


def test_the_newer_direction_wins():
    table = RateTable()
    table.add(JAN, USD, EUR, "0.80")
    table.add(FEB, EUR, USD, "2")
    assert str(table.convert(Amount(10, USD), EUR, FEB)) == "5.00 EUR"


def test_pivot_does_not_round_on_the_way():
    table = RateTable(pivot=JPY)
    table.add(JAN, EUR, JPY, "160.44")
    table.add(JAN, GBP, JPY, "16")
    assert str(table.convert(Amount(1, EUR), GBP, JAN)) == "10.03 GBP"
    with pytest.raises(MissingRateError) as caught:
        table.factor(USD, GBP, JAN)
    assert (caught.value.source, caught.value.target) == ("USD", "GBP")


def test_value_rounds_the_sum_once():
    table = RateTable()
    table.add(JAN, USD, EUR, "0.333")
    table.add(JAN, GBP, EUR, "0.333")
    bag = Bag([Amount("0.01", USD), Amount("0.01", GBP)])
    assert str(table.value(bag, EUR, JAN)) == "0.01 EUR"
    assert str(table.value(Bag(), EUR, JAN)) == "0.00 EUR"


@pytest.mark.parametrize("value", ["0", "-1", "NaN", "abc"])
def test_bad_rates(value):
    with pytest.raises(RateError):
        RateTable().add(JAN, USD, EUR, value)


def test_a_rate_needs_two_currencies():
    with pytest.raises(RateError):
        RateTable().add(JAN, EUR, EUR, 1)
