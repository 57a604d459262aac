from datetime import date

import pytest

from calends import (
    ALWAYS, FRI, MON, TUE, Move, Place, Rule, Span, format_rule, format_schedule, format_span, parse_rule,
    parse_schedule, parse_span, rule, schedule,
)
from calends.errors import NotationError


def test_spans():
    for text, expected in [
        ("2024-05-01", Span(date(2024, 5, 1), date(2024, 5, 1))),
        ("2024-05-01..2024-05-31", Span(date(2024, 5, 1), date(2024, 5, 31))),
        ("2024-05-01..", Span(date(2024, 5, 1), date.max)),
        ("..2024-05-01", Span(date.min, date(2024, 5, 1))),
        ("..", ALWAYS),
    ]:
        assert parse_span(text) == expected
        assert format_span(expected) == text


def test_blanks_and_case_do_not_matter():
    assert parse_span(" 2024-05-01  .. 2024-05-31 ") == parse_span("2024-05-01..2024-05-31")
    assert parse_rule("2024-05-01  EVERY Month on  2ND Tue") == parse_rule("2024-05-01 every month on 2nd tue")


@pytest.mark.parametrize(
    "text, expected",
    [
        ("2024-05-01 every day times 3", rule(date(2024, 5, 1), "day", times=3)),
        ("2024-05-01 every 2 weeks on mon, fri", rule(date(2024, 5, 1), "week", 2, weekdays=[MON, FRI])),
        (
            "2024-05-01 every month on 11th day, 2nd tue, last day, 3rd last day until 2025-01-01",
            rule(date(2024, 5, 1), "month", places=[Place(11), Place(2, TUE), Place(-1), Place(-3)],
                 until=date(2025, 1, 1)),
        ),
        (
            "2024-05-01 every 4 years in feb, sep on 2nd last fri",
            rule(date(2024, 5, 1), "year", 4, months=[9, 2], places=[Place(-2, FRI)]),
        ),
    ],
)
def test_rules(text, expected):
    assert parse_rule(text) == expected
    assert parse_rule(format_rule(expected)) == expected


def test_canonical_rule():
    each = rule(date(2024, 5, 31), "month", places=[Place(-1), Place(21), Place(2, TUE)])
    assert format_rule(each) == "2024-05-31 every month on 2nd tue, 21st day, last day"


def test_rule_without_parts():
    assert parse_rule("2024-05-31 every week") == Rule(date(2024, 5, 31), "week", weekdays=(FRI,))


def test_rules_that_cannot_be_read():
    for text, column, message in [
        ("", 1, "expected a date"),
        ("2024-02-30 every day", 1, "not a date: '2024-02-30'"),
        ("2024-02-01 each day", 12, "expected 'every'"),
        ("2024-02-01 every", 17, "expected a unit"),
        ("2024-02-01 every 2 moons", 20, "not a unit: 'moons'"),
        ("2024-02-01 every 2x weeks", 18, "not a number: '2x'"),
        ("2024-02-01 every week on tue,", 30, "expected a weekday"),
        ("2024-02-01 every week on tue,  tues", 32, "not a weekday: 'tues'"),
        ("2024-02-01 every month on 2th tue", 27, "expected a place such as '2nd tue' or 'last day'"),
        ("2024-02-01 every month in may", 24, "unexpected 'in'"),
        ("2024-02-01 every day times x", 28, "not a number: 'x'"),
        ("2024-02-01 every 0 days", 1, "every 0 days is never"),
        ("2024-02-01 every. day", 17, "a single dot means nothing"),
    ]:
        with pytest.raises(NotationError) as caught:
            parse_rule(text)
        assert (caught.value.line, caught.value.column, caught.value.message) == (1, column, message)


def test_span_that_ends_too_early():
    with pytest.raises(NotationError) as caught:
        parse_span(" 2024-02-02..2024-02-01")
    assert str(caught.value) == "1:2: span ends on 2024-02-01, before it begins on 2024-02-02"


SCHEDULE = """\
rule 2024-01-09 every 2 weeks on tue
date 2024-02-01
except 2024-03-01..2024-03-31
except 2024-08-01..
move 2024-02-06 to 2024-02-08
roll modified following"""


def test_schedule():
    each = parse_schedule(SCHEDULE)
    assert each == schedule(
        [rule(date(2024, 1, 9), "week", 2)],
        dates=[date(2024, 2, 1)],
        exceptions=[Span(date(2024, 3, 1), date(2024, 3, 31)), Span(date(2024, 8, 1), date.max)],
        moves=[Move(date(2024, 2, 6), date(2024, 2, 8))],
        roll="modified following",
    )
    assert format_schedule(each) == SCHEDULE


def test_comments_and_blank_lines():
    assert parse_schedule("# none\n\n  date 2024-02-01  # once\n") == schedule(dates=[date(2024, 2, 1)])
    assert parse_schedule("") == schedule()


def test_exceptions_in_a_list():
    each = parse_schedule("except 2024-01-02, 2024-01-03, ..2023-12-31")
    assert format_schedule(each) == "except ..2023-12-31\nexcept 2024-01-02..2024-01-03"


def test_schedules_that_cannot_be_read():
    for text, line, column in [
        ("date 2024-02-01\nnever 2024-02-02", 2, 1),
        ("date 2024-02-01 2024-02-02", 1, 17),
        ("\n  rule every day", 2, 8),
        ("move 2024-02-01 to", 1, 19),
        ("move 2024-02-01 to 2024-02-02\nmove 2024-02-01 to 2024-02-03", 2, 6),
        ("roll backwards", 1, 6),
        ("roll modified preceding", 1, 6),
        ("roll nearest\nroll nearest", 2, 1),
    ]:
        with pytest.raises(NotationError) as caught:
            parse_schedule(text)
        assert (caught.value.line, caught.value.column) == (line, column)
