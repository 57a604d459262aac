import io

import pytest

from seamline import Change, Document, apply, compare, diff, make_hunks, merge, render
from seamline.cli import main


def run(tmp_path, *argv, **files):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    output, errors = io.StringIO(), io.StringIO()
    paths = [str(tmp_path / word[1:]) if word.startswith("@") else word for word in argv]
    return main(paths, io.StringIO(), output, errors), output.getvalue(), errors.getvalue()


def doc(text):
    return Document.from_text(text)


@pytest.mark.parametrize("options, old, new, status", [
    (["-i"], "Straße\n", "STRASSE\n", 0),
    (["-i"], "a b\n", "A  B\n", 1),
    (["-b"], "a \t b \n", "a b\n", 0),
    (["-b"], "ab\n", "a b\n", 1),
    (["-b"], " a\n", "a\n", 1),
    (["-b"], "\ta\n", "  a  \n", 0),
    (["-w"], "\ta b\n", "ab\n", 0),
    (["-w"], "a\n", "a", 1),
    (["-w", "-b"], "a b\n", "ab\n", 0),
    (["-b", "-i"], "A  b\n", "a B\n", 0),
    (["-w"], "a\r\n", "a\n", 1),
    ([], "a\n", "a \n", 1),
])
def test_program_diff(tmp_path, options, old, new, status):
    assert run(tmp_path, "diff", *options, "@old", "@new", old=old, new=new)[0] == status


def test_context_lines_are_those_of_the_old_file(tmp_path):
    status, output, _ = run(tmp_path, "diff", "-w", "--label=x", "--label=y", "@o", "@n", o="a b\nc\n", n="ab\nd\n")
    assert (status, output) == (1, "--- x\n+++ y\n@@ -1,2 +1,2 @@\n a b\n-c\n+d\n")


def test_program_patch(tmp_path):
    patch = "--- o\n+++ n\n@@ -1,3 +1,3 @@\n A\n-b b\n+x\n c\n"
    assert run(tmp_path, "patch", "-i", "-b", "-o", "-", "@f", "@p", f="a\r\nB  B\r\nC\r\n", p=patch) == (
        0, "a\r\nx\r\nC\r\n", ""
    )
    assert run(tmp_path, "patch", "--fuzz=0", "-i", "--dry-run", "@f", "@p")[0] == 1


def test_program_merge(tmp_path):
    files = {"base": "a\nb\nc\n", "ours": "A\nx x\nc\n", "theirs": "a\nxx\nC\n"}
    assert run(tmp_path, "merge", "-w", "-i", "@base", "@ours", "@theirs", **files) == (0, "A\nx x\nC\n", "")
    assert run(tmp_path, "merge", "-w", "@base", "@ours", "@theirs")[0] == 1


def test_functions_compare_exactly():
    assert compare(["a\n", "B\n"], ["a\n", "b\n"]) == [Change(1, 2, 1, 2)]
    assert len(make_hunks(["a \n"], ["a\n"])) == 1
    assert render(diff(doc("a\n"), doc("A\n"), "x", "y", 0)) == "--- x\n+++ y\n@@ -1 +1 @@\n-a\n+A\n"
    assert len(merge(doc("a\n"), doc("b\n"), doc("B\n")).conflicts) == 1


def test_apply_overlooks_newlines():
    hunks = make_hunks(["a\n", "b\n", "c\n"], ["a\n", "x\n", "c\n"])
    assert apply(doc("a\r\nb\rc\n"), hunks).document.text == "a\r\nx\r\nc\n"
    assert apply(doc("A\nb\nc\n"), hunks, 0).outcomes[0].status.value == "rejected"
