"""Which boxes a pool has, and which of them is best for whom. Decides and counts; talks to no box."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from deepgym_envs.errors import BoxLost
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

PATIENCE_SECONDS = 0.05  # who leaves a workspace in a box for longer is not about to capture it

Purpose = Literal["play", "grade"]


class BoxKind(NamedTuple):
    """Boxes of one kind, for one purpose and of the task with one digest, can stand in for each other."""

    purpose: Purpose
    task: str


@dataclass(eq=False)
class Slot:
    """Room for one real box.

    ``box`` is None until it is opened, ``state`` while nobody knows what the box holds. It is ``busy`` while
    a call runs, ``user``'s, or while the box is opened for nobody yet; ``new`` if it was opened for that
    call, ``used`` once a call has ended, at ``left_at`` (seconds, monotonic). ``owner`` is whose workspace
    lies in it that is no value yet. ``evicted`` are boxes to be closed before this one is opened.
    """

    kind: BoxKind
    megabytes: int
    evicted: list[Sandbox]
    box: Sandbox | None = None
    state: WorkspaceState | None = None
    busy: bool = False
    new: bool = False
    used: bool = False
    user: Borrower | None = None
    owner: Borrower | None = None
    left_at: float = 0.0


@dataclass(eq=False)
class Borrower:
    """Whose calls need a box.

    ``state`` is its workspace, or None while that lies in ``slot``; ``dropped`` what was removed when
    somebody else captured it. ``slot`` is also the one that a call of its uses, ``last`` the one before.
    ``lost`` says why there is no workspace any more.
    """

    task: Task
    kind: BoxKind
    state: WorkspaceState | None
    dropped: tuple[tuple[str, str], ...] = ()
    slot: Slot | None = None
    last: Slot | None = None
    lost: BoxLost | None = None
    closed: bool = False
    process: int = field(default_factory=os.getpid)


def megabytes_of(task: Task) -> int:
    """What a box of ``task`` may use at most: its programs' memory, and its disk, which is memory too."""
    return task.limits.memory_mb + task.limits.disk_mb


class Shelf:
    """Slots, at most ``size`` for each purpose, and boxes of at most ``memory_mb`` together if given.

    Not safe between threads. ``borrowers`` counts by kind who has a sandbox open.
    """

    def __init__(self, size: int, memory_mb: int | None) -> None:
        self.slots: list[Slot] = []
        self.borrowers: Counter[BoxKind] = Counter()
        self._size = size
        self._memory_mb = memory_mb

    @property
    def in_use(self) -> bool:
        """Whether anybody has a sandbox open."""
        return any(count > 0 for count in self.borrowers.values())

    def of(self, kind: BoxKind) -> list[Slot]:
        """All slots of one kind."""
        return [slot for slot in self.slots if slot.kind == kind]

    def coming(self) -> Counter[BoxKind]:
        """How many boxes are being opened for nobody in particular."""
        return Counter(
            slot.kind for slot in self.slots if slot.busy and slot.box is None and slot.user is None
        )

    def choose(self, borrower: Borrower, wanted: WorkspaceState, *, coming: bool) -> Slot | None:
        """The slot that ``borrower`` gets now, for a box that is to hold ``wanted``; None if it has to wait.

        One without a box has to be opened. One with an ``owner`` has to be captured first, then ask again.
        ``coming`` says that a box for it is being opened.
        """
        kind, needed = borrower.kind, megabytes_of(borrower.task)
        alike = [slot for slot in self.of(kind) if not slot.busy]
        idle = [slot for slot in alike if slot.owner is None]
        if idle:
            return _nearest(idle, borrower, wanted)
        left = min(alike, key=_left_at, default=None)
        if left is not None and time.monotonic() - left.left_at > PATIENCE_SECONDS:
            return left
        if coming:
            return None
        if self._fits(kind.purpose, needed):
            return self._add(kind, needed)
        if left is not None:
            return left
        victims = self._victims(kind.purpose, needed, forced=True)
        return self._next_owned(kind.purpose) if victims is None else self._add(kind, needed, victims)

    def has_spare(self, kind: BoxKind, task: Task) -> bool:
        """Whether a box can be opened ahead of need without one being taken from a task in use."""
        return self._victims(kind.purpose, megabytes_of(task), forced=False) is not None

    def spare(self, kind: BoxKind, task: Task) -> Slot | None:
        """A slot to open ahead of need, if there is one to spare."""
        victims = self._victims(kind.purpose, megabytes_of(task), forced=False)
        return None if victims is None else self._add(kind, megabytes_of(task), victims)

    def remove(self, slot: Slot) -> list[Sandbox]:
        """Take a slot out; the boxes that are to be closed for that."""
        if slot in self.slots:
            self.slots.remove(slot)
        boxes, slot.evicted = slot.evicted, []
        return boxes if slot.box is None else [*boxes, slot.box]

    def _fits(self, purpose: Purpose, needed: int, without: Sequence[Slot] = ()) -> bool:
        rest = [slot for slot in self.slots if slot not in without]
        if sum(slot.kind.purpose == purpose for slot in rest) >= self._size:
            return False
        return self._memory_mb is None or sum(slot.megabytes for slot in rest) + needed <= self._memory_mb

    def _victims(self, purpose: Purpose, needed: int, *, forced: bool) -> list[Slot] | None:
        """Idle boxes whose end makes room: first those of tasks that nobody plays, longest unused first."""
        idle = [slot for slot in self.slots if not slot.busy and slot.owner is None]
        if not forced:
            idle = [slot for slot in idle if slot.used and self.borrowers[slot.kind] <= 0]
        idle.sort(key=lambda slot: (self.borrowers[slot.kind] > 0, slot.left_at))
        same = [slot for slot in idle if slot.kind.purpose == purpose]
        victims = [] if self._fits(purpose, 0) else same[:1]
        for slot in idle:
            if self._fits(purpose, needed, victims):
                break
            if slot not in victims:
                victims.append(slot)
        return victims if self._fits(purpose, needed, victims) else None

    def _next_owned(self, purpose: Purpose) -> Slot | None:
        """A box of another kind that could make room once its workspace is captured."""
        owned = [slot for slot in self.slots if not slot.busy and slot.owner is not None]
        if not self._fits(purpose, 0):  # else it is memory that is short, which a box of any purpose can give
            owned = [slot for slot in owned if slot.kind.purpose == purpose]
        return min(owned, key=_left_at, default=None)

    def _add(self, kind: BoxKind, megabytes: int, victims: Sequence[Slot] = ()) -> Slot:
        slot = Slot(kind, megabytes, evicted=[box for victim in victims for box in self.remove(victim)])
        self.slots.append(slot)
        return slot


def _nearest(idle: Sequence[Slot], borrower: Borrower, wanted: WorkspaceState) -> Slot:
    """The box that holds the state, else the one that the borrower had last, else the least different."""
    for slot in idle:
        if slot.state is not None and slot.state.digest == wanted.digest:
            return slot
    last = borrower.last
    if last is not None and last in idle:
        return last
    return min(idle, key=lambda slot: _distance(slot.state, wanted))


def _distance(old: WorkspaceState | None, new: WorkspaceState) -> float:
    """About how many files have to be sent."""
    if old is None:
        return float("inf")
    return sum(old.changes.get(path) is not new.changes.get(path) for path in {*old.changes, *new.changes})


def _left_at(slot: Slot) -> float:
    return slot.left_at
