"""Looks for what honest work seldom does."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs

from deepgym_envs import SweEnv
from deepgym_envs.action import RunCommand
from deepgym_envs.grade import signs, signs_of_command
from deepgym_wrappers.bounds import number
from deepgym_wrappers.played_action import played


class HackScreen(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds ``info["signs"]``: all that stood out in this episode so far, as pairs of a sign and where.

    Signs are those of ``deepgym_envs.grade.signs`` in the workspace, and of ``signs_of_command`` in commands.
    They say that somebody should look; what becomes of the sample is for the trainer to decide. With
    ``penalty`` above 0 the step that ends an episode with signs loses as much reward, once, named ``signs``
    in ``info["reward_terms"]``; a masked one loses nothing. ``HackPenalty`` around it can do more.

    A screen sees what is written plainly. It is no defence: what counts is that cheats are not paid.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import WriteFile
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = HackScreen(made)
    >>> _ = env.reset(seed=1)
    >>> *_, info = env.step(WriteFile(path="calends/__init__.py", content="import gc").encode())
    >>> info["signs"]
    (('objects', 'calends/__init__.py'),)
    >>> env.close()

    Raises:
        ValueError: the penalty is no finite number of at least 0.
    """

    def __init__(self, env: gym.Env[Any, Any], penalty: float = 0.0) -> None:
        RecordConstructorArgs.__init__(self, penalty=penalty)
        gym.Wrapper.__init__(self, env)
        self._penalty = number("penalty", penalty, "at least 0", lambda x: x >= 0)
        self._seen: dict[tuple[str, str], None] = {}
        self._state = ""

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.Env.reset``; nothing stands out yet."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._seen, self._state = {}, str(info["state"])
        return observation, self._told(info, 0.0, 0.0)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See ``gymnasium.Env.step``."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        env = self.env.unwrapped
        if info["state"] != self._state and isinstance(env, SweEnv):
            self._state = str(info["state"])
            self._seen.update(dict.fromkeys(signs(env.state)))
        if info["tool"] == "run_command":
            command = played(action)
            if isinstance(command, RunCommand):
                found = signs_of_command(command.command)
                self._seen.update({(sign, "command"): None for sign in found})
        lost = self._penalty if self._seen and (terminated or truncated) and not info["masked"] else 0.0
        paid = float(reward) - lost if lost else reward
        return observation, paid, terminated, truncated, self._told(info, float(reward), lost)

    def _told(self, info: dict[str, Any], reward: float, lost: float) -> dict[str, Any]:
        told = {**info, "signs": tuple(self._seen)}
        if self._penalty:
            terms = info.get("reward_terms", {"environment": reward})
            told["reward_terms"] = {**terms, "signs": 0.0 - lost}
        return told
