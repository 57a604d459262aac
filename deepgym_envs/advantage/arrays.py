"""Arguments as float64 arrays of a known shape, or a ValueError that names the shape and the values expected.

B is the number of rows (trajectories) of a batch, T the number of positions (tokens, or turns) of each.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Mask: TypeAlias = npt.NDArray[np.bool_]

LARGEST = 1e100
"""Beyond this a square or a product is no longer safe from overflow, so it is refused."""


def vector(name: str, value: npt.ArrayLike, rows: int | None = None) -> Array:
    """Finite numbers, one a row.

    >>> vector("rewards", [0, 1, True])
    array([0., 1., 1.])
    >>> vector("rewards", [0.0, float("nan")])
    Traceback (most recent call last):
    ...
    ValueError: rewards[1] is nan: expected finite numbers of at most 1e+100 in size
    """
    array = _numbers(name, value)
    wanted = "(B,) with B >= 1" if rows is None else f"({rows},)"
    if array.ndim != 1 or array.size == 0 or (rows is not None and array.size != rows):
        raise ValueError(f"{name} has shape {array.shape}: expected {wanted}")
    _finite(name, array, np.ones(array.shape, dtype=np.bool_))
    return array


def matrix(name: str, value: npt.ArrayLike, mask: Mask) -> Array:
    """Numbers of the mask's shape: finite where the mask holds, and 0 elsewhere, whatever stood there.

    Padding of a batch holds anything, so nothing is asked of it.
    """
    array = _numbers(name, value)
    if array.shape != mask.shape:
        raise ValueError(f"{name} has shape {array.shape}: expected the mask's, {mask.shape}")
    _finite(name, array, mask)
    return np.where(mask, array, 0.0)


def token_mask(value: npt.ArrayLike) -> Mask:
    """Which positions the policy has generated: booleans, or numbers that are 0 or 1, of shape (B, T)."""
    array = _numbers("mask", value)
    if array.ndim != 2 or array.size == 0:
        raise ValueError(f"mask has shape {array.shape}: expected (B, T) with B >= 1 and T >= 1")
    return _flags("mask", array)


def flags(name: str, value: npt.ArrayLike, rows: int | None = None) -> Mask:
    """Yes or no, one a row: booleans, or numbers that are 0 or 1."""
    return _flags(name, vector(name, value, rows))


def counts(name: str, value: npt.ArrayLike, rows: int | None = None) -> Array:
    """Whole numbers from 0, one a row."""
    array = vector(name, value, rows)
    wrong = (array < 0) | (array != np.floor(array))
    if wrong.any():
        raise ValueError(f"{name}{_place(wrong)} is {array[wrong][0]}: expected whole numbers from 0")
    return array


def shares(name: str, value: npt.ArrayLike, rows: int | None = None) -> Array:
    """Numbers in [0, 1], one a row."""
    array = vector(name, value, rows)
    wrong = (array < 0) | (array > 1)
    if wrong.any():
        raise ValueError(f"{name}{_place(wrong)} is {array[wrong][0]}: expected numbers in [0, 1]")
    return array


def log_probabilities(name: str, value: npt.ArrayLike, mask: Mask) -> Array:
    """Natural logarithms of probabilities, so at most 0 where the mask holds."""
    array = matrix(name, value, mask)
    wrong = array > 0
    if wrong.any():
        raise ValueError(
            f"{name}{_place(wrong)} is {array[wrong][0]}: expected log-probabilities, which are at most 0"
        )
    return array


def number(name: str, value: float, low: float, high: float, *, above: bool = False) -> float:
    """A number in [low, high], or in (low, high] with ``above``."""
    if not (low < value if above else low <= value) or not value <= high:
        raise ValueError(f"{name} is {value}: expected a number in {'(' if above else '['}{low:g}, {high:g}]")
    return float(value)


def _numbers(name: str, value: npt.ArrayLike) -> Array:
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name} is no array of numbers: expected one with rows of one length")
    return array.astype(np.float64)


def _flags(name: str, array: Array) -> Mask:
    wrong = (array != 0) & (array != 1)
    if wrong.any():
        raise ValueError(f"{name}{_place(wrong)} is {array[wrong][0]}: expected booleans, or 0 and 1")
    return np.asarray(array == 1)


def _finite(name: str, array: Array, where: Mask) -> None:
    with np.errstate(invalid="ignore"):
        wrong = where & ~(np.abs(array) <= LARGEST)
    if wrong.any():
        raise ValueError(
            f"{name}{_place(wrong)} is {array[wrong][0]}: "
            f"expected finite numbers of at most {LARGEST:g} in size"
        )


def _place(wrong: Mask) -> str:
    return f"[{', '.join(str(index) for index in np.argwhere(wrong)[0])}]"
