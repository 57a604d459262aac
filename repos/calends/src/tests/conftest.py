import datetime as dt

import pytest


def day(text):
    return dt.date.fromisoformat(text)


@pytest.fixture
def isos():
    """Days as texts, which are shorter to compare with."""
    return lambda days: [found.isoformat() for found in days]


@pytest.fixture
def april():
    from calends import span

    return span(day("2024-04-01"), day("2024-04-30"))
