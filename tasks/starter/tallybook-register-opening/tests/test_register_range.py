import datetime as dt

import pytest

from tallybook import Register, loads
from tallybook.errors import UnknownAccountError

JOURNAL = """
2024-05-02 Salary
    Assets:Bank:Current      2000.00 EUR
    Income:Salary

2024-05-31 Save
    Assets:Bank:Savings       500.00 EUR
    Assets:Bank:Current

2024-06-01 Rent
    Expenses:Rent             700.00 EUR
    Assets:Bank:Current

2024-06-01 Dollars
    Assets:Bank:Savings       100.00 USD @ 0.90 EUR
    Assets:Bank:Current

2024-06-20 Shop
    Expenses:Food              45.10 EUR
    Assets:Bank:Current

2024-07-01 Interest
    Assets:Bank:Savings         1.25 USD
    Income:Interest
"""


def day(text):
    return dt.date.fromisoformat(text) if text else None


@pytest.fixture
def ledger():
    return loads(JOURNAL)


def seen(ledger, account, start=None, end=None):
    register = Register(ledger, account, day(start), day(end))
    rows = [(row.entry_id, str(row.change), str(row.balance)) for row in register.rows]
    return str(register.opening), rows, str(register.closing)


def test_range_that_starts_with_two_entries(ledger):
    assert seen(ledger, "Assets:Bank:Current", "2024-06-01", "2024-06-30") == (
        "1500.00 EUR",
        [(3, "-700.00 EUR", "800.00 EUR"), (4, "-90.00 EUR", "710.00 EUR"), (5, "-45.10 EUR", "664.90 EUR")],
        "664.90 EUR",
    )


def test_range_of_a_single_day(ledger):
    assert seen(ledger, "Assets:Bank:Current", "2024-06-20", "2024-06-20") == (
        "710.00 EUR", [(5, "-45.10 EUR", "664.90 EUR")], "664.90 EUR",
    )


def test_range_from_the_very_first_entry(ledger):
    assert seen(ledger, "Income:Salary", "2024-05-02") == ("0", [(1, "-2000.00 EUR", "-2000.00 EUR")], "-2000.00 EUR")


def test_accounts_below_and_several_currencies(ledger):
    assert seen(ledger, "Assets:Bank", "2024-06-01", "2024-06-10") == (
        "2000.00 EUR",
        [(3, "-700.00 EUR", "1300.00 EUR"), (4, "-90.00 EUR, 100.00 USD", "1210.00 EUR, 100.00 USD")],
        "1210.00 EUR, 100.00 USD",
    )


def test_several_currencies_on_the_last_entry(ledger):
    assert seen(ledger, "Assets:Bank:Savings", "2024-07-01") == (
        "500.00 EUR, 100.00 USD", [(6, "1.25 USD", "500.00 EUR, 101.25 USD")], "500.00 EUR, 101.25 USD",
    )


def test_first_day_with_an_entry_that_changes_nothing(ledger):
    assert seen(ledger, "Assets:Bank", "2024-05-31", "2024-05-31") == ("2000.00 EUR", [], "2000.00 EUR")
    assert seen(ledger, "Assets", "2024-05-02", "2024-05-31") == (
        "0", [(1, "2000.00 EUR", "2000.00 EUR")], "2000.00 EUR",
    )


def test_consecutive_ranges_meet(ledger):
    first = Register(ledger, "Assets:Bank:Current", day("2024-05-02"), day("2024-05-31"))
    second = Register(ledger, "Assets:Bank:Current", day("2024-06-01"), day("2024-06-20"))
    third = Register(ledger, "Assets:Bank:Current", day("2024-06-21"), None)
    assert [str(first.opening), str(second.opening), str(third.opening)] == ["0", "1500.00 EUR", "664.90 EUR"]
    assert [str(first.closing), str(second.closing), str(third.closing)] == ["1500.00 EUR", "664.90 EUR", "664.90 EUR"]


def test_text_of_a_range(ledger):
    assert Register(ledger, "Expenses:Rent", day("2024-06-01"), day("2024-06-30")).render() == (
        "Date            Description      Change     Balance\n"
        "----------  ---------------  ----------  ----------\n"
        "            Opening balance                       0\n"
        "2024-06-01             Rent  700.00 EUR  700.00 EUR\n"
    )


def test_range_after_a_checkpoint(ledger):
    ledger.checkpoint(day("2024-06-01"))
    assert seen(ledger, "Expenses", "2024-06-01", "2024-06-30") == (
        "0", [(3, "700.00 EUR", "700.00 EUR"), (5, "45.10 EUR", "745.10 EUR")], "745.10 EUR",
    )


def test_range_that_starts_with_a_quiet_day(ledger):
    assert seen(ledger, "Assets:Bank:Current", "2024-06-02", "2024-06-30") == (
        "710.00 EUR", [(5, "-45.10 EUR", "664.90 EUR")], "664.90 EUR",
    )


def test_range_without_a_start(ledger):
    assert seen(ledger, "Assets:Bank:Savings", None, "2024-06-30") == (
        "0", [(2, "500.00 EUR", "500.00 EUR"), (4, "100.00 USD", "500.00 EUR, 100.00 USD")], "500.00 EUR, 100.00 USD",
    )


def test_whole_history(ledger):
    assert seen(ledger, "Income") == (
        "0",
        [(1, "-2000.00 EUR", "-2000.00 EUR"), (6, "-1.25 USD", "-2000.00 EUR, -1.25 USD")],
        "-2000.00 EUR, -1.25 USD",
    )


def test_first_day_that_does_not_touch_the_account(ledger):
    assert seen(ledger, "Income", "2024-06-20", "2024-06-30") == ("-2000.00 EUR", [], "-2000.00 EUR")


def test_range_before_everything(ledger):
    assert seen(ledger, "Assets", "2024-01-01", "2024-01-31") == ("0", [], "0")


def test_range_after_everything(ledger):
    assert seen(ledger, "Expenses:Food", "2025-01-01", "2025-12-31") == ("45.10 EUR", [], "45.10 EUR")


def test_balances_include_their_day(ledger):
    assert str(ledger.balance("Assets:Bank:Current", day("2024-06-01"))) == "710.00 EUR"
    assert str(ledger.balance("Assets:Bank:Current", day("2024-05-31"))) == "1500.00 EUR"


def test_unknown_account(ledger):
    with pytest.raises(UnknownAccountError) as caught:
        Register(ledger, "Assets:Cash", day("2024-06-01"))
    assert caught.value.name == "Assets:Cash"
