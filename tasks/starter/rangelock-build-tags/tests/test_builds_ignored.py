from __future__ import annotations

import pytest

from rangelock import (
    DuplicateReleaseError,
    PackageIndex,
    Version,
    VersionPool,
    diff_locks,
    loads,
    make_release,
    parse_range,
    resolve,
    verify_lock,
)


def test_equal_and_same_hash():
    left, right = Version.parse("4.0.0+a"), Version.parse("4.0.0+b")
    assert (left == right, left < right, left > right) == (True, False, False)
    assert len({left, right, Version.parse("4.0.0")}) == 1


def test_duplicates():
    index = PackageIndex([make_release("a", "4.1.0+x")])
    with pytest.raises(DuplicateReleaseError):
        index.add(make_release("a", "4.1.0+y"))
    assert [str(r) for r in index.releases("a")] == ["a 4.1.0+x"]


def test_ranges():
    found = parse_range("=4.2.0")
    assert [found.allows(Version.parse(t)) for t in ("4.2.0+x", "4.2.0", "4.2.1+x")] == [True, True, False]


def test_lookup():
    index = PackageIndex([make_release("a", "4.3.0+x")])
    assert str(index.get("a", "4.3.0+other")) == "a 4.3.0+x"


def test_pin_of_a_yanked_build():
    index = PackageIndex([make_release("a", "4.4.0+x", yanked=True)])
    assert resolve(["a =4.4.0"], index).versions() == {"a": "4.4.0+x"}


def test_pool_shares():
    pool = VersionPool()
    first, plain = pool.parse("4.5.0+x"), pool.parse("4.6.0")
    assert (pool.parse("4.5.0+x") is first) is True
    assert (pool.intern(Version.parse("4.6.0")) is plain) is True


def test_real_difference_is_reported():
    index = PackageIndex([make_release("a", "4.7.0+x")])
    lock = loads("# rangelock 1\npackage a 4.7.0+y\n")
    assert verify_lock(lock, index) == ["a 4.7.0+y: the index has 4.7.0+x"]


def test_rebuilt():
    old = loads("# rangelock 1\npackage a 4.8.0+x\n")
    new = loads("# rangelock 1\npackage a 4.8.0+y\n")
    assert [(c.kind, c.old, c.new) for c in diff_locks(old, new)] == [("rebuilt", "4.8.0+x", "4.8.0+y")]
