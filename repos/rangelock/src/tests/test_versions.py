from __future__ import annotations

import pytest

from rangelock import Version, VersionError, VersionPool


@pytest.mark.parametrize(
    "text", ["0.0.0", "1.20.300", "1.0.0-rc.1", "1.0.0+build.07", "1.0.0-a-b.2+x-y"]
)
def test_parse_and_format(text):
    assert str(Version.parse(text)) == text


@pytest.mark.parametrize("text", ["1", "1.2", "1.2.3.4", "01.2.3", "1.2.3-", "1.2.3-01", "v1.2.3", ""])
def test_not_a_version(text):
    with pytest.raises(VersionError):
        Version.parse(text)


def test_precedence():
    texts = [
        "1.0.0-0",
        "1.0.0-9",
        "1.0.0-10",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-rc.2",
        "1.0.0-rc.10",
        "1.0.0",
        "1.0.1-a",
        "1.0.1",
        "1.10.0",
    ]
    versions = [Version.parse(text) for text in texts]
    assert [str(v) for v in sorted(reversed(versions))] == texts


def test_build_is_ignored_in_comparisons():
    left, right = Version.parse("1.0.0+a"), Version.parse("1.0.0+b")
    assert left == right
    assert hash(left) == hash(right)
    assert not left < right
    assert str(left) == "1.0.0+a"


def test_without_build():
    assert str(Version.parse("1.0.0-rc.1+a").without_build()) == "1.0.0-rc.1"


def test_triple_and_prerelease():
    version = Version.parse("3.2.1-rc")
    assert version.triple == (3, 2, 1)
    assert version.is_prerelease
    assert not Version.parse("3.2.1").is_prerelease


def test_pool_shares_equal_spellings():
    pool = VersionPool()
    first = pool.parse("1.2.3")
    assert pool.parse("1.2.3") is first


def test_pool_keeps_the_spelling():
    pool = VersionPool()
    texts = ["1.2.3+a", "1.2.3", "1.2.3+b", "1.2.3+a"]
    assert [str(pool.parse(text)) for text in texts] == texts


def test_comparison_with_other_types():
    assert Version.parse("1.0.0") != "1.0.0"
    with pytest.raises(TypeError):
        Version.parse("1.0.0") < "2.0.0"
