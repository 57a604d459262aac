from decimal import Decimal
from fractions import Fraction

import pytest

from tallybook import Amount, Currency
from tallybook.errors import AmountError

EUR = Currency("EUR")
JPY = Currency("JPY", 0)
XBT = Currency("XBT", 8)


def shares(value, weights, currency=EUR):
    return [amount.units for amount in Amount(value, currency).allocate(weights)]


def decimals(*texts):
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize("value, weights, expected", [
    ("-1.00", [1, 1, 1], [-34, -33, -33]),
    ("-0.05", [3, 7], [-2, -3]),
    ("-0.01", [1, 1], [-1, 0]),
    ("-0.10", [1, 2, 4], [-1, -3, -6]),
    ("-2.00", [0, 3, 3, 0, 3], [0, -67, -67, 0, -66]),
], ids=["thirds", "cents", "single", "sevenths", "zeros"])
def test_negative_amounts(value, weights, expected):
    assert shares(value, weights) == expected


@pytest.mark.parametrize("value, weights, expected", [
    ("-1.00", ["0.5", "0.5", "0.5"], [-34, -33, -33]),
    ("-0.07", ["0.2", "0.3", "0.5"], [-1, -2, -4]),
    ("-10.01", ["0.25", "0.75"], [-250, -751]),
], ids=["halves", "tenths", "quarters"])
def test_negative_amounts_by_decimals(value, weights, expected):
    assert shares(value, decimals(*weights)) == expected


@pytest.mark.parametrize("value", ["0.01", "0.07", "1.00", "99.99", "1234567.89"])
def test_credit_note_mirrors_the_invoice(value):
    weights = [5, Decimal("2.5"), 0, Decimal("0.125"), 7]
    invoice = Amount(value, EUR).allocate(weights)
    credit = Amount("-" + value, EUR).allocate(weights)
    assert [one + other for one, other in zip(invoice, credit)] == [Amount(0, EUR)] * 5
    assert sum(amount.units for amount in credit) == -Amount(value, EUR).units


def test_weights_from_a_generator():
    assert shares("1.00", (share for share in (1, 3))) == [25, 75]
    assert shares("1.00", iter(decimals("0.5", "1"))) == [33, 67]
    assert shares("0.10", {"a": 1, "b": 2}.values()) == [3, 7]


def test_generator_without_weights():
    with pytest.raises(AmountError):
        Amount("1.00", EUR).allocate(iter(()))


@pytest.mark.parametrize("weights", [
    [1, -1, 3], [-1, 2], [-1, -1], decimals("-0.5", "1"), [5, Decimal("-0.001")],
], ids=["middle", "first", "all", "decimal", "small"])
def test_negative_weights_are_refused(weights):
    with pytest.raises(AmountError):
        Amount("1.00", EUR).allocate(weights)


@pytest.mark.parametrize("weight", ["NaN", "sNaN", "Infinity", "-Infinity"])
def test_weights_that_are_not_finite_are_refused(weight):
    with pytest.raises(AmountError):
        Amount("1.00", EUR).allocate([1, Decimal(weight)])


@pytest.mark.parametrize("weight", [0.5, "1", None, True, False, Fraction(1, 2)],
                         ids=["float", "str", "none", "true", "false", "fraction"])
def test_weights_of_another_type_are_refused(weight):
    with pytest.raises(AmountError):
        Amount("1.00", EUR).allocate([weight, 1])


def test_fine_decimals_are_not_rounded():
    almost = Decimal("1.000000000000000000000000000000000001")
    assert shares("0.03", [Decimal(1), almost]) == [1, 2]
    assert shares("-0.03", [1, almost]) == [-1, -2]


def test_decimals_far_apart():
    assert shares("100.00", decimals("1e30", "1e-30")) == [10000, 0]
    assert shares("0.05", decimals("1e-40", "1e-40", "2e-40")) == [1, 1, 3]


def test_large_amounts_by_decimals():
    value = "123456789012345678901234567890.01"
    assert shares(value, decimals("0.5", "0.5")) == [
        6172839450617283945061728394501, 6172839450617283945061728394500,
    ]
    assert shares("-" + value, decimals("0.1", "0.9")) == [
        -1234567890123456789012345678900, -11111111011111111101111111110101,
    ]


def test_split_of_a_negative_amount():
    assert [amount.units for amount in Amount(-10, JPY).split(4)] == [-3, -3, -2, -2]
    assert [amount.units for amount in Amount(-1, JPY).split(3)] == [-1, 0, 0]


# What works already.

@pytest.mark.parametrize("value, weights, expected", [
    ("1.00", [1, 1, 1], [34, 33, 33]),
    ("1.00", [1, 2, 4], [14, 29, 57]),
    ("0.05", [3, 7], [2, 3]),
    ("0.10", [0, 1, 0, 2], [0, 3, 0, 7]),
    ("0", [1, 2], [0, 0]),
    ("5.00", [7], [500]),
], ids=["thirds", "sevenths", "cents", "zeros", "nothing", "single"])
def test_positive_amounts(value, weights, expected):
    assert shares(value, weights) == expected


def test_positive_amounts_by_decimals():
    assert shares("10.01", decimals("0.5", "0.25", "0.25")) == [501, 250, 250]
    assert shares("0.07", decimals("0.2", "0.3", "0.5")) == [1, 2, 4]


def test_ints_and_decimals_together():
    assert shares("1.00", [1, Decimal("0.5"), Decimal("0.5")]) == [50, 25, 25]


def test_large_amounts_by_ints():
    assert shares("123456789012345678901234567890.01", [1, 1]) == [
        6172839450617283945061728394501, 6172839450617283945061728394500,
    ]


def test_places_of_the_currency_count():
    assert shares(10, [1, 1, 1], JPY) == [4, 3, 3]
    assert shares("0.00000010", [1, 1, 1], XBT) == [4, 3, 3]


def test_equal_fractions_go_to_the_earlier_ones():
    assert shares("0.06", [1, 1, 1, 1]) == [2, 2, 1, 1]


@pytest.mark.parametrize("weights", [[], [0], [0, 0, 0], [Decimal(0), 0]], ids=["none", "one", "ints", "mixed"])
def test_nothing_to_divide_by(weights):
    with pytest.raises(AmountError):
        Amount("1.00", EUR).allocate(weights)


def test_shares_have_the_currency_of_the_amount():
    assert Amount(7, JPY).allocate([1, 2]) == [Amount(2, JPY), Amount(5, JPY)]


def test_split_into_equal_parts():
    assert [amount.units for amount in Amount("1.00", EUR).split(3)] == [34, 33, 33]
    with pytest.raises(AmountError):
        Amount("1.00", EUR).split(0)
