"""The box in which code is judged: clean for each use, whatever the one before did to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, TypeVar

from deepgym_envs.errors import ActionError, BoxLost, SandboxError
from deepgym_envs.grade.blame import excuse
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.backend import place_of
from deepgym_envs.sandbox.contract import Closing
from deepgym_envs.sandbox.pool import for_grading
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

T = TypeVar("T")
Unusable = Literal["does_not_fit", "box_lost"]


class CleanBox(Closing):
    """A box of ``task`` that is opened when it is needed, put back to the base for each use, and replaced
    once it is lost.

    For one thread at a time, but for ``close``; ``closings`` counts the calls of that.
    """

    def __init__(self, task: Task, backend: Backend) -> None:
        self.closings = 0
        self._task = task
        self._backend = for_grading(backend)
        self._base = WorkspaceState(task.base)
        self._box: Sandbox | None = None
        self._place: str | None = None

    @property
    def backend(self) -> str:
        """The name of the backend that boxes come from."""
        return self._backend.name

    @property
    def place(self) -> str:
        """What identifies the boxes that are opened; empty where the backend does not tell."""
        if self._place is None:
            self._place = place_of(self._backend, self._task)
        return self._place

    def use(self, work: Callable[[Sandbox], T], *, warm: bool = True) -> T | Unusable:
        """What ``work`` gives; in its place a word for what the state that it puts into the box did there.

        Not ``warm``, each command has an interpreter that was started for it, with a hash seed of its own.

        Raises:
            SandboxError: the box failed, for a reason that the code under test cannot have caused.
        """
        try:
            box = self._at_base()
            return work(box if warm else _Cold(box))
        except ActionError:
            return "does_not_fit"
        except BoxLost as error:
            self._give_up()
            why = excuse(error, self._backend)
            if why is not None:
                raise SandboxError(f"{self._task.id} could not be judged: {why}") from None
            return "box_lost"

    def close(self) -> None:
        """Give the box up; the next use opens another. From another thread it ends what runs there."""
        self.closings += 1
        self._give_up()

    def _give_up(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            box.close()

    def _at_base(self) -> Sandbox:
        box = self._box
        if box is not None:
            try:
                box.restore(self._base)
                return box
            except (BoxLost, ActionError):
                self._give_up()  # what an earlier state did to it is not this one's doing
        self._place = None  # what the next box is made of may be another image
        closings = self.closings
        box = self._box = self._backend.open(self._task)
        if self.closings != closings:  # whoever closed this may have found nothing to close
            raise BoxLost("the box was closed while it was being opened")
        return box


class _Cold(Closing):
    """``box``, but that nothing starts warm in it."""

    def __init__(self, box: Sandbox) -> None:
        self._box = box
        self.restore, self.capture, self.read, self.find = box.restore, box.capture, box.read, box.find

    def run(self, command: Command) -> Completed:
        return self._box.run(replace(command, warm=False))

    def close(self) -> None:
        self._box.close()
