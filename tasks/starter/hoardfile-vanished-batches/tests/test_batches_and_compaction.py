import struct
import zlib

import pytest

from hoardfile import CorruptionError, Hoard


@pytest.fixture
def clock():
    return [7000]


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


def put_all(hoard, *keys, ttl=None):
    with hoard.batch() as batch:
        for key in keys:
            batch.put(key, b"<" + key + b">", ttl)


def last_segment(tmp_path):
    return max((tmp_path / "store").glob("*.seg"))


def cut(path, count):
    path.write_bytes(path.read_bytes()[:-count])


def record(kind, seq, key, value=b""):
    body = struct.pack(">BQQHI", kind, seq, 0, len(key), len(value)) + key + value
    return struct.pack(">I", zlib.crc32(body)) + body


def header():
    head = b"hoard\x02\x00\x00"
    return head + struct.pack(">I", zlib.crc32(head))


@pytest.mark.parametrize("gone", [b"q", b"r", b"s"])
def test_one_member_deleted(reopen, gone):
    hoard = reopen()
    put_all(hoard, b"q", b"r", b"s")
    hoard.delete(gone)
    hoard.compact(0)
    hoard = reopen()
    assert hoard.keys() == [key for key in (b"q", b"r", b"s") if key != gone]
    assert hoard.stats().cut_bytes == 0


def test_last_member_overwritten(reopen):
    hoard = reopen(max_segment_bytes=100)
    put_all(hoard, b"q", b"r", b"s", b"t")
    hoard.put(b"t", b"new")
    hoard.compact(0)
    hoard = reopen()
    assert list(hoard.items()) == [(b"q", b"<q>"), (b"r", b"<r>"), (b"s", b"<s>"), (b"t", b"new")]
    assert hoard.stats().cut_bytes == 0


def test_last_member_expired(reopen, clock):
    hoard = reopen()
    with hoard.batch() as batch:
        batch.put(b"q", b"1")
        batch.put(b"r", b"2", ttl=30)
    clock[0] += 30
    hoard.compact(0)
    assert list(reopen().items()) == [(b"q", b"1")]


def test_only_the_first_is_left(reopen):
    hoard = reopen()
    put_all(hoard, b"q", b"r", b"s", b"t")
    hoard.put(b"other", b"1")
    assert hoard.delete_prefix(b"r") + hoard.delete_prefix(b"s") + hoard.delete_prefix(b"t") == 3
    hoard.delete(b"other")
    hoard.compact()
    assert list(reopen().items()) == [(b"q", b"<q>")]


def test_import(reopen, tmp_path):
    hoard = reopen()
    put_all(hoard, *(b"k%d" % number for number in range(8)))
    hoard.export_to(tmp_path / "snapshot", "pack")
    hoard.delete_prefix(b"k")
    assert hoard.import_from(tmp_path / "snapshot") == 8
    hoard.delete(b"k7")
    hoard.compact(0)
    hoard = reopen()
    assert hoard.count() == 7
    assert hoard[b"k3"] == b"<k3>"
    assert hoard.stats().cut_bytes == 0


def test_segments_behind_the_compacted_one(reopen):
    hoard = reopen(max_segment_bytes=60)
    put_all(hoard, b"q", b"r")
    hoard.delete(b"r")
    hoard.compact(0)
    for key in (b"x", b"y", b"z"):
        hoard.put(key, b"v" * 40)
    assert reopen().keys() == [b"q", b"x", b"y", b"z"]


def test_older_segment_is_compacted(reopen):
    hoard = reopen(max_segment_bytes=60)
    put_all(hoard, b"q", b"r")
    hoard.put(b"x", b"v" * 60)
    put_all(hoard, b"s", b"t")
    hoard.delete(b"r")
    hoard.put(b"y", b"w" * 60)
    assert hoard.compact(0.5).segments == (1,)
    hoard = reopen()
    assert hoard.keys() == [b"q", b"s", b"t", b"x", b"y"]
    assert hoard.stats().cut_bytes == 0


def test_torn_write_after_a_compaction(reopen, tmp_path):
    hoard = reopen()
    put_all(hoard, b"q", b"r")
    hoard.delete(b"r")
    hoard.compact(0)
    hoard.put(b"late", b"value")
    hoard.close()
    cut(last_segment(tmp_path), 3)
    hoard = reopen()
    assert hoard.keys() == [b"q"]
    assert hoard.stats().cut_bytes == 27 + 9 - 3


def test_whole_write_after_a_compaction(reopen):
    hoard = reopen()
    put_all(hoard, b"q", b"r")
    hoard.touch(b"q", 500)
    hoard.delete(b"r")
    hoard.compact(0)
    put_all(hoard, b"u", b"v")
    hoard.delete(b"v")
    hoard.compact(0)
    hoard = reopen()
    assert hoard.keys() == [b"q", b"u"]
    assert [hoard.ttl(b"q"), hoard.ttl(b"u")] == [500, None]
    assert hoard.stats().cut_bytes == 0


def test_compacting_again_and_again(reopen):
    hoard = reopen()
    put_all(hoard, b"a", b"b", b"c", b"d", b"e")
    for last in (b"e", b"d", b"c", b"b"):
        hoard.delete(last)
        assert hoard.compact(0).bytes_after > 0
        hoard = reopen()
        assert hoard.stats().cut_bytes == 0
    assert list(hoard.items()) == [(b"a", b"<a>")]


def test_reader_sees_everything(reopen, tmp_path):
    hoard = reopen()
    put_all(hoard, b"q", b"r")
    hoard.delete(b"r")
    hoard.compact(0)
    with Hoard(tmp_path / "store", read_only=True) as reader:
        assert list(reader.items()) == [(b"q", b"<q>")]
        assert reader.stats().cut_bytes == 0


@pytest.mark.parametrize("left", [1, 2])
def test_batch_torn_between_two_records(reopen, tmp_path, left):
    hoard = reopen()
    hoard.put(b"a", b"1")
    put_all(hoard, b"q", b"r", b"s")
    hoard.close()
    cut(last_segment(tmp_path), (3 - left) * (27 + 4))
    hoard = reopen()
    assert list(hoard.items()) == [(b"a", b"1")]
    assert hoard.stats().cut_bytes == left * 31


@pytest.mark.parametrize("left", [1, 2])
def test_batch_torn_behind_compacted_records(reopen, tmp_path, left):
    hoard = reopen()
    put_all(hoard, b"a", b"b")
    hoard.put(b"a", b"x")
    hoard.compact(0)
    put_all(hoard, b"q", b"r", b"s")
    hoard.close()
    cut(last_segment(tmp_path), (3 - left) * (27 + 4))
    hoard = reopen()
    assert list(hoard.items()) == [(b"a", b"x"), (b"b", b"<b>")]
    assert hoard.stats().cut_bytes == left * 31


def test_unfinished_batch_in_the_middle(reopen, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "00000001.seg").write_bytes(header() + record(1, 1, b"a") + record(0x81, 2, b"b"))
    (tmp_path / "store" / "00000002.seg").write_bytes(header() + record(1, 3, b"c"))
    with pytest.raises(CorruptionError) as caught:
        reopen()
    assert caught.value.offset == 12 + 28
    assert caught.value.reason == "unfinished batch"


def test_unfinished_batch_at_the_end(reopen, tmp_path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "00000001.seg").write_bytes(header() + record(1, 1, b"a") + record(0x81, 2, b"b"))
    hoard = reopen()
    assert hoard.keys() == [b"a"]
    assert (tmp_path / "store" / "00000001.seg").read_bytes() == header() + record(1, 1, b"a")


def test_batch_on_disk(reopen, tmp_path):
    with reopen().batch() as batch:
        batch.put(b"a", b"1")
        batch.put(b"b", b"2")
        batch.put(b"c", b"3")
    assert last_segment(tmp_path).read_bytes() == (
        header() + record(0x81, 1, b"a", b"1") + record(0x81, 2, b"b", b"2") + record(1, 3, b"c", b"3")
    )


def test_whole_batch_survives_compaction(reopen):
    hoard = reopen()
    hoard.put(b"old", b"1")
    hoard.delete(b"old")
    put_all(hoard, b"q", b"r", b"s")
    assert hoard.compact(0).bytes_after == 3 * 31
    hoard = reopen()
    assert hoard.keys() == [b"q", b"r", b"s"]
    assert hoard.stats().dead_bytes == 0


def test_deletions_that_are_still_needed(reopen):
    hoard = reopen(max_segment_bytes=100)
    put_all(hoard, b"q", b"r", b"s", b"t")
    with hoard.batch() as batch:
        batch.put(b"u", b"1")
        batch.delete(b"q")
        batch.delete(b"u")
    assert hoard.compact(0.9).segments == (2,)
    assert reopen().keys() == [b"r", b"s", b"t"]
