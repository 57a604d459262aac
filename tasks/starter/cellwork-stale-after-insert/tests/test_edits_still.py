import pytest

from cellwork import ErrorValue, Workbook


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Plan")


@pytest.fixture
def labels(book):
    found = []
    book.functions.register("T", lambda label, value: found.append(label) or value, 2, 2, takes_errors=True)
    return found


def test_formula_before_inserted_rows(sheet):
    sheet["A1"], sheet["A9"] = "=A9*2", 4
    sheet.insert_rows(5)
    sheet["A10"] = 6
    assert (sheet.formula("A1"), sheet["A1"]) == ("=A10*2", 12)


def test_insertion_without_effect_computes_nothing(sheet, labels):
    sheet["A1"], sheet["A2"], sheet["A8"] = 1, '=T("2",A1)', 5
    labels.clear()
    sheet.insert_rows(5)
    assert labels == []


def test_formula_behind_the_insertion_is_not_computed(sheet, labels):
    sheet["A1"], sheet["A9"] = 1, '=T("9",A1)'
    labels.clear()
    sheet.insert_rows(5)
    assert (labels, sheet["A10"]) == ([], 1)


def test_grown_and_shrunk_ranges_are_computed(sheet, labels):
    sheet["A1"], sheet["A2"], sheet["C1"] = 1, 2, '=T("1",SUM(A1:A2))'
    labels.clear()
    sheet.insert_rows(2)
    sheet.delete_rows(3)
    assert (labels, sheet["C1"]) == (["1", "1"], 1)


def test_deleted_target(sheet):
    sheet["A1"], sheet["A5"], sheet["A2"] = "=A5", 3, "=IFERROR(A1,0)"
    sheet.delete_rows(5)
    assert (sheet["A1"], sheet["A2"]) == (ErrorValue.REF, 0)


def test_batch_of_values_and_an_insertion(book, sheet):
    sheet["A1"], sheet["A2"], sheet["A3"] = 1, 2, "=A1+A2"
    with book.batch():
        sheet["A1"], sheet["A2"] = 10, 20
        sheet.insert_rows(1)
    assert sheet["A4"] == 30


def test_batch_shows_old_values(book, sheet):
    sheet["A1"], sheet["A2"] = 1, "=A1+1"
    with book.batch():
        sheet["A1"] = 10
        sheet.insert_rows(3)
        assert sheet["A2"] == 2
    assert sheet["A2"] == 11


def test_move_of_values(sheet):
    sheet["A1"], sheet["B1"], sheet["B2"] = 3, "=A1", "=SUM(A1:A2)"
    sheet.move("A1", "C1")
    sheet["C1"] = 4
    assert (sheet["B1"], sheet["B2"]) == (4, 0)


def test_name_that_moves(book, sheet):
    book.define_name("rate", "Plan!B9")
    sheet["A1"], sheet["B9"] = "=rate", 2
    sheet.insert_rows(4)
    sheet["B10"] = 5
    assert (sheet["A1"], book.names) == (5, {"rate": "Plan!B10"})
