import pytest

from seamline import Folding, Hunk, HunkLine, Span, make_hunks
from seamline.errors import OptionError


def numbered(*numbers):
    return [f"{number}\n" for number in numbers]


def show(hunk):
    return "".join(line.tag + line.text.rstrip("\n") + ";" for line in hunk.lines)


def test_one_change():
    hunk, = make_hunks(numbered(1, 2, 3, 4, 5), numbered(1, 2, 9, 4, 5), context=1)
    assert (hunk.old, hunk.new) == (Span(1, 3), Span(1, 3))
    assert show(hunk) == " 2;-3;+9; 4;"
    assert (hunk.leading, hunk.trailing, hunk.growth) == (1, 1, 0)
    assert hunk.old_lines == ["2\n", "3\n", "4\n"]
    assert hunk.new_lines == ["2\n", "9\n", "4\n"]


def test_nothing_changed():
    assert make_hunks(["a\n"], ["a\n"]) == []


def test_near_changes_share_a_hunk():
    def hunks_with(between):
        middle = range(10, 10 + between)
        return len(make_hunks(numbered(1, 2, *middle, 3, 4), numbered(1, *middle, 4), context=2))

    assert [hunks_with(between) for between in (1, 4, 5)] == [1, 1, 2]


def test_without_context():
    hunks = make_hunks(numbered(1, 2, 3), numbered(1, 8, 9, 2), context=0)
    assert [(hunk.old, hunk.new) for hunk in hunks] == [(Span(1, 0), Span(1, 2)), (Span(2, 1), Span(4, 0))]


def test_context_ends_with_the_file():
    hunk, = make_hunks(numbered(1, 2), numbered(1, 2, 3))
    assert (hunk.old, hunk.new) == (Span(0, 2), Span(0, 3))
    assert (hunk.leading, hunk.trailing) == (2, 0)


def test_negative_context():
    with pytest.raises(OptionError):
        make_hunks([], [], context=-1)


def test_inverted():
    hunk, = make_hunks(numbered(1, 2, 3), numbered(1, 7, 8, 3))
    back = hunk.inverted()
    assert show(back) == " 1;-7;-8;+2; 3;"
    assert (back.old, back.new, back.growth) == (Span(0, 4), Span(0, 3), -1)
    assert back.inverted() == hunk


def test_moved():
    hunk = Hunk(Span(4, 1), Span(6, 0), (HunkLine("-", "x\n"),), "def f")
    assert hunk.moved(1, 2) == Hunk(Span(1, 1), Span(2, 0), (HunkLine("-", "x\n"),), "def f")


def test_context_lines_are_those_of_the_old_file():
    hunk, = make_hunks(["A\n", "b\n"], ["a\n", "c\n"], folding=Folding("case"))
    assert show(hunk) == " A;-b;+c;"
