import pytest

from cellwork import ErrorValue, Workbook, dumps
from cellwork.errors import AddressError


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Plan")


@pytest.fixture
def other(book, sheet):
    return book.add_sheet("Old plan")


def fill(sheet, **cells):
    for address, content in cells.items():
        sheet[address] = content


def shown(sheet, *addresses):
    return [sheet.text(address) for address in addresses]


def formulas(sheet, *addresses):
    return [sheet.formula(address) for address in addresses]


def test_block_with_its_own_formulas(sheet):
    fill(sheet, A1=3, B1="=A1*2", A2="=B1+C9", B2="x", C9=1)
    sheet.move("A1:B2", "F4")
    assert formulas(sheet, "G4", "F5") == ["=F4*2", "=G4+C9"]
    assert shown(sheet, "A1", "B1", "A2", "B2", "F4", "G4", "F5", "G5") == ["", "", "", "", "3", "6", "7", "x"]
    sheet["F4"] = 5
    assert shown(sheet, "G4", "F5") == ["10", "11"]


def test_nothing_is_shifted(sheet):
    fill(sheet, B3="=A1+$A$2+SUM(A1:$A$2)", A1=1, A2=2)
    sheet.move("B3", "B9")
    assert (sheet.formula("B9"), sheet["B9"]) == ("=A1+$A$2+SUM(A1:$A$2)", 6)
    sheet["A1"] = 2
    assert sheet["B9"] == 8


def test_absolute_references_follow(sheet):
    fill(sheet, A1=4, C1="=$A$1+A$1+$A1")
    sheet.move("A1", "B6")
    assert (sheet.formula("C1"), sheet["C1"]) == ("=$B$6+B$6+$B6", 12)


def test_ranges_that_follow(sheet):
    fill(sheet, A1=1, A2=2, B1=3, B2=4, D1="=SUM(A1:B2)", D2="=SUM(A1:A2)", D3="=SUM($B$1:B2)")
    sheet.move("A1:B2", "A10")
    assert formulas(sheet, "D1", "D2", "D3") == ["=SUM(A10:B11)", "=SUM(A10:A11)", "=SUM($B$10:B11)"]
    assert shown(sheet, "D1", "D2", "D3") == ["10", "3", "7"]


def test_range_of_which_a_part_leaves(sheet):
    fill(sheet, A1=1, A2=2, A3=4, D1="=SUM(A1:A3)", D2="=D1*10")
    sheet.move("A3", "B3")
    assert (sheet.formula("D1"), shown(sheet, "D1", "D2")) == ("=SUM(A1:A3)", ["3", "30"])
    sheet["B3"] = 9
    sheet["A3"] = 5
    assert shown(sheet, "D1", "D2") == ["8", "80"]


def test_range_into_which_a_cell_comes(sheet):
    fill(sheet, A1=1, A2=2, B1=40, D1="=SUM(A1:A2)", D2="=B1")
    sheet.move("B1", "A2")
    assert formulas(sheet, "D1", "D2") == ["=SUM(A1:A2)", "=A2"]
    assert shown(sheet, "D1", "D2") == ["41", "40"]


def test_range_whose_corner_leaves(sheet):
    fill(sheet, B2=1, C3=2, E1="=SUM(B2:C3)", E2="=COUNTA(B2:C3)")
    sheet.move("C3", "A1")
    assert formulas(sheet, "E1", "E2") == ["=SUM(B2:C3)", "=COUNTA(B2:C3)"]
    assert shown(sheet, "E1", "E2") == ["1", "1"]


def test_overwritten_cells_and_ranges(sheet):
    fill(sheet, A1=1, A2=2, C1=3, C2=4, C3=5, E1="=C2", E2="=SUM(C1:C2)", E3="=SUM(C1:C3)", E4="=IFERROR(E1,0)")
    sheet.move("A1:A2", "C1")
    assert formulas(sheet, "E1", "E2", "E3") == ["=#REF!", "=SUM(#REF!)", "=SUM(C1:C3)"]
    assert shown(sheet, "E1", "E2", "E3", "E4") == ["#REF!", "#REF!", "8", "0"]


def test_blank_cells_overwrite(sheet):
    fill(sheet, A1=1, C1=7, C2=8, E1="=C2")
    sheet.move("A1:A2", "C1")
    assert shown(sheet, "C1", "C2", "E1") == ["1", "", "#REF!"]


def test_overwritten_formulas_are_forgotten(sheet):
    fill(sheet, A1=1, B1=5, C1="=A1", C2="=C1")
    sheet.move("B1", "C1")
    sheet["A1"] = 2
    assert (shown(sheet, "C1", "C2"), sheet.formula("C1")) == (["5", "#REF!"], None)


def test_overlapping_areas(sheet):
    fill(sheet, A1=1, A2="=A1+1", A3="=A2+1", A4="gone", C1="=A3", C2="=A4", C3="=SUM(A2:A3)", C4="=SUM(A3:A4)")
    sheet.move("A1:A3", "A2")
    assert formulas(sheet, "A3", "A4", "C1", "C2", "C3", "C4") == [
        "=A2+1", "=A3+1", "=A4", "=#REF!", "=SUM(A3:A4)", "=SUM(A3:A4)",
    ]
    assert shown(sheet, "A1", "A2", "A3", "A4", "C1", "C3", "C4") == ["", "1", "2", "3", "3", "5", "5"]


def test_range_within_an_overlap(sheet):
    fill(sheet, A1=1, B1=2, C1=3, E1="=SUM(B1:C1)")
    sheet.move("A1:B1", "B1")
    assert (sheet.formula("E1"), sheet["E1"], sheet["C1"]) == ("=SUM(B1:C1)", 3, 2)


def test_the_same_place(sheet):
    fill(sheet, A1=1, A2="=A1", C1="=SUM(A1:A2)")
    before = dumps(sheet, formulas=True)
    sheet.move("A1:A2", "A1")
    assert (dumps(sheet, formulas=True), sheet["C1"]) == (before, 2)
    sheet["A1"] = 4
    assert sheet["C1"] == 8


def test_formula_that_goes_to_another_sheet(sheet, other):
    fill(sheet, A1=1, A2="=A1+SUM(A1:A1)+'Old plan'!C1", A3="=A2")
    other["C1"] = 10
    sheet.move("A2", "B2", other)
    assert (other.formula("B2"), sheet.formula("A3")) == ("=Plan!A1+SUM(Plan!A1:A1)+'Old plan'!C1", "='Old plan'!B2")
    sheet["A1"] = 2
    assert (other["B2"], sheet["A3"]) == (14, 14)


def test_sheet_is_written_only_where_needed(sheet, other):
    fill(sheet, A1=1, A2="=A1+Plan!A1", B1="=A1+Plan!A1")
    sheet.move("A1:A2", "A1", other)
    assert other.formula("A2") == "=A1+'Old plan'!A1"
    assert sheet.formula("B1") == "='Old plan'!A1+'Old plan'!A1"
    assert shown(other, "A2") + shown(sheet, "B1") == ["2", "2"]


def test_overwritten_cells_of_another_sheet(sheet, other):
    fill(sheet, A1=1, B1="='Old plan'!C3")
    fill(other, C3=5, D3="=C3", E3="=SUM(B3:C3)")
    sheet.move("A1", "C3", other)
    assert [sheet.formula("B1")] + formulas(other, "D3", "E3") == ["=#REF!", "=#REF!", "=SUM(B3:C3)"]
    assert shown(other, "D3", "E3") == ["#REF!", "1"]


def test_names(book, sheet, other):
    fill(sheet, A1=1, A2=2, A3=3, E1="=SUM(both)", E2="=one", E3="=lost+1", E4="=SUM(part)")
    fill(other, B2=9)
    for name, target in (("both", "Plan!A1:A2"), ("one", "Plan!A2"), ("lost", "'Old plan'!B2"), ("part", "Plan!A2:A3")):
        book.define_name(name, target)
    sheet.move("A1:A2", "B1", other)
    assert book.names == {
        "both": "'Old plan'!B1:B2", "lost": "#REF!", "one": "'Old plan'!B2", "part": "Plan!A2:A3",
    }
    assert shown(sheet, "E1", "E2", "E3", "E4") == ["3", "2", "#REF!", "3"]
    other["B2"] = 20
    assert shown(sheet, "E1", "E2") == ["21", "20"]


def test_within_a_batch(book, sheet):
    fill(sheet, A1=1, A2="=A1*10", A3="=SUM(A1:A2)")
    with book.batch():
        sheet["A1"] = 2
        sheet.move("A1", "C1")
        sheet["A1"] = 100
        sheet.move("A2", "D1")
    assert formulas(sheet, "D1", "A3") == ["=C1*10", "=SUM(A1:A2)"]
    assert shown(sheet, "C1", "D1", "A3") == ["2", "20", "100"]


def test_cleared_and_moved_in_a_batch(book, sheet):
    fill(sheet, A1=1, B1="=SUM(A1:A3)", B2="=A1+5")
    with book.batch():
        sheet["A1"] = None
        sheet.move("A1", "D1")
    assert (sheet.formula("B2"), shown(sheet, "B1", "B2")) == ("=D1+5", ["0", "5"])


def test_circles_move_and_end(sheet):
    fill(sheet, A1="=A2", A2="=IFERROR(A1,7)")
    sheet.move("A1", "F1")
    assert (sheet.formula("A2"), shown(sheet, "F1", "A2")) == ("=IFERROR(F1,7)", ["#CYCLE!", "#CYCLE!"])
    sheet["F1"] = 3
    assert sheet["A2"] == 3


def test_move_into_what_is_read(sheet):
    fill(sheet, A1=1, B1="=SUM(A1:A3)")
    sheet.move("B1", "A3")
    assert (sheet.formula("A3"), sheet["A3"]) == ("=SUM(A1:A3)", ErrorValue.CYCLE)


def test_only_what_is_concerned_is_computed(book, sheet):
    labels = []
    book.functions.register("SEEN", lambda label, value: labels.append(label) or value, 2, 2)
    fill(sheet, A1=1, B1=2, C1='=SEEN("a",A1)', C2='=SEEN("b",B1)', C3='=SEEN("c",C2)', C4='=SEEN("d",SUM(A1:A9))')
    labels.clear()
    sheet.move("A1", "A20")
    assert (sorted(set(labels) - {"a"}), sheet["C1"], sheet["C4"]) == (["d"], 1, 0)


@pytest.mark.parametrize("source, target", [("A1:B1", "AMJ1"), ("A1:A2", "C65536"), ("A1:B2", "AMJ65536")])
def test_move_that_does_not_fit(sheet, source, target):
    fill(sheet, A1=1, A2="=A1")
    before = dumps(sheet, formulas=True)
    with pytest.raises(AddressError):
        sheet.move(source, target)
    assert dumps(sheet, formulas=True) == before
