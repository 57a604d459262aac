import pytest

from tallybook import JournalParser, Ledger, dump, dumps, load, loads
from tallybook.errors import AmountError, JournalError, UnbalancedError


def failure(text, **options):
    with pytest.raises(JournalError) as caught:
        loads(text, **options)
    return caught.value


def cause_of(error):
    from tallybook.errors import BalanceAssertionError
    cause = error.__cause__
    assert isinstance(cause, BalanceAssertionError)
    return cause.entry_id, cause.index, cause.account, str(cause.expected), str(cause.actual)


def asserted(ledger):
    return [[str(posting.asserted or "") for posting in entry.postings] for entry in ledger.entries]


def test_assertions_are_read():
    ledger = loads(
        "2024-02-01 Start\n"
        "    Assets:Bank      1,000.00 EUR = EUR 1,000\n"
        "    Equity:Start\n"
        "2024-02-02 Dollars for the trip\n"
        "    Assets:Wallet    100.00 USD @ 0.92 EUR = 100.00 USD\n"
        "    Assets:Bank      = 908.00 EUR\n"
    )
    assert asserted(ledger) == [["1000.00 EUR", ""], ["100.00 USD", "908.00 EUR"]]
    assert str(ledger.entries[1].postings[0].price) == "@ 0.92 EUR"
    assert str(ledger.entries[1].postings[1].amount) == "-92.00 EUR"


@pytest.mark.parametrize("posting, read", [
    ("Assets:A  5 EUR=5 EUR", "5.00 EUR"),
    ("Assets:A\t5 EUR  =  5 EUR  ; as they say = 6 EUR", "5.00 EUR"),
    ("Assets:A  5 EUR = EUR 5.00", "5.00 EUR"),
    ("Assets:A  5 USD @@ 4 EUR = 5 USD", "5.00 USD"),
    ("Assets:A  -5 EUR = -5 EUR", "-5.00 EUR"),
], ids=["tight", "wide", "code-first", "priced", "negative"])
def test_ways_to_write_it(posting, read):
    assert asserted(loads(f"2024-01-01 x\n  {posting}\n  Assets:B\n")) == [[read, ""]]


def test_failure_says_where():
    error = failure(
        "2024-01-01 x\n"
        "    Assets:A  1 EUR = 1 EUR\n"
        "    Assets:B\n"
        "\n"
        "2024-01-02 y\n"
        "    Assets:A  1 EUR\n"
        "    Assets:B         =   -3.00 EUR  ; no\n"
        "2024-01-03 z\n"
        "    Assets:A  1 EUR\n"
        "    Assets:B\n"
    )
    assert (error.path, error.line, error.column) == (None, 7, 26)
    assert cause_of(error) == (2, 1, "Assets:B", "-3.00 EUR", "-2.00 EUR")


def test_failure_after_a_price():
    error = failure("2024-01-01 x\n\tAssets:A\t5 USD @ 0.90 EUR = 4 USD\n\tAssets:B\n")
    assert (error.line, error.column) == (2, 30)
    assert cause_of(error) == (1, 0, "Assets:A", "4.00 USD", "5.00 USD")


def test_second_of_two_equal_assertions():
    error = failure("2024-01-01 x\n  Assets:A  1 EUR = 1 EUR\n  Assets:A  1 EUR =  1 EUR\n  Assets:B\n")
    assert (error.line, error.column) == (3, 22)
    assert cause_of(error) == (1, 1, "Assets:A", "1.00 EUR", "2.00 EUR")


def test_failure_on_a_posting_filled_in_several_currencies():
    error = failure(
        "2024-01-01 x\n  Assets:A  = -2 EUR\n  Assets:B  2 EUR\n  Assets:B  3 USD = 4 USD\n")
    assert (error.line, error.column) == (4, 21)
    assert cause_of(error) == (1, 3, "Assets:B", "4.00 USD", "3.00 USD")


def test_first_by_date_is_reported():
    error = failure(
        "2024-02-01 late\n  Assets:A  1 EUR = 9 EUR\n  Assets:B\n"
        "2024-01-01 early\n  Assets:A  1 EUR = 8 EUR\n  Assets:B\n"
    )
    assert (error.line, error.column) == (5, 21)
    assert cause_of(error) == (2, 0, "Assets:A", "8.00 EUR", "1.00 EUR")


def test_order_of_the_lines_does_not_matter():
    ledger = loads(
        "locked 2024-12-31\n"
        "2024-02-01 late\n  Assets:A  1 EUR = 3 EUR\n  Assets:B\n"
        "2024-01-01 early\n  Assets:A  2 EUR = 2 EUR\n  Assets:B\n"
    )
    assert [entry.description for entry in ledger.entries] == ["early", "late"]
    assert asserted(ledger) == [["2.00 EUR", ""], ["3.00 EUR", ""]]


def test_included_files(tmp_path):
    main, more = tmp_path / "main.journal", tmp_path / "more.journal"
    more.write_text("2024-01-05 more\n  Assets:A  2 EUR = 7 EUR\n  Assets:B\n")
    main.write_text("include more.journal\n2024-01-01 x\n  Assets:A  5 EUR\n  Assets:B\n")
    assert asserted(load(main)) == [["", ""], ["7.00 EUR", ""]]
    main.write_text("include more.journal\n2024-01-01 x\n  Assets:A  4 EUR\n  Assets:B\n")
    with pytest.raises(JournalError) as caught:
        load(main)
    assert (caught.value.path, caught.value.line, caught.value.column) == (str(more), 2, 21)
    assert cause_of(caught.value) == (1, 0, "Assets:A", "7.00 EUR", "6.00 EUR")


def test_failure_in_the_including_file(tmp_path):
    main, more = tmp_path / "main.journal", tmp_path / "more.journal"
    main.write_text("2024-01-05 x\n  Assets:A  5 EUR = 5 EUR\n  Assets:B\n\ninclude more.journal\n")
    more.write_text("\n\n2024-01-01 more\n  Assets:A  2 EUR\n  Assets:B\n")
    with pytest.raises(JournalError) as caught:
        load(main)
    assert (caught.value.path, caught.value.line, caught.value.column) == (str(main), 2, 21)


def test_parser_with_a_name_for_the_text():
    with pytest.raises(JournalError) as caught:
        JournalParser(Ledger()).parse_text("2024-01-01 x\n  Assets:A  1 EUR = 2 EUR\n  Assets:B\n", "typed")
    assert (caught.value.path, caught.value.line) == ("typed", 2)
    assert cause_of(caught.value) == (1, 0, "Assets:A", "2.00 EUR", "1.00 EUR")


@pytest.mark.parametrize("posting, column", [
    ("Assets:A  1 EUR = 1.005 EUR", 25), ("Assets:A  = 1 XYZ", 17), ("Assets:A  1 EUR =  1 EUR EUR", 28),
    ("Assets:A  1 USD @ 1 EUR = x", 29),
], ids=["places", "currency", "rest", "number"])
def test_asserted_amount_that_cannot_be_read(posting, column):
    error = failure(f"2024-01-01 x\n  {posting}\n  Assets:B  1 EUR\n")
    assert (error.line, error.column) == (2, column)
    assert isinstance(error.__cause__, AmountError)


def test_writing():
    ledger = loads(
        "2024-01-01 x\n  Assets:A  1 EUR = 1 EUR\n  Assets:B  = -1 EUR\n"
        "2024-01-02 y\n  Assets:Dollars  5 USD @@ 4 EUR = 5 USD\n  Assets:B\n"
    )
    assert dumps(ledger).split("\n\n", 1)[1] == (
        "2024-01-01 x\n"
        "    Assets:A   1.00 EUR = 1.00 EUR\n"
        "    Assets:B  -1.00 EUR = -1.00 EUR\n"
        "\n"
        "2024-01-02 y\n"
        "    Assets:Dollars   5.00 USD @@ 4.00 EUR = 5.00 USD\n"
        "    Assets:B        -4.00 EUR\n"
    )


def test_round_trip_in_a_file(tmp_path):
    path = tmp_path / "book.journal"
    ledger = loads("2024-01-01 x\n  Assets:A  = -2 USD\n  Assets:B  2 USD\n  Assets:B  3 EUR = 3 EUR\n")
    dump(ledger, path)
    assert asserted(load(path)) == [["", "-2.00 USD", "", "3.00 EUR"]]
    assert load(path).entries == ledger.entries


# What works already.

def test_journal_without_assertions():
    text = "account Assets\naccount Assets:A\naccount Assets:B\n\n2024-01-01 x\n    Assets:A   1.00 EUR\n    Assets:B  -1.00 EUR\n"
    assert dumps(loads(text)) == text


def test_equals_sign_in_a_description_or_comment():
    ledger = loads("2024-01-01 a = b\n  Assets:A  1 EUR ; = 2 EUR\n  Assets:B\n")
    assert [entry.description for entry in ledger.entries] == ["a = b"]
    assert str(ledger.balance("Assets:A")) == "1.00 EUR"


@pytest.mark.parametrize("posting, column", [
    ("Assets:A  1.005 EUR", 17), ("Assets:A  1 EUR x", 19), ("Assets:A  1 USD @ 1 XYZ", 23), ("Cash  1 EUR", 3),
    ("Assets:A  @ 1 EUR", 13),
], ids=["places", "rest", "price", "account", "number"])
def test_positions_of_other_errors(posting, column):
    error = failure(f"2024-01-01 x\n  {posting}\n  Assets:B\n")
    assert (error.line, error.column) == (2, column)


def test_unbalanced_entry():
    error = failure("\n2024-01-01 x\n  Assets:A  1 EUR\n  Assets:B  1 EUR\n")
    assert (error.line, error.column) == (2, 1)
    assert isinstance(error.__cause__, UnbalancedError)


def test_prices():
    ledger = loads("2024-01-01 x\n  Assets:A  5 USD @@ 4 EUR\n  Assets:B\n")
    assert str(ledger.balance("Assets:B")) == "-4.00 EUR"
    assert dumps(loads(dumps(ledger))) == dumps(ledger)
