"""JSON that says what it is, written in one way and read back without any doubt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

FORMAT = 1


def write_json(kind: str, values: Mapping[str, Any]) -> str:
    """One line of ASCII, whatever characters are in ``values``.

    Raises:
        ValueError: NaN or an infinity is among them.
    """
    return json.dumps({"format": FORMAT, "kind": kind, **values}, separators=(",", ":"), allow_nan=False)


def read_json(text: str, kind: str) -> dict[str, Any]:
    """The values that ``write_json`` wrote of that ``kind``; who asks for them has to check them.

    Raises:
        ValueError: it is nothing of that kind, of another format, or not strict JSON.
    """
    try:
        data = parse_json(text)
    except ValueError as error:
        raise ValueError(f"this is not a {kind}, nor JSON: {error}") from None
    if not isinstance(data, dict) or data.pop("kind", None) != kind:
        raise ValueError(f"this is not a {kind}")
    version = data.pop("format", None)
    if type(version) is not int or version != FORMAT:
        said = f"this {kind} is of format {str(version)[:20]}, this version reads {FORMAT}"
        raise ValueError(f"{said}; update deepgym-envs")
    return data


def parse_json(text: str | bytes) -> Any:
    """What ``text`` says as JSON, in which no key stands twice in an object, and NaN is no number.

    Raises:
        ValueError: it is not that, or nested too deeply.
    """
    try:
        return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(str(error)[:200]) from None


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")
