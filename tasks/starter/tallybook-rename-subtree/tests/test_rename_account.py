import datetime as dt

import pytest

from tallybook import BalanceSheet, IncomeStatement, PeriodCloser, Register, TrialBalance, dumps, loads
from tallybook.errors import AccountError, LockedPeriodError, UnknownAccountError

JOURNAL = """
account Assets:Bank:Old  retired 2024-02-15

2024-01-02 * Start
    Assets:Bank               5000.00 EUR
    Assets:Bank:Old            250.00 EUR
    Equity:Start

2024-02-01 ! Flat
    Expenses:Home:Rent:Flat    900.00 EUR
    Expenses:Home:Power         60.00 EUR
    Expenses:Home               15.00 EUR
    Assets:Bank

2024-02-10 Hardware
    Expenses:Homeware           42.50 EUR
    Assets:Bank:Old

2024-03-01 Flat
    Expenses:Home:Rent:Flat    900.00 EUR
    Assets:Bank

2024-03-05 Hotel
    Expenses:Home:Rent         100.00 USD @ 0.90 EUR
    Assets:Bank

2024-03-06 Pay
    Assets:Bank               3000.00 EUR
    Income:Salary
"""
END = dt.date(2024, 12, 31)


@pytest.fixture
def ledger():
    return loads(JOURNAL)


def lines(section):
    return [(line.account, str(line.balance)) for line in section.lines]


def test_balances_of_the_accounts_below(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert str(ledger.balance("Expenses:Living")) == "1875.00 EUR, 100.00 USD"
    assert str(ledger.balance("Expenses:Living", deep=False)) == "15.00 EUR"
    assert str(ledger.balance("Expenses:Living:Rent")) == "1800.00 EUR, 100.00 USD"
    assert str(ledger.balance("Expenses:Living:Rent:Flat", dt.date(2024, 2, 28))) == "900.00 EUR"


def test_entries_follow(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert [(entry.id, entry.accounts()) for entry in ledger.between(dt.date(2024, 2, 1), dt.date(2024, 2, 29))] == [
        (2, ["Expenses:Living:Rent:Flat", "Expenses:Living:Power", "Expenses:Living", "Assets:Bank"]),
        (3, ["Expenses:Homeware", "Assets:Bank:Old"]),
    ]
    assert ledger.entry(5).accounts() == ["Expenses:Living:Rent", "Assets:Bank"]


def test_entries_keep_all_the_rest(ledger):
    ledger.rename_account("Expenses:Home:Rent", "Expenses:Shelter")
    flat, hotel = ledger.entry(2), ledger.entry(5)
    assert (flat.date, flat.flag.value, flat.description) == (dt.date(2024, 2, 1), "!", "Flat")
    assert [str(posting.amount) for posting in flat.postings] == ["900.00 EUR", "60.00 EUR", "15.00 EUR", "-975.00 EUR"]
    assert (hotel.postings[0].account, str(hotel.postings[0].price)) == ("Expenses:Shelter", "@ 0.90 EUR")
    assert flat.postings[0].account == "Expenses:Shelter:Flat"


@pytest.mark.parametrize("through", ["2024-02-01", "2024-02-28", "2024-03-31"])
def test_checkpoints_follow(ledger, through):
    ledger.checkpoint(dt.date.fromisoformat(through))
    ledger.rename_account("Expenses:Home", "Expenses:Living:Home")
    assert str(ledger.balance("Expenses:Living:Home:Power")) == "60.00 EUR"
    assert str(ledger.balance("Expenses:Living")) == "1875.00 EUR, 100.00 USD"
    assert str(ledger.balance("Expenses:Living:Home:Rent:Flat", dt.date(2024, 3, 31))) == "1800.00 EUR"
    assert str(ledger.balance("Expenses")) == "1917.50 EUR, 100.00 USD"


def test_name_that_only_begins_alike_stays(ledger):
    ledger.checkpoint(dt.date(2024, 2, 28))
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert str(ledger.balance("Expenses:Homeware")) == "42.50 EUR"
    assert str(ledger.balance("Expenses:Living:Power")) == "60.00 EUR"


def test_income_statement(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    statement = IncomeStatement(ledger, None, END)
    assert lines(statement.expenses) == [
        ("Expenses:Homeware", "42.50 EUR"), ("Expenses:Living", "15.00 EUR"), ("Expenses:Living:Power", "60.00 EUR"),
        ("Expenses:Living:Rent", "100.00 USD"), ("Expenses:Living:Rent:Flat", "1800.00 EUR"),
    ]
    assert str(statement.net) == "1082.50 EUR, -100.00 USD"


def test_balance_sheet(ledger):
    ledger.rename_account("Assets:Bank", "Assets:Money:Bank")
    sheet = BalanceSheet(ledger, END)
    assert lines(sheet.assets) == [("Assets:Money:Bank", "6035.00 EUR"), ("Assets:Money:Bank:Old", "207.50 EUR")]
    assert str(sheet.net_worth) == "6242.50 EUR"


def test_trial_balance_balances(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    trial = TrialBalance(ledger, dt.date(2024, 3, 1))
    assert (str(trial.debit), str(trial.credit)) == ("5250.00 EUR", "5250.00 EUR")


def test_register(ledger):
    ledger.rename_account("Expenses:Home:Rent", "Expenses:Rent")
    register = Register(ledger, "Expenses:Rent", dt.date(2024, 3, 1))
    assert str(register.opening) == "900.00 EUR"
    assert [(row.entry_id, str(row.balance)) for row in register.rows] == [
        (4, "1800.00 EUR"), (5, "1800.00 EUR, 100.00 USD"),
    ]


def test_renaming_twice_and_back(ledger):
    before = dumps(ledger)
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    ledger.rename_account("Expenses:Living:Rent", "Expenses:Living:Shelter")
    assert str(ledger.balance("Expenses:Living:Shelter:Flat")) == "1800.00 EUR"
    ledger.rename_account("Expenses:Living:Shelter", "Expenses:Living:Rent")
    ledger.rename_account("Expenses:Living", "Expenses:Home")
    assert dumps(ledger) == before


def test_journal(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert dumps(ledger) == dumps(loads(JOURNAL.replace("Home:", "Living:").replace("Home ", "Living ")))
    again = loads(dumps(ledger), strict=True)
    assert "Expenses:Home" not in again.chart
    assert str(again.balance("Expenses:Living:Rent:Flat")) == "1800.00 EUR"


def test_closing_after_a_rename(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    closing = PeriodCloser(ledger).close(dt.date(2024, 3, 31))
    assert [(posting.account, str(posting.amount)) for posting in closing.postings] == [
        ("Income:Salary", "3000.00 EUR"), ("Expenses:Homeware", "-42.50 EUR"), ("Expenses:Living", "-15.00 EUR"),
        ("Expenses:Living:Power", "-60.00 EUR"), ("Expenses:Living:Rent", "-100.00 USD"),
        ("Expenses:Living:Rent:Flat", "-1800.00 EUR"), ("Equity:Retained", "-1082.50 EUR"),
        ("Equity:Retained", "100.00 USD"),
    ]


def test_closed_period(ledger):
    PeriodCloser(ledger).close(dt.date(2024, 2, 29))
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert ledger.locked_through == dt.date(2024, 2, 29)
    assert str(ledger.balance("Expenses:Living", dt.date(2024, 2, 29))) == "0"
    assert lines(IncomeStatement(ledger, None, dt.date(2024, 2, 29)).expenses) == [
        ("Expenses:Homeware", "42.50 EUR"), ("Expenses:Living", "15.00 EUR"), ("Expenses:Living:Power", "60.00 EUR"),
        ("Expenses:Living:Rent:Flat", "900.00 EUR"),
    ]
    with pytest.raises(LockedPeriodError):
        ledger.void(2)
    PeriodCloser(ledger).reopen()
    assert str(ledger.balance("Expenses:Living:Power")) == "60.00 EUR"


def test_entries_can_still_be_amended(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert ledger.amend(4, description="Flat, March").postings[0].account == "Expenses:Living:Rent:Flat"


# What works already.

def test_account_without_others_below(ledger):
    ledger.checkpoint(dt.date(2024, 2, 10))
    ledger.rename_account("Expenses:Homeware", "Expenses:Hardware")
    assert str(ledger.balance("Expenses:Hardware")) == "42.50 EUR"
    assert ledger.entry(3).accounts() == ["Expenses:Hardware", "Assets:Bank:Old"]
    with pytest.raises(UnknownAccountError):
        ledger.balance("Expenses:Homeware")


def test_chart_after_a_rename(ledger):
    ledger.rename_account("Assets:Bank", "Assets:Money:Bank")
    assert [account.name for account in ledger.chart][:4] == [
        "Assets", "Assets:Money", "Assets:Money:Bank", "Assets:Money:Bank:Old",
    ]
    assert ledger.chart.get("Assets:Money:Bank:Old").retired == dt.date(2024, 2, 15)
    assert "Assets:Bank:Old" not in ledger.chart


def test_accounts_above_are_opened_and_stay(ledger):
    ledger.rename_account("Expenses:Home:Power", "Expenses:Utilities:Power")
    assert str(ledger.balance("Expenses:Utilities")) == "60.00 EUR"
    assert str(ledger.balance("Expenses:Home")) == "1815.00 EUR, 100.00 USD"


@pytest.mark.parametrize("new", [
    "Assets:Home", "Expenses:Homeware", "Expenses:Home:Old", "Expenses:Home", "Home", "Expenses:",
], ids=["kind", "exists", "below", "same", "root", "empty"])
def test_refused_renames_change_nothing(ledger, new):
    before = dumps(ledger)
    with pytest.raises(AccountError):
        ledger.rename_account("Expenses:Home", new)
    assert dumps(ledger) == before


def test_unknown_account(ledger):
    with pytest.raises(UnknownAccountError) as caught:
        ledger.rename_account("Expenses:Fun", "Expenses:Joy")
    assert caught.value.name == "Expenses:Fun"


def test_total_is_the_same(ledger):
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert str(ledger.balance("Expenses")) == "1917.50 EUR, 100.00 USD"


def test_locked_account_without_others_below(ledger):
    ledger.lock(dt.date(2024, 12, 31))
    ledger.rename_account("Income:Salary", "Income:Wages")
    assert str(ledger.balance("Income:Wages")) == "-3000.00 EUR"
    assert [entry.id for entry in ledger.entries] == [1, 2, 3, 4, 5, 6]
