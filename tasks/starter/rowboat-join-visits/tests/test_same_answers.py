import pytest

from rowboat import Database, Table


@pytest.fixture(params=["plain", "indexed"])
def db(request):
    database = Database()
    database.create_table("a", {"x": "INTEGER", "y": "INTEGER", "f": "BOOLEAN"})
    database.create_table("b", {"x": "INTEGER", "z": "REAL", "t": "TEXT"})
    database.create_table("c", {"z": "INTEGER", "t": "TEXT"})
    if request.param == "indexed":
        for name, table, columns in [("ax", "a", ["x"]), ("af", "a", ["f"]), ("bx", "b", ["x"]), ("bxz", "b", ["z", "x"]),
                                     ("cz", "c", ["z"]), ("ct", "c", ["t"])]:
            database.create_index(name, table, columns)
    database.execute("INSERT INTO a VALUES (1, 10, TRUE), (2, NULL, FALSE), (NULL, 30, NULL), (2, 40, TRUE), (5, 50, FALSE)")
    database.execute("INSERT INTO b VALUES (2, 1, 'p'), (1, 2, 'q'), (2, NULL, 'r'), (NULL, 1, 's'), (1, 1, NULL), (7, 0, 'u')")
    database.execute("INSERT INTO c VALUES (1, 'p'), (2, 'q'), (NULL, 'r'), (1, NULL), (0, 'p')")
    return database


def test_order_of_the_rows(db):
    assert db.execute("SELECT a.x, y, t FROM a JOIN b ON a.x = b.x").rows == [
        (1, 10, "q"), (1, 10, None), (2, None, "p"), (2, None, "r"), (2, 40, "p"), (2, 40, "r")]
    assert db.execute("SELECT t, y FROM b JOIN a ON a.x = b.x WHERE a.x = 2").rows == [
        ("p", None), ("p", 40), ("r", None), ("r", 40)]


def test_order_after_updates(db):
    db.execute("UPDATE b SET x = 5 WHERE t = 'u'")
    db.execute("UPDATE b SET x = 5 WHERE t = 'p'")
    assert db.execute("SELECT t FROM a JOIN b ON a.x = b.x AND y = 50").rows == [("p",), ("u",)]


def test_condition_on_the_right_of_a_left_join(db):
    sql = "SELECT a.x, y, t FROM a LEFT JOIN b ON a.x = b.x "
    assert db.execute(sql + "WHERE z = 1").rows == [(1, 10, None), (2, None, "p"), (2, 40, "p")]
    assert db.execute(sql + "AND z = 1").rows == [
        (1, 10, None), (2, None, "p"), (None, 30, None), (2, 40, "p"), (5, 50, None)]


def test_looking_for_rows_without_a_partner(db):
    sql = "SELECT a.x, y FROM a LEFT JOIN b ON a.x = b.x WHERE "
    assert db.execute(sql + "b.x IS NULL").rows == [(None, 30), (5, 50)]
    assert db.execute(sql + "z = 2 OR b.x IS NULL").rows == [(1, 10), (None, 30), (5, 50)]
    assert db.execute(sql + "COALESCE(b.x, 5) = 5 AND y > 40").rows == [(5, 50)]
    assert db.execute(sql + "NOT (z = 1)").rows == [(1, 10)]


def test_condition_on_the_left_in_a_left_join(db):
    assert db.execute("SELECT a.x, y, t FROM a LEFT JOIN b ON a.x = b.x AND f").rows == [
        (1, 10, "q"), (1, 10, None), (2, None, None), (None, 30, None), (2, 40, "p"), (2, 40, "r"), (5, 50, None)]
    assert db.execute("SELECT y, t FROM a LEFT JOIN b ON a.x = 2 AND b.x = 7").rows == [
        (10, None), (None, "u"), (30, None), (40, "u"), (50, None)]
    assert db.execute("SELECT y, t FROM a LEFT JOIN b ON FALSE WHERE a.x = 2").rows == [(None, None), (40, None)]


def test_inner_join_behind_a_left_join(db):
    assert db.execute("SELECT y, b.t, c.z FROM a LEFT JOIN b ON a.x = b.x JOIN c ON c.t = b.t").rows == [
        (10, "q", 2), (None, "p", 1), (None, "p", 0), (None, "r", None), (40, "p", 1), (40, "p", 0), (40, "r", None)]
    assert db.execute("SELECT y, c.t FROM a LEFT JOIN b ON a.x = b.x JOIN c ON b.x IS NULL AND c.z = 2").rows == [
        (30, "q"), (50, "q")]


def test_left_join_behind_a_left_join(db):
    assert db.execute("SELECT y, b.t, c.t FROM a LEFT JOIN b ON a.x = b.x AND z > 1 LEFT JOIN c ON c.z = b.z WHERE f").rows == [
        (10, "q", "q"), (40, None, None)]
    assert db.execute("SELECT y, c.z FROM a LEFT JOIN b ON b.x = a.x LEFT JOIN c ON c.t = b.t AND a.y = 40 "
                      "WHERE a.x = 2 AND c.z IS NULL").rows == [(None, None), (None, None), (40, None)]


def test_nulls_are_no_partners(db):
    assert db.execute("SELECT y, t FROM a JOIN b ON a.x = b.x AND a.x IS NULL").rows == []
    assert db.execute("SELECT COUNT(*) FROM b JOIN c ON b.z = c.z AND b.t = c.t").rows == [(2,)]
    assert db.execute("SELECT COUNT(*) FROM a JOIN a d ON d.f = a.f").rows == [(8,)]


def test_true_is_not_one(db):
    assert db.execute("SELECT a.y, d.x FROM a JOIN a d ON d.f = a.x").rows == []
    assert db.execute("SELECT a.y, d.y FROM a JOIN a d ON d.x = a.f").rows == []
    assert db.execute("SELECT t FROM b JOIN a ON b.x = f AND TRUE").rows == []


def test_whole_numbers_and_reals(db):
    assert db.execute("SELECT b.t, c.t FROM b JOIN c ON b.z = c.z WHERE b.x = 2.0").rows == [("p", "p"), ("p", None)]


def test_alternatives(db):
    assert db.execute("SELECT y, t FROM a JOIN b ON a.x = b.x OR b.x = 7 WHERE y = 50 OR t = 'q'").rows == [
        (10, "q"), (50, "u")]


def test_several_demands_on_one_column(db):
    assert db.execute("SELECT y, t FROM a JOIN b ON b.x = a.x AND b.x = 1").rows == [(10, "q"), (10, None)]
    assert db.execute("SELECT y, t FROM a JOIN b ON b.x = a.x WHERE b.x = 1 AND 2 = b.x").rows == []
    assert db.execute("SELECT y FROM a JOIN b ON a.x = a.x AND b.x = b.x AND t = 'u'").rows == [(10,), (None,), (40,), (50,)]


def test_subqueries_in_conditions(db):
    assert db.execute("""
        SELECT y, t FROM a JOIN b ON b.x = a.x AND EXISTS (SELECT 1 FROM c WHERE c.t = b.t AND c.z = a.x)
    """).rows == []
    assert db.execute("""
        SELECT y, t FROM a LEFT JOIN b ON b.x = a.x AND t IN (SELECT t FROM c WHERE z = b.z) WHERE a.x NOT IN (SELECT 5)
    """).rows == [(10, "q"), (None, "p"), (40, "p")]


def test_join_inside_a_subquery(db):
    assert db.execute("""
        SELECT x, y FROM a WHERE EXISTS (SELECT 1 FROM b LEFT JOIN c ON c.t = b.t AND c.z = 0 WHERE b.x = a.x AND c.z IS NULL)
    """).rows == [(1, 10), (2, None), (2, 40)]


def test_executing_again(db):
    sql = "SELECT y, t FROM a LEFT JOIN b ON b.x = a.x AND b.z < ? WHERE a.x = 2"
    assert db.execute(sql, [2]).rows == [(None, "p"), (40, "p")]
    db.execute("INSERT INTO b VALUES (2, 0.5, 'new')")
    assert db.execute(sql, [1]).rows == [(None, "new"), (40, "new")]
    db.execute("DELETE FROM b WHERE x = 2")
    assert db.execute(sql, [9]).rows == [(None, None), (40, None)]


def test_constant_conditions(db):
    assert db.execute("SELECT 1 FROM a JOIN b ON TRUE WHERE ?", [False]).rows == []
    assert db.execute("SELECT COUNT(*) FROM a JOIN b ON TRUE WHERE ?", [True]).rows == [(30,)]
    assert db.execute("SELECT COUNT(*) FROM a LEFT JOIN b ON NULL").rows == [(5,)]


def test_table_that_shows_only_some_rows():
    class Shown(Table):
        def scan(self):
            return ((row_id, row) for row_id, row in super(Shown, self).scan() if row[1] != "hidden")

        def find(self, index, values):
            return ((row_id, row) for row_id, row in super(Shown, self).find(index, values) if row[1] != "hidden")

    db = Database()
    db.attach(Shown("s", {"id": "INTEGER", "state": "TEXT"}))
    db.create_table("r", {"id": "INTEGER"})
    db.execute("INSERT INTO s VALUES (1, 'shown'), (1, 'hidden'), (2, 'hidden'), (3, 'shown')")
    db.execute("INSERT INTO r VALUES (1), (2), (3)")
    sql = "SELECT r.id, state FROM r LEFT JOIN s ON s.id = r.id"
    expected = [(1, "shown"), (2, None), (3, "shown")]
    assert db.execute(sql).rows == expected
    db.create_index("s_id", "s", ["id"])
    assert db.execute(sql).rows == expected

