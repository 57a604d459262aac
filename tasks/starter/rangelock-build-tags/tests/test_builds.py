from __future__ import annotations

import pytest

from rangelock import (
    ConflictError,
    PackageIndex,
    Version,
    VersionPool,
    diff_locks,
    dumps,
    loads,
    lock_from_resolution,
    make_release,
    resolve,
    update_lock,
    verify_lock,
)

TEXT = """\
# rangelock 1
root viewer *

package codec 2.1.0+avx2
package fonts 2.1.0+noarch.4
package images 2.1.0
package viewer 1.3.0
  requires codec ^2
  requires fonts *
  requires images 2.x
"""


def make_index():
    return PackageIndex(
        [
            make_release("codec", "2.1.0+avx2"),
            make_release("viewer", "1.3.0", ["codec ^2", "fonts", "images 2.x"]),
            make_release("images", "2.1.0"),
            make_release("fonts", "2.1.0+noarch.4"),
        ]
    )


def test_index_keeps_each_build():
    index = make_index()
    assert [str(index.releases(name)[0]) for name in index.names()] == [
        "codec 2.1.0+avx2",
        "fonts 2.1.0+noarch.4",
        "images 2.1.0",
        "viewer 1.3.0",
    ]


def test_plain_version_first():
    index = PackageIndex([make_release("a", "1.0.0"), make_release("b", "1.0.0+x")])
    assert str(index.get("b", "1.0.0").version) == "1.0.0+x"
    assert str(index.get("a", "1.0.0+x").version) == "1.0.0"


def test_build_of_prereleases():
    index = PackageIndex([make_release("a", "1.0.0-rc.1+x"), make_release("b", "1.0.0-rc.1+y.2")])
    assert str(index.get("b", "1.0.0-rc.1").version) == "1.0.0-rc.1+y.2"


def test_yank_keeps_the_build():
    index = make_index()
    index.yank("fonts", "2.1.0")
    assert str(index.get("fonts", "2.1.0")) == "fonts 2.1.0+noarch.4"


def test_resolution_versions():
    assert resolve(["viewer"], make_index()).versions() == {
        "codec": "2.1.0+avx2",
        "fonts": "2.1.0+noarch.4",
        "images": "2.1.0",
        "viewer": "1.3.0",
    }


def test_written_lock():
    assert dumps(lock_from_resolution(resolve(["viewer"], make_index()))) == TEXT


def test_read_lock():
    assert dumps(loads(TEXT)) == TEXT
    assert loads(TEXT).versions()["fonts"] == "2.1.0+noarch.4"


def test_lock_read_back_verifies():
    assert verify_lock(loads(TEXT), make_index()) == []
    other = PackageIndex(
        [
            make_release("fonts", "2.1.0+noarch.4"),
            make_release("images", "2.1.0"),
            make_release("codec", "2.1.0+avx2"),
            make_release("viewer", "1.3.0"),
        ]
    )
    assert verify_lock(loads(TEXT), other) == []


def test_no_change_between_written_and_read():
    lock = lock_from_resolution(resolve(["viewer"], make_index()))
    assert str(diff_locks(lock, loads(TEXT))) == "()"
    assert loads(TEXT).get("images").version.build == ()


def test_update_keeps_the_builds():
    index = make_index()
    index.add(make_release("codec", "2.2.0+sse"))
    updated = update_lock(loads(TEXT), index, ["codec"])
    assert updated.versions() == {
        "codec": "2.2.0+sse",
        "fonts": "2.1.0+noarch.4",
        "images": "2.1.0",
        "viewer": "1.3.0",
    }


def test_explanations_name_the_release():
    index = PackageIndex([make_release("a", "1.0.0+x"), make_release("b", "1.0.0+y", ["a ^2"])])
    with pytest.raises(ConflictError) as caught:
        resolve(["a", "b"], index)
    assert str(caught.value) == (
        "no release of b fits:\n  b * (root)\n"
        "  b 1.0.0+y: a ^2 (b 1.0.0+y) clashes with the chosen a 1.0.0+x"
    )


def test_pool_keeps_the_spelling():
    pool = VersionPool()
    texts = ["1.2.3+a", "1.2.3", "1.2.3+a.1", "1.2.3+a"]
    assert [str(pool.parse(text)) for text in texts] == texts
    assert str(pool.intern(Version.parse("1.2.3+b"))) == "1.2.3+b"
