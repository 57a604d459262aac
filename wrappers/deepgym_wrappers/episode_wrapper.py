"""Wrappers that apply rules to episodes: one rule, or one for each environment of a vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper
from gymnasium.vector.utils import iterate

from deepgym_wrappers.bounds import number
from deepgym_wrappers.episode_rule import EpisodeRule, Moment, begun, stepped
from deepgym_wrappers.vector_episodes import VectorEpisodes


class EpisodeWrapper(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Applies one rule. Subclasses call ``RecordConstructorArgs.__init__`` before this."""

    def __init__(self, env: gym.Env[Any, Any], rule: EpisodeRule) -> None:
        gym.Wrapper.__init__(self, env)
        self._rule = rule

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.Env.reset``; an episode that was not over is forgotten."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, {**info, **begun(self._rule, observation, info)}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See ``gymnasium.Env.step``.

        Raises:
            ValueError: the environment's reward, or what is made of it, is no finite number.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        paid = number("the environment's reward", reward)
        moment = Moment(action, observation, paid, bool(terminated), bool(truncated), info)
        changed, told = stepped(self._rule, moment)
        return observation, changed, terminated, truncated, {**info, **told}


class VectorEpisodeWrapper(VectorWrapper[Any, Any, Any, Any, Any], RecordConstructorArgs):
    """Applies one rule to each environment, in every autoreset mode.

    With ``SAME_STEP`` what is said of an episode's last step stands in ``infos["final_info"]``, and what is
    said of the next one's reset in ``infos``, where Gymnasium puts their own. A step that only resets
    (``NEXT_STEP``) is no step of an episode.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], rules: Sequence[EpisodeRule]) -> None:
        VectorWrapper.__init__(self, env)
        self._rules = tuple(rules)
        self._episodes = VectorEpisodes(env, same_step=True)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.vector.VectorEnv.reset``; with a ``reset_mask`` the other episodes go on."""
        resets = self._episodes.begun_by_reset(options)
        observations, infos = self.env.reset(seed=seed, options=options)
        self._episodes.begin(resets)
        seen = rows(self.env.observation_space, observations)
        for one in np.flatnonzero(resets).tolist():
            infos = self._put(infos, begun(self._rules[one], seen[one], row_of(infos, one)), one)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """See ``gymnasium.vector.VectorEnv.step``.

        Raises:
            ValueError: an environment's reward, or what is made of it, is no finite number.
        """
        resets = self._episodes.begun_by_step()
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        acted = rows(self.action_space, actions)
        seen = rows(self.env.observation_space, observations)
        changed = np.array(rewards, dtype=np.float64)
        anew = resets | self._episodes.begun_in(terminated, truncated)
        for one, rule in enumerate(self._rules):
            if not resets[one]:
                last = anew[one]
                paid = number(f"the reward of environment {one}", rewards[one])
                info = row_of(infos["final_info"], one) if last else row_of(infos, one)
                shown = infos["final_obs"][one] if last else seen[one]
                moment = Moment(acted[one], shown, paid, bool(terminated[one]), bool(truncated[one]), info)
                changed[one], told = stepped(rule, moment)
                infos = self._put(infos, {"final_info": told} if last else told, one)
            if anew[one]:
                infos = self._put(infos, begun(rule, seen[one], row_of(infos, one)), one)
        self._episodes.end(terminated, truncated)
        return observations, changed, terminated, truncated, infos

    def _put(self, infos: dict[str, Any], told: Mapping[str, Any], one: int) -> dict[str, Any]:
        return self._add_info(_roomy(infos, told), dict(told), one)


def rows(space: gym.Space[Any], values: Any) -> list[Any]:
    """The values of each environment, of batched ones; a dict need not have all keys of its space."""
    if isinstance(space, spaces.Dict) and isinstance(values, Mapping):
        columns = [rows(space[name], column) for name, column in values.items()]
        return [dict(zip(values, row, strict=True)) for row in zip(*columns, strict=True)]
    return list(iterate(space, values))


def row_of(infos: Mapping[str, Any], one: int) -> dict[str, Any]:
    """Of a vector's ``infos`` the ``info`` of environment ``one``, without that of the episode before."""
    found: dict[str, Any] = {}
    for name, values in infos.items():
        is_mask = name.startswith("_") and name[1:] in infos
        said = infos.get(f"_{name}")  # an environment that batches by itself may say something of all
        if not is_mask and name not in ("final_info", "final_obs") and (said is None or said[one]):
            found[name] = row_of(values, one) if isinstance(values, Mapping) else values[one]
    return found


def _roomy(infos: dict[str, Any], told: Mapping[str, Any]) -> dict[str, Any]:
    """``infos`` in which a float can be put beside whole numbers without being cut."""
    for name, value in told.items():
        there = infos.get(name)
        if isinstance(value, Mapping) and isinstance(there, dict):
            _roomy(there, value)
        elif isinstance(value, float) and isinstance(there, np.ndarray) and there.dtype.kind in "biu":
            infos[name] = there.astype(np.float64)
    return infos
