from datetime import date
from itertools import islice

import pytest

from calends import (
    WEEKDAYS, Fixed, Move, between, calendar, first_on_or_after, occurrences, parse_schedule, rule, schedule,
    schedule_finder, span,
)
from calends.errors import ScheduleError


def on(text):
    return date.fromisoformat(text)


def during(text, first, last, **options):
    days = between(parse_schedule(text), span(on(first), on(last)), **options)
    return [day.isoformat() for day in days]


def test_rules_and_dates_are_merged():
    text = "rule 2024-01-02 every week\nrule 2024-01-02 every 2 weeks on tue, wed\ndate 2024-01-05\ndate 2024-01-09"
    assert during(text, "2024-01-01", "2024-01-16") == [
        "2024-01-02", "2024-01-03", "2024-01-05", "2024-01-09", "2024-01-16",
    ]


def test_exceptions():
    text = "rule 2024-01-01 every day\nexcept 2024-01-03..2024-01-08, 2024-01-10\ndate 2024-01-05"
    assert during(text, "2024-01-02", "2024-01-11") == ["2024-01-02", "2024-01-09", "2024-01-11"]


def test_exceptions_do_not_give_more_times():
    assert during("rule 2024-01-01 every day times 3\nexcept 2024-01-02", "2024-01-01", "2024-01-31") == [
        "2024-01-01", "2024-01-03",
    ]


def test_endless_schedules_are_lazy(isos):
    each = schedule([rule(date(2024, 1, 1), "week")])
    assert isos(islice(occurrences(each), 2)) == ["2024-01-01", "2024-01-08"]


def test_first_on_or_after():
    each = schedule([rule(date(2024, 1, 1), "week", until=date(2024, 2, 1))])
    assert first_on_or_after(each, on("2024-01-09")) == on("2024-01-15")
    assert first_on_or_after(each, on("2024-01-30")) is None


def test_finder():
    find = schedule_finder(schedule(dates=[on("2024-01-09"), on("2024-01-05")]))
    assert [find(on(text)) for text in ("2024-01-01", "2024-01-05", "2024-01-06", "2024-01-10")] == [
        on("2024-01-05"), on("2024-01-05"), on("2024-01-09"), None,
    ]


class TestMoves:
    weekly = "rule 2024-01-02 every week\n"

    def test_later_within_the_week(self):
        assert during(self.weekly + "move 2024-01-09 to 2024-01-11", "2024-01-01", "2024-01-16") == [
            "2024-01-02", "2024-01-11", "2024-01-16",
        ]

    def test_past_others(self):
        assert during(self.weekly + "move 2024-01-09 to 2024-01-25", "2024-01-01", "2024-01-31") == [
            "2024-01-02", "2024-01-16", "2024-01-23", "2024-01-25", "2024-01-30",
        ]

    def test_into_the_span(self):
        text = self.weekly + "move 2024-01-30 to 2024-01-12\nmove 2024-01-02 to 2024-01-13"
        assert during(text, "2024-01-10", "2024-01-20") == ["2024-01-12", "2024-01-13", "2024-01-16"]

    def test_first_on_or_after(self):
        each = parse_schedule(self.weekly + "move 2024-01-30 to 2024-01-12")
        assert first_on_or_after(each, on("2024-01-10")) == on("2024-01-12")

    def test_onto_another_occurrence(self):
        assert during(self.weekly + "move 2024-01-09 to 2024-01-16", "2024-01-01", "2024-01-17") == [
            "2024-01-02", "2024-01-16",
        ]

    def test_of_what_does_not_take_place(self):
        text = self.weekly + "move 2024-01-10 to 2024-01-11\nexcept 2024-01-16\nmove 2024-01-16 to 2024-01-17"
        assert during(text, "2024-01-08", "2024-01-20") == ["2024-01-09"]

    def test_do_not_chain(self):
        text = self.weekly + "move 2024-01-09 to 2024-01-16\nmove 2024-01-16 to 2024-01-18"
        assert during(text, "2024-01-08", "2024-01-20") == ["2024-01-16", "2024-01-18"]

    def test_beyond_the_ends_of_the_rule(self):
        text = "rule 2024-01-02 every week times 3\nmove 2024-01-02 to 2023-12-30\nmove 2024-01-16 to 2024-02-20"
        assert during(text, "2023-01-01", "2024-12-31") == ["2023-12-30", "2024-01-09", "2024-02-20"]

    def test_cannot_contradict(self):
        moves = [Move(on("2024-01-09"), on("2024-01-10")), Move(on("2024-01-09"), on("2024-01-11"))]
        with pytest.raises(ScheduleError):
            schedule([rule(on("2024-01-02"), "week")], moves=moves)

    def test_same_move_twice(self):
        move = Move(on("2024-01-09"), on("2024-01-10"))
        assert schedule(moves=[move, move]).moves == (move,)


class TestRoll:
    monthly = "rule 2024-01-31 every month on last day\n"

    def test_conventions(self):
        march, june = ("2024-03-20", "2024-04-20"), ("2024-06-20", "2024-07-10")
        assert during(self.monthly + "roll following", *march) == ["2024-04-01"]
        assert during(self.monthly + "roll preceding", *march) == ["2024-03-29"]
        assert during(self.monthly + "roll modified following", *june) == ["2024-06-28"]
        assert during(self.monthly + "roll nearest", *june) == ["2024-07-01"]

    def test_calendar(self):
        holidays = calendar([Fixed(4, 1)])
        assert during(self.monthly + "roll following", "2024-03-20", "2024-04-20", calendar=holidays) == ["2024-04-02"]

    def test_into_the_span(self):
        assert during(self.monthly + "roll following", "2024-04-01", "2024-04-29") == ["2024-04-01"]
        assert during(self.monthly + "roll preceding", "2024-03-01", "2024-03-30") == ["2024-03-29"]

    def test_out_of_the_span(self):
        assert during(self.monthly + "roll preceding", "2024-03-30", "2024-04-29") == []

    def test_onto_another_occurrence(self):
        assert during("rule 2024-01-05 every day\nroll following", "2024-01-05", "2024-01-09") == [
            "2024-01-05", "2024-01-08", "2024-01-09",
        ]

    def test_exceptions_are_meant_before_rolling(self):
        text = "rule 2024-01-06 every week\nexcept 2024-01-13, 2024-01-22\nroll following"
        assert during(text, "2024-01-01", "2024-01-31") == ["2024-01-08", "2024-01-22", "2024-01-29"]

    def test_what_is_moved_is_not_rolled(self):
        text = "rule 2024-01-06 every week times 2\nmove 2024-01-06 to 2024-01-07\nroll following"
        assert during(text, "2024-01-01", "2024-01-31") == ["2024-01-07", "2024-01-15"]

    def test_finder_rolls(self):
        find = schedule_finder(parse_schedule("date 2024-01-06\nroll following"), WEEKDAYS)
        assert [find(on(text)) for text in ("2024-01-08", "2024-01-09")] == [on("2024-01-08"), None]

    def test_unknown_convention(self):
        with pytest.raises(ScheduleError):
            schedule(roll="backwards")
