import pytest

from hoardfile import ArgumentError, InvalidKeyError


@pytest.fixture
def tree(hoard):
    for key in (b"b", b"a/2", b"a", b"a/1", b"a/10", b"ab", b"B"):
        hoard.put(key, key.upper())
    return hoard


def test_all_keys_in_order(tree):
    assert tree.keys() == [b"B", b"a", b"a/1", b"a/10", b"a/2", b"ab", b"b"]


def test_prefix(tree):
    assert tree.keys(b"a/") == [b"a/1", b"a/10", b"a/2"]
    assert tree.keys(b"a/1") == [b"a/1", b"a/10"]
    assert tree.keys(b"c") == []


def test_binary_prefix(hoard):
    for key in (b"\x01", b"\x01\xff", b"\x01\xff\x00", b"\x01\xff\xff", b"\x02", b"\xff", b"\xff\xff\x01"):
        hoard.put(key, b"")
    assert hoard.keys(b"\x01") == [b"\x01", b"\x01\xff", b"\x01\xff\x00", b"\x01\xff\xff"]
    assert hoard.keys(b"\x01\xff") == [b"\x01\xff", b"\x01\xff\x00", b"\x01\xff\xff"]
    assert hoard.keys(b"\xff") == [b"\xff", b"\xff\xff\x01"]


def test_after(tree):
    assert tree.keys(after=b"a/10") == [b"a/2", b"ab", b"b"]
    assert tree.keys(b"a/", after=b"a/1") == [b"a/10", b"a/2"]
    assert tree.keys(b"a/", after=b"B") == [b"a/1", b"a/10", b"a/2"]
    assert tree.keys(b"a/", after=b"b") == []


def test_limit(tree):
    assert tree.keys(limit=2) == [b"B", b"a"]
    assert tree.keys(b"a/", after=b"a/1", limit=1) == [b"a/10"]
    assert tree.keys(limit=0) == []
    with pytest.raises(ArgumentError):
        tree.keys(limit=-1)


@pytest.mark.parametrize("prefix", ["a", None, bytearray(b"a")])
def test_prefix_must_be_bytes(hoard, prefix):
    for call in (lambda: hoard.keys(prefix), lambda: hoard.count(prefix), lambda: hoard.delete_prefix(prefix)):
        with pytest.raises(InvalidKeyError):
            call()


def test_count(tree):
    assert tree.count() == 7
    assert tree.count(b"a/") == 3


def test_items(tree):
    assert list(tree.items(b"a/")) == [(b"a/1", b"A/1"), (b"a/10", b"A/10"), (b"a/2", b"A/2")]


def test_items_while_the_store_changes(tree):
    seen = []
    for key, value in tree.items(b"a/"):
        seen.append((key, value))
        tree.delete(b"a/10")
        tree.put(b"a/2", b"new")
        tree.put(b"a/3", b"too late")
        tree.compact(0)
    assert seen == [(b"a/1", b"A/1"), (b"a/2", b"new")]


def test_delete_prefix(open_hoard, tree):
    assert tree.delete_prefix(b"a/") == 3
    assert tree.delete_prefix(b"a/") == 0
    assert open_hoard().keys() == [b"B", b"a", b"ab", b"b"]
