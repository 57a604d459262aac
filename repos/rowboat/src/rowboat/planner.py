"""From statements to plans: looks up names, and decides how tables are read.

WHERE and the conditions of inner joins are taken apart at AND, and every part
is checked as soon as the tables that it mentions have been joined.  Parts that
compare a column with something known by then lead to a look-up.  The ON of a
LEFT JOIN only decides on partners, so nothing of it moves.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Union

from .errors import BindError, Place
from .expressions import Binary, Call, Exists, Expression, In, Literal, Name, Slot, Subplan, Subquery, conjuncts
from .plan import (
    START, Access, Step, distinct, filtered, grouped, joined, limited, matched, ordered, projected, union,
)
from .statements import Combination, Core, Order, Select, TableName
from .table import Table

Planned = Tuple[Step, List[str]]


class Scope:
    """The columns that a query can name, and through *outer* those of the queries around it.

    ``needs`` collects the columns of the query right around it that this query,
    or one inside it, has used.
    """

    def __init__(self, tables: Mapping[str, Table], outer: Optional[Scope] = None) -> None:
        self.tables = tables
        self.outer = outer
        self.columns: List[Tuple[str, str]] = []
        self.needs: Dict[Slot, None] = {}

    def open(self, name: TableName) -> Table:
        """The table of that name; its columns can be named from now on."""
        if name.name not in self.tables:
            raise BindError(f"there is no table {name.name}", name.at)
        if any(table == name.alias for table, _ in self.columns):
            raise BindError(f"there are two tables {name.alias}", name.at)
        table = self.tables[name.name]
        self.columns.extend((name.alias, column) for column in table.columns)
        return table

    def resolve(self, name: Name) -> Slot:
        found = [index for index, (table, column) in enumerate(self.columns)
                 if column == name.column and name.table in (None, table)]
        if len(found) > 1:
            raise BindError(f"column {name} is ambiguous", name.at)
        if found:
            return Slot(name.at, 0, found[0])
        if self.outer is None:
            raise BindError(f"there is no column {name}", name.at)
        slot = self.outer.resolve(name)
        self.needs[slot] = None
        return replace(slot, depth=slot.depth + 1)

    def bind(self, expression: Expression, aggregates: bool = False) -> Expression:
        """The expression with its names looked up; *aggregates* says whether it may contain some."""
        if isinstance(expression, Name):
            return self.resolve(expression)
        if isinstance(expression, Subquery):
            inner = Scope(self.tables, self)
            plan, names = plan_select(expression.select, inner)
            return Subplan(expression.at, plan, len(names), tuple(inner.needs))
        if isinstance(expression, Call) and expression.is_aggregate:
            if not aggregates:
                raise BindError(f"{expression.name} cannot be used here", expression.at)
            aggregates = False
        bound = expression.rebuilt(lambda part: self.bind(part, aggregates))
        if isinstance(bound, In) and bound.query and bound.query.width != 1:
            raise BindError(f"expected one column, not {bound.query.width}", bound.query.at)
        if isinstance(bound, Exists):
            first = limited(bound.query.plan, Literal(bound.at, 1), None)
            return Exists(bound.at, replace(bound.query, plan=first))
        return bound


def plan_select(select: Select, scope: Scope) -> Planned:
    """The plan of a query, and the names of its columns."""
    if isinstance(select.body, Core):
        plan, names = _core(select.body, select.order_by, scope)
    else:
        plan, names = _body(select.body, scope)
        keys = []
        for order in select.order_by:
            column = _output(order.expression, names)
            if column is None:
                raise BindError(f"{order.expression} is not a column of the result", order.expression.at)
            keys.append((column, order.descending, order.nulls_first))
        plan = ordered(plan, keys, len(names)) if keys else plan
    if select.limit or select.offset:
        limit, offset = (part and Scope({}).bind(part) for part in (select.limit, select.offset))
        plan = limited(plan, limit, offset)
    return plan, names


def _body(body: Union[Core, Combination], scope: Scope) -> Planned:
    """Queries that are combined do not see each other's tables."""
    if isinstance(body, Core):
        inner = Scope(scope.tables, scope.outer)
        inner.needs = scope.needs
        return _core(body, (), inner)
    (left, names), (right, others) = _body(body.left, scope), _body(body.right, scope)
    if len(names) != len(others):
        raise BindError(f"{body.operator} of {len(names)} and {len(others)} columns", body.at)
    if body.operator == "UNION":
        plan = union(left, right)
    else:
        plan = matched(body.operator, left, right, body.keeps_all)
    return (plan if body.keeps_all else distinct(plan)), names


def _core(core: Core, order_by: Sequence[Order], scope: Scope) -> Planned:
    plan = _from(core, scope)
    outputs, names = _outputs(core, scope)
    columns = [_output(order.expression, names) for order in order_by]
    extra = [scope.bind(order.expression, True) for order, column in zip(order_by, columns) if column is None]
    wanted, having = [*outputs, *extra], conjuncts(core.having and scope.bind(core.having, True))
    if core.group_by or core.having or any(map(_aggregates, wanted)):
        keys = [scope.bind(expression) for expression in core.group_by]
        grouping = _Grouping(keys, len(scope.columns))
        wanted, having = [grouping.lift(part) for part in wanted], [grouping.lift(part) for part in having]
        plan = grouped(plan, keys, grouping.width, grouping.aggregates)
    plan = projected(filtered(plan, having, "HAVING"), wanted)
    if core.distinct:
        if extra:
            raise BindError(f"{extra[0]} is not a column of the result", extra[0].at)
        plan = distinct(plan)
    if order_by:
        behind = iter(range(len(outputs), len(wanted)))
        plan = ordered(plan, [(next(behind) if column is None else column, order.descending, order.nulls_first)
                              for column, order in zip(columns, order_by)], len(outputs))
    return plan, names


def _outputs(core: Core, scope: Scope) -> Tuple[List[Expression], List[str]]:
    """What SELECT lists, and the names of it."""
    outputs: List[Expression] = []
    names: List[str] = []
    for item in core.items:
        if item.expression is None:
            outputs.extend(Slot(Place(*item.at[:2], column), 0, index)
                           for index, (_, column) in enumerate(scope.columns))
            names.extend(column for _, column in scope.columns)
        else:
            outputs.append(scope.bind(item.expression, True))
            plain = item.expression.column if isinstance(item.expression, Name) else str(item.expression)
            names.append(item.alias or plain)
    return outputs, names


def _output(expression: Expression, names: Sequence[str]) -> Optional[int]:
    """Which column of the result ORDER BY means by a name or a number; None if neither is meant."""
    if isinstance(expression, Literal) and type(expression.value) is int:
        if not 1 <= expression.value <= len(names):
            raise BindError(f"the result has no column {expression.value}", expression.at)
        return expression.value - 1
    if isinstance(expression, Name) and expression.table is None and expression.column in names:
        return names.index(expression.column)
    return None


def _aggregates(expression: Expression) -> bool:
    return any(isinstance(part, Call) and part.is_aggregate for part in expression.walk())


class _Grouping:
    """Moves expressions from single rows to groups: aggregates become columns behind the *width* first ones."""

    def __init__(self, keys: Sequence[Expression], width: int) -> None:
        self.keys = keys
        self.width = width
        self.aggregates: List[Call] = []

    def lift(self, expression: Expression) -> Expression:
        if expression in self.keys:
            return expression
        if isinstance(expression, Call) and expression.is_aggregate:
            if expression not in self.aggregates:
                self.aggregates.append(expression)
            return Slot(expression.at, 0, self.width + self.aggregates.index(expression))
        if isinstance(expression, Slot) and expression.depth == 0:
            raise BindError(f"{expression} is neither in GROUP BY nor in an aggregate", expression.at)
        return expression.rebuilt(self.lift)


# -- FROM and WHERE ----------------------------------------------------------


def _from(core: Core, scope: Scope) -> Step:
    """The tables joined, less the rows that WHERE leaves out."""
    starts, tables, on = [], [], []
    for join in core.sources:
        starts.append(len(scope.columns))
        tables.append(scope.open(join.table))
        on.append(conjuncts(join.condition and scope.bind(join.condition)))
    ends = starts[1:] + [len(scope.columns)]
    free = conjuncts(core.where and scope.bind(core.where))
    for join, conditions in zip(core.sources, on):
        free.extend([] if join.outer else conditions)
    plan = START
    for join, table, start, end, conditions in zip(core.sources, tables, starts, ends, on):
        ready = [condition for condition in free if _reach(condition) <= end]
        free = [condition for condition in free if condition not in ready]
        if join.outer:
            access, rest = _access(table, start, conditions, True)
            plan = joined(plan, access, rest, True, ready)
        else:
            access, rest = _access(table, start, ready, plan is not START)
            plan = joined(plan, access, (), False, rest)
    return filtered(plan, free, "WHERE")


def _reach(expression: Expression) -> int:
    """How many columns of a row have to be there before the expression can be evaluated."""
    return max((part.index + 1 for part in expression.walk() if isinstance(part, Slot) and part.depth == 0), default=0)


def _access(
    table: Table, start: int, conditions: Sequence[Expression], joining: bool
) -> Tuple[Access, List[Expression]]:
    """How to read a table whose columns begin at *start*, and the conditions that are left to be checked."""
    equal: Dict[int, Tuple[Expression, Expression]] = {}
    for condition in conditions:
        if isinstance(condition, Binary) and condition.operator == "=":
            for column, value in ((condition.left, condition.right), (condition.right, condition.left)):
                if isinstance(column, Slot) and column.depth == 0 and column.index >= start >= _reach(value):
                    equal.setdefault(column.index - start, (value, condition))
    fitting = [index for index in table.indexes.values() if equal.keys() >= set(index.columns)]
    index = max(fitting, key=lambda candidate: len(candidate.columns), default=None)
    varying = joining or any(isinstance(part, Slot) for value, _ in equal.values() for part in value.walk())
    columns = index.columns if index else tuple(equal) if varying else ()
    used = [equal[column][1] for column in columns]
    access = Access(table, columns, [equal[column][0] for column in columns], index, varying)
    return access, [condition for condition in conditions if not any(condition is one for one in used)]


def plan_matching(name: TableName, where: Optional[Expression], scope: Scope) -> Tuple[Access, List[Expression]]:
    """How to find the rows that UPDATE or DELETE is about."""
    table = scope.open(name)
    return _access(table, 0, conjuncts(where and scope.bind(where)), False)
