import pytest

from rowboat import Database, Table
from rowboat.errors import BindError, EvaluationError


class Counting(Table):
    """Counts how often it is gone through, and asked for the place of a column."""

    scans = 0
    positions = 0

    def scan(self):
        self.scans += 1
        return super().scan()

    def position(self, column):
        self.positions += 1
        return super().position(column)


class Depot:
    def __init__(self):
        self.db = Database()
        self.cars = self.db.attach(Counting("cars", {"id": "INTEGER", "line": "INTEGER", "seats": "INTEGER"}))
        self.lines = self.db.attach(Counting("lines", {"id": "INTEGER", "name": "TEXT", "fare": "INTEGER"}))
        self.rows("INSERT INTO lines VALUES (1, 'harbour', 2), (2, 'hill', 3), (3, 'ring', 2), (4, 'night', 5)")
        self.rows("INSERT INTO cars VALUES (11, 1, 40), (12, 1, 60), (13, 2, 20), (14, 3, 80), (15, NULL, 5)")

    def rows(self, sql, *parameters):
        return self.db.execute(sql, parameters).rows

    def column(self, sql, *parameters):
        return [row[0] for row in self.rows(sql, *parameters)]


@pytest.fixture
def depot():
    return Depot()


def test_parameters_of_a_subquery(depot):
    sql = "SELECT name FROM lines WHERE id IN (SELECT line FROM cars WHERE seats > ?)"
    assert depot.column(sql, 70) == ["ring"]
    assert depot.column(sql, 30) == ["harbour", "ring"]
    assert depot.column(sql, 90) == []


def test_parameters_beside_outer_columns(depot):
    sql = "SELECT id FROM lines l WHERE NOT EXISTS (SELECT 1 FROM cars WHERE line = l.id AND seats > ? * l.fare)"
    assert depot.column(sql, 10) == [2, 4]
    assert depot.column(sql, 30) == [1, 2, 4]
    assert depot.column(sql, 5) == [4]
    assert depot.column(sql, 100) == [1, 2, 3, 4]


def test_equal_parameters_of_different_types(depot):
    sql = "SELECT id FROM lines WHERE EXISTS (SELECT 1 WHERE ? = 1) AND id < 3"
    assert depot.column(sql, 1) == [1, 2]
    assert depot.column(sql, True) == []
    assert depot.column(sql, 1.0) == [1, 2]


def test_subquery_after_writing(depot):
    sql = "SELECT id FROM lines WHERE id NOT IN (SELECT line FROM cars WHERE line IS NOT NULL)"
    assert depot.column(sql) == [4]
    depot.rows("UPDATE cars SET line = 4 WHERE id = 13")
    assert depot.column(sql) == [2]
    depot.rows("DELETE FROM cars WHERE id < 13")
    assert depot.column(sql) == [1, 2]
    depot.rows("INSERT INTO cars VALUES (20, 1, 1), (21, 2, 1)")
    assert depot.column(sql) == []


def test_writing_through_the_table(depot):
    sql = "SELECT id FROM lines WHERE EXISTS (SELECT 1 FROM cars WHERE seats > 100)"
    assert depot.column(sql) == []
    depot.cars.insert([(30, 2, 120)])
    assert depot.column(sql) == [1, 2, 3, 4]


def test_join_after_writing(depot):
    sql = "SELECT l.id, c.id FROM lines l JOIN cars c ON c.line = l.id"
    assert depot.rows(sql) == [(1, 11), (1, 12), (2, 13), (3, 14)]
    depot.rows("INSERT INTO cars VALUES (16, 2, 7)")
    depot.rows("DELETE FROM cars WHERE id = 11")
    depot.rows("UPDATE cars SET line = 3 WHERE id = 13")
    assert depot.rows(sql) == [(1, 12), (2, 16), (3, 13), (3, 14)]


def test_left_join_after_writing(depot):
    sql = "SELECT l.id, c.id FROM lines l LEFT JOIN cars c ON c.seats < l.fare * ? WHERE l.id > 2"
    assert depot.rows(sql, 3) == [(3, 15), (4, 15)]
    assert depot.rows(sql, 5) == [(3, 15), (4, 13), (4, 15)]
    depot.cars.delete([5])
    assert depot.rows(sql, 5) == [(3, None), (4, 13)]


def test_join_in_a_subquery(depot):
    sql = "SELECT id FROM lines l WHERE EXISTS (SELECT 1 FROM lines m JOIN cars ON line = m.id WHERE m.fare > l.fare)"
    assert depot.column(sql) == [1, 3]
    depot.rows("INSERT INTO cars VALUES (17, 4, 1)")
    assert depot.column(sql) == [1, 2, 3]


def test_outermost_query(depot):
    sql = """SELECT id FROM lines l WHERE EXISTS (SELECT 1 FROM cars c WHERE seats >= 60
                AND EXISTS (SELECT 1 FROM cars d WHERE d.line = l.id AND d.seats < 50))"""
    assert depot.column(sql) == [1, 2]


def test_outermost_query_and_the_one_between(depot):
    sql = """SELECT id FROM lines l WHERE id IN (SELECT c.line FROM cars c WHERE
                c.seats IN (SELECT d.seats FROM cars d WHERE d.line = l.id AND d.id = c.id))"""
    assert depot.column(sql) == [1, 2, 3]


def test_three_queries_up(depot):
    sql = """SELECT id FROM lines l WHERE EXISTS (SELECT 1 FROM cars WHERE EXISTS (SELECT 1 FROM lines WHERE EXISTS (
                SELECT 1 FROM cars WHERE seats = l.fare * 20)))"""
    assert depot.column(sql) == [1, 2, 3]


def test_writing_with_subqueries(depot):
    update = "UPDATE lines SET fare = fare + 1 WHERE id IN (SELECT line FROM cars WHERE seats > ?)"
    assert depot.db.execute(update, [70]).written == 1
    assert depot.db.execute(update, [10]).written == 3
    assert depot.column("SELECT fare FROM lines") == [3, 4, 4, 5]
    insert = "INSERT INTO cars SELECT l.id + 50, l.id, 1 FROM lines l LEFT JOIN cars c ON c.line = l.id WHERE c.id IS NULL"
    assert depot.db.execute(insert).written == 1
    assert depot.db.execute(insert).written == 0
    delete = "DELETE FROM lines WHERE NOT EXISTS (SELECT 1 FROM cars WHERE line = lines.id)"
    assert depot.db.execute(delete).written == 0
    depot.rows("DELETE FROM cars WHERE line = 4")
    assert depot.db.execute(delete).written == 1


def test_dropped_table(depot):
    for sql in ("SELECT * FROM cars", "DELETE FROM cars", "SELECT 1 FROM lines WHERE EXISTS (SELECT 1 FROM cars)"):
        depot.rows(sql)
    depot.db.drop_table("cars")
    for sql in ("SELECT * FROM cars", "DELETE FROM cars", "SELECT 1 FROM lines WHERE EXISTS (SELECT 1 FROM cars)"):
        with pytest.raises(BindError):
            depot.rows(sql)


def test_after_a_failure(depot):
    sql = "SELECT id FROM lines WHERE id IN (SELECT line FROM cars WHERE line > 0 OR 'none' + 1 > 0)"
    with pytest.raises(EvaluationError):
        depot.column(sql)
    depot.rows("UPDATE cars SET line = 2 WHERE line IS NULL")
    assert depot.column(sql) == [1, 2, 3]
    depot.rows("DELETE FROM cars WHERE id > 12")
    assert depot.column(sql) == [1]


def test_scans_of_an_execution_each_time(depot):
    sql = "SELECT id FROM lines l WHERE EXISTS (SELECT 1 FROM cars WHERE seats > l.fare * ?)"
    counted = []
    for factor in (10, 10, 30):
        depot.cars.scans = 0
        depot.rows(sql, factor)
        counted.append(depot.cars.scans)
    assert counted == [3, 3, 3]


def test_scans_for_the_outermost_query(depot):
    sql = """SELECT id FROM lines l WHERE EXISTS (SELECT 1 FROM lines m WHERE m.fare >= l.fare
                AND EXISTS (SELECT 1 FROM cars WHERE seats > l.fare * 1000))"""
    assert depot.column(sql) == []
    assert depot.cars.scans == 3


def test_scans_of_an_execution(depot):
    depot.rows("SELECT id FROM lines l WHERE EXISTS (SELECT 1 FROM cars WHERE seats > l.fare)")
    assert depot.cars.scans == 3
    depot.cars.scans = 0
    depot.rows("SELECT id FROM lines l WHERE id IN (SELECT line FROM cars WHERE seats > 1)")
    assert depot.cars.scans == 1


def test_scans_of_a_join(depot):
    depot.rows("SELECT 1 FROM lines l JOIN cars c ON c.line = l.id LEFT JOIN lines m ON m.fare < l.fare")
    assert (depot.cars.scans, depot.lines.scans) == (1, 2)


def test_statements_stay_prepared(depot):
    statements = ["UPDATE cars SET seats = seats + ? WHERE id = 11", "INSERT INTO cars (line, id) VALUES (1, ?)",
                  "UPDATE lines SET fare = 2 WHERE id IN (SELECT line FROM cars WHERE seats > ?)"]
    for sql in statements:
        depot.rows(sql, 5)
    before = depot.cars.positions + depot.lines.positions
    for sql in statements:
        depot.rows(sql, 6)
    assert depot.cars.positions + depot.lines.positions == before


def test_new_index(depot):
    sql = "SELECT c.id FROM lines l JOIN cars c ON c.line = l.id WHERE l.id = 1"
    assert depot.column(sql) == [11, 12]
    depot.db.create_index("cars_line", "cars", ["line"])
    depot.cars.scans = 0
    assert depot.column(sql) == [11, 12]
    assert depot.cars.scans == 0


def test_table_of_the_same_name(depot):
    assert depot.column("SELECT * FROM cars WHERE id > 13") == [14, 15]
    depot.db.drop_table("cars")
    depot.db.create_table("cars", {"id": "INTEGER"})
    assert depot.rows("SELECT * FROM cars WHERE id > 13") == []


def test_same_statement_on_one_table(depot):
    sql = "SELECT id FROM cars WHERE seats > ?"
    assert depot.column(sql, 50) == [12, 14]
    depot.rows("UPDATE cars SET seats = 55 WHERE id = 13")
    assert depot.column(sql, 50) == [12, 13, 14]
    assert depot.column(sql, 60) == [14]


def test_true_and_one_outside(depot):
    depot.db.create_table("mixed", {"flag": "BOOLEAN", "n": "INTEGER"})
    depot.rows("INSERT INTO mixed VALUES (NULL, 1), (TRUE, 2), (NULL, 1)")
    sql = "SELECT n FROM mixed WHERE EXISTS (SELECT 1 FROM lines WHERE id = COALESCE(flag, n))"
    assert depot.column(sql) == [1, 1]
