"""The steps of a plan.

Each step draws rows from those before it when it is asked for some, so that
LIMIT and EXISTS stop the whole chain.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Sequence, Set, Tuple

from .errors import EvaluationError
from .expressions import Call, Expression, Row, Run, holds
from .table import Found, Index, Table
from .values import Key, key, row_key


class Step:
    """One step: what EXPLAIN says of it, the rows it makes in a run, and the steps before it."""

    def __init__(self, title: str, rows: Callable[[Run], Iterable[Row]], *sources: Step) -> None:
        self.title = title
        self.rows = rows
        self.sources = sources

    def describe(self, indent: int = 0) -> List[str]:
        """The lines of EXPLAIN, this step first and those before it below, further to the right."""
        below = [line for source in self.sources for line in source.describe(indent + 2)]
        return [" " * indent + self.title, *below]


class Access:
    """A way into a table: the rows with the values of *keys* in some columns, or all if there are no keys.

    Keys are evaluated for the row that has been put together so far.  With an
    *index*, that is asked.  Otherwise the table is gone through once in a run
    and kept at hand, unless it is read only once anyway (*keep* is false).
    """

    def __init__(self, table: Table, columns: Sequence[int] = (), keys: Sequence[Expression] = (),
                 index: Optional[Index] = None, keep: bool = True) -> None:
        self.table = table
        self.columns = columns
        self.keys = keys
        self.index = index
        self.keep = keep

    def found(self, row: Row, run: Run) -> Iterable[Found]:
        """The rows, with their numbers, in the order of the table."""
        values = [wanted.evaluate(row, run) for wanted in self.keys]
        if None in values:
            return ()
        if self.index:
            return self.table.find(self.index, values)
        if not self.keep:
            return self.table.scan()
        if id(self) not in run.memo:
            run.memo[id(self)] = self._buckets()
        return run.memo[id(self)].get(row_key(values), ())

    def _buckets(self) -> Dict[Tuple[Key, ...], List[Found]]:
        buckets: Dict[Tuple[Key, ...], List[Found]] = {}
        for row_id, row in self.table.scan():
            buckets.setdefault(row_key(row[column] for column in self.columns), []).append((row_id, row))
        return buckets

    def __str__(self) -> str:
        if not self.keys:
            return f"SCAN {self.table.name}"
        way = f"INDEX {self.index.name}" if self.index else "HASH"
        return f"{way} OF {self.table.name} = ({_joined(self.keys)})"


#: What FROM starts with: one row without columns.
START = Step("ONE ROW", lambda run: [()])


def joined(source: Step, access: Access, on: Sequence[Expression], outer: bool, where: Sequence[Expression]) -> Step:
    """Rows of a table behind those of *source*.

    ``on`` says which belong together.  A row without a partner gets NULLs if
    the join is ``outer``.  What is put together has to pass ``where``.
    """
    nulls = (None,) * len(access.table.columns)

    def rows(run: Run) -> Iterator[Row]:
        for before in source.rows(run):
            partners = (before + row for _, row in access.found(before, run))
            alone = outer
            for row in partners:
                if holds(on, row, run):
                    alone = False
                    if holds(where, row, run):
                        yield row
            if alone and holds(where, before + nulls, run):
                yield before + nulls

    word = "" if source is START else "LEFT JOIN " if outer else "JOIN "
    title = f"{word}{access}{_clause('ON', on)}{_clause('WHERE', where)}"
    return Step(title, rows, *([] if source is START else [source]))


def filtered(source: Step, conditions: Sequence[Expression], word: str) -> Step:
    if not conditions:
        return source
    return Step(_clause(word, conditions)[1:],
                lambda run: (row for row in source.rows(run) if holds(conditions, row, run)), source)


def grouped(source: Step, keys: Sequence[Expression], width: int, aggregates: Sequence[Call]) -> Step:
    """One row for each group: its first row, of *width* columns, and the values of the aggregates behind it."""

    def rows(run: Run) -> Iterator[Row]:
        groups: Dict[Tuple[Key, ...], List[Row]] = {} if keys else {(): []}
        for row in source.rows(run):
            groups.setdefault(row_key(part.evaluate(row, run) for part in keys), []).append(row)
        for members in groups.values():
            first = members[0] if members else (None,) * width
            yield first + tuple(call.combine(members, run) for call in aggregates)

    return Step(f"GROUP{' BY ' if keys else ''}{_joined(keys)}", rows, source)


def projected(source: Step, expressions: Sequence[Expression]) -> Step:
    """The values of *expressions*."""
    return Step(f"SELECT {_joined(expressions)}", lambda run: (
        tuple(expression.evaluate(row, run) for expression in expressions) for row in source.rows(run)), source)


def distinct(source: Step) -> Step:
    """Of rows that are the same only the first."""

    def rows(run: Run) -> Iterator[Row]:
        seen: Set[Tuple[Key, ...]] = set()
        for row in source.rows(run):
            if row_key(row) not in seen:
                seen.add(row_key(row))
                yield row

    return Step("DISTINCT", rows, source)


def union(left: Step, right: Step) -> Step:
    return Step("UNION", lambda run: chain(left.rows(run), right.rows(run)), left, right)


def matched(operator: str, left: Step, right: Step, paired: bool) -> Step:
    """Rows on the left that have an equal one on the right (INTERSECT), or have none (EXCEPT).

    If *paired*, a row on the right counts for one row on the left only.
    """

    def rows(run: Run) -> Iterator[Row]:
        free = Counter(map(row_key, right.rows(run)))
        for row in left.rows(run):
            has_partner = free[row_key(row)] > 0
            if has_partner and paired:
                free[row_key(row)] -= 1
            if has_partner == (operator == "INTERSECT"):
                yield row

    return Step(operator, rows, left, right)


def ordered(source: Step, keys: Sequence[Tuple[int, bool, bool]], width: int) -> Step:
    """Sorted by columns, each descending or not and with NULLs first or not; keeps the first *width* columns."""

    def rows(run: Run) -> Iterator[Row]:
        rows = list(source.rows(run))
        for column, descending, nulls_first in reversed(keys):
            nulls_low = nulls_first != descending
            rows.sort(key=lambda row: ((row[column] is None) != nulls_low, key(row[column])), reverse=descending)
        return (row[:width] for row in rows)

    title = ", ".join(f"{column + 1}{' DESC' if descending else ''}" for column, descending, _ in keys)
    return Step(f"ORDER BY {title}", rows, source)


def limited(source: Step, limit: Optional[Expression], offset: Optional[Expression]) -> Step:
    """Some of the rows; NULL is no limit and no offset."""

    def rows(run: Run) -> Iterator[Row]:
        start, count = _count(offset, run) or 0, _count(limit, run)
        return islice(source.rows(run), start, None if count is None else start + count)

    return Step("LIMIT", rows, source)


def _count(expression: Optional[Expression], run: Run) -> Optional[int]:
    value = expression.evaluate((), run) if expression else None
    if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 0):
        raise EvaluationError(f"LIMIT and OFFSET take whole numbers from 0, not {value!r}")
    return value


def _joined(expressions: Sequence[Expression], between: str = ", ") -> str:
    return between.join(dict.fromkeys(map(str, expressions)))


def _clause(word: str, conditions: Sequence[Expression]) -> str:
    return f" {word} {_joined(conditions, ' AND ')}" if conditions else ""
