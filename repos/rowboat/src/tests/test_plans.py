import pytest

from rowboat import Database, Table
from rowboat.errors import BindError


class Watched(Table):
    """Counts the rows that are read."""

    def __init__(self, name, columns):
        super().__init__(name, columns)
        self.visits = 0

    def _watch(self, found):
        for row in found:
            self.visits += 1
            yield row

    def scan(self):
        return self._watch(super().scan())

    def find(self, index, values):
        return self._watch(super().find(index, values))


@pytest.fixture
def shop():
    """Ten customers with ten orders each."""
    database = Database()
    database.attach(Watched("customers", {"id": "INTEGER", "city": "TEXT"}))
    database.attach(Watched("orders", {"id": "INTEGER", "customer": "INTEGER", "total": "INTEGER"}))
    for customer in range(10):
        database.execute("INSERT INTO customers VALUES (?, ?)", [customer, "AB"[customer % 2]])
        for number in range(10):
            database.execute("INSERT INTO orders VALUES (?, ?, ?)", [customer * 10 + number, customer, number])
    database.create_index("customers_id", "customers", ["id"])
    database.create_index("orders_customer", "orders", ["customer"])
    return database


def visits(database, sql, *parameters):
    """How many rows of customers and orders a statement reads."""
    tables = [database.table("customers"), database.table("orders")]
    for table in tables:
        table.visits = 0
    database.execute(sql, parameters)
    return tuple(table.visits for table in tables)


def explain(database, sql):
    return [line for line, in database.execute("EXPLAIN " + sql).rows]


def test_index_on_one_table(shop):
    assert visits(shop, "SELECT * FROM orders WHERE total > 3 AND ? = customer", 4) == (0, 10)
    assert visits(shop, "SELECT * FROM orders WHERE total > 3 OR customer = 4") == (0, 100)
    assert visits(shop, "SELECT * FROM orders WHERE customer = NULL") == (0, 0)
    assert visits(shop, "UPDATE orders SET total = 5 WHERE customer = 3") == (0, 10)
    assert visits(shop, "DELETE FROM orders WHERE customer = 3") == (0, 10)


def test_index_on_the_right_of_a_join(shop):
    assert visits(shop, "SELECT * FROM customers c JOIN orders o ON c.id = o.customer WHERE c.id = 3") == (1, 10)
    assert visits(shop, "SELECT * FROM customers c LEFT JOIN orders o ON c.id = o.customer WHERE c.id = 3") == (1, 10)


def test_join_without_an_index(shop):
    assert visits(shop, "SELECT * FROM customers c JOIN orders o ON c.id = o.total") == (10, 100)
    assert visits(shop, "SELECT * FROM customers c JOIN orders o ON c.id < o.total") == (10, 100)


def test_index_in_a_subquery(shop):
    inner = "SELECT 1 FROM orders WHERE customer = c.id AND total = 4"
    sql = f"SELECT 1 FROM customers c WHERE c.id = 2 AND EXISTS ({inner})"
    assert visits(shop, sql) == (1, 5)


def test_limit_stops_reading(shop):
    assert visits(shop, "SELECT * FROM orders LIMIT 3") == (0, 3)
    assert visits(shop, "SELECT 1 FROM customers WHERE EXISTS (SELECT 1 FROM orders)") == (10, 1)


def test_explain_a_join(shop):
    assert explain(shop, """
        SELECT city, SUM(total) FROM customers c LEFT JOIN orders o ON o.customer = c.id AND total > 1
        WHERE c.id = ? AND COALESCE(total, 0) < 9 GROUP BY city ORDER BY 2 DESC LIMIT 1
    """.replace("?", "7")) == [
        "LIMIT",
        "  ORDER BY 2 DESC",
        "    SELECT city, SUM(total)",
        "      GROUP BY city",
        "        LEFT JOIN INDEX orders_customer OF orders = (c.id) ON total > 1 WHERE COALESCE(total, 0) < 9",
        "          INDEX customers_id OF customers = (7)",
    ]


def test_explain_combined_queries(shop):
    assert explain(shop, "SELECT id FROM customers UNION SELECT 1 WHERE 1 BETWEEN 0 AND 2") == [
        "DISTINCT",
        "  UNION",
        "    SELECT id",
        "      SCAN customers",
        "    SELECT 1",
        "      WHERE 1 BETWEEN 0 AND 2",
        "        ONE ROW",
    ]


def test_explain_a_join_without_an_index(shop):
    assert explain(shop, "SELECT 1 FROM customers c JOIN orders o ON c.id = o.total AND o.id > 3") == [
        "SELECT 1", "  JOIN HASH OF orders = (c.id) WHERE o.id > 3", "    SCAN customers"]


def test_prepared_statements_follow_new_indexes(shop):
    sql = "SELECT * FROM orders WHERE total = 4"
    assert visits(shop, sql) == (0, 100)
    shop.create_index("orders_total", "orders", ["total"])
    assert visits(shop, sql) == (0, 10)


def test_index_of_two_columns(shop):
    shop.create_index("orders_both", "orders", ["total", "customer"])
    assert visits(shop, "SELECT * FROM orders WHERE customer = 1 AND total = 4") == (0, 1)
    assert visits(shop, "SELECT * FROM orders WHERE total = 4") == (0, 100)


def test_statement_is_executed_anew_each_time(shop):
    sql = "SELECT id FROM customers WHERE id IN (SELECT customer FROM orders WHERE total > ?)"
    assert len(shop.execute(sql, [8]).rows) == 10
    assert len(shop.execute(sql, [9]).rows) == 0
    shop.execute("INSERT INTO orders VALUES (100, 3, 11)")
    assert shop.execute(sql, [9]).rows == [(3,)]


def test_dropped_tables_are_gone(shop):
    sql = "SELECT * FROM customers"
    assert len(shop.execute(sql).rows) == 10
    shop.drop_table("customers")
    with pytest.raises(BindError):
        shop.execute(sql)
    shop.create_table("customers", {"name": "TEXT"})
    assert shop.execute(sql).rows == []
