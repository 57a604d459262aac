from __future__ import annotations

import pytest

from rangelock import RangeError, Version, parse_range


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("1.2", ">=1.2.0 <1.3.0-0"),
        ("1.x", ">=1.0.0 <2.0.0-0"),
        ("=0", ">=0.0.0 <1.0.0-0"),
        ("*", "*"),
        ("^*", "*"),
        ("~*", "*"),
        ("", "*"),
        (">=1.2", ">=1.2.0"),
        (">=1", ">=1.0.0"),
        ("^1.2", ">=1.2.0 <2.0.0-0"),
        ("^1", ">=1.0.0 <2.0.0-0"),
        ("^0.2", ">=0.2.0 <0.3.0-0"),
        ("~1.2", ">=1.2.0 <1.3.0-0"),
    ],
)
def test_partial_that_worked(text, meaning):
    assert str(parse_range(text)) == meaning


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("^1.2.3", ">=1.2.3 <2.0.0-0"),
        ("^0.2.3", ">=0.2.3 <0.3.0-0"),
        ("^0.0.3", ">=0.0.3 <0.0.4-0"),
        ("^0.0.0", ">=0.0.0 <0.0.1-0"),
        ("^1.0.0-rc.1", ">=1.0.0-rc.1 <2.0.0-0"),
        ("~1.2.3", ">=1.2.3 <1.3.0-0"),
        ("~0.0.3", ">=0.0.3 <0.1.0-0"),
        (">1.2.3", ">1.2.3"),
        ("<=1.2.3", "<=1.2.3"),
        ("<1.2.0", "<1.2.0"),
        ("!=1.2.3", "<1.2.3 || >1.2.3"),
        ("1.2.3 - 2.0.0", ">=1.2.3 <=2.0.0"),
        ("=1.2.3", "=1.2.3"),
    ],
)
def test_full_versions(text, meaning):
    assert str(parse_range(text)) == meaning


def test_full_ceiling_contains_its_prereleases():
    assert parse_range("<1.2.0").contains(Version.parse("1.2.0-rc.1")) is True


def test_prereleases_asked_for():
    found = parse_range("^1.0.0-rc.1")
    texts = ["1.0.0-beta", "1.0.0-rc.2", "1.0.0", "1.1.0-rc.2", "2.0.0-a"]
    assert [t for t in texts if found.allows(Version.parse(t))] == ["1.0.0-rc.2", "1.0.0"]


@pytest.mark.parametrize("text", ["1.x.3", "1.2-rc", "^1.2-rc", "*.1"])
def test_not_a_range(text):
    with pytest.raises(RangeError):
        parse_range(text)
