"""The reward at the end of an episode: what the hidden tests say."""

from __future__ import annotations

from deepgym_envs.grade import Verdict


def terminal_reward(verdict: Verdict) -> float:
    """1.0 for a state that solves the task, 0.0 for one that does not.

    Raises:
        ValueError: the verdict holds anything else, which no grader of this package makes.
    """
    if verdict.reward not in (0.0, 1.0) or bool(verdict.reward) != verdict.passed:
        raise ValueError(f"a verdict cannot hold the reward {verdict.reward} with passed={verdict.passed}")
    return verdict.reward
