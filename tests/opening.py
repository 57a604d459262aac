"""Counts boxes."""

from __future__ import annotations

from deepgym_envs.sandbox import Backend, Sandbox
from deepgym_envs.sandbox.box import Box
from deepgym_envs.task import Task


class Opening:
    """A backend that keeps what it opens in ``boxes``, at ``most`` so many at a time; implements ``Backend``."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.boxes: list[Box] = []
        self.most = 0

    @property
    def name(self) -> str:
        return self._backend.name

    def problem(self) -> str | None:
        return self._backend.problem()

    def prepare(self, task: Task) -> None:
        self._backend.prepare(task)

    def open(self, task: Task) -> Sandbox:
        box = self._backend.open(task)
        assert isinstance(box, Box)
        self.boxes.append(box)
        self.most = max(self.most, self.alive)
        return box

    @property
    def alive(self) -> int:
        """How many of the boxes are open."""
        return sum(box._release is not None for box in self.boxes)
