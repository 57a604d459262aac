def test_counters(open_hoard, clock):
    hoard = open_hoard()
    hoard.put(b"a", b"1")
    hoard.put(b"b", b"1", ttl=5)
    hoard.touch(b"a", 10)
    hoard.get(b"a")
    hoard.get(b"missing")
    hoard.delete(b"missing")
    hoard.delete(b"a")
    clock.advance(5)
    stats = hoard.stats()
    assert (stats.hits, stats.misses, stats.hit_rate) == (1, 1, 0.5)
    assert (stats.writes, stats.deletions, stats.expirations, stats.evictions) == (3, 1, 1, 0)
    assert open_hoard().stats().writes == 0


def test_hit_rate_before_the_first_read(hoard):
    assert hoard.stats().hit_rate == 0.0


def test_sizes(hoard, folder):
    hoard.put(b"key", b"value")
    hoard.put(b"key", b"longer value")
    hoard.put(b"b", b"")
    stats = hoard.stats()
    assert (stats.keys, stats.segments, stats.payload_bytes) == (2, 1, 16)
    assert stats.disk_bytes == (folder / "00000001.seg").stat().st_size
    assert stats.dead_bytes == 27 + 8


def test_stats_are_a_snapshot(hoard):
    before = hoard.stats()
    hoard.put(b"a", b"1")
    assert before.keys == 0
    assert hoard.stats().keys == 1
