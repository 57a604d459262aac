import io

import pytest

from seamline import Document, Hunk, HunkLine, Span, errors
from seamline.cli import main


def doc(text):
    return Document.from_text(text)


def strip_commas(line):
    """A rule that looks at the end of a line."""
    return line.replace(",\r\n", "\r\n").replace(",\n", "\n")


def run(tmp_path, *argv, **files):
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.encode())
    output, errors = io.StringIO(), io.StringIO()
    paths = [str(tmp_path / word[1:]) if word.startswith("@") else word for word in argv]
    status = main(paths, io.StringIO(), output, errors)
    return status, output.getvalue(), errors.getvalue()


# -- foldings -----------------------------------------------------------------


def test_rules_from_the_start():
    from seamline.folding import Folding

    assert Folding("case").keys(["ÄB\r\n", "GROSS ß"]) == ["äb\r\n", "gross ss"]
    assert Folding("space").keys(["\ta b \n", "  "]) == ["ab\n", ""]
    assert Folding("space-change").keys(["\t a \t b \t\r\n", "a b", " \n"]) == [" a b\r\n", "a b", "\n"]
    assert Folding("eol").keys(["a\r\n", "b\r", "c\n", "d"]) == ["a\n", "b\n", "c\n", "d"]


def test_names_and_equality():
    from seamline import EXACT, Folding

    folding = Folding("space", "case", "space")
    assert folding.names == ("space", "case")
    assert folding == Folding("space").adding("case", "space")
    assert hash(folding) == hash(Folding("space", "case"))
    assert [folding == Folding("case", "space"), folding == EXACT, EXACT == Folding()] == [False, False, True]
    assert EXACT.names == ()


def test_adding_leaves_the_folding():
    from seamline import Folding

    folding = Folding("case")
    assert folding.adding("eol", "space").names == ("case", "eol", "space")
    assert folding.names == ("case",)
    assert folding.key("A \n") == "a \n"


def test_exact():
    from seamline import EXACT

    assert EXACT.keys(iter([" A\r\n", "b "])) == [" A\r\n", "b "]


def test_order_of_names():
    from seamline import Folding, register

    register("order-x-to-y", lambda line: line.replace("x", "y"))
    register("order-y-to-z", lambda line: line.replace("y", "z"))
    assert Folding("order-x-to-y", "order-y-to-z").key("xyz\n") == "zzz\n"
    assert Folding("order-y-to-z", "order-x-to-y").key("xyz\n") == "yzz\n"
    assert Folding("order-y-to-z").adding("order-x-to-y").key("xyz\n") == "yzz\n"


def test_rules_see_the_end_of_the_line():
    from seamline import Folding, compare, register

    register("ends-closed", lambda line: line.rstrip("\n") + "\n")
    assert compare(["a\n", "b"], ["a\n", "b\n"]) != []
    assert compare(["a\n", "b"], ["a\n", "b\n"], folding=Folding("ends-closed")) == []


def test_unknown_rule():
    from seamline import Folding, known_rules
    from seamline.errors import UnknownRuleError

    assert issubclass(UnknownRuleError, errors.OptionError)
    for attempt in (lambda: Folding("case", "nonesuch"), lambda: Folding("case").adding("nonesuch")):
        with pytest.raises(UnknownRuleError) as caught:
            attempt()
        assert caught.value.name == "nonesuch"
        assert str(caught.value) == f"unknown rule 'nonesuch' (known: {', '.join(known_rules())})"


def test_taken_names():
    from seamline import known_rules, register

    register("taken-once", str.lower)
    assert [name for name in known_rules() if name in ("taken-once", "space", "eol")] == ["eol", "space", "taken-once"]
    for name in ("taken-once", "case"):
        with pytest.raises(errors.OptionError):
            register(name, str.upper)


def test_known_rules_are_sorted():
    from seamline import known_rules, register

    register("aa-sorted", str)
    assert known_rules() == sorted(known_rules())
    assert set(known_rules()) >= {"aa-sorted", "case", "eol", "space", "space-change"}


# -- where lines are compared -------------------------------------------------


def test_compare():
    from seamline import Change, Folding, compare, register

    register("compare-digits", lambda line: "".join("0" if letter.isdigit() else letter for letter in line))
    old, new = ["v 1\n", "x\n", "V 22\n"], ["v 7\n", "v 35\n"]
    assert compare(old, new, folding=Folding("compare-digits")) == [Change(1, 3, 1, 2)]
    assert compare(old, new, folding=Folding("compare-digits", "case")) == [Change(1, 2, 1, 1)]


def test_make_hunks_and_diff():
    from seamline import Folding, diff, make_hunks, register, render

    register("hunks-commas", strip_commas)
    folding = Folding("hunks-commas")
    hunk, = make_hunks(["a,\n", "b\n"], ["a\n", "c,\n"], context=1, folding=folding)
    assert hunk.lines == (HunkLine(" ", "a,\n"), HunkLine("-", "b\n"), HunkLine("+", "c,\n"))
    patch = diff(doc("a\nb\n"), doc("a,\nb,\nc\n"), "x", "y", folding=folding)
    assert render(patch) == "--- x\n+++ y\n@@ -1,2 +1,3 @@\n a\n b\n+c\n"


def test_merge_same_change():
    from seamline import Folding, merge, register

    register("merge-commas", strip_commas)
    base, ours, theirs = doc("a\nb\nc\n"), doc("a\nx,\nc\n"), doc("a\nx\nc\n")
    assert len(merge(base, ours, theirs).conflicts) == 1
    merged = merge(base, ours, theirs, folding=Folding("merge-commas"))
    assert (merged.conflicts, merged.settled("theirs").text) == ([], "a\nx,\nc\n")


def test_merge_overlooks_changes():
    from seamline import Folding, merge, register

    register("merge-more-commas", strip_commas)
    base, ours, theirs = doc("a\nb\nc\n"), doc("a,\nb\nc\n"), doc("a\nb,\nd\n")
    assert len(merge(base, ours, theirs).conflicts) == 1
    merged = merge(base, ours, theirs, folding=Folding("merge-more-commas"))
    assert (merged.conflicts, merged.settled("ours").text) == ([], "a,\nb,\nd\n")


def test_apply():
    from seamline import Folding, apply, register

    register("apply-commas", strip_commas)
    hunk = Hunk(Span(0, 3), Span(0, 3), (
        HunkLine(" ", "a\n"), HunkLine("-", "b\n"), HunkLine("+", "x\n"), HunkLine(" ", "c\n"),
    ))
    text = "n\na,\nb,\nc\n"
    assert apply(doc(text), [hunk], fuzz=0).outcomes[0].status.value == "rejected"
    folding = Folding("apply-commas")
    result = apply(doc(text), [hunk], folding=folding)
    assert result.document.text == "n\na,\nx\nc\n"
    assert apply(result.document, [hunk], folding=folding).outcomes[0].status.value == "skipped"
    assert apply(result.document, [hunk], reverse=True, folding=folding).document.text == "n\na,\nb\nc\n"


def test_apply_overlooks_newlines_as_well():
    from seamline import EXACT, Folding, apply, register

    register("apply-other-commas", strip_commas)
    hunk = Hunk(Span(0, 2), Span(0, 1), (HunkLine(" ", "a\n"), HunkLine("-", "b\n")))
    assert apply(doc("a\r\nb\r\n"), [hunk], folding=EXACT).document.text == "a\r\n"
    assert apply(doc("a,\r\nb,\r\n"), [hunk], folding=Folding("apply-other-commas")).document.text == "a,\r\n"


def test_eol_is_for_everybody():
    from seamline import Folding, compare, diff, render

    assert compare(["a\r\n", "b\r"], ["a\n", "b\n"], folding=Folding("eol")) == []
    assert len(compare(["a\r\n", "b"], ["a\n", "b\n"], folding=Folding("eol"))) == 1
    assert render(diff(doc("a\r\n"), doc("a\n"), folding=Folding("eol"))) == ""


@pytest.mark.parametrize("keyword", ["ignore_case", "ignore_space", "ignore_space_change"])
def test_booleans_are_gone(keyword):
    from seamline import apply, compare, diff, make_hunks, merge

    for call in (
        lambda **more: compare([], [], **more),
        lambda **more: make_hunks([], [], **more),
        lambda **more: diff(doc(""), doc(""), **more),
        lambda **more: merge(doc(""), doc(""), doc(""), **more),
        lambda **more: apply(doc(""), [], **more),
    ):
        with pytest.raises(TypeError):
            call(**{keyword: True})


# -- the command line ---------------------------------------------------------


def test_program_diff(tmp_path):
    from seamline import register

    files = {"a": "x,\ny\n", "b": "X\ny\n"}
    assert run(tmp_path, "diff", "-i", "@a", "@b", **files)[0] == 1
    register("program-commas", strip_commas)
    assert run(tmp_path, "diff", "-i", "--ignore", "program-commas", "@a", "@b") == (0, "", "")
    assert run(tmp_path, "diff", "--ignore", "program-commas", "--ignore", "case", "@a", "@b") == (0, "", "")
    assert run(tmp_path, "diff", "--ignore", "program-commas", "@a", "@b")[0] == 1


def test_program_patch_and_merge(tmp_path):
    from seamline import register

    register("program-quotes", lambda line: line.replace("'", '"'))
    patch = "--- o\n+++ n\n@@ -1,2 +1,2 @@\n 'a'\n-'b'\n+'c'\n"
    assert run(tmp_path, "patch", "--ignore=program-quotes", "-o", "-", "@f", "@p", f='"a"\n"b"\n', p=patch) == (
        0, "\"a\"\n'c'\n", ""
    )
    files = {"base": "a\n", "ours": "'b'\n", "theirs": '"b"\n'}
    assert run(tmp_path, "merge", "--ignore=program-quotes", "@base", "@ours", "@theirs", **files) == (0, "'b'\n", "")


def test_program_takes_the_order_of_options(tmp_path):
    from seamline import register

    register("program-shout", lambda line: line.replace("a", "A b"))
    files = {"old": "a\n", "new": "AB\n"}
    assert run(tmp_path, "diff", "--ignore", "program-shout", "-w", "@old", "@new", **files)[0] == 1
    register("program-low", lambda line: line.replace("Ab", "AB"))
    assert run(tmp_path, "diff", "--ignore", "program-shout", "-w", "--ignore", "program-low", "@old", "@new")[0] == 0
    assert run(tmp_path, "diff", "--ignore", "program-low", "-w", "--ignore", "program-shout", "@old", "@new")[0] == 1
    assert run(tmp_path, "diff", "-w", "--ignore", "program-shout", "--ignore", "program-low", "@old", "@new")[0] == 1


def test_program_eol(tmp_path):
    assert run(tmp_path, "diff", "--ignore", "eol", "-b", "@a", "@b", a="x  y \r\nz", b="x y\nz") == (0, "", "")


def test_program_with_an_unknown_rule(tmp_path):
    patch = "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n"
    for command in (["diff", "@a", "@a"], ["patch", "@a", "@p"], ["merge", "@a", "@a", "@a"]):
        status, output, message = run(tmp_path, *command, "--ignore", "nonesuch", a="a\n", p=patch)
        assert (status, output) == (2, "")
        assert message.startswith("seamline: unknown rule 'nonesuch' (known: ")
        assert len(message.splitlines()) == 1
