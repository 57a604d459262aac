import datetime as dt

import pytest

from tallybook import Amount, Currency, Entry, Flag, Posting, Price
from tallybook.errors import EntryError, UnbalancedError

EUR = Currency("EUR")
USD = Currency("USD")
DAY = dt.date(2024, 1, 1)


def eur(value):
    return Amount(value, EUR)


def usd(value):
    return Amount(value, USD)


def test_make_fills_in_the_rest():
    entry = Entry.make(DAY, "Shop", [Posting("Expenses:Food", eur("4.20")), Posting("Assets:Bank")])
    assert entry.postings[1].amount == eur("-4.20")
    assert entry.flag is Flag.PLAIN
    assert entry.id == 0


def test_make_fills_in_one_posting_per_currency():
    entry = Entry.make(DAY, "Trip", [
        Posting("Expenses:Food", usd(3)), Posting("Assets:Cash"), Posting("Expenses:Food", eur(2)),
    ])
    assert [(posting.account, str(posting.amount)) for posting in entry.postings] == [
        ("Expenses:Food", "3.00 USD"), ("Assets:Cash", "-2.00 EUR"), ("Assets:Cash", "-3.00 USD"),
        ("Expenses:Food", "2.00 EUR"),
    ]


def test_unbalanced():
    with pytest.raises(UnbalancedError) as caught:
        Entry.make(DAY, "Off", [Posting("Expenses:Food", eur(3)), Posting("Assets:Bank", eur(-2))])
    assert str(caught.value.residue) == "1.00 EUR"


@pytest.mark.parametrize("postings", [
    [Posting("Assets:Bank", eur(0))],
    [Posting("Assets:Bank"), Posting("Assets:Cash")],
    [Posting("Assets:Bank", eur(1)), Posting("Assets:Cash"), Posting("Assets:Safe")],
    [Posting("Assets:Bank", eur(1)), Posting("Assets:Cash", eur(-1)), Posting("Assets:Safe")],
])
def test_make_refuses(postings):
    with pytest.raises(EntryError):
        Entry.make(DAY, "Off", postings)


def test_prices_decide_the_weight():
    assert Posting("Assets:Cash", usd(-10), Price(eur("0.90"))).weight == eur("-9.00")
    assert Posting("Assets:Cash", usd(-10), Price(eur("9.05"), is_total=True)).weight == eur("-9.05")
    entry = Entry.make(DAY, "Dollars", [Posting("Assets:Cash", usd(10), Price(eur("9.05"), True)), Posting("Assets:Bank")])
    assert entry.postings[1].amount == eur("-9.05")


def test_prices_refuse():
    with pytest.raises(EntryError):
        Price(eur(-1))
    with pytest.raises(EntryError):
        Posting("Assets:Cash", eur(1), Price(eur(1)))
    with pytest.raises(EntryError):
        Posting("Assets:Cash", None, Price(eur(1)))


@pytest.mark.parametrize("description", [" x", "a\nb", "a;b", "* done", "%"])
def test_description_must_fit_the_journal(description):
    with pytest.raises(EntryError):
        Entry.make(DAY, description, [Posting("Assets:Cash", eur(1)), Posting("Assets:Bank")])


def test_accounts_are_named_once():
    entry = Entry.make(DAY, "Trip", [
        Posting("Assets:Cash", eur(1)), Posting("Assets:Bank"), Posting("Assets:Cash", eur(2)),
    ])
    assert entry.accounts() == ["Assets:Cash", "Assets:Bank"]


def test_asserted_goes_with_the_last_filled_posting():
    entry = Entry.make(DAY, "Trip", [
        Posting("Expenses:Food", usd(3)), Posting("Expenses:Food", eur(2)), Posting("Assets:Cash", asserted=eur(7)),
    ])
    assert [posting.asserted for posting in entry.postings] == [None, None, None, eur(7)]
