"""Markers without operators of one's own."""

import pytest

from rangelock import MarkerError, parse_marker, parse_requirement

ENV = {"v": "1.10", "os": "linux", "tags": "a"}


@pytest.mark.parametrize("text, expected", [
    ('os == "linux"', True), ('os != "linux"', False), ('v == "1.10.0"', False), ('v != "1.10.0"', True),
    ('v < "1.9"', False), ('v <= "1.10.0"', True), ('v > "1.9.9"', True), ('v >= "1.10.0.1"', False),
    ('os in "bsd, linux"', True), ('os in "linuxes"', False), ('os not in "bsd,linux"', False), ('tags  not   in "b"', True),
    ('os<"1" or os=="linux"', MarkerError), ('os=="linux" or os<"1"', True), ('missing == "x"', MarkerError),
    ('os == "x" and missing == "x"', False),
], ids=["equal", "unequal", "as-text", "as-text-unequal", "less", "at-most", "more", "at-least", "in", "not-whole", "not-in", "not-in-blanks",
        "not-numbers", "not-needed", "no-variable", "no-variable-not-needed"])
def test_values(text, expected):
    if expected is MarkerError:
        with pytest.raises(MarkerError):
            parse_marker(text).holds(ENV)
    else:
        assert parse_marker(text).holds(ENV) is expected


@pytest.mark.parametrize("text", [
    'os', 'os ==', '"x" == os', 'os not "x"', 'os not < "1"', 'os not == "x"', 'in == "x"', 'not == "x"', 'and == "x"',
    'os in linux', 'os = = "x"', 'os ? "x"', 'os in in "x"', 'os not not in "x"', '(os == "x"', 'os == "x")', 'os == "x" os',
], ids=["variable", "no-text", "turned-round", "not", "not-less", "not-equal", "in-as-variable", "not-as-variable", "and-as-variable",
        "no-quotes", "apart", "unknown", "in-twice", "not-twice", "open", "closed", "more"])
def test_malformed(text):
    with pytest.raises(MarkerError):
        parse_marker(text)


@pytest.mark.parametrize("text, canonical", [
    ('os=="x"and v>="1"', 'os == "x" and v >= "1"'),
    ('not(os in"x")', 'not os in "x"'),
    ('inside in "x" or not_in not in "y" or innot == "z"', 'inside in "x" or not_in not in "y" or innot == "z"'),
    ('(a == "1" or b == "2") and not (c == "3")', '(a == "1" or b == "2") and not c == "3"'),
    ('a == "<= and (" ', 'a == "<= and ("'),
], ids=["blanks", "single-in-parens", "words-inside-words", "parens", "signs-inside-text"])
def test_canonical_text(text, canonical):
    assert str(parse_marker(text)) == canonical
    assert str(parse_requirement(f"pkg >=1 ; {text}")) == f"pkg >=1 ; {canonical}"


def test_equal_markers():
    assert parse_marker('os not  in "x"') == parse_marker('os not in "x"')
    assert parse_marker('os in "x"') != parse_marker('os not in "x"')
    assert len({parse_marker('v>="1"'), parse_marker('v >= "1"')}) == 1
