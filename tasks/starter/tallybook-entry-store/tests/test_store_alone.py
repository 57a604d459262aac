"""A store without a ledger."""

import datetime as dt

import pytest

from tallybook import Amount, Currency, Entry, Posting
from tallybook.errors import UnknownEntryError

USD = Currency("USD")


def made(day, number, description="x"):
    return Entry(dt.date(2023, 6, day), description, (
        Posting("Assets:Till", Amount.from_units(number, USD)), Posting("Equity:Us", Amount.from_units(-number, USD)),
    ), id=number)


def filled(*pairs):
    from tallybook import EntryStore
    store = EntryStore()
    for day, number in pairs:
        store.put(made(day, number))
    return store


def numbers(store, *days):
    return [entry.id for entry in store.between(*(day and dt.date(2023, 6, day) for day in days))]


def test_order_of_entries():
    assert numbers(filled((9, 4), (9, 2), (3, 5), (20, 1), (9, 3))) == [5, 2, 3, 4, 1]


@pytest.mark.parametrize("days, expected", [
    ((None, None), [1, 2, 3, 4]), ((5, None), [2, 3, 4]), ((None, 5), [1, 2, 3]), ((5, 5), [2, 3]), ((6, 9), []), ((9, 4), []),
    ((10, 10), [4]), ((11, None), []),
], ids=["all", "from", "to", "day", "quiet", "backwards", "last", "after"])
def test_days(days, expected):
    assert numbers(filled((4, 1), (5, 2), (5, 3), (10, 4)), *days) == expected


def test_put_replaces_on_the_same_day():
    store = filled((4, 1), (5, 2))
    store.put(made(4, 1, "again"))
    assert [(entry.id, entry.description) for entry in store.between()] == [(1, "again"), (2, "x")]


def test_put_replaces_on_another_day():
    store = filled((4, 1), (5, 2), (6, 3))
    store.put(made(30, 1))
    assert numbers(store) == [2, 3, 1]
    assert numbers(store, None, 29) == [2, 3]
    store.put(made(1, 3))
    assert numbers(store) == [3, 2, 1]
    assert store.remove(1).date == dt.date(2023, 6, 30)
    assert numbers(store) == [3, 2]


def test_numbers_follow_the_highest():
    store = filled((4, 17), (4, 3))
    assert [store.new_id(), store.new_id()] == [18, 19]
    store.put(made(5, 19))
    assert store.new_id() == 20
    store.put(made(5, 40))
    assert store.new_id() == 41


def test_numbers_are_not_given_again():
    store = filled((4, 5))
    store.remove(5)
    assert store.new_id() == 6
    assert [numbers(store), store.new_id()] == [[], 7]


def test_unknown_numbers():
    store = filled((4, 1))
    store.remove(1)
    for ask in (store.get, store.remove):
        with pytest.raises(UnknownEntryError) as caught:
            ask(1)
        assert caught.value.entry_id == 1


def test_lists_are_new():
    store = filled((4, 1), (5, 2))
    store.between().clear()
    assert numbers(store) == [1, 2]


def test_two_stores_have_nothing_in_common():
    first, second = filled((4, 8)), filled()
    assert (first.new_id(), second.new_id(), numbers(second)) == (9, 1, [])
