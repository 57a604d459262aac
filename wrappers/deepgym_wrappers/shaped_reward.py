"""Potential-based shaping of any environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_envs import SweEnv
from deepgym_envs.reward import shaping
from deepgym_wrappers.bounds import choice, number
from deepgym_wrappers.episode_rule import Info, Moment, Told
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper

StatePotential = Callable[[Any, Info], float]
"""Maps an observation and its ``info`` to [0, 1]."""
TruncationRule = Literal["zero", "bootstrap"]


@dataclass(frozen=True)
class _Settings:
    potential: StatePotential
    gamma: float
    end: TruncationRule
    beside: bool

    def __post_init__(self) -> None:
        if not callable(self.potential):
            raise ValueError(f"potential must be callable with (observation, info), not {self.potential!r}")
        number("gamma", self.gamma, "in (0, 1]", lambda value: 0 < value <= 1)
        choice("end", self.end, get_args(TruncationRule))

    def of(self, observation: Any, info: Info) -> float:
        """The potential, checked."""
        try:
            value = self.potential(observation, info)
        except Exception as error:
            error.add_note(
                "raised by the potential of ShapedReward, which maps (observation, info) to [0, 1]"
            )
            raise
        return number("the potential", value, "in [0, 1]", lambda phi: 0 <= phi <= 1)


class _Shaping:
    """Keeps the potential that was added last, for that very number is to be subtracted next."""

    term = "shaping"

    def __init__(self, settings: _Settings) -> None:
        self._settings = settings
        self._phi = 0.0

    def begin(self, observation: Any, info: Info) -> Info:
        self._refuse(_inner_potential(info))
        self._phi = self._settings.of(observation, info)
        return self._told(info)

    def step(self, moment: Moment) -> Told:
        if _is_shaped(moment.info):
            self._refuse(moment.paid("shaping"))
        before = self._phi
        if moment.masked and moment.over:
            self._phi = 0.0
            return Told(0.0, self._told(moment.info))
        ended = moment.terminated or (moment.truncated and self._settings.end == "zero")
        self._phi = 0.0 if ended else self._settings.of(moment.observation, moment.info)
        return Told(shaping(self._settings.gamma, before, self._phi), self._told(moment.info))

    def _told(self, info: Info) -> Info:
        return {"potential": _inner_potential(info) + self._phi}

    def _refuse(self, paid: float) -> None:
        if paid and not self._settings.beside:
            raise ValueError(_PAID_ALREADY)


_PAID_ALREADY = (
    "the environment pays shaping itself; make it with measure='never', or say beside=True to be paid both"
)


def _is_shaped(info: Info) -> bool:
    return "shaping" in info.get("reward_terms", {})


def _inner_potential(info: Info) -> float:
    return float(info.get("potential", 0.0)) if _is_shaped(info) else 0.0


class ShapedReward(EpisodeWrapper):
    """Adds F = gamma * phi(s') - phi(s) to each reward (Ng, Harada and Russell, ICML 1999, equation 2).

    ``potential`` maps (observation, info) to [0, 1]. It is asked once at each step: the number subtracted
    is the number that was added, so that even one that changes or flickers earns nothing (Devlin and Kudenko,
    AAMAS 2012). ``gamma`` in (0, 1] must be the discount of the learner's return. At a termination phi is 0.
    ``end`` says what it is at a truncation:

    - ``zero``: 0, right without a critic (GRPO, RLOO) and where the budget is part of the task. The
      discounted sum over any episode is -phi(s0), so no way of acting is paid for (Grzes, AAMAS 2017).
    - ``bootstrap``: phi(s'), right for a critic that puts its value of the last state in place of what was
      cut off: that of a shaped problem is lower by phi(s').

    ``info["reward_terms"]["shaping"]`` holds it, added to what stands there; ``info["potential"]`` is phi
    after the step. A masked end is paid nothing. A DeepGym environment that pays shaping itself is refused,
    as is every other that turns out to, unless ``beside`` is True.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import ListFiles, WriteFile, Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = ShapedReward(made, lambda observation, info: min(1.0, len(info["changed_files"]) / 2))
    >>> _ = env.reset(seed=1)
    >>> for action in (ListFiles(), WriteFile(path="calends/__init__.py", content=""), Submit()):
    ...     _, reward, *_, info = env.step(action.encode())
    ...     print(reward, info["potential"], info["reward_terms"])
    0.0 0.0 {'shaping': 0.0, 'terminal': 0.0}
    0.5 0.5 {'shaping': 0.5, 'terminal': 0.0}
    -0.5 0.0 {'shaping': -0.5, 'terminal': 0.0}
    >>> env.close()

    Raises:
        ValueError: an argument is out of range, or the environment pays shaping already; from ``reset`` and
            ``step`` also: the potential is no number in [0, 1].
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        potential: StatePotential,
        gamma: float = 1.0,
        end: TruncationRule = "zero",
        *,
        beside: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, potential=potential, gamma=gamma, end=end, beside=beside
        )
        settings = _Settings(potential, gamma, end, beside)
        inner = env.unwrapped
        if isinstance(inner, SweEnv) and not beside and inner.measure != "never":
            raise ValueError(_PAID_ALREADY)
        EpisodeWrapper.__init__(self, env, _Shaping(settings))


class VectorShapedReward(VectorEpisodeWrapper):
    """``ShapedReward`` for a vector environment, exact in every autoreset mode.

    An environment that pays shaping itself is refused when it does so for the first time.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorShapedReward(made, lambda observation, info: 0.25, gamma=0.5)
    >>> env.reset(seed=1)[1]["potential"].tolist()
    [0.25, 0.25]
    >>> action = made.action_space.sample()
    >>> action["tool"][:] = (1, 6)  # list_files and submit
    >>> env.step(action)[1].tolist()
    [-0.125, -0.25]
    >>> env.close()
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        potential: StatePotential,
        gamma: float = 1.0,
        end: TruncationRule = "zero",
        *,
        beside: bool = False,
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, potential=potential, gamma=gamma, end=end, beside=beside
        )
        settings = _Settings(potential, gamma, end, beside)
        VectorEpisodeWrapper.__init__(self, env, [_Shaping(settings) for _ in range(env.num_envs)])
