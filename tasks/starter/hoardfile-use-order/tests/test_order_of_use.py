import random

import pytest

from hoardfile import Hoard


@pytest.fixture
def clock():
    return [100]


@pytest.fixture
def reopen(tmp_path, clock):
    opened = []

    def reopen(**options):
        for hoard in opened:
            hoard.close()
        opened.append(Hoard(tmp_path / "store", clock=lambda: clock[0], **options))
        return opened[-1]

    yield reopen
    for hoard in opened:
        hoard.close()


def put(hoard, names, value=b"v"):
    for name in names.split():
        hoard.put(name.encode(), value)


def order(hoard, reopen):
    """The keys in the order in which they are evicted, found out by opening with smaller and smaller bounds."""
    found = []
    left = hoard.keys()
    while len(left) > 1:
        smaller = reopen(max_bytes=hoard.stats().payload_bytes - 1)
        found += [key for key in left if key not in smaller]
        hoard, left = smaller, smaller.keys()
    return b" ".join(found + left).decode()


def evicted_by(hoard, size):
    before = hoard.keys()
    hoard.put(b"~", b"x" * (size - 1))
    return b" ".join(key for key in before if key not in hoard).decode()


def scattered(reopen, **options):
    """Six keys in three segments; a and d have been overwritten since."""
    hoard = reopen(max_segment_bytes=70, **options)
    put(hoard, "a b c d e f d a")
    return hoard


def test_running_store(reopen):
    hoard = scattered(reopen, max_bytes=12)
    assert hoard.compact(0).segments == (1, 2)
    assert evicted_by(hoard, 4) == "b c"


def test_reads_before_a_compaction(reopen):
    hoard = scattered(reopen, max_bytes=12)
    hoard.get(b"b")
    hoard[b"e"]
    hoard.compact(0)
    assert evicted_by(hoard, 6) == "c d f"


def test_reads_after_a_compaction(reopen):
    hoard = scattered(reopen, max_bytes=12)
    hoard.compact(0)
    hoard.get(b"c")
    assert evicted_by(hoard, 4) == "b e"


def test_several_compactions(reopen):
    hoard = scattered(reopen, max_bytes=12)
    for _ in range(3):
        hoard.put(b"f", b"w")
        hoard.compact(0.2)
    assert evicted_by(hoard, 8) == "b c d e"


def test_opening_again(reopen):
    hoard = scattered(reopen)
    hoard.compact(0)
    assert order(hoard, reopen) == "b c e f d a"


def test_opening_again_after_some_segments(reopen):
    hoard = scattered(reopen)
    put(hoard, "g h i g c")
    assert hoard.compact(0.5).segments == (1, 2, 5)
    assert order(hoard, reopen) == "b e f d a h i g c"


def test_opening_again_after_several_compactions(reopen):
    hoard = scattered(reopen)
    hoard.compact(0)
    put(hoard, "b g")
    hoard.compact(0)
    put(hoard, "e")
    hoard = reopen()
    hoard.compact(0)
    assert order(hoard, reopen) == "c f d a b g e"


def test_deeper_in_the_batch(reopen):
    hoard = reopen(max_segment_bytes=100)
    with hoard.batch() as batch:
        for name in (b"z", b"m", b"a", b"k"):
            batch.put(name, b"v")
    put(hoard, "b z")
    hoard.compact(0)
    assert order(hoard, reopen) == "m a k b z"


def test_touch_and_value_are_moved(reopen):
    hoard = reopen(max_segment_bytes=500)
    put(hoard, "a b c d b")
    hoard.touch(b"a", 50)
    put(hoard, "c")
    assert hoard.compact(0).segments == (1,)
    assert reopen().ttl(b"a") == 50
    assert order(reopen(), reopen) == "d b a c"


def test_only_the_value_is_moved(reopen):
    hoard = reopen(max_segment_bytes=60)
    put(hoard, "a b")
    put(hoard, "b c", b"w")
    hoard.touch(b"a", 50)
    put(hoard, "d")
    assert hoard.compact(0.5).segments == (1,)
    assert reopen().ttl(b"a") == 50
    assert order(reopen(), reopen) == "b c a d"


def test_only_the_touch_is_moved(reopen):
    hoard = reopen(max_segment_bytes=60)
    put(hoard, "a b")
    hoard.touch(b"a", 50)
    put(hoard, "c")
    put(hoard, "d c")
    assert hoard.compact(0.3).segments == (2,)
    assert reopen().ttl(b"a") == 50
    assert order(reopen(), reopen) == "b a d c"


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_snapshot(reopen, tmp_path, name):
    hoard = scattered(reopen)
    hoard.get(b"c")
    hoard.export_to(tmp_path / "snapshot", name)
    with Hoard(tmp_path / "standby", max_bytes=6, clock=lambda: 100) as standby:
        assert standby.import_from(tmp_path / "snapshot") == 6
        assert standby.keys() == [b"a", b"c", b"d"]


def test_snapshot_after_a_compaction(reopen, tmp_path):
    hoard = scattered(reopen)
    hoard.touch(b"b", 900)
    hoard.compact(0)
    hoard.export_to(tmp_path / "snapshot")
    with Hoard(tmp_path / "standby", max_bytes=6, clock=lambda: 100) as standby:
        standby.import_from(tmp_path / "snapshot")
        assert standby.keys() == [b"a", b"b", b"d"]
        assert standby.ttl(b"b") == 900


@pytest.mark.parametrize("seed", range(6))
def test_many_changes(reopen, seed):
    rng = random.Random(seed)
    hoard = reopen(max_segment_bytes=rng.choice([80, 150, 300]))
    written = []
    for _ in range(60):
        key = b"%d" % rng.randrange(9)
        chance = rng.random()
        if chance < 0.5:
            hoard.put(key, b"v")
        elif chance < 0.7:
            if not hoard.touch(key, rng.choice([None, 1000])):
                continue
        elif chance < 0.8:
            hoard.delete(key)
        else:
            hoard.compact(rng.choice([0, 0.3, 0.6]))
            continue
        written = [other for other in written if other != key] + [key] * (chance < 0.7)
    assert order(hoard, reopen) == b" ".join(written).decode()


def test_order_without_a_compaction(reopen):
    hoard = scattered(reopen, max_bytes=12)
    hoard.touch(b"b")
    assert order(hoard, reopen) == "c e f d a b"


def test_what_is_no_use(reopen):
    hoard = scattered(reopen, max_bytes=12)
    assert b"b" in hoard
    assert hoard.ttl(b"b") is None
    assert hoard.count(b"b") == 1
    assert list(hoard.items(b"c")) == [(b"c", b"v")]
    assert evicted_by(hoard, 4) == "b c"


def test_export_is_no_use(reopen, tmp_path):
    hoard = scattered(reopen, max_bytes=12)
    assert hoard.export_to(tmp_path / "snapshot") == 6
    assert evicted_by(hoard, 4) == "b c"
    assert hoard.stats().hits == 0


def test_values_and_times_after_compactions(reopen, clock):
    hoard = scattered(reopen)
    hoard.touch(b"c", 40)
    hoard.put(b"g", b"long", ttl=20)
    hoard.compact(0)
    hoard.touch(b"g")
    hoard.compact(0)
    clock[0] += 30
    hoard = reopen()
    assert hoard.keys() == [b"a", b"b", b"c", b"d", b"e", b"f", b"g"]
    assert [hoard.ttl(key) for key in hoard.keys()] == [None, None, 10, None, None, None, None]
    assert hoard[b"g"] == b"long"


def test_changes_after_a_compaction_count(reopen):
    hoard = scattered(reopen)
    hoard.compact(0)
    hoard.put(b"b", b"later")
    hoard.delete(b"c")
    hoard = reopen()
    assert hoard[b"b"] == b"later"
    assert hoard.keys() == [b"a", b"b", b"d", b"e", b"f"]


def test_deleted_and_expired_keys_stay_away(reopen, clock):
    hoard = reopen(max_segment_bytes=120)
    put(hoard, "a b c", b"x" * 20)
    hoard.delete(b"a")
    hoard.touch(b"b", 5)
    put(hoard, "d")
    hoard.delete(b"d")
    clock[0] += 5
    assert hoard.compact(0.6).segments == (1, 2)
    assert reopen().keys() == [b"c"]


def test_deletion_that_is_still_needed(reopen):
    hoard = reopen(max_segment_bytes=120)
    put(hoard, "a b c", b"x" * 20)
    hoard.delete(b"a")
    put(hoard, "d")
    hoard.delete(b"d")
    assert hoard.compact(0.6).segments == (2,)
    assert reopen().keys() == [b"b", b"c"]


def test_snapshot_of_everything(reopen, tmp_path):
    hoard = scattered(reopen)
    hoard.touch(b"c", 7)
    assert hoard.export_to(tmp_path / "snapshot", "pack") == 6
    with Hoard(tmp_path / "other", clock=lambda: 102) as other:
        assert other.import_from(tmp_path / "snapshot") == 6
        assert list(other.items()) == [(key, b"v") for key in (b"a", b"b", b"c", b"d", b"e", b"f")]
        assert other.ttl(b"c") == 5
