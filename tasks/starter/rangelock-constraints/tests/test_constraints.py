from __future__ import annotations

import pytest

from rangelock import (
    ConflictError,
    PackageIndex,
    RequirementError,
    Version,
    dumps,
    lock_from_resolution,
    make_release,
    parse_requirement,
    resolve,
    update_lock,
)


def make_index():
    return PackageIndex(
        [
            make_release("app", "1.0.0", ["http"], {"tls": ["crypto"]}),
            make_release("app", "2.0.0", ["http >=2"], {"tls": ["crypto >=3"]}),
            make_release("http", "1.8.0"),
            make_release("http", "2.0.0"),
            make_release("http", "2.1.0-rc.1"),
            make_release("http", "2.1.0", yanked=True),
            make_release("crypto", "2.9.0"),
            make_release("crypto", "3.1.0"),
            make_release("crypto", "3.2.0"),
        ]
    )


def versions(roots, *constraints, **more):
    return resolve(roots, make_index(), constraints=constraints, **more).versions()


def failure(roots, *constraints, **more):
    with pytest.raises(ConflictError) as caught:
        resolve(roots, make_index(), constraints=constraints, **more)
    return caught.value


def test_limits_a_required_package():
    assert versions(["app[tls]"], "crypto <3.2") == {
        "app": "2.0.0",
        "crypto": "3.1.0",
        "http": "2.0.0",
    }


def test_limits_a_root():
    assert versions(["http"], "http <2") == {"http": "1.8.0"}


def test_brings_nothing_in():
    assert versions(["http"], "crypto <3.2", "app 1.x", "nothing-like-it =7.0.0") == {"http": "2.0.0"}


def test_several_constraints_on_a_package():
    assert versions(["crypto"], "crypto !=3.2.0", "crypto >=2.9.0", "crypto <3.1 || >3.1") == {
        "crypto": "2.9.0"
    }


def test_requirement_objects_and_names():
    assert versions(["HTTP"], parse_requirement("Http <2")) == {"http": "1.8.0"}
    found = resolve(["http"], make_index(), constraints=iter([parse_requirement("http <2")]))
    assert found.versions() == {"http": "1.8.0"}


def test_search_goes_back():
    assert versions(["app"], "http <2") == {"app": "1.0.0", "http": "1.8.0"}
    assert versions(["app[tls]"], "crypto 2.x") == {
        "app": "1.0.0",
        "crypto": "2.9.0",
        "http": "2.0.0",
    }


def test_does_not_let_prereleases_in():
    assert versions(["http"], "http >=2.0.0 <=2.1.0-rc.5") == {"http": "2.0.0"}


def test_does_not_keep_prereleases_out():
    assert versions(["http >=2.1.0-rc.1"], "http >=2") == {"http": "2.1.0-rc.1"}


def test_keeps_prereleases_out_beyond_its_bounds():
    error = failure(["http >=2.1.0-rc.1"], "http 2.0.x")
    assert error.conflict.package == "http"


def test_does_not_make_yanked_releases_usable():
    error = failure(["http >=2"], "http =2.1.0")
    assert str(error) == (
        "no release of http fits:\n  http >=2 (root)\n  http =2.1.0 (constraint)"
    )


def test_yanked_release_pinned_by_a_root():
    assert versions(["http =2.1.0"], "http >=2") == {"http": "2.1.0"}


def test_marker():
    linux, macos = {"platform": "linux"}, {"platform": "macos"}
    constraint = 'http <2 ; platform == "linux"'
    assert versions(["http"], constraint, environment=linux) == {"http": "1.8.0"}
    assert versions(["http"], constraint, environment=macos) == {"http": "2.0.0"}


def test_extras_are_refused():
    with pytest.raises(RequirementError):
        resolve(["http"], make_index(), constraints=["crypto[fast] <3"])
    with pytest.raises(RequirementError):
        resolve(["http"], make_index(), {"os": "x"}, constraints=['crypto[fast] * ; os == "y"'])


def test_preferred_version_outside_gives_way():
    preferred = {"crypto": Version.parse("3.2.0")}
    assert versions(["crypto"], "crypto <3.2", preferred=preferred) == {"crypto": "3.1.0"}


def test_preferred_version_inside_is_kept():
    preferred = {"crypto": Version.parse("2.9.0")}
    assert versions(["crypto"], "crypto <3.2", preferred=preferred) == {"crypto": "2.9.0"}


def test_conflict_lists_constraints_last():
    error = failure(
        ["app 2.x", "crypto", "http"],
        "http <2.0.0",
        "crypto >=1",
        'http >=1 ; platform == "macos"',
        "http !=1.8.0",
        environment={"platform": "linux"},
    )
    assert str(error) == (
        "no release of http fits:\n"
        "  http * (root)\n"
        "  http >=2 (app 2.0.0)\n"
        "  http <2.0.0 (constraint)\n"
        "  http !=1.8.0 (constraint)"
    )
    assert [demand.origin for demand in error.conflict.demands] == [
        "root",
        "app 2.0.0",
        "constraint",
        "constraint",
    ]
    assert error.conflict.demands[2].requirement == parse_requirement("http <2.0.0")


def test_refused_releases_are_no_rejections():
    index = make_index()
    index.add(make_release("cli", "1.0.0", ["crypto <2"]))
    index.add(make_release("cli", "1.1.0", ["crypto <1"]))
    with pytest.raises(ConflictError) as caught:
        resolve(["crypto", "cli"], index, constraints=["cli <1.1"])
    assert str(caught.value) == (
        "no release of cli fits:\n"
        "  cli * (root)\n"
        "  cli <1.1 (constraint)\n"
        "  cli 1.0.0: crypto <2 (cli 1.0.0) clashes with the chosen crypto 3.2.0"
    )


def test_nothing_is_recorded():
    found = resolve(["app"], make_index(), constraints=["http <2", "crypto <3"])
    assert found.roots == (parse_requirement("app"),)
    assert dumps(lock_from_resolution(found)) == (
        "# rangelock 1\nroot app *\n\npackage app 1.0.0\n  requires http *\npackage http 1.8.0\n"
    )


def test_update_lock():
    index = make_index()
    lock = lock_from_resolution(resolve(["app[tls]"], index, {"platform": "linux"}))
    assert lock.versions()["crypto"] == "3.2.0"
    updated = update_lock(lock, index, ["app"], constraints=["crypto <3.2"])
    assert updated.versions() == {"app": "2.0.0", "crypto": "3.1.0", "http": "2.0.0"}
    same = update_lock(lock, index, constraints=['crypto <3.2 ; platform == "macos"'])
    assert same == lock
