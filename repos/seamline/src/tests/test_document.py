import pytest

from seamline import Document
from seamline.document import line_end, split_lines, with_end
from seamline.errors import DecodingError, EncodingError, OptionError


def test_split_lines():
    assert split_lines("") == []
    assert split_lines("a") == ["a"]
    assert split_lines("a\nb\r\nc\rd") == ["a\n", "b\r\n", "c\r", "d"]
    assert split_lines("\r\r\n\n") == ["\r", "\r\n", "\n"]


def test_nothing_else_ends_a_line():
    assert split_lines("a\x0cb\u2028c\x85\n") == ["a\x0cb\u2028c\x85\n"]


def test_line_ends():
    assert [line_end(line) for line in ("a\r\n", "a\r", "\n", "a", "")] == ["\r\n", "\r", "\n", "", ""]
    assert with_end("a\r\n", "\n") == "a\n"
    assert with_end("a", "\n") == "a\n"


def test_bytes_come_back():
    for data in (b"", b"a\r\nb", b"\xef\xbb\xbfa\n", "\ufeffé\n".encode("utf-16-le"), "\ufeffé\n".encode("utf-16-be")):
        assert Document.decode(data).encode() == data


def test_byte_order_mark_outweighs_the_encoding():
    document = Document.decode(b"\xef\xbb\xbf\xc3\xa9\n", "latin-1")
    assert (document.lines, document.encoding, document.bom) == (("é\n",), "utf-8", True)
    assert Document.decode(b"\xe9\n", "latin-1").lines == ("é\n",)


def test_undecodable():
    with pytest.raises(DecodingError) as caught:
        Document.decode(b"ab\xff", name="notes.txt")
    assert str(caught.value) == "notes.txt: not utf-8 at byte 2"
    assert caught.value.offset == 2


def test_unencodable():
    with pytest.raises(EncodingError) as caught:
        Document(("naïve →\n",), "latin-1").encode("notes.txt")
    assert str(caught.value) == "notes.txt: latin-1 has no '→'"


def test_unknown_encoding():
    with pytest.raises(OptionError):
        Document.decode(b"", "utf-9")


def test_prevailing_newline():
    texts = ["", "a", "a\nb\r\nc\r\n", "a\r\nb\n", "a\nb\r\n", "a\rb\rc\n"]
    assert [Document.from_text(text).newline for text in texts] == [None, None, "\r\n", "\r\n", "\n", "\r"]


def test_relined():
    document = Document.from_text("a\r\nb\nc\r\nd")
    assert document.relined("\n").text == "a\nb\nc\nd"
    assert document.relined("\r").text == "a\rb\nc\rd"
    assert document.relined(None) is document
    assert Document.from_text("a").relined("\n").text == "a"


def test_only_the_last_line_may_lack_an_end():
    document = Document()
    assert document.with_lines(["a\r\n", "b", "c"]).text == "a\r\nb\r\nc"
    assert document.with_lines(["a", "b"]).text == "a\nb"
    assert document.with_lines([]).text == ""


def test_with_lines_keeps_the_encoding():
    document = Document.decode(b"\xef\xbb\xbfa\n").with_lines(["b\n"])
    assert document.encode() == b"\xef\xbb\xbfb\n"
