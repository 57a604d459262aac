import pytest

from hoardfile import ArgumentError, Compaction


def content(hoard):
    return dict(hoard.items())


def test_nothing_to_do(hoard, segments):
    hoard.put(b"a", b"1")
    assert hoard.compact(0) == Compaction()
    assert segments() == ["00000001.seg"]
    assert hoard.stats().compactions == 0


def test_one_segment_takes_the_place_of_others(open_hoard, segments):
    hoard = open_hoard(max_segment_bytes=60)
    for key in (b"a", b"b", b"a", b"c", b"c", b"d"):
        hoard.put(key, b"value of " + key)
    assert segments() == ["00000001.seg", "00000002.seg", "00000003.seg"]
    done = hoard.compact(0)
    assert done.segments == (1, 2)
    assert done.saved_bytes == 2 * 38
    assert segments() == ["00000003.seg", "00000004.seg"]
    assert content(hoard) == {key: b"value of " + key for key in (b"a", b"b", b"c", b"d")}
    assert content(open_hoard()) == {key: b"value of " + key for key in (b"a", b"b", b"c", b"d")}


def test_share_of_dead_bytes(open_hoard, opener):
    hoard = open_hoard(max_segment_bytes=100, opener=opener)
    for key in (b"a", b"b", b"c", b"d", b"e", b"a", b"b", b"d", b"f", b"g"):
        hoard.put(key, b"x" * 12)
    opener.opened.clear()
    assert hoard.compact(0.5).segments == (1,)
    assert opener.opened == [("00000001.seg", "rb"), ("00000005.seg.tmp", "wb")]
    assert hoard.compact(0.34).segments == ()
    assert hoard.compact(0.33).segments == (2,)


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_share_that_is_none(hoard, share):
    with pytest.raises(ArgumentError):
        hoard.compact(share)


def test_deleted_keys_stay_away(open_hoard):
    hoard = open_hoard(max_segment_bytes=120)
    for key in (b"a", b"b", b"c"):
        hoard.put(key, b"x" * 20)
    hoard.delete(b"a")
    hoard.put(b"d", b"")
    hoard.delete(b"d")
    assert hoard.compact(0.6).segments == (2,)
    hoard = open_hoard()
    assert hoard.keys() == [b"b", b"c"]
    assert hoard.compact(0).segments == (1, 3)
    assert hoard.stats().dead_bytes == 0
    assert open_hoard().keys() == [b"b", b"c"]


def test_expired_keys_stay_away(open_hoard, clock):
    hoard = open_hoard(max_segment_bytes=120)
    for key in (b"a", b"b", b"c"):
        hoard.put(key, b"x" * 20)
    hoard.put(b"a", b"short", ttl=5)
    hoard.touch(b"b", 5)
    clock.advance(5)
    assert hoard.compact(0.7).segments == (2,)
    assert open_hoard().keys() == [b"c"]


def test_touches_stay_in_force(open_hoard):
    hoard = open_hoard(max_segment_bytes=120)
    for key in (b"a", b"b", b"c"):
        hoard.put(key, b"x" * 20, ttl=100)
    hoard.touch(b"a", 200)
    hoard.touch(b"b")
    hoard.put(b"d", b"x")
    hoard.delete(b"d")
    assert hoard.compact(0.5).segments == (2,)
    hoard = open_hoard()
    assert [hoard.ttl(key) for key in hoard.keys()] == [200, None, 100]
    hoard.delete(b"c")
    assert hoard.compact(0).segments == (1, 3)
    hoard = open_hoard()
    assert [hoard.ttl(key) for key in hoard.keys()] == [200, None]
    assert hoard.stats().dead_bytes == 0


def test_members_of_a_batch(open_hoard, folder):
    hoard = open_hoard()
    with hoard.batch() as batch:
        batch.put(b"a", b"1")
        batch.put(b"b", b"2")
    hoard.delete(b"b")
    hoard.compact(0)
    hoard.put(b"c", b"3")
    hoard = open_hoard()
    assert content(hoard) == {b"a": b"1", b"c": b"3"}
    assert hoard.stats().cut_bytes == 0


def test_everything_is_dead(open_hoard, folder, segments):
    hoard = open_hoard()
    hoard.put(b"a", b"1")
    hoard.delete(b"a")
    done = hoard.compact()
    assert (done.segments, done.bytes_after) == ((1,), 0)
    assert segments() == ["00000002.seg"]
    assert (folder / "00000002.seg").stat().st_size == 16
    hoard.put(b"b", b"2")
    assert content(open_hoard()) == {b"b": b"2"}


def test_dead_bytes_are_the_same_after_opening_again(open_hoard, clock):
    hoard = open_hoard(max_segment_bytes=100)
    for number in range(20):
        hoard.put(b"%d" % (number % 7), b"x" * number, ttl=None if number % 3 else number + 1)
        hoard.touch(b"%d" % (number % 5), 50)
    hoard.delete(b"2")
    clock.advance(15)
    hoard.compact(0.6)
    before = hoard.stats()
    after = open_hoard(max_segment_bytes=100).stats()
    assert (before.dead_bytes, before.payload_bytes, before.disk_bytes) == (
        after.dead_bytes, after.payload_bytes, after.disk_bytes)
