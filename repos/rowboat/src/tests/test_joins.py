def test_inner_join(rows):
    assert rows("SELECT name, miles FROM trips JOIN boats ON boat = boats.id") == [
        ("Heron", 12), ("Teal", 3), ("Heron", 30), ("Ibis", None), ("Heron", 12)]


def test_left_join(rows):
    assert rows("SELECT name, t.id FROM boats LEFT JOIN trips t ON t.boat = boats.id AND miles > 5") == [
        ("Heron", 10), ("Heron", 12), ("Heron", 15), ("Teal", None), ("Ibis", None), ("Wren", None), ("Crane", None)]


def test_left_join_and_where(column):
    sql = "SELECT name FROM boats LEFT JOIN trips ON boat = boats.id WHERE "
    assert column(sql + "trips.id IS NULL") == ["Wren", "Crane"]
    assert column(sql + "miles > 5") == ["Heron", "Heron", "Heron"]


def test_condition_on_the_left_of_a_left_join(rows):
    assert rows("SELECT b.id, t.id FROM boats b LEFT OUTER JOIN trips t ON boat = b.id AND kind = 'dinghy'") == [
        (1, None), (2, 11), (3, None), (4, None), (5, None)]


def test_three_tables(rows):
    assert rows("""
        SELECT a.id, b.id, c.id FROM boats a
        JOIN boats b ON a.length = b.length AND a.id <> b.id
        LEFT JOIN trips c ON c.boat = b.id AND windy
    """) == [(1, 5, None), (5, 1, 10)]


def test_join_without_an_equality(rows):
    assert rows("SELECT a.name, b.name FROM boats a INNER JOIN boats b ON a.length < b.length AND b.id < 5") == [
        ("Teal", "Heron"), ("Teal", "Wren"), ("Wren", "Heron")]


def test_nulls_do_not_join(rows):
    assert rows("SELECT a.id, b.id FROM trips a JOIN trips b ON a.boat = b.boat AND a.id < b.id") == [
        (10, 12), (10, 15), (12, 15)]
