import datetime as dt

import pytest

from tallybook import (
    Amount, BalanceSheet, Currency, Entry, Flag, IncomeStatement, Ledger, PeriodCloser, Posting, Register, TrialBalance, dumps,
    loads,
)
from tallybook.errors import AccountError, LockedPeriodError, UnknownEntryError

EUR = Currency("EUR")
ACCOUNTS = ("Assets:Bank", "Assets:Cash", "Expenses:Food", "Expenses:Rent", "Income:Salary", "Equity:Start")


def day(text):
    return dt.date.fromisoformat(text)


def postings(debit, credit, amount):
    return [Posting(debit, Amount(amount, EUR)), Posting(credit)]


def post(ledger, date, debit, credit, amount):
    return ledger.post(Entry.make(day(date), f"{debit} {amount}", postings(debit, credit, amount))).id


@pytest.fixture
def ledger():
    ledger = Ledger()
    for name in ACCOUNTS:
        ledger.chart.open(name)
    post(ledger, "2024-01-05", "Assets:Bank", "Income:Salary", 2500)    # 1
    post(ledger, "2024-02-01", "Expenses:Rent", "Assets:Bank", 800)     # 2
    post(ledger, "2024-02-01", "Expenses:Food", "Assets:Bank", 50)      # 3
    post(ledger, "2024-02-20", "Assets:Cash", "Assets:Bank", 100)       # 4
    post(ledger, "2024-03-10", "Expenses:Food", "Assets:Cash", 30)      # 5
    return ledger


def listed(entries):
    return [(str(entry.date)[5:], entry.id) for entry in entries]


def balances(ledger, account):
    return [str(ledger.balance(account, day(date))) for date in ("2024-01-31", "2024-02-29", "2024-03-31")]


def monthly(ledger):
    for date in ("2024-01-31", "2024-02-29", "2024-03-31"):
        ledger.checkpoint(day(date))


# Entries that change their day.

def test_earlier_date_without_checkpoints(ledger):
    ledger.amend(2, date=day("2024-01-31"))
    assert listed(ledger.entries) == [("01-05", 1), ("01-31", 2), ("02-01", 3), ("02-20", 4), ("03-10", 5)]
    assert listed(ledger.between(day("2024-01-01"), day("2024-01-31"))) == [("01-05", 1), ("01-31", 2)]
    assert balances(ledger, "Expenses:Rent") == ["800.00 EUR"] * 3


def test_later_date_without_checkpoints(ledger):
    ledger.amend(2, date=day("2024-03-20"))
    assert listed(ledger.entries) == [("01-05", 1), ("02-01", 3), ("02-20", 4), ("03-10", 5), ("03-20", 2)]
    assert listed(ledger.between(day("2024-02-01"), day("2024-02-29"))) == [("02-01", 3), ("02-20", 4)]
    assert balances(ledger, "Expenses:Rent") == ["0", "0", "800.00 EUR"]


def test_numbers_decide_within_the_new_day(ledger):
    ledger.amend(4, date=day("2024-01-05"))
    ledger.amend(1, date=day("2024-02-01"))
    ledger.amend(5, date=day("2024-02-01"))
    assert listed(ledger.entries) == [("01-05", 4), ("02-01", 1), ("02-01", 2), ("02-01", 3), ("02-01", 5)]


@pytest.mark.parametrize("date, expected", [
    ("2024-01-01", ["800.00 EUR", "800.00 EUR", "800.00 EUR"]),
    ("2024-01-31", ["800.00 EUR", "800.00 EUR", "800.00 EUR"]),
    ("2024-02-29", ["0", "800.00 EUR", "800.00 EUR"]),
    ("2024-03-01", ["0", "0", "800.00 EUR"]),
    ("2024-04-01", ["0", "0", "0"]),
], ids=["start", "january", "february", "march", "april"])
def test_new_date_with_checkpoints(ledger, date, expected):
    monthly(ledger)
    ledger.amend(2, date=day(date))
    assert balances(ledger, "Expenses:Rent") == expected
    assert str(ledger.balance("Expenses:Rent")) == "800.00 EUR"


def test_two_entries_that_swap_their_days(ledger):
    monthly(ledger)
    ledger.amend(1, date=day("2024-02-01"))
    ledger.amend(2, date=day("2024-01-05"))
    assert listed(ledger.entries)[:3] == [("01-05", 2), ("02-01", 1), ("02-01", 3)]
    assert balances(ledger, "Assets:Bank") == ["-800.00 EUR", "1550.00 EUR", "1550.00 EUR"]
    assert balances(ledger, "Income:Salary") == ["0", "-2500.00 EUR", "-2500.00 EUR"]


def test_there_and_back(ledger):
    monthly(ledger)
    ledger.amend(2, date=day("2024-03-15"))
    assert balances(ledger, "Expenses") == ["0", "50.00 EUR", "880.00 EUR"]
    ledger.amend(2, date=day("2024-02-01"))
    assert balances(ledger, "Expenses") == ["0", "850.00 EUR", "880.00 EUR"]
    assert listed(ledger.entries) == [("01-05", 1), ("02-01", 2), ("02-01", 3), ("02-20", 4), ("03-10", 5)]


def test_void_after_a_new_date(ledger):
    ledger.amend(2, date=day("2024-01-20"))
    assert ledger.void(2).id == 2
    assert listed(ledger.entries) == [("01-05", 1), ("02-01", 3), ("02-20", 4), ("03-10", 5)]
    assert str(ledger.balance("Expenses")) == "80.00 EUR"
    ledger.amend(5, date=day("2024-06-01"))
    assert ledger.void(5).date == day("2024-06-01")
    assert listed(ledger.entries) == [("01-05", 1), ("02-01", 3), ("02-20", 4)]


def test_posting_after_a_new_date(ledger):
    monthly(ledger)
    ledger.amend(1, date=day("2024-03-31"))
    assert post(ledger, "2024-02-10", "Expenses:Food", "Assets:Cash", 7) == 6
    assert listed(ledger.entries) == [
        ("02-01", 2), ("02-01", 3), ("02-10", 6), ("02-20", 4), ("03-10", 5), ("03-31", 1),
    ]
    assert balances(ledger, "Expenses:Food") == ["0", "57.00 EUR", "87.00 EUR"]


# Entries that change on their day.

def test_amount_corrected(ledger):
    monthly(ledger)
    ledger.amend(1, postings=postings("Assets:Bank", "Income:Salary", 2600))
    assert balances(ledger, "Income:Salary") == ["-2600.00 EUR"] * 3
    assert str(ledger.balance("Assets:Bank")) == "1650.00 EUR"


def test_account_corrected(ledger):
    ledger.checkpoint(day("2024-02-01"))
    ledger.amend(3, postings=postings("Expenses:Rent", "Assets:Bank", 50))
    assert str(ledger.balance("Expenses:Food", day("2024-02-01"))) == "0"
    assert str(ledger.balance("Expenses:Food")) == "30.00 EUR"
    assert str(ledger.balance("Expenses:Rent")) == "850.00 EUR"


def test_checkpoint_taken_again_after_a_correction(ledger):
    monthly(ledger)
    ledger.amend(1, postings=postings("Assets:Bank", "Income:Salary", 2600))
    monthly(ledger)
    assert balances(ledger, "Income:Salary") == ["-2600.00 EUR"] * 3
    assert ledger.checkpoints == (day("2024-01-31"), day("2024-02-29"), day("2024-03-31"))


def test_date_and_amount_at_once(ledger):
    monthly(ledger)
    ledger.amend(5, date=day("2024-02-15"), postings=postings("Expenses:Food", "Assets:Cash", 31))
    assert balances(ledger, "Expenses:Food") == ["0", "81.00 EUR", "81.00 EUR"]
    assert balances(ledger, "Assets:Cash") == ["0", "69.00 EUR", "69.00 EUR"]


# Entries that replace others.

def test_void_and_post(ledger):
    monthly(ledger)
    ledger.void(1)
    assert post(ledger, "2024-01-05", "Assets:Bank", "Income:Salary", 2600) == 6
    assert balances(ledger, "Income:Salary") == ["-2600.00 EUR"] * 3
    assert listed(ledger.entries)[0] == ("01-05", 6)


def test_void_here_and_post_there(ledger):
    ledger.checkpoint(day("2024-02-29"))
    ledger.void(4)
    post(ledger, "2024-01-01", "Assets:Cash", "Equity:Start", 20)
    assert str(ledger.balance("Assets:Cash", day("2024-02-29"))) == "20.00 EUR"
    assert str(ledger.balance("Assets:Cash")) == "-10.00 EUR"
    assert str(ledger.balance("Equity")) == "-20.00 EUR"


def test_post_and_void_with_questions_between(ledger):
    ledger.checkpoint(day("2024-01-31"))
    ledger.checkpoint(day("2024-02-29"))
    post(ledger, "2024-01-02", "Assets:Cash", "Equity:Start", 20)
    ledger.amend(6, date=day("2024-02-02"))
    ledger.void(3)
    assert [str(bag) for bag in (ledger.balance("Assets", day("2024-02-29")), ledger.balance("Assets", day("2024-01-31")))] == [
        "1720.00 EUR", "2500.00 EUR",
    ]


# What is built on balances.

def test_reports_after_corrections(ledger):
    monthly(ledger)
    ledger.amend(2, date=day("2024-01-31"))
    ledger.amend(1, postings=postings("Assets:Bank", "Income:Salary", 2600))
    assert str(IncomeStatement(ledger, day("2024-01-01"), day("2024-01-31")).net) == "1800.00 EUR"
    assert str(BalanceSheet(ledger, day("2024-02-29")).earnings) == "1750.00 EUR"
    assert str(TrialBalance(ledger).debit) == "2600.00 EUR"
    register = Register(ledger, "Assets:Bank", day("2024-02-01"))
    assert (str(register.opening), str(register.closing)) == ("1800.00 EUR", "1650.00 EUR")


def test_closing_after_a_correction(ledger):
    ledger.checkpoint(day("2024-02-29"))
    ledger.amend(1, postings=postings("Assets:Bank", "Income:Salary", 2600))
    ledger.amend(5, date=day("2024-02-29"))
    closing = PeriodCloser(ledger).close(day("2024-02-29"))
    assert [(posting.account, str(posting.amount)) for posting in closing.postings] == [
        ("Income:Salary", "2600.00 EUR"), ("Expenses:Food", "-80.00 EUR"), ("Expenses:Rent", "-800.00 EUR"),
        ("Equity:Retained", "-1720.00 EUR"),
    ]


def test_reopening_correcting_and_closing_again(ledger):
    closer = PeriodCloser(ledger)
    closer.close(day("2024-01-31"))
    closer.close(day("2024-02-29"))
    assert closer.reopen() == day("2024-01-31")
    ledger.amend(3, postings=postings("Expenses:Food", "Assets:Bank", 55))
    closer.close(day("2024-02-29"))
    assert str(ledger.balance("Equity:Retained")) == "-1645.00 EUR"
    assert str(ledger.balance("Assets:Bank", day("2024-02-29"))) == "1545.00 EUR"
    assert str(ledger.balance("Expenses", day("2024-02-29"))) == "0"


def test_journal_after_a_new_date(ledger):
    ledger.amend(2, date=day("2024-03-31"))
    again = loads(dumps(ledger))
    assert [entry.description for entry in ledger.entries] == [entry.description for entry in again.entries]
    assert [line[:10] for line in dumps(ledger).splitlines() if line.startswith("2024")] == [
        "2024-01-05", "2024-02-01", "2024-02-20", "2024-03-10", "2024-03-31",
    ]


def test_rename_after_a_correction(ledger):
    monthly(ledger)
    ledger.amend(3, postings=postings("Expenses:Food", "Assets:Bank", 55))
    ledger.rename_account("Expenses:Food", "Expenses:Meals")
    assert balances(ledger, "Expenses:Meals") == ["0", "55.00 EUR", "85.00 EUR"]


# What works already.

def test_true_checkpoints_stay(ledger):
    monthly(ledger)
    post(ledger, "2024-03-01", "Expenses:Food", "Assets:Cash", 3)
    assert ledger.checkpoints == (day("2024-01-31"), day("2024-02-29"))
    ledger.void(4)
    assert ledger.checkpoints == (day("2024-01-31"),)


def test_checkpoints_without_changes(ledger):
    monthly(ledger)
    assert ledger.checkpoints == (day("2024-01-31"), day("2024-02-29"), day("2024-03-31"))
    assert balances(ledger, "Assets:Bank") == ["2500.00 EUR", "1550.00 EUR", "1550.00 EUR"]
    assert balances(ledger, "Assets:Bank") == ["2500.00 EUR", "1550.00 EUR", "1550.00 EUR"]


def test_checkpoints_and_posting(ledger):
    monthly(ledger)
    post(ledger, "2024-02-29", "Expenses:Food", "Assets:Cash", 3)
    post(ledger, "2024-01-01", "Expenses:Food", "Assets:Cash", 4)
    assert balances(ledger, "Expenses:Food") == ["4.00 EUR", "57.00 EUR", "87.00 EUR"]


def test_checkpoint_before_all_changes_stays(ledger):
    ledger.checkpoint(day("2024-01-31"))
    ledger.amend(5, description="Lunch", flag=Flag.CLEARED)
    assert ledger.checkpoints == (day("2024-01-31"),)
    assert (ledger.entry(5).description, ledger.entry(5).flag) == ("Lunch", Flag.CLEARED)


def test_void_without_other_changes(ledger):
    monthly(ledger)
    assert ledger.void(3).id == 3
    assert balances(ledger, "Expenses:Food") == ["0", "0", "30.00 EUR"]
    with pytest.raises(UnknownEntryError):
        ledger.void(3)


def test_amending_an_amount_without_checkpoints(ledger):
    ledger.amend(1, postings=postings("Assets:Bank", "Income:Salary", 2600))
    assert balances(ledger, "Income:Salary") == ["-2600.00 EUR"] * 3


def test_refused_amendments_change_nothing(ledger):
    ledger.chart.retire("Expenses:Rent", day("2024-02-15"))
    ledger.lock(day("2024-01-31"))
    before = dumps(ledger)
    with pytest.raises(AccountError):
        ledger.amend(2, date=day("2024-02-16"))
    with pytest.raises(LockedPeriodError):
        ledger.amend(2, date=day("2024-01-31"))
    with pytest.raises(LockedPeriodError):
        ledger.amend(1, date=day("2024-02-16"))
    assert dumps(ledger) == before
    assert listed(ledger.entries)[:2] == [("01-05", 1), ("02-01", 2)]


def test_closing_and_reopening(ledger):
    closer = PeriodCloser(ledger)
    closer.close(day("2024-01-31"))
    closer.close(day("2024-02-29"))
    assert ledger.checkpoints == (day("2024-01-31"), day("2024-02-29"))
    closer.reopen()
    assert ledger.checkpoints == (day("2024-01-31"),)
    assert str(ledger.balance("Expenses:Rent", day("2024-02-29"))) == "800.00 EUR"


def test_rename_keeps_checkpoints_true(ledger):
    monthly(ledger)
    ledger.rename_account("Expenses:Food", "Expenses:Living:Food")
    assert balances(ledger, "Expenses:Living") == ["0", "50.00 EUR", "80.00 EUR"]
