"""Statements as the parser reads them: nothing is looked up yet."""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple, Union

from .errors import Place
from .expressions import Expression, Name


class TableName(NamedTuple):
    """A table and what it is called in the statement."""

    at: Place
    name: str
    alias: str


class Join(NamedTuple):
    """A table of FROM; the first one has no condition."""

    table: TableName
    condition: Optional[Expression] = None
    outer: bool = False


class Item(NamedTuple):
    """What SELECT lists; without an expression it is ``*``."""

    at: Place
    expression: Optional[Expression] = None
    alias: Optional[str] = None


class Core(NamedTuple):
    """A query from SELECT to HAVING."""

    items: Tuple[Item, ...]
    distinct: bool
    sources: Tuple[Join, ...]
    where: Optional[Expression]
    group_by: Tuple[Expression, ...]
    having: Optional[Expression]


class Combination(NamedTuple):
    """Two queries with UNION, INTERSECT or EXCEPT between them."""

    at: Place
    operator: str
    keeps_all: bool
    left: Union[Core, Combination]
    right: Union[Core, Combination]


class Order(NamedTuple):
    expression: Expression
    descending: bool
    nulls_first: bool


class Select(NamedTuple):
    body: Union[Core, Combination]
    order_by: Tuple[Order, ...]
    limit: Optional[Expression]
    offset: Optional[Expression]


class Insert(NamedTuple):
    """``source`` is a query, or the expressions of each row."""

    table: TableName
    columns: Tuple[Name, ...]
    source: Union[Select, Tuple[Tuple[Expression, ...], ...]]


class Update(NamedTuple):
    table: TableName
    assignments: Tuple[Tuple[Name, Expression], ...]
    where: Optional[Expression]


class Delete(NamedTuple):
    table: TableName
    where: Optional[Expression]


class Explain(NamedTuple):
    select: Select


Statement = Union[Select, Insert, Update, Delete, Explain]
