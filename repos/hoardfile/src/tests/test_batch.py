import pytest

from hoardfile import InvalidKeyError


def test_changes_come_at_the_end(hoard):
    hoard.put(b"a", b"1")
    with hoard.batch() as batch:
        batch.put(b"b", b"2")
        batch.delete(b"a")
        assert hoard.keys() == [b"a"]
        assert len(batch) == 2
    assert hoard.keys() == [b"b"]


def test_error_discards(hoard):
    with pytest.raises(InvalidKeyError):
        with hoard.batch() as batch:
            batch.put(b"a", b"1")
            batch.put(b"", b"2")
    assert hoard.keys() == []


def test_last_change_counts(open_hoard):
    hoard = open_hoard()
    hoard.put(b"c", b"0")
    with hoard.batch() as batch:
        batch.put(b"a", b"1")
        batch.put(b"a", b"2", ttl=10)
        batch.put(b"b", b"1")
        batch.delete(b"b")
        batch.delete(b"c")
        batch.put(b"c", b"1")
    assert list(open_hoard().items()) == [(b"a", b"2"), (b"c", b"1")]


def test_empty_batch_writes_nothing(hoard, segments):
    with hoard.batch() as batch:
        batch.delete(b"missing")
    assert segments() == []


def test_batch_is_never_divided(open_hoard, segments):
    hoard = open_hoard(max_segment_bytes=60)
    with hoard.batch() as batch:
        for number in range(10):
            batch.put(b"%d" % number, b"value")
    assert segments() == ["00000001.seg"]
    hoard.put(b"next", b"")
    assert segments() == ["00000001.seg", "00000002.seg"]
    assert open_hoard().count() == 11


@pytest.mark.parametrize("missing", [1, 30, 60, 90])
def test_torn_batch_is_not_there(open_hoard, folder, missing):
    hoard = open_hoard()
    hoard.put(b"a", b"1")
    size = (folder / "00000001.seg").stat().st_size
    with hoard.batch() as batch:
        batch.put(b"b", b"2")
        batch.put(b"c", b"3")
        batch.delete(b"a")
        batch.put(b"d", b"4")
    hoard.close()
    data = (folder / "00000001.seg").read_bytes()
    (folder / "00000001.seg").write_bytes(data[:-missing])
    hoard = open_hoard()
    assert list(hoard.items()) == [(b"a", b"1")]
    assert hoard.stats().cut_bytes == len(data) - missing - size
    assert (folder / "00000001.seg").stat().st_size == size
