import pytest

from rowboat import Database
from rowboat.errors import BindError, EvaluationError


@pytest.fixture
def rows():
    database = Database()
    database.create_table("jobs", {"id": "INTEGER", "crew": "TEXT", "hours": "INTEGER", "pay": "REAL", "done": "BOOLEAN"})
    database.create_table("idle", {"id": "INTEGER", "what": "TEXT", "size": "REAL"})
    database.execute("""
        INSERT INTO jobs VALUES
            (1, 'red', 4, 20.5, TRUE), (2, 'blue', NULL, NULL, FALSE), (3, 'red', 4, NULL, NULL), (4, NULL, 1, 3, TRUE),
            (5, 'blue', NULL, 0, FALSE), (6, 'red', 0, 1.5, FALSE)
    """)
    return lambda sql, *parameters: database.execute(sql, parameters).rows


def test_all_of_nothing(rows):
    assert rows("SELECT COUNT(*), COUNT(id), COUNT(DISTINCT id), SUM(id), AVG(size), MIN(what), MAX(size) FROM idle") == [
        (0, 0, 0, None, None, None, None)]


def test_all_rows_left_out(rows):
    assert rows("SELECT MAX(hours), COUNT(pay) FROM jobs WHERE hours > ?", 100) == [(None, 0)]
    assert rows("SELECT SUM(DISTINCT hours) + 1, COUNT(*) + 1 FROM jobs WHERE FALSE") == [(None, 1)]


def test_constant_beside_aggregates(rows):
    assert rows("SELECT 'total', ?, SUM(size) FROM idle", 7) == [("total", 7, None)]
    assert rows("SELECT COALESCE(SUM(size), 0) FROM idle") == [(0,)]


def test_aggregate_without_a_table(rows):
    assert rows("SELECT COUNT(*), MAX(3) WHERE FALSE") == [(0, None)]


def test_groups_of_nulls(rows):
    assert rows("SELECT crew, COUNT(hours), SUM(hours), AVG(hours), MIN(hours), MAX(hours) FROM jobs GROUP BY crew") == [
        ("red", 3, 8, 8 / 3, 0, 4), ("blue", 0, None, None, None, None), (None, 1, 1, 1.0, 1, 1)]


def test_rows_without_a_partner(rows):
    assert rows("SELECT jobs.id, COUNT(idle.id), SUM(size) FROM jobs LEFT JOIN idle ON idle.id = jobs.id "
                "WHERE jobs.id < 3 GROUP BY jobs.id") == [(1, 0, None), (2, 0, None)]


def test_zero_is_not_null(rows):
    assert rows("SELECT SUM(pay), AVG(pay), MIN(pay) FROM jobs WHERE id = 5") == [(0.0, 0.0, 0.0)]


def test_having_on_one_group(rows):
    assert rows("SELECT 'none' FROM idle HAVING COUNT(*) < 1") == [("none",)]
    assert rows("SELECT 'some' FROM idle HAVING MAX(size) IS NOT NULL") == []
    assert rows("SELECT COUNT(*) FROM idle HAVING SUM(size) > 0") == []


def test_having_that_does_not_look_at_the_group(rows):
    assert rows("SELECT 1 FROM idle HAVING TRUE") == [(1,)]
    assert rows("SELECT 1 FROM jobs HAVING TRUE") == [(1,)]
    assert rows("SELECT COUNT(*) FROM idle HAVING NULL") == []


def test_order_by_an_aggregate_of_nothing(rows):
    assert rows("SELECT 5 FROM idle ORDER BY COUNT(*)") == [(5,)]


def test_one_group_in_a_subquery(rows):
    assert rows("SELECT id FROM jobs WHERE 0 IN (SELECT COUNT(*) FROM idle WHERE idle.id = jobs.id) AND id < 3") == [(1,), (2,)]
    assert rows("SELECT id FROM jobs j WHERE EXISTS (SELECT MAX(size) FROM idle WHERE idle.id = j.id) AND id > 4") == [
        (5,), (6,)]


@pytest.mark.parametrize("call", ["SUM(crew)", "AVG(crew)", "SUM(done)", "AVG(done)", "SUM(DISTINCT done)", "SUM(COALESCE(hours, crew))"])
def test_only_numbers_add_up(rows, call):
    with pytest.raises(EvaluationError):
        rows(f"SELECT {call} FROM jobs")


def test_nulls_of_any_column_add_up(rows):
    assert rows("SELECT SUM(crew), AVG(done) FROM jobs WHERE crew IS NULL AND done IS NULL") == [(None, None)]
    assert rows("SELECT SUM(crew) FROM jobs WHERE crew IS NULL") == [(None,)]
    assert rows("SELECT SUM(what) FROM idle") == [(None,)]


def test_too_large_for_a_real(rows):
    with pytest.raises(EvaluationError):
        rows("SELECT SUM(id * 1e308) FROM jobs WHERE id < 3 OR id = 1")
    with pytest.raises(EvaluationError):
        rows("SELECT SUM(1e308) FROM jobs")


def test_values_of_several_types(rows):
    assert rows("SELECT MIN(COALESCE(hours, crew)), MAX(COALESCE(hours, crew)) FROM jobs") == [(0, "blue")]
    assert rows("SELECT MAX(COALESCE(done, hours)) FROM jobs") == [(4,)]
    assert [type(row[0]) for row in rows("SELECT MIN(COALESCE(done, hours)) FROM jobs WHERE id IN (1, 3)")] == [bool]
    assert [type(row[0]) for row in rows("SELECT MIN(COALESCE(NULLIF(hours, 4), done)) FROM jobs WHERE id IN (1, 6)")] == [bool]


def test_true_and_one_are_different(rows):
    assert rows("SELECT COUNT(DISTINCT COALESCE(NULLIF(hours, 4), done)) FROM jobs") == [(4,)]


def test_no_groups_of_no_rows(rows):
    assert rows("SELECT what, COUNT(*) FROM idle GROUP BY what") == []
    assert rows("SELECT COUNT(*) FROM jobs WHERE FALSE GROUP BY crew") == []
    assert rows("SELECT COUNT(*) FROM idle GROUP BY 1 + 1") == []
    assert rows("SELECT COUNT(*) FROM idle GROUP BY id HAVING COUNT(*) = 0") == []


def test_whole_numbers_and_reals(rows):
    assert [(value, type(value)) for value in rows("SELECT SUM(hours), AVG(hours), SUM(pay), MAX(hours) FROM jobs")[0]] == [
        (9, int), (2.25, float), (25.0, float), (4, int)]


def test_large_whole_numbers(rows):
    assert rows("SELECT SUM(9007199254740993) FROM jobs WHERE id < 3") == [(18014398509481986,)]


def test_distinct_values(rows):
    assert rows("SELECT COUNT(DISTINCT hours), SUM(DISTINCT hours), COUNT(DISTINCT crew), MAX(DISTINCT hours) FROM jobs") == [
        (3, 5, 2, 4)]


def test_groups_with_having(rows):
    assert rows("SELECT crew, COUNT(*) FROM jobs GROUP BY crew HAVING COUNT(*) > 1 AND MIN(id) < 2") == [("red", 3)]


def test_smallest_and_largest_texts(rows):
    assert rows("SELECT MIN(crew), MAX(crew), COUNT(crew) FROM jobs") == [("blue", "red", 5)]


def test_no_group_without_an_aggregate(rows):
    assert rows("SELECT what FROM idle") == []
    assert rows("SELECT 1 FROM idle") == []
    assert rows("SELECT DISTINCT 1 FROM idle") == []


def test_columns_outside_of_groups(rows):
    with pytest.raises(BindError):
        rows("SELECT id, COUNT(*) FROM idle")
    with pytest.raises(BindError):
        rows("SELECT COUNT(*) FROM idle HAVING size > 1")
