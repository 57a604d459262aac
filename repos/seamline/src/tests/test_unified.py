import pytest

from seamline import Document, FilePatch, Span, diff, parse, render
from seamline.errors import PatchFormatError

TWO = """\
From: somebody

diff a.txt b.txt
--- a.txt\t2024-01-01
+++ b.txt
@@ -1,2 +1,2 @@ def f
 one
-two
+2
--- x
+++ /dev/null
@@ -1 +0,0 @@
-gone
-- 
signature
"""


def patch_of(old, new, context=3):
    return diff(Document.from_text(old), Document.from_text(new), "a", "b", context)


def test_render():
    assert render(patch_of("one\ntwo\nthree\n", "one\n2\nthree\n")) == (
        "--- a\n+++ b\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n"
    )


def test_render_nothing():
    assert render(patch_of("a\n", "a\n")) == ""


def test_render_missing_newline():
    assert render(patch_of("a", "a\n")) == (
        "--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"
    )


def test_render_keeps_newlines():
    assert render(patch_of("a\r\n", "b\r\n")) == "--- a\n+++ b\n@@ -1 +1 @@\n-a\r\n+b\r\n"


def test_ranges_without_lines():
    def header(old, new):
        return render(patch_of(old, new, context=0)).split("\n")[2]

    assert header("", "a\nb\n") == "@@ -0,0 +1,2 @@"
    assert header("a\nb\n", "") == "@@ -1,2 +0,0 @@"
    assert header("a\nb\n", "a\nx\nb\n") == "@@ -1,0 +2 @@"
    assert header("a\nx\nb\n", "a\nb\n") == "@@ -2 +1,0 @@"


def test_parse():
    first, second = parse(TWO)
    assert (first.old_name, first.new_name, first.name) == ("a.txt", "b.txt", "b.txt")
    assert first.hunks[0].section == "def f"
    assert (first.hunks[0].old, first.hunks[0].new) == (Span(0, 2), Span(0, 2))
    assert second.name == "x"
    assert second.hunks[0].old_lines == ["gone\n"]


def test_rendered_patches_read_back():
    for context in (0, 1, 3):
        patch = patch_of("a\nb\nc\nd\ne\nf", "b\nc\nx\ny\nd\ne\r\nf\n", context)
        assert parse(render(patch)) == [patch]
        assert render(parse(render(patch))[0]) == render(patch)


def test_removed_line_that_looks_like_a_header():
    patch = patch_of("select 1;\n-- old name\nselect 2;\n", "select 1;\nselect 2;\n")
    assert parse(render(patch)) == [patch]


def test_added_line_that_looks_like_a_header():
    patch = patch_of("select 1;\nselect 2;\n", "select 1;\n++ new name\n@@ x\nselect 2;\n")
    assert parse(render(patch)) == [patch]


def test_empty_context_line_without_its_blank():
    patch, = parse("--- a\n+++ b\n@@ -1,3 +1,2 @@\n a\n\n-c\n")
    assert patch.hunks[0].new_lines == ["a\n", "\n"]


def test_no_newline_within_a_hunk():
    patch, = parse("--- a\n+++ b\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n")
    assert (patch.hunks[0].old_lines, patch.hunks[0].new_lines) == (["a"], ["a\n"])


def test_inverted():
    patch = patch_of("a\n", "b\n")
    assert patch.inverted() == FilePatch("b", "a", (patch.hunks[0].inverted(),))


def test_inverse_of_a_patch_that_was_read():
    old, new = "a\nb\nc\nd\n", "a\nc\nx\ny\nd\n"
    for context in (0, 3):
        back = diff(Document.from_text(new), Document.from_text(old), "b", "a", context)
        assert render(parse(render(patch_of(old, new, context)))[0].inverted()) == render(back)


@pytest.mark.parametrize("text, message", [
    ("@@ -1 +1 @@\n", "line 1: hunk without a file header"),
    ("--- a\n+++ b\n", "line 3: file header without a hunk"),
    ("--- a\n+++ b\n@@ -1 + 1 @@\n", "line 3: malformed hunk header '@@ -1 + 1 @@'"),
    ("--- a\n+++ b\n@@ -1,2 +1 @@\n-a\n", "line 5: fewer lines in the hunk than its header says"),
    ("--- a\n+++ b\n@@ -1 +1 @@\n-a\n*b\n", "line 5: fewer lines in the hunk than its header says"),
    ("--- a\n+++ b\n@@ -1 +1 @@\n-a\n-b\n", "line 5: more lines in the hunk than its header says"),
    ("--- \n+++ b\n@@ -1 +1 @@\n", "line 1: file header without a name"),
])
def test_malformed(text, message):
    with pytest.raises(PatchFormatError) as caught:
        parse(text)
    assert str(caught.value) == message
