"""Files described by where their bytes stand in other files, so that nothing of those has to be copied.

>>> release = {"shop.py": b"def total(prices):\\n    return sum(prices)\\n"}
>>> pieces = cut(b"def total(prices):\\n    return max(prices)\\n", release)
>>> pieces
(('shop.py', 0, 30), 'max', ('shop.py', 33, 42))
>>> paste(pieces, release)
b'def total(prices):\\n    return max(prices)\\n'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Piece = str | tuple[str, int, int]
"""Text of one's own, or the bytes of a named file from one place up to another."""

SHORTEST = 8
_CANDIDATES = 24


def cut(target: bytes, sources: Mapping[str, bytes]) -> tuple[Piece, ...]:
    """``target`` in pieces as long as are easily found; of equal ones those of the source that comes first.

    No piece of text shares ``SHORTEST`` bytes or more in a row with a source.
    """
    places = _places(sources)
    found: list[Piece] = []
    own = position = 0
    while position < len(target):
        best = _best(target, position, sources, places)
        if best is None:
            position += 1
            continue
        if position > own:
            found.append(_text(target[own:position]))
        found.append(best)
        own = position = position + best[2] - best[1]
    if own < len(target):
        found.append(_text(target[own:]))
    return tuple(found)


def paste(pieces: Sequence[Piece], sources: Mapping[str, bytes]) -> bytes:
    """The file that ``pieces`` describe.

    Raises:
        ValueError: a source is missing, or ends before a piece does.
    """
    return b"".join(_bytes(piece, sources) for piece in pieces)


def _bytes(piece: Piece, sources: Mapping[str, bytes]) -> bytes:
    if isinstance(piece, str):
        return piece.encode("utf-8", "surrogateescape")
    name, start, end = piece
    if name not in sources:
        raise ValueError(f"there is no {name}")
    if not 0 <= start < end <= len(sources[name]):
        raise ValueError(f"{name} has no bytes {start} to {end}")
    return sources[name][start:end]


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


_Places = Mapping[bytes, Sequence[tuple[str, int]]]


def _places(sources: Mapping[str, bytes]) -> _Places:
    found: dict[bytes, list[tuple[str, int]]] = {}
    for name, data in sources.items():
        for start in range(len(data) - SHORTEST + 1):
            here = found.setdefault(data[start : start + SHORTEST], [])
            if len(here) < _CANDIDATES:
                here.append((name, start))
    return found


def _best(
    target: bytes, position: int, sources: Mapping[str, bytes], places: _Places
) -> tuple[str, int, int] | None:
    """The longest stretch of a source that is the same as ``target`` from ``position`` on."""
    best = None
    size = 0
    for name, start in places.get(target[position : position + SHORTEST], ()):
        alike = _alike(target, position, sources[name], start)
        if alike > size:
            size = alike
            best = (name, start, start + alike)
    return best


def _alike(left: bytes, at: int, right: bytes, start: int) -> int:
    """How many bytes are the same from there on; doubles its stride while they are."""
    count, stride = 0, SHORTEST
    most = min(len(left) - at, len(right) - start)
    while stride:
        stride = min(stride, most - count)
        if stride and left[at + count : at + count + stride] == right[start + count : start + count + stride]:
            count += stride
            stride *= 2
        else:
            stride //= 2
    return count
