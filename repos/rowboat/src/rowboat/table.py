"""Tables of typed rows, and the hash indexes on them."""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, Mapping, Sequence, Set, Tuple

from .errors import CatalogError, ConstraintError
from .values import TYPES, Key, Value, row_key, type_name

Row = Tuple[Value, ...]
Found = Tuple[int, Row]


class Index:
    """Finds the rows of a table by the values of some columns.  Rows with a NULL there are not in it."""

    def __init__(self, name: str, columns: Sequence[int]) -> None:
        self.name = name
        self.columns = tuple(columns)
        self._ids: Dict[Tuple[Key, ...], Set[int]] = {}

    def ids(self, values: Sequence[Value]) -> List[int]:
        """The numbers of the rows with these values, in the order of the table."""
        return sorted(self._ids.get(row_key(values), ()))

    def add(self, row_id: int, row: Row) -> None:
        values = [row[column] for column in self.columns]
        if None not in values:
            self._ids.setdefault(row_key(values), set()).add(row_id)

    def discard(self, row_id: int, row: Row) -> None:
        self._ids.get(row_key(row[column] for column in self.columns), set()).discard(row_id)


class Table:
    """Rows in the order they were inserted, each with a number that it keeps.

    *columns* maps names to types.  Queries read a table through :meth:`scan`
    and :meth:`find` only.  A subclass may override them, for instance to watch
    what is read.
    """

    def __init__(self, name: str, columns: Mapping[str, str]) -> None:
        for column, type_ in columns.items():
            if type_ not in TYPES:
                raise CatalogError(f"column {column} of {name} has the unknown type {type_}")
        self.name = name
        self.columns = dict(columns)
        self.indexes: Dict[str, Index] = {}
        self._rows: Dict[int, Row] = {}
        self._next_id = 1

    def scan(self) -> Iterator[Found]:
        """All rows with their numbers."""
        return iter(list(self._rows.items()))

    def find(self, index: Index, values: Sequence[Value]) -> Iterator[Found]:
        """The rows that have *values* in the columns of *index*; none of the values is NULL."""
        return iter([(row_id, self._rows[row_id]) for row_id in index.ids(values)])

    def position(self, column: str) -> int:
        if column not in self.columns:
            raise CatalogError(f"table {self.name} has no column {column}")
        return list(self.columns).index(column)

    def create_index(self, name: str, columns: Sequence[str]) -> None:
        if name in self.indexes:
            raise CatalogError(f"table {self.name} has an index {name} already")
        index = Index(name, [self.position(column) for column in columns])
        for row_id, row in self._rows.items():
            index.add(row_id, row)
        self.indexes[name] = index

    # Each of these checks all rows before it writes the first one.

    def insert(self, rows: Iterable[Sequence[Value]]) -> int:
        """Append rows; returns how many."""
        return self.update(dict(enumerate(rows, self._next_id)))

    def update(self, changes: Mapping[int, Sequence[Value]]) -> int:
        """Write rows under these numbers."""
        checked = {row_id: self._checked(row) for row_id, row in changes.items()}
        for row_id, row in checked.items():
            self._unlink(row_id)
            self._rows[row_id] = row
            for index in self.indexes.values():
                index.add(row_id, row)
        self._next_id = max([self._next_id - 1, *checked]) + 1
        return len(checked)

    def delete(self, row_ids: Sequence[int]) -> int:
        for row_id in row_ids:
            self._unlink(row_id)
            del self._rows[row_id]
        return len(row_ids)

    def _unlink(self, row_id: int) -> None:
        for index in self.indexes.values() if row_id in self._rows else ():
            index.discard(row_id, self._rows[row_id])

    def _checked(self, row: Sequence[Value]) -> Row:
        return tuple(self._fitting(column, value) for column, value in zip(self.columns, row))

    def _fitting(self, column: str, value: Value) -> Value:
        wanted, given = self.columns[column], type_name(value)
        if given not in (wanted, "NULL") and (wanted, given) != ("REAL", "INTEGER"):
            raise ConstraintError(f"is {wanted}, not {given}", self.name, column)
        return float(value) if (wanted, given) == ("REAL", "INTEGER") else value
