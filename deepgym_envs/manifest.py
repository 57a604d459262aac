"""Reads a TOML file into a pydantic model, with complaints that a person can act on."""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from deepgym_envs.errors import TaskError


class Manifest(BaseModel):
    """Base of all models that are read from files: frozen, and a key that it does not know is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


M = TypeVar("M", bound=Manifest)


def read_manifest(path: Path, model: type[M]) -> M:
    """Read ``path`` as ``model``.

    Raises:
        TaskError: the file is missing, is not TOML, or does not fit; names file, key and what to write.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise TaskError(f"{path}: there is no such file; write it (docs/write-a-task.md shows one)") from None
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise TaskError(f"{path}: not valid TOML: {error}") from None
    return parse_manifest(data, model, str(path))


def parse_manifest(data: dict[str, Any], model: type[M], where: str) -> M:
    """Build ``model`` from ``data``; ``where`` names the origin in complaints. Raises ``TaskError``."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_complaint(problem, model) for problem in error.errors()]
        raise TaskError("\n".join(f"{where}: {line}" for line in lines)) from None


def manifest_text(manifest: Manifest) -> str:
    """The TOML that ``read_manifest`` reads as ``manifest``, without what is at its default."""
    return toml_text(manifest.model_dump(mode="json", exclude_defaults=True))


def toml_text(data: Mapping[str, Any]) -> str:
    """``data`` as TOML: its plain values first, then its tables; the same text for the same value."""
    return "\n".join(_toml_lines(data, "")) + "\n"


def _toml_lines(data: Mapping[str, Any], prefix: str) -> list[str]:
    lines = [
        f"{key} = {_toml_literal(value)}" for key, value in data.items() if not isinstance(value, Mapping)
    ]
    for key, value in data.items():
        if isinstance(value, Mapping):
            lines += ["", f"[{prefix}{key}]", *_toml_lines(value, f"{prefix}{key}.")]
    return lines


def _toml_literal(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str():
            # JSON's escapes are TOML's, but for a character that only TOML wants escaped.
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case Mapping():
            return "{ " + ", ".join(f"{key} = {_toml_literal(inner)}" for key, inner in value.items()) + " }"
        case list() | tuple():
            items = [_toml_literal(item) for item in value]
            flat = f"[{', '.join(items)}]"
            return flat if len(flat) < 100 else "[\n" + "".join(f"    {item},\n" for item in items) + "]"
    raise TypeError(f"{type(value).__name__} cannot be written as TOML")


def _complaint(problem: Any, model: type[BaseModel]) -> str:
    key = ".".join(str(part) for part in problem["loc"]) or "(whole file)"
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = _known_keys(model)
        near = difflib.get_close_matches(str(problem["loc"][-1]), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(sorted(known))}"
        return f"{key}: unknown key; {hint}"
    if kind == "missing":
        return f"{key}: missing; add it"
    given = repr(problem["input"])
    message = str(problem["msg"]).removeprefix("Value error, ")
    return f"{key}: {message} (found {given[:80]})"


def _known_keys(model: type[BaseModel], met: frozenset[type[BaseModel]] = frozenset()) -> set[str]:
    known: set[str] = set()
    met |= {model}
    for name, field in model.model_fields.items():
        known.add(name)
        for inner in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if isinstance(inner, type) and issubclass(inner, BaseModel) and inner not in met:
                known |= _known_keys(inner, met)
    return known
