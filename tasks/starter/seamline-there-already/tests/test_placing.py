import io

from seamline import Document, Folding, Hunk, HunkLine, Span, apply
from seamline.cli import main


def doc(words):
    return Document(tuple(word + "\n" for word in words.split()))


def hunk(old_start, new_start, words):
    """A hunk whose spans start at these lines, from 0, of words such as ``a -b +c``."""
    lines = [
        HunkLine(word[0], word[1:] + "\n") if word[0] in "+-" else HunkLine(" ", word + "\n")
        for word in words.split()
    ]
    old = sum(line.tag != "+" for line in lines)
    new = sum(line.tag != "-" for line in lines)
    return Hunk(Span(old_start, old), Span(new_start, new), tuple(lines))


def outcomes(result):
    return [(item.status.value, item.start, item.offset, item.fuzz) for item in result.outcomes]


def placed(text, *hunks, **options):
    result = apply(doc(text), hunks, **options)
    return " ".join(result.document.text.split()), outcomes(result)


def program(tmp_path, *options):
    output, errors = io.StringIO(), io.StringIO()
    argv = ["patch", *options, str(tmp_path / "file"), str(tmp_path / "patch")]
    return main(argv, io.StringIO(), output, errors), errors.getvalue()


# -- what can be applied ------------------------------------------------------


def test_result_stands_before():
    assert placed("k v2 e k v1 e", hunk(3, 3, "k -v1 +v2 e")) == ("k v2 e k v2 e", [("applied", 3, 0, 0)])


def test_result_stands_behind():
    assert placed("k v1 e k v2 e", hunk(0, 0, "k -v1 +v2 e")) == ("k v2 e k v2 e", [("applied", 0, 0, 0)])


def test_result_stands_nearer():
    assert placed("k v2 e n n n n k v1 e", hunk(0, 0, "k -v1 +v2 e")) == (
        "k v2 e n n n n k v2 e", [("applied", 7, 7, 0)]
    )


def test_lines_to_add_stand_elsewhere():
    assert placed("a x b n a b", hunk(4, 4, "a +x b")) == ("a x b n a x b", [("applied", 4, 0, 0)])


def test_undoing_what_looks_undone_elsewhere():
    assert placed("k v1 e k v2 e", hunk(3, 3, "k -v1 +v2 e"), reverse=True) == (
        "k v1 e k v1 e", [("applied", 3, 0, 0)]
    )


def test_program_is_silent(tmp_path):
    (tmp_path / "file").write_text("A\nx\nB\nA\ny\nB\nA\ny\nB\n")
    (tmp_path / "patch").write_text("--- f\n+++ f\n@@ -4,3 +4,3 @@\n A\n-y\n+x\n B\n")
    assert program(tmp_path) == (0, "")
    assert (tmp_path / "file").read_text() == "A\nx\nB\nA\nx\nB\nA\ny\nB\n"


# -- hunks after one that is there already ------------------------------------


def test_lines_that_came_in_count():
    first, second = hunk(0, 0, "a +x +y +z b"), hunk(7, 10, "p -q r")
    assert placed("a x y z b n n p q r p q r", first, second) == (
        "a x y z b n n p q r p r", [("skipped", 0, 0, 0), ("applied", 10, 3, 0)]
    )


def test_lines_that_are_gone_count():
    first, second = hunk(0, 0, "a -x -y -z b"), hunk(8, 5, "p -q +Q r")
    assert placed("a b n n n p q r p q r p q r", first, second) == (
        "a b n n n p Q r p q r p q r", [("skipped", 0, 0, 0), ("applied", 5, -3, 0)]
    )


def test_offset_of_what_is_there_counts_too():
    first, second = hunk(0, 0, "a +x +y b"), hunk(6, 8, "p -q +Q r")
    assert placed("m m a x y b n p q r p q r p q r", first, second) == (
        "m m a x y b n p q r p Q r p q r", [("skipped", 2, 2, 0), ("applied", 10, 4, 0)]
    )


def test_two_that_are_there():
    hunks = hunk(0, 0, "a +x b"), hunk(2, 3, "c +y +z d"), hunk(7, 10, "p -q +Q r")
    assert placed("a x b c y z d p q r p q r", *hunks) == (
        "a x b c y z d p q r p Q r", [("skipped", 0, 0, 0), ("skipped", 3, 1, 0), ("applied", 10, 3, 0)]
    )


def test_undoing_the_rest():
    first, second = hunk(0, 0, "a -x -y b"), hunk(9, 7, "p -q +Q r")
    assert placed("a x y b n n p Q r p Q r", first, second, reverse=True) == (
        "a x y b n n p Q r p q r", [("skipped", 0, 0, 0), ("applied", 9, 2, 0)]
    )


def test_lines_of_a_skipped_hunk_are_taken():
    first, second = hunk(0, 0, "k -v1 +v2 e"), hunk(1, 1, "v2 -e +E n")
    assert placed("k v2 e n v2 e n", first, second) == (
        "k v2 e n v2 E n", [("skipped", 0, 0, 0), ("applied", 4, 3, 0)]
    )


# -- where hunks are there already --------------------------------------------


def test_not_before_the_hunk_before():
    first, second = hunk(5, 5, "a +x b"), hunk(7, 8, "p -y +z q")
    assert placed("p z q n n a b", first, second) == (
        "p z q n n a x b", [("applied", 5, 0, 0), ("rejected", None, 0, 0)]
    )


def test_nearest_to_where_it_is_expected():
    first, second = hunk(0, 0, "a -b +c d"), hunk(6, 6, "k -v +w l")
    assert placed("n n n n a b d k w l k w l", first, second)[1] == [("applied", 4, 4, 0), ("skipped", 10, 4, 0)]


def test_later_of_two_places():
    first, second = hunk(0, 0, "a -b +c d"), hunk(5, 5, "k -v +w l")
    assert placed("n n n n a b d k w l n k w l", first, second)[1] == [("applied", 4, 4, 0), ("skipped", 11, 6, 0)]


def test_end_of_the_file_is_only_there():
    assert placed("a b x n n", hunk(0, 0, "a b +x"), fuzz=0) == ("a b x n n", [("rejected", None, 0, 0)])


def test_beginning_of_the_file_is_only_there():
    assert placed("n x a b", hunk(0, 0, "+x a b"), fuzz=0) == ("n x a b", [("rejected", None, 0, 0)])


# -- rejects and reports ------------------------------------------------------


def test_rejects_after_a_skipped_hunk():
    hunks = hunk(0, 0, "a +x +y b"), hunk(4, 6, "p -q +Q +R s"), hunk(8, 11, "t -u v")
    result = apply(doc("a x y b n n n n"), hunks)
    assert [item.status.value for item in result.outcomes] == ["skipped", "rejected", "rejected"]
    assert [(item.old, item.new) for item in result.rejects] == [
        (Span(6, 3), Span(6, 4)), (Span(10, 3), Span(11, 2)),
    ]


def test_rejects_after_a_skipped_and_an_applied_hunk():
    hunks = hunk(0, 0, "a +x b"), hunk(2, 3, "c +y +z d"), hunk(6, 9, "p -q s")
    result = apply(doc("a x b c d n n n n"), hunks)
    assert [item.status.value for item in result.outcomes] == ["skipped", "applied", "rejected"]
    assert [(item.old, item.new) for item in result.rejects] == [(Span(9, 3), Span(9, 2))]


def test_program_reports_and_leaves_rejects(tmp_path):
    (tmp_path / "file").write_text("m\nm\na\nx\nb\nn\nn\n")
    (tmp_path / "patch").write_text("--- f\n+++ g\n@@ -1,2 +1,3 @@\n a\n+x\n b\n@@ -4,3 +5,2 @@\n p\n-q\n r\n")
    assert program(tmp_path) == (1, "Hunk #1 is there already at line 3 (offset +2)\nHunk #2 rejected\n")
    assert (tmp_path / "file.rej").read_text() == "--- f\n+++ g\n@@ -7,3 +7,2 @@\n p\n-q\n r\n"


def test_folding_and_newlines():
    text = "K\r\nv2\r\ne\r\nk\r\nV1\r\nE\r\n"
    result = apply(Document.from_text(text), [hunk(3, 3, "k -v1 +v2 e")], folding=Folding("case"))
    assert result.document.text == "K\r\nv2\r\ne\r\nk\r\nv2\r\nE\r\n"


# -- what was right -----------------------------------------------------------


def test_applied_twice():
    hunks = hunk(0, 0, "a +x b"), hunk(4, 5, "c -d e"), hunk(8, 8, "f +g")
    once = placed("a b n n c d e n f", *hunks)
    assert once == ("a x b n n c e n f g", [("applied", 0, 0, 0), ("applied", 4, 0, 0), ("applied", 8, 0, 0)])
    assert placed(once[0], *hunks) == (
        once[0], [("skipped", 0, 0, 0), ("skipped", 5, 1, 0), ("skipped", 8, 0, 0)]
    )


def test_undone_twice():
    change = hunk(2, 2, "c -d +D e")
    assert placed("a b c D e f", change, reverse=True) == ("a b c d e f", [("applied", 2, 0, 0)])
    assert placed("a b c d e f", change, reverse=True) == ("a b c d e f", [("skipped", 2, 0, 0)])


def test_there_already_rather_than_with_fuzz():
    change = hunk(0, 0, "a b -c +d e f")
    assert placed("z b c e z a b d e f", change) == ("z b c e z a b d e f", [("skipped", 5, 5, 0)])


def test_there_already_in_all_its_lines():
    assert placed("n b d e n", hunk(0, 0, "a b -c +d e f"))[1] == [("rejected", None, 0, 0)]


def test_nothing_left_is_not_there_already():
    assert placed("a b c", hunk(1, 1, "-q"))[1] == [("rejected", None, 0, 0)]


def test_appended_at_the_end_once():
    change = hunk(1, 1, "b c +d")
    assert placed("a b c", change) == ("a b c d", [("applied", 1, 0, 0)])
    assert placed("a b c d", change) == ("a b c d", [("skipped", 1, 0, 0)])


def test_drift_of_applied_hunks():
    first, second = hunk(0, 0, "a +x b"), hunk(5, 6, "p -q +Q r")
    assert placed("m m m a b p q r p q r p q r", first, second) == (
        "m m m a x b p q r p Q r p q r", [("applied", 3, 3, 0), ("applied", 8, 3, 0)]
    )


def test_rejected_hunk_leaves_the_drift():
    hunks = hunk(0, 0, "a +x b"), hunk(2, 3, "g -h"), hunk(5, 5, "p -q +Q r")
    assert placed("m m m a b p q r p q r p q r", *hunks)[1] == [
        ("applied", 3, 3, 0), ("rejected", None, 0, 0), ("applied", 8, 3, 0),
    ]


def test_fuzz():
    assert placed("n n z b c e z", hunk(0, 0, "a b -c +d e f")) == ("n n z b d e z", [("applied", 2, 2, 1)])


def test_rejects_after_an_applied_hunk():
    result = apply(doc("m a b n n n"), [hunk(0, 0, "a +x b"), hunk(3, 4, "p -q r")])
    assert [(item.old, item.new) for item in result.rejects] == [(Span(5, 3), Span(5, 2))]
