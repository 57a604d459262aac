import pytest

from cellwork import Workbook


@pytest.fixture
def book():
    return Workbook()


@pytest.fixture
def sheet(book):
    return book.add_sheet("Main")


@pytest.fixture
def other(book, sheet):
    return book.add_sheet("Other one")


@pytest.fixture
def computed(book):
    """The labels of the formulas that were computed, each marked by a call of ``SEEN``."""
    labels = []

    def seen(label, value):
        labels.append(label)
        return value

    book.functions.register("SEEN", seen, 2, 2, takes_errors=True)
    return labels
