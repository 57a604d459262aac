import pytest

from cellwork import ErrorValue, parse_formula
from cellwork.errors import FormulaError


def test_operators(sheet):
    for formula, value in [
        ("=1+2*3", 7), ("=(1+2)*3", 9), ("=10-4-3", 3), ("=10-(4-3)", 9), ("=2^3^2", 64), ("=-2^2", 4), ("=50%*8", 4),
        ("=1+1&\"x\"", "2x"), ("=1+1=2", True), ("=\"a\"\"b\"", "a\"b"), ("=--3", 3), ("=7/2", 3.5), ("=\"a\"<\"B\"", True),
        ("=2<\"1\"", True), ("=\"3\"*2", 6), ("=TRUE+1", 2), ("=A9", 0), ("=A9=\"\"", True), ("=A9=0", True), ("=1e3", 1000),
    ]:
        sheet["A1"] = formula
        assert (formula, sheet["A1"]) == (formula, value)


def test_errors(sheet):
    for formula, error in [
        ("=1/0", "#DIV/0!"), ("=\"x\"+1", "#VALUE!"), ("=NOPE(1)", "#NAME?"), ("=nope", "#NAME?"), ("=ABS()", "#N/A"),
        ("=ABS(1,2)", "#N/A"), ("=10^400", "#NUM!"), ("=(-8)^0.5", "#NUM!"), ("=0^-1", "#DIV/0!"), ("=Gone!A1", "#REF!"), ("=SUM(Gone!A1:A2)", "#REF!"),
        ("=A1:A2", "#CYCLE!"), ("=B1:B2", "#VALUE!"), ("=1/0+\"x\"", "#DIV/0!"), ("=#N/A&1", "#N/A"),
    ]:
        sheet["A1"] = formula
        assert (formula, str(sheet["A1"])) == (formula, error)


@pytest.mark.parametrize("text, printed", [
    ("=a1+ b2", "=A1+B2"), ("=sum( A1:b2 , 3 )", "=SUM(A1:B2,3)"), ("=(A1+B1)*C1", "=(A1+B1)*C1"), ("=((A1))", "=A1"),
    ("=(A1*B1)+C1", "=A1*B1+C1"), ("=A1-(B1-C1)", "=A1-(B1-C1)"), ("=A1^(B1^C1)", "=A1^(B1^C1)"), ("=(A1-B1)-C1", "=A1-B1-C1"),
    ("=-(A1+1)%", "=-(A1+1)%"), ("=(-A1)%", "=(-A1)%"), ("=B2:A1", "=A1:B2"), ('="a""b"', '="a""b"'),
    ("='My sheet'!$A$1", "='My sheet'!$A$1"), ("=IF(TRUE,1.50,#n/a)", "=IF(TRUE,1.5,#N/A)"), ("=Rate*1e20", "=Rate*1E+20"),
])
def test_canonical_form(text, printed):
    assert "=" + parse_formula(text).unparse() == printed
    assert parse_formula(printed) == parse_formula(text)


def test_unreadable_formulas():
    for text, position in [
        ("1", 0), ("=", 1), ("=1+", 3), ("=(1", 3), ("=1 2", 3), ("=A1:", 4), ("=A1:2", 4), ("=SUM(1", 6), ("=ZZZ1", 1), ("=$x", 1),
        ("=1?", 2), ('="a', 1), ("=1e999", 1),
    ]:
        with pytest.raises(FormulaError) as caught:
            parse_formula(text)
        assert (text, caught.value.position) == (text, position)


def test_nesting_has_a_limit():
    with pytest.raises(FormulaError):
        parse_formula("=" + "(" * 500 + "1" + ")" * 500)


def test_unreadable_formula_changes_nothing(sheet):
    sheet["A1"] = 5
    with pytest.raises(FormulaError):
        sheet["A1"] = "=1+"
    assert sheet["A1"] == 5


def test_leftmost_error_wins(sheet):
    sheet["A1"] = ErrorValue.NA
    sheet["A2"] = "=A1+1/0"
    assert sheet["A2"] is ErrorValue.NA
