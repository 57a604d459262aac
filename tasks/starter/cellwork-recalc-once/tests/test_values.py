import pytest

from cellwork import ErrorValue, Workbook


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Main")


def fill(sheet, **cells):
    for address, content in cells.items():
        sheet[address] = content


@pytest.fixture
def labels(book):
    found = []
    book.functions.register("T", lambda label, value: found.append(label) or value, 2, 2, takes_errors=True)
    return found


def texts(sheet, *addresses):
    return [sheet.text(address) for address in addresses]


def test_chain_stops_where_a_value_stays(sheet, labels):
    fill(sheet, A1=5, A2='=T("2",A1>3)', A3='=T("3",IF(A2,"high","low"))', A4='=T("4",A3&"!")')
    labels.clear()
    sheet["A1"] = 9
    assert (labels, sheet["A4"]) == (["2"], "high!")


def test_same_value_again(sheet, labels):
    fill(sheet, A1=5, A2='=T("2",A1)')
    labels.clear()
    sheet["A1"] = 5.0
    assert labels == []


def test_new_formula_of_the_same_value(sheet, labels):
    fill(sheet, A1=5, A2="=A1+1", A3='=T("3",A2)')
    labels.clear()
    sheet["A2"] = '=T("2",7-1)'
    assert (labels, sheet["A3"]) == (["2"], 6)


def test_truth_values_and_numbers(sheet):
    fill(sheet, A1=0, A2="=ISNUMBER(A1)", A3='=A1&"/"', A4="=B1", A5="=ISNUMBER(A4)", B1=1)
    sheet["A1"], sheet["B1"] = False, True
    assert [sheet["A2"], sheet["A3"], sheet["A4"], sheet["A5"]] == [False, "FALSE/", True, False]


def test_blank_and_nothing(sheet):
    fill(sheet, A1="", A2="=ISBLANK(A1)", A3="=COUNTA(A1:A1)")
    sheet["A1"] = None
    assert [sheet["A2"], sheet["A3"]] == [True, 0]


def test_errors_travel_and_go(sheet):
    fill(sheet, A1=0, A2="=1/A1", A3="=A2+1", A4="=IFERROR(A3,-1)")
    assert texts(sheet, "A2", "A3", "A4") == ["#DIV/0!", "#DIV/0!", "-1"]
    sheet["A1"] = 4
    assert texts(sheet, "A2", "A3", "A4") == ["0.25", "1.25", "1.25"]


def test_circles_side_by_side(sheet):
    fill(sheet, A1="=B1", B1="=A1", A2="=B2+A1", B2="=A2", C1="=IFERROR(A1,1)+IFERROR(B2,2)")
    assert texts(sheet, "A1", "B1", "A2", "B2", "C1") == ["#CYCLE!", "#CYCLE!", "#CYCLE!", "#CYCLE!", "3"]
    sheet["B1"] = 4
    assert texts(sheet, "A1", "A2", "C1") == ["4", "#CYCLE!", "6"]
    sheet["B2"] = 6
    assert texts(sheet, "A2", "C1") == ["10", "10"]


def test_circle_broken_by_its_own_value(sheet):
    fill(sheet, A1="=A2", A2="=IFERROR(A1,3)", A3="=IFERROR(A2+1,0)")
    sheet["A1"] = ErrorValue.CYCLE
    assert texts(sheet, "A1", "A2", "A3") == ["#CYCLE!", "3", "4"]


def test_cell_that_reads_itself(sheet):
    fill(sheet, A1=1, A2="=SUM(A1:A2)", A3="=A2")
    assert texts(sheet, "A2", "A3") == ["#CYCLE!", "#CYCLE!"]
    sheet["A2"] = "=SUM(A1:A1)"
    assert texts(sheet, "A2", "A3") == ["1", "1"]


def test_long_chain(book, sheet):
    with book.batch():
        sheet["A1"] = 1
        for row in range(2, 1301):
            sheet[f"A{row}"] = f"=A{row - 1}+1"
    sheet["A1"] = 2
    assert sheet["A1300"] == 1301


def test_batch_that_takes_back(book, sheet, labels):
    fill(sheet, A1=1, A2='=T("2",A1)', A3="=A2")
    labels.clear()
    with book.batch():
        sheet["A1"] = 8
        sheet["A2"] = 5
        sheet["A2"] = '=T("2",A1)'
        sheet["A1"] = 1
    assert (labels, sheet["A3"]) == (["2"], 1)
