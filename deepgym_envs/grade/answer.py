"""An answer to a case of an oracle: read strictly, and compared on the host, type for type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from deepgym_envs import plain
from deepgym_envs.grade.patterns import Patterns
from deepgym_envs.oracle_file import Case, Must, Step, Text
from deepgym_envs.plain import NotPlain, canonical

_SHOWN_CHARS = 120


@dataclass(frozen=True)
class Told:
    """What a step came to: a shown ``value``, an exception's ``classes`` and ``text``, or neither."""

    end: Literal["done", "value", "raised", "not_plain", "skipped"]
    value: Any = None
    classes: tuple[str, ...] = ()
    text: str | None = None

    @property
    def seen(self) -> str:
        """A text that differs where what was seen does, but for the texts of exceptions."""
        return f"{self.end} {canonical(self.value)} {self.classes}"

    @property
    def outcome(self) -> str:
        """For a person to read."""
        match self.end:
            case "value":
                return f"gave {_short(self.value)}"
            case "raised":
                return f"raised {self.classes[0] if self.classes else '?'}: {_short(self.text)}"
            case "not_plain":
                return f"gave what is not plain: {_short(self.text)}"
        return "gave nothing" if self.end == "done" else "was skipped"


def steps_of(text: str) -> list[Told]:
    """The steps of an answer.

    Raises:
        NotPlain: it is no answer.
    """
    match plain.loads(text):
        case {"steps": list(steps), **rest} if not rest:
            return [_told(step) for step in steps]
    raise NotPlain("this is no answer")


def complaint(case: Case, drawn: Mapping[str, Any], told: Sequence[Told], patterns: Patterns) -> str | None:
    """What is wrong with an answer to ``case``; None for a right one."""
    if case.run:
        return next(_of_program(case, told, patterns), None)
    if len(told) != len(case.steps):
        return f"has {len(told)} steps, not {len(case.steps)}"
    names = dict(drawn)
    for number, (step, seen) in enumerate(zip(case.steps, told, strict=True)):
        shown = number in case.shown
        wrong = (
            _raised_wrongly(step, seen, patterns)
            if step.raises
            else _wrong(step, seen, shown, names, patterns)
        )
        if wrong:
            return f"step {number + 1} ({step.target}) {seen.outcome}{wrong}"
        if step.let is not None and seen.end == "value":
            names[step.let] = seen.value
    return None


def _told(form: Any) -> Told:
    match form:
        case ["done" | "skipped" as end]:
            return Told(end)
        case ["value", value]:
            return Told("value", plain.decode(value))
        case ["not_plain", str() | None as text]:
            return Told("not_plain", text=text)
        case ["raised", list(classes), str() | None as text] if all(type(name) is str for name in classes):
            return Told("raised", classes=tuple(classes), text=text)
    raise NotPlain("this is no step of an answer")


def _raised_wrongly(step: Step, seen: Told, patterns: Patterns) -> str | None:
    if seen.end != "raised" or step.raises not in seen.classes:
        return f"; expected {step.raises}"
    if step.match is not None and not patterns.finds(step.match, seen.text or ""):
        return f"; expected a text with {step.match!r}"
    return None


def _wrong(step: Step, seen: Told, shown: bool, names: Mapping[str, Any], patterns: Patterns) -> str | None:
    if seen.end != ("value" if shown else "done"):
        return f"; expected {'a value' if shown else 'no error'}"
    if step.expect is not None:
        expected = plain.decode(step.expect)
        if canonical(seen.value) != canonical(expected):
            return f"; expected {_short(expected)}"
    if step.must is not None:
        broken = next(broken_properties(step.must, seen.value, names, patterns), None)
        if broken:
            return f", which fails its {broken!r}"
    return None


def broken_properties(must: Must, value: Any, names: Mapping[str, Any], patterns: Patterns) -> Iterator[str]:
    """Names of the properties that a plain ``value`` does not have."""
    for name in sorted(must.model_fields_set):
        asked = getattr(must, name)
        if asked is None:
            continue
        try:
            if name == "matches":
                has = _matches(value, asked, patterns)
            else:
                has = _PROPERTIES[name](value, asked, names)
        except (TypeError, ValueError, ArithmeticError):
            has = False
        if not has:
            yield name


def _near(value: Any, asked: tuple[float, float], _: Mapping[str, Any]) -> bool:
    return type(value) is float and abs(value - asked[0]) <= asked[1]


def _matches(value: Any, asked: str, patterns: Patterns) -> bool:
    return type(value) is str and patterns.covers(asked, value)


def _is_sorted(value: Any, asked: bool, _: Mapping[str, Any]) -> bool:
    return type(value) in (list, tuple) and (list(value) == sorted(value)) is asked


def _is_permutation(value: Any, asked: Any, names: Mapping[str, Any]) -> bool:
    return sorted(map(canonical, value)) == sorted(map(canonical, plain.decode(asked, names)))


def _is_subset(value: Any, asked: Any, names: Mapping[str, Any]) -> bool:
    return {canonical(part) for part in value} <= {canonical(part) for part in plain.decode(asked, names)}


def _between(value: Any, asked: tuple[Any, Any], names: Mapping[str, Any]) -> bool:
    first, last = (plain.decode(form, names) for form in asked)
    return type(value) in (type(first), type(last)) and bool(first <= value <= last)


_PROPERTIES: Mapping[str, Any] = {
    "equals": lambda value, asked, names: canonical(value) == canonical(plain.decode(asked, names)),
    "near": _near,
    "sorted": _is_sorted,
    "permutation_of": _is_permutation,
    "subset_of": _is_subset,
    "length": lambda value, asked, _: asked[0] <= len(value) <= asked[1],
    "between": _between,
}


def _of_program(case: Case, told: Sequence[Told], patterns: Patterns) -> Iterator[str]:
    match told:
        case [Told("value", {"status": int(status), "stdout": out, "stderr": err, "files": dict(files)})]:
            if status != case.status:
                yield f"ended with status {status}, not {case.status}; standard error: {_short(err)}"
            for what, seen, asked in [
                ("standard output", out, case.stdout),
                ("standard error", err, case.stderr),
                *((path, files.get(path), content) for path, content in case.files.items()),
            ]:
                wrong = _wrong_text(seen, asked, patterns)
                if wrong:
                    yield f"{what}: {_short(seen)}; expected {wrong}"
        case _:
            yield f"the program {told[0].outcome if told else 'gave nothing'}"


def _wrong_text(seen: Any, asked: Any, patterns: Patterns) -> str | None:
    if asked is None:
        return None
    if isinstance(asked, Text):
        return None if _matches(seen, asked.pattern, patterns) else asked.pattern
    expected = plain.decode(asked)
    return None if canonical(seen) == canonical(expected) else _short(expected)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}..."
