"""A reward for knowing whether one is right."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_wrappers.bounds import number
from deepgym_wrappers.episode_rule import Info, Moment, Told
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper

LOWEST = -1.0
"""The reward of an episode that was judged and had no confidence: what a sure and wrong one gets."""
_NEEDED = ("judged", "passed", "confidence")


class _Brier:
    term = "confidence"

    def begin(self, _observation: Any, info: Info) -> Info:
        _needs(info)
        return {}

    def step(self, moment: Moment) -> Told:
        _needs(moment.info)
        if not moment.over or moment.masked or not moment.info["judged"]:
            return Told()
        given = number(
            "info['confidence']",
            moment.info["confidence"],
            "in [0, 1], or below 0 for none",
            lambda q: q <= 1,
        )
        correct = float(bool(moment.info["passed"]))
        if given < 0:
            return Told(LOWEST - correct)
        return Told(-((given - correct) ** 2))


def _needs(info: Info) -> None:
    missing = [name for name in _NEEDED if name not in info]
    if missing:
        raise ValueError(f"ConfidenceReward needs info[{missing[0]!r}], as a DeepGym environment has it")


class ConfidenceReward(EpisodeWrapper):
    """Makes the reward of an episode R = 1[correct] - (q - 1[correct])^2, in [-1, 1].

    This is RLCR (arXiv 2507.16806), with Brier's score: a policy that is right with probability p expects
    most, p^2, for q = p, and more the greater p is. q in [0, 1] is ``info["confidence"]``, which comes with
    the action that submits, so it is fixed before anything is judged. 1[correct] is ``info["passed"]``; the
    environment pays it (``terminal``), this adds the rest in the step that ends the episode, as
    ``info["reward_terms"]["confidence"]``. Without a q (below 0: none was given, or the budget ran out) R is
    -1, whether the work was right or not, or else saying nothing would be the safest.

    An episode that was not judged, or is masked, is left as it is.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = ConfidenceReward(made)
    >>> for said in (Submit(confidence=0.0), Submit(confidence=0.5), Submit()):
    ...     _ = env.reset(seed=1)
    ...     print(env.step(said.encode())[1])
    0.0
    -0.25
    -1.0
    >>> env.close()

    Raises:
        ValueError: from ``reset`` and ``step``: ``info`` lacks ``judged``, ``passed`` or ``confidence``, or
        the
            latter is NaN, infinite or above 1.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        EpisodeWrapper.__init__(self, env, _Brier())


class VectorConfidenceReward(VectorEpisodeWrapper):
    """``ConfidenceReward`` for a vector environment.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorConfidenceReward(made)
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:], action["confidence"][:] = 6, (0.5, -1)  # submit
    >>> env.step(action)[1].tolist()
    [-0.25, -1.0]
    >>> env.close()
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        RecordConstructorArgs.__init__(self)
        VectorEpisodeWrapper.__init__(self, env, [_Brier() for _ in range(env.num_envs)])
