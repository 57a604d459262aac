"""Shaping on small decision processes that are solved exactly: the best policies stay, only values shift.

All numbers are multiples of powers of two, so sums are exact and ties are ties.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from deepgym_envs.reward import Decaying, Fold, best_so_far, latest, shaping

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Process:
    """``reward[s, a]``, ``chance[s, a, s']``; state 0 begins, and in the last one every episode has ended.

    ``phi[t, s]`` is the potential of a state when it is entered after ``t`` of ``horizon`` steps.
    """

    gamma: float
    reward: Array
    chance: Array
    phi: Array

    @property
    def horizon(self) -> int:
        return len(self.phi) - 1

    def values(
        self, phi_at_end: Array | None = None, value_at_end: Array | None = None, *, shaped: bool
    ) -> Array:
        """Q[t, s, a] of the best policy from each moment on; the step budget ends what has not ended."""
        states, actions = self.reward.shape
        end = states - 1
        phi = self.phi.copy()
        phi[-1] = 0.0 if phi_at_end is None else phi_at_end
        phi[:, end] = 0.0
        after = np.zeros(states) if value_at_end is None else value_at_end
        best = np.zeros((self.horizon, states, actions))
        for t in reversed(range(self.horizon)):
            for s, a, new in product(range(end), range(actions), range(states)):
                paid = self.reward[s, a]
                paid += shaping(self.gamma, phi[t, s], phi[t + 1, new]) if shaped else 0.0
                best[t, s, a] += self.chance[s, a, new] * (paid + self.gamma * after[new])
            after = best[t].max(axis=1)
        return best


def best_actions(values: Array) -> Any:
    return (values == values.max(axis=-1, keepdims=True)).tolist()


@st.composite
def processes(draw: st.DrawFn, *, certain: bool = False) -> Process:
    states, actions, horizon = draw(st.integers(2, 4)), draw(st.integers(2, 3)), draw(st.integers(1, 4))
    eighths = st.integers(0, 8).map(lambda number: number / 8)
    reward = [[draw(eighths) for _ in range(actions)] for _ in range(states)]
    phi = [[draw(eighths) for _ in range(states)] for _ in range(horizon + 1)]
    chance = np.zeros((states, actions, states))
    for s, a in product(range(states), range(actions)):
        for share in (1.0,) if certain else (0.5, 0.25, 0.25):
            chance[s, a, draw(st.integers(0, states - 1))] += share
    gamma = draw(st.sampled_from([1.0, 0.5]))
    return Process(gamma, np.array(reward), chance, np.array(phi))


@given(processes())
def test_with_a_potential_of_0_at_every_end_the_best_policies_are_the_same(process: Process) -> None:
    """The potential may be another at each moment, which covers folds (Devlin and Kudenko 2012)."""
    plain, shaped = process.values(shaped=False), process.values(shaped=True)
    assert best_actions(shaped[:, :-1]) == best_actions(plain[:, :-1])
    assert (shaped[:, :-1] == plain[:, :-1] - process.phi[:-1, :-1, None]).all()


@given(processes(), st.data())
def test_a_critic_that_learned_from_shaped_rewards_makes_up_for_a_potential_at_truncation(
    process: Process, data: st.DataObject
) -> None:
    """V'(s_T) = V(s_T) - phi(s_T), so that the sum does not depend on where the budget ran out."""
    states = len(process.reward)
    worth = np.array([data.draw(st.integers(0, 8)) / 8 for _ in range(states - 1)] + [0.0])
    last = process.phi[-1].copy()
    last[-1] = 0.0
    plain = process.values(value_at_end=worth, shaped=False)
    shaped = process.values(phi_at_end=last, value_at_end=worth - last, shaped=True)
    assert best_actions(shaped[:, :-1]) == best_actions(plain[:, :-1])
    assert (shaped[:, :-1] == plain[:, :-1] - process.phi[:-1, :-1, None]).all()


@given(processes(certain=True), st.sampled_from([latest, best_so_far, Decaying(1)]))
def test_along_every_path_shaping_sums_to_minus_the_first_potential(process: Process, fold: Fold) -> None:
    states, actions = process.reward.shape
    for path in product(range(actions), repeat=process.horizon):
        state, total, discount = 0, 0.0, 1.0
        stored = first = fold(0.0, process.phi[0, 0], 0)
        for t, action in enumerate(path):
            state = int(process.chance[state, action].argmax())
            over = state == states - 1 or t + 1 == process.horizon
            new = 0.0 if over else fold(stored, process.phi[t + 1, state], t + 1)
            total += discount * shaping(process.gamma, stored, new)
            stored, discount = new, discount * process.gamma
            if over:
                break
        assert total == pytest.approx(-first, abs=1e-12)


def test_a_potential_that_is_kept_at_the_end_of_the_budget_pays_for_never_ending() -> None:
    """What the contract is for: solved and submitted is worth 1, and yet to stay would be worth more.

    The state is as good as solved (phi 0.75). Action 0 submits and is paid 0.5, action 1 stays.
    """
    process = Process(
        1.0, np.array([[0.5, 0.0], [0.0, 0.0]]), np.array([[[0, 1.0], [1.0, 0]], [[0, 1.0], [0, 1.0]]]),
        np.array([[0.75, 0.0], [0.75, 0.0]]),
    )  # fmt: skip
    kept = process.values(phi_at_end=np.array([0.75, 0.0]), shaped=True)
    assert best_actions(process.values(shaped=False)[0, 0]) == [True, False]
    assert best_actions(process.values(shaped=True)[0, 0]) == [True, False]
    assert best_actions(kept[0, 0]) == [False, True]


def test_a_verdict_that_is_paid_at_truncation_and_bootstrapped_too_pays_for_never_submitting() -> None:
    """Why nothing but shaping is paid there: by a critic the last state is worth 1 already."""
    submit, stay = 1.0, 0.0
    rewards = np.array([[submit, stay], [0.0, 0.0]])
    chance = np.array([[[0, 1.0], [1.0, 0]], [[0, 1.0], [0, 1.0]]])
    worth = np.array([1.0, 0.0])
    once = Process(1.0, rewards, chance, np.zeros((2, 2))).values(value_at_end=worth, shaped=True)
    twice = Process(1.0, rewards, chance, np.zeros((2, 2))).values(value_at_end=2 * worth, shaped=True)
    assert once[0, 0].tolist() == [1.0, 1.0]
    assert twice[0, 0].tolist() == [1.0, 2.0]
