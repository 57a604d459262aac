import io

import pytest

from seamline.cli import main
from seamline.errors import OptionError
from seamline.stat import Counts, bar, render


def bars(most, width, *pairs):
    return [bar(Counts("x", added, removed), most, width) for added, removed in pairs]


def stat(text, *options):
    output, errors = io.StringIO(), io.StringIO()
    status = main(["stat", "-", *options], io.StringIO(text), output, errors)
    return status, output.getvalue(), errors.getvalue()


def test_one_sign_that_would_vanish():
    assert bars(1000, 20, (1, 0), (0, 1), (7, 0), (0, 49)) == ["+", "-", "+", "-"]


def test_both_signs_that_would_vanish():
    assert bars(1000, 20, (1, 1), (30, 1), (1, 30), (50, 49)) == ["+-", "+-", "+-", "+-"]


def test_pluses_that_would_vanish():
    assert bars(1000, 20, (1, 199), (9, 491), (2, 998)) == ["+---", "+---------", "+-------------------"]


def test_one_mark_for_both_signs():
    assert bars(90, 9, (6, 6), (1, 18), (18, 1)) == ["+-", "+-", "+-"]


def test_smallest_width():
    assert bars(500, 2, (500, 0), (499, 1), (1, 499), (0, 500), (3, 0)) == ["++", "+-", "+-", "--", "+"]


def test_nothing_next_to_a_long_bar():
    assert bars(300, 10, (0, 0), (300, 0)) == ["", "++++++++++"]


def test_render_with_small_changes():
    counts = [Counts("big", 70, 30), Counts("mixed", 1, 4), Counts("less", 0, 2), Counts("same", 0, 0)]
    assert render(counts, 10) == (
        " big   | 100 +++++++---\n"
        " mixed |   5 +-\n"
        " less  |   2 -\n"
        " same  |   0\n"
        " 4 files changed, 71 insertions(+), 36 deletions(-)\n"
    )


def test_no_blank_where_there_is_no_bar():
    assert render([Counts("same.txt", 0, 0)]) == (
        " same.txt | 0\n 1 file changed, 0 insertions(+), 0 deletions(-)\n"
    )


def test_no_files():
    assert render([]) == " 0 files changed, 0 insertions(+), 0 deletions(-)\n"


@pytest.mark.parametrize("text", ["", "\n", "diff a b\nindex 1..2\n"])
def test_program_without_a_patch(text):
    assert stat(text) == (0, " 0 files changed, 0 insertions(+), 0 deletions(-)\n", "")


def test_program_with_context_only():
    text = "--- a\n+++ a\n@@ -3,2 +3,2 @@\n x\n y\n--- b\n+++ b\n@@ -0,0 +1,9 @@\n" + "+z\n" * 9
    assert stat(text, "--width", "4") == (
        0, " a | 0\n b | 9 ++++\n 2 files changed, 9 insertions(+)\n", ""
    )


def test_bars_that_fit():
    assert bars(40, 40, (40, 0), (3, 1), (0, 2), (0, 0)) == ["+" * 40, "+++-", "--", ""]


def test_marks_are_rounded_down():
    assert bars(100, 10, (19, 0), (0, 29), (99, 0), (55, 44)) == ["+", "--", "+++++++++", "+++++----"]


def test_share_of_the_pluses_is_rounded_down():
    assert bars(100, 10, (39, 11), (26, 24), (74, 26)) == ["+++--", "++---", "+++++++---"]


def test_both_shares_have_one_sum():
    assert bars(100, 10, (45, 45), (15, 15), (25, 35)) == ["++++-----", "+--", "++----"]


def test_long_bars_of_one_sign():
    assert bars(80, 8, (80, 0), (0, 80), (40, 0), (0, 30)) == ["++++++++", "--------", "++++", "---"]


def test_large_figures_are_exact():
    assert bars(3 * 10**17, 3, (10**17, 0), (10**17 - 1, 0), (2 * 10**17 - 1, 0)) == ["+", "+", "+"]


def test_sums():
    assert render([Counts("a", 2, 0)]) == " a | 2 ++\n 1 file changed, 2 insertions(+)\n"
    assert render([Counts("a", 0, 1)]) == " a | 1 -\n 1 file changed, 1 deletion(-)\n"


def test_names_with_blanks_and_figures_in_columns():
    assert render([Counts("my file ", 10, 0), Counts("x", 1, 1)]) == (
        " my file  | 10 ++++++++++\n x        |  2 +-\n 2 files changed, 11 insertions(+), 1 deletion(-)\n"
    )


def test_width_out_of_range():
    with pytest.raises(OptionError):
        render([Counts("a", 1, 0)], 1)
    assert stat("", "--width", "0") == (2, "", "seamline: width must be at least 2: 0\n")
