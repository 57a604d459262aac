import pytest

from seamline import Clean, Conflict, Document, Labels, merge
from seamline.errors import MarkerError, OptionError
from seamline.markers import parse, render

MERGE = "a\n<<<<<<< ours\nx\n=======\ny\nz\n>>>>>>> theirs\nc\n"
DIFF3 = "a\n<<<<<<< ours\nx\n||||||| base\nb\n=======\ny\nz\n>>>>>>> theirs\nc\n"


def merged(base, ours, theirs):
    return merge(*(Document.from_text(text) for text in (base, ours, theirs)))


@pytest.fixture
def conflict():
    return merged("a\nb\nc\n", "a\nx\nc\n", "a\ny\nz\nc\n")


def test_render(conflict):
    assert render(conflict).text == MERGE
    assert render(conflict, "diff3").text == DIFF3


def test_labels_and_size(conflict):
    text = render(conflict, labels=Labels("mine", "old", "yours"), size=3).text
    assert text == "a\n<<< mine\nx\n===\ny\nz\n>>> yours\nc\n"


def test_without_lines_that_both_begin_and_end_with():
    result = merged("a\nb\nc\n", "a\np\nx\nq\nc\n", "a\np\ny\nq\nc\n")
    assert render(result).text == "a\np\n<<<<<<< ours\nx\n=======\ny\n>>>>>>> theirs\nq\nc\n"
    assert render(result, "diff3").text == (
        "a\n<<<<<<< ours\np\nx\nq\n||||||| base\nb\n=======\np\ny\nq\n>>>>>>> theirs\nc\n"
    )


def test_newlines_of_the_markers():
    text = render(merged("a\r\nb", "a\r\nx", "a\r\ny")).text
    assert text == "a\r\n<<<<<<< ours\r\nx\r\n=======\r\ny\r\n>>>>>>> theirs\r\n"


def test_parse(conflict):
    a, c = Clean(("a\n",)), Clean(("c\n",))
    assert parse(Document.from_text(DIFF3)).chunks == (a, Conflict(("x\n",), ("y\n", "z\n"), ("b\n",)), c)
    assert parse(Document.from_text(MERGE)).chunks == (a, Conflict(("x\n",), ("y\n", "z\n"), None), c)


def test_headings_are_text():
    text = "Title\n=======\n|||||||\n>>>>>>> quoted\n<<<<<<<< eight\n"
    assert parse(Document.from_text(text)).settled("ours").text == text


def test_size_of_parsed_markers():
    text = "<<< a\n=======\n===\ny\n>>> b\n"
    assert parse(Document.from_text(text), size=3).settled("ours").text == "=======\n"
    assert parse(Document.from_text(text), size=3).settled("theirs").text == "y\n"


@pytest.mark.parametrize("text, message", [
    ("a\n<<<<<<< x\n", "line 2: the conflict has no end"),
    ("<<<<<<< x\n=======\n=======\n", "line 3: unexpected ======="),
    ("<<<<<<< x\n>>>>>>> y\n", "line 2: unexpected >>>>>>>"),
    ("<<<<<<< x\n<<<<<<< y\n", "line 2: unexpected <<<<<<<"),
    ("<<<<<<< x\n=======\n||||||| y\n", "line 3: unexpected |||||||"),
])
def test_malformed(text, message):
    with pytest.raises(MarkerError) as caught:
        parse(Document.from_text(text))
    assert str(caught.value) == message


def test_base_that_nobody_knows():
    with pytest.raises(OptionError):
        parse(Document.from_text(MERGE)).settled("base")


def test_unknown_style_and_size(conflict):
    with pytest.raises(OptionError):
        render(conflict, "zdiff")
    with pytest.raises(OptionError):
        render(conflict, size=0)
