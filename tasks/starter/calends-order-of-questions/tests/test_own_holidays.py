from datetime import date

import pytest

from calends import (
    FRI, MON, SAT, SUN, THU, TUE, WED, Calendar, Fixed, FromEaster, LastWeekday, NthWeekday, Once, Span,
    add_business_days, agenda, between, business_days, calendar, combine, count_business_days, holidays_in,
    is_business_day, next_business_day, parse_schedule, previous_business_day, roll,
)

# Holidays are remembered for the life of the process, so each test has numbers of its own.


def off(each, *days):
    return [not is_business_day(each, day) for day in days]


def test_fixed_day_is_asked_first():
    fixed, last = calendar([Fixed(9, 1)]), calendar([LastWeekday(9, MON)])
    assert off(fixed, date(2025, 9, 1), date(2025, 9, 29)) == [True, False]
    assert off(last, date(2025, 9, 1), date(2025, 9, 29)) == [False, True]
    assert off(fixed, date(2025, 9, 1), date(2025, 9, 29)) == [True, False]


def test_last_weekday_is_asked_first():
    fixed, last = calendar([Fixed(10, 5)]), calendar([LastWeekday(10, FRI)])
    assert off(last, date(2023, 10, 5), date(2023, 10, 27)) == [False, True]
    assert off(fixed, date(2023, 10, 5), date(2023, 10, 27)) == [True, False]
    assert off(last, date(2023, 10, 5), date(2023, 10, 27)) == [False, True]


def test_one_of_several_holidays_differs():
    one = calendar([FromEaster(1), Fixed(6, 2), Fixed(12, 24)])
    other = calendar([FromEaster(1), LastWeekday(6, TUE), Fixed(12, 24)])
    assert sorted(holidays_in(one, 2025)) == [date(2025, 4, 21), date(2025, 6, 2), date(2025, 12, 24)]
    assert sorted(holidays_in(other, 2025)) == [date(2025, 4, 21), date(2025, 6, 24), date(2025, 12, 24)]


def test_nth_weekday_and_day_of_the_year_2():
    assert holidays_in(calendar([NthWeekday(2, MON, 3)]), 2) == {date(2, 2, 18)}
    assert holidays_in(calendar([Once(2, 1, 3)]), 2) == {date(2, 1, 3)}


def test_first_and_second_of_three_numbers():
    both = calendar([NthWeekday(7, WED, 5), Once(7, 3, 5)])
    assert len(both.holidays) == 2
    assert holidays_in(both, 7) == {date(7, 3, 5)}


def test_observed_calendars():
    fixed = calendar([Fixed(11, 2)], observed=True)
    last = calendar([LastWeekday(11, TUE)], observed=True)
    assert holidays_in(fixed, 2024) == {date(2024, 11, 2), date(2024, 11, 4)}
    assert holidays_in(last, 2024) == {date(2024, 11, 26)}


def test_both_in_one_calendar():
    both = calendar([LastWeekday(8, THU), Fixed(8, 4)])
    assert [type(pattern).__name__ for pattern in both.holidays] == ["LastWeekday", "Fixed"]
    assert holidays_in(both, 2025) == {date(2025, 8, 28), date(2025, 8, 4)}


def test_each_kind_once_in_the_order_given():
    given = [Fixed(4, 3), LastWeekday(4, WED), Fixed(4, 3), FromEaster(40), LastWeekday(4, WED), Fixed(4, 4)]
    assert [(type(pattern).__name__, tuple(pattern)) for pattern in calendar(given).holidays] == [
        ("Fixed", (4, 3)), ("LastWeekday", (4, 3)), ("FromEaster", (40,)), ("Fixed", (4, 4)),
    ]


def test_combined_calendars():
    both = combine(calendar([Fixed(3, 4)]), calendar([LastWeekday(3, THU)], weekend=[SUN]))
    assert [type(pattern).__name__ for pattern in both.holidays] == ["Fixed", "LastWeekday"]
    assert off(both, date(2026, 3, 4), date(2026, 3, 26), date(2026, 3, 5)) == [True, True, False]


def test_count_and_list():
    fixed, last = calendar([Fixed(1, 3)]), calendar([LastWeekday(1, WED)])
    late = Span(date(2024, 1, 29), date(2024, 2, 2))
    assert (count_business_days(fixed, late), count_business_days(last, late)) == (5, 4)
    assert list(business_days(last, late)) == [
        date(2024, 1, 29), date(2024, 1, 30), date(2024, 2, 1), date(2024, 2, 2),
    ]


def test_adding_days():
    fixed, last = calendar([Fixed(7, 1)]), calendar([LastWeekday(7, MON)])
    assert add_business_days(fixed, date(2024, 6, 28), 1) == date(2024, 7, 2)
    assert add_business_days(last, date(2024, 6, 28), 1) == date(2024, 7, 1)
    assert add_business_days(last, date(2024, 7, 26), 1) == date(2024, 7, 30)


def test_rolling():
    last, fixed = calendar([LastWeekday(2, THU)]), calendar([Fixed(2, 4)])
    assert roll(last, date(2027, 2, 25), "preceding") == date(2027, 2, 24)
    assert roll(fixed, date(2027, 2, 25), "preceding") == date(2027, 2, 25)
    assert roll(fixed, date(2027, 2, 4), "following") == date(2027, 2, 5)


def test_schedules_that_roll():
    fixed, last = calendar([Fixed(12, 1)]), calendar([LastWeekday(12, MON)])
    each = parse_schedule("rule 2025-12-01 every month on 1st day, 29th day times 2\nroll following")
    within = Span(date(2025, 12, 1), date(2025, 12, 31))
    assert between(each, within, fixed) == (date(2025, 12, 2), date(2025, 12, 29))
    assert between(each, within, last) == (date(2025, 12, 1), date(2025, 12, 30))
    assert [entry.day.day for entry in agenda({"fee": each}, within, fixed)] == [2, 29]


# What works already, and must go on to.


def test_patterns_are_tuples():
    month, weekday = LastWeekday(5, 6)
    assert (month, weekday) == (5, 6)
    assert tuple(Fixed(5, 6)) == (5, 6)
    assert Fixed(5, 6)._replace(day=7) == Fixed(5, 7)
    assert isinstance(FromEaster(50), tuple)
    assert Once._fields == ("year", "month", "day")


def test_equal_patterns():
    assert Fixed(9, 9) == Fixed(9, 9)
    assert Fixed(9, 9) != Fixed(9, 8)
    assert not (LastWeekday(9, 2) != LastWeekday(9, 2))
    assert len({NthWeekday(9, 2, 1), NthWeekday(9, 2, 1), NthWeekday(9, 2, 3)}) == 2
    assert {Fixed(9, 9): "ninth"}[Fixed(9, 9)] == "ninth"


def test_what_is_equal_has_one_hash():
    pairs = [(Fixed(9, 2), LastWeekday(9, 2)), (NthWeekday(9, 2, 1), Once(9, 2, 1)), (Fixed(9, 2), Fixed(9, 2))]
    pairs += [(calendar([one]), calendar([other])) for one, other in pairs]
    assert [one != other or hash(one) == hash(other) for one, other in pairs] == [True] * 6


def test_equal_calendars():
    one, other = calendar([Fixed(1, 19), FromEaster(2)]), calendar([Fixed(1, 19), FromEaster(2), Fixed(1, 19)])
    assert one == other
    assert hash(one) == hash(other)
    assert one != calendar([Fixed(1, 19)])
    assert {one: "office"}[other] == "office"


def test_calendars_are_tuples():
    weekend, holidays, observed = calendar([Fixed(1, 29)], weekend=[FRI, SAT])
    assert (weekend, holidays, observed) == ((5, 6), (Fixed(1, 29),), False)
    assert Calendar(holidays=(Fixed(1, 29),)) == calendar([Fixed(1, 29)])


def test_answers_are_remembered():
    each = calendar([Fixed(1, 30), LastWeekday(3, SUN)])
    assert holidays_in(each, 2028) is holidays_in(each, 2028)
    assert holidays_in(each, 2028) == {date(2028, 1, 30), date(2028, 3, 26)}
    assert isinstance(holidays_in(each, 2029), frozenset)


def test_years_are_told_apart():
    each = calendar([LastWeekday(3, SAT)])
    assert [sorted(holidays_in(each, year)) for year in (2030, 2031)] == [[date(2030, 3, 30)], [date(2031, 3, 29)]]


def test_weekends_are_told_apart():
    gulf, europe = calendar([Fixed(1, 18)], weekend=[FRI, SAT]), calendar([Fixed(1, 18)])
    days = (date(2030, 1, 18), date(2030, 1, 20), date(2030, 1, 25))
    assert off(gulf, *days) == [True, False, True]
    assert off(europe, *days) == [True, True, False]


def test_observed_is_told_apart():
    plain, observed = calendar([Fixed(1, 20)]), calendar([Fixed(1, 20)], observed=True)
    assert holidays_in(plain, 2030) == {date(2030, 1, 20)}
    assert holidays_in(observed, 2030) == {date(2030, 1, 20), date(2030, 1, 21)}
    assert next_business_day(observed, date(2030, 1, 20)) == date(2030, 1, 22)
    assert previous_business_day(plain, date(2030, 1, 20)) == date(2030, 1, 18)


@pytest.mark.parametrize("number", [1, 3])
def test_same_holiday_twice_counts_once(number):
    assert calendar([Fixed(1, 21)] * number + [FromEaster(3)]).holidays == (Fixed(1, 21), FromEaster(3))
