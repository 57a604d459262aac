"""What shaping pays over whole episodes of the environment, however they are played and however they end."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgym_envs import AsyncSweEnv, Grader, SandboxError, SweEnv, Task, WorkspaceState, make_vec
from deepgym_envs.action import Action, EditFile, ReadFile, RunTests, Submit, WriteFile
from deepgym_envs.env import Measure, Truncation
from deepgym_envs.errors import ModelError
from deepgym_envs.reward import Decaying, Fold, best_so_far, distance_to_gold, latest, visible_tests
from deepgym_envs.testing import FakeBackend

from .tiny import BROKEN, SOLVED, MakeTiny, fake, make_tiny, tiny, tiny_tests

FIXTURES = (fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"
MEND = WriteFile(path=MODULE, content=SOLVED)
BREAK = WriteFile(path=MODULE, content="def add(:")
BACK = WriteFile(path=MODULE, content=BROKEN)
READ = ReadFile(path=MODULE)
ACTIONS: list[Action] = [
    MEND,
    BREAK,
    BACK,
    READ,
    RunTests(),
    EditFile(path=MODULE, old="nowhere", new=""),
    WriteFile(path="tests/test_tiny.py", content="def test_add():\n    pass\n"),
]
STEPS = 12


class Flaky:
    """A potential that says something else each time that it is asked, until it can say nothing at all."""

    def __init__(self, seed: int) -> None:
        self.broken = False
        self.said: list[float] = []
        self._chance = random.Random(seed)

    def __call__(self, grader: Grader, state: WorkspaceState) -> float:
        if self.broken:
            raise SandboxError("the engine is gone")
        self.said.append(self._chance.choice([0.0, 1.0, self._chance.random()]))
        return self.said[-1]


Played = list[tuple[dict[str, float], bool, bool, dict[str, Any]]]


def play(env: SweEnv, actions: Sequence[Action]) -> tuple[float, Played]:
    """The first potential, and for each step its terms of the reward, its ends and its info."""
    _, info = env.reset(seed=1)
    first, played = float(info["potential"]), []
    for action in actions:
        _, reward, terminated, truncated, info = env.step(action.encode())
        assert reward == sum(info["reward_terms"].values())
        played.append((info["reward_terms"], terminated, truncated, info))
        if terminated or truncated:
            break
    return first, played


def discounted(played: Played, gamma: float, term: str = "shaping") -> float:
    return sum(gamma**number * terms[term] for number, (terms, *_) in enumerate(played))


@pytest.fixture(scope="module")
def short(make_tiny: MakeTiny) -> Task:
    return make_tiny("short-budget", steps=STEPS)


def ended(
    env: SweEnv, actions: Sequence[Action], ending: str, potential: Flaky | None
) -> tuple[float, Played]:
    """Play ``actions`` and bring the episode to that end."""
    if ending == "submit":
        return play(env, [*actions, Submit()])
    if ending == "steps":
        return play(env, [*actions, *[READ] * STEPS])
    first, played = play(env, actions)
    if ending == "seconds":
        env._deadline = -math.inf
    elif potential is not None:
        potential.broken = True
    for action in (WriteFile(path="tiny/new.py", content=""), RunTests()):  # one of them is measured
        _, _, terminated, truncated, info = env.step(action.encode())
        played.append((info["reward_terms"], terminated, truncated, info))
        if truncated:
            break
    return first, played


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    actions=st.lists(st.sampled_from(ACTIONS), max_size=STEPS - 3),
    gamma=st.sampled_from([1.0, 0.99, 0.5]),
    measure=st.sampled_from(["run_tests", "every_step"]),
    fold=st.sampled_from([latest, best_so_far, Decaying(3)]),
    truncation=st.sampled_from(["zero", "bootstrap"]),
    ending=st.sampled_from(["submit", "steps", "seconds", "masked"]),
    seed=st.integers(0, 1 << 30) | st.none(),
)
def test_shaping_sums_to_the_difference_of_the_ends_even_of_a_flaky_potential(  # noqa: PLR0917
    short: Task, fake: FakeBackend, actions: list[Action], gamma: float, measure: Measure, fold: Fold,
    truncation: Truncation, ending: str, seed: int | None,
) -> None:  # fmt: skip
    potential = None if seed is None and ending != "masked" else Flaky(seed or 0)
    env = SweEnv(
        short, fake, gamma=gamma, measure=measure, fold=fold, truncation=truncation,
        potential=potential or visible_tests,
    )  # fmt: skip
    first, played = ended(env, actions, ending, potential)
    terms, terminated, truncated, info = played[-1]
    assert (terminated, truncated) == (ending == "submit", ending != "submit")
    assert info["masked"] == (ending == "masked")
    if ending == "masked":
        assert terms == {"shaping": 0.0, "terminal": 0.0}
    else:
        kept = truncated and truncation == "bootstrap"
        last = gamma ** len(played) * info["potential"]
        assert last == 0 or kept
        assert discounted(played, gamma) == pytest.approx(last - first, abs=1e-9)
        assert terms["terminal"] == (0.0 if kept else float(info["passed"]))
    if potential is not None:
        potential.broken = False
    first, played = play(env, [RunTests(), Submit()])  # nothing of that episode is left in the next
    assert discounted(played, gamma) == pytest.approx(-first, abs=1e-9)
    env.close()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    one=st.lists(st.sampled_from(ACTIONS), max_size=STEPS - 3),
    other=st.lists(st.sampled_from(ACTIONS), max_size=STEPS - 3),
    endings=st.tuples(*[st.sampled_from(["submit", "steps", "seconds"])] * 2),
    fold=st.sampled_from([latest, best_so_far]),
)
def test_episodes_with_the_same_terminal_reward_have_the_same_return(
    short: Task,
    fake: FakeBackend,
    one: list[Action],
    other: list[Action],
    endings: tuple[str, str],
    fold: Fold,
) -> None:
    """So a group of episodes has the same ranks with shaping and without: it cannot change GRPO's."""
    env = SweEnv(short, fake, measure="every_step", fold=fold)
    excess = []
    for actions, ending in zip((one, other), endings, strict=True):
        _, played = ended(env, actions, ending, None)
        excess.append(discounted(played, 1.0) + played[-1][0]["terminal"] - float(played[-1][3]["passed"]))
    assert excess == pytest.approx([-2 / 3] * 2)
    env.close()


FARMS: dict[str, list[Action]] = {
    "honest": [MEND, RunTests()],
    "break and fix": [BREAK, RunTests(), MEND, RunTests()] * 2,
    "loiter": [MEND, *[READ] * 9],
    "test again and again": [MEND, *[RunTests()] * 9],
    "weaker tests": [ACTIONS[-1], RunTests(), MEND, RunTests()],
}


@pytest.mark.parametrize("gamma", [1.0, 0.9])
@pytest.mark.parametrize("farm", FARMS)
def test_no_way_of_playing_is_paid_more_than_another(
    short: Task, fake: FakeBackend, farm: str, gamma: float
) -> None:
    env = SweEnv(short, fake, measure="every_step", gamma=gamma)
    first, played = play(env, [*FARMS[farm], Submit()])
    assert discounted(played, gamma) == pytest.approx(-first)
    assert played[-1][3]["passed"]
    env.close()


def test_to_never_submit_is_worth_no_more_than_to_submit(short: Task, fake: FakeBackend) -> None:
    env = SweEnv(short, fake, measure="every_step")
    submitted, waited = (play(env, [MEND, *rest])[1] for rest in ([Submit()], [READ] * STEPS))
    returns = [
        discounted(played, 1.0) + discounted(played, 1.0, "terminal") for played in (submitted, waited)
    ]
    assert returns == pytest.approx([1 / 3, 1 / 3])
    env.close()


def test_with_bootstrap_the_last_state_is_measured_even_if_no_tests_were_run(
    short: Task, fake: FakeBackend
) -> None:
    env = SweEnv(short, fake, truncation="bootstrap")
    first, played = play(env, [MEND, *[READ] * STEPS])
    terms, *_, info = played[-1]
    assert [first, info["potential"]] == pytest.approx([2 / 3, 1.0])
    assert terms == {"shaping": pytest.approx(1 / 3), "terminal": 0.0}
    assert info["passed"]
    _, played = play(env, [MEND, Submit()])
    assert played[-1][0] == {"shaping": pytest.approx(-2 / 3), "terminal": 1.0}
    env.close()


def test_with_bootstrap_and_no_shaping_a_truncation_pays_nothing(short: Task, fake: FakeBackend) -> None:
    env = SweEnv(short, fake, truncation="bootstrap", measure="never")
    _, played = play(env, [MEND, *[READ] * STEPS])
    assert played[-1][0] == {"shaping": 0.0, "terminal": 0.0}
    assert played[-1][3]["passed"]
    env.close()


def test_the_best_so_far_makes_a_break_free(short: Task, fake: FakeBackend) -> None:
    env = SweEnv(short, fake, measure="every_step", fold=best_so_far)
    _, played = play(env, [BREAK, BACK, MEND, BREAK, MEND, Submit()])
    assert [terms["shaping"] for terms, *_ in played] == pytest.approx([0, 0, 1 / 3, 0, 0, -1])
    env.close()


def test_an_episode_begins_with_its_own_potential_whatever_the_one_before_came_to(
    short: Task, fake: FakeBackend
) -> None:
    env = SweEnv(short, fake, measure="every_step", fold=best_so_far, truncation="bootstrap")
    for before in ([MEND], [MEND, *[READ] * STEPS], [MEND, Submit()], []):
        first, _ = play(env, before)
        assert first == pytest.approx(2 / 3)
    env.close()


def test_a_decaying_weight_is_folded_inside_the_difference(short: Task, fake: FakeBackend) -> None:
    env = SweEnv(short, fake, measure="every_step", fold=Decaying(1))
    _, played = play(env, [MEND, BREAK, Submit()])
    assert [terms["shaping"] for terms, *_ in played] == pytest.approx([1 / 2 - 2 / 3, -1 / 2, 0])
    env.close()


@pytest.mark.parametrize("fold", [best_so_far, Decaying(2)])
def test_forks_and_restored_snapshots_go_on_from_the_number_that_was_paid(
    short: Task, fake: FakeBackend, fold: Fold
) -> None:
    env = SweEnv(short, fake, measure="every_step", fold=fold, truncation="bootstrap", gamma=0.9)
    first, played = play(env, [MEND, BREAK])
    kept = env.snapshot()
    fork = env.fork()
    for each in (env, fork, env):
        if each is env:
            env.restore(kept)
        rest: Played = []
        for action in [BACK, MEND, *[READ] * STEPS]:
            _, _, terminated, truncated, info = each.step(action.encode())
            rest.append((info["reward_terms"], terminated, truncated, info))
            if truncated:
                break
        whole = [*played, *rest]
        assert len(whole) == STEPS
        assert info["potential"] > 0
        assert discounted(whole, 0.9) == pytest.approx(0.9**STEPS * info["potential"] - first)
    fork.close()
    env.close()


@pytest.mark.parametrize("mode", [AutoresetMode.NEXT_STEP, AutoresetMode.SAME_STEP])
def test_autoreset_leaks_nothing_from_one_episode_into_the_next(
    make_tiny: MakeTiny, fake: FakeBackend, mode: AutoresetMode
) -> None:
    task = make_tiny("three-steps", steps=3)
    makers: list[Callable[[], SweEnv]] = [lambda: SweEnv(task, fake, measure="every_step", gamma=0.9)] * 2
    env = SyncVectorEnv(makers, autoreset_mode=mode)
    rows = [MEND.encode(), BREAK.encode()]
    space = {name: [row[name] for row in rows] for name in rows[0]}
    actions = {
        name: tuple(part) if isinstance(part[0], str) else np.stack(part) for name, part in space.items()
    }
    env.reset(seed=1)
    sums, time, ends = np.zeros(2), np.zeros(2), 0
    for _ in range(10):
        _, _, _, truncated, infos = env.step(actions)
        info = infos["final_info"] if mode is AutoresetMode.SAME_STEP and truncated.any() else infos
        shaping = info["reward_terms"]["shaping"]
        sums += 0.9**time * shaping
        time += infos["step"] > 0 if mode is AutoresetMode.NEXT_STEP else 1
        if truncated.any():
            ends += 1
            assert truncated.all()
            assert sums.tolist() == pytest.approx([-2 / 3] * 2)
            sums[:], time[:] = 0, 0
    assert ends >= 2
    env.close()


def test_a_vector_passes_potential_fold_and_end_on(short: Task, fake: FakeBackend) -> None:
    env = make_vec(
        short, 2, sandbox=fake, vectorization_mode="sync", measure="every_step", potential=distance_to_gold,
        fold=best_so_far, truncation="bootstrap",
    )  # fmt: skip
    _, infos = env.reset(seed=1)
    assert infos["potential"].tolist() == [0.0, 0.0]
    rows = [MEND.encode()] * 2
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    actions = {
        name: tuple(part) if isinstance(part[0], str) else np.stack(part) for name, part in columns.items()
    }
    for _ in range(STEPS):
        _, rewards, _, truncated, infos = env.step(actions)
    assert truncated.all()
    assert infos["potential"].tolist() == [1.0, 1.0]
    assert infos["passed"].tolist() == [True, True]
    assert rewards.tolist() == [0.0, 0.0]
    env.close()


def test_an_awaited_environment_and_its_fork_pay_the_same(short: Task, fake: FakeBackend) -> None:
    async def played() -> list[float]:
        env = AsyncSweEnv(SweEnv(short, fake, measure="every_step", fold=best_so_far, truncation="bootstrap"))
        async with env:
            await env.reset(seed=1)
            await env.step(MEND.encode())
            async with await env.fork() as fork:
                return [(await each.step(BREAK.encode()))[1] for each in (env, fork)]

    assert asyncio.run(played()) == [0.0, 0.0]


def test_a_potential_that_raises_ends_the_episode(tiny: Task, fake: FakeBackend) -> None:
    def wrong(grader: Grader, state: WorkspaceState) -> float:
        return 0.5 if not state.changes else math.nan if state.get("nan") else 1 / 0

    env = SweEnv(tiny, fake, potential=wrong, measure="every_step")
    for action, error in ((MEND, ZeroDivisionError), (WriteFile(path="nan", content="x"), ValueError)):
        env.reset(seed=1)
        with pytest.raises(error):
            env.step(action.encode())
        with pytest.raises(ResetNeeded):
            env.step(READ.encode())
    first, played = play(env, [Submit()])
    assert discounted(played, 1.0) == -first == -0.5
    env.close()


def test_a_fold_that_leaves_the_range_ends_the_episode(tiny: Task, fake: FakeBackend) -> None:
    def growing(previous: float, phi: float, step: int) -> float:
        return phi + step

    env = SweEnv(tiny, fake, measure="every_step", fold=growing)
    env.reset(seed=1)
    with pytest.raises(ValueError, match=r"must be in \[0, 1\]"):
        env.step(MEND.encode())
    with pytest.raises(ResetNeeded):
        env.step(READ.encode())
    env.close()


@pytest.mark.parametrize("error", [SandboxError("gone"), ModelError("no answer")])
def test_what_could_not_be_measured_masks_the_sample(tiny: Task, fake: FakeBackend, error: Exception) -> None:
    def potential(grader: Grader, state: WorkspaceState) -> float:
        if state.changes:
            raise error
        return 0.5

    env = SweEnv(tiny, fake, potential=potential, measure="every_step")
    _, played = play(env, [MEND])
    terms, _, truncated, info = played[-1]
    assert (truncated, info["masked"], terms["shaping"]) == (True, True, 0.0)
    assert str(error) in info["error"]
    env.close()


def test_a_reset_that_fails_begins_no_episode(tiny: Task) -> None:
    """One that was begun before is over too, or its potential would be paid for another state."""
    potential = Flaky(3)
    env = SweEnv(tiny, FakeBackend(tiny_tests), potential=potential, measure="every_step")
    play(env, [MEND])
    potential.broken = True
    with pytest.raises(SandboxError, match="the engine is gone"):
        env.reset()
    with pytest.raises(ResetNeeded):
        env.step(READ.encode())
    potential.broken = False
    first, played = play(env, [Submit()])
    assert discounted(played, 1.0) == -first
    env.close()


def test_an_end_that_is_none_is_refused(tiny: Task, fake: FakeBackend) -> None:
    with pytest.raises(ValueError, match="truncation must be 'zero' or 'bootstrap', not 'none'"):
        SweEnv(tiny, fake, truncation="none")  # type: ignore[arg-type]
