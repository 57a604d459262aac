import pytest

from cellwork import Workbook, loads


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Main")


@pytest.fixture
def labels(book):
    """The labels of the computed formulas, each of which calls ``T``."""
    found = []
    book.functions.register("T", lambda label, value: found.append(label) or value, 2, 2, takes_errors=True)
    return found


def fill(sheet, labels, **cells):
    for address, content in cells.items():
        sheet[address] = content
    labels.clear()


def test_diamond(sheet, labels):
    fill(sheet, labels, A1=1, B1='=T("b1",A1+1)', B2='=T("b2",A1+2)', C1='=T("c",B1*B2)', D1='=T("d",C1+B1+A1)')
    sheet["A1"] = 3
    assert (sorted(labels), sheet["D1"]) == (["b1", "b2", "c", "d"], 27)


def test_tower_of_diamonds(sheet, labels):
    sheet["A1"] = 1
    for row in range(2, 13):
        fill(sheet, labels, **{
            f"B{row}": f"=A{row - 1}*2", f"C{row}": f"=A{row - 1}+1", f"A{row}": f'=T("{row}",C{row}-B{row})',
        })
    sheet["A1"] = 2
    assert (len(labels), sheet["A2"], sheet["A3"], sheet["A12"]) == (11, -1, 2, -1)


def test_running_totals(sheet, labels):
    sheet["C1"] = 1
    for row in range(2, 13):
        sheet[f"C{row}"] = f'=T("{row}",SUM(C$1:C{row - 1}))'
    labels.clear()
    sheet["C1"] = 3
    assert (len(labels), sheet["C12"]) == (11, 3072)


def test_running_totals_upwards(sheet, labels):
    sheet["C12"] = 1
    for row in range(11, 0, -1):
        sheet[f"C{row}"] = f'=T("{row}",SUM(C{row + 1}:C$12))'
    labels.clear()
    sheet["C12"] = 3
    assert (len(labels), sheet["C1"]) == (11, 3072)


def test_long_and_short_way(sheet, labels):
    fill(sheet, labels, A1=1, A2="=A1+1", A3="=A2+1", A4="=A3+1", B1='=T("sum",A1+A4)', B2='=T("more",B1+A2+A4)')
    sheet["A1"] = 5
    assert (sorted(labels), sheet["B1"], sheet["B2"]) == (["more", "sum"], 13, 27)


def test_difference_that_stays(sheet, labels):
    fill(sheet, labels, D1=1, A2="=D1*2", A3="=0-D1*2", A4='=T("zero",A2+A3)', A5='=T("behind",A4)', A6='=T("far",A5+A4)')
    sheet["D1"] = 7
    assert (labels, sheet["A6"]) == (["zero"], 0)


def test_no_mixture_of_old_and_new(book, sheet):
    seen = []
    book.functions.register("PAIR", lambda one, other: seen.append((one, other)) or one, 2, 2)
    for address, content in {"A1": 1, "B1": "=A1*10", "C1": "=B1*10", "D1": "=PAIR(A1,C1)"}.items():
        sheet[address] = content
    del seen[:]
    sheet["A1"] = 2
    assert seen == [(2.0, 200.0)]


def test_batch(book, sheet, labels):
    fill(sheet, labels, A1=1, A2=2, A3=3, B1='=T("b1",A1+A2)', B2='=T("b2",A2+A3)', C1='=T("c",B1+B2)', D1='=T("d",C1+A3)')
    with book.batch():
        sheet["A3"], sheet["A2"], sheet["A1"] = 30, 20, 10
    assert (sorted(labels), sheet["D1"]) == (["b1", "b2", "c", "d"], 110)


def test_model_that_is_read_at_once(sheet, labels):
    loads(sheet, '"=T(""top"",A2+A3)"\n"=T(""left"",A4+1)"\n"=T(""right"",A2+A4)"\n5\n')
    assert (sorted(labels), sheet["A1"]) == (["left", "right", "top"], 17)


def test_everything_anew(book, sheet, labels):
    fill(sheet, labels, A3=1, A2='=T("2",A3+1)', A1='=T("1",A2+A3)', B1='=T("b",SUM(A1:A3))')
    book.recalculate()
    assert (sorted(labels), sheet["B1"]) == (["1", "2", "b"], 6)


def test_over_sheets_and_names(book, sheet, labels):
    other = book.add_sheet("Rates")
    book.define_name("rate", "Rates!A2")
    other["A1"], other["A2"] = 1, '=T("rate",A1*2)'
    fill(sheet, labels, A1='=T("1",rate+Rates!A1)', A2='=T("2",A1*rate)', A3='=T("3",A1+A2+Rates!A1)')
    other["A1"] = 2
    assert (sorted(labels), sheet["A3"]) == (["1", "2", "3", "rate"], 32)


def test_name_with_another_target(book, sheet, labels):
    book.define_name("rate", "Main!A1")
    fill(sheet, labels, A1=1, A2=5, B1='=T("1",rate+1)', B2='=T("2",rate+B1)', B3='=T("3",B2+B1)')
    book.define_name("rate", "Main!A2")
    assert (sorted(labels), sheet["B3"]) == (["1", "2", "3"], 17)


def test_insertion(sheet, labels):
    fill(sheet, labels, A1=1, A3=2, B1='=T("sum",SUM(A1:A3))', B4='=T("rows",ROWS(A1:A3)+B1)', B5='=T("both",B4+B1)')
    sheet.insert_rows(2)
    assert (sorted(set(labels)), len(labels), sheet["B6"]) == (["both", "rows", "sum"], 3, 10)


def test_behind_a_circle(sheet, labels):
    fill(sheet, labels, A1='=T("a1",A2)', A2=1, B1='=T("b1",IFERROR(A1,5))', B2='=T("b2",IFERROR(A2,6)+B1)', B3='=T("b3",B1+B2)')
    sheet["A2"] = '=T("a2",A1)'
    assert (sorted(labels), [sheet.text(a) for a in ("A1", "A2", "B3")]) == (["b1", "b2", "b3"], ["#CYCLE!", "#CYCLE!", "16"])


def test_circle_that_ends(sheet, labels):
    fill(sheet, labels, A1='=T("a1",A2+A3)', A2='=T("a2",A3+1)', A3='=T("a3",A1)', B1='=T("b",A1+A2)')
    sheet["A3"] = 1
    assert (sorted(labels), sheet["A1"], sheet["B1"]) == (["a1", "a2", "b"], 3, 5)
