"""Reads the rows of a data set one by one: JSON, JSON lines, Parquet, folders of these, or a data set of the
Hugging Face hub.

Memory stays the same however many rows there are: a line or a JSON value is read as soon as it is whole,
Parquet by batches. Nothing of a data set is executed or unpickled.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from deepgym_envs.errors import UsageError
from deepgym_envs.strict_json import parse_json
from deepgym_envs.text import one_line

MOST_BYTES = 64 << 20
_CHUNK = 1 << 20
_BATCH = 64
_HUB = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*)(?::([A-Za-z0-9_.-]+))?")
_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True)
class Row:
    """One row: ``where`` it stands (file and line or number, both from 1) and its ``values``, or the
    ``problem`` that it has instead."""

    where: str
    values: Mapping[str, Any]
    problem: str = ""


def read_rows(source: str) -> Iterator[Row]:
    """The rows of a file, of the files below a folder, or of a data set ``owner/name[:split]`` of the hub.

    Raises:
        UsageError: there is nothing of that kind, or what reads it is not installed.
    """
    place = Path(source)
    if place.is_dir():
        return _rows_below(place)
    if place.is_file():
        return _reader(place)(place)
    hub = _HUB.fullmatch(source)
    if hub is None or place.suffix in _READERS:
        raise UsageError(
            f"{source}: is no file or folder, nor a data set, which is written owner/name[:split]"
        )
    return read_dataset(hub[1], hub[2])


def read_dataset(name: str, split: str | None = None) -> Iterator[Row]:
    """The rows of a split of a data set of the Hugging Face hub, as they arrive; code of its is never run.

    Raises:
        UsageError: ``datasets`` is not installed, there is no such data set, or it has several splits and
            none was named.
    """
    library = _datasets()
    try:
        found = library.load_dataset(name, split=split, streaming=True)
    except Exception as error:  # of any of the libraries below it
        raise UsageError(f"{name}: cannot be loaded: {one_line(str(error))}") from None
    if split is None:
        if len(found) != 1:
            raise UsageError(
                f"{name}: has the splits {', '.join(found)}; write {name}:{next(iter(found), 'split')}"
            )
        [(split, found)] = found.items()
    return _numbered(f"{name}:{split}", iter(found))


def _numbered(name: str, rows: Iterator[Any]) -> Iterator[Row]:
    number = 0
    while True:
        number += 1
        try:
            values = next(rows)
        except StopIteration:
            return
        except Exception as error:  # the rest cannot be had; what came is good
            yield Row(f"{name}:{number}", {}, f"the data set breaks off: {one_line(str(error))}")
            return
        yield _row(f"{name}:{number}", values)


def _rows_below(folder: Path) -> Iterator[Row]:
    places = sorted(place for place in folder.rglob("*") if place.suffix in _READERS and place.is_file())
    if not places:
        raise UsageError(f"{folder}: holds no {', '.join(_READERS)} file")
    return (row for place in places for row in _reader(place)(place))


def _reader(place: Path) -> Callable[[Path], Iterator[Row]]:
    if place.suffix not in _READERS:
        raise UsageError(f"{place}: is none of {', '.join(_READERS)}")
    if place.suffix == ".parquet":
        _parquet()
    return _READERS[place.suffix]


def _json_lines(place: Path) -> Iterator[Row]:
    with place.open("rb") as file:
        for number, line in enumerate(_capped_lines(file), start=1):
            if line is None:
                yield Row(f"{place.name}:{number}", {}, f"is longer than {MOST_BYTES} bytes")
            elif line.strip():
                yield _parsed(f"{place.name}:{number}", line)


def _capped_lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The lines; None for one that is too long, of which nothing is kept."""
    while line := file.readline(MOST_BYTES + 1):
        if len(line) <= MOST_BYTES:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_CHUNK)
        yield None


def _parsed(where: str, text: str | bytes) -> Row:
    try:
        return _row(where, parse_json(text))
    except ValueError as error:
        return Row(where, {}, f"is not JSON: {one_line(str(error))}")


def _row(where: str, values: Any) -> Row:
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        return Row(where, {}, "is no object")
    return Row(where, values)


def rows_of_json(place: Path, *, piece: int = _CHUNK) -> Iterator[Row]:
    """The objects of a list, or those that follow each other, read by ``piece`` characters.

    What stands behind a fault cannot be told from it, so that is one row, which says so, and the last.
    """
    with place.open(encoding="utf-8", errors="surrogateescape") as file:
        text = file.read(piece).removeprefix("\ufeff").lstrip()
        in_list = text.startswith("[")
        at, number, grow, ended = int(in_list), 0, piece, False
        while True:
            at = _BETWEEN.match(text, at).end()  # type: ignore[union-attr]
            end = _end_of_value(text, at, whole=ended)
            if end is not None:
                number, grow = number + 1, piece
                yield _parsed(f"{place.name}:{number}", text[at:end])
                at = end
            elif ended or len(text) - at > MOST_BYTES:
                break
            else:
                more = file.read(grow)
                text, at, grow, ended = text[at:] + more, 0, 2 * grow, not more
        rest = text[at : at + 100].strip()
        if rest != ("]" if in_list else ""):
            said = f"is not JSON, so it and what follows is not read: {one_line(rest)}"
            yield Row(f"{place.name}:{number + 1}", {}, said if rest else "the list is cut off")


def _end_of_value(text: str, at: int, *, whole: bool) -> int | None:
    """Where the JSON value that begins at ``at`` ends; None if it is not all there, or none.

    What reaches the end of ``text`` may go on behind it, unless that is the ``whole`` rest.
    """
    if text[at : at + 1] in ("", "]"):
        return None
    try:
        _, end = _DECODER.raw_decode(text, at)
    except (ValueError, RecursionError):
        return None
    return end if whole or end < len(text) or text[at] == "{" else None


_DECODER = json.JSONDecoder()


def _parquet_rows(place: Path) -> Iterator[Row]:
    number = 0
    try:
        with _parquet().ParquetFile(place, memory_map=True) as file:
            for batch in file.iter_batches(batch_size=_BATCH):
                for values in batch.to_pylist():
                    number += 1
                    yield _row(f"{place.name}:{number}", values)
    except (ValueError, OSError, NotImplementedError) as error:  # ArrowInvalid is a ValueError
        yield Row(f"{place.name}:{number + 1}", {}, f"is not Parquet from here on: {one_line(str(error))}")


def _parquet() -> Any:
    try:
        from pyarrow import parquet
    except ImportError:
        raise UsageError("Parquet needs pyarrow; install it: pip install 'deepgym-envs[parquet]'") from None
    return parquet


def _datasets() -> Any:
    try:
        import datasets
    except ImportError:
        raise UsageError(
            "a data set of the hub needs the library 'datasets'; install it: pip install 'deepgym-envs[hf]'"
        ) from None
    return datasets


_READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".json": rows_of_json,
    ".jsonl": _json_lines,
    ".parquet": _parquet_rows,
}
