"""The environment: one task, played step by step in a box, judged at the end in another."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, Literal

import gymnasium as gym
import numpy as np
from gymnasium.error import ResetNeeded

from deepgym_envs.action import Action, Submit, decode
from deepgym_envs.errors import ActionError, BoxLost, SandboxError
from deepgym_envs.grade import Grader, Memory, Verdict, excuse
from deepgym_envs.reward import (
    Fold,
    Potential,
    folded,
    latest,
    measured,
    shaping,
    terminal_reward,
    visible_tests,
)
from deepgym_envs.sandbox import Backend, BackendName, Pool, Sandbox, choose_backend
from deepgym_envs.spaces import action_space, observation_space
from deepgym_envs.state import WorkspaceState
from deepgym_envs.suite import load_task
from deepgym_envs.task import Task
from deepgym_envs.text import clean, shorten
from deepgym_envs.toolbox import Effect, Toolbox
from deepgym_envs.toolcall import from_text

Measure = Literal["run_tests", "every_step", "never"]
Truncation = Literal["zero", "bootstrap"]
Observation = dict[str, Any]
Info = dict[str, Any]


@dataclass(frozen=True)
class Snapshot:
    """An episode at one moment, as a value: enough to go on from there in any environment of the same task.

    ``potential`` is the number that was last paid out, ``seconds`` the wall-clock time used, ``random_state``
    that of the environment's generator.
    """

    task: str
    state: WorkspaceState
    steps: int
    potential: float
    tests: tuple[int, int]
    seconds: float
    over: bool
    random_state: Mapping[str, Any]


class SweEnv(gym.Env[Observation, Mapping[str, Any] | str]):
    """A repository with something wrong in it, as a Gymnasium environment.

    Args:
        task: an id such as ``starter/...``, a task's folder, or a ``Task``; ``reset(options={"task": ...})``
            changes it.
        sandbox: ``docker``, ``bwrap``, ``local``, ``auto`` (the first of docker and bwrap that works), a
            backend, or a ``Pool`` to share boxes with other environments. Without one, this environment and
            its forks share a pool of their own, which ends with the last of them.
        commands: whether the agent may run shell commands.
        measure: when the potential is measured and shaping is paid: each time the agent runs the tests (the
            default, so that reading and editing stay below a millisecond), after every step that changed a
            file, or never.
        gamma: discount of the learner's return, in (0, 1]; shaping is exact only if the two agree.
        potential: maps states to [0, 1]; by default the share of visible tests that pass.
        fold: makes of each number that is measured the one that is paid; by default it is that number.
        truncation: what a spent budget pays. ``zero`` (right for learners without a critic) judges what is
            there, as for an end of the agent's own; the potential is 0. ``bootstrap`` is for learners that
            add a critic's value of the last state: shaping is paid to the potential of that state, and no
            terminal reward, which would count twice; the verdict is in ``info`` all the same.
        memory: results that are known already; give one to several environments to share them.
        render_mode: None or ``ansi``.

    ``step`` never raises for what an agent does. When the infrastructure fails, the episode ends with
    ``truncated`` and ``info["masked"]``, and the sample says nothing about the agent. ``reset`` then starts
    anew; it raises ``SandboxError`` if no box can be had.

    ``info`` has the same keys at reset and at every step: ``task``, ``tool``, ``error`` (why the action was
    refused, or what broke), ``state`` (digest), ``changed_files``, ``step``, ``potential``, ``reward_terms``
    (``shaping`` and ``terminal``, which sum to the reward), ``judged``, ``passed``, ``reason``, ``flags``,
    ``forge_probability``, ``confidence`` (-1 when none was given), ``masked``.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"], "render_fps": 1}  # type: ignore[misc]

    def __init__(  # noqa: PLR0913 - all but two are settings by name
        self,
        task: str | Task,
        sandbox: BackendName | Backend = "auto",
        *,
        commands: bool = False,
        measure: Measure = "run_tests",
        gamma: float = 1.0,
        potential: Potential = visible_tests,
        fold: Fold = latest,
        truncation: Truncation = "zero",
        memory: Memory | None = None,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, "ansi"):
            raise ValueError(f"render_mode must be None or 'ansi', not {render_mode!r}")
        if measure not in ("run_tests", "every_step", "never"):
            raise ValueError(f"measure must be 'run_tests', 'every_step' or 'never', not {measure!r}")
        if truncation not in ("zero", "bootstrap"):
            raise ValueError(f"truncation must be 'zero' or 'bootstrap', not {truncation!r}")
        shaping(gamma, 0.0, 0.0)
        self.render_mode = render_mode
        backend = choose_backend(sandbox)
        self._pool = backend if isinstance(backend, Pool) else Pool(backend, keep=False)
        self._commands = commands
        self._measure = measure
        self._gamma = gamma
        self._potential = potential
        self._fold = fold
        self._truncation = truncation
        self._memory = memory if memory is not None else Memory()
        self._box: Sandbox | None = None
        self._verdict: Verdict | None = None
        self._over = True
        self._steps = 0
        self._phi = 0.0
        self._tests = (-1, -1)
        self._deadline = 0.0
        self._last = ""
        self._take_on(task if isinstance(task, Task) else load_task(task))

    @cached_property
    def action_space(self) -> gym.Space[Mapping[str, Any] | str]:  # type: ignore[override]
        """See ``spaces.action_space``; made when asked for, since it takes longer than all else of a fork."""
        return action_space(commands=self._commands)

    @cached_property
    def observation_space(self) -> gym.Space[Observation]:  # type: ignore[override]
        """See ``spaces.observation_space``."""
        return observation_space()

    @property
    def task(self) -> Task:
        """The task being played."""
        return self._task

    @property
    def measure(self) -> Measure:
        """When the potential is measured and shaping is paid."""
        return self._measure

    @property
    def sandbox(self) -> str:
        """The name of the backend that the boxes come from."""
        return self._pool.name

    @property
    def state(self) -> WorkspaceState:
        """The workspace as a value."""
        return self._state

    @property
    def verdict(self) -> Verdict | None:
        """The verdict on this episode, once there is one."""
        return self._verdict

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """Begin an episode; ``options`` may hold ``task``, an id or a ``Task``.

        Raises:
            ValueError: an option is not known.
            UnknownTask: there is no such task.
            SandboxError: no box can be had.
        """
        super().reset(seed=seed)
        options = dict(options or {})
        wanted = options.pop("task", None)
        if options:
            raise ValueError(f"unknown options {sorted(options)}; there is 'task'")
        if wanted is not None and wanted != self._task.id and wanted is not self._task:
            other = wanted if isinstance(wanted, Task) else load_task(wanted)
            self.close()
            self._take_on(other)
        self._over = True  # until all is known that an episode begins with
        self._begin(WorkspaceState(self._task.base))
        self._pool.grading.prefetch(self._task)
        self._steps, self._tests, self._verdict, self._phi = 0, (-1, -1), None, 0.0
        if self._measure != "never":
            self._phi = self._measured()
        self._deadline = time.monotonic() + self._task.limits.seconds
        self._over = False
        observation = self._observation("", ok=True)
        return observation, self._info("", "", {"shaping": 0.0, "terminal": 0.0}, None)

    def step(self, action: Mapping[str, Any] | str) -> tuple[Observation, float, bool, bool, Info]:
        """Carry out one action: an element of the action space, a looser dict, or a tool call as JSON text.

        See ``deepgym_envs.action.decode`` and ``deepgym_envs.toolcall.from_text``.

        Raises:
            gymnasium.error.ResetNeeded: there is no episode, or it is over.
            Exception: what the potential or the fold raises, but for errors of the infrastructure;
                ``ValueError`` where they give what is not in [0, 1]. The episode is then over.
        """
        if self._over:
            raise ResetNeeded("the episode is over, or none was begun: call reset()")
        left = self._deadline - time.monotonic()
        try:
            if left <= 0:
                return self._end("the time for this episode is used up", "", None, truncated=True)
            return self._act(action, left)
        except SandboxError as error:
            return self._mask(error)
        except Exception:  # of a potential: a step that was not paid must not be followed by one that is
            self._over = True
            raise

    def close(self) -> None:
        """Give up what it has of boxes; a pool that it was given stays. Again, it does nothing.

        It may be called from another thread while a call runs: a step there ends masked, a reset with
        ``SandboxError``. A box that is only just being opened outlives this, and is closed by the next
        ``close``, after that call.
        """
        box, self._box, self._over = self._box, None, True
        if box is not None:
            box.close()
        self._grader.close()

    def render(self) -> str | None:
        """The last step as text, for ``render_mode="ansi"``."""
        if self.render_mode is None:
            return None
        head = f"{self._task.id} step {self._steps}/{self._task.limits.steps} phi {self._phi:.3f}"
        return f"{head} changed {', '.join(map(clean, self._state.changed_paths)) or 'nothing'}\n{self._last}"

    def snapshot(self) -> Snapshot:
        """The episode as a value; it stays true whatever happens afterwards."""
        used = self._task.limits.seconds - (self._deadline - time.monotonic())
        generator = self.np_random.bit_generator.state
        return Snapshot(
            self._task.id, self._state, self._steps, self._phi, self._tests, used, self._over, generator
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Go on from ``snapshot``, as often as wanted.

        Raises:
            ValueError: it belongs to another task.
            SandboxError: no box can be had.
        """
        if snapshot.task != self._task.id or snapshot.state.base != self._task.base:
            raise ValueError(
                f"the snapshot belongs to {snapshot.task}, this environment plays {self._task.id}"
            )
        self._begin(snapshot.state)
        self._steps, self._phi, self._tests = snapshot.steps, snapshot.potential, snapshot.tests
        self._deadline = time.monotonic() + self._task.limits.seconds - snapshot.seconds
        self._over, self._verdict, self._last = snapshot.over, None, ""
        self.np_random.bit_generator.state = dict(snapshot.random_state)

    def fork(self) -> SweEnv:
        """An independent environment in the same state of the same episode; close it when done.

        It shares this one's pool of boxes, and needs one of them only while it steps.

        Raises:
            SandboxError: no box can be had.
        """
        twin = SweEnv(
            self._task, self._pool, commands=self._commands, measure=self._measure, gamma=self._gamma,
            potential=self._potential, fold=self._fold, truncation=self._truncation, memory=self._memory,
            render_mode=self.render_mode,
        )  # fmt: skip
        try:
            twin.restore(self.snapshot())
        except BaseException:
            twin.close()
            raise
        twin._verdict, twin._last = self._verdict, self._last
        return twin

    def _take_on(self, task: Task) -> None:
        self._task = task
        self._state = WorkspaceState(task.base)
        self._grader = Grader(task, self._pool, self._memory)

    def _begin(self, state: WorkspaceState) -> None:
        """Have a box that holds ``state``: the one at hand, or a new one if that does not answer any more."""
        lost = self._box
        if lost is not None:
            try:
                lost.restore(state)
                self._state = state
                return
            except BoxLost:
                self._box = None
        try:
            box = self._box = self._pool.open(self._task)
            box.restore(state)
        finally:
            if lost is not None:
                lost.close()  # only now, as a pool of our own ends with the last that is open
        self._state = state

    def _act(
        self, given: Mapping[str, Any] | str, left: float
    ) -> tuple[Observation, float, bool, bool, Info]:
        action: Action | None = None
        refused = ""
        done = Effect("", self._state)
        before = self._state
        self._steps += 1
        try:
            action = _understood(given, self._commands)
            if isinstance(action, Submit):
                return self._end("submitted", "submit", action.confidence, truncated=False)
            box = self._box
            if box is None:
                raise BoxLost("the environment was closed")
            done = Toolbox(box, self._task, self._grader.shown).perform(action, before, left)
        except ActionError as error:
            refused = shorten(clean(str(error)), self._task.limits.output_bytes)
        except BoxLost as error:
            why = excuse(error, self._pool)
            if why is not None:
                raise SandboxError(why) from None
            return self._lose_box(action)
        self._state = done.state
        self._tests = done.tests or self._tests
        tool = action.tool if action is not None else ""
        if self._steps >= self._task.limits.steps:
            return self._end(refused or done.output, tool, None, truncated=True, refused=refused)
        changed = self._state != before
        measured = (self._measure == "run_tests" and done.tests) or (
            self._measure == "every_step" and changed
        )
        terms = self._shaped(self._measured() if measured else self._phi)
        observation = self._observation(refused or done.output, ok=not refused)
        return observation, sum(terms.values()), False, False, self._info(tool, refused, terms, None)

    def _shaped(self, phi: float) -> dict[str, float]:
        """The reward of a step to the potential ``phi``, which is the old one where it was not measured.

        With a discount below 1 a step that keeps the potential is paid too: only then is the sum exact.
        """
        if self._measure == "never":
            return {"shaping": 0.0, "terminal": 0.0}
        before, self._phi = self._phi, phi
        return {"shaping": shaping(self._gamma, before, phi), "terminal": 0.0}

    def _lose_box(self, action: Action | None) -> tuple[Observation, float, bool, bool, Info]:
        """The agent's own code broke its box: a new one gets the state before, and the agent is told."""
        self._begin(self._state)
        tool = action.tool if action is not None else ""
        said = "the sandbox broke down while this ran; the workspace is as it was before"
        if self._steps >= self._task.limits.steps:
            return self._end(said, tool, None, truncated=True, refused=said)
        terms = self._shaped(self._phi)
        info = self._info(tool, said, terms, None)
        return self._observation(said, ok=False), sum(terms.values()), False, False, info

    def _end(
        self, output: str, tool: str, confidence: float | None, *, truncated: bool, refused: str = ""
    ) -> tuple[Observation, float, bool, bool, Info]:
        """Judge what is there. The potential of an end is 0, whatever the state, unless a learner goes on
        from there by its critic; that one holds what the episode was still worth."""
        goes_on = truncated and self._truncation == "bootstrap"
        phi = self._measured() if goes_on and self._measure != "never" else 0.0
        self._verdict = self._grader.grade(self._state)
        self._over = True
        terms = self._shaped(phi)
        terms["terminal"] = 0.0 if goes_on else terminal_reward(self._verdict)
        observation = self._observation(output, ok=not refused)
        info = self._info(tool, refused, terms, self._verdict, confidence)
        return observation, sum(terms.values()), not truncated, truncated, info

    def _mask(self, error: SandboxError) -> tuple[Observation, float, bool, bool, Info]:
        """The infrastructure failed: end the episode with nothing to learn from, and give up the boxes."""
        self.close()
        terms = {"shaping": 0.0, "terminal": 0.0}
        info = self._info("", str(error), terms, None)
        info["masked"] = True
        return self._observation("", ok=True), 0.0, False, True, info

    def _measured(self) -> float:
        phi = measured(self._potential, self._grader, self._state)
        return folded(self._fold, self._phi, phi, self._steps)

    def _observation(self, output: str, *, ok: bool) -> Observation:
        limits = self._task.limits
        self._last = shorten(output, limits.output_bytes + 1000)
        return {
            "instruction": self._task.instruction,
            "output": self._last,
            "ok": np.int64(ok),
            "tests": np.array(self._tests, dtype=np.int32),
            "steps_left": np.array(max(0, limits.steps - self._steps), dtype=np.int32),
        }

    def _info(
        self,
        tool: str,
        error: str,
        terms: Mapping[str, float],
        verdict: Verdict | None,
        confidence: float | None = None,
    ) -> Info:
        return {
            "task": self._task.id,
            "tool": tool,
            "error": error,
            "state": self._state.digest,
            "changed_files": self._state.changed_paths,
            "step": self._steps,
            "potential": self._phi,
            "reward_terms": dict(terms),
            "judged": verdict is not None,
            "passed": verdict is not None and verdict.passed,
            "reason": verdict.reason if verdict else "",
            "flags": verdict.flags if verdict else (),
            "forge_probability": verdict.forge_probability if verdict else 1.0,
            "confidence": -1.0 if confidence is None else float(confidence),
            "masked": False,
        }


def _understood(given: Mapping[str, Any] | str, commands: bool) -> Action:
    if isinstance(given, str):
        return from_text(given, commands=commands)
    return decode(given, commands=commands)
