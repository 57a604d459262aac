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


def fill(sheet, **cells):
    for address, content in cells.items():
        sheet[address] = content


def texts(sheet, *addresses):
    return [sheet.text(address) for address in addresses]


def test_formula_behind_inserted_rows(sheet):
    fill(sheet, A1=3, D8="=A1*2", D9="=D8+1")
    sheet.insert_rows(4, 2)
    sheet["A1"] = 5
    assert texts(sheet, "D8", "D9", "D10", "D11") == ["", "", "10", "11"]


def test_formula_behind_inserted_columns(sheet):
    fill(sheet, A1=3, D1="=SUM(A1:A4)", E1="=D1&A2")
    sheet.insert_columns(2, 3)
    fill(sheet, A3=4, A2="x")
    assert texts(sheet, "G1", "H1") == ["7", "7x"]


def test_old_place_is_used_again(sheet):
    fill(sheet, A1=1, B4="=A1+1")
    sheet.insert_rows(3)
    sheet["B4"] = "mine"
    sheet["A1"] = 7
    assert texts(sheet, "B4", "B5") == ["mine", "8"]


def test_several_formulas_on_the_move(sheet):
    fill(sheet, A1=1, B3="=A1", B4="=B3+A1", B5="=B4+A1", B6="=A1*100", B7="=SUM(B3:B6)")
    sheet.insert_rows(3)
    sheet["A1"] = 2
    assert texts(sheet, "B3", "B4", "B5", "B6", "B7", "B8") == ["", "2", "4", "6", "200", "212"]


def test_formula_behind_deleted_rows(sheet):
    fill(sheet, A1=3, A6="=A1*2", A7="=A1*3", A8="=A6+A7")
    sheet.delete_rows(2, 2)
    sheet["A1"] = 4
    assert texts(sheet, "A4", "A5", "A6", "A7", "A8") == ["8", "12", "20", "", ""]


def test_deleted_formulas(sheet):
    fill(sheet, A1=1, B3="=A1", B4="=A1*2", B5="=A1*3")
    sheet.delete_rows(3, 2)
    sheet["A1"] = 5
    assert texts(sheet, "B3", "B4", "B5") == ["15", "", ""]


def test_deleted_formula_in_a_circle(sheet):
    fill(sheet, A1="=A3", A3="=A1", A5="=IFERROR(B1,0)", B1=4)
    sheet.delete_rows(3)
    sheet["B1"] = 6
    assert texts(sheet, "A1", "A3", "A4") == ["#REF!", "", "6"]


def test_other_sheets(book, sheet):
    other = book.add_sheet("Rates")
    fill(other, A1=2, B1="=Plan!A5+1")
    fill(sheet, A5="=Rates!A1*10")
    sheet.insert_rows(1, 3)
    other["A1"] = 3
    assert texts(sheet, "A8") + texts(other, "B1") == ["30", "31"]


def test_names_are_read_at_the_new_place(book, sheet):
    fill(sheet, A1=2, A9="=rate*5")
    book.define_name("rate", "Plan!A1")
    sheet.insert_rows(5)
    sheet["A1"] = 3
    book.define_name("rate", "Plan!B1")
    sheet["B1"] = 7
    assert texts(sheet, "A9", "A10") == ["", "35"]


def test_moved_formula(sheet):
    fill(sheet, A1=2, A2="=A1+1", C1="=A2*10")
    sheet.move("A2", "F6")
    sheet["A1"] = 4
    sheet["A2"] = 100
    assert texts(sheet, "F6", "C1") == ["5", "50"]


def test_overwritten_formula(sheet):
    fill(sheet, A1=2, A2="=A1+1", B2="text")
    sheet.move("B2", "A2")
    sheet["A1"] = 4
    assert texts(sheet, "A2", "B2") == ["text", ""]


def test_moved_formula_that_reads_what_is_overwritten(sheet):
    fill(sheet, A1=1, A2=2, B1="=SUM(A1:A9)", C1=50)
    sheet.move("B1:C1", "A3")
    assert texts(sheet, "A3", "B3") == ["#CYCLE!", "50"]
    sheet.move("A3", "D1")
    assert texts(sheet, "D1") == ["3"]


def test_new_formula_in_a_batch(book, sheet):
    fill(sheet, A1=4)
    with book.batch():
        sheet["B5"] = "=A1*2"
        sheet["B6"] = "=B5+1"
        sheet.insert_rows(3)
    assert texts(sheet, "B5", "B6", "B7") == ["", "8", "9"]


def test_changed_formula_in_a_batch(book, sheet):
    fill(sheet, A1=4, B5="=A1*2", B6="=B5")
    with book.batch():
        sheet["B5"] = "=A1*3"
        sheet.delete_rows(2)
    assert texts(sheet, "B4", "B5") == ["12", "12"]


def test_two_insertions_in_a_batch(book, sheet):
    fill(sheet, A1=1, A3=2, D9="=ROWS(A1:A3)", D10="=D9*10")
    with book.batch():
        sheet.insert_rows(2)
        sheet.insert_rows(7)
    assert texts(sheet, "D11", "D12") == ["4", "40"]


def test_insertion_that_is_taken_back_in_a_batch(book, sheet):
    fill(sheet, A1=1, A6="=A1+1")
    with book.batch():
        sheet["A1"] = 2
        sheet.insert_rows(3, 2)
        sheet["A6"] = "=A1*100"
        sheet.delete_rows(3, 2)
    assert texts(sheet, "A4", "A6") == ["200", "3"]


def test_name_in_a_batch(book, sheet):
    fill(sheet, A1=3, B8="=rate+1")
    with book.batch():
        book.define_name("rate", "Plan!A1")
        sheet.insert_rows(5)
    assert texts(sheet, "B8", "B9") == ["", "4"]


def test_everything_anew_in_a_batch(book, sheet):
    sheet["B8"] = "=LATER(A1)"
    book.functions.register("LATER", lambda value: value or 12, 1, 1)
    with book.batch():
        book.recalculate()
        sheet.insert_rows(5)
    assert texts(sheet, "B9") == ["12"]


def test_new_sheet_in_a_batch(book, sheet):
    sheet["B8"] = "=Late!A1+1"
    with book.batch():
        book.add_sheet("Late")["A1"] = 1
        sheet.insert_rows(2)
    assert texts(sheet, "B9") == ["2"]


def test_move_in_a_batch(book, sheet):
    fill(sheet, A1=1)
    with book.batch():
        sheet["A2"] = "=A1+5"
        sheet.move("A2", "C3")
        sheet.insert_columns(2)
    assert (texts(sheet, "D3"), sheet.formula("D3")) == (["6"], "=A1+5")


def test_nothing_is_computed_before_the_end(book, sheet, labels):
    fill(sheet, A1=1, B5='=T("old",A1)')
    labels.clear()
    with book.batch():
        sheet["A1"] = 2
        sheet["B6"] = '=T("new",A1)'
        sheet.insert_rows(3)
        sheet.insert_rows(1)
        assert (labels, sheet["B7"]) == ([], 1)
    assert (sorted(labels), texts(sheet, "B7", "B8")) == (["new", "old"], ["2", "2"])


def test_only_the_right_formulas_are_computed(sheet, labels):
    fill(sheet, A1=1, B5='=T("stays",A1)', B6='=T("follows",B5)', B7='=T("grows",SUM(A1:A4))')
    labels.clear()
    sheet.insert_rows(3)
    assert sorted(labels) == ["follows", "grows"]
    labels.clear()
    sheet["A1"] = 2
    assert (sorted(labels), texts(sheet, "B6", "B7", "B8")) == (["follows", "grows", "stays"], ["2", "2", "2"])


def test_long_series_of_edits(book, sheet):
    fill(sheet, A1=1, C3="=A1", C4="=C3+A1", C5="=SUM(C3:C4)")
    for at in (2, 3, 9, 5, 1):
        sheet.insert_rows(at)
    sheet.delete_rows(3)
    sheet.move("C6:C8", "E10")
    sheet["A2"] = 4
    assert [[str(place), sheet.text(str(place).split("!")[1])] for place in book.occupied("Plan")] == [
        ["Plan!A2", "4"], ["Plan!E10", "4"], ["Plan!E11", "8"], ["Plan!E12", "12"],
    ]
