"""A price for episodes that are too long, which begins softly."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeAlias, get_args

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_wrappers.bounds import choice, number
from deepgym_wrappers.episode_rule import Info, Moment, Told
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper

Unit = Literal["steps", "characters", "tokens"]
Length: TypeAlias = Unit | Callable[[Any, Info], float]
"""How long a step's action is: a unit, or a function of (action, info)."""


def overlong(length: float, longest: float, band: float) -> float:
    """DAPO's soft overlong punishment (arXiv 2503.14476) of an episode of ``length``, in [-1, 0].

    0 up to ``longest - band``, then linearly down to -1 at ``longest``, and -1 above.

    >>> [overlong(length, longest=100, band=20) for length in (80, 90, 100, 500)]
    [0.0, -0.5, -1.0, -1.0]
    """
    return -min(1.0, max(0.0, (length - (longest - band)) / band)) or 0.0


class _Overlong:
    term = "overlong"

    def __init__(self, longest: float, band: float, length: Length) -> None:
        self._longest = number("longest", longest, "above 0", lambda x: x > 0)
        self._band = number("band", band, f"in (0, longest = {longest}]", lambda x: 0 < x <= longest)
        if not callable(length):
            choice("length, where it is no function of (action, info),", length, get_args(Unit))
        self._length_of = length
        self._length = 0.0

    def begin(self, _observation: Any, _info: Info) -> Info:
        self._length = 0.0
        return {"length": 0.0}

    def step(self, moment: Moment) -> Told:
        added = _length_of(moment, self._length_of)
        self._length += number("the length of an action", added, "at least 0", lambda x: x >= 0)
        judged = moment.over and not moment.masked
        price = overlong(self._length, self._longest, self._band) if judged else 0.0
        return Told(price, {"length": self._length})


def _length_of(moment: Moment, length: Length) -> Any:
    if callable(length):
        return length(moment.action, moment.info)
    if length == "steps":
        return 1
    return _characters(moment.action) if length == "characters" else _tokens(moment.info)


def _characters(action: Any) -> int:
    if isinstance(action, str):
        return len(action)
    return sum(map(_characters, action.values())) if isinstance(action, Mapping) else 0


def _tokens(info: Info) -> Any:
    found = info.get("tokens", info.get("kl", {}).get("tokens"))
    if found is None:
        raise ValueError("there is no info['tokens'], nor that of KLLogging; count steps or characters")
    return found


class OverlongPenalty(EpisodeWrapper):
    """Takes up to 1 off the last reward of an episode whose actions were too long.

    DAPO's soft overlong punishment (arXiv 2503.14476): nothing up to ``longest - band``, from there linearly
    down to -1 at ``longest`` and above. ``length`` counts what the agent did: ``steps``, ``characters`` (of
    all texts in the actions), ``tokens`` (``info["tokens"]``, or those that ``KLLogging`` inside this one
    counts), or a function of (action, info) that says how long an action is. ``info["length"]`` is the sum so
    far, ``info["reward_terms"]["overlong"]`` the price. Masked episodes pay nothing.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import ListFiles, Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = OverlongPenalty(made, longest=4, band=2)
    >>> _ = env.reset(seed=1)
    >>> for action in (ListFiles(), ListFiles(), Submit()):
    ...     _, reward, *_, info = env.step(action.encode())
    ...     print(info["length"], reward)
    1.0 0.0
    2.0 0.0
    3.0 -0.5
    >>> env.close()

    Raises:
        ValueError: not 0 < band <= longest, or the unit is unknown; from ``step`` also: a length is no number
            of at least 0, or there are no tokens.
    """

    def __init__(self, env: gym.Env[Any, Any], longest: float, band: float, length: Length = "steps") -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, longest=longest, band=band, length=length
        )
        EpisodeWrapper.__init__(self, env, _Overlong(longest, band, length))


class VectorOverlongPenalty(VectorEpisodeWrapper):
    """``OverlongPenalty`` for a vector environment.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorOverlongPenalty(made, 8, 4, length=lambda action, info: len(action["command"]))
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:], action["command"] = 6, ("1234", "123456")  # submit
    >>> env.step(action)[1].tolist()
    [0.0, -0.5]
    >>> env.close()
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], longest: float, band: float, length: Length = "steps"
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, longest=longest, band=band, length=length
        )
        VectorEpisodeWrapper.__init__(
            self, env, [_Overlong(longest, band, length) for _ in range(env.num_envs)]
        )
