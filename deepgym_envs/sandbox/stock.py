"""Lends warm boxes, each to one call at a time.

Between calls a box lies idle and holds a state that is known, or a workspace that a command has touched and
that nobody has captured yet. Where boxes are short, whoever needs that one captures it for its owner first.
So nobody holds a box while waiting for another; every wait ends with somebody's call, and calls have limits.
"""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from deepgym_envs.errors import ActionError, BoxLost, SandboxError
from deepgym_envs.sandbox.backend import Backend
from deepgym_envs.sandbox.contract import Sandbox
from deepgym_envs.sandbox.shelf import Borrower, BoxKind, Purpose, Shelf, Slot, megabytes_of
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

KNOWN_STATES = 10_000
LANDING_SECONDS = 30.0


@dataclass(eq=False)
class _Waiter:
    """One who waits for a slot. ``at_work``: it has one whose workspace it has to capture for the owner."""

    borrower: Borrower
    wanted: WorkspaceState
    ready: threading.Event = field(default_factory=threading.Event)
    slot: Slot | None = None
    at_work: bool = False


class Stock:
    """Real boxes of any tasks; see ``Pool`` for the settings.

    All methods may be called from any thread. A borrower is for one thread at a time, except that ``leave``
    may come from another and ends the call under way. Nothing slow happens under the lock.

    A call may be broken off anywhere, by Ctrl-C for instance; its caller then says so with ``break_off``. So
    whatever a slot needs to be found again is written in one statement, and boxes that nobody waits for are
    opened in threads, which no signal reaches, from the decision on.
    """

    def __init__(self, backend: Backend, *, size: int, memory_mb: int | None, keep: bool) -> None:
        self._backend = backend
        self._size = size
        self._memory_mb = memory_mb
        self._keep = keep
        self._closed = False
        self._restarts: dict[int, threading.Lock] = {}
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._shelf = Shelf(self._size, self._memory_mb)
        self._waiting: list[_Waiter] = []
        self._ending = 0  # boxes that were taken out and are not closed yet
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._process = os.getpid()  # last, for another thread may ask in which process this began

    def _arrive(self, borrower: Borrower | None = None) -> None:
        """A forked child has a copy of its parent's memory, but must not talk to its parent's boxes."""
        if self._process != os.getpid():
            # A lock of this process alone: of the parent's any may have been held at the fork, for ever.
            with self._restarts.setdefault(os.getpid(), threading.Lock()):
                if self._process != os.getpid():
                    self._begin()
        if borrower is not None and borrower.process != self._process:
            with self._lock:
                if borrower.process != self._process:  # else another thread was faster
                    self._adopt(borrower)

    def _adopt(self, borrower: Borrower) -> None:
        """Take over what a forked child has of its parent's borrower."""
        if borrower.state is None:
            borrower.lost = BoxLost("a command had run in a box of the parent process")
        if not borrower.closed:
            self._shelf.borrowers[borrower.kind] += 1
        borrower.slot, borrower.last, borrower.process = None, None, self._process

    @property
    def closed(self) -> bool:
        """Whether ``close`` was called."""
        return self._closed

    # -------------------------------------------------------------------------------- borrowers

    def enrol(self, borrower: Borrower) -> None:
        """Count a borrower. There is a box for its task then: a new one if there was none, for whose turn
        it waits as ``hold`` does.

        Raises:
            SandboxError: the stock is closed, the task's boxes are too big for it, or none can be opened.
        """
        self._arrive()
        needed = megabytes_of(borrower.task)
        if self._memory_mb is not None and needed > self._memory_mb:
            raise SandboxError(
                f"a box of {borrower.task.id} may use {needed} MB, and the whole pool {self._memory_mb}; "
                "give the pool more memory_mb"
            )
        with self._lock:
            if self._closed:
                raise SandboxError("the pool of boxes is closed; make another")
            self._shelf.borrowers[borrower.kind] += 1
            there = any(slot.box is not None for slot in self._shelf.of(borrower.kind))
        if there:
            return
        try:
            assert borrower.state is not None
            self.hold(borrower, borrower.state)
            self.give_back(borrower)
        except BaseException:
            self.break_off(borrower)
            self.leave(borrower)
            raise

    def leave(self, borrower: Borrower) -> None:
        """Forget a borrower; a call of its that is under way in another thread fails.

        Where that was the last one and boxes are not kept, waits up to 30 s until all of them are closed.
        """
        self._arrive(borrower)
        with self._lock:
            if borrower.closed:
                return
            borrower.closed = True
            self._shelf.borrowers[borrower.kind] -= 1
            slot, borrower.slot = borrower.slot, None
            doomed: list[Sandbox] = []
            if slot is not None and slot.user is borrower:
                doomed = self._removed(slot) if slot.box is not None else []
            elif slot is not None:
                slot.owner = None
            for waiter in self._waiting:
                if waiter.borrower is borrower:
                    waiter.ready.set()
            doomed += self._unwanted()
            self._serve()
        self._end(doomed)
        self._await_landing()

    def settle(self, borrower: Borrower, state: WorkspaceState) -> bool:
        """Make ``state`` the borrower's workspace, if a box of its task is known to be able to hold it."""
        self._arrive(borrower)
        key = (borrower.task.digest, state.digest)
        with self._lock:
            if state.changes and key not in self._known:
                return False
            slot, borrower.slot = borrower.slot, None
            borrower.state, borrower.dropped = state, ()
            if slot is not None:
                slot.owner = None
                self._serve()
        return True

    def learn(self, task: Task, state: WorkspaceState) -> None:
        """Remember that a box of ``task`` has held ``state``."""
        key = (task.digest, state.digest)
        with self._lock:
            self._known[key] = None
            self._known.move_to_end(key)
            while len(self._known) > KNOWN_STATES:
                self._known.popitem(last=False)

    # -------------------------------------------------------------------------------- calls

    def retake(self, borrower: Borrower) -> Slot | None:
        """The box in which the borrower's workspace lies, for a call; None where that is a value by now.

        Waits while somebody captures it, which a box bounds to half a minute.

        Raises:
            BoxLost: the stock was closed, or the call before this one was broken off.
        """
        self._arrive(borrower)
        with self._lock:
            while borrower.slot is not None and borrower.slot.busy:  # somebody captures it at this moment
                if self._closed:
                    raise BoxLost("the pool of boxes is closed")
                if borrower.slot.user is borrower:
                    raise BoxLost("a call on this box was broken off")
                self._changed.wait()
            slot = borrower.slot
            if slot is not None:
                slot.busy, slot.user, slot.owner = True, borrower, None
            return slot

    def hold(self, borrower: Borrower, state: WorkspaceState) -> Slot:
        """A box that holds ``state``, for a call; waits where all are busy, for as long as calls last.

        One that fails before it holds the state is replaced: nothing of the borrower's ran in it.

        Raises:
            ActionError: the state does not fit.
            BoxLost: the borrower or the stock was closed, or a new box failed too.
            SandboxError: no box could be opened.
        """
        self._arrive(borrower)
        while True:
            slot = self._granted(_Waiter(borrower, state))
            try:
                if slot.box is None:
                    slot.new = True
                    self._open(slot, borrower.task)
                if slot.state is not state or slot is not borrower.last:
                    _bring(slot, state)
            except ActionError:
                self._leave_box(borrower, slot)
                raise
            except BoxLost as error:
                self.discard(borrower, slot)
                if slot.new:
                    raise BoxLost(f"a new box failed: {error}") from None
            except BaseException:
                self.discard(borrower, slot)
                raise
            else:
                if not borrower.closed:
                    return slot
                self._leave_box(borrower, slot)
                raise BoxLost("the box is closed")

    def give_back(self, borrower: Borrower) -> None:
        """A call is over. What it left in the box is the borrower's workspace, where that is no value."""
        slot = borrower.slot
        if slot is not None:
            slot.state = borrower.state
            self._leave_box(borrower, slot)

    def break_off(self, borrower: Borrower) -> None:
        """A call has ended in the middle of something. Nobody knows what a box that it held is doing now."""
        with self._lock:
            held = [slot for slot in self._shelf.slots if slot.user is borrower]
            self._serve()  # it may have been serving somebody else
        for slot in held:
            self.discard(borrower, slot)

    def _leave_box(self, borrower: Borrower, slot: Slot) -> None:
        with self._lock:
            slot.new, slot.used, slot.left_at, borrower.last = False, True, time.monotonic(), slot
            owner = borrower if borrower.state is None and not borrower.closed else None
            held = slot if owner else None
            slot.busy, slot.user, slot.owner, borrower.slot = False, None, owner, held
            doomed = self._unwanted()
            self._serve()
        self._end(doomed)

    def discard(self, borrower: Borrower, slot: Slot) -> None:
        """The box that a call used is no good any more; another is opened in the background."""
        if slot.box is not None:
            slot.box.close()  # before there is room for another
        with self._lock:
            if borrower.slot is slot:
                borrower.slot = None
            ours = slot in self._shelf.slots and slot.box is not None
            doomed = self._removed(slot)
            self._serve()
            again = ours and self._wanted() and self._shelf.has_spare(borrower.kind, borrower.task)
        self._end(doomed)
        if again:
            self._open_in_background(borrower.kind, borrower.task, only_if_none=False)

    def prefetch(self, kind: BoxKind, task: Task) -> None:
        """Open a box in the background if there is none of this kind, and no task in use has to give way."""
        self._arrive()
        with self._lock:
            useful = self._wanted() and not self._shelf.of(kind) and self._shelf.has_spare(kind, task)
        if useful:
            self._open_in_background(kind, task, only_if_none=True)

    def close(self) -> None:
        """Close every box, those in use too; whoever waits is told. Calling it again does nothing.

        Waits up to 30 s for boxes that are being opened or closed at this moment.
        """
        self._arrive()
        with self._lock:
            self._closed = True
            opened = [slot for slot in self._shelf.slots if slot.box is not None or not slot.busy]
            doomed = [box for slot in opened for box in self._removed(slot)]
            for waiter in self._waiting:
                waiter.ready.set()
            self._changed.notify_all()
        self._end(doomed)
        self._await_landing()

    # -------------------------------------------------------------------------------- waiting

    def _granted(self, waiter: _Waiter) -> Slot:
        """Wait for a slot, and do on the way what has to be done for it."""
        try:
            while True:
                with self._lock:
                    self._ask(waiter)
                waiter.ready.wait()
                if waiter.slot is not None and not waiter.at_work:
                    return waiter.slot
                if waiter.slot is not None:
                    self._capture_for_owner(waiter)
        except BaseException:
            self._give_up(waiter)
            raise

    def _ask(self, waiter: _Waiter) -> None:
        """Queue up, or go on queueing where the slot was not yet the one to use."""
        if self._closed or waiter.borrower.closed:
            raise BoxLost("the pool of boxes is closed" if self._closed else "the box is closed")
        if waiter.slot is None:
            if waiter not in self._waiting:
                self._waiting.append(waiter)
            waiter.ready.clear()
            self._serve()

    def _give_up(self, waiter: _Waiter) -> None:
        """Stop waiting. What was granted may be in the middle of something and is not used again."""
        with self._lock:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            slot, doomed = waiter.slot, list[Sandbox]()
            if slot is not None:
                doomed = self._removed(slot)
                waiter.borrower.slot = None
                _lose(slot, BoxLost("the capture of a workspace was broken off"))
            self._serve()
        self._end(doomed)

    def _serve(self) -> None:
        """First come, first served: who has to wait holds up those behind who want a box of that purpose."""
        if not self._waiting or self._closed:
            return
        held_up: set[Purpose] = set()
        coming = self._shelf.coming()
        for waiter in list(self._waiting):
            borrower, kind = waiter.borrower, waiter.borrower.kind
            if borrower.closed or kind.purpose in held_up or (held_up and self._memory_mb is not None):
                continue
            if waiter.slot is None:
                slot = self._shelf.choose(borrower, waiter.wanted, coming=coming[kind] > 0)
                if slot is not None:
                    _grant(waiter, slot)
                elif coming[kind] > 0:
                    coming[kind] -= 1
                    continue
            if waiter.slot is None or waiter.at_work:
                held_up.add(kind.purpose)
            else:
                self._waiting.remove(waiter)
            if waiter.slot is not None:
                waiter.ready.set()

    def _wanted(self) -> bool:
        return not self._closed and (self._keep or self._shelf.in_use)

    def _unwanted(self) -> list[Sandbox]:
        """Take out what lies idle though nobody will come for it."""
        if self._wanted():
            return []
        idle = [slot for slot in self._shelf.slots if not slot.busy]
        return [box for slot in idle for box in self._removed(slot)]

    def _removed(self, slot: Slot) -> list[Sandbox]:
        """Take a slot out; the boxes that ``_end`` has to be given, once the lock is free."""
        boxes = self._shelf.remove(slot)
        self._ending += len(boxes)
        self._changed.notify_all()
        return boxes

    def _end(self, boxes: Sequence[Sandbox]) -> None:
        if not boxes:
            return
        try:
            with ExitStack() as ending:  # one that does not close keeps no other from it
                for box in boxes:
                    ending.callback(box.close)
        finally:
            with self._lock:
                self._ending -= len(boxes)
                self._changed.notify_all()

    # -------------------------------------------------------------------------------- slow things

    def _open(self, slot: Slot, task: Task) -> None:
        for old in slot.evicted:
            old.close()
        slot.evicted = []
        box = self._backend.open(task)
        with self._lock:
            slot.box, slot.state = box, WorkspaceState(task.base)
            closed = self._closed
        if closed:
            raise BoxLost("the pool of boxes is closed")

    def _open_in_background(self, kind: BoxKind, task: Task, *, only_if_none: bool) -> None:
        opener = threading.Thread(
            target=self._open_ahead, args=(kind, task, only_if_none), name="deepgym-box", daemon=True
        )
        opener.start()

    def _open_ahead(self, kind: BoxKind, task: Task, only_if_none: bool) -> None:
        with self._lock:
            needless = not self._wanted() or (only_if_none and self._shelf.of(kind))
            slot = None if needless else self._shelf.spare(kind, task)
            if slot is None:
                return
            slot.busy = True
        try:
            self._open(slot, task)
        except Exception:  # whoever needs the box will open one, and meet the trouble
            self._landed(slot, good=False)
        else:
            self._landed(slot, good=True)

    def _landed(self, slot: Slot, *, good: bool) -> None:
        with self._lock:
            slot.busy, slot.left_at = False, time.monotonic()
            doomed = self._unwanted() if good else self._removed(slot)
            self._serve()
        self._end(doomed)

    def _capture_for_owner(self, waiter: _Waiter) -> None:
        """Turn the workspace that lies in a box into a value, so that its owner can do without the box."""
        slot = waiter.slot
        assert slot is not None
        assert slot.box is not None
        task = slot.owner.task if slot.owner is not None else None
        try:
            captured = slot.box.capture()
        except (SandboxError, ActionError) as error:
            blamed = not isinstance(error, BoxLost) or error.after_agent_code
            with self._lock:
                doomed = self._removed(slot)
                waiter.slot, waiter.at_work = None, False
                _lose(slot, BoxLost(f"a box was lost after a command: {error}", after_agent_code=blamed))
            self._end(doomed)
            return
        with self._lock:
            if slot.owner is not None:
                owner = slot.owner
                owner.slot, owner.state, owner.dropped = None, captured.state, captured.dropped
            slot.owner, slot.state, slot.busy = None, captured.state, False
            waiter.slot, waiter.at_work = None, False
            self._changed.notify_all()
        if task is not None:
            self.learn(task, captured.state)

    def _await_landing(self) -> None:
        """Where no box is wanted any more, wait for those being opened: whoever opens one closes it."""
        end = time.monotonic() + LANDING_SECONDS
        with self._lock:
            while (self._shelf.slots or self._ending) and not self._wanted():
                if not self._changed.wait(end - time.monotonic()):
                    return


def _grant(waiter: _Waiter, slot: Slot) -> None:
    """Give a slot to one who waits: to use, or first to capture the workspace that lies in it."""
    if slot.owner is not None:
        waiter.slot, waiter.at_work, slot.busy = slot, True, True
    else:
        waiter.slot, slot.user, waiter.borrower.slot, slot.busy = slot, waiter.borrower, slot, True


def _bring(slot: Slot, state: WorkspaceState) -> None:
    """Make the box hold ``state``."""
    assert slot.box is not None
    slot.state = None
    try:
        slot.box.restore(state)
    except ActionError:  # the room may have been taken by what it held before
        slot.box.restore(WorkspaceState(state.base))
        slot.box.restore(state)
    slot.state = state


def _lose(slot: Slot, error: BoxLost) -> None:
    """The workspace that lay there is gone."""
    owner = slot.owner
    if owner is not None and owner.slot is slot:
        owner.slot, owner.lost = None, error
    slot.owner = None
