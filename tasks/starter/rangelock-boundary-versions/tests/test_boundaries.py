from __future__ import annotations

from itertools import permutations

import pytest

from rangelock import Interval, PackageIndex, Version, VersionRange, make_release, parse_range, resolve

POINTS = ["0.9.0", "1.0.0", "1.5.0", "2.0.0", "2.1.0"]


def inside(found):
    return [text for text in POINTS if found.contains(Version.parse(text))]


@pytest.mark.parametrize(
    "text, expected",
    [
        ("<2.0.0 || =2.0.0", "<=2.0.0"),
        ("<1.5.0 || <=1.5.0", "<=1.5.0"),
        (">1.0.0 || >=1.0.0", ">=1.0.0"),
        (">1.0.0 || =1.0.0", ">=1.0.0"),
        (">1.0.0 <2.0.0 || >=1.0.0 <=2.0.0", ">=1.0.0 <=2.0.0"),
        (">1.0.0 <2.0.0 || 1.0.0 || 2.0.0", ">=1.0.0 <=2.0.0"),
        (">=1.0.0 <2.0.0 || >1.0.0 <=2.0.0", ">=1.0.0 <=2.0.0"),
    ],
)
def test_union_keeps_the_edge(text, expected):
    assert str(parse_range(text)) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        (">=1.0.0 >1.0.0", ">1.0.0"),
        ("<=2.0.0 <2.0.0", "<2.0.0"),
        (">=1.0.0 <=2.0.0, >1.0.0 <2.0.0", ">1.0.0 <2.0.0"),
        ("^1.0.0 >1.0.0", ">1.0.0 <2.0.0-0"),
    ],
)
def test_comparators_drop_the_edge(text, expected):
    assert str(parse_range(text)) == expected


def test_union_members_in_any_order():
    parts = ["<1.0.0", "=1.0.0", ">1.0.0 <2.0.0", "=2.0.0"]
    texts = {str(parse_range(" || ".join(order))) for order in permutations(parts)}
    assert texts == {"<=2.0.0"}


def test_intersection_members_in_any_order():
    parts = [">=1.0.0", ">1.0.0", "<=2.0.0", "<2.0.0"]
    texts = {str(parse_range(" ".join(order))) for order in permutations(parts)}
    assert texts == {">1.0.0 <2.0.0"}


def test_union_method():
    left, right = parse_range(">1.0.0 <2.0.0"), parse_range("1.0.0 - 2.0.0")
    assert inside(left.union(right)) == ["1.0.0", "1.5.0", "2.0.0"]
    assert inside(right.union(left)) == ["1.0.0", "1.5.0", "2.0.0"]


def test_intersect_method():
    left, right = parse_range(">=1.0.0 <=2.0.0"), parse_range(">1.0.0 <2.0.0 || >=2.1.0")
    assert inside(left.intersect(right)) == ["1.5.0"]
    assert inside(right.intersect(left)) == ["1.5.0"]


def test_intersect_down_to_nothing():
    left, right = parse_range("=1.0.0"), parse_range(">1.0.0")
    assert left.intersect(right).is_empty is True
    assert right.intersect(left).is_empty is True


def test_equal_members_equal_intervals():
    left = parse_range(">1.0.0 || =1.0.0")
    assert left.intervals == (Interval(Version.parse("1.0.0"), None, True, False),)
    assert left == parse_range(">=1.0.0")


def test_from_intervals():
    one, two = Version.parse("1.0.0"), Version.parse("2.0.0")
    found = VersionRange.from_intervals(
        [Interval(one, two, False, False), Interval(one, two, True, True)]
    )
    assert found.intervals == (Interval(one, two, True, True),)


def test_resolver_sees_the_edge():
    index = PackageIndex(make_release("proto", text) for text in POINTS)
    assert resolve(["proto <2.0.0 || =2.0.0"], index).versions() == {"proto": "2.0.0"}
    assert resolve(["proto <=2.0.0 <2.0.0"], index).versions() == {"proto": "1.5.0"}


def test_every_pair_of_simple_ranges():
    texts = [
        f"{low}1.0.0 {high}2.0.0" for low in (">", ">=") for high in ("<", "<=")
    ] + ["=1.0.0", "=2.0.0", "<1.0.0", "<=1.0.0", ">2.0.0", ">=2.0.0", "*"]
    wrong = []
    for left in texts:
        for right in texts:
            a, b = parse_range(left), parse_range(right)
            if set(inside(a.union(b))) != set(inside(a)) | set(inside(b)):
                wrong.append(("union", left, right))
            if set(inside(a.intersect(b))) != set(inside(a)) & set(inside(b)):
                wrong.append(("intersect", left, right))
    assert wrong == []
