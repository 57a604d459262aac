"""The database: tables by name, and statements prepared and executed."""

from __future__ import annotations

from functools import partial
from typing import Callable, Dict, Iterable, List, Mapping, NamedTuple, Sequence, Tuple

from .errors import BindError, CatalogError, ParameterError
from .expressions import Expression, Name, Run, holds
from .parser import parse
from .planner import Scope, plan_matching, plan_select
from .statements import Delete, Explain, Insert, Select, Statement, Update
from .table import Row, Table
from .values import Value, is_value

class Result(NamedTuple):
    """What a statement gave: rows with named columns, or the number of rows it wrote."""

    columns: List[str]
    rows: List[Row]
    written: int = 0


Runner = Callable[[Run], Result]


class Database:
    """Tables and statements on them.

    Statements are kept prepared, by their text, until tables or indexes change.
    """

    def __init__(self) -> None:
        self._tables: Dict[str, Table] = {}
        self._prepared: Dict[str, Tuple[Runner, int]] = {}

    # -- tables --------------------------------------------------------------

    def create_table(self, name: str, columns: Mapping[str, str]) -> Table:
        return self.attach(Table(name, columns))

    def attach(self, table: Table) -> Table:
        """Make a table known under its name; an error if there is one of that name."""
        if table.name in self._tables:
            raise CatalogError(f"there is a table {table.name} already")
        self._tables[table.name] = table
        self._prepared.clear()
        return table

    def drop_table(self, name: str) -> None:
        self.table(name)
        del self._tables[name]
        self._prepared.clear()

    def table(self, name: str) -> Table:
        if name not in self._tables:
            raise CatalogError(f"there is no table {name}")
        return self._tables[name]

    def create_index(self, name: str, table: str, columns: Sequence[str]) -> None:
        self.table(table).create_index(name, columns)
        self._prepared.clear()

    # -- statements ----------------------------------------------------------

    def execute(self, sql: str, parameters: Sequence[Value] = ()) -> Result:
        """Execute one statement; the parameters take the places of its question marks."""
        if sql not in self._prepared:
            statement, count = parse(sql)
            self._prepared[sql] = self._runner(statement), count
        execute, count = self._prepared[sql]
        if len(parameters) != count:
            raise ParameterError(f"the statement takes {count} parameters, not {len(parameters)}")
        for number, value in enumerate(parameters, 1):
            if not is_value(value):
                raise ParameterError(f"parameter {number} is {value!r}, which no column can hold")
        return execute(Run(tuple(parameters), {}))

    def _runner(self, statement: Statement) -> Runner:
        """What executes the statement; names are looked up now and not again."""
        scope = Scope(self._tables)
        if isinstance(statement, Insert):
            return _inserting(statement, scope)
        if isinstance(statement, Update):
            return _updating(statement, scope)
        if isinstance(statement, Delete):
            return _deleting(statement, scope)
        plan, names = plan_select(statement.select if isinstance(statement, Explain) else statement, scope)
        if isinstance(statement, Explain):
            return lambda run: Result(["plan"], [(line,) for line in plan.describe()])
        return lambda run: Result(list(names), list(plan.rows(run)))


# Each of these reads all that it needs before it writes the first row.


def _inserting(statement: Insert, scope: Scope) -> Runner:
    source: Callable[[Run], Iterable[Row]]
    if isinstance(statement.source, Select):
        plan, names = plan_select(statement.source, Scope(scope.tables))
        source, widths = plan.rows, {len(names)}
    else:
        listed = [[Scope(scope.tables).bind(value) for value in values] for values in statement.source]
        source, widths = partial(_evaluated, listed), set(map(len, listed))
    table = scope.open(statement.table)
    given = [_target(table, name) for name in statement.columns] or list(range(len(table.columns)))
    if widths != {len(given)}:
        raise BindError(f"expected {len(given)} values in each row", statement.table.at)
    places = [given.index(at) if at in given else None for at in range(len(table.columns))]
    return lambda run: Result([], [], table.insert(
        [[None if place is None else row[place] for place in places] for row in source(run)]))


def _evaluated(listed: Sequence[Sequence[Expression]], run: Run) -> List[Row]:
    return [tuple(value.evaluate((), run) for value in values) for values in listed]


def _updating(statement: Update, scope: Scope) -> Runner:
    access, conditions = plan_matching(statement.table, statement.where, scope)
    changes = [(_target(access.table, name), scope.bind(value)) for name, value in statement.assignments]

    def run_update(run: Run) -> Result:
        written: Dict[int, Row] = {}
        for row_id, row in access.found((), run):
            if holds(conditions, row, run):
                values = {at: value.evaluate(row, run) for at, value in changes}
                written[row_id] = tuple(values.get(at, old) for at, old in enumerate(row))
        return Result([], [], access.table.update(written))

    return run_update


def _deleting(statement: Delete, scope: Scope) -> Runner:
    access, conditions = plan_matching(statement.table, statement.where, scope)
    return lambda run: Result([], [], access.table.delete(
        [row_id for row_id, row in access.found((), run) if holds(conditions, row, run)]))


def _target(table: Table, name: Name) -> int:
    if name.column not in table.columns:
        raise BindError(f"table {table.name} has no column {name}", name.at)
    return table.position(name.column)
