import pytest

from seamline import Document, FilePatch, Folding, Hunk, HunkLine, Span, Status, apply, make_hunks, parse, render
from seamline.errors import OptionError


def lines(text):
    """``a b c`` as a list of lines."""
    return [word + "\n" for word in text.split()]


def hunks(old, new, context=3):
    return make_hunks(lines(old), lines(new), context)


def patched(text, patch, **options):
    result = apply(Document(tuple(lines(text))), patch, **options)
    return " ".join(result.document.text.split()), [
        (outcome.status.value, outcome.start, outcome.offset, outcome.fuzz) for outcome in result.outcomes
    ]


def test_straight():
    assert patched("a b c d", hunks("a b c d", "a x c d")) == ("a x c d", [("applied", 0, 0, 0)])


def test_several_hunks():
    old, new = "a b c d e f g h", "b c d x e f h"
    assert patched(old, hunks(old, new, 1))[0] == new
    assert patched(new, hunks(old, new, 1), reverse=True)[0] == old


def test_whole_files():
    for context in (0, 1, 3):
        assert patched("", hunks("", "a b", context))[0] == "a b"
        assert patched("a b", hunks("a b", "", context))[0] == ""


@pytest.mark.parametrize("context", [0, 1])
def test_undo_a_patch_that_was_read(context):
    old, new = "a b c d e f g h", "b c d x e f h"
    patch, = parse(render(FilePatch("old", "new", tuple(hunks(old, new, context)))))
    assert patched(old, patch.hunks)[0] == new
    assert patched(new, patch.hunks, reverse=True)[0] == old


def test_offset():
    patch = hunks("a b c d e", "a b x d e", 1)
    assert patched("n n n a b c d e", patch) == ("n n n a b x d e", [("applied", 4, 3, 0)])
    assert patched("b c d e", patch) == ("b x d e", [("applied", 0, -1, 0)])


def test_nearest_place_and_the_later_of_two():
    patch = hunks("a a a p q r a a a", "a a a p X r a a a", 1)
    assert patched("p q r a a a a a p q r", patch)[0] == "p X r a a a a a p q r"
    assert patched("p q r a a a p q r", patch)[0] == "p q r a a a p X r"


def test_drift_moves_the_next_hunk_along():
    patch = hunks("a b c p q r d e f p q r", "a x c p q r d e f p X r", 1)
    text = "n n n a b c p q r d e f p q r z"
    assert [outcome[1:3] for outcome in patched("n n n n n n " + text, patch)[1]] == [(9, 9), (18, 9)]


def test_hunks_stand_behind_one_another():
    patch = [
        Hunk(Span(0, 1), Span(0, 1), (HunkLine("-", "a\n"), HunkLine("+", "b\n"))),
        Hunk(Span(1, 1), Span(1, 1), (HunkLine("-", "a\n"), HunkLine("+", "c\n"))),
    ]
    assert patched("x x a a", patch)[0] == "x x b c"


def test_beginning_and_end_are_places():
    first, last = hunks("a b c", "x a b c"), hunks("a b c", "a b c x")
    assert patched("n a b c", first, fuzz=0)[1] == [("rejected", None, 0, 0)]
    assert patched("a b c n", last, fuzz=0)[1] == [("rejected", None, 0, 0)]
    assert patched("n a b c", last, fuzz=0) == ("n a b c x", [("applied", 1, 1, 0)])


def test_fuzz():
    patch = hunks("a b c d e", "a b X d e")
    assert patched("n b c d n", patch) == ("n b X d n", [("applied", 0, 0, 1)])
    assert patched("n n c n n", patch) == ("n n X n n", [("applied", 0, 0, 2)])
    assert patched("n n c n n", patch, fuzz=1)[1] == [("rejected", None, 0, 0)]


def test_negative_fuzz():
    with pytest.raises(OptionError):
        apply(Document(), [], fuzz=-1)


def test_there_already():
    old, new = "a b c d e f g h i", "a b x d e f g h i j"
    assert patched(new, hunks(old, new, 1)) == (new, [("skipped", 1, 0, 0), ("skipped", 8, 0, 0)])


def test_there_already_counts_for_the_next_hunk():
    patch = hunks("a b c p q r d e f p q r n n p q r", "a b x y z c p q r d e f p Q r n n p q r", 1)
    text = "a b x y z c p q r d e f p q r n n p q r"
    assert patched(text, patch) == (
        "a b x y z c p q r d e f p Q r n n p q r", [("skipped", 1, 0, 0), ("applied", 12, 3, 0)]
    )


def test_what_can_be_applied_is_not_there_already():
    patch = hunks("n n n p q r n n", "n n n p x r n n", 1)
    assert patched("p x r p q r n n", patch) == ("p x r p x r n n", [("applied", 3, 0, 0)])


def test_removed_lines_without_context_are_not_there_already():
    assert patched("a b", hunks("a b x", "a b", 0))[1] == [("rejected", None, 0, 0)]


def test_rejects_are_a_patch_for_the_patched_file():
    patch = hunks("a b c d e f g h i", "a x y b c d E f g h i j", 1)
    result = apply(Document(tuple(lines("a b c d n n g h i"))), patch, fuzz=0)
    assert [outcome.status for outcome in result.outcomes] == [Status.APPLIED, Status.REJECTED, Status.APPLIED]
    assert result.document.text.split() == "a x y b c d n n g h i j".split()
    assert [(hunk.old, hunk.new) for hunk in result.rejects] == [(Span(5, 3), Span(5, 3))]


def test_rejects_take_earlier_rejects_into_account():
    patch = hunks("a b c d e f g h i", "a b x x c d e f g y h i", 1)
    result = apply(Document(tuple(lines("n n n n"))), patch, fuzz=0)
    assert [(hunk.old, hunk.new) for hunk in result.rejects] == [(Span(1, 2), Span(1, 4)), (Span(6, 2), Span(8, 3))]


def test_folding():
    patch = hunks("A B C", "A x C")
    assert patched("a b c", patch)[1] == [("rejected", None, 0, 0)]
    assert patched("a b c", patch, folding=Folding("case"))[0] == "a x c"


def test_newlines_of_the_file():
    patch = hunks("a b c", "a x y c")
    assert apply(Document.from_text("a\r\nb\r\nc\r\n"), patch).document.text == "a\r\nx\r\ny\r\nc\r\n"
    assert apply(Document.from_text("a\r\nb\nc\n"), patch).document.text == "a\r\nx\ny\nc\n"


def test_newlines_of_a_new_file():
    patch = make_hunks([], ["a\r\n", "b\n"])
    assert apply(Document(), patch).document.text == "a\r\nb\n"


def test_missing_newline_at_the_end():
    patch = make_hunks(["a\n", "b"], ["a\n", "b\n", "c"])
    assert apply(Document.from_text("a\nb"), patch).document.text == "a\nb\nc"
    assert apply(Document.from_text("a\nb\nc"), patch, reverse=True).document.text == "a\nb"
