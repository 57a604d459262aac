"""How inputs are drawn anew for each grading, so that no answer can be written down beforehand.

::

    draw = { n = { whole = [0, 99] }, words = { many = { text = [1, 8], of = "abc" }, length = [0, 5] } }
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, model_validator

from deepgym_envs.manifest import Manifest
from deepgym_envs.plain import NotPlain, decode

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LONGEST = 1_000
Length = Annotated[tuple[Annotated[int, Field(ge=0, le=_LONGEST)], ...], Field(min_length=2, max_length=2)]


class Drawn(Manifest):
    """One kind of value, with both ends of its range included.

    ``whole`` is an ``int``, ``real`` a ``float``, ``day`` a date. ``text`` gives the length of a text, ``of``
    its characters; ``many`` is a list of ``length`` values; ``places`` are a ``decimal``'s digits behind the
    point.
    """

    model_config = ConfigDict(str_strip_whitespace=False)

    whole: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] | None = None
    real: Annotated[tuple[float, ...], Field(min_length=2, max_length=2)] | None = None
    decimal: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] | None = None
    day: Annotated[tuple[date, ...], Field(min_length=2, max_length=2)] | None = None
    text: Length | None = None
    choice: Annotated[tuple[Any, ...], Field(min_length=1)] | None = None
    many: Drawn | None = None
    of: Annotated[str, Field(min_length=1)] = _LETTERS
    length: Length = (0, 5)
    places: Annotated[int, Field(ge=0, le=20)] = 2

    @property
    def kind(self) -> str:
        """The one kind that is given."""
        return next(name for name in _KINDS if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [name for name in _KINDS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"write one of {', '.join(_KINDS)}")
        extent = getattr(self, given[0])
        ranges = [extent] if given[0] not in ("choice", "many") else []
        for first, last in [*ranges, self.length]:
            if first > last:
                raise ValueError(f"the range ends before it begins: {first} > {last}")
        for form in self.choice or ():
            try:
                decode(form)
            except NotPlain as error:
                raise ValueError(str(error)) from None
        return self


_KINDS = ("whole", "real", "decimal", "day", "text", "choice", "many")


def as_drawn(how: Any) -> Any:
    """``how`` with ``bool = true`` written as the choice that it is."""
    return {"choice": [False, True]} if how == {"bool": True} else how


def draw(how: Mapping[str, Drawn], chance: Random) -> dict[str, Any]:
    """A value for each name."""
    return {name: _value(each, chance) for name, each in how.items()}


def _value(how: Drawn, chance: Random) -> Any:
    if how.choice is not None:
        return decode(chance.choice(how.choice))
    if how.many is not None:
        return [_value(how.many, chance) for _ in range(chance.randint(*how.length))]
    first, last = getattr(how, how.kind)
    match how.kind:
        case "whole":
            return chance.randint(first, last)
        case "real":
            return chance.uniform(first, last)
        case "decimal":
            unit = 10**how.places
            return Decimal(chance.randint(first * unit, last * unit)).scaleb(-how.places)
        case "day":
            return date.fromordinal(chance.randint(first.toordinal(), last.toordinal()))
        case _:
            return "".join(chance.choices(how.of, k=chance.randint(first, last)))
