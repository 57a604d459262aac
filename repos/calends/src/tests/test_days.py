from datetime import date

from calends.days import (
    FRI, MON, SUN, TUE, day_after, day_before, day_in_month, easter, from_ordinal, month_after, week_begin,
    weekday_in_month,
)


def test_neighbours():
    assert day_after(date(2024, 2, 28)) == date(2024, 2, 29)
    assert day_before(date(2024, 3, 1)) == date(2024, 2, 29)
    assert day_after(date.max) is None
    assert day_before(date.min) is None


def test_from_ordinal():
    assert from_ordinal(0) is None
    assert from_ordinal(1) == date.min
    assert from_ordinal(date.max.toordinal() + 1) is None


def test_month_after():
    assert [month_after(2024, 12, by) for by in (1, -12, 14, 12 * 8000)] == [(2025, 1), (2023, 12), (2026, 2), None]


def test_day_in_month():
    found = [day_in_month(2024, 2, number) for number in (29, 30, -1, -29, -30)]
    assert found == [date(2024, 2, 29), None, date(2024, 2, 29), date(2024, 2, 1), None]


def test_weekday_in_april():
    for weekday, nth, expected in [(MON, 1, 1), (TUE, 5, 30), (SUN, -1, 28), (MON, -5, 1)]:
        assert weekday_in_month(2024, 4, weekday, nth) == date(2024, 4, expected)


def test_fifth_weekday_that_april_lacks():
    assert weekday_in_month(2024, 4, FRI, 5) is None
    assert weekday_in_month(2024, 4, FRI, -5) is None


def test_week_begin():
    assert week_begin(date(2024, 5, 5)) == date(2024, 4, 29).toordinal()


def test_easter():
    for text in ("1961-04-02", "2000-04-23", "2008-03-23", "2024-03-31", "2038-04-25"):
        found = date.fromisoformat(text)
        assert easter(found.year) == found
