import struct
import zlib

import pytest

from hoardfile import Hoard, SnapshotError, UnknownFormatError


@pytest.fixture
def hoard(tmp_path):
    with Hoard(tmp_path / "store", clock=lambda: 30) as hoard:
        hoard.put(b"m", b"2")
        hoard.put(b"z", b"", ttl=15)
        hoard.put(b"a", b"\xff1")
        hoard.get(b"m")
        yield hoard


@pytest.fixture
def other(tmp_path):
    with Hoard(tmp_path / "other", clock=lambda: 31) as other:
        yield other


def make(label, start=None, head_sizes=None, mood=()):
    """A format that writes its start, and then key, value and time of each item in hexadecimal digits.

    The words in *mood* change how it behaves, as long as they are there.
    """
    from hoardfile import Item, SnapshotFormat

    class Hexadecimal(SnapshotFormat):
        name = label

        def recognises(self, head):
            if head_sizes is not None:
                head_sizes.append(len(head))
            return "greedy" in mood or head.startswith(self.start())

        def start(self):
            return label.encode() + b"\n" if start is None else start

        def write(self, file, items):
            assert type(items) is list
            file.write(self.start())
            if "failing" in mood:
                raise ArithmeticError("in the middle")
            for item in items:
                file.write(b"%s.%s.%d\n" % (item.key.hex().encode(), item.value.hex().encode(), item.expires))

        def read(self, file):
            assert "unread" not in mood
            assert file.read(len(self.start())) == self.start()
            items = []
            for line in file.read().decode().splitlines():
                key, value, expires = line.split(".")
                items.append(Item(bytes.fromhex(key), bytes.fromhex(value), int(expires)))
            return items

    return Hexadecimal()


def register(*args, **kwargs):
    from hoardfile import register_format

    register_format(make(*args, **kwargs))


def test_writing(hoard, tmp_path):
    register("hex-writing")
    assert hoard.export_to(tmp_path / "s", "hex-writing") == 3
    assert (tmp_path / "s").read_bytes() == b"hex-writing\n7a..45000\n61.ff31.0\n6d.32.0\n"


def test_reading(other, tmp_path):
    register("hex-reading")
    (tmp_path / "s").write_bytes(b"hex-reading\n6b.3132.33000\n6c..0\n6f.31.31000\n")
    assert other.import_from(tmp_path / "s") == 2
    assert list(other.items()) == [(b"k", b"12"), (b"l", b"")]
    assert other.ttl(b"k") == 2


def test_order_of_items(tmp_path):
    register("hex-order")
    (tmp_path / "s").write_bytes(b"hex-order\n63.31.0\n61.31.0\n62.31.0\n")
    with Hoard(tmp_path / "small", max_bytes=4) as small:
        assert small.import_from(tmp_path / "s") == 3
        assert small.keys() == [b"a", b"b"]


def test_names():
    from hoardfile import format_names

    register("hex-names-b")
    register("hex-names-a")
    names = format_names()
    assert names[:2] == ["lines", "pack"]
    assert names[-2:] == ["hex-names-b", "hex-names-a"]
    names.clear()
    assert format_names()[:2] == ["lines", "pack"]


def test_first_that_recognises(other, tmp_path):
    register("hex-twin-z", b"twins\n")
    register("hex-twin-a", b"twins\n", mood=["unread"])
    (tmp_path / "s").write_bytes(b"twins\n61.62.0\n")
    assert other.import_from(tmp_path / "s") == 1
    assert other[b"a"] == b"b"


def test_built_in_formats_come_first(hoard, other, tmp_path):
    sizes, mood = [], ["greedy", "unread"]
    register("hex-greedy", head_sizes=sizes, mood=mood)
    for name in ("lines", "pack"):
        hoard.export_to(tmp_path / name, name)
    try:
        assert other.import_from(tmp_path / "lines") == 3
        assert other.import_from(tmp_path / "pack") == 3
    finally:
        mood.clear()
    assert sizes == []


def test_head(other, tmp_path):
    sizes = []
    register("hex-head", b"long\n", sizes)
    (tmp_path / "long").write_bytes(b"long\n" + b"61.62.0\n" * 50)
    (tmp_path / "short").write_bytes(b"long\n61.62.0\n")
    (tmp_path / "empty").write_bytes(b"")
    assert other.import_from(tmp_path / "long") == 1
    assert other.import_from(tmp_path / "short") == 1
    with pytest.raises(UnknownFormatError):
        other.import_from(tmp_path / "empty")
    assert sizes == [64, 13, 0]


def test_start_deep_in_the_head(other, tmp_path):
    start = b"#" * 60 + b"\n"
    register("hex-deep", start)
    (tmp_path / "s").write_bytes(start + b"61.62.0\n")
    assert other.import_from(tmp_path / "s") == 1


def test_taken_name(hoard, tmp_path):
    from hoardfile import format_names, register_format

    register("hex-taken", b"first\n")
    before = format_names()
    for name in ("hex-taken", "lines", "pack"):
        with pytest.raises(SnapshotError):
            register_format(make(name, b"second\n"))
    assert format_names() == before
    hoard.export_to(tmp_path / "s", "hex-taken")
    assert (tmp_path / "s").read_bytes().startswith(b"first\n")


def test_empty_name():
    from hoardfile import format_names, register_format

    before = format_names()
    with pytest.raises(SnapshotError):
        register_format(make(""))
    assert format_names() == before


def test_error_while_writing(hoard, tmp_path):
    mood = []
    register("hex-broken", mood=mood)
    folder = tmp_path / "snapshots"
    folder.mkdir()
    hoard.export_to(folder / "s", "hex-broken")
    before = (folder / "s").read_bytes()
    mood.append("failing")
    for name in ("s", "new"):
        with pytest.raises(ArithmeticError):
            hoard.export_to(folder / name, "hex-broken")
    assert [path.name for path in folder.iterdir()] == ["s"]
    assert (folder / "s").read_bytes() == before


def test_error_while_reading(other, tmp_path):
    register("hex-damaged")
    other.put(b"mine", b"1")
    (tmp_path / "s").write_bytes(b"hex-damaged\n61.62.0\n63.nonsense.0\n")
    with pytest.raises(ValueError):
        other.import_from(tmp_path / "s")
    assert other.keys() == [b"mine"]


def test_messages_list_all_formats(hoard, tmp_path):
    from hoardfile import format_names

    register("hex-message")
    (tmp_path / "odd").write_bytes(b"?")
    with pytest.raises(UnknownFormatError) as by_name:
        hoard.export_to(tmp_path / "s", "tar")
    with pytest.raises(UnknownFormatError) as by_file:
        hoard.import_from(tmp_path / "odd")
    names = ", ".join(format_names())
    assert "pack, " in names and "hex-message" in names
    assert str(by_name.value) == "no snapshot format 'tar'; there are " + names
    assert str(by_file.value) == "odd is in none of the formats " + names


def test_items():
    from hoardfile import Item

    assert Item(b"k", b"v") == Item(b"k", b"v", 0)
    assert Item(b"k", b"v", 7).expires == 7


def test_lines_on_disk(hoard, tmp_path):
    hoard.export_to(tmp_path / "s")
    assert (tmp_path / "s").read_bytes() == (
        b'{"hoardfile": 1, "items": 3}\n'
        b'{"key": "eg==", "value": "", "expires": 45000}\n'
        b'{"key": "YQ==", "value": "/zE="}\n'
        b'{"key": "bQ==", "value": "Mg=="}\n'
    )


def test_pack_on_disk(hoard, tmp_path):
    def record(key, value, expires):
        body = struct.pack(">BQQHI", 1, 0, expires, len(key), len(value)) + key + value
        return struct.pack(">I", zlib.crc32(body)) + body

    hoard.export_to(tmp_path / "s", "pack")
    assert (tmp_path / "s").read_bytes() == (
        b"hoardpk\x01\x00\x00\x00\x03" + record(b"z", b"", 45000) + record(b"a", b"\xff1", 0) + record(b"m", b"2", 0)
    )


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_round_trip(hoard, other, tmp_path, name):
    assert hoard.export_to(tmp_path / "s", name) == 3
    assert other.import_from(tmp_path / "s") == 3
    assert list(other.items()) == [(b"a", b"\xff1"), (b"m", b"2"), (b"z", b"")]
    assert other.ttl(b"z") == 14


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_file_that_is_cut_short(hoard, other, tmp_path, name):
    hoard.export_to(tmp_path / "s", name)
    (tmp_path / "s").write_bytes((tmp_path / "s").read_bytes()[:-31])
    with pytest.raises(SnapshotError):
        other.import_from(tmp_path / "s")
    assert len(other) == 0


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_export_replaces_a_file(hoard, tmp_path, name):
    (tmp_path / "s").write_bytes(b"something older and much longer" * 100)
    hoard.export_to(tmp_path / "s", name)
    assert hoard.import_from(tmp_path / "s") == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["s", "store"]


def test_unknown_name_writes_nothing(hoard, tmp_path):
    with pytest.raises(UnknownFormatError):
        hoard.export_to(tmp_path / "s", "LINES")
    assert not (tmp_path / "s").exists()


def test_without_overwriting(hoard, other, tmp_path):
    hoard.export_to(tmp_path / "s", "pack")
    other.put(b"m", b"mine")
    assert other.import_from(tmp_path / "s", overwrite=False) == 2
    assert other[b"m"] == b"mine"
