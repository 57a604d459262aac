import json

import pytest

from hoardfile import (
    Hoard, Item, SnapshotError, SnapshotFormat, UnknownFormatError, format_names, register_format, snapshot,
)


@pytest.fixture
def other(tmp_path, clock):
    with Hoard(tmp_path / "other", clock=clock) as other:
        yield other


@pytest.fixture
def full(hoard):
    hoard.put(b"b", b"2")
    hoard.put(b"a", b"\x00\xff", ttl=60)
    hoard.put(b"c", b"")
    hoard.get(b"b")
    return hoard


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_round_trip(full, other, clock, tmp_path, name):
    assert full.export_to(tmp_path / "s", name) == 3
    clock.advance(20)
    assert other.import_from(tmp_path / "s") == 3
    assert list(other.items()) == list(full.items())
    assert [other.ttl(key) for key in other.keys()] == [40, None, None]


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_order_of_use(full, tmp_path, clock, name):
    full.export_to(tmp_path / "s", name)
    with Hoard(tmp_path / "small", clock=clock, max_bytes=3) as small:
        small.import_from(tmp_path / "s")
        assert small.keys() == [b"b", b"c"]


@pytest.mark.parametrize("name", ["lines", "pack"])
def test_expired_keys_are_left_out(full, other, clock, tmp_path, name):
    full.export_to(tmp_path / "s", name)
    clock.advance(60)
    assert other.import_from(tmp_path / "s") == 2
    assert other.keys() == [b"b", b"c"]
    assert full.export_to(tmp_path / "s", name) == 2


def test_overwrite(full, other, tmp_path):
    full.export_to(tmp_path / "s")
    other.put(b"b", b"mine")
    assert other.import_from(tmp_path / "s", overwrite=False) == 2
    assert other[b"b"] == b"mine"
    assert other.import_from(tmp_path / "s") == 3
    assert other[b"b"] == b"2"


def test_lines(full, tmp_path, clock):
    full.export_to(tmp_path / "s")
    lines = [json.loads(line) for line in (tmp_path / "s").read_text().splitlines()]
    assert lines == [
        {"hoardfile": 1, "items": 3},
        {"key": "YQ==", "value": "AP8=", "expires": (clock.now + 60) * 1000},
        {"key": "Yw==", "value": ""},
        {"key": "Yg==", "value": "Mg=="},
    ]


@pytest.mark.parametrize("name", ["lines", "pack"])
@pytest.mark.parametrize("missing", [2, 15, 36])
def test_incomplete(full, other, tmp_path, name, missing):
    full.export_to(tmp_path / "s", name)
    (tmp_path / "s").write_bytes((tmp_path / "s").read_bytes()[:-missing])
    with pytest.raises(SnapshotError):
        other.import_from(tmp_path / "s")
    assert other.keys() == []


def test_damaged_line(full, other, tmp_path):
    full.export_to(tmp_path / "s")
    (tmp_path / "s").write_bytes((tmp_path / "s").read_bytes().replace(b"Yw==", b"!!!!"))
    with pytest.raises(SnapshotError, match="line 3 of the snapshot"):
        other.import_from(tmp_path / "s")


def test_no_snapshot(other, tmp_path):
    (tmp_path / "s").write_bytes(b"something else")
    with pytest.raises(UnknownFormatError, match="s is in none of the formats lines, pack"):
        other.import_from(tmp_path / "s")


def test_unknown_format(full, tmp_path):
    with pytest.raises(UnknownFormatError, match="no snapshot format 'zip'; there are lines, pack"):
        full.export_to(tmp_path / "s", "zip")
    assert not (tmp_path / "s").exists()


class Table(SnapshotFormat):
    name = "table"

    def recognises(self, head):
        return head.startswith(b"TABLE\n")

    def write(self, file, items):
        file.write(b"TABLE\n")
        for item in items:
            if b"\n" in item.key + item.value:
                raise SnapshotError("a table cannot hold line feeds")
            file.write(item.key + b"=" + item.value + b"\n")

    def read(self, file):
        return [Item(*line.rstrip(b"\n").split(b"=")) for line in file.readlines()[1:]]


@pytest.fixture
def table(monkeypatch):
    monkeypatch.setattr(snapshot, "_formats", dict(snapshot._formats))
    register_format(Table())


def test_format_of_ones_own(full, other, table, tmp_path):
    assert format_names() == ["lines", "pack", "table"]
    full.export_to(tmp_path / "s", "table")
    assert (tmp_path / "s").read_bytes() == b"TABLE\na=\x00\xff\nc=\nb=2\n"
    assert other.import_from(tmp_path / "s") == 3
    assert other[b"b"] == b"2"


def test_failed_export_leaves_the_old_file(full, table, tmp_path):
    full.export_to(tmp_path / "s", "table")
    before = (tmp_path / "s").read_bytes()
    full.put(b"d", b"\n")
    with pytest.raises(SnapshotError):
        full.export_to(tmp_path / "s", "table")
    assert (tmp_path / "s").read_bytes() == before
    assert [path.name for path in tmp_path.glob("s*")] == ["s"]


def test_names_of_formats_are_unique(table):
    with pytest.raises(SnapshotError, match="'table' is registered already"):
        register_format(Table())
    with pytest.raises(SnapshotError, match="needs a name"):
        register_format(SnapshotFormat())
