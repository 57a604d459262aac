from rowboat import Database, Table


def test_in(column):
    assert column("SELECT name FROM boats WHERE id IN (SELECT boat FROM trips)") == ["Heron", "Teal", "Ibis"]
    assert column("SELECT name FROM boats WHERE id NOT IN (SELECT boat FROM trips)") == []
    assert column("SELECT name FROM boats WHERE id NOT IN (SELECT boat FROM trips WHERE boat > 0)") == ["Wren", "Crane"]


def test_in_no_rows(column):
    assert column("SELECT id FROM boats WHERE kind NOT IN (SELECT kind FROM boats WHERE FALSE)") == [1, 2, 3, 4, 5]


def test_exists(column):
    sql = "SELECT name FROM boats b WHERE {} (SELECT 1 FROM trips WHERE boat = b.id AND miles > 5)"
    assert column(sql.format("EXISTS")) == ["Heron"]
    assert column(sql.format("NOT EXISTS")) == ["Teal", "Ibis", "Wren", "Crane"]


def test_columns_of_the_inner_query_come_first(column):
    assert column("SELECT name FROM boats WHERE EXISTS (SELECT 1 FROM trips WHERE id = 1)") == []


def test_subquery_in_a_subquery(column):
    assert column("""
        SELECT name FROM boats b WHERE EXISTS (
            SELECT 1 FROM trips t WHERE t.boat = b.id AND t.miles IN (SELECT miles FROM trips u WHERE u.id > t.id))
    """) == ["Heron"]


def test_subquery_that_names_the_outermost_query(column):
    assert column("""
        SELECT name FROM boats b WHERE EXISTS (
            SELECT 1 FROM trips t WHERE miles = 12 AND EXISTS (SELECT 1 FROM trips WHERE boat = b.id AND miles = 3))
    """) == ["Teal"]


def test_subqueries_that_are_combined(column):
    inner = "SELECT 5 UNION SELECT boat FROM trips WHERE miles > boats.id * 8"
    assert column(f"SELECT id FROM boats WHERE id IN ({inner})") == [1, 5]


def test_subquery_of_a_group(rows):
    assert rows("""
        SELECT kind, COUNT(*) FROM boats b GROUP BY kind
        HAVING EXISTS (SELECT 1 FROM boats WHERE kind = b.kind AND length < 9)
    """) == [("dinghy", 1)]


def test_each_combination_of_outer_values_once():
    class Counting(Table):
        scans = 0

        def scan(self):
            self.scans += 1
            return super().scan()

    db = Database()
    inner = db.attach(Counting("inner_", {"x": "INTEGER"}))
    db.create_table("outer_", {"a": "INTEGER"})
    db.execute("INSERT INTO inner_ VALUES (1), (2)")
    db.execute("INSERT INTO outer_ VALUES (1), (2), (1), (1), (2), (5)")
    assert db.execute("SELECT a FROM outer_ WHERE EXISTS (SELECT 1 FROM inner_ WHERE x > a)").rows == [(1,), (1,), (1,)]
    assert inner.scans == 3
