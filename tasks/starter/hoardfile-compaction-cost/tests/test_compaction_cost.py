import os
import random
import struct

import pytest

from hoardfile import ArgumentError, Compaction, Hoard


class CountedFile:
    def __init__(self, file, counts):
        self._file = file
        self._counts = counts

    def read(self, *size):
        data = self._file.read(*size)
        self._counts["read"] += len(data)
        return data

    def write(self, data):
        self._counts["written"] += len(data)
        return self._file.write(data)

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self._file.close()

    def __getattr__(self, name):
        return getattr(self._file, name)


class Opener:
    def __init__(self):
        self.counts = {"read": 0, "written": 0}
        self.read_from = []

    def __call__(self, path, mode):
        if mode == "rb":
            self.read_from.append(int(os.path.basename(path)[:8]))
        return CountedFile(open(path, mode), self.counts)

    def reset(self):
        self.counts.update(read=0, written=0)
        self.read_from.clear()


@pytest.fixture
def clock():
    return [50]


@pytest.fixture
def opener():
    return Opener()


@pytest.fixture
def reopen(tmp_path, clock, opener):
    opened = []

    def reopen(**options):
        for hoard in opened:
            hoard.close()
        opened.append(Hoard(tmp_path / "store", clock=lambda: clock[0], opener=opener, **options))
        opener.reset()
        return opened[-1]

    yield reopen
    for hoard in opened:
        hoard.close()


def fill(hoard, names, size=20, ttl=None):
    for name in names.split():
        hoard.put(name.encode(), b"x" * size, ttl)


def files(tmp_path):
    return {int(path.stem): path.read_bytes() for path in (tmp_path / "store").glob("*.seg")}


def keys(hoard):
    return b" ".join(hoard.keys()).decode()


def three_segments(reopen, **options):
    """Segments of three records of 48 bytes: 1 has one dead, 2 two, 3 none."""
    hoard = reopen(max_segment_bytes=150, **options)
    fill(hoard, "a b c d e f a d e")
    return hoard


def test_segments_with_enough_dead(reopen, tmp_path):
    hoard = three_segments(reopen)
    before = files(tmp_path)
    assert hoard.compact(0.5) == Compaction((2,), 144, 48)
    after = files(tmp_path)
    assert sorted(after) == [1, 3, 4]
    assert (after[1], after[3]) == (before[1], before[3])
    assert keys(hoard) == "a b c d e f"


def test_share_is_reached_exactly(reopen):
    hoard = reopen(max_segment_bytes=180)
    fill(hoard, "a b c d e f g h a c f")
    assert hoard.compact(0.51) == Compaction()
    assert hoard.compact(0.5).segments == (1,)
    assert hoard.compact(0.25).segments == (2,)


def test_whole_segments_stay_with_a_share_of_zero(reopen, tmp_path):
    hoard = three_segments(reopen)
    before = files(tmp_path)
    assert hoard.compact(0).segments == (1, 2)
    assert files(tmp_path)[3] == before[3]
    assert hoard.stats().dead_bytes == 0


def test_share_of_one(reopen):
    hoard = three_segments(reopen)
    fill(hoard, "f x")
    assert hoard.compact(1) == Compaction((2,), 144, 0)
    assert keys(reopen()) == "a b c d e f x"


def test_only_what_is_rewritten_is_opened(reopen, opener):
    hoard = three_segments(reopen)
    hoard.get(b"a")
    opener.reset()
    hoard.compact(0.5)
    assert set(opener.read_from) <= {2}


def test_new_segment_names_those_that_it_replaces(reopen, tmp_path):
    hoard = three_segments(reopen)
    hoard.compact(0.5)
    assert files(tmp_path)[4][6:12] == struct.pack(">HI", 1, 2)
    hoard.delete(b"b")
    hoard.compact(0.6)
    assert files(tmp_path)[5][6:12] == struct.pack(">HI", 1, 1)


def test_bytes_read_and_written(reopen, opener, tmp_path):
    hoard = reopen(max_segment_bytes=1000)
    for number in range(200):
        hoard.put(b"%03d" % number, b"x" * 70)
    for number in range(100, 109):
        hoard.delete(b"%03d" % number)
    fill(hoard, "new1 new2 new3", size=70)
    sizes = {number: len(data) for number, data in files(tmp_path).items()}
    opener.reset()
    done = hoard.compact(0.8)
    assert done.segments == (11,)
    assert opener.counts["read"] <= sizes[11]
    assert opener.counts["written"] <= done.bytes_after + 16
    assert done.bytes_after <= 100 + 9 * 30
    assert hoard.stats().segments == 21


def test_cost_does_not_depend_on_the_rest(reopen, opener):
    spent = []
    for more in (10, 100):
        hoard = reopen(max_segment_bytes=500)
        for number in range(more):
            hoard.put(b"n%d" % number, b"x" * 100)
        hoard.compact(0)
        for _ in range(12):
            hoard.put(b"busy", b"y" * 100)
        opener.reset()
        assert hoard.compact(0.9).bytes_after == 0
        spent.append(opener.counts["read"])
        hoard.delete_prefix(b"")
    assert max(spent) <= 4 * (500 + 131 + 16)


def test_nothing_is_read_if_there_is_nothing_to_do(reopen, opener):
    hoard = three_segments(reopen)
    fill(hoard, "g h")
    opener.reset()
    assert hoard.compact(0.7) == Compaction()
    assert opener.counts == {"read": 0, "written": 0}
    hoard.delete(b"h")
    assert hoard.compact(0.55).segments == (2, 4)


def test_deleted_key_stays_away(reopen):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c")
    hoard.delete(b"a")
    fill(hoard, "d")
    fill(hoard, "d", size=60)
    assert hoard.compact(0.4).segments == (2,)
    hoard = reopen()
    assert keys(hoard) == "b c d"
    assert hoard.compact(0).segments == (1, 3)
    assert hoard.stats().dead_bytes == 0
    assert keys(reopen()) == "b c d"


def test_deletion_is_moved_more_than_once(reopen):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c")
    hoard.delete(b"a")
    for _ in range(3):
        fill(hoard, "d d d d")
        assert 1 not in hoard.compact(0.5).segments
        hoard = reopen(max_segment_bytes=150)
    assert keys(hoard) == "b c d"
    hoard.put(b"a", b"back")
    assert hoard.compact(0.3).segments[0] == 1
    hoard = reopen()
    assert hoard[b"a"] == b"back"
    assert keys(hoard) == "a b c d"


def test_evicted_key_stays_away(reopen):
    hoard = reopen(max_segment_bytes=150, max_bytes=84)
    fill(hoard, "a b c d e")
    fill(hoard, "e e")
    assert keys(hoard) == "b c d e"
    assert 1 not in hoard.compact(0.5).segments
    assert keys(reopen()) == "b c d e"


def test_expired_value_uncovers_no_older_one(reopen, clock):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c")
    fill(hoard, "a", ttl=9)
    fill(hoard, "d d d")
    clock[0] += 9
    done = hoard.compact(0.5)
    assert done.segments == (2,)
    assert done.bytes_after <= 28
    assert keys(reopen()) == "b c d"


def test_expired_touch_uncovers_no_longer_life(reopen, clock):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c")
    hoard.touch(b"b", 9)
    fill(hoard, "d d")
    fill(hoard, "d")
    clock[0] += 9
    assert hoard.compact(0.5).segments == (2,)
    assert keys(reopen()) == "a c d"


def test_touch_of_a_value_elsewhere(reopen):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c", ttl=10)
    hoard.touch(b"a", 70)
    hoard.touch(b"b")
    fill(hoard, "d d d")
    assert hoard.compact(0.3).segments == (2,)
    hoard = reopen()
    assert [hoard.ttl(key) for key in (b"a", b"b", b"c", b"d")] == [70, None, 10, None]


def test_batches(reopen):
    hoard = reopen(max_segment_bytes=150)
    with hoard.batch() as batch:
        for name in (b"a", b"b", b"c", b"d"):
            batch.put(name, b"x" * 20)
    fill(hoard, "b d e f")
    assert hoard.compact(0.5).segments == (1,)
    hoard = reopen()
    assert keys(hoard) == "a b c d e f"
    assert hoard.stats().cut_bytes == 0


@pytest.mark.parametrize("seed", range(5))
def test_content_after_many_changes(reopen, clock, seed):
    rng = random.Random(seed)
    hoard = reopen(max_segment_bytes=180)
    expected = {}
    for step in range(100):
        key = b"%d" % rng.randrange(10)
        expected = {k: (value, end) for k, (value, end) in expected.items() if end is None or end > clock[0]}
        chance = rng.random()
        ttl = rng.choice([None, None, 3, 8])
        end = None if ttl is None else clock[0] + ttl
        if chance < 0.4:
            value = b"%d" % step * rng.randrange(8)
            hoard.put(key, value, ttl)
            expected[key] = (value, end)
        elif chance < 0.55:
            assert hoard.touch(key, ttl) == (key in expected)
            if key in expected:
                expected[key] = (expected[key][0], end)
        elif chance < 0.7:
            assert hoard.delete(key) == (key in expected)
            expected.pop(key, None)
        elif chance < 0.8:
            clock[0] += 1
        elif chance < 0.93:
            hoard.compact(rng.choice([0, 0.2, 0.4, 0.6, 0.9]))
        else:
            hoard = reopen(max_segment_bytes=180)
    hoard = reopen(max_segment_bytes=180)
    expected = {k: (value, end) for k, (value, end) in expected.items() if end is None or end > clock[0]}
    assert dict(hoard.items()) == {key: value for key, (value, _) in expected.items()}
    assert {key: hoard.ttl(key) for key in expected} == {
        key: None if end is None else end - clock[0] for key, (_, end) in expected.items()
    }
    hoard.compact(0)
    assert hoard.stats().dead_bytes == 0
    assert reopen().stats().dead_bytes == 0


@pytest.mark.parametrize("share", [-0.01, 1.01, 7])
def test_share_that_is_none(reopen, share):
    with pytest.raises(ArgumentError):
        three_segments(reopen).compact(share)


def test_nothing_dead(reopen, tmp_path):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c d e")
    before = files(tmp_path)
    assert hoard.compact(0) == Compaction()
    assert files(tmp_path) == before
    assert hoard.stats().compactions == 0


def test_one_segment_only(reopen, tmp_path):
    hoard = reopen()
    fill(hoard, "a b a c")
    hoard.delete(b"c")
    assert hoard.compact(0.4) == Compaction((1,), 4 * 48 + 28, 96)
    assert sorted(files(tmp_path)) == [2]
    assert keys(reopen()) == "a b"


def test_everything_dead(reopen):
    hoard = reopen(max_segment_bytes=150)
    fill(hoard, "a b c d")
    hoard.delete_prefix(b"")
    assert hoard.compact(0.2).bytes_after == 0
    assert hoard.stats().dead_bytes == 0
    fill(hoard, "e")
    assert keys(reopen()) == "e"


def test_order_of_use_after_a_full_compaction(reopen):
    hoard = three_segments(reopen, max_bytes=126)
    hoard.get(b"b")
    hoard.compact(0)
    fill(hoard, "g h")
    assert keys(hoard) == "a b d e g h"


def test_counter_of_compactions(reopen):
    hoard = three_segments(reopen)
    hoard.compact(0)
    hoard.compact(0)
    assert hoard.stats().compactions == 1
