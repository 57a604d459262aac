import pytest

from cellwork import Workbook
from cellwork.errors import AddressError


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Plan")


def test_copies_are_shifted(sheet):
    sheet["A1"], sheet["B2"], sheet["C9"] = 2, "=A1+$A$1", "=B2"
    sheet.copy("B2", "B3")
    assert (sheet.formula("B3"), sheet.formula("C9"), sheet["A1"]) == ("=A2+$A$1", "=B2", 2)


def test_copies_to_other_sheets(book, sheet):
    other = book.add_sheet("Old plan")
    sheet["A1"] = "=B1+SUM(B1:$B$2)+Plan!B1"
    sheet.copy("A1", "A2", other)
    assert other.formula("A2") == "=B2+SUM(B2:$B$2)+Plan!B2"


def test_copies_must_fit(sheet):
    with pytest.raises(AddressError):
        sheet.copy("A1:A2", "A65536")


def test_insertions(sheet):
    sheet["A1"], sheet["A2"], sheet["C1"], sheet["C2"] = 1, 2, "=SUM(A1:A2)", "=Plan!A2"
    sheet.insert_rows(2, 2)
    assert (sheet.formula("C1"), sheet.formula("C4"), sheet["C4"]) == ("=SUM(A1:A4)", "=Plan!A4", 2)


def test_deletions(sheet):
    sheet["A2"], sheet["B1"], sheet["D1"] = 2, "=A2", "=SUM(A1:A2)"
    sheet.delete_rows(2)
    assert (sheet.formula("B1"), sheet.formula("D1"), sheet["D1"]) == ("=#REF!", "=SUM(A1:A1)", 0)


def test_formulas_of_other_sheets_follow_insertions(book, sheet):
    other = book.add_sheet("Old plan")
    sheet["B1"], other["B1"], other["C1"] = 5, "=Plan!B1", "=B1"
    sheet.insert_columns(1)
    assert (other.formula("B1"), other.formula("C1"), other["C1"]) == ("=Plan!C1", "=B1", 5)


def test_names_follow_insertions(book, sheet):
    book.define_name("sums", "Plan!B2:B3")
    sheet["A1"], sheet["B3"] = "=SUM(sums)", 4
    sheet.insert_rows(1)
    assert (book.names, sheet["A2"]) == ({"sums": "Plan!B3:B4"}, 4)


def test_insertions_compute_little(book, sheet):
    labels = []
    book.functions.register("SEEN", lambda label, value: labels.append(label) or value, 2, 2)
    sheet["A1"], sheet["B1"], sheet["B2"] = 1, '=SEEN("x",A1)', '=SEEN("y",A3)'
    labels.clear()
    sheet.insert_rows(3)
    assert labels == ["y"]
