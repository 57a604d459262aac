"""Documents have the fields of ATIF v1.8 and no others, of the types that its readers check.

The models below are the format's, as Harbor's reader has them: no field may stand there that it does not know.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal, Self

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import RunTests, Submit, WriteFile
from deepgym_envs.testing import FakeBackend
from deepgym_envs.trajectory import Trajectory
from deepgym_wrappers import RecordTrajectory, atif_of, read_trajectories

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class ToolCall(Strict):
    tool_call_id: str
    function_name: str
    arguments: dict[str, Any]
    extra: dict[str, Any] | None = None


class Result(Strict):
    source_call_id: str | None = None
    content: str | None = None
    extra: dict[str, Any] | None = None


class Observed(Strict):
    results: list[Result]


class AtifStep(Strict):
    step_id: int = Field(ge=1)
    timestamp: str | None = None
    source: Literal["system", "user", "agent"]
    model_name: str | None = None
    message: str
    reasoning_content: str | None = None
    tool_calls: list[ToolCall] | None = None
    observation: Observed | None = None
    metrics: dict[str, Any] | None = None
    llm_call_count: int | None = None
    extra: dict[str, Any] | None = None

    @model_validator(mode="after")
    def only_agents_act(self) -> Self:
        assert self.source == "agent" or not (self.tool_calls or self.metrics or self.reasoning_content)
        return self

    @model_validator(mode="after")
    def results_are_of_calls(self) -> Self:
        calls = [call.tool_call_id for call in self.tool_calls or ()]
        assert len(set(calls)) == len(calls)
        for result in self.observation.results if self.observation else ():
            assert result.source_call_id is None or result.source_call_id in calls
        return self


class AtifAgent(Strict):
    name: str
    version: str
    model_name: str | None = None
    tool_definitions: list[dict[str, Any]] | None = None
    extra: dict[str, Any] | None = None


class FinalMetrics(Strict):
    total_prompt_tokens: int | None = None
    total_completion_tokens: int | None = None
    total_cached_tokens: int | None = None
    total_cost_usd: float | None = None
    total_steps: int | None = Field(None, ge=0)
    extra: dict[str, Any] | None = None


class Atif(Strict):
    schema_version: Literal["ATIF-v1.8"]
    session_id: str
    trajectory_id: str | None = None
    agent: AtifAgent
    steps: list[AtifStep] = Field(min_length=1)
    notes: str | None = None
    final_metrics: FinalMetrics | None = None
    extra: dict[str, Any] | None = None

    @model_validator(mode="after")
    def steps_are_numbered(self) -> Self:
        assert [step.step_id for step in self.steps] == list(range(1, len(self.steps) + 1))
        return self


def written(tiny: Task, fake: FakeBackend, folder: Path) -> Trajectory:
    env = RecordTrajectory(SweEnv(tiny, fake), folder)
    env.reset(seed=1)
    solve = WriteFile(path="tiny/__init__.py", content=SOLVED + "# ünïcode\n")
    for action in ("Let me think. \ud800", solve.encode(), RunTests().encode(), Submit().encode()):
        env.step(action)
    env.close()
    [found] = read_trajectories(folder)
    return found


def test_a_document_has_the_fields_of_the_format_and_no_others(
    tiny: Task, fake: FakeBackend, tmp_path: Path
) -> None:
    trajectory = written(tiny, fake, tmp_path)
    found = Atif.model_validate_json(json.dumps(atif_of(trajectory), allow_nan=False))
    user, *steps = found.steps
    assert (user.source, user.message) == ("user", tiny.instruction)
    assert [step.tool_calls[0].function_name if step.tool_calls else "" for step in steps] == [
        "", "write_file", "run_tests", "submit",
    ]  # fmt: skip
    assert steps[0].message.startswith("Let me think.")
    assert found.final_metrics is not None
    assert found.final_metrics.total_steps == 5


def test_rewards_stand_in_extra_only(tiny: Task, fake: FakeBackend, tmp_path: Path) -> None:
    trajectory = written(tiny, fake, tmp_path)
    made = atif_of(trajectory)
    paid = [step["extra"]["reward"] for step in made["steps"][1:]]
    assert paid == [step.reward for step in trajectory.steps]
    assert made["final_metrics"]["extra"]["return"] == pytest.approx(sum(paid))
    assert made["final_metrics"]["extra"]["verdict"]["passed"] is True
    made["steps"][1]["reward"] = 0.5
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        Atif.model_validate(made)


def test_what_is_no_unicode_is_escaped_and_an_empty_episode_is_a_document_too() -> None:
    nothing = Trajectory("a", "", "", "fake", 1, 0, "bad \udcff", "", 0.0, (), None, "\udc80", masked=True)
    found = Atif.model_validate_json(json.dumps(atif_of(nothing)))
    assert found.steps[0].message == "bad \\udcff"
    assert found.extra is not None
    assert found.extra["patch"] == "\\udc80"
