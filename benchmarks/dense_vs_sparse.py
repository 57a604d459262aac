"""Does a dense reward help, and which one is farmed? A small policy is trained by four rewards.

    python -m benchmarks.dense_vs_sparse [--tasks NAME ...] [--seeds 10] [--episodes 640] [--redraw]

In the real environment: every state is tested in a box, and every episode judged by the hidden tests. What is
compared is only what the learner is told of it. Writes dense_vs_sparse.json and, with matplotlib, its plots.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from benchmarks.training_table import table
from benchmarks.workshop import Episode, Workshop
from deepgym_envs.advantage import dr_grpo, turn_pbrs
from deepgym_envs.audit.discovery.policy import Decisions, Floats, SoftmaxPolicy, probabilities
from deepgym_envs.kl import exact_kl
from deepgym_envs.sandbox import Pool, choose_backend
from deepgym_envs.suite import load_task

Reward = Literal["terminal", "pbrs", "gains", "share"]
REWARDS: tuple[Reward, ...] = get_args(Reward)
"""``terminal``: the verdict alone. ``pbrs``: the environment's own, by turns. ``gains``: the verdict, and
each rise of the potential. ``share``: the verdict, and after each turn the potential. All but ``pbrs`` are
given to whole episodes."""

TASKS = (
    "rangelock-partial-versions",  # some of the way is seen
    "hoardfile-use-order",  # so it is, and near misses look almost right
    "calends-order-of-questions",  # a near miss looks wholly right
    "cellwork-move-cells",  # nothing is seen before the end
)
GROUP = 16
HORIZON = 8
WINDOW = 4  # groups whose episodes are shown as one point
_SMALL = 1e-4


@dataclass(frozen=True)
class Point:
    """Means over a few groups: share solved, return by the reward of the training, turns, and KL from the
    policy at the start, in nats an episode."""

    solved: float
    proxy: float
    turns: float
    kl: float


@dataclass(frozen=True)
class Training:
    """One policy's training, ``points`` of ``GROUP * WINDOW`` episodes each.

    ``same_ranking`` is the largest difference there was between the advantages of whole episodes by the
    verdict alone and by the verdict with the environment's shaping.
    """

    task: str
    reward: Reward
    seed: int
    points: tuple[Point, ...]
    same_ranking: float


def returns(episodes: Sequence[Episode], reward: Reward) -> Floats:
    """The undiscounted return of each episode, (B,).

    ``share`` adds the potential after each turn but the last, ``gains`` its rises, and ``pbrs`` what the
    environment paid for shaping, which is ``-phi(s0)`` whatever was done.
    """
    totals = []
    for episode in episodes:
        steps = np.array([turn.potential for turn in episode.turns])
        extra = {
            "terminal": 0.0,
            "pbrs": sum(turn.shaping for turn in episode.turns),
            "gains": float(np.maximum(np.diff(steps), 0.0).sum()),
            "share": float(steps[1:].sum()),
        }
        totals.append(episode.terminal + extra[reward])
    return np.array(totals)


def turn_advantages(episodes: Sequence[Episode], reward: Reward) -> Floats:
    """The advantage of each turn of a group, one after the other, divided by their standard deviation."""
    lengths = [len(episode.turns) for episode in episodes]
    where = np.arange(max(lengths)) < np.array(lengths)[:, None]
    group = [0] * len(episodes)
    if reward == "pbrs":
        paid, potentials = np.zeros(where.shape), np.zeros(where.shape)
        for row, episode in enumerate(episodes):
            paid[row, lengths[row] - 1] = episode.terminal
            potentials[row, : lengths[row]] = [turn.potential for turn in episode.turns]
        found = turn_pbrs(paid, potentials, group, where, baseline="mean")[where]
    else:
        found = np.repeat(dr_grpo(returns(episodes, reward), group), lengths)
    scaled: Floats = found / (found.std() + _SMALL)
    return scaled


def train(workshop: Workshop, task: str, reward: Reward, seed: int, episodes: int) -> Training:
    """Train one policy from nothing on groups of episodes, by gradient ascent on ``A log pi`` and entropy.

    Raises:
        SandboxError: an episode could not be played to its end.
    """
    random = np.random.default_rng(seed)
    policy = SoftmaxPolicy(workshop.features, workshop.moves)
    rows: list[Point] = []
    apart = 0.0
    for _ in range(episodes // GROUP):
        played = [
            workshop.play(lambda features, allowed: policy.choose(features, allowed, random))
            for _ in range(GROUP)
        ]
        turns = [turn for episode in played for turn in episode.turns]
        decisions = Decisions(
            np.array([turn.features for turn in turns]),
            np.array([turn.allowed for turn in turns]),
            np.array([turn.chosen for turn in turns]),
            turn_advantages(played, reward),
        )
        rows.append(
            Point(
                solved=float(np.mean([episode.terminal for episode in played])),
                proxy=float(returns(played, reward).mean()),
                turns=len(turns) / GROUP,
                kl=_kl(policy.weights, decisions) / GROUP,
            )
        )
        whole = (dr_grpo(returns(played, each), [0] * GROUP) for each in ("terminal", "pbrs"))
        apart = max(apart, float(np.abs(np.subtract(*whole)).max()))
        policy.learn(decisions)
    windows = [rows[start : start + WINDOW] for start in range(0, len(rows) - WINDOW + 1, WINDOW)]
    points = tuple(
        Point(*np.mean([tuple(asdict(row).values()) for row in window], axis=0).round(5).tolist())
        for window in windows
    )
    return Training(task, reward, seed, points, apart)


def _kl(weights: Floats, decisions: Decisions) -> float:
    """The sum over all turns of KL(pi || pi0), where pi0 is the policy before any training."""
    parts = (
        probabilities(by, decisions.features, decisions.open) for by in (weights, np.zeros_like(weights))
    )
    with np.errstate(divide="ignore"):
        now, before = (np.log(part) for part in parts)
    return float(exact_kl(now, before).sum())


def _of_task(name: str, sandbox: str, seeds: int, episodes: int) -> list[Training]:
    """All trainings on one task, in one box: states that one of them has met are known to the others."""
    with Pool(choose_backend(sandbox)) as pool:  # type: ignore[arg-type]
        workshop = Workshop(load_task(f"starter/{name}"), pool, HORIZON)
        try:
            return [
                train(workshop, name, reward, seed, episodes) for seed in range(seeds) for reward in REWARDS
            ]
        finally:
            workshop.close()


def main() -> int:
    """Train, write and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", nargs="+", default=TASKS, help="of the starter suite")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--episodes", type=int, default=640, help="of each training")
    parser.add_argument("--sandbox", default="bwrap")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent.parent / "docs")
    parser.add_argument("--redraw", action="store_true", help="train nothing, draw what is there")
    given = parser.parse_args()
    place = given.out / "dense_vs_sparse.json"
    if not given.redraw:
        many = len(given.tasks)
        with ProcessPoolExecutor(min(2, many)) as processes:
            found = processes.map(
                _of_task, given.tasks, [given.sandbox] * many, [given.seeds] * many, [given.episodes] * many
            )
            rows = [asdict(training) for trainings in found for training in trainings]
        place.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")
    kept: Sequence[Mapping[str, object]] = json.loads(place.read_text(encoding="utf-8"))
    sys.stdout.write(table(kept))
    try:
        from benchmarks.training_plots import draw  # noqa: PLC0415 - matplotlib is there only for those who draw
    except ModuleNotFoundError:
        print("matplotlib is not installed, so no plots: pip install -e '.[bench]'", file=sys.stderr)
    else:
        draw(kept, given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
