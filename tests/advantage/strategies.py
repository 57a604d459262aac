"""Batches for hypothesis: small, of every shape, and with numbers that a reward may be."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from deepgym_envs.advantage.arrays import Array, Mask

REWARDS = st.floats(-10, 10).map(lambda number: round(number, 6))


@st.composite
def grouped_rewards(draw: Any, low: float = -10) -> tuple[Array, list[int]]:
    """Rewards (B,) and groups (B,), interleaved and of unequal sizes, groups of one among them."""
    size = draw(st.integers(1, 12))
    reward = st.floats(low, 10).map(lambda number: round(number, 6))
    rewards = draw(st.lists(reward, min_size=size, max_size=size))
    return np.array(rewards), draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))


@st.composite
def masks(draw: Any, *, full_rows: bool = False) -> Mask:
    """(B, T), with holes; some rows may be empty, but for ``full_rows``."""
    rows, length = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    flat = draw(st.lists(st.booleans(), min_size=rows * length, max_size=rows * length))
    mask = np.array(flat).reshape(rows, length)
    if full_rows:
        mask[:, -1] = True
    return mask


def like(draw: Any, mask: Mask, low: float, high: float) -> Array:
    """Numbers of a mask's shape."""
    numbers = st.lists(st.floats(low, high), min_size=mask.size, max_size=mask.size)
    return np.array(draw(numbers)).reshape(mask.shape)


@st.composite
def token_batches(draw: Any) -> tuple[Array, Array, Array, Mask]:
    """logp, old_logp, advantages, mask."""
    mask = draw(masks(full_rows=True))
    return like(draw, mask, -8, 0), like(draw, mask, -8, 0), like(draw, mask, -3, 3), mask
