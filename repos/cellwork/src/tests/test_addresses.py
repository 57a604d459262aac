import pytest

from cellwork.addresses import Area, Place, Ref, column_letters, column_number, parse_area, quoted_sheet
from cellwork.errors import AddressError


@pytest.mark.parametrize("number, letters", [(1, "A"), (26, "Z"), (27, "AA"), (703, "AAA"), (1024, "AMJ")])
def test_columns(number, letters):
    assert column_letters(number) == letters
    assert column_number(letters.lower()) == number


def test_ref_round_trip():
    for text in ("A1", "$B$2", "C$3", "$AMJ65536"):
        assert str(Ref.parse(text)) == text


def test_no_refs():
    for text in ("", "A", "1", "A0", "A01", "A65537", "AMK1", "A1:B2", "A-1", " A1"):
        with pytest.raises(AddressError):
            Ref.parse(text)


def test_areas_are_put_in_order():
    assert parse_area("C5:B2", "Main") == Area("Main", 2, 2, 5, 3)
    assert str(parse_area("'It''s'!B2:A1")) == "'It''s'!A1:B2"


def test_area_needs_a_sheet():
    with pytest.raises(AddressError):
        parse_area("A1")


def test_area_contains_and_covers():
    area = parse_area("B2:C4", "Main")
    assert Place("Main", 4, 3) in area
    assert Place("Else", 4, 3) not in area
    assert area.covers(parse_area("B3:C4", "Main"))
    assert not area.covers(parse_area("B3:C5", "Main"))
    assert area.overlaps(parse_area("C4:D9", "Main"))


@pytest.mark.parametrize("name, quoted", [("Main", "Main"), ("My sheet", "'My sheet'"), ("A1", "'A1'"), ("2024", "'2024'")])
def test_quoting(name, quoted):
    assert quoted_sheet(name) == quoted
