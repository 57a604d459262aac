"""Dense rewards that count only in episodes that come to something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_wrappers.bounds import number
from deepgym_wrappers.episode_rule import Info, Moment, Told
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper


class _Gate:
    """Withholds what is low until it is known whether what is high suffices."""

    term = "gate"

    def __init__(self, threshold: float, high: Sequence[str], gamma: float) -> None:
        self._threshold = number("threshold", threshold)
        self._gamma = number("gamma", gamma, "in (0, 1]", lambda value: 0 < value <= 1)
        if isinstance(high, str) or not high or not all(isinstance(name, str) for name in high):
            raise ValueError(f"high must be names of reward terms, such as ('terminal',), not {high!r}")
        self._high = tuple(high)
        self._earned = self._withheld = 0.0

    def begin(self, observation: Any, info: Info) -> Info:
        self._earned = self._withheld = 0.0
        first = Moment(None, observation, 0.0, terminated=False, truncated=False, info=info)
        for name in self._high:  # so that a name that is not there is told before an episode is played
            first.paid(name)
        return self._told(is_open=False)

    def step(self, moment: Moment) -> Told:
        high = sum(moment.paid(name) for name in self._high)
        low = moment.reward - high
        self._earned += high
        # Discounted back from here, so that what is paid now is worth what it was worth then.
        self._withheld = self._withheld / self._gamma + low
        is_open = moment.over and not moment.masked and self._earned >= self._threshold
        due = self._withheld if is_open else 0.0
        return Told(due - low, self._told(is_open=is_open))

    def _told(self, *, is_open: bool) -> Info:
        return {"gate": {"open": is_open, "withheld": 0.0 if is_open else self._withheld}}


class GatedReward(EpisodeWrapper):
    """Pays low-level rewards only if the high-level one is enough: r_high + r_low * 1[r_high >= delta].

    This is G-RA (arXiv 2508.10548), for episodes whose high-level reward comes at the end. ``high`` names the
    terms of ``info["reward_terms"]`` that are high; all else is low. Where an environment names no terms, the
    reward of the step that ends the episode is ``terminal``. ``threshold`` is delta, compared with the sum of
    the episode's high-level rewards.

    The gate cannot open before the episode ends. Until then low rewards are withheld; in the last step all of
    them are paid in one sum, or none. With the learner's discount as ``gamma`` in (0, 1] the sum is that of
    gamma^(t - T) r_low(t), so that the discounted return is that of the formula.
    ``info["reward_terms"]["gate"]`` holds what is taken away and given back, ``info["gate"]`` whether it is
    ``open`` and how much is ``withheld``. A masked episode's low rewards are not paid.

    It is for sums of step rewards that could be farmed. It is not potential-based: what is withheld from
    failures changes what is best. Shaping needs no gate, and behind one it no longer helps failed episodes.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import ListFiles, Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> from deepgym_wrappers import FormatReward
    >>> env = GatedReward(FormatReward(made, penalty=0.25))
    >>> _ = env.reset(seed=1)
    >>> for action in ({"tool": "no such tool"}, Submit().encode()):
    ...     _, reward, *_, info = env.step(action)
    ...     print(reward, info["gate"], info["reward_terms"])
    0.0 {'open': False, 'withheld': -0.25} {'shaping': 0.0, 'terminal': 0.0, 'format': -0.25, 'gate': 0.25}
    0.0 {'open': False, 'withheld': -0.25} {'shaping': 0.0, 'terminal': 0.0, 'format': 0.0, 'gate': 0.0}
    >>> env.close()

    Raises:
        ValueError: an argument is out of range; from ``reset`` and ``step`` also: there is no such term.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        threshold: float = 1.0,
        high: Sequence[str] = ("terminal",),
        gamma: float = 1.0,
    ) -> None:
        RecordConstructorArgs.__init__(self, threshold=threshold, high=high, gamma=gamma)
        EpisodeWrapper.__init__(self, env, _Gate(threshold, high, gamma))


class VectorGatedReward(VectorEpisodeWrapper):
    """``GatedReward`` for a vector environment.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorGatedReward(made, threshold=0.0)
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:] = (1, 6)  # list_files and submit
    >>> env.step(action)[4]["gate"]["open"].tolist()
    [False, True]
    >>> env.close()
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        threshold: float = 1.0,
        high: Sequence[str] = ("terminal",),
        gamma: float = 1.0,
    ) -> None:
        RecordConstructorArgs.__init__(self, threshold=threshold, high=high, gamma=gamma)
        VectorEpisodeWrapper.__init__(self, env, [_Gate(threshold, high, gamma) for _ in range(env.num_envs)])
