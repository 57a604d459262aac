import struct
import zlib

import pytest

from hoardfile import CorruptionError, Hoard


def record(kind, seq, key, value=b"", expires=0):
    body = struct.pack(">BQQHI", kind, seq, expires, len(key), len(value)) + key + value
    return struct.pack(">I", zlib.crc32(body)) + body


def header(*replaces):
    head = b"hoard\x02" + struct.pack(">H", len(replaces)) + b"".join(struct.pack(">I", n) for n in replaces)
    return head + struct.pack(">I", zlib.crc32(head))


def test_bytes_on_disk(hoard, folder, clock):
    hoard.put(b"key", b"value", ttl=5)
    hoard.touch(b"key")
    hoard.delete(b"key")
    expires = (clock.now + 5) * 1000
    assert (folder / "00000001.seg").read_bytes() == (
        header() + record(1, 1, b"key", b"value", expires) + record(3, 2, b"key") + record(2, 3, b"key")
    )


def test_batch_on_disk(hoard, folder):
    with hoard.batch() as batch:
        batch.put(b"a", b"1")
        batch.put(b"b", b"2")
    assert (folder / "00000001.seg").read_bytes() == (
        header() + record(0x81, 1, b"a", b"1") + record(1, 2, b"b", b"2")
    )


def test_new_segment_when_one_is_full(open_hoard, segments):
    hoard = open_hoard(max_segment_bytes=100)
    for number in range(6):
        hoard.put(b"%d" % number, b"x" * 30)
    assert segments() == ["00000001.seg", "00000002.seg", "00000003.seg"]
    hoard = open_hoard(max_segment_bytes=100)
    hoard.put(b"6", b"")
    assert segments()[-1] == "00000004.seg"
    assert hoard.count() == 7


def test_no_segment_before_the_first_write(hoard, segments):
    assert segments() == []


def test_higher_sequence_is_right(open_hoard, folder):
    folder.mkdir()
    (folder / "00000001.seg").write_bytes(header() + record(1, 7, b"a", b"new") + record(2, 4, b"b"))
    (folder / "00000002.seg").write_bytes(header() + record(1, 5, b"a", b"old") + record(1, 3, b"b", b"gone"))
    hoard = open_hoard()
    assert list(hoard.items()) == [(b"a", b"new")]
    hoard.put(b"c", b"")
    assert (folder / "00000002.seg").read_bytes().endswith(record(1, 8, b"c"))


@pytest.mark.parametrize("missing", [1, 5, 20, 29])
def test_torn_record_is_cut_off(open_hoard, folder, missing):
    hoard = open_hoard()
    hoard.put(b"a", b"1")
    hoard.put(b"b", b"22")
    hoard.close()
    data = (folder / "00000001.seg").read_bytes()
    (folder / "00000001.seg").write_bytes(data[:-missing])
    hoard = open_hoard()
    assert hoard.keys() == [b"a"]
    assert hoard.stats().cut_bytes == 30 - missing
    hoard.put(b"c", b"3")
    assert open_hoard().keys() == [b"a", b"c"]


def test_zeros_at_the_end_are_cut_off(open_hoard, folder):
    open_hoard().put(b"a", b"1")
    size = (folder / "00000001.seg").stat().st_size
    with open(folder / "00000001.seg", "ab") as file:
        file.write(b"\0" * 100)
    assert open_hoard().keys() == [b"a"]
    assert (folder / "00000001.seg").stat().st_size == size


@pytest.mark.parametrize("size", [0, 3, 8, 11])
def test_torn_header_of_the_last_segment(open_hoard, folder, segments, size):
    open_hoard().put(b"a", b"1")
    (folder / "00000002.seg").write_bytes(header()[:size])
    hoard = open_hoard()
    assert hoard.keys() == [b"a"]
    assert hoard.stats().cut_bytes == size
    assert segments() == ["00000001.seg"]


def test_damage_in_another_segment(open_hoard, folder):
    hoard = open_hoard(max_segment_bytes=50)
    for key in (b"a", b"b", b"c"):
        hoard.put(key, b"value")
    hoard.close()
    data = bytearray((folder / "00000001.seg").read_bytes())
    data[-1] ^= 1
    (folder / "00000001.seg").write_bytes(data)
    with pytest.raises(CorruptionError) as caught:
        open_hoard()
    assert caught.value.offset == 45
    assert caught.value.reason == "wrong checksum"
    assert str(caught.value) == "00000001.seg, byte 45: wrong checksum"


def test_a_file_that_is_no_segment(open_hoard, folder):
    folder.mkdir()
    (folder / "00000001.seg").write_bytes(b"something else altogether")
    with pytest.raises(CorruptionError) as caught:
        open_hoard()
    assert caught.value.offset == 0
    assert not (folder / "lock").exists()


def test_damage_while_open(hoard, folder):
    hoard.put(b"a", b"value")
    data = bytearray((folder / "00000001.seg").read_bytes())
    data[-1] ^= 1
    (folder / "00000001.seg").write_bytes(data)
    with pytest.raises(CorruptionError):
        hoard.get(b"a")


def test_reader_leaves_a_torn_tail_alone(open_hoard, folder):
    hoard = open_hoard()
    hoard.put(b"a", b"1")
    hoard.close()
    with open(folder / "00000001.seg", "ab") as file:
        file.write(b"torn")
    with Hoard(folder, read_only=True) as reader:
        assert reader.keys() == [b"a"]
        assert reader.stats().cut_bytes == 4
    assert (folder / "00000001.seg").read_bytes().endswith(b"torn")


def test_replaced_segments_are_deleted(open_hoard, folder, segments):
    folder.mkdir()
    (folder / "00000001.seg").write_bytes(header() + record(1, 1, b"a", b"deleted since"))
    (folder / "00000002.seg").write_bytes(header() + record(1, 2, b"b", b"2"))
    (folder / "00000003.seg").write_bytes(header(1) + record(1, 3, b"c", b"3"))
    (folder / "00000004.seg.tmp").write_bytes(b"half a compac")
    assert open_hoard().keys() == [b"b", b"c"]
    assert sorted(path.name for path in folder.iterdir()) == ["00000002.seg", "00000003.seg", "lock"]


class FailingFile:
    def __init__(self, file):
        self.file = file

    def __getattr__(self, name):
        return getattr(self.file, name)

    def write(self, data):
        self.file.write(data[: len(data) // 2])
        raise OSError("disk full")


def test_error_while_writing(open_hoard):
    failing = []

    def opener(path, mode):
        file = open(path, mode)
        return FailingFile(file) if failing and mode == "r+b" else file

    hoard = open_hoard(opener=opener, max_segment_bytes=200)
    hoard.put(b"a", b"1")
    hoard.close()
    failing.append(True)
    hoard = open_hoard(opener=opener)
    with pytest.raises(OSError, match="disk full"):
        hoard.put(b"b", b"22")
    assert hoard.keys() == [b"a"]
    failing.clear()
    hoard.put(b"c", b"333")
    assert hoard[b"c"] == b"333"
    assert list(open_hoard().items()) == [(b"a", b"1"), (b"c", b"333")]
