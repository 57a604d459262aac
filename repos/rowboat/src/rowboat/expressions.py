"""Expressions: what they say in a statement, and their value for a row.

The parser makes them with names in them.  Binding replaces every
:class:`Name` by a :class:`Slot` and every :class:`Subquery` by a
:class:`Subplan`; after that they can be evaluated.  Expressions are equal if
they mean the same, wherever they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .errors import Place
from .values import AGGREGATES, COMPARISONS, FUNCTIONS, Value, arithmetic, compare, key, negation, truth

Row = Tuple[Value, ...]


class Run(NamedTuple):
    """One execution of a statement.

    ``memo`` is shared by all queries of the statement.  ``outer`` has the row
    of the query around this one first, then the one around that.
    """

    parameters: Sequence[Value]
    memo: Dict[Any, Any]
    outer: Tuple[Row, ...] = ()

    def inside(self, row: Row) -> Run:
        """The run as seen by a subquery that is evaluated for *row*."""
        return self._replace(outer=(row, *self.outer))


@dataclass(frozen=True)
class Expression:
    """Base of all expressions; ``at`` is where it stands in the statement."""

    at: Place = field(compare=False, repr=False)

    def evaluate(self, row: Row, run: Run) -> Value:
        raise NotImplementedError

    def walk(self) -> Iterator[Expression]:
        """This expression and all those inside it, but not those inside subqueries."""
        yield self
        for spec in fields(self):
            value = getattr(self, spec.name)
            for part in value if isinstance(value, tuple) else (value,):
                if isinstance(part, Expression):
                    yield from part.walk()

    def rebuilt(self, change: Callable[[Expression], Expression]) -> Expression:
        """A copy with *change* applied to each expression right inside it."""
        changed: Dict[str, Any] = {}
        for spec in fields(self):
            value = getattr(self, spec.name)
            if isinstance(value, Expression):
                changed[spec.name] = change(value)
            elif isinstance(value, tuple) and value and isinstance(value[0], Expression):
                changed[spec.name] = tuple(change(part) for part in value)
        return replace(self, **changed)

    def __str__(self) -> str:
        return " ".join(self.at.text.split())


@dataclass(frozen=True)
class Literal(Expression):
    value: Value

    def evaluate(self, row: Row, run: Run) -> Value:
        return self.value


@dataclass(frozen=True)
class Parameter(Expression):
    """A ``?``, numbered from 0."""

    number: int

    def evaluate(self, row: Row, run: Run) -> Value:
        return run.parameters[self.number]


@dataclass(frozen=True)
class Name(Expression):
    table: Optional[str]
    column: str


@dataclass(frozen=True)
class Slot(Expression):
    """The value at ``index`` of the row; ``depth`` counts the queries to go outwards first."""

    depth: int
    index: int

    def evaluate(self, row: Row, run: Run) -> Value:
        return (run.outer[self.depth - 1] if self.depth else row)[self.index]


@dataclass(frozen=True)
class Unary(Expression):
    """``operator`` is NOT, IS NULL or -."""

    operator: str
    operand: Expression

    def evaluate(self, row: Row, run: Run) -> Value:
        value = self.operand.evaluate(row, run)
        if self.operator == "IS NULL":
            return value is None
        return negation(value) if self.operator == "NOT" else arithmetic("-", 0, value)


@dataclass(frozen=True)
class Binary(Expression):
    """Two operands.  AND and OR look at the right one only if the left one does not settle it."""

    operator: str
    left: Expression
    right: Expression

    def evaluate(self, row: Row, run: Run) -> Value:
        left = self.left.evaluate(row, run)
        if self.operator in ("AND", "OR"):
            settling = self.operator == "OR"
            if truth(left) is settling:
                return settling
            right = truth(self.right.evaluate(row, run))
            return right if right is settling or left is not None else None
        operation = compare if self.operator in COMPARISONS else arithmetic
        return operation(self.operator, left, self.right.evaluate(row, run))


@dataclass(frozen=True)
class In(Expression):
    """``operand IN (...)``: true if one is equal, else unknown if one comparison is unknown, else false."""

    operand: Expression
    options: Tuple[Expression, ...] = ()
    query: Any = None

    def evaluate(self, row: Row, run: Run) -> Value:
        value = self.operand.evaluate(row, run)
        if self.query is not None:
            candidates = [found[0] for found in self.query.rows(row, run)]
        else:
            candidates = [option.evaluate(row, run) for option in self.options]
        answers = {compare("=", value, candidate) for candidate in candidates}
        return True if True in answers else None if None in answers else False


@dataclass(frozen=True)
class Subquery(Expression):
    """A query in parentheses, before binding."""

    select: Any


@dataclass(frozen=True)
class Subplan(Expression):
    """A query in parentheses, planned.

    ``needs`` are the columns around it that its rows depend on.  Within one
    run it is carried out once for each combination of their values.
    """

    plan: Any
    width: int
    needs: Tuple[Slot, ...]

    def rows(self, row: Row, run: Run) -> List[Row]:
        values = [need.evaluate(row, run) for need in self.needs]
        known = (id(self), tuple((type(value), value) for value in values))
        if known not in run.memo:
            run.memo[known] = list(self.plan.rows(run.inside(row)))
        return run.memo[known]


@dataclass(frozen=True)
class Exists(Expression):
    query: Any

    def evaluate(self, row: Row, run: Run) -> Value:
        return bool(self.query.rows(row, run))


@dataclass(frozen=True)
class Call(Expression):
    """A function or an aggregate; ``COUNT(*)`` has no arguments."""

    name: str
    arguments: Tuple[Expression, ...]
    distinct: bool = False

    @property
    def is_aggregate(self) -> bool:
        return self.name in AGGREGATES

    def evaluate(self, row: Row, run: Run) -> Value:
        return FUNCTIONS[self.name][0](*(argument.evaluate(row, run) for argument in self.arguments))

    def combine(self, rows: Sequence[Row], run: Run) -> Value:
        """The value of an aggregate over *rows*."""
        if not self.arguments:
            return len(rows)
        values = [self.arguments[0].evaluate(row, run) for row in rows]
        values = [value for value in values if value is not None]
        if self.distinct:
            values = list({key(value): value for value in values}.values())
        return AGGREGATES[self.name](values)


def conjuncts(condition: Optional[Expression]) -> List[Expression]:
    """The parts of a condition that are joined by AND."""
    if condition is None:
        return []
    if isinstance(condition, Binary) and condition.operator == "AND":
        return conjuncts(condition.left) + conjuncts(condition.right)
    return [condition]


def holds(conditions: Sequence[Expression], row: Row, run: Run) -> bool:
    """Whether all *conditions* are true for *row*; unknown is not."""
    return all(truth(condition.evaluate(row, run)) for condition in conditions)
