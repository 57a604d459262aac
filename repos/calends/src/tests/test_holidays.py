import pytest

from calends import (
    FRI, MON, SAT, SUN, THU, Fixed, FromEaster, LastWeekday, NthWeekday, Once, calendar, combine, holidays_in,
)
from calends.errors import CalendarError


def in_year(year, *patterns, **options):
    return sorted(day.isoformat() for day in holidays_in(calendar(patterns, **options), year))


def test_patterns():
    patterns = [Fixed(1, 1), NthWeekday(11, THU, 4), LastWeekday(5, MON), FromEaster(-2), Once(2024, 6, 9)]
    assert in_year(2024, *patterns) == [
        "2024-01-01", "2024-03-29", "2024-05-27", "2024-06-09", "2024-11-28",
    ]


def test_patterns_that_a_year_lacks():
    assert in_year(2023, Fixed(2, 29), NthWeekday(2, MON, 5), Once(2024, 6, 9)) == []


def test_first_and_last_monday_of_may():
    assert in_year(2024, NthWeekday(5, MON, 1), LastWeekday(5, MON)) == ["2024-05-06", "2024-05-27"]


def test_patterns_with_the_same_numbers():
    assert in_year(2024, LastWeekday(5, 1), Fixed(5, 1)) == ["2024-05-01", "2024-05-27"]


def test_calendars_with_the_same_numbers():
    assert in_year(2023, Fixed(8, 7)) == ["2023-08-07"]
    assert in_year(2023, LastWeekday(8, 7)) == ["2023-08-27"]


def test_observed_on_the_next_free_day():
    assert in_year(2021, Fixed(12, 25), Fixed(12, 26), observed=True) == [
        "2021-12-25", "2021-12-26", "2021-12-27", "2021-12-28",
    ]


def test_observed_in_the_next_year():
    assert in_year(2017, Fixed(12, 31), Fixed(1, 1), observed=True) == [
        "2017-01-01", "2017-01-02", "2017-01-03", "2017-12-31",
    ]


def test_not_observed():
    assert in_year(2021, Fixed(12, 25)) == ["2021-12-25"]


def test_combine():
    both = combine(calendar([Fixed(1, 1), Fixed(5, 1)]), calendar([Fixed(5, 1), FromEaster(1)], weekend=[FRI, SAT]))
    assert both.holidays == (Fixed(1, 1), Fixed(5, 1), FromEaster(1))
    assert both.weekend == (FRI, SAT, SUN)
    assert both.observed is False


def test_combine_keeps_holidays_with_the_same_numbers():
    both = combine(calendar([LastWeekday(3, 7)]), calendar([Fixed(3, 7)]))
    assert both.holidays == (LastWeekday(3, 7), Fixed(3, 7))


def test_what_is_no_holiday():
    for pattern in [Fixed(2, 30), Fixed(13, 1), NthWeekday(5, 0, 1), NthWeekday(5, 1, 6), Once(2023, 2, 29), (5, 1)]:
        with pytest.raises(CalendarError):
            calendar([pattern])


def test_what_is_no_weekend():
    for weekend in ([8], range(1, 8)):
        with pytest.raises(CalendarError):
            calendar(weekend=weekend)


def test_patterns_unpack():
    month, weekday, nth = NthWeekday(11, THU, 4)
    assert (month, weekday, nth) == (11, 4, 4)
