import pytest

from cellwork import ErrorValue, Fault, Workbook
from cellwork.errors import FunctionError


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Main")


def computed(sheet, formula):
    sheet["Z9"] = formula
    return sheet["Z9"]


def texts(sheet, *formulas):
    return [str(computed(sheet, formula)) for formula in formulas]


def test_numbers(sheet):
    sheet["A1"], sheet["A2"], sheet["A3"] = 4, "x", -6
    assert [computed(sheet, f"={call}") for call in (
        "SUM(A1:A3,1)", "AVERAGE(A1,A3)", "MIN(A1:A3)", "MAX(A2:A2)", "COUNT(A1:A4,5)", "COUNTA(A1:A4)", "ROWS(A1:B4)", "ROWS(1)",
        "ABS(A3)", "INT(-6.5)", "SQRT(A1)", "MOD(A3,4)", "ROUND(0.125,2)",
    )] == [-1, -1, -6, 0, 3, 3, 4, 1, 6, -7, 2, 2, 0.13]


def test_texts_and_truths(sheet):
    sheet["A1"], sheet["B1"] = "key", "value"
    assert [computed(sheet, f"={call}") for call in (
        'VLOOKUP("KEY",A1:B2,2)', "LEN(B1)", "UPPER(B1)", "LEFT(B1)", "MID(B1,3,9)", "AND(1,TRUE)", "OR(0,FALSE)", "NOT(0)",
        "ISBLANK(C1)", "ISNUMBER(5)", "ISERROR(5)",
    )] == ["value", 5, "VALUE", "v", "lue", True, False, True, True, True, False]


def test_wrong_numbers_of_arguments(sheet):
    assert texts(sheet, "=IF(1)", "=IF(1,2,3,4)", "=IFERROR(1)", "=NA(1)", "=SUM()", "=MID(1,2)", "=COUNT()", "=LEFT(1,2,3)") == ["#N/A"] * 8


def test_errors_are_passed_on(sheet):
    assert texts(sheet, "=ABS(1/0)", "=SUM(1,NA())", '=LEFT(nope,"x")', "=UPPER(NOPE(1/0))") == [
        "#DIV/0!", "#N/A", "#NAME?", "#NAME?",
    ]


def test_errors_are_counted_and_seen(sheet):
    sheet["A1"] = "=1/0"
    assert texts(sheet, "=COUNT(A1,1)", "=COUNTA(A1:A2)", "=ISERROR(A1)", "=ISNUMBER(A1)", "=ISBLANK(A1)") == [
        "1.0", "1.0", "True", "False", "False",
    ]


def test_branches(sheet):
    sheet["A1"] = "=1/0"
    assert texts(sheet, "=IF(TRUE,1,A1)", "=IF(0,A1,2)", "=IF(0,A1)", "=IF(1,A1,2)", "=IF(A1,1,2)", '=IF("x",1,2)') == [
        "1.0", "2.0", "False", "#DIV/0!", "#DIV/0!", "#VALUE!",
    ]
    assert texts(sheet, "=IFERROR(5,A1)", "=IFERROR(A1,6)", "=IFERROR(A1,NA())", "=SUM(IF(1,B1:B2,0))", "=IF(1,B1,0)") == [
        "5.0", "6.0", "#N/A", "0.0", "0.0",
    ]


def test_branches_are_computed_when_needed(book, sheet):
    calls = []
    book.add_function("SEEN", lambda value: calls.append(value) or value)
    assert computed(sheet, "=IF(SEEN(1),SEEN(2),SEEN(3))+IFERROR(SEEN(4),SEEN(5))") == 6
    assert calls == [1, 2, 4]


def test_added_functions(book, sheet):
    book.add_function("Shape", lambda block: f"{block.height} by {block.width}")
    book.add_function("count.them", lambda *values: len(values))
    assert [computed(sheet, "=SHAPE(A1:B3)"), computed(sheet, "=COUNT.THEM(A1,2)"), computed(sheet, "=COUNT.THEM(1,NA())")] == [
        "3 by 2", 2, ErrorValue.NA,
    ]


def test_added_function_in_place_of_a_standard_one(book, sheet):
    book.add_function("abs", lambda number: -number)
    assert (computed(sheet, "=ABS(3)"), computed(Workbook().add_sheet("Main"), "=ABS(3)")) == (-3, 3)


def test_results_of_added_functions(book, sheet):
    def fail():
        raise Fault(ErrorValue.REF)

    for name, call in (("FAIL", fail), ("ZERO", lambda: 1 // 0), ("LIST", lambda: []), ("YES", lambda: True), ("NONE", lambda: None)):
        book.add_function(name, call)
    assert texts(sheet, "=FAIL()", "=ZERO()", "=LIST()", "=YES()", "=NONE()") == ["#REF!", "#NUM!", "#VALUE!", "True", "0.0"]


@pytest.mark.parametrize("name", ["", "3D", "A-B", "_X"])
def test_names_that_are_refused(book, name):
    with pytest.raises(FunctionError):
        book.add_function(name, len)


def test_unknown_functions(sheet):
    assert texts(sheet, "=NOPE()", "=IF(0,NOPE(),1)", "=ISERROR(NOPE())") == ["#NAME?", "1.0", "True"]


def test_formulas_are_printed_as_before(sheet):
    sheet["A1"] = "=if( a2>1 , iferror(nope(),2), sum(a3:a4))"
    assert sheet.formula("A1") == "=IF(A2>1,IFERROR(NOPE(),2),SUM(A3:A4))"
