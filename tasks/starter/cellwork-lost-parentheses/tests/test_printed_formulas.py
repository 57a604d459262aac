import pytest

from cellwork import Workbook, dumps, loads, parse_formula


def printed(text):
    return "=" + parse_formula(text).unparse()


def read_back(**cells):
    """The values of a sheet with these cells, before and after its formulas were written and read."""
    book = Workbook()
    sheet, again = book.add_sheet("Main"), book.add_sheet("Again")
    for address, content in cells.items():
        sheet[address] = content
    loads(again, dumps(sheet, formulas=True))
    return [sheet[address] for address in cells], [again[address] for address in cells]


@pytest.mark.parametrize("text", [
    "=B7-(C7+D7)", "=B7/(C7*D7)", "=B7*(C7/D7)", "=B7+(C7+D7)", "=B7^(C7^D7)", "=B7=(C7=D7)", "=B7<(C7>=D7)", "=B7*(C7*D7)",
])
def test_group_on_the_right(text):
    assert printed(text) == text


def test_growth_rate_survives():
    assert read_back(A1=2, B1=3, C1=2, D1="=A1^(B1^C1)") == ([2, 3, 2, 512], [2, 3, 2, 512])


def test_check_survives():
    assert read_back(A1=False, B1="=A1=(2=3)", C1="=A1<>(1<>1)") == ([False, True, False], [False, True, False])


def test_division_survives():
    assert read_back(A1=100, B1="=A1/(5/2)", C1="=A1/(5*2)") == ([100, 40, 10], [100, 40, 10])


def test_last_digit_survives():
    assert read_back(A1=1e16, B1=1, C1="=A1+(B1+B1)") == ([1e16, 1, 10000000000000002.0], [1e16, 1, 10000000000000002.0])


def test_difference_of_a_difference_of_a_difference():
    assert printed("=A1-(B1-(C1-D1))") == "=A1-(B1-(C1-D1))"
    assert printed("=A1-((B1-C1)-D1)") == "=A1-(B1-C1-D1)"


def test_inside_of_calls_and_signs():
    assert printed("=SUM(-(2-(1-A1)),B1%)") == "=SUM(-(2-(1-A1)),B1%)"


def test_formula_shown_by_a_sheet():
    sheet = Workbook().add_sheet("Main")
    sheet["E5"] = "=$A$1-(sum(B2:B4)-C2)"
    sheet.copy("E5", "F6")
    assert (sheet.formula("E5"), sheet.formula("F6")) == ("=$A$1-(SUM(B2:B4)-C2)", "=$A$1-(SUM(C3:C5)-D3)")


def test_formula_shown_after_an_insertion():
    sheet = Workbook().add_sheet("Main")
    sheet["A1"] = "=A5/(A6/A7)"
    sheet.insert_rows(6)
    assert sheet.formula("A1") == "=A5/(A7/A8)"


@pytest.mark.parametrize("text, shown", [
    ("=(B7-C7)-D7", "=B7-C7-D7"),
    ("=(B7^C7)^D7", "=B7^C7^D7"),
    ("=(B7/C7)*D7", "=B7/C7*D7"),
    ("=(B7=C7)=D7", "=B7=C7=D7"),
    ("=B7+(C7*D7)", "=B7+C7*D7"),
    ("=B7-(C7^D7)", "=B7-C7^D7"),
    ("=B7&(C7-D7)", "=B7&C7-D7"),
    ("=B7=(C7&D7)", "=B7=C7&D7"),
])
def test_parentheses_that_say_nothing(text, shown):
    assert printed(text) == shown


def test_looser_groups_keep_theirs():
    assert printed("=(B7-C7)*(D7+E7)") == "=(B7-C7)*(D7+E7)"
    assert printed("=(B7=C7)&(D7<E7)") == "=(B7=C7)&(D7<E7)"


def test_signs_and_percents():
    assert printed("=-(B7^2)") == "=-(B7^2)"
    assert printed("=(-B7)^2") == "=-B7^2"
    assert printed("=B7^(-2)") == "=B7^-2"
    assert printed("=B7-(-C7)") == "=B7--C7"
    assert printed("=(B7-C7)%") == "=(B7-C7)%"


def test_commas_and_quotes_survive():
    assert read_back(A1='=IF(1,"a,""b",2)', B1="x,y") == (['a,"b', "x,y"], ['a,"b', "x,y"])


def test_values_without_formulas():
    sheet = Workbook().add_sheet("Main")
    sheet["A1"], sheet["B1"] = 7, "=A1-(2-1)"
    assert dumps(sheet) == "7,6\n"
