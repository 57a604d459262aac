from __future__ import annotations

import pytest

from rangelock import (
    MarkerError,
    RangeError,
    RequirementError,
    normalize_name,
    parse_marker,
    parse_requirement,
)

ENV = {"python": "3.10", "platform": "linux", "debug": "no"}


@pytest.mark.parametrize(
    "text, expected",
    [
        ('python >= "3.9"', True),
        ('python == "3.10.0"', False),
        ('python <= "3.10.0"', True),
        ('platform in "macos, linux"', True),
        ('platform not in "macos,linux"', False),
        ('not platform == "linux"', False),
        ('debug == "yes" and platform == "linux" or python > "3"', True),
        ('debug == "yes" and (platform == "linux" or python > "3")', False),
    ],
)
def test_marker(text, expected):
    assert parse_marker(text).holds(ENV) is expected


@pytest.mark.parametrize(
    "text", ["", "python", 'python ~ "3"', '(python > "3"', 'python > "3" platform == "x"', '"3" < python']
)
def test_not_a_marker(text):
    with pytest.raises(MarkerError):
        parse_marker(text)


def test_unknown_variable():
    with pytest.raises(MarkerError):
        parse_marker('arch == "arm"').holds(ENV)


def test_unordered_value():
    with pytest.raises(MarkerError):
        parse_marker('platform > "3"').holds(ENV)


def test_marker_text():
    text = 'not  (a=="1" or b not  in "2") and (c < "3")'
    assert str(parse_marker(text)) == 'not (a == "1" or b not in "2") and c < "3"'


def test_requirement_text():
    requirement = parse_requirement('Foo__Bar [ TLS, a.b,tls ]  >=1.0.0   <2 ;platform=="linux"')
    assert requirement.name == "foo-bar"
    assert requirement.extras == ("a-b", "tls")
    assert str(requirement) == 'foo-bar[a-b,tls] >=1.0.0 <2 ; platform == "linux"'
    assert parse_requirement(str(requirement)) == requirement


def test_bare_requirement():
    assert str(parse_requirement("http")) == "http *"
    assert parse_requirement("http[]>=2").spec == ">=2"


def test_bad_requirements():
    with pytest.raises(RequirementError):
        parse_requirement("[tls] 1")
    with pytest.raises(RangeError):
        parse_requirement("http nonsense")
    with pytest.raises(MarkerError):
        parse_requirement("http 1 ;")


def test_applies():
    assert parse_requirement('a * ; platform == "linux"').applies(ENV)
    assert not parse_requirement('a * ; platform == "macos"').applies(ENV)


def test_normalize_name():
    assert normalize_name("A.-_b") == "a-b"
    with pytest.raises(RequirementError):
        normalize_name("-a")
