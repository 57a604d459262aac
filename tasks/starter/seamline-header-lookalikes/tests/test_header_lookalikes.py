import io

import pytest

from seamline import Document, Span, apply, diff, parse, render
from seamline.cli import main
from seamline.errors import PatchFormatError
from seamline.stat import count


def change(old, new, context=3):
    return diff(Document.from_text(old), Document.from_text(new), "a.sql", "b.sql", context)


def tagged(hunk):
    return [line.tag + line.text for line in hunk.lines]


def test_removed_comment():
    patch, = parse("--- a\n+++ b\n@@ -4,3 +4,2 @@\n x\n--- note\n y\n")
    assert tagged(patch.hunks[0]) == [" x\n", "--- note\n", " y\n"]
    assert patch.hunks[0].old_lines == ["x\n", "-- note\n", "y\n"]


def test_added_pluses():
    patch, = parse("--- a\n+++ b\n@@ -4 +4,3 @@\n x\n+++ i;\n+++ j;\n")
    assert patch.hunks[0].new_lines == ["x\n", "++ i;\n", "++ j;\n"]


def test_comment_replaced_by_pluses():
    patch = change("p\n-- q\nr\n", "p\n++ q\nr\n")
    assert parse(render(patch)) == [patch]
    assert tagged(patch.hunks[0]) == [" p\n", "--- q\n", "+++ q\n", " r\n"]


def test_replaced_comment_before_the_next_hunk():
    old, new = "-- a\nb\nc\n-- d\ne\n", "++ a\nb\nc\n++ d\ne\n"
    patch, = parse(render(change(old, new, 0)))
    assert [(hunk.old, hunk.new) for hunk in patch.hunks] == [(Span(0, 1), Span(0, 1)), (Span(3, 1), Span(3, 1))]
    assert apply(Document.from_text(old), patch.hunks).document.text == new


def test_removed_line_like_a_signature():
    patch = change("list\n- \n- two\nend\n", "list\n- two\nend\n")
    assert parse(render(patch)) == [patch]
    assert tagged(patch.hunks[0]) == [" list\n", "-- \n", " - two\n", " end\n"]


def test_only_comments():
    patch = change("-- a\n-- b\n-- \n-- @@ -1 +1 @@\n", "")
    assert parse(render(patch)) == [patch]
    assert patch.hunks[0].old == Span(0, 4)


def test_comment_with_a_carriage_return():
    patch = change("-- a\r\nb\r\n", "b\r\n++ c\r\n")
    assert parse(render(patch)) == [patch]


def test_last_line_without_its_end():
    patch, = parse("--- a\n+++ b\n@@ -1 +1 @@\n--- x\n\\ No newline at end of file\n+++ x\n")
    assert patch.hunks[0].old_lines == ["-- x"]
    assert patch.hunks[0].new_lines == ["++ x\n"]


def test_several_files():
    first, second = change("-- one\nx\n-- two\n", "x\n"), change("y\n", "y\n++ three\n")
    assert parse(render(first) + render(second)) == [first, second]
    assert [tuple(item) for item in count(parse(render(first) + render(second)))] == [
        ("b.sql", 0, 2), ("b.sql", 1, 0),
    ]


def test_reverse():
    old, new = "a\n-- b\n-- c\nd\n", "a\n++ b\nd\n"
    patch, = parse(render(change(old, new)))
    assert apply(Document.from_text(new), patch.hunks, reverse=True).document.text == old


def test_program(tmp_path):
    (tmp_path / "file").write_text("t (\n-- number\nn integer);\n")
    (tmp_path / "patch").write_text("--- a\n+++ b\n@@ -1,3 +1,3 @@\n t (\n--- number\n+++ numbers\n n integer);\n")
    output, errors = io.StringIO(), io.StringIO()
    argv = ["patch", str(tmp_path / "file"), str(tmp_path / "patch")]
    assert (main(argv, io.StringIO(), output, errors), errors.getvalue()) == (0, "")
    assert (tmp_path / "file").read_text() == "t (\n++ numbers\nn integer);\n"


def test_stat(tmp_path):
    (tmp_path / "patch").write_text("--- a\n+++ b\n@@ -1,2 +0,0 @@\n--- number\n--- name\n")
    output = io.StringIO()
    assert main(["stat", str(tmp_path / "patch")], io.StringIO(), output, io.StringIO()) == 0
    assert output.getvalue() == " b | 2 --\n 1 file changed, 2 deletions(-)\n"


def test_signature_after_a_hunk():
    patch, = parse("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n-- \n2.1\n")
    assert tagged(patch.hunks[0]) == ["-x\n", "+y\n"]


def test_next_file_after_a_hunk():
    first, second = parse("--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n--- c\n+++ d\n@@ -1 +0,0 @@\n-z\n")
    assert (first.name, second.name) == ("b", "d")
    assert (len(first.hunks[0].lines), len(second.hunks[0].lines)) == (2, 1)


def test_blank_lines_and_prose_between_files():
    text = "@ hello\n\n--- a\n+++ b\n@@ -1 +1 @@\n-x\n+y\n\n- a remark\n+ another\n\n--- c\n+++ d\n@@ -1 +0,0 @@\n-z\n"
    assert [patch.name for patch in parse(text)] == ["b", "d"]


def test_next_hunk():
    patch, = parse("--- a\n+++ b\n@@ -1 +0,0 @@\n-x\n@@ -5 +4 @@ f\n-y\n+z\n")
    assert [(hunk.old, hunk.section) for hunk in patch.hunks] == [(Span(0, 1), ""), (Span(4, 1), "f")]


def test_comments_as_context():
    patch, = parse("--- a\n+++ b\n@@ -1,2 +1 @@\n -- x\n-y\n")
    assert tagged(patch.hunks[0]) == [" -- x\n", "-y\n"]


def test_empty_context_line():
    patch, = parse("--- a\n+++ b\n@@ -1,3 +1,2 @@\n\n-y\n \n")
    assert tagged(patch.hunks[0]) == [" \n", "-y\n", " \n"]


@pytest.mark.parametrize("body", ["-x\n", "-x\n@@ -7 +7 @@\n-y\n+z\n", "-x\n+y\ntext\n"])
def test_hunk_that_is_too_short(body):
    with pytest.raises(PatchFormatError):
        parse("--- a\n+++ b\n@@ -1,2 +1,2 @@\n" + body)


def test_hunk_that_has_too_many_of_a_kind():
    with pytest.raises(PatchFormatError):
        parse("--- a\n+++ b\n@@ -1 +1,2 @@\n-x\n-y\n+z\n")


def test_hunk_cut_short_by_the_next_file():
    with pytest.raises(PatchFormatError):
        parse("--- a\n+++ b\n@@ -1,4 +1,4 @@\n x\n-y\n--- c\n+++ d\n@@ -1 +1 @@\n-z\n+z\n")
