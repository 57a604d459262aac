"""Clipped advantages of finished episodes."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper

from deepgym_wrappers.advantages import NOT_READY, AdvantageRule, Clipped, Finished, advantages_of
from deepgym_wrappers.sinks import MetricSink, send
from deepgym_wrappers.vector_episodes import VectorEpisodes


class AdvantageMeter:
    """Collects rewards of episodes that are played side by side, and makes advantages of what is complete.

    ``labels`` has one for each environment: the n-th finished episodes of all with one label are a group.
    Masked episodes have no advantages and take part in no baseline.
    """

    def __init__(self, rule: AdvantageRule, labels: Sequence[Hashable], sinks: Sequence[MetricSink]) -> None:
        self._rule = rule
        self._sinks = tuple(sinks)
        self._rewards: list[list[float]] = [[] for _ in labels]
        self._waiting: list[deque[list[float] | None]] = [deque() for _ in labels]
        self._groups: dict[Hashable, list[int]] = defaultdict(list)
        for number, label in enumerate(labels):
            self._groups[label].append(number)
        self._before = Finished()
        self._sent = 0

    def begin(self, number: int) -> None:
        """Forget what an episode has so far."""
        self._rewards[number] = []

    def forget(self) -> None:
        """Forget the finished episodes that wait for others of their group."""
        for queue in self._waiting:
            queue.clear()

    def add(self, number: int, reward: float) -> None:
        """A step's reward."""
        self._rewards[number].append(reward)

    def end(self, number: int, *, masked: bool) -> None:
        """The episode is over."""
        self._waiting[number].append(None if masked else self._rewards[number])
        self._rewards[number] = []

    def complete(self) -> Mapping[int, Clipped]:
        """The advantages of what has become complete, by the number of its environment; logs them.

        Raises:
            ValueError: a reward is not finite.
        """
        found: dict[int, Clipped] = {}
        for members in self._groups.values():
            if all(self._waiting[number] for number in members):
                played = [(number, self._waiting[number].popleft()) for number in members]
                judged = {number: rewards for number, rewards in played if rewards is not None}
                made = advantages_of(list(judged.values()), self._rule, self._before)
                found.update(zip(judged, made, strict=True))
        for clipped in found.values():
            self._before = self._before.added(clipped.returns[0])
        if found:
            self._sent += 1
            send(self._sinks, _metrics(list(found.values())), self._sent)
        return found


class AdvantageClip(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds ``info["advantages"]``: clipped advantages of the episode, in the step that ends it.

    ``steps`` has one for each step of the episode, ``episode`` that of all of it; ``returns``, ``baseline``
    and ``scale`` are what they follow from, ``clip_frac`` is the share of the steps that were clipped. Before
    the end, and for a masked episode, ``ready`` is False and the rest says nothing. Rewards stay as they are.
    ``sinks`` get ``advantages/clip_frac``, ``advantages/mean``, ``advantages/std``, ``advantages/min`` and
    ``advantages/max`` over the steps of each finished episode.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import ListFiles, Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = AdvantageClip(gym.wrappers.TransformReward(made, lambda r: r - 3), AdvantageRule((-5, 5)))
    >>> _ = env.reset(seed=1)
    >>> env.step(ListFiles().encode())[4]["advantages"]["ready"]
    False
    >>> told = env.step(Submit().encode())[4]["advantages"]
    >>> told["returns"], told["steps"], told["episode"], told["clip_frac"]
    ((-6.0, -3.0), (-5.0, -3.0), -5.0, 0.5)
    >>> env.close()

    Raises:
        ValueError: the baseline is a group's mean: see ``VectorAdvantageClip``.
    """

    def __init__(
        self, env: gym.Env[Any, Any], rule: AdvantageRule | None = None, sinks: Sequence[MetricSink] = ()
    ) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, rule=rule, sinks=sinks)
        gym.Wrapper.__init__(self, env)
        rule = rule or AdvantageRule()
        if rule.baseline == "group_mean":
            raise ValueError("a group's mean needs several environments: use VectorAdvantageClip")
        self._meter = AdvantageMeter(rule, (0,), sinks)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.Env.reset``; an episode that was not over is forgotten."""
        observation, info = self.env.reset(seed=seed, options=options)
        self._meter.begin(0)
        return observation, {**info, "advantages": dict(NOT_READY)}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See ``gymnasium.Env.step``.

        Raises:
            ValueError: the episode is over, and one of its rewards is not finite.
        """
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._meter.add(0, float(reward))
        told = NOT_READY
        if terminated or truncated:
            self._meter.end(0, masked=bool(info.get("masked", False)))
            done = self._meter.complete()
            told = done[0].info() if done else NOT_READY
        return observation, reward, terminated, truncated, {**info, "advantages": dict(told)}


class VectorAdvantageClip(VectorWrapper[Any, Any, Any, Any, Any], RecordConstructorArgs):
    """``AdvantageClip`` for a vector environment, with the group's mean as a baseline if wanted.

    With ``baseline="group_mean"``, ``groups`` has a label for each environment, such as its task. The n-th
    finished episodes of all environments of one label are a group; its advantages stand in the ``infos`` of
    the step in which the last of them ended, at each environment of the group, whatever it plays by then.
    Masked episodes are left out of the group. A reset of all environments forgets what waits for others.

    >>> import numpy as np
    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.action import Submit
    >>> from deepgym_envs.testing import FakeBackend
    >>> from gymnasium.wrappers.vector import TransformReward
    >>> tasks = load_suite("starter")[:2]
    >>> made = make_vec(tasks, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> rule = AdvantageRule(clip=(-0.5, 0.5), baseline="group_mean")
    >>> env = VectorAdvantageClip(TransformReward(made, lambda r: r + [2, 0]), rule, groups=("a", "a"))
    >>> _ = env.reset(seed=1)
    >>> action = made.action_space.sample()
    >>> action["tool"][:] = Submit().encode()["tool"]
    >>> *_, infos = env.step(action)
    >>> infos["advantages"]["episode"].tolist(), infos["advantages"]["clip_frac"].tolist()
    ([0.5, -0.5], [1.0, 1.0])
    >>> env.close()

    Raises:
        ValueError: there is not one label for each environment, or the environments' autoreset mode is
            ``SAME_STEP``.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        rule: AdvantageRule | None = None,
        groups: Sequence[Hashable] = (),
        sinks: Sequence[MetricSink] = (),
    ) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, rule=rule, groups=groups, sinks=sinks)
        VectorWrapper.__init__(self, env)
        rule = rule or AdvantageRule()
        labels = groups if rule.baseline == "group_mean" else range(env.num_envs)
        if len(labels) != env.num_envs:
            raise ValueError(f"groups must label each of {env.num_envs} environments, not {len(labels)}")
        self._meter = AdvantageMeter(rule, labels, sinks)
        self._episodes = VectorEpisodes(env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.vector.VectorEnv.reset``; episodes that were not over are forgotten."""
        begun = self._episodes.begun_by_reset(options)
        observations, infos = self.env.reset(seed=seed, options=options)
        self._episodes.begin(begun)
        if begun.all():
            self._meter.forget()
        for number in np.flatnonzero(begun).tolist():
            self._meter.begin(number)
            infos = self._add_info(infos, {"advantages": dict(NOT_READY)}, number)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """See ``gymnasium.vector.VectorEnv.step``.

        Raises:
            ValueError: a group is complete, and one of its rewards is not finite.
        """
        begun = self._episodes.begun_by_step()
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        masked = infos.get("masked", np.zeros(self.num_envs, dtype=np.bool_))
        for number in np.flatnonzero(~begun).tolist():
            self._meter.add(number, float(rewards[number]))
            if terminated[number] or truncated[number]:
                self._meter.end(number, masked=bool(masked[number]))
        self._episodes.end(terminated, truncated)
        done = self._meter.complete()
        for number in range(self.num_envs):
            told = done[number].info() if number in done else NOT_READY
            infos = self._add_info(infos, {"advantages": dict(told)}, number)
        return observations, rewards, terminated, truncated, infos


def _metrics(made: Sequence[Clipped]) -> dict[str, float]:
    steps = np.concatenate([one.steps for one in made])
    clipped = sum(one.clip_frac * len(one.steps) for one in made)
    return {
        "advantages/clip_frac": clipped / len(steps),
        "advantages/mean": float(steps.mean()),
        "advantages/std": float(steps.std()),
        "advantages/min": float(steps.min()),
        "advantages/max": float(steps.max()),
    }
