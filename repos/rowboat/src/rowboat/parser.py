"""Reads statements by recursive descent; the grammar is in the README."""

from __future__ import annotations

from typing import Callable, Optional, Tuple, TypeVar, Union

from .errors import ParseError, Place
from .expressions import Binary, Call, Exists, Expression, In, Literal, Name, Parameter, Subquery, Unary
from .lexer import Token, tokenize
from .statements import (
    Combination, Core, Delete, Explain, Insert, Item, Join, Order, Select, Statement, TableName, Update,
)
from .values import AGGREGATES, COMPARISONS, FUNCTIONS

T = TypeVar("T")
Body = Union[Core, Combination]

#: How tight operators bind.  Those on the level of comparisons are read by ``_predicate``.
_NOT, _PREDICATE, _SIGN = 3, 4, 7
_LEVELS = {
    "OR": 1, "AND": 2, **dict.fromkeys((*COMPARISONS, "IS", "NOT", "IN", "BETWEEN"), _PREDICATE),
    "+": 5, "-": 5, "||": 5, "*": 6, "/": 6,
}
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}


def parse(sql: str) -> Tuple[Statement, int]:
    """The one statement in *sql*, and how many parameters it takes."""
    parser = _Parser(sql)
    return parser.whole(), parser.parameters


class _Parser:
    def __init__(self, sql: str) -> None:
        self._sql = sql
        self._tokens = tokenize(sql)
        self._next = 0
        self.parameters = 0

    # -- tokens --------------------------------------------------------------

    @property
    def _token(self) -> Token:
        return self._tokens[self._next]

    def _since(self, start: Token) -> Place:
        """The place from *start* to the last token taken."""
        last = self._tokens[self._next - 1]
        return Place(start.at.line, start.at.column, self._sql[start.offset:last.offset + len(last.at.text)])

    def _sees(self, *values: str) -> bool:
        """Whether the next token is one of these keywords and symbols."""
        return self._token.kind in ("keyword", "symbol") and self._token.value in values

    def _accept(self, *values: str) -> Optional[str]:
        """Take the next token if it is one of these keywords and symbols."""
        if not self._sees(*values):
            return None
        self._next += 1
        return self._tokens[self._next - 1].value

    def _expect(self, *values: str) -> str:
        found = self._accept(*values)
        if found is None:
            raise self._error(" or ".join(values))
        return found

    def _error(self, expected: str) -> ParseError:
        found = "the end" if self._token.kind == "end" else repr(self._token.at.text)
        return ParseError(f"expected {expected}, found {found}", self._token.at)

    def _name(self) -> Name:
        token = self._token
        if token.kind != "name":
            raise self._error("a name")
        self._next += 1
        return Name(token.at, None, token.value)

    def _list(self, part: Callable[[], T]) -> Tuple[T, ...]:
        parts = [part()]
        while self._accept(","):
            parts.append(part())
        return tuple(parts)

    def _in_parentheses(self, part: Callable[[], T]) -> T:
        self._expect("(")
        found = part()
        self._expect(")")
        return found

    # -- statements ----------------------------------------------------------

    def whole(self) -> Statement:
        statement = self._statement()
        if self._token.kind != "end":
            raise self._error("the end")
        return statement

    def _statement(self) -> Statement:
        if self._accept("INSERT"):
            return self._insert()
        if self._accept("UPDATE"):
            table = self._table_name()
            self._expect("SET")
            return Update(table, self._list(self._assignment), self._clause("WHERE"))
        if self._accept("DELETE"):
            self._expect("FROM")
            return Delete(self._table_name(), self._clause("WHERE"))
        return Explain(self._select()) if self._accept("EXPLAIN") else self._select()

    def _table_name(self) -> TableName:
        name = self._name()
        alias = self._name() if self._accept("AS") or self._token.kind == "name" else name
        return TableName(name.at, name.column, alias.column)

    def _clause(self, keyword: str) -> Optional[Expression]:
        return self._expression() if self._accept(keyword) else None

    def _assignment(self) -> Tuple[Name, Expression]:
        column = self._name()
        self._expect("=")
        return column, self._expression()

    def _insert(self) -> Insert:
        self._expect("INTO")
        table = self._table_name()
        columns = self._in_parentheses(lambda: self._list(self._name)) if self._sees("(") else ()
        if self._accept("VALUES"):
            return Insert(table, columns, self._list(lambda: self._in_parentheses(self._expressions)))
        return Insert(table, columns, self._select())

    # -- queries -------------------------------------------------------------

    def _select(self) -> Select:
        body = self._combined(lambda: self._combined(self._core, "INTERSECT"), "UNION", "EXCEPT")
        order_by: Tuple[Order, ...] = ()
        if self._accept("ORDER"):
            self._expect("BY")
            order_by = self._list(self._order)
        return Select(body, order_by, self._clause("LIMIT"), self._clause("OFFSET"))

    def _combined(self, part: Callable[[], Body], *operators: str) -> Body:
        """Queries with these operators between them, which group to the left."""
        left = part()
        while self._sees(*operators):
            at, operator = self._token.at, self._expect(*operators)
            left = Combination(at, operator, bool(self._accept("ALL")), left, part())
        return left

    def _core(self) -> Core:
        self._expect("SELECT")
        distinct = bool(self._accept("DISTINCT"))
        items = self._list(self._item)
        sources = [Join(self._table_name())] if self._accept("FROM") else []
        while sources and self._sees("JOIN", "INNER", "LEFT"):
            sources.append(self._join())
        where = self._clause("WHERE")
        group_by: Tuple[Expression, ...] = ()
        if self._accept("GROUP"):
            self._expect("BY")
            group_by = self._expressions()
        return Core(items, distinct, tuple(sources), where, group_by, self._clause("HAVING"))

    def _join(self) -> Join:
        outer = self._accept("INNER", "LEFT") == "LEFT"
        if outer:
            self._accept("OUTER")
        self._expect("JOIN")
        table = self._table_name()
        self._expect("ON")
        return Join(table, self._expression(), outer)

    def _item(self) -> Item:
        at = self._token.at
        if self._accept("*"):
            return Item(at)
        expression = self._expression()
        named = self._accept("AS") or self._token.kind == "name"
        return Item(at, expression, self._name().column if named else None)

    def _order(self) -> Order:
        expression = self._expression()
        descending = self._accept("ASC", "DESC") == "DESC"
        nulls_first = self._expect("FIRST", "LAST") == "FIRST" if self._accept("NULLS") else descending
        return Order(expression, descending, nulls_first)

    # -- expressions ---------------------------------------------------------

    def _expressions(self) -> Tuple[Expression, ...]:
        return self._list(self._expression)

    def _expression(self, level: int = 1) -> Expression:
        """An expression whose operators, outside parentheses, are of *level* or tighter."""
        start = self._token
        if level <= _NOT and self._accept("NOT"):
            operand = self._expression(_NOT)
            left: Expression = Unary(self._since(start), "NOT", operand)
        elif self._accept("-"):
            operand = self._expression(_SIGN)
            left = Unary(self._since(start), "-", operand)
        else:
            left = self._primary()
        while self._token.kind in ("keyword", "symbol") and _LEVELS.get(self._token.value, 0) >= level:
            tightness = _LEVELS[self._token.value]
            if tightness == _PREDICATE:
                left = self._predicate(start, left)
            else:
                left = self._binary(start, self._expect(self._token.value), left, tightness + 1)
        return left

    def _binary(self, start: Token, operator: str, left: Expression, level: int = _PREDICATE + 1) -> Expression:
        right = self._expression(level)
        return Binary(self._since(start), operator, left, right)

    def _predicate(self, start: Token, left: Expression) -> Expression:
        operator = self._accept(*COMPARISONS)
        if operator:
            return self._binary(start, operator, left)
        is_null = self._accept("IS")
        negated = self._accept("NOT")
        kind = self._expect(*(["NULL"] if is_null else ["BETWEEN", "IN"]))
        if kind == "NULL":
            test: Expression = Unary(self._since(start), "IS NULL", left)
        elif kind == "IN":
            options, query = self._in_parentheses(self._options)
            test = In(self._since(start), left, options, query)
        else:
            low = self._expression(_PREDICATE + 1)
            self._expect("AND")
            high = self._expression(_PREDICATE + 1)
            at = self._since(start)
            test = Binary(at, "AND", Binary(at, ">=", left, low), Binary(at, "<=", left, high))
        return Unary(self._since(start), "NOT", test) if negated else test

    def _options(self) -> Tuple[Tuple[Expression, ...], Optional[Subquery]]:
        return ((), self._subquery()) if self._sees("SELECT") else (self._expressions(), None)

    def _subquery(self) -> Subquery:
        start, select = self._token, self._select()
        return Subquery(self._since(start), select)

    def _primary(self) -> Expression:
        token = self._token
        if token.kind == "name":
            return self._call() if self._tokens[self._next + 1].value == "(" else self._column()
        if self._accept("EXISTS"):
            query = self._in_parentheses(self._subquery)
            return Exists(self._since(token), query)
        if self._sees("("):
            return self._in_parentheses(self._expression)
        if token.kind in ("symbol", "end") or token.kind == "keyword" and token.value not in _CONSTANTS:
            raise self._error("an expression")
        self._next += 1
        if token.kind == "parameter":
            self.parameters += 1
            return Parameter(token.at, self.parameters - 1)
        return Literal(token.at, _CONSTANTS[token.value] if token.kind == "keyword" else token.value)

    def _column(self) -> Name:
        start, name = self._token, self._name()
        if not self._accept("."):
            return name
        column = self._name().column
        return Name(self._since(start), name.column, column)

    def _call(self) -> Call:
        start, name = self._token, self._name().column.upper()
        if name not in AGGREGATES and name not in FUNCTIONS:
            raise ParseError(f"there is no function {name}", start.at)
        self._expect("(")
        whole_rows = name == "COUNT" and self._accept("*")
        distinct = not whole_rows and name in AGGREGATES and bool(self._accept("DISTINCT"))
        arguments = () if whole_rows else self._expressions()
        self._expect(")")
        wanted = 1 if name in AGGREGATES else FUNCTIONS[name][1]
        if wanted and not whole_rows and len(arguments) != wanted:
            raise ParseError(f"{name} with {len(arguments)} arguments instead of {wanted}", start.at)
        return Call(self._since(start), name, arguments, distinct)
