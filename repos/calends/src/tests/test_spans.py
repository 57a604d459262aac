import datetime as dt
from datetime import date
from itertools import islice

import pytest

from calends import ALWAYS, Span, span, spanset
from calends.errors import SpanError
from calends.spans import (
    complement, contains, covers, days_of, difference, intersection, length, shift, span_at, total_days,
    touches, union, widen,
)


def march(first, last=None):
    return Span(date(2024, 3, first), date(2024, 3, last or first))


def test_span_of_one_day():
    assert span(date(2024, 3, 5)) == march(5)


def test_what_is_no_span():
    for first, last in [(date(2024, 3, 5), date(2024, 3, 4)), (dt.datetime(2024, 3, 5), None), ("2024-03-05", None)]:
        with pytest.raises(SpanError):
            span(first, last)


def test_length_counts_both_ends():
    assert length(march(1, 31)) == 31
    assert length(march(7)) == 1


def test_contains_both_ends():
    assert [contains(march(3, 5), date(2024, 3, number)) for number in (2, 3, 5, 6)] == [False, True, True, False]


def test_touches():
    for first, expected in [(5, True), (6, True), (7, False)]:
        assert touches(march(1, 5), march(first, 20)) is expected
        assert touches(march(first, 20), march(1, 5)) is expected


def test_days_of(isos):
    assert isos(days_of(march(30, 31))) == ["2024-03-30", "2024-03-31"]


def test_spanset_merges_neighbours():
    assert spanset([march(10, 12), march(1, 3), march(4, 5), march(11)]) == (march(1, 5), march(10, 12))


def test_union():
    assert union((march(1, 3),), (march(8, 9),), (march(2, 6),)) == (march(1, 6), march(8, 9))
    assert union() == ()


def test_intersection():
    one = (march(1, 5), march(10, 20))
    assert intersection(one, (march(4, 11), march(13), march(20, 31))) == (
        march(4, 5), march(10, 11), march(13), march(20),
    )


def test_complement_within():
    assert complement((march(1, 4), march(10)), march(3, 12)) == (march(5, 9), march(11, 12))


def test_complement_of_nothing():
    assert complement((), march(3, 12)) == (march(3, 12),)
    assert complement(()) == (ALWAYS,)


def test_difference():
    assert difference((march(1, 10), march(20)), (march(3, 4), march(10, 20))) == (march(1, 2), march(5, 9))


def test_widen_merges():
    assert widen((march(5), march(9), march(20)), before=1, after=2) == (march(4, 11), march(19, 22))


def test_widen_refuses_less():
    with pytest.raises(SpanError):
        widen((march(5, 9),), before=-1)


def test_shift():
    assert shift(march(5, 9), -4) == march(1, 5)


def test_span_at():
    spans = (march(1, 5), march(10, 20))
    assert span_at(spans, date(2024, 3, 10)) == march(10, 20)
    assert span_at(spans, date(2024, 3, 6)) is None
    assert [covers(spans, date(2024, 3, number)) for number in (1, 9, 20, 21)] == [True, False, True, False]


def test_total_days():
    assert total_days((march(1, 5), march(10))) == 6


class TestEndsOfTheCalendar:
    first = Span(date.min, date(1, 1, 3))
    last = Span(date(9999, 12, 30), date.max)

    def test_complement_of_the_last_days(self):
        assert complement((self.last,)) == (Span(date.min, date(9999, 12, 29)),)

    def test_complement_of_always(self):
        assert complement((ALWAYS,)) == ()

    def test_days_of_the_last_days(self, isos):
        assert isos(days_of(self.last)) == ["9999-12-30", "9999-12-31"]

    def test_spanset_with_two_first_spans(self):
        assert spanset([self.first, Span(date.min, date.min)]) == (self.first,)

    def test_widen_is_cut_off(self):
        assert widen((self.first, self.last), 5, 5) == (
            Span(date.min, date(1, 1, 8)), Span(date(9999, 12, 25), date.max),
        )

    def test_shift_is_cut_off(self):
        assert shift(self.first, -1) == Span(date.min, date(1, 1, 2))
        assert shift(self.last, 2) is None

    def test_days_of_always_are_lazy(self, isos):
        assert isos(islice(days_of(ALWAYS), 2)) == ["0001-01-01", "0001-01-02"]
