import pytest

from rowboat import Database, Table


class Watched(Table):
    """Counts the rows that are read."""

    visits = 0

    def scan(self):
        for found in super().scan():
            self.visits += 1
            yield found

    def find(self, index, values):
        for found in super().find(index, values):
            self.visits += 1
            yield found


@pytest.fixture
def db():
    """20 boats; 5 trips each, numbered boat * 10 + 0 to 4; 2 stops for each trip. Boats 18 and 19 have no trips."""
    database = Database()
    boats = database.attach(Watched("boats", {"id": "INTEGER", "kind": "TEXT", "port": "INTEGER"}))
    trips = database.attach(Watched("trips", {"id": "INTEGER", "boat": "INTEGER", "miles": "INTEGER"}))
    stops = database.attach(Watched("stops", {"trip": "INTEGER", "nr": "INTEGER", "port": "INTEGER"}))
    boats.insert([(boat, "abcd"[boat % 4], boat % 5) for boat in range(20)])
    trips.insert([(boat * 10 + nr, boat, nr) for nr in range(5) for boat in range(18)])
    stops.insert([(boat * 10 + trip, nr, (boat + nr) % 5) for boat in range(18) for trip in range(5) for nr in range(2)])
    return database


@pytest.fixture
def indexed(db):
    db.create_index("boats_id", "boats", ["id"])
    db.create_index("trips_id", "trips", ["id"])
    db.create_index("trips_boat", "trips", ["boat"])
    db.create_index("stops_trip", "stops", ["trip"])
    db.create_index("stops_both", "stops", ["nr", "trip"])
    return db


def work(db, sql, *parameters, **most):
    """The number of rows of the result, and the tables of which more rows than *most* are read."""
    tables = {name: db.table(name) for name in ("boats", "trips", "stops")}
    for table in tables.values():
        table.visits = 0
    found = len(db.execute(sql, parameters).rows)
    return found, [name for name, table in tables.items() if table.visits > most.get(name, 0)]


def test_constant_on_the_left(indexed):
    sql = "SELECT * FROM boats b JOIN trips t ON t.boat = b.id WHERE b.id = ?"
    assert work(indexed, sql, 3, boats=1, trips=5) == (5, [])
    assert work(indexed, sql, 18, boats=1) == (0, [])


def test_constant_in_the_condition_of_a_join(indexed):
    assert work(indexed, "SELECT * FROM boats b JOIN trips t ON 7 = b.id AND b.id = t.boat", boats=1, trips=5) == (5, [])


def test_constant_on_the_right(indexed):
    sql = "SELECT * FROM boats b JOIN trips t ON t.miles = b.port WHERE t.boat = 3"
    assert work(indexed, sql, boats=20, trips=20 * 5) == (20, [])


def test_left_join(indexed):
    sql = "SELECT * FROM boats b LEFT JOIN trips t ON b.id = t.boat AND t.miles > 3 WHERE b.kind = 'c'"
    assert work(indexed, sql, boats=20, trips=20) == (5, [])


def test_left_join_of_a_found_row(indexed):
    sql = "SELECT * FROM boats b LEFT JOIN trips t ON b.id = t.boat WHERE b.id = 18"
    assert work(indexed, sql, boats=1) == (1, [])


def test_three_tables(indexed):
    sql = """SELECT * FROM boats b JOIN trips t ON t.boat = b.id JOIN stops s ON s.trip = t.id
             WHERE b.kind = 'b' AND b.port = 1 AND t.miles = 2"""
    assert work(indexed, sql, boats=20, trips=5, stops=2) == (2, [])


def test_inner_join_behind_a_left_join(indexed):
    sql = """SELECT * FROM boats b LEFT JOIN trips t ON t.boat = b.id JOIN stops s ON s.trip = t.id AND b.id = 4
             WHERE t.miles < 2"""
    assert work(indexed, sql, boats=1, trips=5, stops=4) == (4, [])


def test_row_that_a_left_join_leaves_alone(indexed):
    sql = """SELECT * FROM boats b LEFT JOIN trips t ON t.boat = b.id LEFT JOIN stops s ON s.trip = t.id
             WHERE b.id > 16 AND t.id IS NULL"""
    assert work(indexed, sql, boats=20, trips=5) == (2, [])


def test_index_of_two_columns(indexed):
    sql = "SELECT * FROM trips t JOIN stops s ON s.trip = t.id AND s.nr = ? WHERE t.boat = 6"
    assert work(indexed, sql, 1, trips=5, stops=5) == (5, [])


def test_half_of_the_columns_in_where(indexed):
    sql = "SELECT * FROM trips t JOIN stops s ON s.trip = t.id WHERE t.id = 62 AND 0 = s.nr"
    assert work(indexed, sql, trips=1, stops=1) == (1, [])


def test_expression_of_the_left(indexed):
    sql = "SELECT * FROM boats b JOIN trips t ON t.id = b.id * 10 + 1 WHERE b.port = 2"
    assert work(indexed, sql, boats=20, trips=4) == (4, [])


def test_table_joined_with_itself(indexed):
    sql = "SELECT * FROM trips a JOIN trips b ON b.boat = a.boat AND b.id <> a.id WHERE a.id = 33"
    assert work(indexed, sql, trips=6) == (4, [])


def test_subquery(indexed):
    sql = """SELECT id FROM boats b WHERE id < 3 AND EXISTS (
                SELECT 1 FROM trips t JOIN stops s ON s.trip = t.id WHERE t.boat = b.id AND s.port = 9)"""
    assert work(indexed, sql, boats=20, trips=15, stops=30) == (0, [])


def test_value_of_a_query_around(indexed):
    sql = """SELECT id FROM boats b WHERE port = 3 AND EXISTS (
                SELECT 1 FROM boats p JOIN trips t ON t.boat = b.id AND t.miles = p.port WHERE p.id = 0)"""
    assert work(indexed, sql, boats=24, trips=20) == (3, [])


def test_groups_and_order(indexed):
    sql = """SELECT b.kind, COUNT(*) FROM boats b JOIN trips t ON t.boat = b.id WHERE b.id = 5
             GROUP BY b.kind HAVING COUNT(*) > 4 ORDER BY 2"""
    assert work(indexed, sql, boats=1, trips=5) == (1, [])


def test_writing_a_join(indexed):
    sql = "SELECT b.id, t.id FROM boats b JOIN trips t ON t.boat = b.id WHERE b.id = 2"
    indexed.execute("INSERT INTO trips VALUES (500, 2, 1)")
    assert work(indexed, sql, boats=1, trips=6) == (6, [])


def test_without_indexes_each_table_once(db):
    sql = "SELECT * FROM boats b JOIN trips t ON t.boat = b.id JOIN stops s ON s.trip = t.id"
    assert work(db, sql, boats=20, trips=90, stops=180) == (180, [])


def test_without_equality_each_table_once(db):
    sql = "SELECT * FROM boats b JOIN trips t ON t.miles > b.port WHERE b.id < 10"
    assert work(db, sql, boats=20, trips=90) == (2 * 18 * (4 + 3 + 2 + 1), [])


def test_left_join_without_an_index(db):
    assert work(db, "SELECT * FROM boats b LEFT JOIN trips t ON t.boat = b.id", boats=20, trips=90) == (92, [])


def test_no_row_on_the_left(db):
    assert work(db, "SELECT * FROM boats b JOIN trips t ON t.boat = b.id AND b.kind = 'z'", boats=20) == (0, [])
    assert work(db, "SELECT * FROM boats b JOIN trips t ON TRUE JOIN stops ON TRUE WHERE b.port > 5", boats=20) == (0, [])


def test_nulls_look_nothing_up(indexed):
    sql = "SELECT * FROM boats b JOIN trips t ON t.boat = b.id WHERE b.id = NULL"
    assert work(indexed, sql) == (0, [])
    sql = "SELECT * FROM boats b JOIN trips t ON t.boat = NULLIF(b.port, b.port)"
    assert work(indexed, sql, boats=20) == (0, [])


def test_one_table(indexed):
    assert work(indexed, "SELECT * FROM trips WHERE miles > 1 AND boat = 3", trips=5) == (3, [])
    assert work(indexed, "SELECT * FROM stops WHERE trip = 20 AND nr = 0", stops=1) == (1, [])
    assert work(indexed, "SELECT * FROM trips WHERE boat = 3 OR boat = 4", trips=90) == (10, [])


def test_limit(indexed):
    assert work(indexed, "SELECT * FROM trips WHERE miles = 0 LIMIT 2", trips=2) == (2, [])
