"""A small price for actions that could not be carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_wrappers.bounds import number
from deepgym_wrappers.episode_rule import Info, Moment, Told
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper


class _Refusals:
    term = "format"

    def __init__(self, penalty: float, most: float) -> None:
        self._most = number("most", most, "in (0, 1), below what solving the task pays", lambda x: 0 < x < 1)
        self._penalty = number("penalty", penalty, f"in (0, most = {most}]", lambda x: 0 < x <= most)
        self._refused, self._charged = 0, 0.0

    def begin(self, _observation: Any, _info: Info) -> Info:
        self._refused, self._charged = 0, 0.0
        return {"refused_actions": 0}

    def step(self, moment: Moment) -> Told:
        price = 0.0
        if _was_refused(moment):
            self._refused += 1
            price = min(self._penalty, self._most - self._charged)
            self._charged += price
        return Told(-price if price else 0.0, {"refused_actions": self._refused})


def _was_refused(moment: Moment) -> bool:
    if moment.masked:  # then ``error`` tells what broke, which was not the agent
        return False
    shown = moment.observation
    fine = not isinstance(shown, Mapping) or bool(shown.get("ok", True))
    return bool(moment.info.get("error", "")) or not fine


class FormatReward(EpisodeWrapper):
    """Takes ``penalty`` off the reward for each refused action, and at most ``most`` in an episode.

    An action was refused if ``info["error"]`` says why, or the observation's ``ok`` is 0: text that is no
    tool call, a tool that does not exist, a place to edit that is not unique. As ``most`` is below 1, which
    is what solving pays, a clumsy episode that solves its task has a greater sum of rewards than a neat one
    that fails. ``info["reward_terms"]["format"]`` holds the price, ``info["refused_actions"]`` how many there
    were. In a step that the infrastructure failed nothing was refused.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = FormatReward(made, penalty=0.25, most=0.5)
    >>> _ = env.reset(seed=1)
    >>> [env.step("Let me think.")[1] for _ in range(3)]
    [-0.25, -0.25, 0.0]
    >>> env.close()

    Raises:
        ValueError: not 0 < penalty <= most < 1.
    """

    def __init__(self, env: gym.Env[Any, Any], penalty: float = 0.05, most: float = 0.5) -> None:
        RecordConstructorArgs.__init__(self, penalty=penalty, most=most)
        EpisodeWrapper.__init__(self, env, _Refusals(penalty, most))


class VectorFormatReward(VectorEpisodeWrapper):
    """``FormatReward`` for a vector environment.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorFormatReward(made, penalty=0.25)
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:], action["path"] = (1, 0), ("", "no such file")  # list_files and read_file
    >>> env.step(action)[1].tolist()
    [0.0, -0.25]
    >>> env.close()
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], penalty: float = 0.05, most: float = 0.5) -> None:
        RecordConstructorArgs.__init__(self, penalty=penalty, most=most)
        VectorEpisodeWrapper.__init__(self, env, [_Refusals(penalty, most) for _ in range(env.num_envs)])
