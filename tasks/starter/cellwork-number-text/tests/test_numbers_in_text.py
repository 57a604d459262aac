import pytest

from cellwork import ErrorValue, Fault, Workbook, dumps, loads
from cellwork.errors import InvalidValueError


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("List")


def entered(sheet, text):
    sheet.enter("A1", text)
    return sheet["A1"]


def computed(sheet, formula):
    sheet["Z9"] = formula
    return sheet["Z9"]


def test_names_of_no_numbers(sheet):
    texts = ["nan", "NAN", "-nan", "inf", "Infinity", "-INF", "+infinity", " inf "]
    assert [entered(sheet, text) for text in texts] == [
        "nan", "NAN", "-nan", "inf", "Infinity", "-INF", "+infinity", " inf ",
    ]


def test_underscores(sheet):
    assert [entered(sheet, text) for text in ("7_0", "1_2.5", "1.5_5", "2e1_0")] == ["7_0", "1_2.5", "1.5_5", "2e1_0"]


def test_digits_of_other_scripts(sheet):
    assert entered(sheet, "\u0661\u0662") == "\u0661\u0662"
    assert entered(sheet, "\uff14\uff12") == "\uff14\uff12"
    assert entered(sheet, "3.\u0968") == "3.\u0968"


def test_other_white_space(sheet):
    assert [entered(sheet, text) for text in ("\t8", "8\n", "\u00a08", "8\u2003")] == ["\t8", "8\n", "\u00a08", "8\u2003"]


def test_too_large_for_a_float(sheet):
    assert [entered(sheet, text) for text in ("2e400", "-3e309", "9" * 320)] == ["2e400", "-3e309", "9" * 320]


def test_text_in_arithmetic(sheet):
    formulas = ['="inf"+1', '=2*"8_0"', '=-"nan"', '="2e400"%', '=ABS("Infinity")', '=SUM(1,"6_1")', '="\uff14"*1']
    assert [str(computed(sheet, formula)) for formula in formulas] == ["#VALUE!"] * 7


def test_cell_of_text_in_arithmetic(sheet):
    sheet["B1"] = "7_7"
    assert computed(sheet, "=B1+1") is ErrorValue.VALUE
    assert computed(sheet, "=IFERROR(B1+1,0)") == 0


def test_entries_are_not_quoted(sheet):
    for address, text in (("B1", "nan"), ("B2", "4_4"), ("B3", "5e500")):
        sheet[address] = text
    assert [sheet.entry(address) for address in ("B1", "B2", "B3")] == ["nan", "4_4", "5e500"]


def test_import_and_export(sheet):
    loads(sheet, "INF,6_6\n1e310,66\n")
    assert dumps(sheet, formulas=True) == "INF,6_6\n1e310,66\n"
    assert computed(sheet, "=COUNT(A1:B2)") == 1


@pytest.mark.parametrize("value", [float("-inf"), float("nan"), 10**309, -(10**500)], ids=["-inf", "nan", "int", "-int"])
def test_assigned(sheet, value):
    sheet["A1"] = 3
    with pytest.raises(InvalidValueError):
        sheet["A1"] = value
    assert sheet["A1"] == 3


@pytest.mark.parametrize("formula", ["=B1*B1", "=B1+B1", "=-B1-B1", "=B1/0.1", "=B1*100*0", "=ROUND(B1,-308)"])
def test_operations_that_overflow(sheet, formula):
    sheet["B1"] = 1.7e308
    assert str(computed(sheet, formula)) == "#NUM!"


def test_overflow_inside_of_a_formula(sheet):
    sheet["B1"] = 1e308
    assert computed(sheet, "=IFERROR(B1*50,5)") == 5
    assert computed(sheet, '=IF(ISERROR(B1+B1),"high","ok")') == "high"
    assert computed(sheet, "=1/(B1*10)") is ErrorValue.NUM


def test_functions_of_ones_own(book, sheet):
    book.functions.register("LIMIT", lambda: float("-inf"), 0, 0)
    book.functions.register("UNKNOWN", lambda: float("nan"), 0, 0)
    assert computed(sheet, "=LIMIT()") is ErrorValue.NUM
    assert computed(sheet, "=IFERROR(UNKNOWN(),1)") == 1


def test_numbers_in_all_their_forms(sheet):
    texts = ["0", "007", "-3", "+3", "4.", ".25", "-.5", "6E2", "6e+02", "25e-1", "  9  ", "1e-999"]
    assert [entered(sheet, text) for text in texts] == [0, 7, -3, 3, 4, 0.25, -0.5, 600, 600, 2.5, 9, 0]


def test_what_never_was_a_number(sheet):
    texts = ["-", ".", "e5", "1e", "1e+", "- 5", "--5", "1.2.3", "0x1f", "5 5", "1,5", "1e5.5", "12%", "3j"]
    assert [entered(sheet, text) for text in texts] == [
        "-", ".", "e5", "1e", "1e+", "- 5", "--5", "1.2.3", "0x1f", "5 5", "1,5", "1e5.5", "12%", "3j",
    ]


def test_numbers_in_arithmetic(sheet):
    assert [computed(sheet, formula) for formula in ('=" 4 "*2', '="1e2"+1', '=SUM("2",3)', '=-"-.5"')] == [8, 101, 5, 0.5]


def test_largest_numbers(sheet):
    sheet["B1"] = 10**308
    assert sheet["B1"] == 1e308
    assert entered(sheet, "-1.7976931348623157e308") == -1.7976931348623157e308
    assert computed(sheet, "=B1*1.5") == 1.5e308
    assert computed(sheet, "=A1+B1") == -7.976931348623157e307


def test_apostrophe_and_other_entries(sheet):
    assert [entered(sheet, text) for text in ("'12", "'nan", "true", "#num!", "")] == [
        "12", "nan", True, ErrorValue.NUM, None,
    ]
    sheet["B1"] = "12"
    assert sheet.entry("B1") == "'12"


def test_results_that_were_errors_before(book, sheet):
    def fail():
        raise Fault(ErrorValue.NA)

    book.functions.register("FAIL", fail)
    book.functions.register("MANY", lambda: 10**400)
    formulas = ["=10^309", "=(-2)^0.5", "=1/0", "=FAIL()", "=MANY()", '="x"+1']
    assert [str(computed(sheet, formula)) for formula in formulas] == [
        "#NUM!", "#NUM!", "#DIV/0!", "#N/A", "#NUM!", "#VALUE!",
    ]


def test_results_of_other_kinds(book, sheet):
    book.functions.register("WHOLE", lambda: 3, 0, 0)
    book.functions.register("YES", lambda: True, 0, 0)
    assert (computed(sheet, "=WHOLE()+1"), computed(sheet, "=YES()"), computed(sheet, '=YES()&""')) == (4, True, "TRUE")


def test_values_that_are_no_values(sheet):
    for value in ([1], b"1", 2j):
        with pytest.raises(InvalidValueError):
            sheet["A1"] = value
