import datetime as dt

import pytest

from tallybook import Flag, IncomeStatement, PeriodCloser, dumps, loads
from tallybook.errors import LedgerError, LockedPeriodError

YEAR_END = dt.date(2024, 12, 31)


def test_close_empties_income_and_expenses(year):
    closing = PeriodCloser(year.ledger).close(YEAR_END)
    assert closing.flag is Flag.CLOSING
    assert year.balance("Income") == "0"
    assert year.balance("Expenses") == "0"
    assert year.balance("Equity:Retained") == "-560.00 EUR"
    assert year.ledger.checkpoints == (YEAR_END,)
    assert year.ledger.locked_through == YEAR_END


def test_closed_days_are_locked(year):
    PeriodCloser(year.ledger).close(YEAR_END)
    with pytest.raises(LockedPeriodError):
        year.post("2024-12-31", "Late", ("Assets:Bank", 1), ("Income:Gift", None))
    with pytest.raises(LedgerError):
        PeriodCloser(year.ledger).close(YEAR_END)


def test_closing_an_empty_period_only_locks(book):
    assert PeriodCloser(book.ledger).close(YEAR_END) is None
    assert book.ledger.locked_through == YEAR_END
    assert book.ledger.entries == ()


def test_income_statement_of_a_closed_period_survives_the_journal(year):
    PeriodCloser(year.ledger, "Equity:Past").close(YEAR_END)
    again = loads(dumps(year.ledger))
    assert again.locked_through == YEAR_END
    assert str(IncomeStatement(again, None, YEAR_END).net) == "560.00 EUR"


def test_reopen_undoes_the_last_closing(year):
    closer = PeriodCloser(year.ledger)
    closer.close(dt.date(2024, 2, 1))
    closer.close(dt.date(2024, 3, 31))
    assert year.balance("Equity:Retained") == "-560.00 EUR"
    assert closer.reopen() == dt.date(2024, 2, 1)
    assert year.balance("Equity:Retained") == "-960.00 EUR"
    assert year.ledger.checkpoints == (dt.date(2024, 2, 1),)
    assert closer.reopen() is None
    assert year.balance("Income:Salary") == "-1000.00 EUR"
    with pytest.raises(LedgerError):
        closer.reopen()
