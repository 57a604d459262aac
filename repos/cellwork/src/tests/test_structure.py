import pytest

from cellwork import ErrorValue, dumps
from cellwork.errors import AddressError, SheetFullError, WorkbookError


def formulas(sheet, *addresses):
    return [sheet.formula(address) for address in addresses]


def test_copy_shifts_relative_parts(sheet):
    sheet["B2"] = "=A1+$A1+A$1+$A$1+SUM(A1:$A$3)"
    sheet.copy("B2", "C4")
    assert sheet.formula("C4") == "=B3+$A3+B$1+$A$1+SUM($A3:B$3)"


def test_copy_off_the_sheet(sheet):
    sheet["B2"] = "=A1+1"
    sheet.copy("B2", "B1")
    assert (sheet.formula("B1"), sheet["B1"]) == ("=#REF!+1", ErrorValue.REF)


def test_copy_onto_itself_and_blanks(sheet):
    sheet["A1"], sheet["A2"], sheet["B1"] = 1, 2, 9
    sheet.copy("A1:A2", "A2")
    sheet.copy("C1", "B1")
    assert dumps(sheet) == "1\n1\n2\n"


def test_copy_keeps_parentheses(sheet):
    sheet["A1"] = "=B1-(C1-D1)"
    sheet.copy("A1", "A2")
    assert sheet.formula("A2") == "=B2-(C2-D2)"


def test_copy_to_another_sheet(sheet, other):
    sheet["A1"] = "=B1+Main!B1"
    sheet.copy("A1", "A2", other)
    assert other.formula("A2") == "=B2+Main!B2"


def test_copy_must_fit(sheet):
    with pytest.raises(AddressError):
        sheet.copy("A1:B1", "AMJ1")


def test_insert_rows(sheet):
    sheet["A1"], sheet["A3"] = "=A3+$A$3", 4
    sheet.insert_rows(2, 3)
    assert (sheet.formula("A1"), sheet["A6"]) == ("=A6+$A$6", 4)
    sheet["A6"] = 5
    assert sheet["A1"] == 10


@pytest.mark.parametrize("at, grown", [(1, "B3:B5"), (2, "B3:B5"), (3, "B2:B5"), (4, "B2:B5"), (5, "B2:B4")])
def test_insert_around_a_range(sheet, at, grown):
    sheet["A9"] = "=SUM(B2:B4)"
    sheet.insert_rows(at)
    assert sheet.formula("A10") == f"=SUM({grown})"


@pytest.mark.parametrize("at, count, left", [
    (1, 1, "SUM(B1:B3)"), (2, 1, "SUM(B2:B3)"), (3, 1, "SUM(B2:B3)"), (4, 3, "SUM(B2:B3)"), (1, 2, "SUM(B1:B2)"),
    (2, 3, "SUM(#REF!)"), (1, 6, "SUM(#REF!)"), (5, 2, "SUM(B2:B4)"),
])
def test_delete_around_a_range(sheet, at, count, left):
    sheet["A9"] = "=SUM(B2:B4)"
    sheet.delete_rows(at, count)
    assert sheet.formula(f"A{9 - count}") == f"={left}"


def test_columns_as_well(sheet):
    sheet["C1"], sheet["D1"] = 2, "=C1*B1"
    sheet.insert_columns(3)
    assert sheet.formula("E1") == "=D1*B1"
    sheet.delete_columns(2)
    assert (sheet.formula("D1"), sheet["D1"]) == ("=C1*#REF!", ErrorValue.REF)


def test_other_sheets_follow(sheet, other):
    sheet["A5"], other["A5"], other["A6"] = 1, "=Main!A5", "=A5"
    sheet.insert_rows(1)
    assert formulas(other, "A5", "A6") == ["=Main!A6", "=A5"]


def test_values_after_an_insertion(sheet, computed):
    sheet["A1"], sheet["A2"], sheet["A4"] = 1, '=SEEN("2",A1)', '=SEEN("4",SUM(A1:A2))'
    computed.clear()
    sheet.insert_rows(3)
    assert (computed, sheet["A5"]) == ([], 2)
    sheet.insert_rows(2)
    assert (computed, sheet.formula("A6")) == (["4"], '=SEEN("4",SUM(A1:A3))')
    sheet["A1"] = 5
    assert (sheet["A3"], sheet["A6"]) == (5, 10)


def test_formula_that_only_moves_stays_alive(sheet):
    sheet["A1"], sheet["A5"] = 1, "=A1*2"
    sheet.insert_rows(3)
    sheet["A1"] = 4
    assert (sheet["A6"], sheet["A5"]) == (8, None)


def test_insertion_in_a_batch(book, sheet):
    sheet["A1"], sheet["A5"], sheet["A6"] = 1, "=A1*2", "=A5+1"
    with book.batch():
        sheet["A1"] = 4
        sheet.insert_rows(1)
    assert (sheet["A6"], sheet["A7"]) == (8, 9)


def test_circle_that_moves(sheet):
    sheet["A3"], sheet["A4"] = "=A4", "=IFERROR(A3,7)"
    sheet.insert_rows(1)
    sheet["A4"] = ErrorValue.CYCLE
    assert sheet["A5"] == 7


def test_deleted_formulas_are_forgotten(sheet):
    sheet["A1"], sheet["A2"], sheet["A3"] = 1, "=A1", "=A2"
    sheet.delete_rows(2)
    sheet["A1"] = 2
    assert (sheet["A2"], sheet.formula("A2")) == (ErrorValue.REF, "=#REF!")


def test_insertion_that_does_not_fit(sheet):
    sheet["A65536"], sheet["A1"] = 1, "=A2"
    with pytest.raises(SheetFullError):
        sheet.insert_rows(5)
    assert (sheet["A65536"], sheet.formula("A1")) == (1, "=A2")
    sheet.insert_columns(1)
    assert sheet["B65536"] == 1


@pytest.mark.parametrize("at, count", [(0, 1), (65537, 1), (1, 0), (1, 65537)])
def test_lines_that_do_not_exist(sheet, at, count):
    with pytest.raises(WorkbookError):
        sheet.insert_rows(at, count)


def test_clear(sheet):
    sheet["A1"], sheet["A2"], sheet["B1"] = 1, 2, "=SUM(A1:A2)"
    sheet.clear("A1:A9")
    assert (sheet["A1"], sheet["B1"], str(sheet.used_area())) == (None, 0, "Main!A1:B1")
