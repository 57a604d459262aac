from datetime import date
from itertools import islice

import pytest

from calends import (
    Calendar, Move, Span, agenda, between, clashes, first_on_or_after, format_schedule, free_spans, occurrences,
    parse_schedule, rule, schedule, schedule_finder,
)
from calends.errors import ScheduleError

WEEKLY = "rule 2025-02-03 every week on mon\n"


def during(text, first, last):
    within = Span(date.fromisoformat(first), date.fromisoformat(last))
    return [day.isoformat() for day in between(parse_schedule(text), within)]


class Lazy(tuple):
    """Weekdays of a weekend that can only be looked at so many times."""

    looks = 0

    def __contains__(self, weekday):
        Lazy.looks += 1
        assert Lazy.looks <= 20_000, "not lazy"
        return tuple.__contains__(self, weekday)


def test_moved_past_others():
    assert during(WEEKLY + "move 2025-02-10 to 2025-02-26", "2025-02-01", "2025-03-03") == [
        "2025-02-03", "2025-02-17", "2025-02-24", "2025-02-26", "2025-03-03",
    ]


def test_moved_forward_past_others():
    assert during(WEEKLY + "move 2025-02-24 to 2025-02-05", "2025-02-01", "2025-03-03") == [
        "2025-02-03", "2025-02-05", "2025-02-10", "2025-02-17", "2025-03-03",
    ]


def test_moved_into_the_span_from_before():
    assert during(WEEKLY + "move 2025-02-03 to 2025-03-20", "2025-03-18", "2025-03-25") == ["2025-03-20", "2025-03-24"]


def test_moved_into_the_span_from_behind():
    assert during(WEEKLY + "move 2025-06-02 to 2025-02-07", "2025-02-04", "2025-02-16") == ["2025-02-07", "2025-02-10"]


def test_moved_to_either_end_of_the_span():
    text = WEEKLY + "move 2025-02-10 to 2025-04-01\nmove 2025-06-16 to 2025-04-11"
    assert during(text, "2025-04-01", "2025-04-11") == ["2025-04-01", "2025-04-07", "2025-04-11"]
    assert during(text, "2025-04-02", "2025-04-10") == ["2025-04-07"]


def test_moved_by_decades():
    text = WEEKLY + "move 2025-02-10 to 2061-07-15\nmove 2070-06-16 to 2025-02-04"
    assert during(text, "2061-07-12", "2061-07-18") == ["2061-07-15", "2061-07-18"]
    assert during(text, "2025-02-01", "2025-02-12") == ["2025-02-03", "2025-02-04"]
    assert during(text, "2070-06-10", "2070-06-20") == []


def test_moved_to_before_the_rule():
    assert during(WEEKLY + "move 2025-02-17 to 2024-12-24", "2024-12-01", "2025-02-11") == [
        "2024-12-24", "2025-02-03", "2025-02-10",
    ]


def test_moved_to_after_the_rule():
    text = "rule 2025-02-03 every week times 3\nmove 2025-02-03 to 2025-05-05\nmove 2025-02-10 to 2025-04-04"
    assert during(text, "2025-01-01", "2025-12-31") == ["2025-02-17", "2025-04-04", "2025-05-05"]
    assert during(text, "2025-02-18", "2025-04-30") == ["2025-04-04"]


def test_two_change_places():
    text = WEEKLY + "move 2025-02-10 to 2025-02-18\nmove 2025-02-17 to 2025-02-11"
    assert during(text, "2025-02-04", "2025-02-24") == ["2025-02-11", "2025-02-18", "2025-02-24"]


def test_several_on_one_day():
    text = WEEKLY + "move 2025-02-10 to 2025-03-10\nmove 2025-02-24 to 2025-03-10\nmove 2025-03-17 to 2025-03-10"
    assert during(text, "2025-02-01", "2025-03-24") == ["2025-02-03", "2025-02-17", "2025-03-03", "2025-03-10", "2025-03-24"]


def test_moved_to_where_another_is_moved_from():
    text = WEEKLY + "move 2025-03-10 to 2025-02-10\nmove 2025-02-10 to 2025-02-20"
    assert during(text, "2025-02-01", "2025-02-28") == ["2025-02-03", "2025-02-10", "2025-02-17", "2025-02-20", "2025-02-24"]


def test_moved_onto_an_exception():
    text = WEEKLY + "except 2025-02-10..2025-02-14\nmove 2025-03-03 to 2025-02-12"
    assert during(text, "2025-02-04", "2025-02-20") == ["2025-02-12", "2025-02-17"]


def test_moved_out_of_the_span():
    text = WEEKLY + "move 2025-02-10 to 2025-06-11\nmove 2025-02-17 to 2025-01-11"
    assert during(text, "2025-02-05", "2025-02-28") == ["2025-02-24"]
    assert during(text, "2025-06-10", "2025-06-12") == ["2025-06-11"]


def test_first_on_or_after():
    each = parse_schedule(WEEKLY + "move 2025-03-10 to 2025-02-06\nmove 2025-02-03 to 2025-02-12")
    days = [date(2025, 2, number) for number in (1, 3, 6, 7, 11, 12, 13)]
    assert [first_on_or_after(each, day).day for day in days] == [6, 6, 6, 10, 12, 12, 17]
    assert [schedule_finder(each)(day).day for day in days] == [6, 6, 6, 10, 12, 12, 17]


def test_last_one_is_moved_on():
    each = parse_schedule("rule 2025-02-03 every week times 2\nmove 2025-02-03 to 2025-02-15")
    days = [date(2025, 2, number) for number in (10, 11, 15, 16)]
    assert [first_on_or_after(each, day) for day in days] == [date(2025, 2, 10), date(2025, 2, 15), date(2025, 2, 15), None]


def test_occurrences_without_an_end():
    each = parse_schedule(WEEKLY + "move 2025-02-17 to 2025-02-04\nmove 2025-02-03 to 2025-02-27")
    assert [day.isoformat() for day in islice(occurrences(each), 5)] == [
        "2025-02-04", "2025-02-10", "2025-02-24", "2025-02-27", "2025-03-03",
    ]


def test_agenda_of_two():
    schedules = {
        "a": parse_schedule(WEEKLY + "move 2025-02-24 to 2025-02-11"),
        "b": parse_schedule("rule 2025-02-04 every week on tue\nmove 2025-02-04 to 2025-02-12"),
    }
    within = Span(date(2025, 2, 5), date(2025, 2, 20))
    assert [(day.day, label) for day, label in agenda(schedules, within)] == [
        (10, "a"), (11, "a"), (11, "b"), (12, "b"), (17, "a"), (18, "b"),
    ]


def test_clashes():
    schedules = {
        "a": parse_schedule(WEEKLY + "move 2025-03-24 to 2025-02-11"),
        "b": parse_schedule("rule 2025-02-04 every 2 weeks on tue\nmove 2025-02-04 to 2025-02-11"),
    }
    assert list(islice(clashes(schedules, 2), 1)) == [date(2025, 2, 11)]


def test_free_spans():
    schedules = {"a": parse_schedule(WEEKLY + "move 2025-03-24 to 2025-02-13\nmove 2025-02-10 to 2025-03-01")}
    assert free_spans(schedules, Span(date(2025, 2, 8), date(2025, 2, 17))) == (
        Span(date(2025, 2, 8), date(2025, 2, 12)), Span(date(2025, 2, 14), date(2025, 2, 16)),
    )


def test_moved_and_rolled():
    text = "rule 2025-02-01 every week\nmove 2025-03-01 to 2025-02-09\nmove 2025-02-08 to 2025-02-22\nroll following"
    assert during(text, "2025-02-02", "2025-02-25") == ["2025-02-03", "2025-02-09", "2025-02-17", "2025-02-22", "2025-02-24"]
    assert during(text, "2025-02-09", "2025-02-09") == ["2025-02-09"]


def test_moved_and_rolled_back():
    text = "rule 2025-02-01 every week\nmove 2025-02-08 to 2025-03-07\nmove 2025-03-15 to 2025-02-16\nroll preceding"
    assert during(text, "2025-02-10", "2025-03-10") == [
        "2025-02-14", "2025-02-16", "2025-02-21", "2025-02-28", "2025-03-07",
    ]


def test_lazy_with_moves():
    each = schedule(
        [rule(date(2025, 2, 1), "day")], moves=[Move(date(2025, 2, 3), date(2025, 5, 3))], roll="following",
    )
    Lazy.looks = 0
    days = occurrences(each, date(2025, 5, 2), calendar=Calendar(weekend=Lazy((6, 7))))
    assert [day.isoformat() for day in islice(days, 3)] == ["2025-05-02", "2025-05-03", "2025-05-05"]


# What works already, and must go on to.


def test_lazy_without_moves():
    each = schedule([rule(date(2025, 2, 1), "day")], roll="preceding")
    Lazy.looks = 0
    days = occurrences(each, date(2025, 5, 3), calendar=Calendar(weekend=Lazy((6, 7))))
    assert [day.isoformat() for day in islice(days, 2)] == ["2025-05-05", "2025-05-06"]


def test_moved_by_a_day():
    assert during(WEEKLY + "move 2025-02-10 to 2025-02-11", "2025-02-01", "2025-02-20") == [
        "2025-02-03", "2025-02-11", "2025-02-17",
    ]


def test_moves_do_not_chain():
    text = WEEKLY + "move 2025-02-03 to 2025-02-10\nmove 2025-02-10 to 2025-02-12"
    assert during(text, "2025-02-01", "2025-02-20") == ["2025-02-10", "2025-02-12", "2025-02-17"]


def test_move_of_no_occurrence():
    assert during(WEEKLY + "move 2025-02-11 to 2025-02-12", "2025-02-08", "2025-02-20") == ["2025-02-10", "2025-02-17"]
    assert during("move 2025-02-11 to 2025-02-12", "2025-01-01", "2025-12-31") == []


def test_move_of_an_exception():
    text = WEEKLY + "except 2025-02-10\nmove 2025-02-10 to 2025-02-12"
    assert during(text, "2025-02-01", "2025-02-20") == ["2025-02-03", "2025-02-17"]


def test_move_of_a_day_before_or_after_the_rule():
    text = "rule 2025-02-03 every week times 2\nmove 2025-01-27 to 2025-02-04\nmove 2025-02-17 to 2025-02-05"
    assert during(text, "2025-01-01", "2025-12-31") == ["2025-02-03", "2025-02-10"]


def test_move_to_the_same_day():
    assert during(WEEKLY + "move 2025-02-10 to 2025-02-10", "2025-02-08", "2025-02-20") == ["2025-02-10", "2025-02-17"]


def test_rolled_without_moves():
    text = "rule 2025-02-01 every week\nroll following"
    assert during(text, "2025-02-02", "2025-02-17") == ["2025-02-03", "2025-02-10", "2025-02-17"]
    assert during(text.replace("following", "preceding"), "2025-02-02", "2025-02-14") == ["2025-02-07", "2025-02-14"]


def test_two_rules_and_dates():
    text = WEEKLY + "rule 2025-02-03 every 2 weeks on mon, tue\ndate 2025-02-12\ndate 2025-02-10"
    assert during(text, "2025-02-04", "2025-02-18") == ["2025-02-04", "2025-02-10", "2025-02-12", "2025-02-17", "2025-02-18"]


def test_contradicting_moves():
    with pytest.raises(ScheduleError):
        parse = [Move(date(2025, 2, 3), date(2025, 2, 4)), Move(date(2025, 2, 3), date(2025, 2, 5))]
        schedule(moves=parse)


def test_notation_of_moves():
    text = "date 2025-02-03\nmove 2025-02-03 to 2025-01-01\nmove 2025-03-03 to 2025-02-02"
    assert format_schedule(parse_schedule(text)) == text
