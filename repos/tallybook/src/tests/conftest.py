import datetime as dt

import pytest

from tallybook import Amount, Currency, Entry, Ledger, Posting


def day(text):
    return dt.date.fromisoformat(text)


class Book:
    """A ledger with a short way of posting."""

    def __init__(self):
        self.ledger = Ledger()
        self.eur = self.ledger.currencies.get("EUR")

    def post(self, date, description, *postings, **options):
        made = []
        for name, amount in postings:
            self.ledger.chart.open(name)
            made.append(Posting(name, None if amount is None else Amount(amount, self.eur)))
        return self.ledger.post(Entry.make(day(date), description, made, **options))

    def balance(self, account, as_of=None, **options):
        return str(self.ledger.balance(account, day(as_of) if as_of else None, **options))


@pytest.fixture
def book():
    return Book()


@pytest.fixture
def year(book):
    """Four entries of one year, posted out of order."""
    book.post("2024-01-10", "Salary", ("Assets:Bank", "1000"), ("Income:Salary", None))
    book.post("2024-03-05", "Rent", ("Expenses:Home:Rent", "400"), ("Assets:Bank", None))
    book.post("2024-02-01", "Shop", ("Expenses:Food", "30.50"), ("Assets:Bank", None))
    book.post("2024-02-01", "Card", ("Expenses:Food", "9.50"), ("Liabilities:Card", None))
    return book


@pytest.fixture
def eur():
    return Currency("EUR")
