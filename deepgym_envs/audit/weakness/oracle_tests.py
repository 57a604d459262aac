"""The cases of an oracle as a file of tests, so that one way of running fits all."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from deepgym_envs import plain
from deepgym_envs.oracle_file import Case, Oracle, Step
from deepgym_envs.oracle_input import draw

_HEAD = """\
import datetime
from decimal import Decimal

import pytest

def parts(value):
    return list(value.values()) if isinstance(value, dict) else value
"""
_CONTAINERS = ("tuple", "set", "frozenset", "dict")


def as_tests(oracle: Oracle, chance: Random) -> bytes:
    """A test for each case that has steps; programs that are run are left out.

    What is drawn for a grading is drawn once, from ``chance``. Nothing is expected of any value.
    """
    cases = [case for case in oracle.case if case.steps]
    modules = {step.target.partition(":")[0] for case in cases for step in case.steps if ":" in step.target}
    modules |= {step.raises.partition(":")[0] for case in cases for step in case.steps if step.raises}
    heads = [f"import {module}" for module in sorted(modules)]
    tests = ["\n".join(_test(case, chance)) for case in cases]
    return ("\n\n".join(["\n".join([*heads, _HEAD]), *tests]) + "\n").encode()


def _test(case: Case, chance: Random) -> Iterator[str]:
    yield f"def test_{case.name.replace('-', '_')}():"
    for name, value in draw(case.draw, chance).items():
        yield f"    {_name(name)} = {_atom(value)}"
    for number, step in enumerate(case.steps):
        yield from (f"    {line}" for line in _lines(step, shown=number in case.shown))


def _lines(step: Step, *, shown: bool) -> Iterator[str]:
    found = _call(step)
    if step.raises:
        yield f"with pytest.raises({step.raises.replace(':', '.')}):"
        yield f"    {found}"
    elif step.let is not None:
        yield f"{_name(step.let)} = {found}"
        if shown:
            yield f"assert {_shown(_name(step.let), (step.show or '').split())}"
    else:
        yield f"assert {_shown(found, (step.show or '').split())}"


def _call(step: Step) -> str:
    if step.target.startswith("$"):
        name, dot, path = step.target[1:].partition(".")
        where = _name(name) + dot + path
    else:
        where = step.target.replace(":", ".")
    if step.call is None:
        return where
    named = [f"{name}={_source(form)}" for name, form in step.kwargs.items()]
    return f"{where}({', '.join([*map(_source, step.args), *named])})"


def _shown(value: str, words: list[str]) -> str:
    """What an oracle's ``show`` makes of a value."""
    for number, word in enumerate(words):
        if word == "each":
            return f"[{_shown('part', words[number + 1 :])} for part in parts({value})]"
        if word.startswith("."):
            paths = [value + path for path in word.split(",")]
            value = paths[0] if len(paths) == 1 else f"[{', '.join(paths)}]"
        else:
            value = f"{word}({value})"
    return value


def _source(form: Any) -> str:
    """The expression for a form, in which strings such as ``"$x"`` are names."""
    if type(form) is str:
        if form[:1] != "$":
            return repr(form)
        return repr(form[1:]) if form[:2] == "$$" else _name(form[1:])
    if type(form) is list:
        return f"[{', '.join(map(_source, form))}]"
    if type(form) is not dict:
        return _atom(plain.decode(form))
    tag, inner = next(iter(form.items())) if len(form) == 1 else ("", None)
    if tag in _CONTAINERS and type(inner) is list:
        return _of_many(tag, inner)
    try:
        atom = plain.decode(form, dict.fromkeys(plain.references(form)))
    except plain.NotPlain:
        return "None"
    if type(atom) is not dict:
        return _atom(atom)
    return "{" + ", ".join(f"{key!r}: {_source(part)}" for key, part in form.items()) + "}"


def _of_many(tag: str, inner: list[Any]) -> str:
    if tag == "dict":
        return "{" + ", ".join(f"{_source(key)}: {_source(part)}" for key, part in inner) + "}"
    parts = "".join(f"{_source(part)}, " for part in inner)
    return f"({parts})" if tag == "tuple" else f"{tag}([{parts}])"


def _atom(value: Any) -> str:
    return f"float({str(value)!r})" if type(value) is float and value - value != 0 else repr(value)


def _name(name: str) -> str:
    return f"{name}_"  # it may be a word of Python's
