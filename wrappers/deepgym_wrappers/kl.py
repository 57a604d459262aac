"""How far the policy that acts is from its reference, at each token, step and episode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import VectorEnv, VectorWrapper

from deepgym_wrappers.kl_meter import KLMeter, KLSettings, Measured
from deepgym_wrappers.log_prob_space import TOKEN_KEYS, LogProbSpace
from deepgym_wrappers.sinks import MetricSink
from deepgym_wrappers.vector_episodes import VectorEpisodes


class KLLogging(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Adds ``info["kl"]``: estimates of KL(policy || reference), in nats.

    An action is ``{"action": ..., "logp_policy": ..., "logp_reference": ...}``: the environment's own, and
    the log-probabilities of the tokens that it was written with, of shape (tokens,), by the policy and by its
    reference. ``mask``, of the same shape, may say which tokens the policy chose. They travel with the
    action, because then no wrapper, thread or vector can pair them with another one; an action that no policy
    chose has empty ones. What does not fit raises ``ValueError`` before the environment has stepped.

    ``info["kl"]`` has ``reverse`` (the usual direction) and ``forward``, each with ``token``, ``step`` and
    ``episode``, each with ``k1``, ``k2``, ``k3`` and ``abs``: a tuple for the tokens that count, else sums.
    Beside them stand ``tokens``, ``episode_tokens``, ``coefficient``, ``penalty`` and ``alarm`` (the episode
    is over its budget). With a penalty ``info["reward_terms"]`` names it ``kl``, and still sums to the
    reward.

    ``sinks`` get each finished episode's sums as ``kl`` (of the charged estimator), ``kl/k1``, ``kl/k2``,
    ``kl/k3``, ``kl/abs``, ``kl/forward/...``, ``kl/per_token`` (what GRPO trainers call ``kl``), ``kl/coef``,
    ``kl/penalty``, ``kl/alarm``, ``kl/tokens`` and ``kl/steps``; the step is the number of episodes finished.
    Episodes that are masked or cut short by a reset are not logged.

    >>> import gymnasium as gym, deepgym_envs
    >>> from deepgym_envs.action import ListFiles
    >>> from deepgym_envs.kl import FixedCoefficient
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = deepgym_envs.load_suite("starter")[0]
    >>> made = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=FakeBackend(), measure="never")
    >>> env = KLLogging(made, KLSettings(penalty=True, coefficient=FixedCoefficient(0.1)))
    >>> _ = env.reset(seed=1)
    >>> _, reward, *_, info = env.step(
    ...     {"action": ListFiles().encode(), "logp_policy": [-1.0, -0.5], "logp_reference": [-2.0, -1.0]}
    ... )
    >>> info["kl"]["reverse"]["token"]["k1"], info["kl"]["reverse"]["step"]["k1"]
    ((1.0, 0.5), 1.5)
    >>> round(reward, 6), info["reward_terms"]
    (-0.15, {'shaping': 0.0, 'terminal': 0.0, 'kl': -0.15000000000000002})
    >>> env.close()
    """

    def __init__(
        self, env: gym.Env[Any, Any], settings: KLSettings | None = None, sinks: Sequence[MetricSink] = ()
    ) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, settings=settings, sinks=sinks)
        gym.Wrapper.__init__(self, env)
        self.action_space = LogProbSpace(env.action_space)
        self._meter = KLMeter(settings or KLSettings(), sinks, episodes=1)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.Env.reset``; nothing has been measured yet."""
        observation, info = self.env.reset(seed=seed, options=options)
        return observation, self._told(info, self._meter.begin(0), 0.0, 0.0)

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """See ``gymnasium.Env.step``.

        Raises:
            ValueError: the action lacks log-probabilities, or they do not fit together.
        """
        measured = self._meter.measure(*_log_probs(action))
        observation, reward, terminated, truncated, info = self.env.step(action["action"])
        masked = bool(info.get("masked", False))
        penalty, told = self._meter.count(0, measured, masked=masked)
        if terminated or truncated:
            self._meter.end(0, masked=masked)
        info = self._told(info, told, float(reward), penalty)
        return observation, float(reward) - penalty, terminated, truncated, info

    def _told(
        self, info: dict[str, Any], told: dict[str, Any], reward: float, penalty: float
    ) -> dict[str, Any]:
        if not self._meter.settings.penalty:
            return {**info, "kl": told}
        terms = info.get("reward_terms", {"environment": reward})
        return {**info, "kl": told, "reward_terms": {**terms, "kl": 0.0 - penalty}}


class VectorKLLogging(VectorWrapper[Any, Any, Any, Any, Any], RecordConstructorArgs):
    """``KLLogging`` for a vector environment: one budget each, one coefficient for all.

    An action holds the batched ``action``, and of ``logp_policy``, ``logp_reference`` and ``mask`` one row
    for each environment: arrays of different lengths, or one of the shape (environments, tokens) with a mask.
    ``infos["kl"]`` has the keys of ``KLLogging``, with an array over the environments at each. All is checked
    before any environment steps. What belongs to an environment that is only reset by a step is not counted.

    >>> from deepgym_envs import load_suite, make_vec
    >>> from deepgym_envs.testing import FakeBackend
    >>> task = load_suite("starter")[0]
    >>> made = make_vec(task, 2, sandbox=FakeBackend(), vectorization_mode="sync", measure="never")
    >>> env = VectorKLLogging(made)
    >>> _ = env.reset(seed=1)
    >>> _ = made.action_space.seed(1)
    >>> action = made.action_space.sample()
    >>> policy, reference = [[-1.0], [-1.0, -2.0]], [[-1.5], [-1.0, -3.0]]
    >>> *_, infos = env.step({"action": action, "logp_policy": policy, "logp_reference": reference})
    >>> infos["kl"]["reverse"]["step"]["k1"].tolist(), infos["kl"]["tokens"].tolist()
    ([0.5, 1.0], [1, 2])
    >>> env.close()

    Raises:
        ValueError: the environments' autoreset mode is ``SAME_STEP``.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        settings: KLSettings | None = None,
        sinks: Sequence[MetricSink] = (),
    ) -> None:
        RecordConstructorArgs.__init__(self, _disable_deepcopy=True, settings=settings, sinks=sinks)
        VectorWrapper.__init__(self, env)
        self.action_space = LogProbSpace(env.action_space, env.num_envs)
        self.single_action_space = LogProbSpace(env.single_action_space)
        self._meter = KLMeter(settings or KLSettings(), sinks, env.num_envs)
        self._episodes = VectorEpisodes(env)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See ``gymnasium.vector.VectorEnv.reset``; with a ``reset_mask`` the other episodes go on."""
        begun = self._episodes.begun_by_reset(options)
        observations, infos = self.env.reset(seed=seed, options=options)
        self._episodes.begin(begun)
        named = "reward_terms" in infos
        for number in np.flatnonzero(begun).tolist():
            terms = {"kl": 0.0} if named else {"environment": 0.0, "kl": 0.0}
            infos = self._told(infos, number, self._meter.begin(number), terms)
        return observations, infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """See ``gymnasium.vector.VectorEnv.step``.

        Raises:
            ValueError: an action lacks log-probabilities, or they do not fit together.
        """
        rows = self._measured(actions)
        begun = self._episodes.begun_by_step()
        observations, rewards, terminated, truncated, infos = self.env.step(actions["action"])
        masked = np.asarray(infos.get("masked", np.zeros(self.num_envs)), dtype=np.bool_)
        named = "reward_terms" in infos
        lowered = np.array(rewards, dtype=np.float64)
        for number, measured in enumerate(rows):
            penalty = 0.0
            if begun[number]:
                told = self._meter.begin(number)
            else:
                penalty, told = self._meter.count(number, measured, masked=bool(masked[number]))
            own = {} if named else {"environment": float(rewards[number])}
            infos = self._told(infos, number, told, {**own, "kl": 0.0 - penalty})
            lowered[number] -= penalty
        for number in np.flatnonzero(terminated | truncated).tolist():
            self._meter.end(number, masked=bool(masked[number]))
        self._episodes.end(terminated, truncated)
        return observations, lowered, terminated, truncated, infos

    def _measured(self, actions: Any) -> list[Measured]:
        policy, reference, mask = _log_probs(actions)
        columns = (policy, reference, [None] * self.num_envs if mask is None else mask)
        for name, column in zip(TOKEN_KEYS, columns, strict=True):
            if len(column) != self.num_envs:
                raise ValueError(
                    f"{name} must have {self.num_envs} rows, one an environment, not {len(column)}"
                )
        found = []
        for number, row in enumerate(zip(*columns, strict=True)):
            try:
                found.append(self._meter.measure(*row))
            except ValueError as error:
                raise ValueError(f"environment {number}: {error}") from None
        return found

    def _told(
        self, infos: dict[str, Any], number: int, told: dict[str, Any], terms: dict[str, float]
    ) -> dict[str, Any]:
        priced = self._meter.settings.penalty
        return self._add_info(infos, {"kl": told, "reward_terms": terms} if priced else {"kl": told}, number)


def _log_probs(action: Any) -> tuple[Any, Any, Any]:
    """The three values of an action that are about its tokens; the last may be None.

    An action without them is refused: that nothing was measured is not a divergence of 0.
    """
    wanted = "an action must be a mapping with action, logp_policy, logp_reference, and mask if need be"
    if not isinstance(action, Mapping):
        raise ValueError(f"{wanted}, not {type(action).__name__}")
    policy, reference, mask = TOKEN_KEYS
    if not {"action", policy, reference} <= set(action) <= {"action", *TOKEN_KEYS}:
        raise ValueError(f"{wanted}; this one has {', '.join(map(str, action)) or 'nothing'}")
    return action[policy], action[reference], action.get(mask)
