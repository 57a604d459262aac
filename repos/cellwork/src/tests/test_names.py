import pytest

from cellwork import ErrorValue
from cellwork.errors import InvalidNameError, UnknownSheetError


def test_name_of_a_cell(book, sheet):
    sheet["A1"], sheet["B1"] = "=Rate*2", 3
    assert sheet["A1"] is ErrorValue.NAME
    book.define_name("rate", "Main!B1")
    assert sheet["A1"] == 6
    sheet["B1"] = 4
    assert sheet["A1"] == 8


def test_name_of_a_range(book, sheet, other):
    book.define_name("prices", "'Other one'!A1:A3")
    sheet["A1"], other["A2"] = "=SUM(prices)", 5
    assert sheet["A1"] == 5
    assert book.names == {"prices": "'Other one'!A1:A3"}


def test_another_target(book, sheet):
    sheet["A1"], sheet["B1"], sheet["B2"] = "=rate", 1, 2
    book.define_name("rate", "Main!B1")
    book.define_name("RATE", "Main!B2")
    sheet["B2"] = 5
    assert sheet["A1"] == 5


def test_deleted_name(book, sheet):
    book.define_name("rate", "Main!B1")
    sheet["A1"] = "=rate"
    book.delete_name("Rate")
    assert sheet["A1"] is ErrorValue.NAME
    with pytest.raises(InvalidNameError):
        book.delete_name("rate")


def test_names_follow_rows(book, sheet):
    book.define_name("total", "Main!B2:B4")
    sheet["A1"], sheet["B4"] = "=SUM(total)", 2
    sheet.insert_rows(3)
    assert (book.names["total"], sheet["A1"]) == ("Main!B2:B5", 2)
    sheet["B5"] = 6
    assert sheet["A1"] == 6
    sheet.delete_rows(2, 4)
    assert (book.names["total"], sheet["A1"]) == ("#REF!", ErrorValue.REF)


def test_name_in_a_circle(book, sheet):
    book.define_name("me", "Main!A1")
    sheet["A1"] = "=me+1"
    assert sheet["A1"] is ErrorValue.CYCLE


@pytest.mark.parametrize("name", ["", "A1", "true", "1x", "a b", "$x", "ABC123"])
def test_no_names(book, sheet, name):
    with pytest.raises(InvalidNameError):
        book.define_name(name, "Main!A1")


def test_name_of_an_unknown_sheet(book):
    with pytest.raises(UnknownSheetError):
        book.define_name("x", "Gone!A1")
