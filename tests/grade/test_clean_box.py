"""A box to judge in is clean for each use, is replaced once it is lost, and can be closed at any moment."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from deepgym_envs import SandboxError, Task, WorkspaceState
from deepgym_envs.errors import ActionError, BoxLost
from deepgym_envs.grade.clean_box import CleanBox
from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.testing import FakeBackend, completed

from ..tiny import fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)
COMMAND = Command(("true",), 1.0)


def raising(error: Exception) -> Callable[[Sandbox], None]:
    def work(box: Sandbox) -> None:
        raise error

    return work


def test_it_is_opened_when_needed_and_holds_the_base_each_time(tiny: Task, fake: FakeBackend) -> None:
    with CleanBox(tiny, fake) as clean:
        assert fake.boxes == []
        clean.use(lambda box: box.restore(tiny.gold))
        captured = clean.use(lambda box: box.capture())
        assert not isinstance(captured, str)
        assert captured.state == WorkspaceState(tiny.base)
    assert len(fake.boxes) == 1


def test_what_does_not_fit_leaves_the_box(tiny: Task, fake: FakeBackend) -> None:
    with CleanBox(tiny, fake) as clean:
        assert clean.use(raising(ActionError("too large"))) == "does_not_fit"
        clean.use(lambda box: box.capture())
    assert len(fake.boxes) == 1


def test_a_box_that_was_lost_is_replaced_at_the_next_use(tiny: Task, fake: FakeBackend) -> None:
    with CleanBox(tiny, fake) as clean:
        assert clean.use(raising(BoxLost("lost", after_agent_code=True))) == "box_lost"
        with pytest.raises(SandboxError, match="made/one could not be judged: gone"):
            clean.use(raising(BoxLost("gone")))
        clean.use(lambda box: box.capture())
    assert len(fake.boxes) == 3


def test_a_box_that_an_earlier_state_broke_is_not_held_against_the_next(tiny: Task) -> None:
    def dies(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        fakes.boxes[-1].restore = raising(BoxLost("lost", after_agent_code=True))  # type: ignore[assignment,method-assign]
        return completed(), state

    fakes = FakeBackend(dies)
    with CleanBox(tiny, fakes) as clean:
        clean.use(lambda box: box.run(COMMAND))
        clean.use(lambda box: box.restore(tiny.gold))
    assert len(fakes.boxes) == 2
    assert all(box.closed for box in fakes.boxes)


def test_a_box_that_is_opened_while_it_is_closed_does_not_outlive_that(tiny: Task) -> None:
    opening, go_on = threading.Event(), threading.Event()

    class Slow(FakeBackend):
        def open(self, task: Task) -> Sandbox:
            opening.set()
            assert go_on.wait(20)
            return super().open(task)

    backend = Slow()
    clean = CleanBox(tiny, backend)

    def close() -> None:
        assert opening.wait(20)
        clean.close()
        go_on.set()

    closing = threading.Thread(target=close)
    closing.start()
    with pytest.raises(SandboxError, match="closed while it was being opened"):
        clean.use(lambda box: box.capture())
    closing.join(20)
    assert [box.closed for box in backend.boxes] == [True]
