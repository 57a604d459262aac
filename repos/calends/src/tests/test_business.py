from datetime import date

import pytest

from calends import (
    FRI, MON, SAT, WEEKDAYS, Fixed, FromEaster, LastWeekday, add_business_days, business_days, calendar,
    count_business_days, is_business_day, next_business_day, previous_business_day, roll, span,
)
from calends.business import begin_of_break
from calends.errors import CalendarError, NoBusinessDayError

EASTER = calendar([FromEaster(-2), FromEaster(1), Fixed(5, 1)])


def on(text):
    return date.fromisoformat(text)


def test_is_business_day():
    days = ("2024-03-28", "2024-03-29", "2024-03-30", "2024-04-01")
    assert [is_business_day(EASTER, on(text)) for text in days] == [True, False, False, False]


def test_two_calendars_at_once():
    labour, memorial = calendar([Fixed(5, 1)]), calendar([LastWeekday(5, MON)])
    assert [is_business_day(each, on("2024-05-01")) for each in (labour, memorial)] == [False, True]
    assert [is_business_day(each, on("2024-05-27")) for each in (labour, memorial)] == [True, False]


def test_neighbouring_business_days_count_the_day_in():
    assert next_business_day(EASTER, on("2024-03-28")) == on("2024-03-28")
    assert next_business_day(EASTER, on("2024-03-29")) == on("2024-04-02")
    assert previous_business_day(EASTER, on("2024-04-01")) == on("2024-03-28")
    assert previous_business_day(EASTER, on("2024-04-02")) == on("2024-04-02")


@pytest.mark.parametrize(
    "text, convention, expected",
    [
        ("2024-03-30", "following", "2024-04-02"),
        ("2024-03-30", "preceding", "2024-03-28"),
        ("2024-03-30", "modified following", "2024-03-28"),
        ("2024-06-29", "modified following", "2024-06-28"),
        ("2024-06-15", "modified following", "2024-06-17"),
        ("2024-06-15", "nearest", "2024-06-14"),
        ("2024-06-16", "nearest", "2024-06-17"),
        ("2024-05-01", "nearest", "2024-05-02"),
        ("2024-06-14", "preceding", "2024-06-14"),
    ],
)
def test_roll(text, convention, expected):
    assert roll(EASTER, on(text), convention) == on(expected)


def test_unknown_convention():
    with pytest.raises(CalendarError):
        roll(EASTER, on("2024-06-14"), "backwards")


def test_add_business_days():
    for text, number, expected in [
        ("2024-03-28", 1, "2024-04-02"),
        ("2024-03-30", 1, "2024-04-02"),
        ("2024-03-30", 2, "2024-04-03"),
        ("2024-04-02", -1, "2024-03-28"),
        ("2024-03-30", -2, "2024-03-27"),
        ("2024-03-28", 0, "2024-03-28"),
        ("2024-03-30", 0, "2024-04-02"),
    ]:
        assert add_business_days(EASTER, on(text), number) == on(expected)


def test_business_days(isos):
    assert isos(business_days(EASTER, span(on("2024-03-27"), on("2024-04-03")))) == [
        "2024-03-27", "2024-03-28", "2024-04-02", "2024-04-03",
    ]


def test_count_agrees_with_the_list():
    for first in ("2024-01-01", "2024-03-30", "2024-05-01"):
        for last in ("2024-05-01", "2024-06-02", "2025-04-21"):
            within = span(on(first), on(last))
            assert count_business_days(EASTER, within) == len(list(business_days(EASTER, within)))


def test_holidays_on_weekends_are_not_counted_twice():
    assert count_business_days(calendar([Fixed(6, 1)]), span(on("2024-06-01"), on("2024-06-30"))) == 20


def test_another_weekend():
    gulf = calendar(weekend=[FRI, SAT])
    assert next_business_day(gulf, on("2024-06-14")) == on("2024-06-16")
    assert count_business_days(gulf, span(on("2024-06-01"), on("2024-06-30"))) == 21


def test_no_business_day_left():
    every_day = calendar([Fixed(12, number) for number in range(1, 32)])
    with pytest.raises(NoBusinessDayError) as caught:
        next_business_day(every_day, on("9999-12-24"))
    assert str(caught.value) == "no business day on or after 9999-12-24"
    with pytest.raises(NoBusinessDayError):
        add_business_days(WEEKDAYS, date.max, 1)
    with pytest.raises(NoBusinessDayError):
        add_business_days(WEEKDAYS, date.min, -1)


def test_begin_of_break():
    assert begin_of_break(EASTER, on("2024-04-02")) == on("2024-03-29")
    assert begin_of_break(EASTER, on("2024-03-31")) == on("2024-03-29")
    assert begin_of_break(EASTER, on("2024-04-03")) == on("2024-04-03")
    assert begin_of_break(WEEKDAYS, date.min) == date.min
