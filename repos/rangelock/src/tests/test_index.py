from __future__ import annotations

import pytest

from rangelock import DuplicateReleaseError, PackageIndex, UnknownPackageError, make_release


def test_releases_latest_first():
    index = PackageIndex(make_release("a", v) for v in ["1.9.0", "1.10.0", "1.10.0-rc.1"])
    assert [str(r) for r in index.releases("A")] == ["a 1.10.0", "a 1.10.0-rc.1", "a 1.9.0"]


def test_names():
    index = PackageIndex([make_release("Zed", "1.0.0"), make_release("a_b", "1.0.0")])
    assert index.names() == ("a-b", "zed")


def test_duplicates_ignore_build():
    index = PackageIndex([make_release("a", "1.0.0+x")])
    with pytest.raises(DuplicateReleaseError):
        index.add(make_release("a", "1.0.0+y"))


def test_get_ignores_build():
    index = PackageIndex([make_release("a", "1.0.0+x")])
    assert str(index.get("a", "1.0.0")) == "a 1.0.0+x"


def test_unknown():
    index = PackageIndex([make_release("a", "1.0.0")])
    with pytest.raises(UnknownPackageError):
        index.releases("b")
    with pytest.raises(UnknownPackageError):
        index.get("a", "2.0.0")


def test_yank_and_back():
    index = PackageIndex([make_release("a", "1.0.0")])
    index.yank("a", "1.0.0")
    assert index.get("a", "1.0.0").yanked
    index.yank("a", "1.0.0", yanked=False)
    assert not index.get("a", "1.0.0").yanked


def test_each_package_keeps_its_build():
    index = PackageIndex([make_release("a", "1.0.0+x"), make_release("b", "1.0.0+y")])
    assert str(index.get("b", "1.0.0")) == "b 1.0.0+y"


def test_extras_are_normalized_and_sorted():
    release = make_release("a", "1.0.0", extras={"Z_z": ["b"], "c": ["d >=1"]})
    assert release.extra_names == ("c", "z-z")
    assert [str(r) for r in release.extra_requires("c")] == ["d >=1"]
    with pytest.raises(UnknownPackageError):
        release.extra_requires("nope")
