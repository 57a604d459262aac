import pytest

from rowboat import Database
from rowboat.errors import BindError, ParseError
from rowboat.parser import parse


def test_how_tight_operators_bind(value):
    assert [value(text) for text in ("1 + 2 * 3", "(1 + 2) * 3", "10 - 4 - 3", "- 2 * 3", "2 - -3")] == [7, 9, 3, -6, 5]
    assert value("'a' || 'b' || 'c'") == "abc"
    assert value("NOT 1 = 2") is True
    assert value("NOT TRUE OR TRUE") is True
    assert value("TRUE OR TRUE AND FALSE") is True
    assert value("1 + 1 = 2 AND 3 > 2") is True


def test_predicates_among_other_operators(value):
    assert value("2 BETWEEN 1 AND 3 AND FALSE") is False
    assert value("3 NOT BETWEEN 1 AND 1 + 1") is True
    assert value("1 IN (2, 3) OR 1 IN (1)") is True
    assert value("NOT 2 NOT IN (1, 2)") is True
    assert value("1 IS NOT NULL AND NULL IS NULL") is True


@pytest.mark.parametrize("sql, message", [
    ("SELECT", "1:7: expected an expression, found the end"),
    ("SELECT 1 +", "1:11: expected an expression, found the end"),
    ("SELEC 1", "1:1: expected SELECT, found 'SELEC'"),
    ("SELECT a FROM t\nWHERE a IS 3", "2:12: expected NULL, found '3'"),
    ("SELECT a FROM t ORDER a", "1:23: expected BY, found 'a'"),
    ("SELECT a FROM t JOIN u WHERE a", "1:24: expected ON, found 'WHERE'"),
    ("SELECT a NOT 3", "1:14: expected BETWEEN or IN, found '3'"),
    ("SELECT f(1)", "1:8: there is no function F"),
    ("SELECT NULLIF(1)", "1:8: NULLIF with 1 arguments instead of 2"),
    ("SELECT 1 2", "1:10: expected the end, found '2'"),
    ("SELECT a FROM t ORDER BY a NULLS", "1:33: expected FIRST or LAST, found the end"),
    ("UPDATE t WHERE a = 1", "1:10: expected SET, found 'WHERE'"),
    ("INSERT INTO t VALUES 1", "1:22: expected (, found '1'"),
])
def test_errors(sql, message):
    with pytest.raises(ParseError) as caught:
        parse(sql)
    assert str(caught.value) == message


def test_parameters_are_counted():
    assert parse("SELECT ? WHERE ? IN (?, 1)")[1] == 3


@pytest.mark.parametrize("sql, message", [
    ("SELECT nobody FROM boats", "1:8: there is no column nobody"),
    ("SELECT b.id FROM boats", "1:8: there is no column b.id"),
    ("SELECT id FROM\n  boats JOIN trips ON TRUE", "1:8: column id is ambiguous"),
    ("SELECT 1 FROM ferries", "1:15: there is no table ferries"),
    ("SELECT 1 FROM boats JOIN boats ON TRUE", "1:26: there are two tables boats"),
    ("SELECT 1 FROM boats JOIN trips ON z.id = 1 JOIN boats z ON TRUE", "1:35: there is no column z.id"),
    ("SELECT 1 FROM boats WHERE MAX(id) > 1", "1:27: MAX cannot be used here"),
    ("SELECT 1 FROM boats WHERE id IN (SELECT 1, 2)", "1:34: expected one column, not 2"),
    ("INSERT INTO boats (id, colour) VALUES (1, 2)", "1:24: table boats has no column colour"),
    ("UPDATE boats SET colour = 2", "1:18: table boats has no column colour"),
    ("SELECT id FROM boats LIMIT id", "1:28: there is no column id"),
])
def test_names_that_cannot_be_used(db, sql, message):
    with pytest.raises(BindError) as caught:
        db.execute(sql)
    assert str(caught.value) == message


def test_names_of_columns(db):
    result = db.execute("SELECT *, id AS Number, b.name, length  *  2, 'x' FROM boats b")
    assert result.columns == ["id", "name", "kind", "length", "number", "name", "length * 2", "'x'"]
    assert Database().execute("select 1 as one").columns == ["one"]
