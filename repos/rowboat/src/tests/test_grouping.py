import pytest

from rowboat.errors import BindError, EvaluationError


def test_groups_come_in_the_order_of_their_first_rows(rows):
    assert rows("SELECT kind, COUNT(*), MAX(length) FROM boats GROUP BY kind") == [
        ("sloop", 2, 9.5), ("dinghy", 1, 3.0), (None, 1, 4.2), ("yawl", 1, 9.5)]


def test_aggregates(rows):
    assert rows("SELECT COUNT(*), COUNT(miles), SUM(miles), AVG(miles), MIN(miles), MAX(miles) FROM trips") == [
        (6, 5, 62, 12.4, 3, 30)]


def test_distinct_aggregates(rows):
    assert rows("SELECT COUNT(DISTINCT miles), SUM(DISTINCT miles), COUNT(DISTINCT boat) FROM trips") == [(4, 50, 3)]


def test_no_rows(rows):
    assert rows("SELECT COUNT(*), COUNT(miles), SUM(miles), AVG(miles), MIN(miles) FROM trips WHERE FALSE") == [
        (0, 0, None, None, None)]
    assert rows("SELECT boat, COUNT(*) FROM trips WHERE FALSE GROUP BY boat") == []


def test_groups_of_nulls_only(rows):
    assert rows("SELECT boat, COUNT(miles), SUM(miles), MAX(miles) FROM trips WHERE boat = 3 GROUP BY boat") == [
        (3, 0, None, None)]


def test_having(rows):
    assert rows("SELECT boat, SUM(miles) FROM trips GROUP BY boat HAVING COUNT(*) > 1 OR boat IS NULL") == [
        (1, 54), (None, 5)]


def test_having_without_groups(rows):
    assert rows("SELECT MAX(miles) FROM trips HAVING COUNT(*) > 6") == []
    assert rows("SELECT 'many' FROM trips HAVING COUNT(*) > 5") == [("many",)]


def test_expressions_of_groups(rows):
    assert rows("SELECT miles / 10 * 10, COUNT(*) + 1 FROM trips GROUP BY miles / 10 ORDER BY 1") == [
        (0, 3), (10, 3), (30, 2), (None, 2)]


def test_order_by_an_aggregate(column):
    assert column("SELECT boat FROM trips GROUP BY boat ORDER BY SUM(miles) DESC NULLS LAST") == [1, None, 2, 3]


def test_columns_outside_the_groups(db):
    for sql in ("SELECT id, COUNT(*) FROM trips", "SELECT boat FROM trips GROUP BY miles",
                "SELECT 1 FROM trips HAVING windy",
                "SELECT COUNT(*) FROM trips t GROUP BY boat HAVING EXISTS (SELECT 1 FROM boats WHERE id = t.miles)"):
        with pytest.raises(BindError):
            db.execute(sql)


def test_aggregates_inside_aggregates(db):
    with pytest.raises(BindError):
        db.execute("SELECT SUM(COUNT(*)) FROM trips")


def test_adding_up_texts(rows):
    with pytest.raises(EvaluationError):
        rows("SELECT SUM(name) FROM boats")
    assert rows("SELECT MIN(name), MAX(windy) FROM boats JOIN trips ON boat = boats.id") == [("Heron", True)]
