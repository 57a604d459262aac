import datetime as dt

import pytest

from tallybook import Amount, Currency, Entry, Ledger, PeriodCloser, Posting, Price, loads
from tallybook.errors import UnbalancedError

EUR = Currency("EUR")
USD = Currency("USD")


def eur(value):
    return Amount(value, EUR)


def usd(value):
    return Amount(value, USD)


def day(text):
    return dt.date.fromisoformat(text)


@pytest.fixture
def ledger():
    ledger = Ledger()
    for name in ("Assets:Bank:Savings", "Assets:Cash", "Equity:Start", "Expenses:Food"):
        ledger.chart.open(name)
    return ledger


def post(ledger, date, *postings):
    return ledger.post(Entry.make(day(date), "x", postings))


def failing(ledger):
    from tallybook.errors import BalanceAssertionError
    with pytest.raises(BalanceAssertionError) as caught:
        ledger.check_assertions()
    error = caught.value
    return error.entry_id, error.index, error.account, str(error.expected), str(error.actual)


def test_fourth_field():
    assert Posting("Assets:Cash", eur(1)).asserted is None
    assert Posting("Assets:Cash", usd(1), Price(eur(1)), usd(5)).asserted == usd(5)
    assert Posting("Assets:Cash", asserted=eur(2)) != Posting("Assets:Cash", asserted=eur(3))


def test_assertions_that_are_met(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(10), asserted=eur(10)), Posting("Equity:Start", asserted=eur(-10)))
    post(ledger, "2024-01-02", Posting("Assets:Cash", eur(5), asserted=eur("15.00")), Posting("Equity:Start"))
    assert ledger.check_assertions() is None


def test_first_failure_counts(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(10), asserted=eur(10)), Posting("Equity:Start", asserted=eur(-9)))
    post(ledger, "2024-01-02", Posting("Assets:Cash", eur(5), asserted=eur(16)), Posting("Equity:Start"))
    assert failing(ledger) == (1, 1, "Equity:Start", "-9.00 EUR", "-10.00 EUR")


def test_error_is_a_ledger_error():
    from tallybook.errors import BalanceAssertionError, LedgerError, TallybookError
    assert issubclass(BalanceAssertionError, LedgerError)
    assert issubclass(BalanceAssertionError, TallybookError)


def test_order_is_by_date(ledger):
    post(ledger, "2024-01-05", Posting("Assets:Cash", eur(3), asserted=eur(13)), Posting("Equity:Start"))
    assert failing(ledger) == (1, 0, "Assets:Cash", "13.00 EUR", "3.00 EUR")
    post(ledger, "2024-01-04", Posting("Assets:Cash", eur(10), asserted=eur(10)), Posting("Equity:Start"))
    assert ledger.check_assertions() is None
    post(ledger, "2024-01-05", Posting("Assets:Cash", eur(7)), Posting("Equity:Start"))
    assert ledger.check_assertions() is None


def test_earliest_entry_fails_first(ledger):
    post(ledger, "2024-03-01", Posting("Assets:Cash", eur(1), asserted=eur(100)), Posting("Equity:Start"))
    post(ledger, "2024-02-01", Posting("Assets:Cash", eur(1), asserted=eur(200)), Posting("Equity:Start"))
    assert failing(ledger) == (2, 0, "Assets:Cash", "200.00 EUR", "1.00 EUR")


def test_postings_of_one_entry_count_in_turn(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(1), asserted=eur(1)),
         Posting("Assets:Cash", eur(2), asserted=eur(3)), Posting("Equity:Start"))
    assert ledger.check_assertions() is None
    post(ledger, "2024-01-02", Posting("Assets:Cash", eur(1), asserted=eur(6)),
         Posting("Assets:Cash", eur(2), asserted=eur(6)), Posting("Equity:Start"))
    assert failing(ledger) == (2, 0, "Assets:Cash", "6.00 EUR", "4.00 EUR")


def test_accounts_below_do_not_count(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Bank:Savings", eur(50)), Posting("Equity:Start"))
    post(ledger, "2024-01-02", Posting("Assets:Bank", eur(5), asserted=eur(5)), Posting("Equity:Start"))
    assert ledger.check_assertions() is None
    post(ledger, "2024-01-03", Posting("Assets:Bank", eur(1), asserted=eur(56)), Posting("Equity:Start"))
    assert failing(ledger) == (3, 0, "Assets:Bank", "56.00 EUR", "6.00 EUR")


def test_only_the_asserted_currency_counts(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(50)), Posting("Equity:Start"))
    post(ledger, "2024-01-02", Posting("Assets:Cash", usd(10), Price(eur("0.90")), usd(10)), Posting("Assets:Bank"))
    post(ledger, "2024-01-03", Posting("Assets:Cash", usd(1), asserted=eur(50)), Posting("Equity:Start"))
    assert ledger.check_assertions() is None
    post(ledger, "2024-01-04", Posting("Assets:Bank", usd(1), asserted=eur(0)), Posting("Equity:Start"))
    assert failing(ledger) == (4, 0, "Assets:Bank", "0.00 EUR", "-9.00 EUR")


def test_asserting_nothing(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(5), asserted=usd(0)), Posting("Equity:Start"))
    assert ledger.check_assertions() is None
    post(ledger, "2024-01-02", Posting("Assets:Cash", eur(-4), asserted=eur(0)), Posting("Expenses:Food"))
    assert failing(ledger) == (2, 0, "Assets:Cash", "0.00 EUR", "1.00 EUR")


def test_make_keeps_the_assertion_of_the_filled_posting():
    entry = Entry.make(day("2024-01-01"), "x", [Posting("Assets:Cash", asserted=eur(7)), Posting("Expenses:Food", eur(3))])
    assert [(str(posting.amount), posting.asserted) for posting in entry.postings] == [("-3.00 EUR", eur(7)), ("3.00 EUR", None)]


def test_make_puts_it_on_the_last_of_several():
    entry = Entry.make(day("2024-01-01"), "x", [
        Posting("Assets:Cash", asserted=eur(7)), Posting("Expenses:Food", usd(3)), Posting("Expenses:Food", eur(2), asserted=eur(9)),
    ])
    assert [(str(posting.amount), posting.asserted) for posting in entry.postings] == [
        ("-2.00 EUR", None), ("-3.00 USD", eur(7)), ("3.00 USD", None), ("2.00 EUR", eur(9)),
    ]


def test_rename_and_amend_keep_assertions(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(5), asserted=eur(6)), Posting("Equity:Start"))
    ledger.rename_account("Assets:Cash", "Assets:Wallet")
    ledger.amend(1, description="y", date=day("2024-01-09"))
    assert failing(ledger) == (1, 0, "Assets:Wallet", "6.00 EUR", "5.00 EUR")


def test_changes_check_nothing(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(5), asserted=eur(6)), Posting("Equity:Start"))
    post(ledger, "2024-01-02", Posting("Assets:Cash", eur(5), asserted=eur(10)), Posting("Equity:Start"))
    assert ledger.amend(2, description="y").id == 2
    assert ledger.void(1).postings[0].asserted == eur(6)
    assert failing(ledger) == (2, 0, "Assets:Cash", "10.00 EUR", "5.00 EUR")


def test_checkpoints_and_locks_make_no_difference(ledger):
    post(ledger, "2024-01-01", Posting("Assets:Cash", eur(5), asserted=eur(5)), Posting("Equity:Start"))
    post(ledger, "2024-02-01", Posting("Assets:Cash", eur(5), asserted=eur(10)), Posting("Equity:Start"))
    post(ledger, "2024-03-01", Posting("Assets:Cash", eur(5), asserted=eur(25)), Posting("Equity:Start"))
    ledger.checkpoint(day("2024-01-15"))
    ledger.lock(day("2024-03-01"))
    assert failing(ledger) == (3, 0, "Assets:Cash", "25.00 EUR", "15.00 EUR")


# What works already.

def test_ledger_without_assertions(ledger):
    entry = post(ledger, "2024-01-01", Posting("Assets:Cash", eur(5)), Posting("Equity:Start"))
    assert [(posting.account, str(posting.amount)) for posting in entry.postings] == [
        ("Assets:Cash", "5.00 EUR"), ("Equity:Start", "-5.00 EUR"),
    ]


def test_filling_in_several_currencies():
    entry = Entry.make(day("2024-01-01"), "x", [
        Posting("Expenses:Food", usd(3)), Posting("Assets:Cash"), Posting("Expenses:Food", eur(2)),
    ])
    assert [str(posting.amount) for posting in entry.postings] == ["3.00 USD", "-2.00 EUR", "-3.00 USD", "2.00 EUR"]


def test_unbalanced_entries_are_refused():
    with pytest.raises(UnbalancedError) as caught:
        Entry.make(day("2024-01-01"), "x", [Posting("Assets:Cash", eur(1)), Posting("Equity:Start", eur(1))])
    assert str(caught.value.residue) == "2.00 EUR"


def test_closing():
    ledger = loads("2024-01-01 x\n  Assets:Cash  5 EUR\n  Income:Gift\n")
    closing = PeriodCloser(ledger).close(day("2024-01-31"))
    assert [str(posting.amount) for posting in closing.postings] == ["5.00 EUR", "-5.00 EUR"]
