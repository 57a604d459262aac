"""Plain values, exactly, as JSON: what may cross from a box, and what a file may say of such a value.

A value is plain if its type is exactly one of ``None``, ``bool``, ``int``, ``float``, ``str``, ``bytes``,
``list``, ``tuple``, ``set``, ``frozenset``, ``dict``, ``date``, ``time``, ``datetime``, ``timedelta`` and
``Decimal``, and so is all that is in it. Subclasses are not: they could say that they equal anything.

JSON's own types stand for themselves. All else is a table with one key that names the type:
``{"tuple": [1, 2]}``, ``{"none": true}``, ``{"bytes": "00ff"}``, ``{"dict": [[1, 2]]}``.
The file is also shipped into boxes: it needs nothing but the standard library of Python 3.8 or newer.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

MAX_DEPTH = 40
MAX_PARTS = 100_000
MAX_BITS = 10_000
_SMALL = 1 << 63
_DIGITS = 20  # of the largest whole number that is written as JSON's own
_INT = re.compile(r"-?[0-9]{1,3011}")
_DECIMAL_CHARS = 4_000


class NotPlain(ValueError):
    """The value, or something in it, is not plain; or the form stands for no plain value."""


def encode(value: Any) -> Any:
    """The form of ``value``, fit for ``json.dumps``.

    Raises:
        NotPlain: something in it has another type, or it is too deep (40) or has too many parts (100,000).

    >>> encode((1, None, b"x"))
    {'tuple': [1, {'none': True}, {'bytes': '78'}]}
    """
    return _Encoder().form(value, 0)


def decode(form: Any, names: Mapping[str, Any] | None = None) -> Any:
    """The value that ``form`` stands for; a table that names no type stands for a dict.

    With ``names`` a string such as ``"$x"`` stands for ``names["x"]``, and ``"$$x"`` for ``"$x"``.

    Raises:
        NotPlain: it stands for none.

    >>> decode({"tuple": [1, {"set": ["a"]}]})
    (1, {'a'})
    """
    return _Decoder(names).value(form, 0)


def canonical(value: Any) -> str:
    """A text that two values share if they are the same, type for type (``1``, ``1.0``, ``True`` differ).

    The order of sets and dicts does not count. Raises ``NotPlain``.
    """
    return _write(_ordered(encode(value)))


def dumps(form: Any) -> str:
    """``form`` as one line of ASCII. Raises ``NotPlain`` if it is no JSON."""
    try:
        return _write(form)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotPlain(f"this cannot be written: {error}") from None


def loads(text: str) -> Any:
    """Read JSON that leaves no doubt: no key twice, no NaN, no number that a float cannot hold.

    Raises:
        NotPlain: it is not such JSON.
    """
    try:
        return json.loads(
            text,
            object_pairs_hook=_once_each,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_small,
        )
    except (ValueError, RecursionError) as error:
        raise NotPlain(f"this is not JSON: {str(error)[:200]}") from None


def references(form: Any) -> list[str]:
    """The names that strings such as ``"$x"`` in ``form`` stand for.

    >>> references({"tuple": ["$x", "$$y", ["$z"]]})
    ['x', 'z']
    """
    if type(form) is str:
        return [form[1:]] if form[:1] == "$" and form[:2] != "$$" else []
    inner = list(form.values()) if type(form) is dict else form if type(form) in (list, tuple) else []
    return [name for part in inner for name in references(part)]


class _Encoder:
    def __init__(self) -> None:
        self.parts = 0

    def form(self, value: Any, depth: int) -> Any:
        self.parts += 1
        if depth > MAX_DEPTH or self.parts > MAX_PARTS:
            raise NotPlain("too deep or too large")
        kind = type(value)
        if kind is dict:
            return self.table(value, depth)
        if kind is list:
            return [self.form(part, depth + 1) for part in value]
        if kind in (tuple, set, frozenset):
            return {kind.__name__: [self.form(part, depth + 1) for part in value]}
        atom = _ATOMS.get(kind)
        if atom is None:
            raise NotPlain(f"{kind.__module__}.{kind.__qualname__} is not plain")
        return atom(value)

    def table(self, value: dict[Any, Any], depth: int) -> Any:
        forms = [(self.form(key, depth + 1), self.form(part, depth + 1)) for key, part in value.items()]
        simple = all(type(key) is str for key, _ in forms)
        if simple and not (len(forms) == 1 and forms[0][0] in _TAGS):
            return dict(forms)
        return {"dict": [list(pair) for pair in forms]}


class _Decoder:
    def __init__(self, names: Mapping[str, Any] | None) -> None:
        self.names = names
        self.parts = 0

    def value(self, form: Any, depth: int) -> Any:
        self.parts += 1
        if depth > MAX_DEPTH or self.parts > MAX_PARTS:
            raise NotPlain("too deep or too large")
        kind = type(form)
        if kind is str:
            return self.text(form)
        if kind is bool or kind in (dt.date, dt.time, dt.datetime):
            return form
        if kind is float:
            return form
        if kind is int:
            _whole(form)
            return form
        if kind is list:
            return [self.value(part, depth + 1) for part in form]
        if kind is not dict:
            raise NotPlain(f"{kind.__name__!r} stands for no plain value")
        if len(form) == 1:
            ((tag, inner),) = form.items()
            if tag in _TAGS:
                return self.tagged(tag, inner, depth)
        self.parts += len(form)
        return {key: self.value(part, depth + 1) for key, part in form.items()}

    def text(self, form: str) -> Any:
        if self.names is None or form[:1] != "$":
            return form
        if form[:2] == "$$":
            return form[1:]
        if form[1:] not in self.names:
            raise NotPlain(f"{form}: there is no such name")
        return self.names[form[1:]]

    def tagged(self, tag: str, inner: Any, depth: int) -> Any:
        if tag in _READERS:
            try:
                return _READERS[tag](inner)
            except (ValueError, TypeError, ArithmeticError) as error:
                raise NotPlain(f"{tag} = {inner!r}: {error}") from None
        if type(inner) is not list:
            raise NotPlain(f"{tag}: write a list")
        if tag == "dict":
            if not all(type(pair) is list and len(pair) == 2 for pair in inner):
                raise NotPlain("dict: write a list of pairs")
            pairs = [(self.value(key, depth + 1), self.value(part, depth + 1)) for key, part in inner]
            return _as_many(dict, pairs)
        parts = [self.value(part, depth + 1) for part in inner]
        return tuple(parts) if tag == "tuple" else _as_many(set if tag == "set" else frozenset, parts)


def _as_many(make: Callable[[Any], Any], parts: list[Any]) -> Any:
    try:
        made = make(parts)
    except TypeError as error:
        raise NotPlain(str(error)) from None
    if len(made) != len(parts):
        raise NotPlain("the same stands twice in a set or dict")
    return made


def _whole(value: int) -> Any:
    if value.bit_length() > MAX_BITS:
        raise NotPlain(f"a whole number of more than {MAX_BITS} bits")
    return value if -_SMALL <= value < _SMALL else {"int": str(value)}


def _number(value: float) -> Any:
    return value if math.isfinite(value) else {"float": repr(value)}


def _text(value: str) -> Any:
    # JSON takes two surrogates in a row for the one character that they would be in UTF-16.
    broken = any("\ud800" <= char <= "\udfff" for char in value)
    return {"str": [ord(char) for char in value]} if broken else value


def _decimal(value: Decimal) -> Any:
    text = str(value)
    if len(text) > _DECIMAL_CHARS:
        raise NotPlain(f"a Decimal of more than {_DECIMAL_CHARS} characters")
    return {"decimal": text}


def _moment(value: Any) -> Any:
    zone = value.tzinfo
    if value.fold or not (zone is None or type(zone) is dt.timezone):
        raise NotPlain("a time with a zone that is no fixed offset")
    return {type(value).__name__: value.isoformat()}


_ATOMS: dict[type, Callable[[Any], Any]] = {
    type(None): lambda _: {"none": True},
    bool: lambda value: value,
    int: _whole,
    float: _number,
    str: _text,
    bytes: lambda value: {"bytes": value.hex()},
    Decimal: _decimal,
    dt.date: lambda value: {"date": value.isoformat()},
    dt.time: _moment,
    dt.datetime: _moment,
    dt.timedelta: lambda value: {"timedelta": [value.days, value.seconds, value.microseconds]},
}


def _read_none(inner: Any) -> None:
    if inner is not True:
        raise ValueError("write true")


def _read_bytes(inner: Any) -> bytes:
    if type(inner) is not str or bytes.fromhex(inner).hex() != inner:
        raise ValueError("write pairs of hexadecimal digits in small letters")
    return bytes.fromhex(inner)


def _read_float(inner: Any) -> float:
    if inner not in ("nan", "inf", "-inf"):
        raise ValueError('write "nan", "inf" or "-inf"')
    return float(inner)


def _read_int(inner: Any) -> int:
    if type(inner) is not str or not _INT.fullmatch(inner):
        raise ValueError("write decimal digits in quotes")
    value = int(inner)
    _whole(value)
    return value


def _read_text(inner: Any) -> str:
    if type(inner) is not list or not all(type(part) is int for part in inner) or len(inner) > MAX_PARTS:
        raise ValueError("write a list of code points")
    return "".join(map(chr, inner))


def _read_decimal(inner: Any) -> Decimal:
    try:
        if type(inner) is str and len(inner) <= _DECIMAL_CHARS and str(Decimal(inner)) == inner:
            return Decimal(inner)
    except InvalidOperation:
        pass
    raise ValueError("write what str() gives for a Decimal")


def _read_timedelta(inner: Any) -> dt.timedelta:
    if type(inner) is list and len(inner) == 3 and all(type(part) is int for part in inner):
        value = dt.timedelta(*inner)
        if [value.days, value.seconds, value.microseconds] == inner:
            return value
    raise ValueError("write [days, seconds, microseconds]")


def _iso(kind: Any) -> Callable[[Any], Any]:
    def read(inner: Any) -> Any:
        value = kind.fromisoformat(inner)
        if value.isoformat() != inner:
            raise ValueError("write what isoformat() gives")
        return value

    return read


_READERS: dict[str, Callable[[Any], Any]] = {
    "none": _read_none,
    "bytes": _read_bytes,
    "float": _read_float,
    "int": _read_int,
    "str": _read_text,
    "decimal": _read_decimal,
    "timedelta": _read_timedelta,
    "date": _iso(dt.date),
    "time": _iso(dt.time),
    "datetime": _iso(dt.datetime),
}
_TAGS = frozenset(_READERS) | {"tuple", "set", "frozenset", "dict"}


def _ordered(form: Any) -> Any:
    """``form`` with the order taken out of what has none; a dict is always written with its tag."""
    if type(form) is list:
        return [_ordered(part) for part in form]
    if type(form) is not dict:
        return form
    tag = next(iter(form)) if len(form) == 1 else ""
    if tag in _READERS:
        return form
    if tag == "tuple":
        return {tag: _ordered(form[tag])}
    if tag in ("set", "frozenset"):
        return {tag: sorted(map(_ordered, form[tag]), key=_write)}
    pairs = form[tag] if tag == "dict" else form.items()
    return {"dict": sorted(([_ordered(key), _ordered(part)] for key, part in pairs), key=_write)}


def _write(form: Any) -> str:
    return json.dumps(form, separators=(",", ":"), allow_nan=False)


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one table")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is too large for a float")
    return value


def _small(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a whole number of more than {_DIGITS} digits")
    return int(text)
