import pytest

from hoardfile import (
    ArgumentError, ClosedError, Hoard, HoardError, InvalidKeyError, InvalidValueError, MissingKeyError, ReadOnlyError,
)


def test_put_and_get(hoard):
    hoard.put(b"a", b"1")
    hoard[b"b"] = b""
    assert hoard.get(b"a") == b"1"
    assert hoard[b"b"] == b""
    assert len(hoard) == 2


def test_missing_key(hoard):
    assert hoard.get(b"a") is None
    assert hoard.get(b"a", b"default") == b"default"
    with pytest.raises(MissingKeyError) as caught:
        hoard[b"a"]
    assert caught.value.key == b"a"
    assert isinstance(caught.value, KeyError)


def test_overwriting(hoard):
    hoard.put(b"a", b"1")
    hoard.put(b"a", b"22")
    assert hoard[b"a"] == b"22"
    assert len(hoard) == 1


def test_delete(hoard):
    hoard.put(b"a", b"1")
    assert hoard.delete(b"a") is True
    assert hoard.delete(b"a") is False
    assert b"a" not in hoard


def test_del_statement(hoard):
    hoard.put(b"a", b"1")
    del hoard[b"a"]
    with pytest.raises(MissingKeyError):
        del hoard[b"a"]


def test_everything_is_there_after_opening_again(open_hoard):
    hoard = open_hoard()
    hoard.put(b"a", b"1")
    hoard.put(b"b", b"2")
    hoard.put(b"a", b"3")
    hoard.delete(b"b")
    assert list(open_hoard().items()) == [(b"a", b"3")]


@pytest.mark.parametrize("key", [b"", b"k" * 65536, "text", None, bytearray(b"k")])
def test_invalid_keys(hoard, key):
    with pytest.raises(InvalidKeyError):
        hoard.put(key, b"")
    with pytest.raises(InvalidKeyError):
        hoard.get(key)


def test_longest_key(open_hoard):
    open_hoard().put(b"k" * 65535, b"v")
    assert open_hoard()[b"k" * 65535] == b"v"


def test_invalid_value(hoard):
    with pytest.raises(InvalidValueError):
        hoard.put(b"a", "text")
    assert len(hoard) == 0


def test_any_bytes(open_hoard):
    value = bytes(range(256))
    open_hoard().put(b"\x00\xff\n", value)
    assert open_hoard()[b"\x00\xff\n"] == value


def test_closed(hoard):
    hoard.close()
    hoard.close()
    for call in (lambda: hoard.get(b"a"), lambda: hoard.put(b"a", b""), hoard.keys, hoard.stats, hoard.compact):
        with pytest.raises(ClosedError):
            call()


def test_context_manager(folder):
    with Hoard(folder) as hoard:
        hoard.put(b"a", b"1")
    with pytest.raises(ClosedError):
        hoard.get(b"a")


def test_read_only(open_hoard, folder):
    open_hoard().put(b"a", b"1")
    before = (folder / "00000001.seg").read_bytes()
    with Hoard(folder, read_only=True) as reader:
        assert reader[b"a"] == b"1"
        for call in (lambda: reader.put(b"a", b""), lambda: reader.delete(b"a"), reader.compact, reader.batch):
            with pytest.raises(ReadOnlyError):
                call()
    assert (folder / "00000001.seg").read_bytes() == before


def test_sync(hoard):
    hoard.sync()
    hoard.put(b"a", b"1")
    hoard.sync()
    assert hoard[b"a"] == b"1"


def test_arguments_are_value_errors():
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(ArgumentError, HoardError)
