from datetime import date
from itertools import islice

import pytest

from calends import ANY, FRI, MON, SUN, THU, TUE, Place, rule, rule_days
from calends.errors import RuleError


def first(number, each, since=date.min):
    return [day.isoformat() for day in islice(rule_days(each, since), number)]


def test_every_third_day():
    assert first(3, rule(date(2024, 2, 27), "day", 3)) == ["2024-02-27", "2024-03-01", "2024-03-04"]


def test_weeks_have_the_weekday_of_the_start():
    assert rule(date(2024, 1, 10), "week").weekdays == (3,)


def test_every_second_week_counts_whole_weeks():
    each = rule(date(2024, 1, 10), "week", 2, weekdays=[TUE, THU])
    assert first(4, each) == ["2024-01-11", "2024-01-23", "2024-01-25", "2024-02-06"]


def test_sunday_ends_the_week():
    each = rule(date(2024, 1, 7), "week", 2, weekdays=[MON, SUN])
    assert first(3, each) == ["2024-01-07", "2024-01-15", "2024-01-21"]


def test_months_without_a_31st_are_left_out():
    assert first(3, rule(date(2024, 1, 31), "month")) == ["2024-01-31", "2024-03-31", "2024-05-31"]


def test_last_day():
    each = rule(date(2024, 1, 31), "month", places=[Place(-1)])
    assert first(3, each) == ["2024-01-31", "2024-02-29", "2024-03-31"]


def test_fifth_friday():
    each = rule(date(2024, 1, 1), "month", places=[Place(5, FRI)])
    assert first(3, each) == ["2024-03-29", "2024-05-31", "2024-08-30"]


def test_places_that_meet_are_one_day():
    each = rule(date(2024, 4, 1), "month", places=[Place(30), Place(-1), Place(1)])
    assert first(4, each) == ["2024-04-01", "2024-04-30", "2024-05-01", "2024-05-30"]


def test_years():
    each = rule(date(2024, 3, 1), "year", months=[9, 2], places=[Place(1, MON)])
    assert first(3, each) == ["2024-09-02", "2025-02-03", "2025-09-01"]


def test_leap_days():
    assert first(2, rule(date(2023, 2, 28), "year", places=[Place(29)])) == ["2024-02-29", "2028-02-29"]


def test_times():
    assert first(9, rule(date(2024, 1, 31), "month", times=2)) == ["2024-01-31", "2024-03-31"]


def test_until_is_included():
    assert first(9, rule(date(2024, 1, 1), "week", until=date(2024, 1, 8))) == ["2024-01-01", "2024-01-08"]


@pytest.mark.parametrize(
    "each",
    [
        rule(date(2024, 1, 1), "day", 5),
        rule(date(2024, 1, 6), "week", 3, weekdays=[MON, SUN]),
        rule(date(2024, 1, 31), "month", 2, places=[Place(31), Place(-2, FRI)]),
        rule(date(2020, 2, 29), "year", 4),
        rule(date(2024, 1, 1), "week", 2, times=20),
        rule(date(2024, 1, 1), "month", until=date(2024, 9, 1)),
    ],
    ids=lambda each: each.unit,
)
def test_since_only_leaves_out(each):
    for since in (date(2023, 1, 1), date(2024, 2, 29), date(2024, 8, 31), date(2025, 1, 5)):
        listed = [text for text in first(40, each) if text >= since.isoformat()][:5]
        assert first(5, each, since)[:len(listed)] == listed


def test_rules_end_with_the_calendar():
    assert first(5, rule(date(2000, 1, 1), "day", 7), date(9999, 12, 20)) == ["9999-12-25"]
    assert first(5, rule(date(9999, 12, 31), "month")) == ["9999-12-31"]
    assert first(5, rule(date(9998, 12, 31), "year")) == ["9998-12-31", "9999-12-31"]
    assert first(5, rule(date(9999, 12, 27), "week", weekdays=[FRI, SUN])) == ["9999-12-31"]


def test_first_week_of_the_calendar():
    assert first(2, rule(date(1, 1, 1), "week", weekdays=[SUN])) == ["0001-01-07", "0001-01-14"]


def test_what_is_no_rule():
    for unit, options in [
        ("fortnight", {}),
        ("day", {"every": 0}),
        ("day", {"weekdays": [MON]}),
        ("week", {"weekdays": [8]}),
        ("month", {"places": [Place(32)]}),
        ("month", {"places": [Place(6, FRI)]}),
        ("year", {"months": [13]}),
        ("day", {"times": 0}),
        ("day", {"until": date(2024, 12, 31), "times": 3}),
    ]:
        with pytest.raises(RuleError):
            rule(date(2024, 1, 1), unit, **options)


def test_parts_are_put_in_order():
    each = rule(date(2024, 1, 1), "month", places=[Place(-1), Place(3, TUE), Place(3), Place(3)])
    assert each.places == (Place(3, ANY), Place(3, TUE), Place(-1))
