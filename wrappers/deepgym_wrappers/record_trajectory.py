"""Every finished episode, written down."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from deepgym_envs import SweEnv
from deepgym_envs.rollout import Record
from deepgym_envs.trajectory import Trajectory
from deepgym_wrappers.atif import atif_of
from deepgym_wrappers.played_action import played
from deepgym_wrappers.trajectory_file import append_trajectory


class RecordTrajectory(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Appends each finished episode to ``episodes.jsonl`` in ``folder``, as a ``Trajectory`` on one line.

    Put it outermost: it writes down the rewards, terms and masks that it sees. Any number of environments,
    threads and processes may share a folder; ``index`` numbers the lines, and a writer that is killed leaves
    no half of a line for the next (``read_trajectories`` reads them back). ``agent`` names who plays.
    ``seed`` is what ``reset`` was given, -1 for none. An action that could not be read has no tool, and its
    text as argument. With ``atif`` the episode also appears as ``atif/<index>.json``, whole, after its line.
    Episodes that are cut short by a reset are not written.

    In a vector put it around each environment, not around the vector: there it is right in every autoreset
    mode. It changes neither rewards nor ``info``.

    >>> import gymnasium as gym, deepgym_envs, tempfile
    >>> from deepgym_envs.action import Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> from deepgym_wrappers import read_trajectories
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     env = RecordTrajectory(made, folder, "example")
    ...     _ = env.reset(seed=1)
    ...     _ = env.step(Submit().encode())
    ...     [(done.agent, done.index, done.steps[0].tool) for done in read_trajectories(folder)]
    [('example', 0, 'submit')]
    >>> env.close()

    Raises:
        TypeError: there is no ``SweEnv`` inside.
        OSError: from ``step``: the episode is over, and cannot be written.
        ValueError: from ``step``: a number of the episode is not finite, or the file is another's.
    """

    def __init__(
        self, env: gym.Env[Any, Any], folder: str | Path, agent: str = "policy", *, atif: bool = False
    ) -> None:
        RecordConstructorArgs.__init__(self, folder=folder, agent=agent, atif=atif)
        gym.Wrapper.__init__(self, env)
        inner = env.unwrapped
        if not isinstance(inner, SweEnv):
            raise TypeError(f"a trajectory is of a SweEnv, wrapped or not; this is {inner!r}")
        self._inner = inner
        self._folder, self._agent, self._atif = Path(folder), agent, atif
        self._record: Record | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.Env.reset``."""
        observation, info = self.env.reset(seed=seed, options=options)
        number = -1 if seed is None else seed
        self._record = Record(self._inner.task, self._agent, self._inner.sandbox, seed=number, index=0)
        self._record.begin(observation, info)
        return observation, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See ``gymnasium.Env.step``; writes the episode if it is over."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        record = self._record
        if record is not None:
            record.add(played(action), observation, reward, terminated, truncated, info)
            if terminated or truncated:
                self._record = None
                done = record.ended(self._inner.state, self._inner.verdict)
                self._write(replace(done, error=done.error or str(info.get("mask_reason", ""))))
        return observation, reward, terminated, truncated, info

    def _write(self, trajectory: Trajectory) -> None:
        written = append_trajectory(self._folder, trajectory)
        if self._atif:
            place = self._folder / "atif" / f"{written.index:06d}.json"
            place.parent.mkdir(exist_ok=True)
            scratch = place.with_suffix(f".{os.getpid()}.new")
            try:
                scratch.write_text(json.dumps(atif_of(written), allow_nan=False), encoding="ascii")
                scratch.replace(place)
            finally:
                scratch.unlink(missing_ok=True)
