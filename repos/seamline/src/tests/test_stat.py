import pytest

from seamline import Document, diff
from seamline.errors import OptionError
from seamline.stat import Counts, bar, count, render


def test_count():
    patch = diff(Document.from_text("a\nb\nc\n"), Document.from_text("a\nx\ny\nc\n"), "old.txt", "new.txt")
    gone = diff(Document.from_text("a\n"), Document(), "old.txt", "/dev/null")
    assert count([patch, gone]) == [Counts("new.txt", 2, 1), Counts("old.txt", 0, 1)]


def test_render():
    counts = [Counts("src/a.txt", 8, 4), Counts("b.txt", 0, 1)]
    assert render(counts) == (
        " src/a.txt | 12 ++++++++----\n"
        " b.txt     |  1 -\n"
        " 2 files changed, 8 insertions(+), 5 deletions(-)\n"
    )


def test_sums():
    assert render([]) == " 0 files changed, 0 insertions(+), 0 deletions(-)\n"
    assert render([Counts("a", 1, 0)]) == " a | 1 +\n 1 file changed, 1 insertion(+)\n"
    assert render([Counts("a", 0, 2)]) == " a | 2 --\n 1 file changed, 2 deletions(-)\n"
    assert render([Counts("a", 1, 1)]) == " a | 2 +-\n 1 file changed, 1 insertion(+), 1 deletion(-)\n"


def test_bar_in_proportion():
    assert bar(Counts("a", 100, 0), 100, 10) == "++++++++++"
    assert bar(Counts("a", 50, 50), 100, 10) == "+++++-----"
    assert bar(Counts("a", 25, 10), 100, 10) == "++-"
    assert bar(Counts("a", 0, 0), 100, 10) == ""


def test_bar_shows_each_sign_that_there_is():
    assert bar(Counts("a", 99, 1), 100, 10) == "+++++++++-"
    assert bar(Counts("a", 1, 99), 100, 10) == "+---------"
    assert bar(Counts("a", 1, 1), 100, 10) == "+-"
    assert bar(Counts("a", 1, 0), 100, 10) == "+"


def test_width():
    with pytest.raises(OptionError):
        render([], width=1)
