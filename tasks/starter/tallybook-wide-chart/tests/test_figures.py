"""What the reports say, which does not change."""

import datetime as dt

import pytest

from tallybook import (
    Amount, BalanceSheet, Flag, IncomeStatement, PeriodCloser, Posting, TrialBalance, loads,
)

JOURNAL = """\
2024-01-03 * Pay
    Assets:Bank              2,000.00 EUR
    Income:Job

2024-01-20 Flat
    Expenses:Home              10.00 EUR
    Expenses:Home:Rent        700.00 EUR
    Assets:Bank

2024-02-02 Trip
    Expenses:Travel           120.00 USD @ 0.90 EUR
    Liabilities:Card

2024-02-29 Interest
    Assets:Bank                 1.50 EUR
    Income:Bank
"""
JAN, FEB, MAR = dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 3, 31)


@pytest.fixture
def ledger():
    return loads(JOURNAL)


def lines(section):
    return [(line.account, str(line.balance)) for line in section.lines]


def trial(ledger, day=None):
    return [(line.account, str(line.debit), str(line.credit)) for line in TrialBalance(ledger, day).lines]


def test_trial_balance_of_a_day(ledger):
    assert trial(ledger, JAN) == [
        ("Assets:Bank", "1290.00 EUR", "0"), ("Income:Job", "0", "2000.00 EUR"),
        ("Expenses:Home", "10.00 EUR", "0"), ("Expenses:Home:Rent", "700.00 EUR", "0"),
    ]


def test_accounts_above_have_only_their_own(ledger):
    statement = IncomeStatement(ledger, None, FEB)
    assert lines(statement.expenses) == [
        ("Expenses:Home", "10.00 EUR"), ("Expenses:Home:Rent", "700.00 EUR"), ("Expenses:Travel", "120.00 USD"),
    ]
    assert str(statement.net) == "1291.50 EUR, -120.00 USD"


def test_income_statement_of_a_month(ledger):
    statement = IncomeStatement(ledger, dt.date(2024, 2, 1), FEB)
    assert lines(statement.income) == [("Income:Bank", "1.50 EUR")]
    assert lines(statement.expenses) == [("Expenses:Travel", "120.00 USD")]


def test_income_statement_of_closed_months(ledger):
    closer = PeriodCloser(ledger)
    closer.close(JAN)
    closer.close(FEB)
    assert lines(IncomeStatement(ledger, None, JAN).income) == [("Income:Job", "2000.00 EUR")]
    assert str(IncomeStatement(ledger, dt.date(2024, 2, 1), FEB).net) == "1.50 EUR, -120.00 USD"


def test_balance_sheet_after_closing(ledger):
    PeriodCloser(ledger).close(JAN)
    sheet = BalanceSheet(ledger, FEB)
    assert lines(sheet.equity) == [("Equity:Retained", "1290.00 EUR")]
    assert str(sheet.earnings) == "1.50 EUR, -120.00 USD"
    assert lines(sheet.liabilities) == [("Liabilities:Card", "108.00 EUR")]


def test_closing_entry(ledger):
    closing = PeriodCloser(ledger, "Equity:Kept").close(JAN)
    assert [(posting.account, str(posting.amount)) for posting in closing.postings] == [
        ("Income:Job", "2000.00 EUR"), ("Expenses:Home", "-10.00 EUR"), ("Expenses:Home:Rent", "-700.00 EUR"),
        ("Equity:Kept", "-1290.00 EUR"),
    ]
    assert (closing.flag, closing.date, ledger.checkpoints) == (Flag.CLOSING, JAN, (JAN,))


def test_second_closing_takes_what_is_new(ledger):
    closer = PeriodCloser(ledger)
    closer.close(JAN)
    closing = closer.close(FEB)
    assert [(posting.account, str(posting.amount)) for posting in closing.postings] == [
        ("Income:Bank", "1.50 EUR"), ("Expenses:Travel", "-120.00 USD"),
        ("Equity:Retained", "-1.50 EUR"), ("Equity:Retained", "120.00 USD"),
    ]


def test_reports_after_amending(ledger):
    before = BalanceSheet(ledger, FEB)
    eur = ledger.currencies.get("EUR")
    ledger.amend(4, postings=[Posting("Assets:Bank", Amount("2.50", eur)), Posting("Income:Bank")])
    assert str(before.earnings) == "1291.50 EUR, -120.00 USD"
    assert str(BalanceSheet(ledger, FEB).earnings) == "1292.50 EUR, -120.00 USD"
    assert str(IncomeStatement(ledger, None, FEB).income.total) == "2002.50 EUR"


def test_reports_after_voiding(ledger):
    assert len(trial(ledger)) == 7
    ledger.void(3)
    assert trial(ledger) == [
        ("Assets:Bank", "1291.50 EUR", "0"), ("Income:Bank", "0", "1.50 EUR"), ("Income:Job", "0", "2000.00 EUR"),
        ("Expenses:Home", "10.00 EUR", "0"), ("Expenses:Home:Rent", "700.00 EUR", "0"),
    ]


def test_reports_after_renaming(ledger):
    assert str(BalanceSheet(ledger, MAR).earnings) == "1291.50 EUR, -120.00 USD"
    assert str(TrialBalance(ledger).credit) == "2109.50 EUR"
    ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert [line[0] for line in trial(ledger)][-3:] == ["Expenses:Living", "Expenses:Living:Rent", "Expenses:Travel"]
    assert str(BalanceSheet(ledger, MAR).earnings) == "1291.50 EUR, -120.00 USD"
    assert [account for account, _ in lines(IncomeStatement(ledger, None, MAR).expenses)][:2] == [
        "Expenses:Living", "Expenses:Living:Rent",
    ]


def test_reports_after_closing_and_reopening(ledger):
    closer = PeriodCloser(ledger)
    closer.close(FEB)
    assert str(BalanceSheet(ledger, FEB).earnings) == "0"
    assert closer.reopen() is None
    assert str(BalanceSheet(ledger, FEB).earnings) == "1291.50 EUR, -120.00 USD"
    assert str(closer.close(JAN).postings[0].amount) == "2000.00 EUR"


def test_reports_with_checkpoints(ledger):
    ledger.checkpoint(JAN)
    assert trial(ledger, FEB) == trial(loads(JOURNAL), FEB)
    eur = ledger.currencies.get("EUR")
    ledger.post(ledger.entry(1).replaced(description="Again", postings=(
        Posting("Assets:Bank", Amount(1, eur)), Posting("Income:Job", Amount(-1, eur)))))
    assert trial(ledger, JAN)[0] == ("Assets:Bank", "1291.00 EUR", "0")
