import pytest

from hoardfile import ArgumentError, Hoard, InvalidKeyError


@pytest.fixture
def hoard(tmp_path):
    with Hoard(tmp_path / "store", clock=lambda: 5000) as hoard:
        yield hoard


@pytest.fixture
def binary(hoard):
    for key in (b"\x02", b"\x02\xfe", b"\x02\xff", b"\x02\xff\xff\x05", b"\x02" + b"\xff" * 40, b"\x03", b"\x03\x01"):
        hoard.put(key, key[::-1])
    return hoard


@pytest.fixture
def top(hoard):
    for key in (b"\xfe\xff", b"\xff", b"\xff\x00", b"\xff\xff", b"\xff\xff\xff", b"\xfe"):
        hoard.put(key, b"v")
    return hoard


def test_byte_255_behind_the_prefix(binary):
    assert binary.keys(b"\x02") == [
        b"\x02", b"\x02\xfe", b"\x02\xff", b"\x02\xff\xff\x05", b"\x02" + b"\xff" * 40,
    ]


def test_prefix_that_ends_with_byte_255(binary):
    assert binary.keys(b"\x02\xff") == [b"\x02\xff", b"\x02\xff\xff\x05", b"\x02" + b"\xff" * 40]
    assert binary.keys(b"\x02\xff\xff") == [b"\x02\xff\xff\x05", b"\x02" + b"\xff" * 40]
    assert binary.keys(b"\x02\xff\xff\xff") == [b"\x02" + b"\xff" * 40]


def test_prefix_of_bytes_255_only(top):
    assert top.keys(b"\xff") == [b"\xff", b"\xff\x00", b"\xff\xff", b"\xff\xff\xff"]
    assert top.keys(b"\xff\xff") == [b"\xff\xff", b"\xff\xff\xff"]
    assert top.keys(b"\xff\xff\xff\xff") == []


def test_prefix_below_the_last_byte(top):
    assert top.keys(b"\xfe") == [b"\xfe", b"\xfe\xff"]


def test_longest_possible_key(hoard):
    longest = b"\x09" + b"\xff" * 65534
    hoard.put(longest, b"v")
    hoard.put(b"\x0a", b"v")
    assert hoard.count(b"\x09") == 1
    assert hoard.keys(longest) == [longest]


def test_count_and_items(binary):
    assert binary.count(b"\x02") == 5
    assert list(binary.items(b"\x02\xff\xff\x05")) == [(b"\x02\xff\xff\x05", b"\x05\xff\xff\x02")]
    assert [key for key, _ in binary.items(b"\x02\xfe")] == [b"\x02\xfe"]
    assert len(list(binary.items(b"\x02"))) == 5


def test_delete_prefix(binary):
    assert binary.delete_prefix(b"\x02\xff") == 3
    assert binary.keys() == [b"\x02", b"\x02\xfe", b"\x03", b"\x03\x01"]


def test_delete_prefix_of_bytes_255_only(top):
    assert top.delete_prefix(b"\xff\xff") == 2
    assert top.keys() == [b"\xfe", b"\xfe\xff", b"\xff", b"\xff\x00"]


def test_pages_of_binary_keys(binary):
    pages, after = [], None
    for _ in range(4):
        page = binary.keys(b"\x02", after=after, limit=2)
        pages.append(len(page))
        after = page[-1] if page else after
    assert pages == [2, 2, 1, 0]


@pytest.mark.parametrize("prefix", [b"", b"\x02", b"\x02\xff", b"\x77"], ids=["all", "some", "top", "none"])
def test_limit_zero(binary, prefix):
    assert binary.keys(prefix, limit=0) == []
    assert binary.keys(prefix, after=b"\x02", limit=0) == []


@pytest.mark.parametrize("limit", [-1, -3, -100])
def test_negative_limit(binary, limit):
    with pytest.raises(ArgumentError):
        binary.keys(limit=limit)


def test_negative_limit_for_an_empty_store(hoard):
    with pytest.raises(ArgumentError):
        hoard.keys(limit=-2)


@pytest.mark.parametrize("text", ["x", "", 7, bytearray(b"x"), None], ids=["str", "empty", "int", "bytearray", "none"])
@pytest.mark.parametrize("full", [False, True], ids=["nothing", "something"])
def test_prefix_that_is_not_bytes(hoard, text, full):
    if full:
        hoard.put(b"x1", b"v")
    for call in (hoard.keys, hoard.count, lambda prefix: list(hoard.items(prefix)), hoard.delete_prefix):
        with pytest.raises(InvalidKeyError):
            call(text)
    assert len(hoard) == full


@pytest.mark.parametrize("text", ["x", "", 7, bytearray(b"x")], ids=["str", "empty", "int", "bytearray"])
def test_after_that_is_not_bytes(hoard, text):
    with pytest.raises(InvalidKeyError):
        hoard.keys(after=text)
    hoard.put(b"x1", b"v")
    with pytest.raises(InvalidKeyError):
        hoard.keys(b"x", after=text)


@pytest.fixture
def words(hoard):
    for key in (b"item/9", b"item/10", b"item", b"items", b"Item/1", b"other"):
        hoard.put(key, key.title())
    return hoard


def test_order(words):
    assert words.keys() == [b"Item/1", b"item", b"item/10", b"item/9", b"items", b"other"]
    assert words.keys(b"item") == [b"item", b"item/10", b"item/9", b"items"]


def test_prefix_without_keys(words):
    assert words.keys(b"item0") == []
    assert words.keys(b"z") == []
    assert words.count(b"zz") == 0


def test_after_need_not_be_a_key(words):
    assert words.keys(b"item", after=b"item/2") == [b"item/9", b"items"]
    assert words.keys(b"item/", after=b"a") == [b"item/10", b"item/9"]
    assert words.keys(b"item/", after=b"item0") == []


def test_after_nothing(words):
    assert words.keys(after=b"") == words.keys()
    assert words.keys(b"item/", after=b"") == [b"item/10", b"item/9"]


def test_no_limit_and_large_ones(words):
    assert words.keys(b"item/", limit=None) == [b"item/10", b"item/9"]
    assert words.keys(b"item/", limit=2) == [b"item/10", b"item/9"]
    assert words.keys(b"item/", limit=50) == [b"item/10", b"item/9"]
    assert words.keys(limit=1) == [b"Item/1"]


def test_result_is_a_copy(words):
    words.keys().clear()
    words.keys(b"item").pop()
    assert words.count() == 6


def test_items_of_text_keys(words):
    assert list(words.items(b"item/")) == [(b"item/10", b"Item/10"), (b"item/9", b"Item/9")]


def test_delete_prefix_of_text_keys(words):
    assert words.delete_prefix(b"item/") == 2
    assert words.keys() == [b"Item/1", b"item", b"items", b"other"]
    assert words.delete_prefix(b"") == 4
    assert words.keys() == []
