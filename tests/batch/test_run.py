"""Many completions of one task at a time: each is paid what it is worth, or nobody says what it is worth."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
import math
import threading
import warnings
from collections.abc import Sequence

import numpy as np
import pytest

from deepgym_envs import Memory, Pool, SandboxError, Task, UsageError, WorkspaceState
from deepgym_envs.action import EditFile, ReadFile, RunTests
from deepgym_envs.batch import Completion, GradedBatch, NoGradientWarning, run_batch
from deepgym_envs.errors import BoxLost
from deepgym_envs.patch import make_patch
from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.testing import FakeBackend

from ..tiny import BROKEN, MakeTiny, fake, make_tiny, tiny, tiny_tests

FIXTURES = fake, make_tiny, tiny
FILE = "tiny/__init__.py"
MEND = EditFile(path=FILE, old="a - b", new="a + b")
CALL = json.dumps({"name": "edit_file", "arguments": {"path": FILE, "old": "a - b", "new": "a + b"}})


def patch(task: Task, source: str) -> str:
    return make_patch(WorkspaceState(task.base).with_file(FILE, source.encode())).decode()


@pytest.fixture
def good(tiny: Task) -> str:
    return make_patch(tiny.gold).decode()


@pytest.fixture
def bad(tiny: Task) -> str:
    return patch(tiny, BROKEN.replace("a - b", "a * b"))


def graded(
    task: Task, completions: Sequence[Completion], backend: FakeBackend, workers: int = 2
) -> GradedBatch:
    return run_batch(task, completions, sandbox=backend, workers=workers)


def test_patches_are_graded_in_order(tiny: Task, fake: FakeBackend, good: str, bad: str) -> None:
    batch = graded(tiny, [bad, good, bad, good], fake)
    assert batch.rewards.tolist() == [0.0, 1.0, 0.0, 1.0]
    assert batch.reasons == ("tests_failed", "passed", "tests_failed", "passed")
    assert batch.masked.tolist() == [False] * 4
    assert (batch.task, batch.warning) == (tiny.id, "")
    verdict = batch.outcomes[1].verdict
    assert verdict is not None
    assert verdict.state == tiny.gold.digest


@pytest.mark.parametrize(
    "calls",
    [
        [MEND],
        [ReadFile(path=FILE), CALL, RunTests()],
        ["this is no call", CALL],
        CALL,
        f"[{CALL}]",
        f'{CALL}\n\n{{"name": "submit", "arguments": {{}}}}\n{CALL}',
        f"{CALL}\n{{not json",
    ],
    ids=[
        "actions",
        "actions and texts",
        "nonsense costs a step",
        "a text",
        "a list",
        "lines",
        "broken lines",
    ],
)
def test_calls_are_played_and_handed_in(tiny: Task, fake: FakeBackend, bad: str, calls: Completion) -> None:
    batch = graded(tiny, [calls, bad], fake)
    assert batch.rewards.tolist() == [1.0, 0.0]


def test_calls_have_no_more_steps_than_the_task_allows(
    make_tiny: MakeTiny, fake: FakeBackend, good: str
) -> None:
    short = make_tiny("short", steps=2)
    batch = graded(short, [[RunTests(), RunTests(), MEND], good], fake)
    assert batch.rewards.tolist() == [0.0, 1.0]


def test_commands_are_refused_unless_they_are_allowed(tiny: Task, fake: FakeBackend, good: str) -> None:
    call = json.dumps({"name": "run_command", "arguments": {"command": "true"}})
    for commands in (False, True):
        run_batch(tiny, [call, good], sandbox=fake, commands=commands)
        ran = [one for box in fake.boxes for one in box.commands if "launcher.py" not in one.files]
        assert bool(ran) == commands


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("I could not do it.", "patch_does_not_apply"),
        ("--- a/none.py\n+++ b/none.py\n@@ -1 +1 @@\n-a\n+b\n", "patch_does_not_apply"),
        ("--- a/../out.py\n+++ b/../out.py\n@@ -0,0 +1 @@\n+b\n", "patch_does_not_apply"),
        ("diff --git a/x b/x\nnew file mode 120000\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+/etc\n", "patch_does_not_apply"),
        ("\ud800", "patch_does_not_apply"),
        ("diff --git a/x b/x\nGIT binary patch\nliteral 9999999999\n", "not_a_text_patch"),
        ("diff --git a/x b/y\ncopy from x\ncopy to y\n", "not_a_text_patch"),
        ("+" * ((1 << 20) + 1), "too_long"),
        ("[" + "0," * (2 << 20), "too_long"),
        ("[" * 100_000, "tests_failed"),
        ("", "tests_failed"),
    ],
    ids=["prose", "no such file", "outside", "a link", "a surrogate", "binary", "copy", "long", "long calls", "deep",
         "nothing"],
)  # fmt: skip
def test_what_cannot_be_used_fails_with_a_reason(
    tiny: Task, fake: FakeBackend, good: str, text: str, reason: str
) -> None:
    batch = graded(tiny, [text, good], fake)
    assert batch.rewards.tolist() == [0.0, 1.0]
    assert batch.reasons[0] == reason
    assert batch.outcomes[0].detail or batch.outcomes[0].verdict


def test_equal_states_are_judged_once(tiny: Task, fake: FakeBackend, good: str, bad: str) -> None:
    memory = Memory()
    run_batch(tiny, [good, bad, [MEND], good], sandbox=fake, workers=3, memory=memory)
    assert sum(len(box.commands) for box in fake.boxes) == 2
    run_batch(tiny, [bad, good], sandbox=fake, memory=memory)
    assert sum(len(box.commands) for box in fake.boxes) == 2


def lost_for(module: str) -> FakeBackend:
    """Boxes that are lost, by nobody's code, when tests run on that source."""

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        file = state.get(FILE)
        if file is not None and file.data.decode() == module:
            raise BoxLost("the engine went away", after_agent_code=False)
        return tiny_tests(state, command)

    return FakeBackend(answer)


def test_what_could_not_be_judged_is_masked_and_never_0(tiny: Task, good: str, bad: str) -> None:
    lost = BROKEN.replace("a - b", "a ** b")
    batch = graded(tiny, [good, patch(tiny, lost), bad, bad], lost_for(lost))
    assert batch.masked.tolist() == [False, True, False, False]
    assert math.isnan(batch.rewards[1])
    assert batch.reasons[1] == "masked"
    assert "the engine went away" in batch.outcomes[1].detail
    done = batch.statistics
    assert (done.size, done.judged, done.passed) == (4, 3, 1)
    assert done.mean == pytest.approx(1 / 3)
    assert done.std == pytest.approx(np.std([1, 0, 0], ddof=1))
    assert batch.pass_at_k(2) == pytest.approx(2 / 3)
    found = batch.advantages("dr_grpo")
    assert found[[0, 2, 3]] == pytest.approx([2 / 3, -1 / 3, -1 / 3])
    assert math.isnan(found[1])


class NoBoxes(FakeBackend):
    def open(self, task: Task) -> Sandbox:
        raise SandboxError("there is no room for a box")


def test_where_nothing_can_be_judged_nothing_is_paid(tiny: Task, good: str) -> None:
    with pytest.warns(NoGradientWarning, match="only 0 of 2 completions could be judged"):
        batch = graded(tiny, [good, [MEND]], NoBoxes())
    assert np.isnan(batch.rewards).all()
    assert np.isnan(batch.advantages("grpo")).all()
    assert (batch.statistics.mean, batch.statistics.std) == (None, None)
    with pytest.raises(ValueError, match=r"k is 1: expected a whole number in \[1, 0\]"):
        batch.pass_at_k(1)


def test_a_group_that_can_give_no_gradient_is_told_of(
    tiny: Task, fake: FakeBackend, good: str, bad: str
) -> None:
    for completions, said in (
        ([good], "only 1 of 1 completions could be judged"),
        ([bad, bad], "all 2 judged completions failed"),
        ([good, good], "all 2 judged completions passed"),
    ):
        with pytest.warns(NoGradientWarning, match=said):
            batch = graded(tiny, completions, fake)
        assert said in batch.warning
        assert not batch.advantages("grpo").any()


def test_a_given_pool_stays_open(tiny: Task, fake: FakeBackend, good: str, bad: str) -> None:
    with Pool(fake) as pool:
        for _ in range(2):
            assert run_batch(tiny, [good, bad], sandbox=pool).statistics.passed == 1
        assert not all(box.closed for box in fake.boxes)


def test_when_it_is_interrupted_everything_is_closed(tiny: Task, good: str, bad: str) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        begun.set()
        go_on.wait(10)
        return tiny_tests(state, command)

    class Interrupts(Memory):
        """Stands for a Ctrl-C: the second completion to be graded ends the run."""

        def once(self, *arguments: object, **settings: object) -> object:  # type: ignore[override]
            if begun.wait(0.5):
                go_on.set()
                raise KeyboardInterrupt
            return super().once(*arguments, **settings)  # type: ignore[arg-type]

    backend = FakeBackend(answer)
    with Pool(backend) as pool, pytest.raises(KeyboardInterrupt):
        run_batch(tiny, [good, *[bad] * 20], sandbox=pool, workers=2, memory=Interrupts())
    assert go_on.is_set()
    assert len(backend.boxes) < 4
    assert all(box.closed for box in backend.boxes)


def test_what_is_no_completion_is_refused_by_index(tiny: Task, fake: FakeBackend) -> None:
    with pytest.raises(TypeError, match=r"completions\[1\] cannot be graded: it is a bytes"):
        run_batch(tiny, ["", b"x"], sandbox=fake)  # type: ignore[list-item]
    with pytest.raises(TypeError, match=r"completions\[0\] cannot be graded: it holds a int"):
        run_batch(tiny, [[1]], sandbox=fake)  # type: ignore[list-item]
    with pytest.raises(UsageError, match="nothing to grade"):
        run_batch(tiny, [], sandbox=fake)
    with pytest.raises(UsageError, match="nothing to grade"):
        run_batch(tiny, "a patch", sandbox=fake)
    with pytest.raises(UsageError, match="at least one worker"):
        run_batch(tiny, ["", ""], sandbox=fake, workers=0)


@pytest.mark.bwrap
def test_a_group_is_graded_in_real_boxes(tiny: Task, good: str, bad: str) -> None:
    forged = patch(tiny, "import os\nos._exit(0)\n")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        batch = run_batch(tiny, [good, bad, [MEND, RunTests()], forged], sandbox=BwrapBackend(), workers=2)
    assert batch.rewards.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert batch.advantages("dr_grpo") == pytest.approx([0.5, -0.5, 0.5, -0.5])
