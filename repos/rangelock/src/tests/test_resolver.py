from __future__ import annotations

import pytest

from rangelock import (
    ConflictError,
    PackageIndex,
    Version,
    WorkLimitExceeded,
    make_release,
    resolve,
)


def index_of(*lines):
    """Releases from lines such as ``"a 1.0.0: b ^1; c"``."""
    index = PackageIndex()
    for line in lines:
        head, _, needs = line.partition(":")
        name, version = head.split()
        index.add(make_release(name, version, [n for n in needs.split(";") if n.strip()]))
    return index


def test_takes_the_latest():
    index = index_of("a 1.0.0", "a 1.1.0", "a 2.0.0-rc.1")
    assert resolve(["a"], index).versions() == {"a": "1.1.0"}


def test_goes_back_to_an_earlier_candidate():
    index = index_of("a 2.0.0: b ^1", "a 1.0.0: b ^2", "b 1.0.0", "b 2.0.0")
    assert resolve(["a", "b ^2"], index).versions() == {"a": "1.0.0", "b": "2.0.0"}


def test_earlier_packages_take_precedence():
    index = index_of("a 2.0.0: c ^1", "a 1.0.0", "b 2.0.0: c ^2", "b 1.0.0", "c 1.0.0", "c 2.0.0")
    assert resolve(["a", "b"], index).versions() == {"a": "2.0.0", "b": "1.0.0", "c": "1.0.0"}
    assert resolve(["b", "a"], index).versions() == {"a": "1.0.0", "b": "2.0.0", "c": "2.0.0"}


def test_circles_are_fine():
    index = index_of("a 1.0.0: b", "b 1.0.0: a ^1")
    assert resolve(["a"], index).versions() == {"a": "1.0.0", "b": "1.0.0"}


def test_unrelated_packages_do_not_multiply_the_work():
    lines = ["x 2.0.0: y ^1", "x 1.0.0", "y 2.0.0", "y 1.0.0"]
    fillers = [f"f{number}" for number in range(10)]
    lines += [f"{name} {patch}.0.0" for name in fillers for patch in range(1, 5)]
    found = resolve(["x", *fillers, "z"], index_of(*lines, "z 1.0.0: y ^2"), max_steps=200)
    assert found.versions()["x"] == "1.0.0"
    assert found.versions()["f0"] == "4.0.0"


def test_work_limit():
    index = index_of("a 1.0.0: b", "b 1.0.0: c", "c 1.0.0")
    assert resolve(["a"], index, max_steps=3).steps == 3
    with pytest.raises(WorkLimitExceeded) as caught:
        resolve(["a"], index, max_steps=2)
    assert caught.value.max_steps == 2


def test_markers_select_requirements():
    index = PackageIndex(
        [make_release("a", "1.0.0", ['b * ; platform == "linux"']), make_release("b", "1.0.0")]
    )
    assert resolve(["a"], index, {"platform": "linux"}).versions() == {"a": "1.0.0", "b": "1.0.0"}
    assert resolve(["a"], index, {"platform": "macos"}).versions() == {"a": "1.0.0"}


EXTRAS = [
    make_release("a", "1.0.0", extras={"tls": ["crypto ^1"], "log": ["logger"]}),
    make_release("a", "2.0.0", extras={"tls": ["crypto ^2"]}),
    make_release("b", "1.0.0", ["a[log]"]),
    make_release("crypto", "1.0.0"),
    make_release("crypto", "2.0.0"),
    make_release("logger", "1.0.0"),
]


def test_extras_add_requirements():
    found = resolve(["a[tls]"], PackageIndex(EXTRAS))
    assert found.versions() == {"a": "2.0.0", "crypto": "2.0.0"}
    assert found.packages[0].extras == ("tls",)


def test_extras_come_together():
    found = resolve(["a[tls]", "b"], PackageIndex(EXTRAS))
    assert found.versions() == {"a": "1.0.0", "b": "1.0.0", "crypto": "1.0.0", "logger": "1.0.0"}
    assert found.packages[0].extras == ("log", "tls")


def test_yanked_releases_are_passed_over():
    index = index_of("a 1.0.0", "a 1.1.0")
    index.yank("a", "1.1.0")
    assert resolve(["a"], index).versions() == {"a": "1.0.0"}
    assert resolve(["a =1.1.0"], index).versions() == {"a": "1.1.0"}
    preferred = {"a": Version.parse("1.1.0")}
    assert resolve(["a"], index, preferred=preferred).versions() == {"a": "1.1.0"}


def test_preferred_version_comes_first():
    index = index_of("a 1.0.0", "a 1.1.0", "a 1.2.0")
    preferred = {"A": Version.parse("1.1.0")}
    assert resolve(["a"], index, preferred=preferred).versions() == {"a": "1.1.0"}
    assert resolve(["a >1.1.0"], index, preferred=preferred).versions() == {"a": "1.2.0"}


def test_conflict_lists_who_wants_what():
    index = index_of("app 1.0.0: tls >=2", "tls 1.0.0", "tls 2.0.0")
    with pytest.raises(ConflictError) as caught:
        resolve(["app", "tls ^1"], index)
    assert str(caught.value) == (
        "no release of tls fits:\n  tls ^1 (root)\n  tls >=2 (app 1.0.0)"
    )
    assert caught.value.conflict.package == "tls"


def test_conflict_lists_rejected_candidates():
    index = index_of("a 1.0.0", "b 1.0.0: a ^2")
    with pytest.raises(ConflictError) as caught:
        resolve(["a", "b"], index)
    assert str(caught.value) == (
        "no release of b fits:\n  b * (root)\n"
        "  b 1.0.0: a ^2 (b 1.0.0) clashes with the chosen a 1.0.0"
    )


def test_unknown_package():
    with pytest.raises(ConflictError) as caught:
        resolve(["a"], index_of("a 1.0.0: nope"))
    assert str(caught.value) == "no package named nope:\n  nope * (a 1.0.0)"
