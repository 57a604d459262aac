import pytest

from cellwork import ErrorValue, Fault, FunctionLibrary, Workbook
from cellwork.errors import FunctionError


def test_standard_functions(sheet):
    for address, content in {"A1": 1, "A2": 2, "A3": 3, "A4": "text", "A6": "=1/0", "B2": "two"}.items():
        sheet[address] = content
    for formula, value in [
        ("=SUM(A1:A5)", 6), ("=SUM(A1:A5,\"4\")", 10), ("=AVERAGE(A1:A3)", 2), ("=MIN(A1:A3,-1)", -1), ("=MAX(A1:A3)", 3),
        ("=COUNT(A1:A6)", 3), ("=COUNTA(A1:A6)", 5), ("=ROWS(A2:A5)", 4), ("=IF(A1=1,\"y\",1/0)", "y"), ("=IF(FALSE,1)", False),
        ("=IFERROR(1/0,9)", 9), ("=IFERROR(Gone!A1,9)", 9), ("=AND(A1,A2>1)", True), ("=OR(FALSE,0)", False), ("=NOT(A1)", False), ("=ISERROR(NA())", True),
        ("=ISBLANK(A6)", False), ("=ISBLANK(C9)", True), ("=ISNUMBER(A4)", False), ("=ABS(-2)", 2), ("=INT(-1.5)", -2),
        ("=SQRT(9)", 3), ("=MOD(-1,3)", 2), ("=ROUND(2.675,2)", 2.68), ("=ROUND(-2.5)", -3), ("=ROUND(1250,-2)", 1300),
        ("=LEN(\"abc\")", 3), ("=UPPER(A4)", "TEXT"), ("=LEFT(A4,2)", "te"), ("=MID(A4,2,2)", "ex"), ("=VLOOKUP(2,A1:B3,2)", "two"),
    ]:
        sheet["D1"] = formula
        assert (formula, sheet["D1"]) == (formula, value)


def test_errors_of_functions(sheet):
    sheet["A1"] = "=1/0"
    for formula, error in [
        ("=SUM(A1:A2)", "#DIV/0!"), ("=AVERAGE(B1:B2)", "#DIV/0!"), ("=SQRT(-1)", "#NUM!"), ("=MOD(1,0)", "#DIV/0!"),
        ("=LEFT(\"a\",-1)", "#VALUE!"), ("=VLOOKUP(5,B1:C2,2)", "#N/A"), ("=VLOOKUP(5,B1:C2,3)", "#REF!"), ("=NOT(\"x\")", "#VALUE!"),
    ]:
        sheet["D1"] = formula
        assert (formula, str(sheet["D1"])) == (formula, error)


def test_functions_of_ones_own(book, sheet):
    sheet["A1"] = "=TWICE(B1)"
    assert sheet["A1"] is ErrorValue.NAME
    book.functions.register("twice", lambda value: 2 * (value or 0), 1, 1)
    book.recalculate()
    assert sheet["A1"] == 0
    sheet["B1"] = 4
    assert sheet["A1"] == 8


def test_blocks_arrive_row_by_row(book, sheet):
    book.functions.register("SHAPE", lambda block: f"{block.height}x{block.width} {list(block.values())}", 1, 1)
    sheet["A1"], sheet["B2"] = 1, "x"
    sheet["C1"] = "=SHAPE(A1:B2)"
    assert sheet["C1"] == "2x2 [1.0, None, None, 'x']"


def test_faults_and_bad_results(book, sheet):
    def fail():
        raise Fault(ErrorValue.NA)

    book.functions.register("FAIL", fail)
    book.functions.register("LIST", lambda: [1])
    book.functions.register("HUGE", lambda: float("inf"))
    for address, formula, error in (("A1", "=FAIL()", "#N/A"), ("A2", "=LIST()", "#VALUE!"), ("A3", "=HUGE()", "#NUM!")):
        sheet[address] = formula
        assert str(sheet[address]) == error


def test_libraries_are_separate(book):
    book.functions.register("MINE", lambda: 1)
    assert "mine" in book.functions
    assert "MINE" not in Workbook().functions


def test_lazy_functions_compute_what_they_need(book, sheet, computed):
    book.functions.register("FIRST", lambda first, *rest: first(), 1, lazy=True)
    sheet["A1"] = '=FIRST(SEEN("a",1),SEEN("b",2))'
    assert (sheet["A1"], computed) == (1, ["a"])


@pytest.mark.parametrize("name, least, most", [("", 0, 1), ("1X", 0, 1), ("A B", 0, 1), ("OK", 2, 1), ("OK", -1, 1)])
def test_refused_functions(name, least, most):
    with pytest.raises(FunctionError):
        FunctionLibrary().register(name, lambda: 1, least, most)
