import pytest

from rowboat import Database
from rowboat.errors import BindError, ParseError


@pytest.fixture
def db():
    database = Database()
    database.create_table("old", {"n": "INTEGER", "t": "TEXT"})
    database.create_table("new", {"m": "REAL", "t": "TEXT"})
    database.execute("""
        INSERT INTO old VALUES (3, 'c'), (1, 'a'), (NULL, 'x'), (2, NULL), (1, 'a'), (NULL, 'x'), (3, 'c'), (1, 'b')
    """)
    database.execute("INSERT INTO new VALUES (1, 'a'), (NULL, 'x'), (3, 'd'), (2, NULL), (2, NULL), (7, 'a')")
    return database


@pytest.fixture
def column(db):
    return lambda sql, *parameters: [row[0] for row in db.execute(sql, parameters).rows]


@pytest.fixture
def rows(db):
    return lambda sql, *parameters: db.execute(sql, parameters).rows


def test_rows_in_both(rows):
    assert rows("SELECT n, t FROM old INTERSECT SELECT m, t FROM new") == [(1, "a"), (None, "x"), (2, None)]


def test_rows_that_have_gone(rows):
    assert rows("SELECT n, t FROM old EXCEPT SELECT m, t FROM new") == [(3, "c"), (1, "b")]
    assert rows("SELECT m, t FROM new EXCEPT SELECT n, t FROM old") == [(3.0, "d"), (7.0, "a")]


def test_all_in_both(rows):
    assert rows("SELECT n, t FROM old INTERSECT ALL SELECT m, t FROM new") == [(1, "a"), (None, "x"), (2, None)]
    assert rows("SELECT m, t FROM new INTERSECT ALL SELECT n, t FROM old") == [(1.0, "a"), (None, "x"), (2.0, None)]


def test_all_in_both_several_times(column):
    assert column("SELECT n FROM old INTERSECT ALL SELECT n FROM old WHERE n <> 3") == [1, 2, 1, 1]
    assert column("SELECT n FROM old INTERSECT ALL SELECT n + 2 FROM old") == [3, None, None, 3]


def test_all_that_have_gone(column):
    assert column("SELECT n FROM old EXCEPT ALL SELECT m FROM new") == [1, None, 3, 1]
    assert column("SELECT n FROM old EXCEPT ALL SELECT n FROM old WHERE n IS NULL") == [3, 1, 2, 1, 3, 1]
    assert column("SELECT m FROM new EXCEPT ALL SELECT n FROM old") == [2.0, 7.0]


def test_true_is_not_one(column):
    assert column("SELECT TRUE INTERSECT SELECT 1") == []
    assert column("SELECT 1 EXCEPT ALL SELECT TRUE") == [1]
    assert column("SELECT 1 INTERSECT SELECT 1.0") == [1]
    assert column("SELECT '1' EXCEPT SELECT 1") == ["1"]


def test_nothing_on_one_side(column):
    assert column("SELECT n FROM old INTERSECT SELECT m FROM new WHERE FALSE") == []
    assert column("SELECT n FROM old EXCEPT SELECT m FROM new WHERE FALSE") == [3, 1, None, 2]
    assert column("SELECT n FROM old WHERE FALSE EXCEPT ALL SELECT m FROM new") == []


def test_intersect_is_tighter_than_union(column):
    assert column("SELECT 4 UNION SELECT 5 INTERSECT SELECT 4") == [4]
    assert column("SELECT 5 UNION SELECT 4 INTERSECT SELECT 4 UNION SELECT 6") == [5, 4, 6]


def test_intersect_is_tighter_than_except(column):
    assert column("SELECT 4 EXCEPT SELECT 4 INTERSECT SELECT 5") == [4]
    assert column("SELECT n FROM old EXCEPT SELECT 3 INTERSECT SELECT m FROM new EXCEPT SELECT NULL") == [1, 2]


def test_except_and_union_group_to_the_left(column):
    assert column("SELECT 7 EXCEPT SELECT 7 EXCEPT SELECT 7") == []
    assert column("SELECT 7 EXCEPT SELECT 7 UNION SELECT 7") == [7]
    assert column("SELECT 7 UNION SELECT 8 EXCEPT SELECT 7") == [8]


def test_intersects_group_to_the_left(column):
    sql = "SELECT n FROM old INTERSECT ALL SELECT m FROM new INTERSECT SELECT n FROM old WHERE n > 1"
    assert column(sql) == [3, 2]


def test_all_is_for_one_operator(column):
    assert column("SELECT 1 UNION ALL SELECT 1 EXCEPT SELECT 2") == [1]
    assert column("SELECT 1 EXCEPT SELECT 2 UNION ALL SELECT 1") == [1, 1]
    assert column("SELECT 1 UNION ALL SELECT 1 EXCEPT ALL SELECT 2") == [1, 1]


def test_names_order_and_limit(db):
    result = db.execute("SELECT n AS number, t FROM old EXCEPT SELECT m, 'a' FROM new ORDER BY number DESC NULLS LAST, 2 LIMIT 3")
    assert result.columns == ["number", "t"]
    assert result.rows == [(3, "c"), (2, None), (1, "b")]


def test_in_subqueries(column):
    assert column("SELECT t FROM new WHERE m IN (SELECT n FROM old INTERSECT SELECT n FROM old WHERE n > 1)") == [
        "d", None, None]
    assert column("""
        SELECT m FROM new WHERE EXISTS (SELECT t FROM old WHERE n = m EXCEPT SELECT new.t)
    """) == [1.0, 3.0]


def test_inserting_what_is_missing(db):
    assert db.execute("INSERT INTO new SELECT n, t FROM old EXCEPT SELECT m, t FROM new").written == 2
    assert db.execute("SELECT * FROM new").rows[6:] == [(3.0, "c"), (1.0, "b")]


def test_small_letters_and_parameters(column):
    assert column("select ? intersect all select ?", 1, 1) == [1]
    assert column("select n from old except select ? limit ?", 3, 1) == [1]


@pytest.mark.parametrize("sql, message", [
    ("SELECT 1, 2 INTERSECT SELECT 1", "1:13: INTERSECT of 2 and 1 columns"),
    ("SELECT 1\n  EXCEPT ALL\nSELECT 1, 2, 3", "2:3: EXCEPT of 1 and 3 columns"),
], ids=["intersect", "except"])
def test_numbers_of_columns_differ(db, sql, message):
    with pytest.raises(BindError) as caught:
        db.execute(sql)
    assert str(caught.value) == message


def test_explain(rows):
    assert rows("EXPLAIN SELECT 1 UNION SELECT 2 INTERSECT ALL SELECT 3 EXCEPT SELECT 4") == [
        ("DISTINCT",), ("  EXCEPT",), ("    DISTINCT",), ("      UNION",), ("        SELECT 1",), ("          ONE ROW",),
        ("        INTERSECT",), ("          SELECT 2",), ("            ONE ROW",), ("          SELECT 3",),
        ("            ONE ROW",), ("    SELECT 4",), ("      ONE ROW",)]


def test_new_keywords(db):
    for sql in ("SELECT 1 AS except", "SELECT n Intersect FROM old"):
        with pytest.raises(ParseError):
            db.execute(sql)


def test_order_by_an_expression_of_an_except(db):
    with pytest.raises(BindError):
        db.execute("SELECT n FROM old EXCEPT SELECT 1 ORDER BY n + 1")


def test_unions(column):
    assert column("SELECT n FROM old UNION SELECT 9 UNION ALL SELECT NULL") == [3, 1, None, 2, 9, None]
    assert column("SELECT n FROM old WHERE n > 2 UNION ALL SELECT 3 UNION SELECT 1") == [3, 1]


def test_union_with_order(column):
    assert column("SELECT n AS k FROM old UNION SELECT m FROM new ORDER BY k DESC LIMIT 3 OFFSET 1") == [7, 3, 2]


def test_union_of_different_numbers(db):
    with pytest.raises(BindError) as caught:
        db.execute("SELECT 1 UNION ALL\nSELECT 2, 3")
    assert str(caught.value) == "1:10: UNION of 1 and 2 columns"


def test_explain_union(rows):
    assert rows("EXPLAIN SELECT 1 UNION SELECT 2 UNION ALL SELECT 3") == [
        ("UNION",), ("  DISTINCT",), ("    UNION",), ("      SELECT 1",), ("        ONE ROW",), ("      SELECT 2",),
        ("        ONE ROW",), ("  SELECT 3",), ("    ONE ROW",)]


def test_union_in_a_subquery(column):
    assert column("SELECT t FROM old WHERE n IN (SELECT 2 UNION SELECT m FROM new WHERE m > 2)") == ["c", None, "c"]


def test_distinct(rows):
    assert rows("SELECT DISTINCT n, t FROM old WHERE n < 3") == [(1, "a"), (2, None), (1, "b")]
