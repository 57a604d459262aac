"""Numbers from outside, refused with what was expected."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np


def number(
    name: str, value: Any, wanted: str = "a finite number", fits: Callable[[float], bool] | None = None
) -> float:
    """``value`` as a float, if it is one finite number that ``fits``.

    >>> number("gamma", 0.9, "in (0, 1]", lambda x: 0 < x <= 1)
    0.9

    Raises:
        ValueError: it is not; says what ``name`` must be.
    """
    found = math.nan
    if isinstance(value, float | int) or (not isinstance(value, str | bytes) and np.shape(value) == ()):
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
    if not math.isfinite(found) or (fits is not None and not fits(found)):
        raise ValueError(f"{name} must be {wanted}, not {_shown(value)}")
    return found


def choice(name: str, value: Any, among: tuple[str, ...]) -> None:
    """Refuse a ``value`` that is not ``among`` the names known.

    Raises:
        ValueError: it is not; says which there are.
    """
    if not isinstance(value, str) or value not in among:
        raise ValueError(f"{name} must be one of {', '.join(among)}, not {_shown(value)}")


def _shown(value: Any) -> str:
    shape = np.shape(value) if isinstance(value, np.ndarray | list | tuple) else ()
    return f"something of the shape {shape}" if shape else repr(value)[:80]
