import os

import pytest

from hoardfile import Hoard


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self):
        self.now = 1_000_000

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


class CountingOpener:
    """Opens files and remembers which, and in which mode."""

    def __init__(self):
        self.opened = []

    def __call__(self, path, mode):
        self.opened.append((os.path.basename(path), mode))
        return open(path, mode)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def opener():
    return CountingOpener()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "hoard"


@pytest.fixture
def open_hoard(folder, clock):
    """Opens the store of the test, closing it before if it is open."""
    opened = []

    def reopen(**options):
        if opened:
            opened[-1].close()
        opened.append(Hoard(folder, clock=clock, **options))
        return opened[-1]

    yield reopen
    for hoard in opened:
        hoard.close()


@pytest.fixture
def hoard(open_hoard):
    return open_hoard()


@pytest.fixture
def segments(folder):
    """The names of the segment files that there are."""
    return lambda: sorted(path.name for path in folder.glob("*.seg"))
