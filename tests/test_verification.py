"""A stored reward is good only if it is what was signed, and follows from what was reported."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from deepgym_envs import AsyncSweEnv, SweEnv, Task, WorkspaceState
from deepgym_envs.agents import NoopAgent, OracleAgent
from deepgym_envs.async_rollout import async_rollout
from deepgym_envs.evaluation import evaluate
from deepgym_envs.grade import check, sign
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.signing_key import signing_key
from deepgym_envs.store import FILE_NAME, RunStore
from deepgym_envs.testing import FakeBackend
from deepgym_envs.trajectory import Judgement, Trajectory
from deepgym_envs.verification import Verification, regrade_some, verify

from .episodes import masked, older_store
from .tiny import MakeTiny, make_tiny, tiny, tiny_tests

FIXTURES = make_tiny, tiny
KEY = b"k" * 32


@pytest.fixture(scope="module")
def solved(tiny: Task) -> Trajectory:
    env = SweEnv(tiny, FakeBackend(tiny_tests), measure="never")
    try:
        return rollout(env, OracleAgent(), seed=1, key=KEY)
    finally:
        env.close()


@pytest.fixture(scope="module")
def failed(tiny: Task) -> Trajectory:
    env = SweEnv(tiny, FakeBackend(tiny_tests), measure="never")
    try:
        return rollout(env, NoopAgent(), seed=2, key=KEY)
    finally:
        env.close()


def verified(task: Task, *episodes: Trajectory, key: bytes = KEY) -> Verification:
    return verify([(one.key, one.to_json()) for one in episodes], lambda _: task, key)


def why(task: Task, episode: Trajectory) -> str:
    [complaint] = verified(task, episode).bad
    assert complaint.episode == episode.key
    return complaint.why


def test_an_episode_that_nobody_touched_is_good(tiny: Task, solved: Trajectory, failed: Trajectory) -> None:
    done = verified(tiny, solved, failed, masked())
    assert [one.episode for one in done.good] == [solved.key, failed.key]
    assert (done.bad, done.unsigned, done.masked, done.episodes) == ((), 0, 1, 3)


def test_an_awaited_episode_is_signed_as_well(tiny: Task) -> None:
    class Awaited(NoopAgent):
        async def act(self, observation: Any, info: Any) -> Any:  # type: ignore[override]
            return super().act(observation, info)

    env = AsyncSweEnv(SweEnv(tiny, FakeBackend(tiny_tests), measure="never"))
    done = asyncio.run(async_rollout(env, Awaited(), seed=0, key=KEY))
    assert len(verified(tiny, done).good) == 1


def test_without_a_key_nothing_is_signed(tiny: Task) -> None:
    env = SweEnv(tiny, FakeBackend(tiny_tests), measure="never")
    done = rollout(env, NoopAgent(), seed=0)
    env.close()
    assert done.record == ""
    assert verified(tiny, done).unsigned == 1


def test_a_reward_that_was_raised_is_told(tiny: Task, failed: Trajectory) -> None:
    last = replace(failed.steps[-1], reward=1.0, reward_terms={"shaping": 0.0, "terminal": 1.0})
    raised = replace(failed, steps=(*failed.steps[:-1], last))
    assert why(tiny, raised) == "it has 1.0 (tests_failed), its record 0.0 (tests_failed)"
    told = replace(raised, judgement=Judgement(True, "passed"))
    assert why(tiny, told) == "it has 1.0 (passed), its record 0.0 (tests_failed)"


@pytest.mark.parametrize(
    "change",
    [
        lambda one: replace(one, patch=one.patch + " "),
        lambda one: replace(one, seconds=one.seconds + 1),
        lambda one: replace(one, steps=(replace(one.steps[0], reward=5.0), *one.steps[1:])),
        lambda one: replace(one, agent="other"),
        lambda one: replace(one, judgement=replace(one.judgement, passed=False)),
        lambda one: replace(one, steps=one.steps[-1:]),
    ],
)
def test_whatever_else_was_changed_is_told(
    tiny: Task, solved: Trajectory, change: Callable[[Trajectory], Trajectory]
) -> None:
    assert "changed after it was signed" in why(tiny, change(solved))


def test_a_record_of_another_episode_is_told(tiny: Task, solved: Trajectory) -> None:
    twice = replace(solved, index=solved.index + 1)
    assert "another episode" in why(tiny, twice)
    moved = verify([(twice.key, solved.to_json())], lambda _: tiny, KEY)
    assert "another episode" in moved.bad[0].why


def test_another_key_makes_every_record_bad(tiny: Task, solved: Trajectory) -> None:
    [complaint] = verified(tiny, solved, key=b"x" * 32).bad
    assert "the key is another" in complaint.why


def test_a_task_that_has_changed_is_told(make_tiny: MakeTiny, solved: Trajectory) -> None:
    assert why(make_tiny(steps=17), solved) == "the task has changed since it was graded"


def test_a_reason_that_does_not_follow_is_told_with_the_version(tiny: Task, solved: Trajectory) -> None:
    evidence = check(solved.record, KEY)
    wrong = replace(evidence, claim=replace(evidence.claim, malformed=True))
    assert why(tiny, replace(solved, record=sign(wrong, KEY))) == (
        "its reason does not follow from what was reported"
    )
    older = replace(wrong, version="0.0.9+0123456789abcdef")
    said = why(tiny, replace(solved, record=sign(older, KEY)))
    assert "it was graded by 0.0.9+0123456789abcdef, this is 0" in said


@pytest.mark.parametrize("text", ["", "{}", "[" * 100_000, '{"format":1,"kind":"trajectory","steps":[]}'])
def test_what_cannot_be_read_is_bad_and_stops_nothing(tiny: Task, solved: Trajectory, text: str) -> None:
    rows = [(("a", "b", 0, 0), text), (solved.key, solved.to_json())]
    done = verify(rows, lambda _: tiny, KEY)
    assert len(done.good) == 1
    assert done.bad[0].why.startswith("it cannot be read")


def test_what_is_nested_without_end_is_bad(tiny: Task, solved: Trajectory) -> None:
    deep = "[" * 600 + "]" * 600
    text = solved.to_json().replace('"arguments":{', f'"arguments":{{"deep":{deep},', 1)
    done = verify([(solved.key, text)], lambda _: tiny, KEY)
    assert (len(done.good), len(done.bad)) == (0, 1)


@pytest.mark.parametrize("field", ["steps", "patch", "record", "judgement", "seconds", "task"])
@pytest.mark.parametrize("value", [7, "x", {"x": 1}, [[]], True, [{"tests": []}]])
def test_values_of_other_kinds_are_bad(tiny: Task, solved: Trajectory, field: str, value: object) -> None:
    text = json.dumps({**json.loads(solved.to_json()), field: value})
    done = verify([(solved.key, text)], lambda _: tiny, KEY)
    assert (len(done.good), len(done.bad)) == (0, 1)


def test_an_old_store_has_no_records(tiny: Task, solved: Trajectory, tmp_path: Path) -> None:
    older_store(tmp_path, replace(solved, record=""))
    with RunStore.open(tmp_path) as store:
        done = verify(store.rows(), lambda _: tiny, KEY)
    assert (done.episodes, done.unsigned, done.good, done.bad) == (1, 1, (), ())


def test_some_are_graded_again(tiny: Task, solved: Trajectory, failed: Trajectory) -> None:
    good = verified(tiny, solved, failed).good
    backend = FakeBackend(tiny_tests)
    for count, graded in ((1, 1), (2, 2), (9, 2)):
        done = regrade_some(good, lambda _: tiny, backend, count=count, chance=Random(count))
        assert done == (graded, ())
    assert all(box.closed for box in backend.boxes)


def test_what_differs_when_graded_again_is_told(tiny: Task, solved: Trajectory) -> None:
    def breaks(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return tiny_tests(WorkspaceState(state.base), command)

    good = verified(tiny, solved).good
    count, [differing] = regrade_some(good, lambda _: tiny, FakeBackend(breaks), count=1, chance=Random(0))
    assert (count, differing.episode) == (1, solved.key)
    assert differing.why == "it was passed, and is now tests_failed"


@pytest.mark.parametrize(
    ("patch", "said"), [("", "not the state that was judged"), ("+x\n", "does not apply")]
)
def test_a_patch_that_does_not_lead_to_the_state_differs(
    tiny: Task, solved: Trajectory, patch: str, said: str
) -> None:
    other = replace(solved, patch=patch, record="")
    evidence = check(solved.record, KEY).of_episode(other)
    good = verified(tiny, replace(other, record=sign(evidence, KEY))).good
    _, [differing] = regrade_some(good, lambda _: tiny, FakeBackend(tiny_tests), count=1, chance=Random(0))
    assert said in differing.why


def test_a_run_signs_what_it_stores_with_the_hosts_key_or_the_one_it_is_given(
    tiny: Task, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "cache"))
    fake = FakeBackend(tiny_tests)
    evaluate([tiny], "oracle", episodes=2, sandbox=fake, out=tmp_path / "own")
    evaluate([tiny], "oracle", episodes=2, sandbox=fake, out=tmp_path / "given", key=KEY)
    evaluate([tiny], "oracle", sandbox=fake)
    for folder, key in (("own", signing_key(make=False)), ("given", KEY)):
        with RunStore.open(tmp_path / folder) as store:
            done = verify(store.rows(), lambda _: tiny, key)
        assert (len(done.good), done.episodes) == (2, 2)


def test_the_key_is_in_nothing_that_is_stored(tiny: Task, tmp_path: Path) -> None:
    key = bytes(range(100, 132))
    evaluate([tiny], "noop", sandbox=FakeBackend(tiny_tests), out=tmp_path, key=key)
    connection = sqlite3.connect(tmp_path / FILE_NAME)
    stored = "\n".join(connection.iterdump())
    connection.close()
    assert "record" in stored
    assert key.hex() not in stored
    assert key.decode("latin-1") not in stored
