import pytest

from rowboat.errors import BindError


def test_union(column):
    assert column("SELECT kind FROM boats UNION SELECT name FROM boats WHERE id < 3 UNION SELECT NULL") == [
        "sloop", "dinghy", None, "yawl", "Heron", "Teal"]


def test_union_all(column):
    sql = "SELECT id FROM boats WHERE id < 3 UNION ALL SELECT boat FROM trips WHERE miles < 10"
    assert column(sql) == [1, 2, 2, None]


def test_union_removes_what_union_all_has_kept(column):
    assert column("SELECT 1 UNION ALL SELECT 1 UNION SELECT 2") == [1, 2]
    assert column("SELECT 1 UNION SELECT 1 UNION ALL SELECT 1") == [1, 1]


def test_intersect(column):
    assert column("SELECT boat FROM trips INTERSECT SELECT id FROM boats WHERE id <> 2") == [1, 3]
    assert column("SELECT boat FROM trips INTERSECT SELECT NULL") == [None]


def test_intersect_all(column):
    assert column("SELECT boat FROM trips INTERSECT ALL SELECT miles / 12 FROM trips") == [1, 2, 1, None]


def test_except(column):
    assert column("SELECT boat FROM trips EXCEPT SELECT 3") == [1, 2, None]


def test_except_all(column):
    assert column("SELECT boat FROM trips EXCEPT ALL SELECT id FROM boats") == [1, None, 1]


def test_intersect_binds_tighter(column):
    assert column("SELECT 1 UNION SELECT 2 INTERSECT SELECT 2") == [1, 2]
    assert column("SELECT 1 EXCEPT SELECT 1 UNION SELECT 3") == [3]


def test_order_and_limit_are_for_all_of_it(column):
    assert column("SELECT id AS n FROM boats UNION SELECT miles FROM trips ORDER BY n DESC LIMIT 3") == [None, 30, 12]


def test_order_by_an_expression(db):
    with pytest.raises(BindError) as caught:
        db.execute("SELECT id FROM boats UNION SELECT 1 ORDER BY -id")
    assert str(caught.value) == "1:46: -id is not a column of the result"


def test_number_of_columns(db):
    with pytest.raises(BindError) as caught:
        db.execute("SELECT id FROM boats\nEXCEPT SELECT 1, 2")
    assert str(caught.value) == "2:1: EXCEPT of 1 and 2 columns"
