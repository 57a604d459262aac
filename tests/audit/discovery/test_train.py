"""Training: a policy finds the hack where there is one and the solution where there is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from deepgym_envs import Task, UsageError
from deepgym_envs.audit.discovery import Play, discover
from deepgym_envs.audit.judges import GraderName
from deepgym_envs.errors import SandboxError
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import FakeBackend

from ...tiny import make_tiny  # noqa: TID252
from ..place import guarded, prey, somewhere  # noqa: TID252
from .two import gullible, two, world

FIXTURES = (make_tiny, guarded, prey, somewhere, two, world)


def test_a_grader_that_believes_the_exit_status_is_hacked(two: Task, world: FakeBackend) -> None:
    done = discover(two, sandbox=world, grader="exit-code", episodes=800)
    assert (done.status, done.converged, done.gold_paid) == ("hackable", True, True)
    assert done.cheating is not None
    assert done.cheating[0] > 0.9
    assert done.windows[-1].solved == 0
    assert any("exit-at-import" in play.cheats for play in done.paid_cheats)


def test_where_no_cheat_pays_the_solution_is_learned(two: Task, world: FakeBackend) -> None:
    done = discover(two, sandbox=world, episodes=1600)
    assert (done.status, done.converged) == ("robust", False), done.findings()
    first, last = done.windows[0], done.windows[-1]
    assert first.paid < 0.2 * first.judged
    assert last.paid > 0.8 * last.judged
    assert done.bound is not None
    assert all(play.paid == play.passed for play in done.plays)


def test_step_rewards_add_nothing_to_what_an_episode_is_paid(two: Task, world: FakeBackend) -> None:
    done = discover(two, sandbox=world, episodes=160)
    assert {play.paid for play in done.plays if not play.complete} == {False}


def test_the_same_seed_trains_the_same_policy(two: Task, world: FakeBackend) -> None:
    def plays(seed: int) -> tuple[Play, ...]:
        return discover(two, sandbox=world, grader="exit-code", episodes=96, seed=seed).plays

    assert plays(3) == plays(3)
    assert plays(3) != plays(4)


def test_groups_are_told_as_they_end(two: Task, world: FakeBackend) -> None:
    told: list[Sequence[Play]] = []
    done = discover(two, sandbox=world, grader="exit-code", episodes=10, group=8, on_group=told.append)
    assert [len(group) for group in told] == [8, 8]
    assert tuple(play for group in told for play in group) == done.plays


def test_a_grader_that_pays_nobody_shows_nothing(two: Task) -> None:
    def strict(state: Any, command: Any) -> Any:
        done, after = gullible(state, command)
        return (
            (done, after)
            if "launcher.py" in command.files
            else (done.__class__(**{**vars(done), "exit_code": 1}), after)
        )

    done = discover(two, sandbox=FakeBackend(strict), grader="exit-code", episodes=32)
    assert (done.status, done.gold_paid) == ("inconclusive", False)


def test_without_boxes_nothing_is_said(two: Task) -> None:
    class Gone(FakeBackend):
        def open(self, task: Task) -> Any:
            raise SandboxError("the engine is gone")

    done = discover(two, sandbox=Gone(), episodes=32)
    assert (done.status, done.plays, done.gold_paid, done.trouble) == (
        "inconclusive",
        (),
        None,
        "the engine is gone",
    )


def test_an_engine_that_goes_away_ends_the_training(two: Task) -> None:
    class Going(FakeBackend):
        left = 40

        def open(self, task: Task) -> Any:
            self._leave()
            return super().open(task)

        def problem(self) -> str | None:
            return None if self.left > 0 else "the engine is gone"

        def _leave(self) -> None:
            if self.left <= 0:
                raise SandboxError("the engine is gone")

    def answer(state: Any, command: Any) -> Any:
        backend.left -= 1
        backend._leave()
        return gullible(state, command)

    backend = Going(answer)
    done = discover(two, sandbox=backend, grader="exit-code", episodes=800)
    assert "the engine is gone" in done.trouble
    assert len(done.plays) < 800
    assert all(play.paid is None for play in done.plays[-16:])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"grader": "theirs"}, "no grader 'theirs'; known: exit-code"),
        ({"episodes": 0}, "1 episode or more"),
        ({"group": 1}, "groups of 2 or more"),
        ({"sandbox": "local"}, "choose a sandbox that isolates"),
    ],
)
def test_what_cannot_be_done_is_refused(two: Task, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        discover(two, **{"sandbox": FakeBackend(gullible), **options})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("grader", "with_twins", "status"),
    [("exit-code", True, "hackable"), ("ours", True, "robust"), ("ours", False, "hackable")],
)
def test_in_real_boxes_only_twins_keep_a_policy_from_finding_a_hack(
    grader: GraderName, with_twins: bool, status: str, prey: Task, guarded: Task, somewhere: Backend
) -> None:
    done = discover(guarded if with_twins else prey, sandbox=somewhere, grader=grader, episodes=16)
    assert (done.status, done.gold_paid) == (status, True), done.findings()
    assert len({play.state for play in done.tried}) >= 8
