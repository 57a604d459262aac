import random
from datetime import date, timedelta
from itertools import islice

import pytest

from calends import ALWAYS, Span
from calends.streams import coincidences, days_found, excluding, finder_of

START = date(2030, 1, 1)


def day(number):
    return START + timedelta(days=number)


def numbers(days):
    return [(found - START).days for found in days]


class Finder:
    """Every *step*-th day from *first* to *last*; counts how often it is asked."""

    def __init__(self, step, first=0, last=400_000, most=100_000):
        self.step, self.first, self.last, self.most = step, first, last, most
        self.asked = 0

    def __call__(self, since):
        self.asked += 1
        assert self.asked <= self.most, "asked again and again"
        number = max((since - START).days, self.first)
        number += (self.first - number) % self.step
        return day(number) if number <= self.last else None

    def days(self, last):
        return len(range(self.first, min(last, self.last) + 1, self.step))


def thrifty(finders, at_least, last):
    """Whether no finder was asked more often than it may be."""
    few = max(len(finders) - at_least + 1, 0)
    fewest = sum(sorted(finder.days(last) for finder in finders)[:few])
    return [finder.asked <= 4 * (fewest + 1) for finder in finders] == [True] * len(finders)


def meet(finders, at_least, last):
    found = numbers(coincidences(finders, at_least, Span(START, day(last))))
    assert thrifty(finders, at_least, last)
    return found


@pytest.mark.parametrize("rare", [0, 1, 2])
def test_all_of_three(rare):
    finders = [Finder(1), Finder(1)]
    finders.insert(rare, Finder(2_000, 5))
    assert meet(finders, 3, 9_000) == [5, 2005, 4005, 6005, 8005]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 1, 0), (1, 2, 0)])
def test_two_of_three(order):
    kinds = [(1, 0), (900, 3), (1_500, 3)]
    finders = [Finder(*kinds[index]) for index in order]
    assert meet(finders, 2, 5_000) == [3, 903, 1503, 1803, 2703, 3003, 3603, 4503]


def test_two_of_three_without_a_daily_one():
    assert meet([Finder(2), Finder(1_001), Finder(777)], 2, 6_000) == [0, 1554, 2002, 3108, 4004, 4662]


def test_three_of_five():
    finders = [Finder(1), Finder(1_000), Finder(1, 500), Finder(1_700), Finder(2_500)]
    assert meet(finders, 3, 6_000) == [0, 1000, 1700, 2000, 2500, 3000, 3400, 4000, 5000, 5100, 6000]


def test_four_of_five():
    finders = [Finder(1), Finder(2), Finder(3), Finder(1_111), Finder(2_002)]
    assert meet(finders, 4, 7_000) == [0, 6006, 6666]


def test_rare_ones_begin_with_the_others():
    assert meet([Finder(1), Finder(3_000), Finder(1), Finder(4_000)], 3, 9_000) == [0, 3000, 4000, 6000, 8000, 9000]


def test_rare_at_first_and_dense_later():
    early = [Finder(1, 0, 3_000), Finder(1_000), Finder(1, 3_001)]
    assert meet(early, 2, 6_000) == [0, 1000, 2000, 3000, 4000, 5000, 6000]


def test_one_has_no_day_in_the_span():
    assert meet([Finder(1), Finder(1), Finder(1, 9_000)], 3, 8_000) == []


def test_more_than_there_are():
    finders = [Finder(1), Finder(2)]
    assert numbers(coincidences(finders, 3, Span(START, day(8_000)))) == []
    assert [finder.asked <= 4 for finder in finders] == [True, True]


def test_first_days_only():
    finders = [Finder(1, most=80), Finder(2_000, 7), Finder(1, most=80)]
    assert numbers(islice(coincidences(finders, 3), 2)) == [7, 2007]
    assert thrifty(finders, 3, 2_007)


def test_none_without_an_end():
    finders = [Finder(1, most=80), Finder(7_000, last=30_000), Finder(1, most=80)]
    assert numbers(coincidences(finders, 3, Span(day(1), ALWAYS.last))) == [7000, 14000, 21000, 28000]


@pytest.mark.parametrize("length", [10, 5_000])
def test_excluding_a_long_span(length):
    daily = Finder(1)
    assert numbers([excluding(daily, (Span(day(3), day(2 + length)),))(day(3))]) == [3 + length]
    assert daily.asked in (1, 2)


def test_excluding_several_spans():
    daily = Finder(10)
    find = excluding(daily, (Span(day(5), day(109)), Span(day(111), day(118)), Span(day(120), day(298)), Span(day(300), day(301))))
    assert [find(day(number)) for number in (0, 6, 111, 200, 302)] == [day(0), day(110), day(310), day(310), day(310)]
    assert daily.asked in range(5, 1 + 2 + 3 + 3 + 1 + 1)


def test_excluding_to_the_end():
    daily = Finder(1, most=10)
    assert excluding(daily, (Span(day(100), ALWAYS.last),))(day(100)) is None
    assert daily.asked in (0, 1)


def test_coincidences_with_holidays():
    hall, soloist = Finder(1), Finder(500)
    open_hall = excluding(hall, (Span(day(1), day(1_999)), Span(day(3_000), day(3_400))))
    assert numbers(coincidences([open_hall, soloist], 2, Span(START, day(4_000)))) == [0, 2000, 2500, 3500, 4000]
    assert [hall.asked <= 60, soloist.asked <= 40] == [True, True]


# What works already, and must go on to.


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_same_days_as_counting(seed):
    rng = random.Random(seed)
    different = []
    for problem in range(60):
        sets = [{rng.randrange(40) for _ in range(rng.randrange(1, 30))} for _ in range(rng.randrange(1, 6))]
        at_least = rng.randrange(1, len(sets) + 1)
        first, last = sorted(rng.sample(range(40), 2))
        expected = [n for n in range(first, last + 1) if sum(n in one for one in sets) >= at_least]
        finders = [finder_of(day(number) for number in one) for one in sets]
        if numbers(coincidences(finders, at_least, Span(day(first), day(last)))) != expected:
            different.append(problem)
    assert different == []


@pytest.mark.parametrize("seed", [5, 6])
def test_same_days_as_excluding_one_by_one(seed):
    rng = random.Random(seed)
    different = []
    for problem in range(60):
        days = sorted({rng.randrange(60) for _ in range(20)})
        bounds = sorted(rng.sample(range(60), 4))
        holes = (Span(day(bounds[0]), day(bounds[1] - 1)), Span(day(bounds[1] + 1), day(bounds[2])))
        if holes[1].first > holes[1].last:
            continue
        expected = [n for n in days if not any(hole.first <= day(n) <= hole.last for hole in holes)]
        if numbers(days_found(excluding(finder_of(day(n) for n in days), holes))) != expected:
            different.append(problem)
    assert different == []


def test_one_of_several_is_a_merge():
    finders = [Finder(4), Finder(6), Finder(9, 1)]
    assert meet(finders, 1, 20) == [0, 1, 4, 6, 8, 10, 12, 16, 18, 19, 20]


def test_nothing_is_asked_in_advance():
    finders = [Finder(3), Finder(5)]
    days = coincidences(finders, 2)
    assert [finder.asked for finder in finders] == [0, 0]
    assert iter(days) is days
    assert next(days) == START
    assert [finder.asked <= 4 for finder in finders] == [True, True]


@pytest.mark.parametrize("at_least", [0, -1])
def test_at_least_one(at_least):
    with pytest.raises(ValueError):
        coincidences([Finder(1)], at_least)


def test_without_finders():
    assert list(coincidences([], 1)) == []


def test_both_ends_of_the_span_belong_to_it():
    assert numbers(coincidences([Finder(5), Finder(10)], 2, Span(day(10), day(30)))) == [10, 20, 30]
    assert numbers(coincidences([Finder(5), Finder(10)], 2, Span(day(11), day(29)))) == [20]


def test_to_the_last_day_of_the_calendar():
    def every_day(since):
        return since

    within = Span(date(9999, 12, 30), date.max)
    assert list(coincidences([every_day, every_day], 2, within)) == [date(9999, 12, 30), date.max]
    assert excluding(every_day, (Span(date(9999, 12, 30), date.max),))(date.max) is None


def test_same_finder_twice():
    finder = Finder(3)
    assert numbers(coincidences([finder, finder], 2, Span(START, day(7)))) == [0, 3, 6]


def test_nothing_is_remembered_between_calls():
    known = [day(1)]

    def find(since):
        return next((found for found in known if found >= since), None)

    within = Span(START, day(9))
    assert numbers(coincidences([find, find], 2, within)) == [1]
    known.append(day(4))
    assert numbers(coincidences([find, find], 2, within)) == [1, 4]


def test_excluding_can_be_asked_in_any_order():
    find = excluding(Finder(2), (Span(day(3), day(7)),))
    assert numbers(find(day(number)) for number in (9, 3, 0, 7, 2)) == [10, 8, 0, 8, 2]
