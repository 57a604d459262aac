from datetime import date
from itertools import islice

import pytest

from calends import (
    Entry, Fixed, Move, Once, Schedule, Span, agenda, between, calendar, clashes, first_on_or_after, format_schedule,
    free_spans, occurrences, parse_schedule, rule, schedule, schedule_finder,
)
from calends.errors import NotationError, ScheduleError

SUMMER = calendar([Once(2025, 8, day) for day in range(1, 22)])
WEEKLY = "rule 2025-03-01 every week"


def during(text, first, last, **options):
    within = Span(date.fromisoformat(first), date.fromisoformat(last))
    return [day.isoformat() for day in between(parse_schedule(text), within, **options)]


@pytest.mark.parametrize(
    ("convention", "expected"),
    [
        ("following", ["2025-05-30", "2025-07-01", "2025-09-01", "2025-10-01"]),
        ("preceding", ["2025-05-30", "2025-06-27", "2025-08-29", "2025-10-01"]),
        ("modified following", ["2025-05-30", "2025-06-27", "2025-08-29", "2025-10-01"]),
        ("nearest", ["2025-05-30", "2025-07-01", "2025-08-29", "2025-10-01"]),
    ],
)
def test_conventions(convention, expected):
    text = f"date 2025-05-30\ndate 2025-06-29\ndate 2025-08-30\ndate 2025-10-01\nroll {convention}"
    free = calendar([Once(2025, 6, 30)])
    assert during(text, "2025-01-01", "2025-12-31", calendar=free) == expected


def test_rolled_into_the_span_from_before():
    assert during(WEEKLY + "\nroll following", "2025-03-10", "2025-03-16") == ["2025-03-10"]


def test_rolled_into_the_span_from_behind():
    assert during(WEEKLY + "\nroll preceding", "2025-03-03", "2025-03-07") == ["2025-03-07"]


def test_rolled_out_of_the_span():
    assert during(WEEKLY + "\nroll following", "2025-03-07", "2025-03-09") == []
    assert during(WEEKLY + "\nroll preceding", "2025-03-08", "2025-03-13") == []


def test_rolled_over_a_long_break():
    text = "date 2025-08-02\nroll following"
    assert during(text, "2025-08-22", "2025-08-22", calendar=SUMMER) == ["2025-08-22"]
    assert during(text, "2025-08-10", "2025-08-25", calendar=SUMMER) == ["2025-08-22"]
    assert during(text, "2025-08-02", "2025-08-21", calendar=SUMMER) == []


def test_rolled_back_over_a_long_break():
    text = "date 2025-08-20\nroll preceding"
    assert during(text, "2025-07-31", "2025-07-31", calendar=SUMMER) == ["2025-07-31"]
    assert during(text, "2025-08-01", "2025-08-31", calendar=SUMMER) == []


def test_first_on_or_after():
    each = parse_schedule("rule 2025-03-01 every 2 weeks times 2\nroll following")
    days = [date(2025, 3, number) for number in (1, 2, 3, 4, 15, 17, 18)]
    assert [first_on_or_after(each, day) for day in days] == [
        date(2025, 3, 3), date(2025, 3, 3), date(2025, 3, 3), date(2025, 3, 17), date(2025, 3, 17), date(2025, 3, 17), None,
    ]


def test_first_on_or_after_rolled_back():
    each = parse_schedule("date 2025-03-15\nroll preceding")
    assert [first_on_or_after(each, date(2025, 3, number)) for number in (14, 15)] == [date(2025, 3, 14), None]


def test_finder_has_a_calendar():
    each = parse_schedule("date 2025-08-05\nroll nearest")
    assert schedule_finder(each, calendar=SUMMER)(date(2025, 7, 1)) == date(2025, 7, 31)
    assert schedule_finder(each)(date(2025, 7, 1)) == date(2025, 8, 5)


def test_two_on_one_day_are_one():
    text = "rule 2025-03-08 every day times 4\nroll following"
    assert during(text, "2025-03-01", "2025-03-31") == ["2025-03-10", "2025-03-11"]
    assert during(text, "2025-03-10", "2025-03-10") == ["2025-03-10"]


def test_exceptions_are_before_rolling():
    text = WEEKLY + " times 4\nexcept 2025-03-08, 2025-03-17, 2025-03-24\nroll following"
    assert during(text, "2025-03-01", "2025-03-31") == ["2025-03-03", "2025-03-17", "2025-03-24"]


def test_until_is_before_rolling():
    assert during("rule 2025-03-01 every week until 2025-03-08\nroll following", "2025-03-01", "2025-03-31") == [
        "2025-03-03", "2025-03-10",
    ]


def test_moved_occurrences_are_not_rolled():
    text = WEEKLY + " times 3\nmove 2025-03-08 to 2025-03-09\nmove 2025-03-15 to 2025-04-05\nroll preceding"
    assert during(text, "2025-02-01", "2025-04-30") == ["2025-02-28", "2025-03-09", "2025-04-05"]


def test_moves_name_days_before_rolling():
    text = WEEKLY + " times 2\nmove 2025-03-03 to 2025-03-05\nmove 2025-03-08 to 2025-03-12\nroll following"
    assert during(text, "2025-03-01", "2025-03-31") == ["2025-03-03", "2025-03-12"]


def test_rolled_onto_a_moved_one():
    text = WEEKLY + " times 2\nmove 2025-03-01 to 2025-03-10\nroll following"
    assert during(text, "2025-03-01", "2025-03-31") == ["2025-03-10"]


def test_without_an_end():
    each = schedule([rule(date(2025, 3, 2), "week")], roll="following")
    assert list(islice(occurrences(each), 3)) == [date(2025, 3, 3), date(2025, 3, 10), date(2025, 3, 17)]
    assert next(occurrences(each, date(2140, 1, 1))) == date(2140, 1, 4)


def test_agenda():
    schedules = {"fee": parse_schedule("date 2025-08-09\nroll following"), "tax": parse_schedule("date 2025-08-22")}
    within = Span(date(2025, 8, 11), date(2025, 8, 31))
    assert list(agenda(schedules, within)) == [Entry(date(2025, 8, 11), "fee"), Entry(date(2025, 8, 22), "tax")]
    assert list(agenda(schedules, within, calendar=SUMMER)) == [
        Entry(date(2025, 8, 22), "fee"), Entry(date(2025, 8, 22), "tax"),
    ]


def test_clashes():
    schedules = {"fee": parse_schedule("date 2025-08-09\nroll following"), "tax": parse_schedule("date 2025-08-22")}
    assert list(clashes(schedules, 2)) == []
    assert list(clashes(schedules, 2, calendar=SUMMER)) == [date(2025, 8, 22)]


def test_free_spans():
    schedules = {"fee": parse_schedule("date 2025-08-09\nroll preceding")}
    within = Span(date(2025, 7, 30), date(2025, 8, 9))
    assert free_spans(schedules, within, calendar=SUMMER) == (
        Span(date(2025, 7, 30), date(2025, 7, 30)), Span(date(2025, 8, 1), date(2025, 8, 9)),
    )


def test_field():
    assert Schedule._fields == ("rules", "dates", "exceptions", "moves", "roll")
    assert schedule().roll is None
    assert schedule(roll="nearest") == Schedule(roll="nearest")


@pytest.mark.parametrize("convention", ["backwards", "", "Following", "modified"])
def test_unknown_convention(convention):
    with pytest.raises(ScheduleError):
        schedule(roll=convention)


@pytest.mark.parametrize("convention", ["following", "preceding", "modified following", "nearest"])
def test_notation(convention):
    each = parse_schedule(f"  ROLL {convention.upper()}  # why not\ndate 2025-03-01")
    assert each == schedule(dates=[date(2025, 3, 1)], roll=convention)
    assert format_schedule(each) == f"date 2025-03-01\nroll {convention}"
    assert parse_schedule(format_schedule(each)) == each


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("roll nearest following", 1, 14),
        ("date 2025-03-01\n roll never", 2, 7),
        ("roll following preceding", 1, 16),
        ("roll   modified nearest", 1, 8),
        ("roll", 1, 5),
        ("roll nearest\n  roll following", 2, 3),
    ],
)
def test_roll_that_cannot_be_read(text, line, column):
    assert parse_schedule("roll nearest").roll == "nearest"
    with pytest.raises(NotationError) as caught:
        parse_schedule(text)
    assert (caught.value.line, caught.value.column) == (line, column)


# What works already, and must go on to.


def test_without_roll_days_off_are_kept():
    assert during(WEEKLY + " times 2", "2025-03-01", "2025-03-31") == ["2025-03-01", "2025-03-08"]


def test_moves_without_roll():
    text = WEEKLY + " times 3\nmove 2025-03-01 to 2025-03-20\nmove 2025-03-15 to 2025-02-20"
    assert during(text, "2025-02-01", "2025-03-31") == ["2025-02-20", "2025-03-08", "2025-03-20"]


def test_exceptions_without_roll():
    assert during(WEEKLY + "\nexcept 2025-03-08..2025-03-21, 2025-03-29..", "2025-03-02", "2025-04-30") == ["2025-03-22"]


def test_format_without_roll():
    text = "rule 2025-03-01 every week on sat\nmove 2025-03-08 to 2025-03-09"
    assert format_schedule(parse_schedule(text)) == text


@pytest.mark.parametrize(("text", "column"), [("rolls nearest", 1), ("  rol nearest", 3), ("date 2025-03-01 roll", 17)])
def test_other_words_are_refused(text, column):
    with pytest.raises(NotationError) as caught:
        parse_schedule(text)
    assert (caught.value.line, caught.value.column) == (1, column)


def test_contradicting_moves_are_refused():
    with pytest.raises(ScheduleError):
        schedule(moves=[Move(date(2025, 3, 1), date(2025, 3, 2)), Move(date(2025, 3, 1), date(2025, 3, 3))])


def test_schedules_by_position():
    assert Schedule((), (date(2025, 3, 1),), (), ()) == schedule(dates=[date(2025, 3, 1)])


def test_agenda_without_roll():
    schedules = {"b": parse_schedule("date 2025-03-01"), "a": parse_schedule("date 2025-03-01\ndate 2025-02-01")}
    assert [tuple(entry) for entry in agenda(schedules)] == [
        (date(2025, 2, 1), "a"), (date(2025, 3, 1), "b"), (date(2025, 3, 1), "a"),
    ]


def test_clashes_without_roll():
    schedules = {"b": parse_schedule(WEEKLY), "a": parse_schedule("rule 2025-03-01 every 3 weeks")}
    assert list(islice(clashes(schedules), 2)) == [date(2025, 3, 1), date(2025, 3, 22)]


def test_holidays_do_not_matter_without_roll():
    assert parse_schedule("date 2025-12-25") == schedule(dates=[date(2025, 12, 25)])
    assert first_on_or_after(schedule(dates=[date(2025, 12, 25)]), date(2025, 12, 1)) == date(2025, 12, 25)
    assert calendar([Fixed(12, 25)]).holidays == (Fixed(12, 25),)
