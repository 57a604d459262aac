"""A ledger over a store that is not the library's."""

import datetime as dt

import pytest

from tallybook import (
    Amount, BalanceSheet, Currency, Entry, Flag, IncomeStatement, JournalParser, Ledger, PeriodCloser, Posting, Register,
    TrialBalance, dumps,
)
from tallybook.errors import AccountError, LedgerError, LockedPeriodError, UnbalancedError, UnknownAccountError, UnknownEntryError

EUR = Currency("EUR")


class Drawer:
    """A store that keeps sheets in a heap and remembers what was done to it."""

    def __init__(self):
        self.sheets = []
        self.given = 0
        self.done = []

    def __len__(self):
        return len(self.sheets)

    def new_id(self):
        self.done.append("new_id")
        self.given += 1
        return self.given

    def put(self, entry):
        self.done.append(f"put {entry.id}")
        self.sheets = [entry] + [sheet for sheet in self.sheets if sheet.id != entry.id]

    def get(self, entry_id):
        for sheet in self.sheets:
            if sheet.id == entry_id:
                return sheet
        raise UnknownEntryError(entry_id)

    def remove(self, entry_id):
        entry = self.get(entry_id)
        self.done.append(f"remove {entry_id}")
        self.sheets.remove(entry)
        return entry

    def between(self, start=None, end=None):
        start, end = start or dt.date.min, end or dt.date.max
        return sorted((sheet for sheet in self.sheets if start <= sheet.date <= end), key=lambda sheet: (sheet.date, sheet.id))


JOURNAL = """\
2024-03-01 * Pay
    Assets:Bank        900.00 EUR
    Income:Job

2024-01-15 Stall
    Expenses:Food:Out   12.00 EUR
    Assets:Cash

2024-02-10 Shop
    Expenses:Food       30.00 EUR
    Assets:Bank
"""


def over(drawer):
    return JournalParser(Ledger(store=drawer)).parse_text(JOURNAL)


def sharing(drawer, ledger):
    return Ledger(ledger.chart, ledger.currencies, ledger.rates, drawer)


def move(amount, taken="Assets:Bank", given="Expenses:Food"):
    return (Posting(given, Amount(amount, EUR)), Posting(taken, -Amount(amount, EUR)))


def day(month, number):
    return dt.date(2024, month, number)


def test_journal_goes_to_the_store():
    drawer = Drawer()
    ledger = over(drawer)
    assert ledger.store is drawer
    assert drawer.done == ["new_id", "put 1", "new_id", "put 2", "new_id", "put 3"]
    assert [entry.id for entry in ledger.entries] == [2, 3, 1]


def test_store_as_the_fourth_argument():
    drawer = Drawer()
    over(drawer)
    ledger = Ledger(None, None, None, drawer)
    assert [entry.description for entry in ledger.between(day(2, 1), day(3, 1))] == ["Shop", "Pay"]
    assert ledger.entry(2).date == day(1, 15)


def test_ledger_over_a_filled_store():
    drawer = Drawer()
    ledger = sharing(drawer, over(drawer))
    assert str(ledger.balance("Assets:Bank")) == "870.00 EUR"
    assert ledger.post(Entry(day(2, 1), "More", move(5))).id == 4
    assert [entry.id for entry in ledger.entries] == [2, 4, 3, 1]


def test_ledgers_that_share_a_store():
    drawer = Drawer()
    one = over(drawer)
    two = sharing(drawer, one)
    assert two.post(Entry(day(4, 1), "Theirs", move(1))).id == 4
    assert one.post(Entry(day(4, 1), "Ours", move(2))).id == 5
    one.void(5)
    assert two.post(Entry(day(4, 1), "Next", move(3))).id == 6
    two.amend(1, date=day(1, 1))
    assert [entry.id for entry in one.entries] == [1, 2, 3, 4, 6]
    assert str(one.balance("Expenses:Food")) == "46.00 EUR"
    assert str(one.balance("Assets:Bank", day(1, 31))) == "900.00 EUR"


def test_voided_entries_are_gone_for_both():
    drawer = Drawer()
    one = over(drawer)
    two = sharing(drawer, one)
    assert two.void(1).description == "Pay"
    with pytest.raises(UnknownEntryError):
        one.entry(1)
    with pytest.raises(UnknownEntryError):
        one.amend(1, description="Pay?")
    assert str(one.totals().get("Assets:Bank")) == "-30.00 EUR"


def test_locks_belong_to_a_ledger():
    drawer = Drawer()
    one = over(drawer)
    two = sharing(drawer, one)
    one.lock(day(2, 28))
    with pytest.raises(LockedPeriodError):
        one.amend(3, description="Store")
    assert two.amend(3, description="Store").id == 3
    assert one.entry(3).description == "Store"


def test_amending():
    drawer = Drawer()
    ledger = over(drawer)
    ledger.checkpoint(day(2, 28))
    ledger.checkpoint(day(1, 1))
    ledger.amend(1, date=day(1, 20), postings=move(1000, "Income:Job", "Assets:Bank"))
    assert ledger.checkpoints == (day(1, 1),)
    assert str(ledger.balance("Assets:Bank", day(2, 28))) == "970.00 EUR"
    assert [entry.id for entry in drawer.between()] == [2, 1, 3]
    ledger.checkpoint(day(1, 31))
    ledger.amend(1, date=day(3, 2))
    assert ledger.checkpoints == (day(1, 1),)
    assert str(ledger.balance("Assets", day(1, 31))) == "-12.00 EUR"


def test_renaming_puts_what_changes():
    drawer = Drawer()
    ledger = over(drawer)
    drawer.done.clear()
    ledger.checkpoint(day(1, 31))
    ledger.rename_account("Expenses:Food", "Expenses:Meals")
    assert sorted(drawer.done) == ["put 2", "put 3"]
    assert [posting.account for posting in drawer.get(2).postings] == ["Expenses:Meals:Out", "Assets:Cash"]
    assert str(ledger.balance("Expenses:Meals")) == "42.00 EUR"
    ledger.chart.open("Assets:Box")
    ledger.rename_account("Assets:Box", "Assets:Chest")
    assert len(drawer.done) == 2


@pytest.mark.parametrize("refused, error", [
    (lambda ledger: ledger.post(Entry(day(1, 31), "Late", move(1))), LockedPeriodError),
    (lambda ledger: ledger.post(Entry(day(5, 1), "Where", move(1, "Assets:Moon"))), UnknownAccountError),
    (lambda ledger: ledger.post(Entry(day(7, 1), "Shut", move(1, "Assets:Cash"))), AccountError),
    (lambda ledger: ledger.amend(1, date=day(1, 31)), LockedPeriodError),
    (lambda ledger: ledger.amend(2, date=day(4, 1)), LockedPeriodError),
    (lambda ledger: ledger.amend(1, postings=move(1, "Assets:Moon")), UnknownAccountError),
    (lambda ledger: ledger.amend(1, postings=[move(1)[0], move(2)[1]]), UnbalancedError),
    (lambda ledger: ledger.amend(9, description="?"), UnknownEntryError),
    (lambda ledger: ledger.void(2), LockedPeriodError),
    (lambda ledger: ledger.void(9), UnknownEntryError),
    (lambda ledger: ledger.rename_account("Expenses:Food", "Expenses"), AccountError),
    (lambda ledger: ledger.rename_account("Expenses:Food", "Assets:Food"), AccountError),
    (lambda ledger: PeriodCloser(ledger).close(day(1, 15)), LedgerError),
], ids=["post-locked", "post-unknown", "post-retired", "amend-into", "amend-out-of", "amend-unknown", "amend-unbalanced",
        "amend-nothing", "void-locked", "void-nothing", "rename-taken", "rename-kind", "close-again"])
def test_what_is_refused_leaves_the_store_alone(refused, error):
    drawer = Drawer()
    ledger = over(drawer)
    ledger.chart.retire("Assets:Cash", day(6, 30))
    ledger.lock(day(1, 31))
    before, drawer.done[:] = drawer.between(), []
    with pytest.raises(error):
        refused(ledger)
    assert (drawer.done, drawer.between() == before) == ([], True)


def test_questions_leave_the_store_alone():
    drawer = Drawer()
    ledger = over(drawer)
    drawer.done.clear()
    ledger.checkpoint(day(2, 1))
    ledger.check_assertions()
    assert str(ledger.balance("Expenses", day(2, 28))) == "42.00 EUR"
    assert str(TrialBalance(ledger).debit) == "912.00 EUR"
    assert str(IncomeStatement(ledger, day(2, 1), day(3, 31)).net) == "870.00 EUR"
    assert str(BalanceSheet(ledger, day(3, 31)).net_worth) == "858.00 EUR"
    assert [str(row.balance) for row in Register(ledger, "Assets:Bank").rows] == ["-30.00 EUR", "870.00 EUR"]
    assert dumps(ledger).count("2024-") == 3
    assert drawer.done == []


def test_closing_and_reopening():
    drawer = Drawer()
    ledger = over(drawer)
    closer = PeriodCloser(ledger)
    assert closer.close(day(1, 31)).id == 4
    assert closer.close(day(3, 31)).id == 5
    assert [entry.flag for entry in drawer.between()].count(Flag.CLOSING) == 2
    assert str(IncomeStatement(sharing(drawer, ledger), None, day(3, 31)).net) == "858.00 EUR"
    assert closer.reopen() == day(1, 31)
    assert [entry.id for entry in drawer.between()] == [2, 4, 3, 1]
    assert drawer.done[-1] == "remove 5"


@pytest.mark.parametrize("last", [dt.date.max, dt.date.max - dt.timedelta(1)], ids=["last-day", "day-before"])
def test_checkpoint_at_the_end_of_time_in_a_drawer(last):
    ledger = over(Drawer())
    ledger.checkpoint(last)
    assert str(ledger.balance("Assets:Bank")) == "870.00 EUR"
    assert str(ledger.balance("Assets:Bank", dt.date.max)) == "870.00 EUR"
    ledger.post(Entry(dt.date.max, "Last", move(70)))
    assert str(ledger.balance("Assets:Bank", dt.date.max)) == "800.00 EUR"
