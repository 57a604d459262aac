import io

import pytest

from seamline import Document, FilePatch, Hunk, HunkLine, Span, apply, diff, parse, render
from seamline.cli import main


def doc(words):
    return Document(tuple(word + "\n" for word in words.split()))


def read(old, new, context=0):
    patch, = parse(render(diff(doc(old), doc(new), "old", "new", context)))
    return patch


def text(result):
    return " ".join(result.document.text.split())


def placed(result):
    return [(outcome.status.value, outcome.start, outcome.offset) for outcome in result.outcomes]


def headers(patch):
    return [line for line in render(patch).split("\n") if line.startswith("@@")]


def test_removed_line_comes_back_in_its_place():
    result = apply(doc("a b d e f"), read("a b c d e f", "a b d e f").hunks, reverse=True)
    assert text(result) == "a b c d e f"
    assert placed(result) == [("applied", 2, 0)]


def test_removed_second_line():
    result = apply(doc("a c"), read("a b c", "a c").hunks, reverse=True)
    assert text(result) == "a b c"


def test_removed_last_lines():
    result = apply(doc("a b"), read("a b c d", "a b").hunks, reverse=True)
    assert text(result) == "a b c d"
    assert placed(result) == [("applied", 2, 0)]


def test_lines_removed_before_and_behind_added_ones():
    old, new = "a b c d e f g h i j", "a c d x y e f h i j z"
    result = apply(doc(new), read(old, new).hunks, reverse=True)
    assert text(result) == old
    assert placed(result) == [("applied", 1, 0), ("applied", 3, 0), ("applied", 7, 0), ("applied", 10, 0)]


def test_lines_that_all_look_alike():
    old, new = "a a a b a a c a a", "a a a a a a a"
    assert text(apply(doc(new), read(old, new).hunks, reverse=True)) == old


def test_moved_file():
    result = apply(doc("n n a c d e g"), read("a b c d e f g", "a c d x e g").hunks, reverse=True)
    assert placed(result) == [("applied", 1, 0), ("rejected", None, 0), ("applied", 5, 0)]
    assert text(result) == "n b n a c d f e g"


def test_spans_of_a_patch_that_was_read():
    patch = read("a b c d e", "a c d")
    assert [(hunk.old, hunk.new) for hunk in patch.hunks] == [
        (Span(1, 1), Span(1, 0)), (Span(4, 1), Span(3, 0)),
    ]


def test_headers_of_the_inverse():
    patch = read("a b c d e f", "a c d x y f")
    assert headers(patch) == ["@@ -2 +1,0 @@", "@@ -5 +4,2 @@"]
    assert headers(patch.inverted()) == ["@@ -1,0 +2 @@", "@@ -4,2 +5 @@"]


def test_rendered_again():
    written = "--- a\n+++ b\n@@ -3,2 +2,0 @@ list\n-x\n-y\n@@ -9 +6,0 @@\n-z\n"
    assert render(parse(written)[0]) == written
    assert render(parse(written)[0].inverted().inverted()) == written


def test_program(tmp_path):
    (tmp_path / "file").write_text("1\n2\n3\n5\n")
    (tmp_path / "patch").write_text("--- a\n+++ b\n@@ -4 +3,0 @@\n-4\n")
    output, errors = io.StringIO(), io.StringIO()
    argv = ["patch", "-R", "-o", "-", str(tmp_path / "file"), str(tmp_path / "patch")]
    assert main(argv, io.StringIO(), output, errors) == 0
    assert (output.getvalue(), errors.getvalue()) == ("1\n2\n3\n4\n5\n", "")


def test_rejects_of_the_undoing(tmp_path):
    (tmp_path / "file").write_text("a\nb\nd\ne\nf\n")
    (tmp_path / "patch").write_text("--- o\n+++ n\n@@ -3 +2,0 @@\n-c\n@@ -5,0 +5 @@\n+q\n")
    argv = ["patch", "-R", str(tmp_path / "file"), str(tmp_path / "patch")]
    assert main(argv, io.StringIO(), io.StringIO(), io.StringIO()) == 1
    assert (tmp_path / "file").read_text() == "a\nb\nc\nd\ne\nf\n"
    assert (tmp_path / "file.rej").read_text() == "--- n\n+++ o\n@@ -6 +5,0 @@\n-q\n"


@pytest.mark.parametrize("old, new", [
    ("a b c d", "b c d"),
    ("a b", ""),
    ("", "a b"),
    ("a b c", "a x y b c"),
    ("a b c", "a X c"),
])
def test_undone_already(old, new):
    patch = read(old, new)
    assert text(apply(doc(old), patch.hunks)) == new
    assert text(apply(doc(new), patch.hunks, reverse=True)) == old


def test_applied_without_context():
    old, new = "a b c d e f g h i j", "a c d x y e f h i j z"
    result = apply(doc(old), read(old, new).hunks)
    assert text(result) == new
    assert placed(result) == [("applied", 1, 0), ("applied", 4, 0), ("applied", 6, 0), ("applied", 10, 0)]


@pytest.mark.parametrize("context", [0, 1, 3])
def test_patch_that_was_never_text(context):
    old, new = "a b c d e f g h i j", "a c d x y e f h i j z"
    patch = diff(doc(old), doc(new), context=context)
    assert text(apply(doc(new), patch.hunks, reverse=True)) == old
    assert text(apply(doc(old), patch.hunks)) == new


def test_hunk_made_by_hand():
    hunk = Hunk(Span(2, 1), Span(2, 0), (HunkLine("-", "c\n"),))
    assert hunk.inverted() == Hunk(Span(2, 0), Span(2, 1), (HunkLine("+", "c\n"),))
    assert text(apply(doc("a b d"), [hunk], reverse=True)) == "a b c d"
    assert text(apply(doc("a b d"), [hunk.inverted()])) == "a b c d"
    assert headers(FilePatch("a", "b", (hunk,))) == ["@@ -3 +2,0 @@"]


@pytest.mark.parametrize("context", [1, 3])
def test_with_context(context):
    old, new = "a b c d e f g h i j", "a c d x y e f h i j z"
    patch = read(old, new, context)
    assert text(apply(doc(new), patch.hunks, reverse=True)) == old


def test_whole_files():
    assert headers(read("", "a b")) == ["@@ -0,0 +1,2 @@"]
    assert [(hunk.old, hunk.new) for hunk in read("", "a b").hunks] == [(Span(0, 0), Span(0, 2))]


def test_removed_file():
    patch = read("a b", "")
    assert headers(patch) == ["@@ -1,2 +0,0 @@"]
    assert patch.hunks[0].new == Span(0, 0)


def test_added_lines_of_a_patch_that_was_read():
    patch = read("a b", "a x b y")
    assert [(hunk.old, hunk.new) for hunk in patch.hunks] == [(Span(1, 0), Span(1, 1)), (Span(2, 0), Span(3, 1))]
    assert headers(patch) == ["@@ -1,0 +2 @@", "@@ -2,0 +4 @@"]
