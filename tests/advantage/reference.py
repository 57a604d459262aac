"""What other libraries make of one batch: tests/fixtures/make_advantages.py has written it down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from deepgym_envs.advantage.arrays import Array

TOLERANCE = 1e-6
REFERENCE: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "fixtures" / "advantages.json").read_text(encoding="utf-8")
)
SETTINGS: dict[str, float] = REFERENCE["settings"]


def given(name: str) -> Array:
    """An input of the batch."""
    return np.array(REFERENCE["inputs"][name], dtype=np.float64)


def groups() -> list[int]:
    found: list[int] = REFERENCE["inputs"]["groups"]
    return found


def furthest(ours: Array, theirs: Any) -> float:
    """The greatest distance between two arrays of one shape."""
    other = np.array(theirs, dtype=np.float64)
    assert ours.shape == other.shape
    return float(np.abs(ours - other).max())
