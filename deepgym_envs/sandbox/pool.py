"""Warm boxes that many share: a sandbox that holds a value, and borrows a real box while it must."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from deepgym_envs.errors import ActionError, BoxLost, SandboxError, UsageError
from deepgym_envs.sandbox.backend import Backend, place_of
from deepgym_envs.sandbox.contract import Captured, Closing, Command, Completed, Found, Query, Sandbox
from deepgym_envs.sandbox.shelf import Borrower, BoxKind, Purpose, Slot
from deepgym_envs.sandbox.stock import Stock
from deepgym_envs.state import WorkspaceState, check_path
from deepgym_envs.task import Task

T = TypeVar("T")
_ANY_PATH = "x"


class Boxes:
    """The boxes of a pool that serve one purpose; implements ``Backend``."""

    def __init__(self, backend: Backend, stock: Stock, purpose: Purpose) -> None:
        self._backend = backend
        self._stock = stock
        self._purpose: Purpose = purpose

    @property
    def name(self) -> str:
        """That of the boxes' backend."""
        return self._backend.name

    def problem(self) -> str | None:
        """See ``Backend.problem``."""
        return self._backend.problem()

    def prepare(self, task: Task) -> None:
        """See ``Backend.prepare``."""
        self._backend.prepare(task)

    def place(self, task: Task) -> str:
        """See ``Placed.place``."""
        return place_of(self._backend, task)

    def open(self, task: Task) -> Sandbox:
        """A sandbox whose workspace is the task's base; there is a box for it.

        Where there is none yet, waits for its turn, which comes when a call on another ends, and opens one.

        Raises:
            SandboxError: the pool is closed, ``memory_mb`` is less than the task's limits, or no box can be
                opened.
        """
        borrower = Borrower(task, BoxKind(self._purpose, task.digest), WorkspaceState(task.base))
        try:
            self._stock.enrol(borrower)
        except BoxLost as error:
            raise SandboxError(f"a box for {task.id} could not be opened: {error}") from None
        return PooledBox(self._stock, borrower)

    def prefetch(self, task: Task) -> None:
        """Open a box of ``task`` in the background if there is none, unless a task in use had to give way.

        Never waits, and raises nothing: whoever opens a sandbox of the task meets the trouble.
        """
        self._stock.prefetch(BoxKind(self._purpose, task.digest), task)


class Pool(Boxes, Closing):
    """Boxes of ``backend`` that are reset and used again; implements ``Backend`` itself.

    What ``open`` gives is a sandbox like any other, but it has a real box only while a call needs one. To
    take on a state that a box of the task has held before costs nothing, and hundreds of sandboxes share a
    few boxes. A box in which agents play is never one in which hidden tests run: those come from ``grading``.

    Args:
        backend: where real boxes come from.
        size: how many boxes to play in there may be at a time, and as many to grade in; by default as many as
            this process may use processors (``os.sched_getaffinity``), at least 2.
        memory_mb: bounds the sum of what all boxes may use, in MiB, by their tasks' limits ``memory_mb`` and
            ``disk_mb``; by default there is no bound.
        keep: whether boxes stay when no sandbox of the pool is open.

    A pool is for any number of threads. In another process, forked or given a pickle, it begins empty. Where
    all boxes are busy, a call waits for as long as the calls before it last, which their commands bound; it
    has no limit of its own.

    Raises:
        UsageError: ``size`` or ``memory_mb`` is below 1, or ``backend`` is a pool.

    >>> from deepgym_envs.testing import FakeBackend
    >>> with Pool(FakeBackend(), size=2, memory_mb=2048) as pool:
    ...     pool.name
    'fake'
    """

    def __init__(
        self, backend: Backend, *, size: int | None = None, memory_mb: int | None = None, keep: bool = True
    ) -> None:
        if isinstance(backend, Boxes):
            raise UsageError("a pool of a pool: give it the backend itself")
        if size is None:
            size = max(2, len(os.sched_getaffinity(0)))
        if size < 1 or (memory_mb is not None and memory_mb < 1):
            raise UsageError(f"a pool needs room for a box: size {size}, memory_mb {memory_mb}")
        super().__init__(backend, Stock(backend, size=size, memory_mb=memory_mb, keep=keep), "play")
        self.grading = Boxes(backend, self._stock, "grade")
        self._again = partial(Pool, size=size, memory_mb=memory_mb, keep=keep)

    def __reduce__(self) -> tuple[Callable[[Backend], Pool], tuple[Backend]]:
        return self._again, (self._backend,)

    def __deepcopy__(self, memo: object) -> Pool:
        """Itself: whoever copies a configuration that names a pool means the same boxes."""
        return self

    def close(self) -> None:
        """Close every box. Open sandboxes are lost, whoever waits is told. Again, it does nothing.

        Waits up to 30 s for boxes that are being opened or closed at this moment; whoever opens one then
        closes it.
        """
        self._stock.close()


def for_grading(backend: Backend) -> Backend:
    """Where boxes for hidden tests come from: of a pool, the part that is kept for them."""
    return backend.grading if isinstance(backend, Pool) else backend


class PooledBox(Closing):
    """A workspace as a value, and a real box while one is needed; implements ``Sandbox``.

    After ``run`` the workspace lies in the box until ``capture`` or ``restore``, or until others need that
    box: then the pool captures it. A call that needs a box waits for one, see ``Pool``.
    """

    def __init__(self, stock: Stock, borrower: Borrower) -> None:
        self._stock = stock
        self._me = borrower
        self._agent_ran = False

    def restore(self, state: WorkspaceState) -> None:
        """See ``Sandbox.restore``."""
        with self._call():
            if state.base != self._me.task.base:
                raise ValueError("the state belongs to another base than this box")
            if not self._stock.settle(self._me, state):
                slot = self._stock.retake(self._me)
                if slot is None or not self._restored_in(slot, state):
                    self._held(state)
                self._me.state, self._me.dropped = state, ()
                self._stock.give_back(self._me)
                self._stock.learn(self._me.task, state)
            self._agent_ran = False

    def capture(self) -> Captured:
        """See ``Sandbox.capture``."""
        with self._call():
            slot = self._stock.retake(self._me)
            if slot is not None:
                return self._in(slot, self._captured)
            self._check_open()
            assert self._me.state is not None
            dropped, self._me.dropped = self._me.dropped, ()
            return Captured(self._me.state, dropped)

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        """See ``Sandbox.read``."""
        return self._looked(lambda box: box.read(path, limit))

    def find(self, query: Query) -> Found:
        """See ``Sandbox.find``."""
        return self._looked(lambda box: box.find(query))

    def run(self, command: Command) -> Completed:
        """See ``Sandbox.run``."""
        with self._call():
            for path in command.files:
                check_path(path)
            slot = self._stock.retake(self._me) or self._answering()
            self._agent_ran = True
            self._me.state, self._me.dropped = None, ()
            return self._in(slot, lambda box: box.run(command))

    def close(self) -> None:
        """See ``Sandbox.close``; a real box goes back to the pool, unless a call is under way in it.

        Where it was the last sandbox of a pool that does not keep its boxes, waits up to 30 s for their end.
        """
        self._stock.leave(self._me)

    @contextmanager
    def _call(self) -> Iterator[None]:
        """What a call does. One that is broken off costs the box that it held, and never the room for one."""
        self._check_open()
        try:
            yield
        except BaseException:
            self._stock.break_off(self._me)
            if self._me.state is None and self._me.slot is None and self._me.lost is None:
                self._lose(BoxLost("a call was broken off", after_agent_code=self._agent_ran))
            raise

    def _captured(self, box: Sandbox) -> Captured:
        captured = box.capture()
        self._me.state = captured.state
        self._stock.learn(self._me.task, captured.state)
        return captured

    def _looked(self, look: Callable[[Sandbox], T]) -> T:
        """What ``look`` sees. It changes nothing, so it is done again where an idle box had died."""
        with self._call():
            slot = self._stock.retake(self._me)
            if slot is not None:
                return self._in(slot, look)
            while True:
                slot = self._own()
                new = slot.new
                try:
                    return self._in(slot, look)
                except BoxLost:
                    if new or self._me.closed:
                        raise
                    self._me.lost = None

    def _answering(self) -> Slot:
        """A box that holds this workspace and answers: what fails from now on, the command did."""
        while True:
            slot = self._own()
            assert slot.box is not None
            try:
                slot.box.read(_ANY_PATH, 0)
            except ActionError:  # there is no such file, and the box says so
                return slot
            except BoxLost as error:
                self._stock.discard(self._me, slot)
                if slot.new:
                    raise self._lose(error) from None
            else:
                return slot

    def _own(self) -> Slot:
        """A box that holds this workspace."""
        self._check_open()
        assert self._me.state is not None
        try:
            return self._held(self._me.state)
        except ActionError as error:
            raise self._lose(BoxLost(f"a box refused a state that others have held: {error}")) from None

    def _held(self, state: WorkspaceState) -> Slot:
        try:
            return self._stock.hold(self._me, state)
        except SandboxError as error:
            raise self._lose(BoxLost(str(error))) from None

    def _restored_in(self, slot: Slot, state: WorkspaceState) -> bool:
        """Whether the box in which the workspace lies, not yet a value, holds ``state`` now."""
        assert slot.box is not None
        try:
            slot.box.restore(state)
        except ActionError:
            self._stock.give_back(self._me)
            raise
        except BoxLost:
            self._stock.discard(self._me, slot)
            return False
        return True

    def _in(self, slot: Slot, work: Callable[[Sandbox], T]) -> T:
        """Do ``work`` in a box that is held, and give that back."""
        assert slot.box is not None
        try:
            result = work(slot.box)
        except ActionError:
            self._stock.give_back(self._me)
            raise
        except BoxLost as error:
            self._stock.discard(self._me, slot)
            self._lose(error)
            self._check_open()
            raise
        self._stock.give_back(self._me)
        return result

    def _lose(self, error: BoxLost) -> BoxLost:
        self._me.lost = error
        return error

    def _check_open(self) -> None:
        if self._me.closed or self._stock.closed:
            what = "box" if self._me.closed else "pool of boxes"
            raise BoxLost(f"the {what} is closed")
        lost = self._me.lost
        if lost is not None:
            raise BoxLost(str(lost), after_agent_code=lost.after_agent_code) from None
