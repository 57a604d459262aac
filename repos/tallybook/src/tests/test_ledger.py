import datetime as dt

import pytest

from tallybook import Amount, Entry, Flag, Posting
from tallybook.errors import (
    AccountError, BalanceAssertionError, LedgerError, LockedPeriodError, UnknownAccountError, UnknownEntryError,
)


def day(text):
    return dt.date.fromisoformat(text)


def listed(entries):
    return [(str(entry.date), entry.id) for entry in entries]


def test_entries_come_by_date_and_number(year):
    assert listed(year.ledger.entries) == [("2024-01-10", 1), ("2024-02-01", 3), ("2024-02-01", 4), ("2024-03-05", 2)]


@pytest.mark.parametrize("start, end, ids", [
    ("2024-02-01", "2024-02-01", [3, 4]), ("2024-01-11", "2024-03-04", [3, 4]), (None, "2024-01-10", [1]),
    ("2024-03-05", None, [2]), ("2024-03-06", None, []), (None, None, [1, 3, 4, 2]),
])
def test_between(year, start, end, ids):
    found = year.ledger.between(day(start) if start else None, day(end) if end else None)
    assert [entry.id for entry in found] == ids


def test_balance_counts_the_accounts_below(year):
    assert year.balance("Expenses") == "440.00 EUR"
    assert year.balance("Expenses", deep=False) == "0"
    assert year.balance("Expenses:Home") == "400.00 EUR"
    assert year.balance("Assets:Bank", "2024-02-01") == "969.50 EUR"
    assert year.balance("Assets:Bank", "2024-01-09") == "0"


def test_unknown_accounts_are_refused(book):
    with pytest.raises(UnknownAccountError):
        book.ledger.balance("Assets:Bank")
    entry = Entry.make(day("2024-01-01"), "x", [Posting("Assets:A", Amount(1, book.eur)), Posting("Assets:B")])
    with pytest.raises(UnknownAccountError):
        book.ledger.post(entry)
    assert book.ledger.entries == ()


def test_retired_accounts_are_refused(book):
    book.ledger.chart.open("Assets:Old")
    book.ledger.chart.retire("Assets:Old", day("2024-01-31"))
    book.post("2024-01-31", "Last", ("Assets:Old", 1), ("Assets:Bank", None))
    with pytest.raises(AccountError, match="retired"):
        book.post("2024-02-01", "Late", ("Assets:Old", 1), ("Assets:Bank", None))


def test_void(year):
    assert year.ledger.void(3).description == "Shop"
    assert year.balance("Expenses:Food") == "9.50 EUR"
    with pytest.raises(UnknownEntryError):
        year.ledger.entry(3)
    assert year.post("2024-01-01", "New", ("Assets:Bank", 1), ("Income:Gift", None)).id == 5


def test_amend_keeps_what_is_not_given(year):
    amended = year.ledger.amend(3, description="Grocer", flag=Flag.CLEARED)
    assert (amended.id, amended.date, amended.description) == (3, day("2024-02-01"), "Grocer")
    assert year.ledger.entry(3).flag is Flag.CLEARED
    assert year.balance("Expenses:Food") == "40.00 EUR"


def test_amend_the_postings(year):
    year.ledger.amend(3, postings=[Posting("Expenses:Food", Amount(31, year.eur)), Posting("Assets:Bank")])
    assert year.balance("Expenses:Food") == "40.50 EUR"
    assert year.balance("Assets:Bank") == "569.00 EUR"


def test_amend_refuses_bad_entries(year):
    with pytest.raises(UnknownAccountError):
        year.ledger.amend(3, postings=[Posting("Assets:X", Amount(1, year.eur)), Posting("Assets:Bank")])
    with pytest.raises(UnknownEntryError):
        year.ledger.amend(9, description="x")
    assert year.ledger.entry(3).description == "Shop"


def test_amend_the_date_moves_the_entry(year):
    year.ledger.amend(3, date=day("2024-04-01"))
    assert listed(year.ledger.entries) == [("2024-01-10", 1), ("2024-02-01", 4), ("2024-03-05", 2), ("2024-04-01", 3)]


def test_amend_the_date_moves_the_balance(year):
    year.ledger.amend(2, date=day("2024-01-31"))
    assert year.balance("Expenses:Home", "2024-01-31") == "400.00 EUR"
    assert [entry.id for entry in year.ledger.between(day("2024-01-01"), day("2024-01-31"))] == [1, 2]


def test_void_after_the_date_was_amended(year):
    year.ledger.amend(3, date=day("2024-04-01"))
    assert year.ledger.void(3).date == day("2024-04-01")
    assert [entry.id for entry in year.ledger.entries] == [1, 4, 2]


def test_amend_the_amount_after_a_checkpoint(year):
    year.ledger.checkpoint(day("2024-01-31"))
    year.ledger.amend(1, postings=[Posting("Assets:Bank", Amount(1100, year.eur)), Posting("Income:Salary")])
    assert year.balance("Income:Salary") == "-1100.00 EUR"


def test_amend_the_date_drops_stale_checkpoints(year):
    year.ledger.checkpoint(day("2024-01-31"))
    year.ledger.checkpoint(day("2024-02-29"))
    year.ledger.amend(3, date=day("2024-04-01"))
    assert year.ledger.checkpoints == (day("2024-01-31"),)
    assert year.balance("Expenses:Food", "2024-03-01") == "9.50 EUR"


def test_checkpoints_do_not_change_balances(year):
    year.ledger.checkpoint(day("2024-02-01"))
    assert year.ledger.checkpoints == (day("2024-02-01"),)
    assert year.balance("Assets:Bank") == "569.50 EUR"
    assert year.balance("Assets:Bank") == "569.50 EUR"
    assert year.balance("Assets:Bank", "2024-01-31") == "1000.00 EUR"


def test_posting_drops_the_checkpoints_it_counts_towards(year):
    for date in ("2024-01-31", "2024-02-01", "2024-03-31"):
        year.ledger.checkpoint(day(date))
    year.post("2024-02-01", "Forgotten", ("Expenses:Food", 1), ("Assets:Bank", None))
    assert year.ledger.checkpoints == (day("2024-01-31"),)
    assert year.balance("Expenses:Food", "2024-02-01") == "41.00 EUR"


def test_rename_account(year):
    year.ledger.rename_account("Liabilities:Card", "Liabilities:Credit Card")
    assert year.balance("Liabilities:Credit Card") == "-9.50 EUR"
    assert year.ledger.entry(4).accounts() == ["Expenses:Food", "Liabilities:Credit Card"]
    with pytest.raises(UnknownAccountError):
        year.ledger.balance("Liabilities:Card")


def test_rename_account_after_a_checkpoint(year):
    year.ledger.checkpoint(day("2024-02-15"))
    year.ledger.rename_account("Assets:Bank", "Assets:Current")
    assert year.balance("Assets:Current") == "569.50 EUR"


def test_rename_account_moves_those_below(year):
    year.ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert year.balance("Expenses:Living") == "400.00 EUR"
    assert year.balance("Expenses:Living:Rent") == "400.00 EUR"


def test_rename_account_rewrites_the_entries(year):
    year.ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert year.ledger.entry(2).accounts() == ["Expenses:Living:Rent", "Assets:Bank"]


def test_rename_account_moves_those_below_after_a_checkpoint(year):
    year.ledger.checkpoint(day("2024-03-31"))
    year.ledger.rename_account("Expenses:Home", "Expenses:Living")
    assert year.balance("Expenses:Living") == "400.00 EUR"


def test_lock(year):
    year.ledger.lock(day("2024-02-01"))
    with pytest.raises(LockedPeriodError) as caught:
        year.post("2024-02-01", "Late", ("Assets:Bank", 1), ("Income:Gift", None))
    assert caught.value.locked_through == day("2024-02-01")
    with pytest.raises(LockedPeriodError):
        year.ledger.void(3)
    with pytest.raises(LockedPeriodError):
        year.ledger.amend(2, date=day("2024-01-31"))
    year.ledger.void(2)


def test_lock_does_not_go_back(year):
    year.ledger.lock(day("2024-02-01"))
    with pytest.raises(LedgerError):
        year.ledger.lock(day("2024-01-01"))
    year.ledger.unlock(day("2024-01-01"))
    assert year.ledger.locked_through == day("2024-01-01")
    with pytest.raises(LedgerError):
        year.ledger.unlock(day("2024-01-02"))


def test_asserted_is_none_unless_given(book):
    assert Posting("Assets:Bank").asserted is None
    assert Posting("Assets:Bank", asserted=Amount(5, book.eur)).asserted == Amount(5, book.eur)


def test_check_assertions(book):
    book.post("2024-01-02", "Start", ("Assets:Bank", 10), ("Equity:Start", None))
    wrong = book.ledger.post(Entry.make(day("2024-01-03"), "Gift", [
        Posting("Assets:Bank", Amount(5, book.eur), asserted=Amount(16, book.eur)), Posting("Equity:Start"),
    ]))
    with pytest.raises(BalanceAssertionError) as caught:
        book.ledger.check_assertions()
    error = caught.value
    assert (error.entry_id, error.index, error.account) == (wrong.id, 0, "Assets:Bank")
    assert (str(error.expected), str(error.actual)) == ("16.00 EUR", "15.00 EUR")
    book.post("2024-01-01", "Earlier", ("Assets:Bank", 1), ("Equity:Start", None))
    book.ledger.check_assertions()
