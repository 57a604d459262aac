import pytest

from rowboat import Database


@pytest.fixture
def column():
    database = Database()
    database.create_table("crew", {"id": "INTEGER", "ship": "TEXT", "rank": "INTEGER", "pay": "REAL"})
    database.execute("""
        INSERT INTO crew VALUES
            (1, 'Ada', 2, 10.5), (2, 'Bee', 1, NULL), (3, 'Ada', 2, 12), (4, NULL, 3, 10.5), (5, 'Bee', 2, NULL),
            (6, 'Ada', 1, 12), (7, NULL, NULL, 9), (8, 'Bee', 2, 9)
    """)
    return lambda sql, *parameters: [row[0] for row in database.execute(sql, parameters).rows]


def test_second_key_ascending(column):
    assert column("SELECT id FROM crew ORDER BY rank DESC, id") == [7, 4, 1, 3, 5, 8, 2, 6]


def test_second_key_descending(column):
    assert column("SELECT id FROM crew ORDER BY rank DESC, id DESC") == [7, 4, 8, 5, 3, 1, 6, 2]


def test_three_keys(column):
    assert column("SELECT id FROM crew ORDER BY rank DESC, ship, id") == [7, 4, 1, 3, 5, 8, 6, 2]
    assert column("SELECT id FROM crew ORDER BY rank DESC, ship DESC, id") == [7, 4, 5, 8, 1, 3, 2, 6]


def test_descending_key_between_others(column):
    assert column("SELECT id FROM crew ORDER BY ship, rank DESC, id") == [1, 3, 6, 5, 8, 2, 7, 4]


def test_ties_of_one_key(column):
    assert column("SELECT id FROM crew ORDER BY rank DESC") == [7, 4, 1, 3, 5, 8, 2, 6]
    assert column("SELECT id FROM crew ORDER BY ship DESC") == [4, 7, 2, 5, 8, 1, 3, 6]


def test_ties_of_two_keys(column):
    assert column("SELECT id FROM crew ORDER BY ship, rank DESC") == [1, 3, 6, 5, 8, 2, 7, 4]
    assert column("SELECT id FROM crew ORDER BY rank DESC NULLS LAST, ship DESC NULLS LAST") == [4, 5, 8, 1, 3, 2, 6, 7]


def test_ties_among_nulls(column):
    assert column("SELECT id FROM crew ORDER BY pay DESC") == [2, 5, 3, 6, 1, 4, 7, 8]
    assert column("SELECT id FROM crew ORDER BY pay DESC NULLS LAST") == [3, 6, 1, 4, 7, 8, 2, 5]


def test_pages(column):
    pages = [column("SELECT id FROM crew ORDER BY rank DESC, id LIMIT 3 OFFSET ?", start) for start in (0, 3, 6)]
    assert pages == [[7, 4, 1], [3, 5, 8], [2, 6]]


def test_union(column):
    sql = "SELECT id, rank FROM crew WHERE id < 4 UNION ALL SELECT 9, 2 UNION ALL SELECT 8, 1 ORDER BY rank DESC"
    assert column(sql) == [1, 3, 9, 2, 8]


def test_groups(column):
    assert column("SELECT ship FROM crew GROUP BY ship ORDER BY COUNT(*) DESC, ship DESC") == ["Bee", "Ada", None]
    assert column("SELECT ship FROM crew GROUP BY ship ORDER BY COUNT(*) DESC") == ["Ada", "Bee", None]


def test_numbers_of_columns(column):
    assert column("SELECT id, ship, rank FROM crew ORDER BY 2 DESC NULLS LAST, 3, 1") == [2, 5, 8, 6, 1, 3, 4, 7]


def test_ascending_keys(column):
    assert column("SELECT id FROM crew ORDER BY ship, rank, id") == [6, 1, 3, 2, 5, 8, 4, 7]


def test_ties_without_desc(column):
    assert column("SELECT id FROM crew ORDER BY rank") == [2, 6, 1, 3, 5, 8, 4, 7]


def test_descending_without_ties(column):
    assert column("SELECT id FROM crew ORDER BY id DESC") == [8, 7, 6, 5, 4, 3, 2, 1]


def test_last_key_descending(column):
    assert column("SELECT id FROM crew ORDER BY rank NULLS FIRST, id DESC") == [7, 6, 2, 8, 5, 3, 1, 4]


def test_place_of_the_only_null(column):
    assert column("SELECT rank FROM crew WHERE id > 5 ORDER BY rank DESC") == [None, 2, 1]
    assert column("SELECT rank FROM crew WHERE id > 5 ORDER BY rank DESC NULLS LAST") == [2, 1, None]
    assert column("SELECT rank FROM crew WHERE id > 5 ORDER BY rank NULLS FIRST") == [None, 1, 2]
    assert column("SELECT rank FROM crew WHERE id > 5 ORDER BY rank") == [1, 2, None]


def test_values_of_different_types(column):
    assert column("SELECT 'b' AS x UNION ALL SELECT 2 UNION ALL SELECT TRUE UNION ALL SELECT NULL ORDER BY x DESC") == [
        None, "b", 2, True]
