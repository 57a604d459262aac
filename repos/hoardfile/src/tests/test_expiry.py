import pytest

from hoardfile import InvalidTTLError, MissingKeyError


def test_gone_at_the_very_moment(hoard, clock):
    hoard.put(b"a", b"1", ttl=10)
    clock.advance(9.999)
    assert hoard.get(b"a") == b"1"
    clock.advance(0.001)
    assert hoard.get(b"a") is None


def test_gone_for_every_method(hoard, clock):
    hoard.put(b"a", b"1", ttl=10)
    hoard.put(b"b", b"2")
    clock.advance(10)
    assert b"a" not in hoard
    assert len(hoard) == 1
    assert hoard.keys() == [b"b"]
    assert hoard.count() == 1
    assert list(hoard.items()) == [(b"b", b"2")]
    assert hoard.delete(b"a") is False
    with pytest.raises(MissingKeyError):
        hoard.ttl(b"a")


def test_gone_after_opening_again(open_hoard, clock):
    hoard = open_hoard()
    hoard.put(b"a", b"old")
    hoard.put(b"a", b"new", ttl=10)
    clock.advance(10)
    hoard = open_hoard()
    assert hoard.get(b"a") is None
    assert hoard.stats().expirations == 0


def test_time_goes_on_while_closed(open_hoard, clock):
    open_hoard().put(b"a", b"1", ttl=10)
    clock.advance(4)
    assert open_hoard().ttl(b"a") == 6


def test_ttl(hoard, clock):
    hoard.put(b"a", b"1", ttl=10)
    hoard.put(b"b", b"1")
    clock.advance(2.5)
    assert hoard.ttl(b"a") == 7.5
    assert hoard.ttl(b"b") is None
    with pytest.raises(MissingKeyError):
        hoard.ttl(b"c")


def test_put_sets_the_time_anew(hoard, clock):
    hoard.put(b"a", b"1", ttl=10)
    hoard.put(b"a", b"2")
    hoard.put(b"b", b"1", ttl=10)
    hoard.put(b"b", b"2", ttl=20)
    clock.advance(10)
    assert hoard[b"a"] == b"2"
    assert hoard.ttl(b"b") == 10


def test_touch(open_hoard, clock):
    hoard = open_hoard()
    hoard.put(b"a", b"1", ttl=10)
    clock.advance(6)
    assert hoard.touch(b"a", 10) is True
    clock.advance(6)
    assert hoard.ttl(b"a") == 4
    assert open_hoard().ttl(b"a") == 4


def test_touch_for_ever(hoard, clock):
    hoard.put(b"a", b"1", ttl=10)
    assert hoard.touch(b"a") is True
    clock.advance(100)
    assert hoard[b"a"] == b"1"
    assert hoard.ttl(b"a") is None


def test_touch_does_not_revive(hoard, clock):
    hoard.put(b"a", b"1", ttl=10)
    clock.advance(10)
    assert hoard.touch(b"a", 10) is False
    assert hoard.touch(b"b", 10) is False
    assert hoard.keys() == []


def test_touch_writes_no_value(hoard, folder):
    hoard.put(b"a", b"v" * 1000)
    before = (folder / "00000001.seg").stat().st_size
    hoard.touch(b"a", 5)
    assert (folder / "00000001.seg").stat().st_size == before + 28


@pytest.mark.parametrize("ttl", [0, -1, float("inf"), float("nan"), "10", True])
def test_invalid_ttl(hoard, ttl):
    hoard.put(b"a", b"1")
    for call in (lambda: hoard.put(b"a", b"2", ttl), lambda: hoard.touch(b"a", ttl)):
        with pytest.raises(InvalidTTLError):
            call()
    assert hoard[b"a"] == b"1"
    assert hoard.ttl(b"a") is None


def test_sweep(hoard, clock):
    hoard.put(b"a", b"1", ttl=5)
    hoard.put(b"b", b"1", ttl=5)
    hoard.put(b"c", b"1", ttl=6)
    hoard.touch(b"b", 7)
    assert hoard.sweep() == 0
    clock.advance(6)
    assert hoard.sweep() == 2
    assert hoard.sweep() == 0
    assert hoard.stats().expirations == 2
    assert hoard.keys() == [b"b"]
