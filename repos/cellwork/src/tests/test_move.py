import pytest

from cellwork import ErrorValue
from cellwork.errors import AddressError


def test_references_follow(sheet):
    sheet["A1"], sheet["A2"], sheet["B1"] = 2, "=A1*$A$1", "=A2"
    sheet.move("A1", "C5")
    assert (sheet.formula("A2"), sheet["A1"], sheet["C5"]) == ("=C5*$C$5", None, 2)
    sheet["C5"] = 3
    assert (sheet["A2"], sheet["B1"]) == (9, 9)


def test_moved_formula_points_where_it_did(sheet):
    sheet["A1"], sheet["A2"] = 2, "=A1"
    sheet.move("A2", "D9")
    assert (sheet.formula("D9"), sheet["D9"]) == ("=A1", 2)
    sheet["A1"] = 4
    assert sheet["D9"] == 4


def test_range_moves_as_a_whole_or_stays(sheet):
    for row in range(1, 4):
        sheet[f"A{row}"] = row
    sheet["B1"], sheet["B2"] = "=SUM(A1:A3)", "=SUM(A1:A2)"
    sheet.move("A1:A2", "D1")
    assert [sheet.formula("B1"), sheet["B1"], sheet.formula("B2"), sheet["B2"]] == ["=SUM(A1:A3)", 3, "=SUM(D1:D2)", 3]


def test_overwritten_cells(sheet):
    sheet["A1"], sheet["B1"], sheet["C1"], sheet["C2"] = 1, 5, "=B1", "=SUM(B1:B2)"
    sheet.move("A1", "B1")
    assert [sheet["B1"], sheet["C1"], sheet["C2"]] == [1, ErrorValue.REF, 1]


def test_overlapping_move(sheet):
    sheet["A1"], sheet["A2"], sheet["B1"] = 1, "=A1+1", "=A2"
    sheet.move("A1:A2", "A2")
    assert [sheet["A1"], sheet["A2"], sheet.formula("A3"), sheet.formula("B1")] == [None, 1, "=A2+1", "=A3"]


def test_other_sheet(book, sheet, other):
    sheet["A1"], sheet["A2"], sheet["A3"] = 1, "=A1+A3", 4
    book.define_name("last", "Main!A3")
    sheet.move("A2:A3", "B1", other)
    assert (other.formula("B1"), other["B1"]) == ("=Main!A1+B2", 5)
    assert book.names == {"last": "'Other one'!B2"}


def test_move_must_fit(sheet):
    sheet["A1"] = 1
    with pytest.raises(AddressError):
        sheet.move("A1:A2", "A65536")
    assert sheet["A1"] == 1
