"""Notes, in a box, which functions of a package a test calls, with what, and what comes of it.

``deepgym_envs.generate.calls`` puts it there as a plugin of pytest, and reads what it tells in the place of
each test's report. It shares a process with the code under test, so that is only a claim.
"""

import contextlib
import datetime as dt
import decimal
import dis
import enum
import fractions
import inspect
import json
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHARS = 3400  # told of one test, of which a report keeps so much
TEXT, ITEMS, DEEP = 400, 24, 5  # of one value: characters of a text, items, levels
_PLAIN = (int, float, complex, bool, type(None), bytes, range, dt.date, dt.datetime,
          dt.time, dt.timedelta, decimal.Decimal, fractions.Fraction)  # fmt: skip
_NAMED = (types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.ModuleType)
_ENDS = ("RETURN_VALUE", "RETURN_CONST", "RETURN_GENERATOR", "YIELD_VALUE")
_AWAITED = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_SILENT = ("__getattr__", "__getattribute__", "__hash__", "__repr__", "__del__")  # called by the way
_HERE = Path(__file__).resolve().parent
_FILES = str(_HERE.parent)
_told: dict[str, str] = {}


class Recorder:
    """What the frames of tests call in the workspace: ``rows`` of the call, how it ended, and with what."""

    def __init__(self) -> None:
        self._workspace = str(Path.cwd())
        self.rows: list[list[str]] = []
        self._open: dict[types.FrameType, int] = {}
        self._raised: dict[types.FrameType, str] = {}
        self._yielded: dict[types.FrameType, list[str]] = {}

    def __call__(self, frame: types.FrameType, event: str, _: Any) -> Any:
        """A trace function (``sys.settrace``) that follows the frames that are wanted."""
        code, caller = frame.f_code, frame.f_back
        if (
            event != "call"
            or caller is None
            or code.co_flags & _AWAITED
            or code.co_name.startswith("<")
            or code.co_name in _SILENT
            or not caller.f_code.co_filename.startswith(_FILES)
            or not str(Path(code.co_filename).absolute()).startswith(self._workspace)
        ):
            return None
        if frame not in self._open:  # or a generator goes on
            frame.f_trace_lines = False
            self._open[frame] = len(self.rows)
            self.rows.append([called(frame), "open", ""])
        return self._follow

    def _follow(self, frame: types.FrameType, event: str, arg: Any) -> Any:
        if event == "exception":
            self._raised[frame] = f"{arg[0].__name__}: {said(arg[1])}".rstrip(": ")
        elif event == "return" and frame in self._open:
            self._end(frame, arg, dis.opname[frame.f_code.co_code[frame.f_lasti]])
        return self._follow

    def _end(self, frame: types.FrameType, value: Any, operation: str) -> None:
        row = self.rows[self._open[frame]]
        yielded = self._yielded.setdefault(frame, [])
        if value is None and operation not in _ENDS:
            row[1:] = ["raises", self._raised.get(frame, "an error")]
        elif frame.f_code.co_flags & inspect.CO_GENERATOR:
            if operation == "YIELD_VALUE" and len(yielded) < ITEMS:
                yielded.append(shown(value))
            row[1:] = ["gives", f"{', '.join(yielded)}, one after the other" if yielded else "nothing"]
        elif frame.f_code.co_name == "__init__":
            row[1:] = ["gives", shown(frame.f_locals.get("self"))]
        else:
            row[1:] = ["gives", shown(value)]
        if operation != "YIELD_VALUE":
            del self._open[frame]


def called(frame: types.FrameType) -> str:
    """The call that made ``frame``, as one would write it, without what is as it is by default."""
    code, values = frame.f_code, frame.f_locals
    count = code.co_argcount
    names = code.co_varnames[: count + code.co_kwonlyargcount]
    name, own = code.co_name, names[:1] == ("self",) or names[:1] == ("cls",)
    function: Any = frame.f_globals.get(name)
    if own:
        owner = values[names[0]]
        kind = owner if names[0] == "cls" and isinstance(owner, type) else type(owner)
        function = inspect.getattr_static(kind, name, None)
        if isinstance(function, property):
            return f"{kind.__name__}.{name}"
        title = kind.__name__ if name in ("__init__", "__new__") else f"{kind.__name__}.{name}"
        names, count = names[1:], count - 1
    else:
        title = name
    function = getattr(function, "__func__", function)
    function = inspect.unwrap(function) if inspect.isfunction(function) else function
    defaults: dict[str, Any] = {}
    if inspect.isfunction(function) and function.__code__ is code:
        given = function.__defaults__ or ()
        defaults = dict(zip(names[count - len(given) : count], given, strict=False))
        defaults |= function.__kwdefaults__ or {}
    parts = []
    for number, each in enumerate(names):
        value = shown(values.get(each))
        if each not in defaults and number < count:
            parts.append(value)
        elif each not in defaults or value != shown(defaults[each]):
            parts.append(f"{each}={value}")
    at = code.co_argcount + code.co_kwonlyargcount
    if code.co_flags & inspect.CO_VARARGS:
        parts += [shown(value) for value in values.get(code.co_varnames[at], ())]
        at += 1
    if code.co_flags & inspect.CO_VARKEYWORDS:
        parts += [f"{key}={shown(value)}" for key, value in values.get(code.co_varnames[at], {}).items()]
    return f"{title}({', '.join(parts)})"


def shown(value: Any, deep: int = DEEP) -> str:
    """A value as Python writes it, if it is plain, or made of such; else its kind.

    Its class is asked for nothing: a proxy may say that it is of another, or fail.
    """
    kind = type(value)
    if kind in _PLAIN:
        return _short(repr(value))
    if issubclass(kind, str):
        text = _short(str.__repr__(value))
        return text if kind is str else f"{kind.__name__}({text})"
    if issubclass(kind, enum.Enum):
        return f"{kind.__name__}.{value._name_}"
    whole = next((base for base in (list, tuple, set, frozenset, dict) if issubclass(kind, base)), None)
    if whole is not None:
        inside = _inside(value, whole, deep)
        return inside if kind is whole else f"{kind.__name__}({inside})"
    if issubclass(kind, type):
        return str(type.__dict__["__name__"].__get__(value))
    return str(value.__name__) if kind in _NAMED else f"<{kind.__name__}>"


def said(error: BaseException) -> str:
    """The first line of an exception."""
    with contextlib.suppress(Exception):
        return _short(str(error).strip().partition("\n")[0])
    return ""


def _inside(value: Any, kind: type, deep: int) -> str:
    """What a container holds, told by its plain type, whatever a type of others makes of it."""
    if not deep:
        return "..."
    if kind is dict:
        keys, values = _items(dict.keys(value), deep), _items(dict.values(value), deep)
        pairs = zip(keys, values, strict=True)
        return f"{{{', '.join(one if one == '...' else f'{one}: {other}' for one, other in pairs)}}}"
    items = _items(list(kind.__iter__(value)), deep)  # type: ignore[attr-defined]
    if kind is list:
        return f"[{', '.join(items)}]"
    if kind is tuple:
        return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
    braces = f"{{{', '.join(sorted(items))}}}" if items else ""
    return f"frozenset({braces})" if kind is frozenset else braces or "set()"


def _items(values: Any, deep: int) -> list[str]:
    found = [shown(value, deep - 1) for _, value in zip(range(ITEMS), values, strict=False)]
    return [*found, "..."] if len(values) > ITEMS else found


def _short(text: str) -> str:
    return text if len(text) <= TEXT else f"{text[: TEXT - 3]}..."


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: Any) -> Iterator[None]:
    """Watch one test."""
    recorder = Recorder()
    sys.settrace(recorder)
    try:
        yield
    finally:
        sys.settrace(None)
        wanted: dict[str, int] = json.loads((_HERE / "wanted.json").read_text())
        _told[item.nodeid] = _window(recorder.rows, wanted.get(item.nodeid))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: Any, call: Any) -> Iterator[Any]:
    """Tell it where the traceback would be."""
    outcome: Any = yield
    if call.when == "call":
        report = outcome.get_result()
        report.outcome, report.longrepr = "failed", _told.pop(item.nodeid, "")


def _window(rows: list[list[str]], last: int | None) -> str:
    """As many rows as may be told, up to the one with the number ``last``, or the last that there is."""
    end = len(rows) if last is None else min(last + 1, len(rows))
    start, size = end, 0
    while start and size + len(json.dumps(rows[start - 1])) + 4 < CHARS:
        start -= 1
        size += len(json.dumps(rows[start])) + 4
    return json.dumps([start, rows[start:end]])
