from __future__ import annotations

import pytest

from rangelock import ConflictError, PackageIndex, RequirementError, make_release, resolve


def make_index():
    return PackageIndex(
        [
            make_release("a", "1.0.0", ["b"]),
            make_release("b", "1.0.0"),
            make_release("b", "2.0.0"),
            make_release("b", "2.1.0-rc.1"),
        ]
    )


def test_constraint_narrows():
    found = resolve(["a"], make_index(), constraints=["b <2"])
    assert found.versions() == {"a": "1.0.0", "b": "1.0.0"}


def test_constraint_brings_nothing_in():
    found = resolve(["b"], make_index(), constraints=["a =1.0.0", "nope"])
    assert found.versions() == {"b": "2.0.0"}


def test_constraint_and_prereleases():
    index = make_index()
    assert resolve(["b"], index, constraints=["b >=2.0.0-rc"]).versions() == {"b": "2.0.0"}
    found = resolve(["b >=2.1.0-rc.1"], index, constraints=["b >=2"])
    assert found.versions() == {"b": "2.1.0-rc.1"}


def test_constraint_in_a_conflict():
    with pytest.raises(ConflictError) as caught:
        resolve(["a"], make_index(), constraints=["b >=3"])
    assert str(caught.value) == (
        "no release of b fits:\n  b * (a 1.0.0)\n  b >=3 (constraint)"
    )


def test_constraint_with_extras():
    with pytest.raises(RequirementError):
        resolve(["a"], make_index(), constraints=["b[x]"])
