from datetime import date, timedelta
from itertools import count, islice

import pytest

from calends import ALWAYS, Span, span
from calends.streams import coincidences, days_found, distinct, excluding, finder_of, merged, up_to

START = date(2024, 1, 1)


def at(*numbers):
    return [START + timedelta(days=number) for number in numbers]


def numbers(days):
    return [(day - START).days for day in days]


def multiples(step, limit=None):
    """A finder of every *step*-th day, counted from START."""

    def find(day):
        steps = max(0, -(-(day - START).days // step))
        return None if limit is not None and steps * step > limit else START + timedelta(days=steps * step)

    return find


class Counting:
    """A finder that keeps what it was asked."""

    def __init__(self, finder):
        self.finder = finder
        self.asked = []

    def __call__(self, day):
        self.asked.append(day)
        return self.finder(day)


def test_merged_is_lazy():
    endless = (START + timedelta(days=number) for number in count(0, 2))
    assert numbers(islice(merged(endless, at(1, 2)), 5)) == [0, 1, 2, 2, 4]


def test_distinct():
    assert numbers(distinct(at(1, 1, 2, 5, 5, 5))) == [1, 2, 5]


def test_up_to():
    assert numbers(up_to(at(1, 4, 5, 9), at(5)[0])) == [1, 4, 5]


def test_days_found():
    assert numbers(days_found(multiples(4), span(*at(3, 12)))) == [4, 8, 12]


def test_days_found_ends_with_the_calendar():
    assert list(days_found(lambda day: day, span(date.max))) == [date.max]


def test_finder_of():
    find = finder_of(at(7, 3))
    assert [find(day) for day in at(0, 3, 4, 8)] == [*at(3, 3, 7), None]


def test_excluding():
    find = excluding(multiples(3), (Span(*at(3, 7)), Span(*at(9, 9))))
    assert [find(day) for day in at(0, 1, 8)] == at(0, 12, 12)


def test_excluding_asks_once_for_a_span():
    daily = Counting(multiples(1))
    assert excluding(daily, (Span(*at(10, 400)),))(at(10)[0]) == at(401)[0]
    assert len(daily.asked) == 2


def test_excluding_to_the_end_of_the_calendar():
    assert excluding(multiples(3), (Span(at(4)[0], date.max),))(at(4)[0]) is None


@pytest.mark.parametrize(
    "at_least, expected", [(1, [0, 2, 3, 4, 6, 8, 9, 10, 12]), (2, [0, 4, 6, 8, 12]), (3, [0, 12]), (4, [])]
)
def test_coincidences(at_least, expected):
    finders = [multiples(2), multiples(3), multiples(4)]
    assert numbers(coincidences(finders, at_least, span(*at(0, 13)))) == expected


def test_coincidences_of_finders_that_end():
    finders = [multiples(2), multiples(3, 6), multiples(1, 8)]
    assert numbers(coincidences(finders, 2)) == [0, 2, 3, 4, 6, 8]


def test_coincidences_are_lazy():
    assert numbers(islice(coincidences([multiples(2), multiples(5)], 2, ALWAYS), 3)) == [0, 10, 20]


def test_coincidences_skip_what_cannot_matter():
    daily, yearly = Counting(multiples(1)), Counting(multiples(365))
    assert numbers(coincidences([daily, yearly], 2, span(*at(0, 1100)))) == [0, 365, 730, 1095]
    assert len(daily.asked) < 20


def test_at_least_one():
    with pytest.raises(ValueError):
        coincidences([multiples(2)], 0)
