"""When the episodes of a vector environment begin and end."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


class VectorEpisodes:
    """Tells which environments begin an episode in a call, by the autoreset mode of ``env``.

    ``same_step`` says that who asks looks for a finished episode's last info in ``infos["final_info"]``.

    Raises:
        ValueError: it does not, and a finished episode's last info is replaced by the next one's first in the
            same step (``AutoresetMode.SAME_STEP``), so that there is no place for what belongs to its end.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], *, same_step: bool = False) -> None:
        mode = AutoresetMode(env.metadata.get("autoreset_mode", AutoresetMode.NEXT_STEP))
        if mode is AutoresetMode.SAME_STEP and not same_step:
            raise ValueError(
                "autoreset_mode must be DISABLED, as make_vec has it, or NEXT_STEP, not SAME_STEP"
            )
        self._next_step = mode is AutoresetMode.NEXT_STEP
        self._same_step = mode is AutoresetMode.SAME_STEP
        self._over = np.zeros(env.num_envs, dtype=np.bool_)

    def begun_by_reset(self, options: dict[str, Any] | None) -> Flags:
        """The environments that a ``reset`` with ``options`` begins anew: to be asked before, noted after."""
        mask = (options or {}).get("reset_mask")
        return np.ones_like(self._over) if mask is None else np.array(mask, dtype=np.bool_)

    def begin(self, begun: Flags) -> None:
        """Note that these have been reset."""
        self._over &= ~begun

    def begun_by_step(self) -> Flags:
        """The environments for which the next ``step`` is a reset, whatever their action."""
        return self._over.copy() if self._next_step else np.zeros_like(self._over)

    def begun_in(self, terminated: Flags, truncated: Flags) -> Flags:
        """The environments that the ``step`` which returned these has ended and begun anew at once."""
        over = np.asarray(terminated | truncated, dtype=np.bool_)
        return over if self._same_step else np.zeros_like(over)

    def end(self, terminated: Flags, truncated: Flags) -> None:
        """Note what a ``step`` returned."""
        self._over = np.asarray(terminated | truncated, dtype=np.bool_)
