import os

import pytest

from hoardfile import Hoard, LockedError


def test_second_writer(hoard, folder):
    with pytest.raises(LockedError) as caught:
        Hoard(folder)
    assert caught.value.owner == (folder / "lock").read_text().strip()
    assert caught.value.owner.endswith(f" {os.getpid()}")
    hoard.put(b"a", b"still works")


def test_closing_lets_the_next_one_in(hoard, folder):
    hoard.close()
    assert not (folder / "lock").exists()
    Hoard(folder).close()


def test_readers_need_no_lock(hoard, folder):
    hoard.put(b"a", b"1")
    with Hoard(folder, read_only=True) as reader:
        assert reader.keys() == [b"a"]
    assert (folder / "lock").exists()


def test_lock_of_a_dead_writer(folder):
    folder.mkdir()
    (folder / "lock").write_text("elsewhere 77\n")
    with pytest.raises(LockedError) as caught:
        Hoard(folder)
    assert caught.value.owner == "elsewhere 77"
    with Hoard(folder, break_lock=True) as hoard:
        hoard.put(b"a", b"1")
    assert not (folder / "lock").exists()


def test_refused_writer_takes_no_lock_away(hoard, folder):
    with pytest.raises(LockedError):
        Hoard(folder)
    assert (folder / "lock").exists()
