"""Whose fault the loss of a box is: the table that graders, validation and environments go by."""

from __future__ import annotations

import pytest

from deepgym_envs import Grader, SandboxError, SweEnv, Task
from deepgym_envs.action import RunTests
from deepgym_envs.errors import BoxLost
from deepgym_envs.grade import TaskRuns, excuse
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.state import WorkspaceState
from deepgym_envs.testing import FakeBackend

from ..tiny import make_tiny, tiny, tiny_tests  # noqa: TID252

FIXTURES = (make_tiny, tiny)
CASES = [
    # agent's code had run, what the host sees, the excuse
    (False, None, "lost"),
    (False, "the engine is gone", "lost"),
    (True, None, None),
    (True, "the engine is gone", "the engine is gone"),
]
by_case = pytest.mark.parametrize(("agent_ran", "problem", "said"), CASES)


class Losing(FakeBackend):
    """A fake that loses the box in which tests run next, once it is told to, and then has a problem."""

    def __init__(self, *, agent_ran: bool, problem: str | None) -> None:
        super().__init__(self._lose)
        self.lose_next = False
        self._agent_ran = agent_ran
        self._then = problem

    def _lose(self, state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        if not self.lose_next:
            return tiny_tests(state, command)
        self.lose_next = False
        self._problem = self._then
        raise BoxLost("lost", after_agent_code=self._agent_ran)


@by_case
def test_code_is_excused_by_what_the_host_knows_alone(
    agent_ran: bool, problem: str | None, said: str | None
) -> None:
    lost = BoxLost("lost", after_agent_code=agent_ran)
    assert excuse(lost, FakeBackend(problem=problem)) == said


@by_case
def test_a_grader_goes_by_the_table(
    tiny: Task, agent_ran: bool, problem: str | None, said: str | None
) -> None:
    backend = Losing(agent_ran=agent_ran, problem=problem)
    with Grader(tiny, backend) as grader:
        grader.visible(WorkspaceState(tiny.base))
        backend.lose_next = True
        if said is None:
            assert grader.grade(tiny.gold).reason == "box_lost"
        else:
            with pytest.raises(SandboxError, match=f"could not be judged: {said}"):
                grader.grade(tiny.gold)


@by_case
def test_validation_goes_by_the_table(
    tiny: Task, agent_ran: bool, problem: str | None, said: str | None
) -> None:
    backend = Losing(agent_ran=agent_ran, problem=problem)
    with TaskRuns(tiny, backend) as runs:
        for run in (runs.hidden, runs.visible):
            runs.visible(WorkspaceState(tiny.base))
            backend.lose_next = True
            if said is None:
                assert run(tiny.gold) is not None
            else:
                with pytest.raises(SandboxError, match=f"could not be judged: {said}"):
                    run(tiny.gold)


@by_case
def test_an_environment_goes_by_the_table(
    tiny: Task, agent_ran: bool, problem: str | None, said: str | None
) -> None:
    backend = Losing(agent_ran=agent_ran, problem=problem)
    env = SweEnv(tiny, backend, measure="never")
    env.reset(seed=1)
    backend.lose_next = True
    *_, info = env.step(RunTests().encode())
    env.close()
    assert info["masked"] == (said is not None)
    assert info["error"] == (
        said or "the sandbox broke down while this ran; the workspace is as it was before"
    )
