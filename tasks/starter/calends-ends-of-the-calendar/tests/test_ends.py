from datetime import date
from itertools import islice

import pytest

from calends import ALWAYS, Span, free_spans, parse_schedule, parse_span, schedule, spanset
from calends.errors import SpanError
from calends.spans import (
    complement, covers, days_of, difference, intersection, length, shift, span_at, total_days, touches, union, widen,
)

FIRST, LAST = date.min, date.max
FROM_2040 = Span(date(2040, 1, 1), LAST)
TO_2020 = Span(FIRST, date(2020, 12, 31))
MIDDLE = Span(date(2021, 1, 1), date(2039, 12, 31))


def test_complement_of_a_span_without_an_end():
    assert complement((FROM_2040,)) == (Span(FIRST, date(2039, 12, 31)),)


def test_complement_of_spans_open_at_both_ends():
    assert complement((TO_2020, FROM_2040)) == (MIDDLE,)


def test_complement_of_everything():
    assert complement((ALWAYS,)) == ()
    assert complement((Span(LAST, LAST),), Span(LAST, LAST)) == ()


def test_complement_twice():
    spans = (Span(FIRST, FIRST), Span(date(2024, 5, 1), date(2024, 5, 2)), Span(LAST, LAST))
    assert complement(complement(spans)) == spans


def test_complement_leaves_the_last_day():
    assert complement((Span(FIRST, date(9999, 12, 30)),)) == (Span(LAST, LAST),)
    assert complement((Span(date(1, 1, 2), LAST),)) == (Span(FIRST, FIRST),)


def test_complement_within_the_last_days():
    within = Span(date(9999, 12, 20), LAST)
    assert complement((Span(date(9999, 12, 25), LAST),), within) == (Span(date(9999, 12, 20), date(9999, 12, 24)),)


def test_difference_of_spans_without_an_end():
    assert difference((Span(date(2030, 6, 1), LAST),), (FROM_2040,)) == (Span(date(2030, 6, 1), date(2039, 12, 31)),)
    assert difference((FROM_2040,), (Span(date(2030, 6, 1), LAST),)) == ()


def test_touches_a_span_without_an_end():
    assert [touches(FROM_2040, other) for other in (FROM_2040, ALWAYS, Span(LAST, LAST), MIDDLE, TO_2020)] == [
        True, True, True, True, False,
    ]
    assert touches(Span(LAST, LAST), FROM_2040) is True


def test_union_of_spans_without_an_end():
    assert union((FROM_2040,), (Span(date(2050, 3, 1), LAST),)) == (FROM_2040,)
    assert union((ALWAYS,), (TO_2020,), (FROM_2040,)) == (ALWAYS,)


def test_spanset_of_last_days():
    assert spanset([Span(LAST, LAST), Span(LAST, LAST), Span(date(9999, 12, 29), LAST)]) == (
        Span(date(9999, 12, 29), LAST),
    )


def test_days_to_the_last_one():
    assert list(days_of(Span(date(9999, 12, 29), LAST))) == [date(9999, 12, 29), date(9999, 12, 30), LAST]
    assert list(days_of(Span(LAST, LAST))) == [LAST]


def test_shift_later_is_cut_off():
    assert shift(FROM_2040, 31) == Span(date(2040, 2, 1), LAST)
    assert shift(Span(date(9999, 12, 1), date(9999, 12, 20)), 20) == Span(date(9999, 12, 21), LAST)
    assert shift(Span(date(9999, 12, 1), date(9999, 12, 20)), 30) == Span(LAST, LAST)


def test_shift_earlier_is_cut_off():
    assert shift(TO_2020, -31) == Span(FIRST, date(2020, 11, 30))
    assert shift(Span(date(1, 1, 4), date(1, 1, 9)), -5) == Span(FIRST, date(1, 1, 4))
    assert shift(Span(date(1, 1, 4), date(1, 1, 9)), -8) == Span(FIRST, FIRST)


def test_shift_of_everything():
    assert shift(ALWAYS, 10) == Span(date(1, 1, 11), LAST)
    assert shift(ALWAYS, -10) == Span(FIRST, date(9999, 12, 21))


@pytest.mark.parametrize("days", [3_000_000, -3_000_000, 10**13, -(10**13)])
def test_nothing_left_of_a_shifted_span(days):
    assert shift(MIDDLE, days) is None


def test_one_day_shifted_just_out():
    assert shift(Span(LAST, LAST), 1) is None
    assert shift(Span(FIRST, FIRST), -1) is None


def test_widen_at_the_ends():
    assert widen((Span(date(1, 1, 3), date(1, 1, 4)), Span(date(9999, 12, 28), LAST)), 3, 3) == (
        Span(FIRST, date(1, 1, 7)), Span(date(9999, 12, 25), LAST),
    )


def test_widen_one_side_only():
    assert widen((TO_2020,), before=1) == (TO_2020,)
    assert widen((FROM_2040,), after=1) == (FROM_2040,)


def test_widen_by_very_much():
    assert widen((MIDDLE,), before=10**13) == (Span(FIRST, date(2039, 12, 31)),)
    assert widen((MIDDLE,), after=10**13) == (Span(date(2021, 1, 1), LAST),)


def test_exceptions_without_an_end():
    each = parse_schedule("except 2044-02-01..\nexcept 2044-01-31\nexcept 2045-01-01..2045-03-01\nexcept 2046-01-01..")
    assert each.exceptions == (Span(date(2044, 1, 31), LAST),)


def test_free_until_the_end():
    schedules = {"last": schedule(dates=[date(9999, 12, 28), LAST])}
    assert free_spans(schedules, Span(date(9999, 12, 26), LAST)) == (
        Span(date(9999, 12, 26), date(9999, 12, 27)), Span(date(9999, 12, 29), date(9999, 12, 30)),
    )


# What works already, and must go on to.


def test_first_and_last_day_are_no_neighbours():
    assert touches(Span(LAST, LAST), Span(FIRST, FIRST)) is False
    assert spanset([Span(date(9999, 12, 30), LAST), Span(FIRST, date(1, 1, 2))]) == (
        Span(FIRST, date(1, 1, 2)), Span(date(9999, 12, 30), LAST),
    )


def test_neighbours_at_the_ends():
    assert spanset([Span(FIRST, FIRST), Span(date(1, 1, 2), date(1, 1, 5))]) == (Span(FIRST, date(1, 1, 5)),)
    assert spanset([Span(LAST, LAST), Span(date(9999, 12, 1), date(9999, 12, 30))]) == (Span(date(9999, 12, 1), LAST),)


def test_a_day_between_is_a_gap():
    one, other = Span(date(2024, 2, 1), date(2024, 2, 28)), Span(date(2024, 3, 1), date(2024, 3, 2))
    assert touches(one, other) is False
    assert complement((one, other), Span(date(2024, 2, 10), date(2024, 3, 5))) == (
        Span(date(2024, 2, 29), date(2024, 2, 29)), Span(date(2024, 3, 3), date(2024, 3, 5)),
    )


def test_days_are_lazy():
    assert list(islice(days_of(FROM_2040), 2)) == [date(2040, 1, 1), date(2040, 1, 2)]
    days = days_of(Span(date(2024, 2, 28), date(2024, 3, 1)))
    assert iter(days) is days
    assert list(days) == [date(2024, 2, 28), date(2024, 2, 29), date(2024, 3, 1)]


def test_shift_in_the_middle():
    assert shift(MIDDLE, 1) == Span(date(2021, 1, 2), date(2040, 1, 1))
    assert shift(Span(date(2024, 3, 1), date(2024, 3, 1)), -1) == Span(date(2024, 2, 29), date(2024, 2, 29))
    assert shift(ALWAYS, 0) == ALWAYS


def test_widen_in_the_middle():
    assert widen((Span(date(2024, 3, 4), date(2024, 3, 5)), Span(date(2024, 3, 8), date(2024, 3, 8))), 1, 1) == (
        Span(date(2024, 3, 3), date(2024, 3, 9)),
    )
    assert widen((), 5, 5) == ()


def test_widen_refuses_negative_days():
    with pytest.raises(SpanError):
        widen((MIDDLE,), after=-1)


def test_questions_about_open_spans():
    assert length(ALWAYS) == 3652059
    assert total_days((Span(FIRST, FIRST), Span(LAST, LAST))) == 2
    assert covers((FROM_2040,), LAST) is True
    assert span_at((TO_2020, FROM_2040), date(2030, 1, 1)) is None


def test_intersection_of_open_spans():
    assert intersection((TO_2020, FROM_2040), (ALWAYS,)) == (TO_2020, FROM_2040)
    assert intersection((parse_span("..2050-01-01"),), (FROM_2040,)) == (Span(date(2040, 1, 1), date(2050, 1, 1)),)
