"""What the experiment with four rewards tells its learners, and that its page shows what was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.dense_vs_sparse import GROUP, REWARDS, WINDOW, Reward, returns, train, turn_advantages
from benchmarks.training_table import interval, table
from benchmarks.workshop import Episode, Turn, Workshop
from deepgym_envs.sandbox import Pool, choose_backend
from deepgym_envs.suite import load_task

DOCS = Path(__file__).parent.parent / "docs"


def episode(*potentials: float, solved: bool) -> Episode:
    """An episode whose turns begin at these potentials, paid by shaping with 0 at the end."""
    after = [*potentials[1:], 0.0]
    turns = [
        Turn(np.ones(1), np.ones(2, dtype=bool), 0, now, then - now)
        for now, then in zip(potentials, after, strict=True)
    ]
    return Episode(tuple(turns), float(solved))


HONEST = episode(0.0, 0.5, 1.0, solved=True)
BREAKS_AND_MENDS = episode(0.0, 1.0, 0.0, 1.0, 0.0, 1.0, solved=True)
LOITERS = episode(0.0, 0.5, 0.5, 0.5, 0.5, 0.5, solved=False)


@pytest.mark.parametrize(
    ("reward", "honest", "breaks", "loiters"),
    [("terminal", 1, 1, 0), ("pbrs", 1, 1, 0), ("gains", 2, 4, 0.5), ("share", 2.5, 4, 2.5)],
)
def test_only_naive_rewards_pay_for_loitering_and_for_breaking_and_mending(
    reward: Reward, honest: float, breaks: float, loiters: float
) -> None:
    assert returns([HONEST, BREAKS_AND_MENDS, LOITERS], reward).tolist() == [honest, breaks, loiters]


@pytest.mark.parametrize("reward", REWARDS)
def test_advantages_are_one_for_each_turn_and_of_one_scale(reward: Reward) -> None:
    found = turn_advantages([HONEST, LOITERS], reward)
    assert found.shape == (9,)
    assert reward == "share" or found.std() == pytest.approx(1.0, abs=1e-3)


def test_by_turns_a_move_that_raises_the_potential_leaves_less_to_come() -> None:
    first, second, third, *_ = turn_advantages([HONEST, LOITERS], "pbrs")
    assert first > second > third


def test_an_interval_holds_its_mean_and_one_value_has_none() -> None:
    mean, low, high = interval(np.array([0.0, 0.5, 1.0]))
    assert low < mean < high
    assert interval(np.array([0.25])) == (0.25, 0.25, 0.25)


@pytest.mark.bwrap
@pytest.mark.slow
def test_a_policy_is_trained_in_the_real_environment_and_shaping_changes_no_ranking() -> None:
    task = load_task("starter/rangelock-boundary-versions")
    with Pool(choose_backend("bwrap")) as pool:
        workshop = Workshop(task, pool, horizon=4)
        try:
            done = train(workshop, task.id, "pbrs", seed=0, episodes=GROUP * WINDOW)
        finally:
            workshop.close()
    assert done.same_ranking < 1e-12
    (point,) = done.points
    assert 0 < point.solved < 1 <= point.turns <= 4
    assert point.kl > 0


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads((DOCS / "dense_vs_sparse.json").read_text(encoding="utf-8"))
    return kept


def test_the_page_holds_the_table_of_the_runs(runs: list[dict[str, Any]]) -> None:
    assert table(runs) in (DOCS / "dense-rewards.md").read_text(encoding="utf-8")


def test_no_run_saw_shaping_change_a_ranking(runs: list[dict[str, Any]]) -> None:
    assert max(run["same_ranking"] for run in runs) < 1e-9
    assert len({run["seed"] for run in runs}) >= 10
