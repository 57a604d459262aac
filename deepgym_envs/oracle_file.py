"""The cases of a task's ``tests/oracle.toml``: what to ask the code under test, and what it must answer.

::

    [[case]]
    name = "shifted-out-of-the-calendar"
    steps = [
      { let = "s", call = "calends:parse_span", args = ["2040-01-01.."] },
      { call = "calends.spans:shift", args = ["$s", 31], show = "str", expect = "2040-02-01.." },
      { call = "calends.spans:widen", args = [["$s"], -1], raises = "calends.errors:SpanError" },
    ]

Only what is asked enters a box. Values are written as ``deepgym_envs.plain`` says; docs/oracles.md has
all the keys.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Self

from pydantic import AfterValidator, ConfigDict, Field, field_validator, model_validator

from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import Manifest, parse_manifest
from deepgym_envs.oracle_input import Drawn, as_drawn
from deepgym_envs.plain import NotPlain, decode, encode, references
from deepgym_envs.state import check_path

ORACLE = "oracle.toml"
_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_DOTTED = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_TARGET = re.compile(rf"{_DOTTED}:{_DOTTED}|\${_DOTTED}", re.ASCII)
_CLASS = re.compile(rf"(?:{_DOTTED}:)?{_DOTTED}", re.ASCII)
_LOOKUP = re.compile(r"(?:\.[A-Za-z_]\w*(?:\(\))?)+", re.ASCII)
_SHOWS = ("each", "str", "repr", "len", "list", "tuple", "sorted", "dict", "set")


def is_case(node: str) -> bool:
    """Whether a node id, or the file in it, is about cases of an oracle.

    >>> is_case("oracle.toml::shifted"), is_case("test_spans.py::test_shifted")
    (True, False)
    """
    return node.partition("::")[0] == ORACLE


def _plain_form(form: Any) -> Any:
    try:
        decode(form, dict.fromkeys(references(form)))
        return _as_json(form)
    except NotPlain as error:
        raise ValueError(str(error)) from None


def _as_json(form: Any) -> Any:
    """``form`` with what TOML can write and JSON cannot (dates, NaN) in the form that both can."""
    if isinstance(form, dict):
        return {key: _as_json(part) for key, part in form.items()}
    return [_as_json(part) for part in form] if isinstance(form, list) else encode(form)


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"not a regular expression: {error}") from None
    return text


def _show(text: str) -> str:
    for word in text.split():
        if word not in _SHOWS and not all(_LOOKUP.fullmatch(part) for part in word.split(",")):
            raise ValueError(
                f"{word!r}: write {', '.join(_SHOWS)}, or attributes such as .first,.last.year()"
            )
    return text


def _target(text: str) -> str:
    if not _TARGET.fullmatch(text):
        raise ValueError('write "module:name", or "$name.method" of an earlier step')
    return text


def _class(text: str) -> str:
    if not _CLASS.fullmatch(text):
        raise ValueError('write "module:Class", or the name of a class of Python\'s own')
    return text if ":" in text else f"builtins:{text}"


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("write a name of letters, digits and _")
    return text


Form = Annotated[Any, AfterValidator(_plain_form)]
Pattern = Annotated[str, AfterValidator(_pattern)]


class _Exact(Manifest):
    """A table whose texts are taken as they are."""

    model_config = ConfigDict(str_strip_whitespace=False)


class Must(_Exact):
    """What must be true of a value, where it is not known beforehand; all that is given.

    A form may name a drawn value, or what an earlier step showed, as ``"$name"``.
    """

    equals: Form = None
    near: Annotated[tuple[float, ...], Field(min_length=2, max_length=2)] | None = None
    matches: Pattern | None = None
    sorted: bool | None = None
    permutation_of: Form = None
    subset_of: Form = None
    length: Annotated[tuple[int, ...], Field(min_length=2, max_length=2)] | None = None
    between: Annotated[tuple[Form, ...], Field(min_length=2, max_length=2)] | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"write one or more of {', '.join(type(self).model_fields)}")
        return self


class Step(_Exact):
    """One thing to do, and what must come of it: a ``call`` with ``args`` and ``kwargs``, or a ``get``.

    ``let`` names what comes of it for later steps. ``show`` says how it becomes a plain value.
    """

    let: Annotated[str, AfterValidator(_name)] | None = None
    call: Annotated[str, AfterValidator(_target)] | None = None
    get: Annotated[str, AfterValidator(_target)] | None = None
    args: tuple[Form, ...] = ()
    kwargs: dict[str, Form] = Field(default_factory=dict)
    show: Annotated[str, AfterValidator(_show)] | None = None
    expect: Form = None
    must: Must | None = None
    raises: Annotated[str, AfterValidator(_class)] | None = None
    match: Pattern | None = None

    @property
    def target(self) -> str:
        """What is called or read."""
        return self.call or self.get or ""

    @property
    def needs(self) -> tuple[str, ...]:
        """The names that must be known before it."""
        own = [self.target[1:].partition(".")[0]] if self.target.startswith("$") else []
        return (*own, *references([*self.args, *self.kwargs.values()]))

    @property
    def compares_with(self) -> tuple[str, ...]:
        """The names whose values are needed to judge it."""
        return tuple(references(self.must.model_dump())) if self.must else ()

    @property
    def judged(self) -> bool:
        """Whether anything but an exception is awaited of it."""
        return self.expect is not None or self.must is not None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.call is None) == (self.get is None):
            raise ValueError("write either call or get")
        if self.get is not None and (self.args or self.kwargs):
            raise ValueError("args and kwargs are for call")
        if self.raises and (self.judged or self.let or self.show is not None):
            raise ValueError("a step that raises has neither let, show, expect nor must")
        if self.match is not None and not self.raises:
            raise ValueError("match is about what raises raises; write must = { matches = ... } for values")
        if references(self.expect):
            raise ValueError('expect: write "$$" for "$", or must = { equals = "$name" } for a value')
        return self


class Text(_Exact):
    """A text that is not known exactly: all of it must match."""

    pattern: Pattern


class Case(_Exact):
    """Steps of one process, or a program to ``run`` in a folder of its own.

    ``draw`` says how values are drawn, ``draws`` how often; with the same values it is asked ``repeat``
    times, and all answers must be the same. ``seconds`` is the time of one. For ``run``: ``stdin``, and the
    files ``given``, by path; what it must write to ``stdout``, ``stderr`` and ``files`` (absent: anything),
    and its ``status``.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,99}$")]
    steps: tuple[Step, ...] = ()
    draw: dict[str, Drawn] = Field(default_factory=dict)
    draws: Annotated[int, Field(ge=1, le=100)] = 1
    repeat: Annotated[int, Field(ge=1, le=10)] = 1
    seconds: Annotated[float, Field(gt=0, le=600)] = 5
    run: tuple[str, ...] = ()
    stdin: Form = ""
    given: dict[Annotated[str, AfterValidator(check_path)], Form] = Field(default_factory=dict)
    status: int = 0
    stdout: str | Text | None = None
    stderr: str | Text | None = None
    files: dict[Annotated[str, AfterValidator(check_path)], Form | Text] = Field(default_factory=dict)

    @property
    def shown(self) -> frozenset[int]:
        """Numbers of the steps whose values are asked for, from 0."""
        compared = {name for step in self.steps for name in step.compares_with}
        steps = enumerate(self.steps)
        return frozenset(
            number for number, step in steps if step.judged or step.show is not None or step.let in compared
        )

    @field_validator("draw", mode="before")
    @classmethod
    def _drawn(cls, value: Any) -> Any:
        return {name: as_drawn(how) for name, how in value.items()} if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.steps) == bool(self.run):
            raise ValueError("write either steps or run")
        if self.run:
            return self._as_program()
        if self.model_fields_set & {"stdin", "given", "status", "stdout", "stderr", "files"}:
            raise ValueError("stdin, given, status, stdout, stderr and files are for run")
        if not any(step.judged or step.raises for step in self.steps):
            raise ValueError("nothing is judged; write expect, must or raises in a step")
        self._check_names()
        return self

    def _as_program(self) -> Self:
        if len(self.run) < 2 or self.run[0] != "-m":
            raise ValueError('run: write ["-m", "package", "argument", ...]')
        if self.draw:
            raise ValueError("draw is for steps")
        for form in (self.stdin, *self.given.values()):
            if type(decode(form)) not in (str, bytes):
                raise ValueError("stdin and given are text or bytes")
        return self

    def _check_names(self) -> None:
        known, shown = set(self.draw), set(self.draw)
        for number, step in enumerate(self.steps):
            for name in step.needs:
                if name not in known:
                    raise ValueError(
                        f"step {number + 1}: ${name}: no earlier step lets it, and it is not drawn"
                    )
            for name in step.compares_with:
                if name not in shown:
                    raise ValueError(f"step {number + 1}: must: ${name}: no earlier step lets it")
            if step.let is not None:
                if step.let in known:
                    raise ValueError(f"step {number + 1}: let: {step.let!r} is taken; choose another name")
                known.add(step.let)
                shown.add(step.let)


class Oracle(_Exact):
    """The content of an ``oracle.toml``."""

    case: Annotated[tuple[Case, ...], Field(min_length=1)]

    @property
    def nodes(self) -> tuple[str, ...]:
        """A node id for each case, as ``task.toml`` lists them."""
        return tuple(f"{ORACLE}::{case.name}" for case in self.case)

    def select(self, nodes: Sequence[str]) -> Iterator[Case]:
        """The cases of ``nodes``, once each; of all where the file itself is among them."""
        wanted = set(nodes)
        return (case for case, node in zip(self.case, self.nodes, strict=True) if wanted & {node, ORACLE})

    @model_validator(mode="after")
    def _once_each(self) -> Self:
        seen: set[str] = set()
        for case in self.case:
            if case.name in seen:
                raise ValueError(f"{case.name!r} is the name of two cases; choose another for one")
            seen.add(case.name)
        return self


def parse_oracle(data: bytes, where: str) -> Oracle:
    """The oracle in ``data``, the bytes of the file ``where``.

    Raises:
        TaskError: it is none; names the file, the key and what to write.
    """
    try:
        return parse_manifest(tomllib.loads(data.decode()), Oracle, where)
    except UnicodeDecodeError as error:
        raise TaskError(f"{where}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"{where}: not valid TOML: {error}") from None
