"""How old the policy is that a sample was made with."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Literal, get_args

import gymnasium as gym
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv

from deepgym_wrappers.bounds import choice
from deepgym_wrappers.episode_rule import Info, Moment, Told, masked_for
from deepgym_wrappers.episode_wrapper import EpisodeWrapper, VectorEpisodeWrapper

StalenessMode = Literal["mask", "log"]
Versions = Callable[[], int]
"""Gives the version of the policy at this moment."""


class _Clock:
    """The version that was set last, or what a function says."""

    def __init__(self, current: Versions | None) -> None:
        if current is not None and not callable(current):
            raise ValueError(f"current_version must be callable without arguments, not {current!r}")
        self._current = current
        self._set = 0

    def __call__(self) -> int:
        return self._set if self._current is None else _version(self._current())

    def set(self, version: int) -> None:
        if self._current is not None:
            raise ValueError("the version comes from current_version; without that it can be set")
        self._set = _version(version)


class _Age:
    term = ""

    def __init__(self, limit: int, clock: _Clock, mode: StalenessMode) -> None:
        choice("mode", mode, get_args(StalenessMode))
        self._limit = _version(limit, "limit")
        self._clock, self._mask = clock, mode == "mask"
        self._start = self._oldest = self._newest = 0

    def begin(self, _observation: Any, info: Info) -> Info:
        self._start = self._oldest = self._newest = self._clock()
        return self._told(info, self._start)

    def step(self, moment: Moment) -> Told:
        end = self._clock()
        self._oldest, self._newest = min(self._oldest, end), max(self._newest, end)
        return Told(0.0, self._told(moment.info, end))

    def _told(self, info: Info, end: int) -> Info:
        age = self._newest - self._oldest
        over = age > self._limit
        reason = f"the policy is {age} versions old, more than {self._limit}" if over and self._mask else ""
        policy = {"version_start": self._start, "version_end": end, "age": age, "stale": over}
        return {"policy": policy, **masked_for(info, reason)}


def _version(value: Any, name: str = "a policy's version") -> int:
    try:
        found = operator.index(value)
    except TypeError:
        found = -1
    if found < 0 or isinstance(value, bool):
        raise ValueError(f"{name} must be a whole number of at least 0, not {repr(value)[:80]}")
    return found


class StalenessGuard(EpisodeWrapper):
    """Adds ``info["policy"]``: the policy's version when the episode began and at this step, and its age.

    A learner that does not wait for its episodes gets new weights while one is played.
    ``current_version`` gives the version that the learner has reached, a whole number; without it, tell by
    ``set_version`` (0 until then). It is asked once the reset or the step is done, so ``version_end`` of an
    episode's last step is the version at its end. ``age`` is the greatest version seen in the episode minus
    the least, so going back to an older checkpoint makes a sample no younger. Above ``limit`` the step is
    ``stale``, and so is all that follows of the episode; with ``mode="mask"``
    ``info["masked"]`` is then True and ``info["mask_reason"]`` says why, with ``log`` nothing else changes.

    A sample grows older while it waits in a buffer: compare ``version_start`` with the learner's then.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import ListFiles
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = StalenessGuard(made, limit=1)
    >>> env.set_version(7)
    >>> _ = env.reset(seed=1)
    >>> env.set_version(9)
    >>> *_, info = env.step(ListFiles().encode())
    >>> info["policy"], info["mask_reason"]
    ({'version_start': 7, 'version_end': 9, 'age': 2, 'stale': True}, 'the policy is 2 versions old, ...')
    >>> env.close()

    Raises:
        ValueError: the limit or a version is no whole number of at least 0, or the mode is unknown.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        limit: int,
        current_version: Versions | None = None,
        mode: StalenessMode = "mask",
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, limit=limit, current_version=current_version, mode=mode
        )
        self._clock = _Clock(current_version)
        EpisodeWrapper.__init__(self, env, _Age(limit, self._clock, mode))

    def set_version(self, version: int) -> None:
        """The learner has reached ``version``; may be called from its thread at any time.

        Raises:
            ValueError: it is no whole number of at least 0, or ``current_version`` tells it already.
        """
        self._clock.set(version)


class VectorStalenessGuard(VectorEpisodeWrapper):
    """``StalenessGuard`` for a vector environment: one version for all.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> versions = iter([3, 3, 4, 5])
    >>> env = VectorStalenessGuard(made, limit=1, current_version=lambda: next(versions))
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:] = 1  # list_files
    >>> env.step(action)[4]["policy"]["age"].tolist()
    [1, 2]
    >>> env.close()
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        limit: int,
        current_version: Versions | None = None,
        mode: StalenessMode = "mask",
    ) -> None:
        RecordConstructorArgs.__init__(
            self, _disable_deepcopy=True, limit=limit, current_version=current_version, mode=mode
        )
        self._clock = _Clock(current_version)
        VectorEpisodeWrapper.__init__(
            self, env, [_Age(limit, self._clock, mode) for _ in range(env.num_envs)]
        )

    def set_version(self, version: int) -> None:
        """See ``StalenessGuard.set_version``."""
        self._clock.set(version)
