"""What the search does otherwise."""

from __future__ import annotations

import pytest

from rangelock import ConflictError, PackageIndex, Version, WorkLimitExceeded, make_release, resolve


def index_of(*releases):
    return PackageIndex([make_release(*release) for release in releases])


EXTRAS = index_of(
    ("a", "1.0.0", ["base"], {"m": ["mid"], "z": ["zen"], "b": ["bar"]}), ("base", "1.0.0"), ("mid", "1.0.0"), ("zen", "1.0.0"),
    ("bar", "1.0.0"), ("old", "1.0.0"), ("p", "2.0.0", ["a[z]", "old ^2"]), ("p", "1.0.0"), ("q", "1.0.0", ["a[b]"]),
)


def test_extra_behind_the_one_in_force():
    found = resolve(["a[m]", "old", "p"], EXTRAS)
    assert [(item.release.name, item.extras) for item in found.packages] == [
        ("a", ("m",)), ("base", ()), ("mid", ()), ("old", ()), ("p", ())]


def test_first_extra_is_given_up():
    found = resolve(["a", "old", "p"], EXTRAS)
    assert found.versions() == {"a": "1.0.0", "base": "1.0.0", "old": "1.0.0", "p": "1.0.0"}
    assert found.packages[0].extras == ()


def test_extras_that_stay_are_sorted():
    found = resolve(["a[z]", "q", "a[m]"], EXTRAS)
    assert found.packages[0].extras == ("b", "m", "z")
    assert [need.name for need in found.packages[0].requires] == ["base", "bar", "mid", "zen"]


def test_order_of_decisions_and_steps():
    index = index_of(
        ("x", "2.0.0", ["y ^1"]), ("x", "1.0.0"), ("y", "1.0.0"), ("y", "2.0.0"), ("z", "1.0.0", ["y ^2"]),
        *[(f"f{number}", f"{major}.0.0") for number in range(8) for major in (1, 2, 3)],
    )
    roots = ["x", *[f"f{number}" for number in range(8)], "z"]
    found = resolve(roots, index)
    assert found.versions() == {"x": "1.0.0", "y": "2.0.0", "z": "1.0.0", **{f"f{number}": "3.0.0" for number in range(8)}}
    assert found.steps == 21
    assert resolve(roots, index, max_steps=21).steps == 21
    with pytest.raises(WorkLimitExceeded):
        resolve(roots, index, max_steps=20)


def test_steps_with_extras():
    assert resolve(["a[m]", "old", "p"], EXTRAS).steps == 6
    assert resolve(["a", "q"], EXTRAS).steps == 4


def test_limit_counts_rejected_candidates():
    with pytest.raises(WorkLimitExceeded) as caught:
        resolve(["a[m]", "old", "p"], EXTRAS, max_steps=4)
    assert caught.value.max_steps == 4


def test_conflict_with_what_was_chosen():
    with pytest.raises(ConflictError) as caught:
        resolve(["a[m]", "old", "p >=2"], EXTRAS)
    assert caught.value.conflict.explain() == (
        "no release of p fits:\n  p >=2 (root)\n  p 2.0.0: old ^2 (p 2.0.0) clashes with the chosen old 1.0.0")


def test_conflict_of_demands():
    index = index_of(("a", "1.0.0", ["c ^1"]), ("b", "1.0.0", ["c ^2"]), ("c", "1.0.0"), ("c", "2.0.0"))
    with pytest.raises(ConflictError) as caught:
        resolve(["a", "b"], index)
    assert [str(demand) for demand in caught.value.conflict.demands] == ["c ^1 (a 1.0.0)", "c ^2 (b 1.0.0)"]
    assert caught.value.conflict.rejections == ()


def test_demands_of_the_given_up_do_not_count():
    index = index_of(("a", "2.0.0", ["c ^1", "old ^2"]), ("a", "1.0.0", ["c"]), ("c", "1.0.0"), ("c", "2.0.0"), ("old", "1.0.0"))
    assert resolve(["old", "a"], index).versions() == {"a": "1.0.0", "c": "2.0.0", "old": "1.0.0"}


def test_packages_of_the_given_up_are_not_needed():
    index = index_of(("a", "2.0.0", ["n", "old ^2"]), ("a", "1.0.0"), ("n", "1.0.0"), ("old", "1.0.0"), ("z", "1.0.0", ["n"]))
    assert resolve(["old", "a"], index).versions() == {"a": "1.0.0", "old": "1.0.0"}
    assert list(resolve(["old", "a", "z"], index).versions()) == ["a", "n", "old", "z"]


def test_extra_that_no_release_offers():
    index = index_of(("a", "1.0.0"), ("b", "1.0.0", ["a[w]"]), ("b", "0.9.0"))
    assert resolve(["a", "b"], index).versions() == {"a": "1.0.0", "b": "0.9.0"}


def test_preferred_first():
    found = resolve(["a", "p"], EXTRAS, preferred={"p": Version.parse("1.0.0")})
    assert found.versions() == {"a": "1.0.0", "base": "1.0.0", "p": "1.0.0"}


def test_two_searches_do_not_meet():
    assert resolve(["a[z]", "q"], EXTRAS).packages[0].extras == ("b", "z")
    assert resolve(["a[m]"], EXTRAS).packages[0].extras == ("m",)
