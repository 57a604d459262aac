from __future__ import annotations

import pytest

from rangelock import (
    Change,
    LockError,
    LockFormatError,
    PackageIndex,
    diff_locks,
    dumps,
    is_current,
    loads,
    lock_from_resolution,
    make_release,
    resolve,
    update_lock,
    verify_lock,
    why,
)

RELEASES = [
    make_release("app", "1.4.0+b7", ["http >=2", "log"], {"tls": ["crypto ^3.1"]}, checksum="sha256:aa"),
    make_release("http", "2.0.3", ["log ^1"]),
    make_release("log", "1.0.0"),
    make_release("crypto", "3.2.0", ['log ^1 ; platform == "linux"']),
]

TEXT = """\
# rangelock 1
environment platform="linux"
root app[tls] ^1.2

package app 1.4.0+b7
  checksum sha256:aa
  extras tls
  requires crypto ^3.1
  requires http >=2
  requires log *
package crypto 3.2.0
  requires log ^1 ; platform == "linux"
package http 2.0.3
  requires log ^1
package log 1.0.0
"""


def make_lock(*extra, roots=("app[tls] ^1.2",)):
    index = PackageIndex([*RELEASES, *extra])
    return index, lock_from_resolution(resolve(roots, index, {"platform": "linux"}))


def test_dumps():
    assert dumps(make_lock()[1]) == TEXT


def test_loads():
    assert loads(TEXT) == make_lock()[1]


def test_loads_any_order():
    head, *packages = TEXT.split("package ")
    shuffled = head + "# note\n\n" + "".join(f"package {part}" for part in reversed(packages))
    assert dumps(loads(shuffled)) == TEXT


def test_empty_lock():
    assert dumps(loads("# rangelock 1\n")) == "# rangelock 1\n"


@pytest.mark.parametrize(
    "text, line",
    [
        ("", 1),
        ("# rangelock 2\n", 1),
        ("# rangelock 1\npackage a\n", 2),
        ("# rangelock 1\npackage a 1.0.0\npackage A 1.0.0\n", 3),
        ("# rangelock 1\npackage a 1.0.0\nroot a\n", 3),
        ("# rangelock 1\n\n  yanked\n", 3),
        ("# rangelock 1\npackage a 1.0.0\n  colour red\n", 3),
        ("# rangelock 1\nenvironment x=1\n", 2),
    ],
)
def test_bad_lock(text, line):
    with pytest.raises(LockFormatError) as caught:
        loads(text)
    assert caught.value.line == line


def test_is_current():
    lock = make_lock()[1]
    assert is_current(lock, ["app[tls]  ^1.2"], {"platform": "linux"})
    assert not is_current(lock, ["app ^1.2"], {"platform": "linux"})
    assert not is_current(lock, ["app[tls] ^1.2"], {"platform": "macos"})


def test_update_moves_only_what_is_named():
    index, lock = make_lock()
    index.add(make_release("log", "1.1.0"))
    index.add(make_release("crypto", "3.3.0"))
    assert update_lock(lock, index) == lock
    updated = update_lock(lock, index, ["Log"])
    assert diff_locks(lock, updated) == (Change("upgraded", "log", "1.0.0", "1.1.0"),)


def test_update_keeps_yanked_releases():
    index, lock = make_lock(make_release("log", "0.9.0"))
    index.yank("http", "2.0.3")
    index.add(make_release("http", "2.0.2"))
    updated = update_lock(lock, index)
    assert updated.get("http").yanked
    assert update_lock(lock, index, ["http"]).versions()["http"] == "2.0.2"
    assert verify_lock(updated, index) == []


def test_update_of_an_unknown_package():
    index, lock = make_lock()
    with pytest.raises(LockError):
        update_lock(lock, index, ["nope"])


def test_update_with_constraints():
    index, lock = make_lock(make_release("log", "1.0.1"))
    assert lock.versions()["log"] == "1.0.1"
    assert update_lock(lock, index, constraints=["log <1.0.1"]).versions()["log"] == "1.0.0"


def test_diff():
    old = loads("# rangelock 1\npackage a 1.0.0+x\npackage b 1.5.0\npackage c 2.0.0\n")
    new = loads("# rangelock 1\npackage a 1.0.0+y\npackage c 1.9.0\npackage d 1.2.0\n")
    assert diff_locks(old, new) == (
        Change("rebuilt", "a", "1.0.0+x", "1.0.0+y"),
        Change("removed", "b", "1.5.0", ""),
        Change("downgraded", "c", "2.0.0", "1.9.0"),
        Change("added", "d", "", "1.2.0"),
    )


def test_verify():
    index, lock = make_lock()
    assert verify_lock(lock, index) == []
    other = PackageIndex(
        [
            make_release("app", "1.4.0+b7", checksum="sha256:bb"),
            make_release("http", "2.0.3+z"),
            make_release("log", "1.0.0"),
        ]
    )
    assert verify_lock(lock, other) == [
        "app 1.4.0+b7: checksum differs",
        "crypto 3.2.0: not in the index",
        "http 2.0.3: the index has 2.0.3+z",
    ]


def test_why():
    lock = make_lock()[1]
    assert why(lock, "app") == ("app",)
    assert why(lock, "log") == ("app", "log")
    assert why(lock, "crypto") == ("app", "crypto")
    with pytest.raises(LockError):
        why(lock, "nope")
