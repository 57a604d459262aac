import pytest

from seamline import Clean, Conflict, Document, merge
from seamline.errors import OptionError


def doc(words):
    return Document(tuple(word + "\n" for word in words.split()))


def merged(base, ours, theirs):
    return merge(doc(base), doc(ours), doc(theirs))


def clean(base, ours, theirs):
    result = merged(base, ours, theirs)
    assert result.conflicts == []
    return " ".join(result.settled("ours").text.split())


def test_changes_of_one_side():
    assert clean("a b c", "a b c", "a b c") == "a b c"
    assert clean("a b c", "a x c", "a b c") == "a x c"
    assert clean("a b c", "a b c", "a x c") == "a x c"


def test_changes_of_both_sides_apart():
    assert clean("a b c d e", "x b c d e", "a b c d x") == "x b c d x"
    assert clean("a b c", "a c", "a b c d") == "a c d"
    assert clean("a b c d", "n a b c d", "a b x d") == "n a b x d"


def test_same_change_on_both_sides():
    assert clean("a b c", "a x c", "a x c") == "a x c"
    assert clean("a b c", "a c", "a c") == "a c"
    assert clean("", "a", "a") == "a"
    assert clean("a b", "", "") == ""


@pytest.mark.parametrize("base, ours, theirs, conflict", [
    ("a b c", "a x c", "a y c", ("x", "y", "b")),
    ("a b c", "a c", "a y c", ("", "y", "b")),
    ("a b", "a x b", "a y b", ("x", "y", "")),
    ("a b c d", "a x c d", "a b y d", ("x c", "b y", "b c")),
    ("a b c d", "a b x c d", "a b d", ("x c", "", "c")),
    ("", "a", "b", ("a", "b", "")),
])
def test_conflicts(base, ours, theirs, conflict):
    found, = merged(base, ours, theirs).conflicts
    assert found == Conflict(*(doc(words).lines for words in conflict))


def test_one_side_has_several_changes_in_a_conflict():
    result = merged("a b c d e f", "a x c y e f", "a 1 2 3 e f")
    assert result.chunks == (
        Clean(("a\n",)),
        Conflict(doc("x c y").lines, doc("1 2 3").lines, doc("b c d").lines),
        Clean(("e\n", "f\n")),
    )


def test_settled():
    result = merged("a b c", "a x c", "a y z c")
    assert result.settled("ours") == doc("a x c")
    assert result.settled("theirs") == doc("a y z c")
    assert result.settled("both") == doc("a x y z c")
    assert result.settled("base") == doc("a b c")


def test_unknown_side():
    with pytest.raises(OptionError):
        merged("a", "a", "a").settled("mine")


def test_trimmed():
    conflict = Conflict(doc("p x q q").lines, doc("p q").lines, doc("b").lines)
    assert conflict.trimmed() == (Clean(("p\n",)), Conflict(doc("x q").lines, (), ("b\n",)), Clean(("q\n",)))


def test_changed_newlines_are_merged_apart_from_the_text():
    base, crlf = Document.from_text("a\nb\nc\n"), Document.from_text("a\r\nb\r\nc\r\n")
    edited = Document.from_text("a\nx\nc\n")
    assert merge(base, crlf, edited).settled("ours").text == "a\r\nx\r\nc\r\n"
    assert merge(base, edited, crlf).settled("ours").text == "a\r\nx\r\nc\r\n"
    assert merge(crlf, base, crlf).settled("ours").text == "a\nb\nc\n"


def test_lines_that_end_in_another_way_stay():
    base, ours = Document.from_text("a\nb\nc\n"), Document.from_text("a\nb\nc\r\n")
    theirs = Document.from_text("x\r\nb\r\nc\r\n")
    assert merge(base, ours, theirs).settled("ours").text == "x\r\nb\r\nc\r\n"
    ours, theirs = Document.from_text("a\nb\rc\n"), Document.from_text("a\r\nb\r\nc\r\n")
    assert merge(base, ours, theirs).settled("ours").text == "a\r\nb\rc\r\n"


def test_line_behind_one_without_an_end():
    base, ours = Document.from_text("a\r\nb\r\nc"), Document.from_text("x\r\nb\r\nc")
    theirs = Document.from_text("a\r\nb\r\nc\r\nd")
    assert merge(base, ours, theirs).settled("ours").text == "x\r\nb\r\nc\r\nd"
    assert merge(Document.from_text("a"), Document.from_text("b"), Document.from_text("c")).settled("both").text == "b\nc"
