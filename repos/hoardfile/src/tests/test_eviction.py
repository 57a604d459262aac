import pytest

from hoardfile import ArgumentError, EntryTooLargeError


def fill(hoard, *keys):
    for key in keys:
        hoard.put(key, b"x" * 9)


def test_least_recently_used_goes(open_hoard):
    hoard = open_hoard(max_bytes=30)
    fill(hoard, b"a", b"b", b"c")
    hoard.get(b"a")
    fill(hoard, b"d")
    assert hoard.keys() == [b"a", b"c", b"d"]
    assert hoard.stats().evictions == 1
    assert hoard.stats().deletions == 0


def test_as_many_as_necessary(open_hoard):
    hoard = open_hoard(max_bytes=30)
    fill(hoard, b"a", b"b", b"c")
    hoard.put(b"d", b"x" * 19)
    assert hoard.keys() == [b"c", b"d"]
    assert hoard.stats().payload_bytes == 30


def test_what_counts_as_a_use(open_hoard):
    hoard = open_hoard(max_bytes=40)
    fill(hoard, b"a", b"b", b"c", b"d")
    hoard.touch(b"a")
    hoard[b"b"]
    assert b"c" in hoard
    hoard.ttl(b"c")
    hoard.keys()
    list(hoard.items())
    fill(hoard, b"e")
    assert hoard.keys() == [b"a", b"b", b"d", b"e"]


def test_smaller_value_makes_room(open_hoard):
    hoard = open_hoard(max_bytes=20)
    fill(hoard, b"a", b"b")
    hoard.put(b"a", b"")
    hoard.put(b"c", b"x" * 8)
    assert hoard.keys() == [b"a", b"b", b"c"]


def test_expired_keys_make_room(open_hoard, clock):
    hoard = open_hoard(max_bytes=20)
    hoard.put(b"a", b"x" * 9)
    hoard.put(b"b", b"x" * 9, ttl=5)
    clock.advance(5)
    fill(hoard, b"c")
    assert hoard.keys() == [b"a", b"c"]
    assert hoard.stats().evictions == 0


def test_evicted_keys_stay_away(open_hoard):
    hoard = open_hoard(max_bytes=20)
    fill(hoard, b"a", b"b", b"c")
    assert open_hoard().keys() == [b"b", b"c"]


def test_smaller_bound_when_opened_again(open_hoard):
    hoard = open_hoard()
    fill(hoard, b"a", b"b", b"c")
    hoard.touch(b"a")
    assert open_hoard(max_bytes=20).keys() == [b"a", b"c"]
    assert open_hoard().keys() == [b"a", b"c"]


def test_order_after_opening_again(open_hoard):
    hoard = open_hoard(max_bytes=40)
    fill(hoard, b"a", b"b", b"c", b"d")
    fill(hoard, b"a")
    hoard.touch(b"b")
    hoard = open_hoard(max_bytes=40)
    fill(hoard, b"e", b"f")
    assert hoard.keys() == [b"a", b"b", b"e", b"f"]


def test_order_after_compaction(open_hoard):
    hoard = open_hoard(max_bytes=50, max_segment_bytes=70)
    fill(hoard, b"a", b"b", b"c", b"d")
    hoard.touch(b"a", 1000)
    fill(hoard, b"e", b"d")
    hoard.compact(0)
    fill(hoard, b"f")
    assert hoard.keys() == [b"a", b"c", b"d", b"e", b"f"]
    hoard = open_hoard(max_bytes=50, max_segment_bytes=70)
    fill(hoard, b"g")
    assert hoard.keys() == [b"a", b"d", b"e", b"f", b"g"]
    assert hoard.ttl(b"a") == 1000


def test_batch_evicts_once(open_hoard):
    hoard = open_hoard(max_bytes=30)
    fill(hoard, b"a", b"b")
    with hoard.batch() as batch:
        batch.put(b"c", b"x" * 9)
        batch.put(b"d", b"x" * 9)
        batch.delete(b"b")
    assert hoard.keys() == [b"a", b"c", b"d"]


def test_entry_that_can_never_fit(open_hoard):
    hoard = open_hoard(max_bytes=10)
    hoard.put(b"a", b"x" * 9)
    with pytest.raises(EntryTooLargeError) as caught:
        hoard.put(b"b", b"x" * 10)
    assert (caught.value.size, caught.value.max_bytes) == (11, 10)
    assert hoard.keys() == [b"a"]


def test_bound_must_be_positive(open_hoard, folder):
    with pytest.raises(ArgumentError):
        open_hoard(max_bytes=0)
    assert not folder.exists()
