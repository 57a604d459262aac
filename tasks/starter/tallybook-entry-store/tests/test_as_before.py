"""A ledger that is made without a store."""

import datetime as dt

import pytest

from tallybook import Amount, Currency, Entry, Flag, Ledger, PeriodCloser, Posting, Register, dumps, loads
from tallybook.errors import LockedPeriodError, UnknownAccountError, UnknownEntryError

EUR = Currency("EUR")


@pytest.fixture
def ledger():
    return loads("""\
2024-05-02 Second
    Assets:Cash    20 EUR
    Income:Sale
2024-05-01 First
    Assets:Cash    10 EUR
    Income:Sale
2024-05-02 Third
    Assets:Cash:Coins    1 EUR
    Assets:Cash
""")


def day(number):
    return dt.date(2024, 5, number)


def test_order_and_numbers(ledger):
    assert [(entry.id, entry.description) for entry in ledger.entries] == [(2, "First"), (1, "Second"), (3, "Third")]
    assert [entry.id for entry in ledger.between(day(2))] == [1, 3]
    assert [entry.id for entry in ledger.between(None, day(1))] == [2]
    assert ledger.between(day(3), day(1)) == []


def test_numbers_go_on_after_a_void(ledger):
    ledger.void(3)
    posted = ledger.post(Entry(day(9), "Again", (Posting("Assets:Cash", Amount(1, EUR)), Posting("Income:Sale", Amount(-1, EUR)))))
    assert posted.id == 4
    with pytest.raises(UnknownEntryError):
        ledger.entry(3)


def test_number_is_not_lost_when_posting_fails(ledger):
    with pytest.raises(UnknownAccountError):
        ledger.post(Entry(day(9), "No", (Posting("Assets:X", Amount(1, EUR)), Posting("Income:Sale", Amount(-1, EUR)))))
    ledger.lock(day(8))
    with pytest.raises(LockedPeriodError):
        ledger.post(Entry(day(8), "No", (Posting("Assets:Cash", Amount(1, EUR)), Posting("Income:Sale", Amount(-1, EUR)))))
    posted = ledger.post(Entry(day(9), "Yes", (Posting("Assets:Cash", Amount(1, EUR)), Posting("Income:Sale", Amount(-1, EUR)))))
    assert posted.id == 4


def test_amend_that_fails_changes_nothing(ledger):
    text = dumps(ledger)
    ledger.checkpoint(day(2))
    with pytest.raises(UnknownAccountError):
        ledger.amend(1, postings=[Posting("Assets:X", Amount(1, EUR)), Posting("Income:Sale")])
    assert dumps(ledger) == text
    assert ledger.checkpoints == (day(2),)


def test_amend_moves(ledger):
    ledger.checkpoint(day(1))
    ledger.checkpoint(day(4))
    assert ledger.amend(2, date=day(5)).id == 2
    assert [entry.id for entry in ledger.entries] == [1, 3, 2]
    assert ledger.checkpoints == ()
    assert str(ledger.balance("Assets:Cash", day(4))) == "20.00 EUR"


def test_checkpoints_that_stay_true(ledger):
    ledger.checkpoint(day(1))
    ledger.checkpoint(day(2))
    ledger.void(3)
    assert ledger.checkpoints == (day(1),)
    assert str(ledger.balance("Assets:Cash", deep=False)) == "30.00 EUR"


def test_checkpoint_on_the_last_day_there_is(ledger):
    ledger.checkpoint(dt.date.max)
    assert str(ledger.balance("Assets:Cash")) == "30.00 EUR"
    assert str(ledger.balance("Assets:Cash", day(1))) == "10.00 EUR"


def test_renaming(ledger):
    ledger.checkpoint(day(1))
    ledger.rename_account("Assets:Cash", "Assets:Purse")
    assert [str(row.balance) for row in Register(ledger, "Assets:Purse").rows] == ["10.00 EUR", "30.00 EUR"]
    assert str(ledger.balance("Assets:Purse", day(1))) == "10.00 EUR"


def test_closing_twice_and_reopening(ledger):
    closer = PeriodCloser(ledger)
    closer.close(day(1))
    closing = closer.close(day(31))
    assert (closing.id, closing.flag) == (5, Flag.CLOSING)
    closer.reopen()
    assert [entry.id for entry in ledger.entries] == [2, 4, 1, 3]


def test_ledgers_do_not_share_by_default():
    first, second = Ledger(), Ledger()
    first.chart.open("Assets:A")
    first.post(Entry(day(1), "x", (Posting("Assets:A", Amount(1, EUR)), Posting("Assets:A", Amount(-1, EUR)))))
    assert (len(first.entries), len(second.entries)) == (1, 0)
