from __future__ import annotations

import pytest

from rangelock import PackageIndex, Version, make_release, parse_range, resolve

SOME = ["0.0.0-a", "0.0.0", "0.0.4", "0.3.0", "1.0.0", "1.2.0-rc.1", "1.2.0", "1.2.9", "1.3.0-rc.1", "1.3.0", "2.0.0-a", "2.0.0", "2.5.1", "3.0.0"]


def inside(text):
    found = parse_range(text)
    return [item for item in SOME if found.contains(Version.parse(item))]


@pytest.mark.parametrize(
    "text, meaning",
    [
        ("^0", ">=0.0.0 <1.0.0-0"),
        ("^0.x", ">=0.0.0 <1.0.0-0"),
        ("^0.0", ">=0.0.0 <0.1.0-0"),
        ("^0.0.*", ">=0.0.0 <0.1.0-0"),
        ("~1", ">=1.0.0 <2.0.0-0"),
        ("~ 0", ">=0.0.0 <1.0.0-0"),
        ("~2.x.x", ">=2.0.0 <3.0.0-0"),
        (">1.2", ">=1.3.0"),
        (">1", ">=2.0.0"),
        ("> 0.0.x", ">=0.1.0"),
        ("<=1.2", "<1.3.0-0"),
        ("<=1.X", "<2.0.0-0"),
        ("<=0", "<1.0.0-0"),
        ("<1.2", "<1.2.0-0"),
        ("<2", "<2.0.0-0"),
        ("!=1.2", "<1.2.0-0 || >=1.3.0"),
        ("!=1", "<1.0.0-0 || >=2.0.0"),
        ("1.2 - 1.4", ">=1.2.0 <1.5.0-0"),
        ("1.2.3 - 2", ">=1.2.3 <3.0.0-0"),
        ("0 - 0.x", ">=0.0.0 <1.0.0-0"),
        (">1.2 <=2", ">=1.3.0 <3.0.0-0"),
    ],
)
def test_table(text, meaning):
    assert str(parse_range(text)) == meaning


@pytest.mark.parametrize("text", [">*", "<*", "!=*", ">x"])
def test_nothing_beyond_everything(text):
    assert inside(text) == []


@pytest.mark.parametrize("text", ["<=*", "* - *", ">=*"])
def test_everything(text):
    assert inside(text) == SOME


def test_below_a_partial_version_keeps_its_prereleases_out():
    assert inside("<1.2") == ["0.0.0-a", "0.0.0", "0.0.4", "0.3.0", "1.0.0"]


def test_other_than_a_partial_version():
    assert inside("!=1.2 >=1.0.0") == ["1.0.0", "1.3.0", "2.0.0-a", "2.0.0", "2.5.1", "3.0.0"]


def test_resolver_with_partial_versions():
    index = PackageIndex(make_release("a", text) for text in SOME)
    assert resolve(["a <=1.2"], index).versions() == {"a": "1.2.9"}
    assert resolve(["a ^0"], index).versions() == {"a": "0.3.0"}
    assert resolve(["a 1.0 - 2"], index).versions() == {"a": "2.5.1"}
