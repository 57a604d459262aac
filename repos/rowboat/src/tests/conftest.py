import pytest

from rowboat import Database


@pytest.fixture
def db():
    """A harbour: boats, berths and trips, some of them with NULLs."""
    database = Database()
    database.create_table("boats", {"id": "INTEGER", "name": "TEXT", "kind": "TEXT", "length": "REAL"})
    database.create_table("trips", {"id": "INTEGER", "boat": "INTEGER", "miles": "INTEGER", "windy": "BOOLEAN"})
    database.execute("""
        INSERT INTO boats VALUES
            (1, 'Heron', 'sloop', 9.5), (2, 'Teal', 'dinghy', 3), (3, 'Ibis', 'sloop', NULL),
            (4, 'Wren', NULL, 4.2), (5, 'Crane', 'yawl', 9.5)
    """)
    database.execute("""
        INSERT INTO trips VALUES
            (10, 1, 12, TRUE), (11, 2, 3, FALSE), (12, 1, 30, NULL), (13, 3, NULL, TRUE), (14, NULL, 5, FALSE),
            (15, 1, 12, FALSE)
    """)
    return database


@pytest.fixture
def rows(db):
    """Executes a statement on the harbour and gives the rows."""
    return lambda sql, *parameters: db.execute(sql, parameters).rows


@pytest.fixture
def column(rows):
    return lambda sql, *parameters: [row[0] for row in rows(sql, *parameters)]


@pytest.fixture
def value():
    """The value of an expression."""
    return lambda expression, *parameters: Database().execute(f"SELECT {expression}", parameters).rows[0][0]
