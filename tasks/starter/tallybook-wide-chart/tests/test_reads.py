"""How often the postings of entries are looked at."""

import datetime as dt

import pytest

from tallybook import (
    Amount, BalanceSheet, Bag, Entry, Flag, IncomeStatement, Ledger, PeriodCloser, Posting, TrialBalance,
)

START = dt.date(2023, 1, 1)
END = dt.date(2023, 12, 31)


class Watched(Entry):
    """Counts the looks at its postings."""

    reads = 0

    def __getattribute__(self, name):
        if name == "postings":
            Watched.reads += 1
        return super().__getattribute__(name)


def ledger_of(entries, idle=0, currencies=("EUR",)):
    """A ledger with an account for each of its entries, and more that nothing is posted to."""
    ledger = Ledger()
    kinds = ("Expenses:Item", "Income:Source", "Liabilities:Lender", "Assets:Purse", "Equity:Owner")
    ledger.chart.open("Assets:Bank")
    known = [ledger.currencies.get(code) for code in currencies]
    for number in range(entries):
        name = ledger.chart.open(f"{kinds[number % 5]} {number}").name
        currency = known[number % len(known)]
        amount = Amount(number + 1, currency)
        ledger.post(Watched(START + dt.timedelta(number), f"No {number}", (
            Posting(name, amount), Posting("Assets:Bank", -amount),
        )))
    for number in range(idle):
        ledger.chart.open(f"{kinds[number % 5]} idle {number}")
    return ledger


def reads_of(action):
    Watched.reads = 0
    action()
    return Watched.reads


@pytest.mark.parametrize("entries, idle", [(60, 0), (25, 100), (3, 60)], ids=["busy", "both", "idle"])
@pytest.mark.parametrize("what", [
    lambda ledger: TrialBalance(ledger),
    lambda ledger: TrialBalance(ledger, END),
    lambda ledger: IncomeStatement(ledger, None, END),
    lambda ledger: IncomeStatement(ledger, START, END),
    lambda ledger: BalanceSheet(ledger, END),
], ids=["trial", "trial-day", "income", "income-from", "sheet"])
def test_reads_do_not_depend_on_the_chart(what, entries, idle):
    ledger = ledger_of(entries, idle)
    assert (reads_of(lambda: what(ledger)) <= 6 * entries) is True


def test_reads_with_several_currencies():
    ledger = ledger_of(45, currencies=("EUR", "USD", "JPY"))
    assert (reads_of(lambda: BalanceSheet(ledger, END)) <= 270) is True


def test_reads_of_part_of_a_year():
    ledger = ledger_of(50)
    assert (reads_of(lambda: IncomeStatement(ledger, START, START + dt.timedelta(29))) <= 300) is True
    assert (reads_of(lambda: BalanceSheet(ledger, START + dt.timedelta(29))) <= 300) is True


def test_figures_of_a_wide_chart():
    ledger = ledger_of(20, idle=10, currencies=("EUR", "USD"))
    sheet = BalanceSheet(ledger, END)
    assert str(sheet.earnings) == "-36.00 EUR, -36.00 USD"
    assert [line.account for line in sheet.liabilities.lines] == [
        "Liabilities:Lender 12", "Liabilities:Lender 17", "Liabilities:Lender 2", "Liabilities:Lender 7",
    ]
    closing = PeriodCloser(ledger).close(END)
    assert closing.flag is Flag.CLOSING
    assert str(Bag(posting.amount for posting in closing.postings if posting.account == "Equity:Retained")) == (
        "36.00 EUR, 36.00 USD")
