import pytest

from cellwork import ErrorValue, dumps, loads
from cellwork.errors import CsvError, InvalidValueError


def test_typed_text(sheet):
    for text, value in [
        ("12", 12.0), (" -1.5 ", -1.5), (".5", 0.5), ("5.", 5.0), ("1e3", 1000.0), ("true", True), ("#n/a", ErrorValue.NA), ("", None),
        ("'12", "12"), ("'", ""), ("abc", "abc"), (" ", " "), ("1,5", "1,5"), ("nan", "nan"), ("1_000", "1_000"), ("+-1", "+-1"),
    ]:
        sheet.enter("A1", text)
        assert (text, type(sheet["A1"]), sheet["A1"]) == (text, type(value), value)


@pytest.mark.parametrize("content, entry", [
    (12, "12"), (0.1, "0.1"), ("12", "'12"), ("=A1", "=A1"), ("x", "x"), (True, "TRUE"), ("true", "'true"), ("'x", "''x"), (None, ""),
])
def test_entries(sheet, content, entry):
    sheet["B1"] = content
    assert sheet.entry("B1") == entry


@pytest.mark.parametrize("content", [float("inf"), float("nan"), 10**400, [1], object(), b"x"])
def test_values_that_no_cell_holds(sheet, content):
    with pytest.raises(InvalidValueError):
        sheet["A1"] = content


def test_text_that_is_shown(sheet):
    sheet["A1"] = "=1/3"
    sheet["A2"] = 1e20
    assert [sheet.text("A1"), sheet.text("A2"), sheet.text("A3")] == ["0.333333333333333", "1e+20", ""]


def test_csv_out(sheet):
    sheet["A1"], sheet["B2"], sheet["C1"] = 1, "=A1+1", "a,b"
    assert dumps(sheet) == '1,,"a,b"\n,2,\n'
    assert dumps(sheet, formulas=True) == '1,,"a,b"\n,=A1+1,\n'


def test_csv_in(sheet):
    sheet["B2"] = "gone"
    loads(sheet, '1,x\r\n"=B3*2",\n\n7;8,TRUE', at="B1")
    assert [sheet["B1"], sheet["C1"], sheet["B2"], sheet["B4"], sheet["C4"]] == [1, "x", 0, "7;8", True]


def test_csv_round_trip(book, sheet, other):
    for address, content in {"A1": 0.1 + 0.2, "B1": "007", "A2": "=A1*3", "C3": "line\nbreak", "B3": ErrorValue.NA}.items():
        sheet[address] = content
    loads(other, dumps(sheet, formulas=True))
    assert dumps(other, formulas=True) == dumps(sheet, formulas=True)
    assert (other["A1"], other["B1"]) == (0.1 + 0.2, "007")


def test_unreadable_csv_changes_nothing(sheet):
    sheet["A1"] = "kept"
    with pytest.raises(CsvError) as caught:
        loads(sheet, 'x,y\n"open')
    assert caught.value.line == 2
    assert sheet["A1"] == "kept"


def test_empty_csv(sheet):
    loads(sheet, "")
    assert dumps(sheet) == ""
