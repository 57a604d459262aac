import pytest

from rowboat.errors import ParseError
from rowboat.lexer import tokenize


def test_kinds_and_values():
    assert [(token.kind, token.value) for token in tokenize("SELECT Name, 1.5 FROM t WHERE a<='it''s' != ?")] == [
        ("keyword", "SELECT"), ("name", "name"), ("symbol", ","), ("number", 1.5), ("keyword", "FROM"), ("name", "t"),
        ("keyword", "WHERE"), ("name", "a"), ("symbol", "<="), ("text", "it's"), ("symbol", "<>"), ("parameter", "?"),
        ("end", None),
    ]


def test_places():
    places = [(token.at.line, token.at.column) for token in tokenize("a b\n  c")]
    assert places == [(1, 1), (1, 3), (2, 3), (2, 4)]


def test_places_behind_texts_and_comments_of_several_lines():
    tokens = tokenize("'x\ny' a /* 1\n2\n */ b -- c\nd")
    assert [(token.at.line, token.at.column) for token in tokens] == [(1, 1), (2, 4), (4, 5), (5, 1), (5, 2)]


def test_numbers():
    assert [token.value for token in tokenize("0 12 1e3 2.5E-1")][:-1] == [0, 12, 1000.0, 0.25]


@pytest.mark.parametrize("sql, message, place", [
    ("SELECT 'abc", "text without an end", (1, 8)),
    ("SELECT\n/* abc", "comment without an end", (2, 1)),
    ("SELECT a; ", "unexpected character", (1, 9)),
    ("SELECT 1e999", "number out of range", (1, 8)),
])
def test_errors(sql, message, place):
    with pytest.raises(ParseError) as caught:
        tokenize(sql)
    assert (caught.value.message, (caught.value.line, caught.value.column)) == (message, place)
