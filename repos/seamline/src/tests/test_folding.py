import pytest

from seamline import EXACT, Folding, compare, diff, known_rules, merge, register, render
from seamline.document import Document
from seamline.errors import OptionError, UnknownRuleError
from seamline.folding import _RULES


@pytest.fixture
def rules():
    """Forget what a test registers."""
    before = dict(_RULES)
    yield
    _RULES.clear()
    _RULES.update(before)


def test_space_rules():
    assert Folding("space").key(" a\t b \r\n") == "ab\r\n"
    assert Folding("space-change").key("a \t b  \r\n") == "a b\r\n"
    assert Folding("space-change").key("  a  ") == " a"


def test_other_rules():
    assert Folding("case").key("Straße\n") == "strasse\n"
    assert Folding("eol").keys(["a\r\n", "a\r", "a"]) == ["a\n", "a\n", "a"]


def test_exact():
    assert EXACT.keys(["A \n", "b"]) == ["A \n", "b"]


def test_several_rules():
    assert Folding("case", "space").key("A B\n") == "ab\n"
    assert Folding("case").adding("space", "case") == Folding("case", "space")
    assert repr(Folding("case", "space", "case")) == "Folding('case', 'space')"


def test_rules_apply_in_the_order_in_which_they_are_named(rules):
    register("shout", str.upper)
    assert Folding("case", "shout").key("ab\n") == "AB\n"
    assert Folding("shout", "case").key("ab\n") == "ab\n"


def test_unknown_rule():
    with pytest.raises(UnknownRuleError) as caught:
        Folding("case", "tabs")
    assert str(caught.value) == "unknown rule 'tabs' (known: case, eol, space, space-change)"


def test_registered_rule(rules):
    register("quotes", lambda line: line.replace("'", '"'))
    assert known_rules() == ["case", "eol", "quotes", "space", "space-change"]
    assert compare(["'a'\n"], ['"a"\n'], Folding("quotes")) == []
    with pytest.raises(OptionError):
        register("quotes", str)


def test_diff_shows_the_context_of_the_old_file():
    old, new = Document.from_text("A\nb\n"), Document.from_text("a\nc\n")
    assert render(diff(old, new, folding=Folding("case"))) == "--- old\n+++ new\n@@ -1,2 +1,2 @@\n A\n-b\n+c\n"


def test_merge_keeps_what_is_overlooked():
    base, ours, theirs = (Document.from_text(text) for text in ("a\nb\nc\n", "a\nB\nc\n", "A\nB \nC\n"))
    merged = merge(base, ours, theirs, Folding("case", "space"))
    assert merged.settled("ours").text == "A\nB\nC\n"
