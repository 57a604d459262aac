import pytest

from rowboat.errors import BindError, EvaluationError


def test_nulls_come_last_and_with_desc_first(column):
    assert column("SELECT id FROM boats ORDER BY length, id") == [2, 4, 1, 5, 3]
    assert column("SELECT id FROM boats ORDER BY length DESC, id") == [3, 1, 5, 4, 2]


def test_nulls_first_and_last(column):
    assert column("SELECT id FROM boats ORDER BY length NULLS FIRST, id") == [3, 2, 4, 1, 5]
    assert column("SELECT id FROM boats ORDER BY length DESC NULLS LAST, id DESC") == [5, 1, 4, 2, 3]


def test_equal_rows_stay_in_order(column):
    assert column("SELECT id FROM trips ORDER BY boat") == [10, 12, 15, 11, 13, 14]
    assert column("SELECT id FROM trips ORDER BY boat DESC") == [14, 13, 11, 10, 12, 15]


def test_what_can_be_ordered_by(column):
    assert column("SELECT name FROM boats ORDER BY 1 DESC") == ["Wren", "Teal", "Ibis", "Heron", "Crane"]
    assert column("SELECT -id AS id FROM boats ORDER BY id") == [-5, -4, -3, -2, -1]
    assert column("SELECT -id AS id FROM boats ORDER BY boats.id") == [-1, -2, -3, -4, -5]
    assert column("SELECT id FROM boats ORDER BY id * id - 6 * id, name") == [3, 2, 4, 5, 1]


def test_limit_and_offset(column):
    assert column("SELECT id FROM boats ORDER BY id LIMIT 2 OFFSET 1") == [2, 3]
    assert column("SELECT id FROM boats ORDER BY id LIMIT ? OFFSET ?", None, 3) == [4, 5]
    assert column("SELECT id FROM boats ORDER BY id OFFSET 9") == []


def test_limits_that_do_not_fit(rows):
    for limit in (-1, 1.0, True, "2"):
        with pytest.raises(EvaluationError):
            rows("SELECT id FROM boats LIMIT ?", limit)


def test_distinct(column):
    assert column("SELECT DISTINCT kind FROM boats") == ["sloop", "dinghy", None, "yawl"]
    assert column("SELECT DISTINCT kind FROM boats ORDER BY kind DESC") == [None, "yawl", "sloop", "dinghy"]


def test_order_by_something_else_than_the_distinct_columns(db):
    with pytest.raises(BindError) as caught:
        db.execute("SELECT DISTINCT kind FROM boats ORDER BY length")
    assert str(caught.value) == "1:42: length is not a column of the result"
