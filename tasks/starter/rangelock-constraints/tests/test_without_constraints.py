from __future__ import annotations

import pytest

from rangelock import (
    ConflictError,
    Demand,
    PackageIndex,
    Version,
    lock_from_resolution,
    make_release,
    parse_requirement,
    resolve,
    update_lock,
)


def make_index():
    return PackageIndex(
        [
            make_release("app", "1.0.0", ["http"]),
            make_release("app", "2.0.0", ["http >=2"]),
            make_release("http", "1.8.0"),
            make_release("http", "2.0.0"),
            make_release("http", "2.1.0-rc.1"),
            make_release("http", "2.1.0", yanked=True),
        ]
    )


def test_latest():
    assert resolve(["app"], make_index()).versions() == {"app": "2.0.0", "http": "2.0.0"}


def test_root_limits_and_requires():
    assert resolve(["app", "http <2"], make_index()).versions() == {"app": "1.0.0", "http": "1.8.0"}


def test_prerelease_asked_for():
    assert resolve(["http >=2.1.0-rc.1"], make_index()).versions() == {"http": "2.1.0-rc.1"}


def test_each_requirement_has_to_allow_a_prerelease():
    with pytest.raises(ConflictError):
        resolve(["http >=2.1.0-rc.1", "http >=2"], make_index())
    found = resolve(["http >=2.1.0-rc.1", "http <=2.1.0-rc.9"], make_index())
    assert found.versions() == {"http": "2.1.0-rc.1"}


def test_yanked():
    assert resolve(["http =2.1.0"], make_index()).versions() == {"http": "2.1.0"}
    preferred = {"http": Version.parse("2.1.0")}
    assert resolve(["app"], make_index(), preferred=preferred).versions()["http"] == "2.1.0"


def test_conflict():
    with pytest.raises(ConflictError) as caught:
        resolve(["app 2.x", "http <2"], make_index())
    assert caught.value.conflict.demands == (
        Demand(parse_requirement("http <2"), "root"),
        Demand(parse_requirement("http >=2"), "app 2.0.0"),
    )
    assert str(caught.value) == (
        "no release of http fits:\n  http <2 (root)\n  http >=2 (app 2.0.0)"
    )


def test_positional_arguments():
    preferred = {"http": Version.parse("1.8.0")}
    found = resolve(["http"], make_index(), {"platform": "linux"}, preferred)
    assert found.versions() == {"http": "1.8.0"}
    assert found.environment == (("platform", "linux"),)


def test_update_lock():
    index = make_index()
    lock = lock_from_resolution(resolve(["app 1.x"], index))
    assert lock.versions() == {"app": "1.0.0", "http": "2.0.0"}
    index.add(make_release("http", "2.2.0"))
    assert update_lock(lock, index).versions()["http"] == "2.0.0"
    assert update_lock(lock, index, ["http"]).versions()["http"] == "2.2.0"
