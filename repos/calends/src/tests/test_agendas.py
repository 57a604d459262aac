from datetime import date
from itertools import islice

from calends import Entry, Fixed, Span, agenda, calendar, clashes, free_spans, parse_schedule

SCHEDULES = {
    "choir": parse_schedule("rule 2024-04-02 every week on tue"),
    "bins": parse_schedule("rule 2024-04-03 every 2 weeks on tue, wed"),
    "rent": parse_schedule("rule 2024-01-31 every month on last day"),
}


def lines(entries):
    return [f"{day:%d} {label}" for day, label in entries]


def test_agenda_is_by_day_and_then_as_given(april):
    assert lines(agenda(SCHEDULES, april)) == [
        "02 choir", "03 bins", "09 choir", "16 choir", "16 bins", "17 bins", "23 choir", "30 choir", "30 bins",
        "30 rent",
    ]


def test_agenda_without_an_end():
    assert list(islice(agenda(SCHEDULES), 2)) == [Entry(date(2024, 1, 31), "rent"), Entry(date(2024, 2, 29), "rent")]


def test_agenda_with_moves(april):
    schedules = {
        "choir": parse_schedule("rule 2024-04-02 every week\nmove 2024-04-23 to 2024-04-05"),
        "rent": parse_schedule("rule 2024-01-31 every month on last day\nmove 2024-03-31 to 2024-04-04"),
    }
    assert lines(agenda(schedules, april)) == [
        "02 choir", "04 rent", "05 choir", "09 choir", "16 choir", "30 choir", "30 rent",
    ]


def test_agenda_rolls_by_its_calendar(april):
    schedules = {"fee": parse_schedule("rule 2024-04-06 every 2 weeks\nroll following")}
    assert lines(agenda(schedules, april, calendar([Fixed(4, 8)]))) == ["09 fee", "22 fee"]


def test_clashes(april):
    assert [day.day for day in clashes(SCHEDULES, 2, april)] == [16, 30]
    assert [day.day for day in clashes(SCHEDULES, 3, april)] == [30]


def test_free_spans(april):
    assert free_spans(SCHEDULES, april)[:3] == (
        Span(date(2024, 4, 1), date(2024, 4, 1)),
        Span(date(2024, 4, 4), date(2024, 4, 8)),
        Span(date(2024, 4, 10), date(2024, 4, 15)),
    )
