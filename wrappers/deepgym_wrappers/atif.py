"""Trajectories in the Agent Trajectory Interchange Format (ATIF), which Harbor and others read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepgym_envs.trajectory import Step, Trajectory

SCHEMA_VERSION = "ATIF-v1.8"


def atif_of(trajectory: Trajectory) -> dict[str, Any]:
    """``trajectory`` as a document of ATIF v1.8, fit for ``json.dumps``.

    The first step is the user's instruction, each other one an action. The format knows no rewards, and
    refuses fields that it does not know: reward, its terms, the potential and the ends stand in a step's
    ``extra``, the return and the verdict in ``final_metrics.extra``. What is no text in Unicode (single
    surrogates) is written as its escape.

    >>> from deepgym_envs.trajectory import Trajectory
    >>> done = Trajectory("a", "", "me", "fake", 1, 0, "Mend it.", "", 0.0, (), None, "")
    >>> atif_of(done)["steps"]
    [{'step_id': 1, 'source': 'user', 'message': 'Mend it.'}]
    """
    said = trajectory.judgement
    verdict = said and {"passed": said.passed, "reason": said.reason, "flags": list(said.flags)}
    made = {
        "schema_version": SCHEMA_VERSION,
        "session_id": trajectory.digest,
        "trajectory_id": trajectory.digest,
        "agent": {"name": trajectory.agent or "unknown", "version": "unknown"},
        "steps": [
            {"step_id": 1, "source": "user", "message": trajectory.instruction},
            *(_step(number, step) for number, step in enumerate(trajectory.steps, start=2)),
        ],
        "final_metrics": {
            "total_steps": len(trajectory.steps) + 1,
            "extra": {"return": trajectory.total_reward, "masked": trajectory.masked, "verdict": verdict},
        },
        "extra": {
            "task": trajectory.task,
            "task_digest": trajectory.task_digest,
            "sandbox": trajectory.sandbox,
            "seed": trajectory.seed,
            "index": trajectory.index,
            "start_state": trajectory.start_state,
            "start_potential": trajectory.start_potential,
            "patch": trajectory.patch,
            "error": trajectory.error,
            "seconds": trajectory.seconds,
        },
    }
    clean: dict[str, Any] = _unicode(made)
    return clean


def _step(number: int, step: Step) -> dict[str, Any]:
    call = f"call_{number}"
    called = [{"tool_call_id": call, "function_name": step.tool, "arguments": dict(step.arguments)}]
    result = {"content": step.output}
    unread = str(step.arguments.get("text", ""))
    return {
        "step_id": number,
        "source": "agent",
        "message": "" if step.tool else unread,
        **({"tool_calls": called} if step.tool else {}),
        "observation": {"results": [{"source_call_id": call, **result} if step.tool else result]},
        "extra": {
            "reward": step.reward,
            "reward_terms": dict(step.reward_terms),
            "potential": step.potential,
            "state": step.state,
            "tests": list(step.tests),
            "ok": step.ok,
            "error": step.error,
            "terminated": step.terminated,
            "truncated": step.truncated,
        },
    }


def _unicode(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_unicode(name): _unicode(inner) for name, inner in value.items()}
    return [_unicode(inner) for inner in value] if isinstance(value, list) else value
