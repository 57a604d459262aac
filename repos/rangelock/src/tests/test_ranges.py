from __future__ import annotations

import pytest

from rangelock import RangeError, Version, VersionRange, parse_range


def allowed(text, *versions):
    found = parse_range(text)
    return [v for v in versions if found.allows(Version.parse(v))]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", "*"),
        ("*", "*"),
        ("1.2.3", "=1.2.3"),
        ("== 1.2.3", "=1.2.3"),
        (">=1.2.3, <2.0.0", ">=1.2.3 <2.0.0"),
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.2.3", ">=0.2.3 <0.3.0-0"),
        ("^0.0.3", ">=0.0.3 <0.0.4-0"),
        ("~1.2.3", ">=1.2.3 <1.3.0-0"),
        ("1.x", ">=1.0.0 <2.0.0-0"),
        ("=1.2", ">=1.2.0 <1.3.0-0"),
        ("1.2.*", ">=1.2.0 <1.3.0-0"),
        ("1.2.3 - 2.0.0", ">=1.2.3 <=2.0.0"),
        ("!=1.2.3", "<1.2.3 || >1.2.3"),
        ("3.0.0 || <1.0.0", "<1.0.0 || =3.0.0"),
    ],
)
def test_meaning(text, expected):
    assert str(parse_range(text)) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("^1.2", ">=1.2.0 <2.0.0-0"),
        ("^0", ">=0.0.0 <1.0.0-0"),
        ("^0.0", ">=0.0.0 <0.1.0-0"),
        ("~1", ">=1.0.0 <2.0.0-0"),
        (">1.2", ">=1.3.0"),
        ("<=1.2", "<1.3.0-0"),
        ("!=1.2", "<1.2.0-0 || >=1.3.0"),
        ("1.2 - 1.4", ">=1.2.0 <1.5.0-0"),
    ],
)
def test_partial_versions(text, expected):
    assert str(parse_range(text)) == expected


@pytest.mark.parametrize(
    "text", ["1.2.3.4", ">>1", "1 ||", "|| 1", "abc", "x.1", "1.2-rc", ">=1.0.0<2.0.0", "1,"]
)
def test_not_a_range(text):
    with pytest.raises(RangeError):
        parse_range(text)


def test_nothing_beyond_everything():
    assert parse_range(">*").is_empty
    assert parse_range("<*").is_empty
    assert str(parse_range(">1.0.0 <1.0.0")) == "!=*"


def test_caret_keeps_out_the_next_major():
    assert allowed("^1.2.3", "1.2.2", "1.2.3", "1.9.0", "2.0.0-alpha", "2.0.0") == ["1.2.3", "1.9.0"]


def test_prereleases_must_be_asked_for():
    versions = ["1.0.0-rc.1", "1.0.0", "1.1.0-rc.1"]
    assert allowed(">=0.9.0", *versions) == ["1.0.0"]
    assert allowed(">=1.0.0-alpha", *versions) == ["1.0.0-rc.1", "1.0.0"]


def test_contains_ignores_what_was_asked_for():
    assert parse_range(">=0.9.0").contains(Version.parse("1.0.0-rc.1"))


def test_joining_adjacent_intervals():
    assert str(parse_range("<1.0.0 || >=1.0.0")) == "*"
    assert str(parse_range("<1.0.0 || >1.0.0")) == "<1.0.0 || >1.0.0"
    assert str(parse_range(">=2.0.0 <3.0.0 || >=1.0.0 <2.5.0")) == ">=1.0.0 <3.0.0"


def test_closed_bound_wins_in_a_union():
    assert str(parse_range("<2.0.0 || <=2.0.0")) == "<=2.0.0"
    assert str(parse_range(">1.0.0 || >=1.0.0")) == ">=1.0.0"


def test_open_bound_wins_in_an_intersection():
    assert str(parse_range(">=1.0.0 >1.0.0")) == ">1.0.0"
    assert str(parse_range("<=2.0.0 <2.0.0")) == "<2.0.0"


def test_intersection():
    left, right = parse_range("^1.2.0 || ^3.0.0"), parse_range(">=1.5.0 <3.1.0")
    assert str(left.intersect(right)) == ">=1.5.0 <2.0.0-0 || >=3.0.0 <3.1.0"
    assert left.intersect(parse_range("^2.0.0")).is_empty


def test_intersection_allows_what_both_allow():
    left, right = parse_range(">=1.0.0-rc.1"), parse_range(">=0.5.0")
    assert not left.intersect(right).allows(Version.parse("1.0.0-rc.2"))
    assert left.union(right).allows(Version.parse("1.0.0-rc.2"))


def test_pinned():
    assert str(parse_range("=1.2.3+x").pinned) == "1.2.3"
    assert parse_range("1.2").pinned is None
    assert VersionRange.any().pinned is None


def test_build_in_a_comparator_is_ignored():
    assert allowed("=1.0.0+x", "1.0.0", "1.0.0+y", "1.0.1") == ["1.0.0", "1.0.0+y"]
