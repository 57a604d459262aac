import datetime as dt
import textwrap

import pytest

from tallybook import Flag, dump, dumps, load, loads
from tallybook.errors import BalanceAssertionError, JournalError, UnbalancedError

CANONICAL = """\
currency XBT 8

account Assets
account Assets:Bank
account Assets:Coins
account Assets:Old Bank  retired 2023-12-31
account Income
account Income:Salary
account Expenses
account Expenses:Food

price 2024-01-01 USD 0.92 EUR

2024-01-05 * Salary
    Assets:Bank     1000.00 EUR
    Income:Salary  -1000.00 EUR

2024-01-06 Coins
    Assets:Coins  0.50000000 XBT @@ 300.00 EUR
    Assets:Bank      -300.00 EUR

2024-01-07 !
    Expenses:Food   3.00 USD @ 0.92 EUR
    Assets:Bank    -2.76 EUR

locked 2023-12-31
"""


def text(raw):
    return textwrap.dedent(raw).lstrip("\n")


def failure(raw, **options):
    with pytest.raises(JournalError) as caught:
        loads(text(raw), **options)
    return caught.value


def test_round_trip():
    assert dumps(loads(CANONICAL)) == CANONICAL


def test_reading():
    ledger = loads(text("""
        ; a comment
        2024-02-01 * Corner shop ; with a comment
            Expenses:Food\t4.20 EUR  ; bread
          ; nothing here
            Assets:Bank
        2024-01-01 Start
            Assets:Bank   EUR 1,000
            Equity:Start
    """))
    assert [(entry.id, entry.flag, entry.description) for entry in ledger.entries] == [
        (2, Flag.PLAIN, "Start"), (1, Flag.CLEARED, "Corner shop"),
    ]
    assert str(ledger.balance("Assets:Bank")) == "995.80 EUR"


def test_retired_account():
    ledger = loads("account Assets:Old Bank  retired 2023-12-31\n")
    assert ledger.chart.get("Assets:Old Bank").retired == dt.date(2023, 12, 31)


def test_locked_counts_when_all_is_read():
    ledger = loads("locked 2024-12-31\n2024-01-01 x\n  Assets:A  1 EUR\n  Assets:B\n")
    assert ledger.locked_through == dt.date(2024, 12, 31)
    assert len(ledger.entries) == 1


@pytest.mark.parametrize("line, column, message", [
    ("acount Assets", 1, "unknown directive 'acount'"),
    ("account Cash", 9, "account 'Cash' must start with one of Assets, Liabilities, Equity, Income, Expenses"),
    ("account Assets:A  since 2024-01-01", 19, "unknown option 'since'"),
    ("currency XBT", 13, "expected: currency CODE PLACES"),
    ("currency XBT 8 9", 16, "expected: currency CODE PLACES"),
    ("currency EUR 3", 10, "EUR already has 2 places, not 3"),
    ("currency XBT x", 14, "not a number of places: 'x'"),
    ("price 2024-01-01 USD -1 EUR", 22, "not a rate: '-1'"),
    ("price 2024-01-01 USX 1 EUR", 18, "unknown currency 'USX'"),
    ("locked 2024-02-30", 8, "not a date: '2024-02-30'"),
    ("2024-13-01 x", 1, "not a date: '2024-13-01'"),
    ("   Assets:Bank  1 EUR", 4, "a posting must follow the first line of an entry"),
])
def test_errors_in_a_line(line, column, message):
    with pytest.raises(JournalError) as caught:
        loads("\n; comment\n" + line + "\n")
    assert (caught.value.line, caught.value.column, caught.value.message) == (3, column, message)
    assert caught.value.path is None


@pytest.mark.parametrize("posting, column, message", [
    ("Cash  1 EUR", 5, "account 'Cash' must start with one of Assets, Liabilities, Equity, Income, Expenses"),
    ("Assets:Bank  1.005 EUR", 22, "1.005 has more than 2 decimal places for EUR"),
    ("Assets:Bank  1 EUR x", 24, "unexpected 'x' after the amount"),
    ("Assets:Bank  1 XYZ", 20, "unknown currency 'XYZ'"),
    ("Assets:Bank  1 USD @ -1 EUR", 26, "a price must not be negative: -1.00 EUR"),
    ("Assets:Bank  1 USD @@ 1 EUR x", 33, "unexpected 'x' after the amount"),
    ("Assets:Bank  @ 1 EUR", 18, "expected a number"),
])
def test_errors_in_a_posting(posting, column, message):
    caught = failure(f"""
        2024-01-01 x
            Assets:Cash  1 EUR
            {posting}
    """)
    assert (caught.line, caught.column, caught.message) == (3, column, message)


def test_unbalanced_entries_name_their_first_line():
    caught = failure("""
        2024-01-01 fine
            Assets:A  1 EUR
            Assets:B
        2024-01-02 not
            Assets:A  1 EUR
            Assets:B  1 EUR

    """)
    assert (caught.line, caught.column) == (4, 1)
    assert isinstance(caught.__cause__, UnbalancedError)
    assert str(caught) == "<journal>:4:1: entry does not balance: 2.00 EUR left over"


def test_strict_wants_accounts_declared():
    assert failure("2024-01-01 x\n  Assets:A  1 EUR\n  Assets:B\n", strict=True).line == 2
    loads("account Assets:A\naccount Assets:B\n2024-01-01 x\n  Assets:A  1 EUR\n  Assets:B\n", strict=True)


def test_include(tmp_path):
    (tmp_path / "sub").mkdir()
    (tmp_path / "main.journal").write_text("include sub/a b.journal\n2024-01-02 y\n  Assets:A  1 EUR\n  Assets:B\n")
    (tmp_path / "sub" / "a b.journal").write_text("include c.journal\n2024-01-01 x\n  Assets:A  1 EUR\n  Assets:B")
    (tmp_path / "sub" / "c.journal").write_text("price 2024-01-01 USD 1 EUR")
    ledger = load(tmp_path / "main.journal")
    assert [entry.description for entry in ledger.entries] == ["x", "y"]
    assert len(list(ledger.rates)) == 1


def test_errors_name_the_included_file(tmp_path):
    (tmp_path / "main.journal").write_text("\ninclude a.journal\noops\n")
    (tmp_path / "a.journal").write_text("; fine\n")
    with pytest.raises(JournalError) as caught:
        load(tmp_path / "main.journal")
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "main.journal"), 3)
    (tmp_path / "a.journal").write_text("; fine\n\n\nnope\n")
    with pytest.raises(JournalError) as caught:
        load(tmp_path / "main.journal")
    assert (caught.value.path, caught.value.line) == (str(tmp_path / "a.journal"), 4)


def test_include_refuses_circles_and_missing_files(tmp_path):
    (tmp_path / "main.journal").write_text("include main.journal\n")
    with pytest.raises(JournalError, match="includes itself"):
        load(tmp_path / "main.journal")
    (tmp_path / "main.journal").write_text("include other.journal\n")
    with pytest.raises(JournalError, match="1:9: no such file"):
        load(tmp_path / "main.journal")


def test_dump_replaces_the_file(tmp_path, year):
    path = tmp_path / "book.journal"
    path.write_text("old")
    dump(year.ledger, path)
    assert path.read_text() == dumps(year.ledger)
    assert [found.name for found in tmp_path.iterdir()] == ["book.journal"]
    assert str(load(path).balance("Assets:Bank")) == "569.50 EUR"


def test_renamed_accounts_are_written(year):
    year.ledger.rename_account("Expenses:Home", "Expenses:Living")
    again = loads(dumps(year.ledger))
    assert "Expenses:Home:Rent" not in again.chart
    assert str(again.balance("Expenses:Living:Rent")) == "400.00 EUR"


def test_assertions_are_read():
    ledger = loads("2024-01-01 x\n  Assets:A  1 EUR = 1 EUR\n  Assets:B  = -1.00 EUR\n")
    assert [str(posting.asserted) for posting in ledger.entry(1).postings] == ["1.00 EUR", "-1.00 EUR"]
    assert str(ledger.balance("Assets:B")) == "-1.00 EUR"


def test_assertions_round_trip():
    ledger = loads("2024-01-01 x\n  Assets:A  1 EUR = 1 EUR\n  Assets:B  = -1.00 EUR\n")
    assert dumps(ledger).endswith(
        "2024-01-01 x\n    Assets:A   1.00 EUR = 1.00 EUR\n    Assets:B  -1.00 EUR = -1.00 EUR\n")
    assert dumps(loads(dumps(ledger))) == dumps(ledger)


def test_failing_assertions_say_where():
    caught = failure("""
        2024-01-01 x
            Assets:A  1 EUR = 1 EUR
            Assets:A  1 EUR =  1 EUR
            Assets:B

    """)
    assert (caught.line, caught.column) == (3, 24)
    assert caught.message == "balance of Assets:A is 2.00 EUR, not 1.00 EUR"
    assert isinstance(caught.__cause__, BalanceAssertionError)
