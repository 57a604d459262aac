import pytest

from rowboat import Database
from rowboat.errors import BindError, CatalogError, ConstraintError, EvaluationError


@pytest.fixture
def notes():
    database = Database()
    database.create_table("notes", {"id": "INTEGER", "text": "TEXT", "rank": "REAL"})
    database.create_index("notes_id", "notes", ["id"])
    database.execute("INSERT INTO notes VALUES (1, 'a', 1), (2, 'b', NULL), (3, NULL, 0.5)")
    return database


def all_of(database):
    return database.execute("SELECT * FROM notes").rows


def test_insert(notes):
    assert notes.execute("INSERT INTO notes (rank, id) VALUES (?, ? + 1)", [2, 8]).written == 1
    assert all_of(notes)[-1] == (9, None, 2.0)


def test_insert_from_a_query(notes):
    assert notes.execute("INSERT INTO notes (id, text) SELECT id + 10, text FROM notes WHERE text = 'b'").written == 1
    assert all_of(notes)[3:] == [(12, "b", None)]


def test_update(notes):
    assert notes.execute("UPDATE notes SET rank = id, id = id + 1 WHERE id < 3").written == 2
    assert all_of(notes) == [(2, "a", 1.0), (3, "b", 2.0), (3, None, 0.5)]
    assert notes.execute("SELECT text FROM notes WHERE id = 3").rows == [("b",), (None,)]


def test_update_reads_before_it_writes(notes):
    notes.execute("UPDATE notes SET id = 1 WHERE id IN (SELECT id + 1 FROM notes)")
    assert [row[0] for row in all_of(notes)] == [1, 1, 1]


def test_delete(notes):
    assert notes.execute("DELETE FROM notes n WHERE n.rank IS NULL OR n.id = ?", [3]).written == 2
    assert all_of(notes) == [(1, "a", 1.0)]
    assert notes.execute("SELECT * FROM notes WHERE id = 3").rows == []


def test_updated_rows_keep_their_places(notes):
    notes.execute("UPDATE notes SET id = 7 WHERE id = 3")
    notes.execute("UPDATE notes SET id = 7 WHERE id = 1")
    assert notes.execute("SELECT text FROM notes WHERE id = 7").rows == [("a",), (None,)]


def test_what_fails_writes_nothing(notes):
    before = all_of(notes)
    for sql, error in [
        ("INSERT INTO notes VALUES (4, 'd', 1), ('x', 'e', 1)", ConstraintError),
        ("UPDATE notes SET rank = text WHERE id < 3", ConstraintError),
        ("UPDATE notes SET id = 1.0", ConstraintError),
        ("UPDATE notes SET rank = text + 1", EvaluationError),
        ("INSERT INTO notes VALUES (1, 'a')", BindError),
        ("INSERT INTO notes (id) VALUES (1), (1, 'a')", BindError),
    ]:
        with pytest.raises(error):
            notes.execute(sql)
        assert all_of(notes) == before


def test_error_names_the_column(notes):
    with pytest.raises(ConstraintError) as caught:
        notes.execute("INSERT INTO notes VALUES (TRUE, NULL, NULL)")
    assert (caught.value.table, caught.value.column) == ("notes", "id")
    assert str(caught.value) == "notes.id: is INTEGER, not BOOLEAN"


def test_tables_and_indexes_that_exist_or_do_not(notes):
    for refused in (lambda: notes.create_table("notes", {"a": "TEXT"}), lambda: notes.drop_table("none"),
                    lambda: notes.create_table("more", {"a": "DATE"}), lambda: notes.create_index("i", "notes", ["x"]),
                    lambda: notes.create_index("notes_id", "notes", ["text"])):
        with pytest.raises(CatalogError):
            refused()
