from __future__ import annotations

import pytest

from rangelock import Interval, Version, parse_range


@pytest.mark.parametrize(
    "text, expected",
    [
        ("<1.0.0 || >1.0.0", "<1.0.0 || >1.0.0"),
        ("<1.0.0 || >=1.0.0", "*"),
        ("<=1.0.0 || >1.0.0", "*"),
        ("<=2.0.0 || <1.0.0", "<=2.0.0"),
        (">=2.0.0 <3.0.0 || >=1.0.0 <2.5.0", ">=1.0.0 <3.0.0"),
        ("3.0.0 || 1.0.0 || 2.0.0", "=1.0.0 || =2.0.0 || =3.0.0"),
        ("^1.2 || ^2.0", ">=1.2.0 <2.0.0-0 || >=2.0.0 <3.0.0-0"),
    ],
)
def test_union(text, expected):
    assert str(parse_range(text)) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        (">1.0.0 >=1.0.0", ">1.0.0"),
        ("<2.0.0 <=2.0.0", "<2.0.0"),
        (">=1.0.0 >=1.5.0 <3.0.0 <=2.0.0", ">=1.5.0 <=2.0.0"),
        (">=1.0.0 <=1.0.0", "=1.0.0"),
        ("!=1.2.3 ^1", ">=1.0.0 <1.2.3 || >1.2.3 <2.0.0-0"),
    ],
)
def test_comparators(text, expected):
    assert str(parse_range(text)) == expected


def test_empty_ranges():
    assert parse_range(">1.0.0 <1.0.0").is_empty is True
    assert parse_range(">=2.0.0 <1.0.0").intervals == ()


def test_interval_edges():
    one, two = Version.parse("1.0.0"), Version.parse("2.0.0")
    interval = Interval(one, two, False, True)
    assert [interval.contains(one), interval.contains(two)] == [False, True]
    assert Interval(one, one, True, False).is_empty is True
    assert Interval(one, one, True, True).is_empty is False


def test_prereleases_asked_for():
    found = parse_range(">=1.0.0-rc.1 <2.0.0 || >=3.0.0")
    answers = [found.allows(Version.parse(t)) for t in ("1.0.0-rc.2", "1.0.1-rc.2", "3.0.0")]
    assert answers == [True, False, True]
