"""The environment for event loops: one process drives hundreds of them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any, Self, TypeVar

import gymnasium as gym
from gymnasium.error import AlreadyPendingCallError

from deepgym_envs.env import Info, Observation, Snapshot, SweEnv
from deepgym_envs.grade import Verdict
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

_AGAIN_SECONDS = 0.02

T = TypeVar("T")


class AsyncSweEnv:
    """A ``SweEnv`` whose calls are awaited. They take, return and raise what those of ``SweEnv`` do.

    Args:
        env: a ``SweEnv``, wrapped or not, which from now on is used through this alone.
        executor: the threads that calls run in; give one to many environments, and its size bounds how many
            of them are in a call at a time. Without one each call has a thread of its own.

    Raises:
        TypeError: there is no ``SweEnv`` inside ``env``.

    The calls of one environment follow one another: one that is made before the last has returned raises
    ``gymnasium.error.AlreadyPendingCallError``. Only ``close`` may come at any time.

    A call that is cancelled before a thread was free has not happened. A ``reset``, ``step`` or ``restore``
    that is cancelled while it runs loses its boxes, so it ends whatever the agent's code is doing there; the
    cancellation goes on once they are gone. The episode is then over, and the next ``reset`` begins another.
    A second cancellation does not wait, but the boxes go all the same, and the next call waits for that.

    It belongs to no event loop: it can be used from one after another, though not from two at a time. One
    that is dropped without ``close`` gives its boxes up like a ``SweEnv``: each ends when its connection is
    collected, and Python says ``ResourceWarning``.

    >>> from deepgym_envs.testing import FakeBackend
    >>> async def play() -> float:
    ...     env = SweEnv("starter/tallybook-register-opening", FakeBackend(), measure="never")
    ...     async with AsyncSweEnv(env) as env:
    ...         await env.reset(seed=0)
    ...         observation, reward, terminated, truncated, info = await env.step({"tool": "list_files"})
    ...         return reward
    >>> asyncio.run(play())
    0.0
    """

    def __init__(
        self,
        env: gym.Env[Observation, Mapping[str, Any] | str],
        executor: ThreadPoolExecutor | None = None,
    ) -> None:
        inner = env.unwrapped
        if not isinstance(inner, SweEnv):
            raise TypeError(f"an AsyncSweEnv needs a SweEnv, wrapped or not; this is {inner!r}")
        self._env = env
        self._inner = inner
        self._executor = executor
        self._work: Future[Any] | None = None
        self._ending: Future[None] | None = None

    @property
    def action_space(self) -> gym.Space[Any]:
        """See ``SweEnv``."""
        return self._env.action_space

    @property
    def observation_space(self) -> gym.Space[Any]:
        """See ``SweEnv``."""
        return self._env.observation_space

    @property
    def task(self) -> Task:
        """See ``SweEnv.task``."""
        return self._inner.task

    @property
    def sandbox(self) -> str:
        """See ``SweEnv.sandbox``."""
        return self._inner.sandbox

    @property
    def state(self) -> WorkspaceState:
        """See ``SweEnv.state``."""
        return self._inner.state

    @property
    def verdict(self) -> Verdict | None:
        """See ``SweEnv.verdict``."""
        return self._inner.verdict

    async def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Info]:
        """See ``SweEnv.reset``."""
        return await self._call(lambda: self._env.reset(seed=seed, options=options), self._end)

    async def step(self, action: Mapping[str, Any] | str) -> tuple[Observation, float, bool, bool, Info]:
        """See ``SweEnv.step``."""
        done = await self._call(lambda: self._env.step(action), self._end)
        observation, reward, terminated, truncated, info = done
        return observation, float(reward), terminated, truncated, info

    def snapshot(self) -> Snapshot:
        """See ``SweEnv.snapshot``; it asks no box, so there is nothing to await."""
        self._check_idle()
        return self._inner.snapshot()

    async def restore(self, snapshot: Snapshot) -> None:
        """See ``SweEnv.restore``."""
        await self._call(lambda: self._inner.restore(snapshot), self._end)

    async def fork(self) -> AsyncSweEnv:
        """See ``SweEnv.fork``; the fork has the same executor, and no wrappers. Cancelled, there is none."""

        def discard(work: Future[Any]) -> None:
            wait([work])
            if work.exception() is None:
                work.result().close()

        return AsyncSweEnv(await self._call(self._inner.fork, discard), self._executor)

    async def close(self) -> None:
        """See ``SweEnv.close``. A call that is still running ends as for that, and this waits for it.

        Cancelled, it completes all the same.
        """
        work = self._work
        await asyncio.wrap_future(self._aside(lambda: self._end(work)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _call(self, call: Callable[[], T], undo: Callable[[Future[Any]], None]) -> T:
        """What ``call`` returns from another thread; if this is cancelled when it has begun, ``undo`` it."""
        self._check_idle()
        while self._ending is not None and not self._ending.done():
            await asyncio.wait([asyncio.wrap_future(self._ending)])
            self._check_idle()
        work = self._executor.submit(call) if self._executor is not None else _in_thread(call)
        self._work = work
        try:
            return await asyncio.wrap_future(work)
        except asyncio.CancelledError:
            if not work.cancel():
                await asyncio.wait([asyncio.wrap_future(self._aside(lambda: undo(work)))])
            raise
        except GeneratorExit:  # its event loop was closed, so nothing can be awaited
            if not work.cancel():
                self._aside(lambda: undo(work))
            raise
        finally:
            self._work = None

    def _check_idle(self) -> None:
        if self._work is not None:
            raise AlreadyPendingCallError(
                f"an earlier call on this environment of {self.task.id} has not returned: await that first, "
                "or use several environments",
                "await",
            )

    def _aside(self, clean: Callable[[], None]) -> Future[None]:
        """Begin to ``clean`` up; the next call waits for that.

        It has a thread of its own: those of the executor may all be busy with calls that hang.
        """
        before = self._ending

        def end() -> None:
            if before is not None:
                wait([before])
            clean()

        self._ending = _in_thread(end)
        return self._ending

    def _end(self, work: Future[Any] | None) -> None:
        """Close the boxes, again and again if need be: the call may just be opening another."""
        while work is not None and not work.done():
            self._inner.close()
            wait([work], _AGAIN_SECONDS)
        self._env.close()


def _in_thread(call: Callable[[], T]) -> Future[T]:
    """Call it in a thread of its own, which can no longer be called off."""
    future: Future[T] = Future()
    future.set_running_or_notify_cancel()
    threading.Thread(target=_fulfil, args=(future, call), name="deepgym-async").start()
    return future


def _fulfil(future: Future[T], call: Callable[[], T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # whatever it is, the one who waits must learn of it
        future.set_exception(error)
        del future, call  # the error knows this frame, and would be kept alive by what it names
