"""Episodes as values, and as lines of JSON."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from deepgym_envs.strict_json import read_json, write_json

EpisodeKey = tuple[str, str, int, int]
"""Task id, agent, index of the episode, seed: what an episode is called in a store."""


@dataclass(frozen=True)
class Step:
    """One action and what came of it.

    ``tool`` and ``arguments`` are the action as a tool call; ``output``, ``ok`` and ``tests`` (passed,
    failed; -1 before the first run) are the observation; ``error`` says why the action was refused.
    ``reward`` is the sum of ``reward_terms``. ``state`` is the workspace's digest and ``potential`` its
    potential, both after the step.
    """

    tool: str
    arguments: Mapping[str, Any]
    output: str
    ok: bool
    tests: tuple[int, int]
    error: str
    reward: float
    reward_terms: Mapping[str, float]
    state: str
    potential: float
    terminated: bool
    truncated: bool


@dataclass(frozen=True)
class Judgement:
    """The verdict in short: what a ``Verdict`` says, without the outcome of each hidden test."""

    passed: bool
    reason: str
    flags: tuple[str, ...] = ()
    forge_probability: float = 1.0


@dataclass(frozen=True)
class Trajectory:
    """One episode, whole.

    ``patch`` is the final state as a diff of the base; bytes of it that are not UTF-8 stand there as
    Python's surrogate escapes. ``judgement`` is None when the episode was not judged. A ``masked`` one met
    a failure of the infrastructure, told in ``error``, and says nothing about the agent. ``seconds`` is
    wall-clock time. ``record`` is the signed evidence of the verdict (``deepgym_envs.grade.evidence``), empty
    where nobody signed. These two take no part in comparisons.
    """

    task: str
    task_digest: str
    agent: str
    sandbox: str
    seed: int
    index: int
    instruction: str
    start_state: str
    start_potential: float
    steps: tuple[Step, ...]
    judgement: Judgement | None
    patch: str
    masked: bool = False
    error: str = ""
    seconds: float = field(default=0.0, compare=False)
    record: str = field(default="", compare=False)

    @property
    def passed(self) -> bool:
        """Whether it was judged and the hidden tests passed."""
        return self.judgement is not None and self.judgement.passed

    @property
    def total_reward(self) -> float:
        """Sum of all steps' rewards, without a discount."""
        return sum(step.reward for step in self.steps)

    @property
    def key(self) -> EpisodeKey:
        """What the episode is called in a store."""
        return self.task, self.agent, self.index, self.seed

    @property
    def digest(self) -> str:
        """SHA-256 of all but the record, which names it, as 64 hexadecimal digits."""
        return hashlib.sha256(replace(self, record="").to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """One line of ASCII; ``from_json`` takes it back."""
        return write_json("trajectory", asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Trajectory:
        """The trajectory that ``to_json`` wrote.

        Raises:
            ValueError: it is not one, or of another format.
        """
        data = read_json(text, "trajectory")
        try:
            steps = tuple(Step(**{**step, "tests": tuple(step["tests"])}) for step in data.pop("steps"))
            said = data.pop("judgement")
            judgement = Judgement(**{**said, "flags": tuple(said["flags"])}) if said else None
            return cls(steps=steps, judgement=judgement, **data)
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"this is not a trajectory: {error!r}") from None


def export_jsonl(trajectories: Iterable[Trajectory], target: Path) -> int:
    """Write one line of JSON per episode to ``target``, which appears whole or not at all; returns how many.

    Raises:
        OSError: it cannot be written.
    """
    scratch = target.with_name(f".{target.name}.new")
    count = 0
    try:
        with scratch.open("w", encoding="ascii") as file:
            for trajectory in trajectories:
                file.write(trajectory.to_json() + "\n")
                count += 1
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
    return count
