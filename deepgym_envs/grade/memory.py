"""Remembers what was found out about a state, so that nobody asks twice."""

from __future__ import annotations

import logging
import math
import os
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import SystemRandom
from typing import Self, TypeVar

from deepgym_envs.grade.flake import Flake, compare, stricter
from deepgym_envs.grade.key import ResultKey
from deepgym_envs.grade.memory_file import MemoryFile
from deepgym_envs.grade.report import TestReport
from deepgym_envs.grade.verdict import Verdict
from deepgym_envs.strict_json import read_json, write_json

T = TypeVar("T")
_LOG = logging.getLogger(__name__)
_MAX_CHARS = 64 << 20
_MAX_FLAKES = 1000
_LOOK_SECONDS = 0.1
_PASSING = ("timeout", "crashed", "box_lost")


class Memory:
    """Results by (task digest, state digest, what was asked); safe between threads.

    Args:
        size: how many results are held in memory; the newest stay.
        path: a folder that keeps verdicts, reports and potentials beyond this process, and shares them with
            others; must not be one that an agent can write to, for what it says is paid out.
        recheck: share, in [0, 1], of the requests for which a result is measured once more than it has to be,
            to find what is not steady. Which these are nobody can foresee. What is known already is returned
            as it is; a verdict that is being found out passes only if both do.

    A result is never replaced, so a test that is not steady cannot change a value that was already paid out;
    ``flakes`` tells of it. A pickle has the same ``path``; without one it begins empty.

    Raises:
        ValueError: a number is outside its range, or ``path`` holds something else (``UsageError``).
        OSError: ``path`` cannot be read and written; says why and what to do. Later trouble with it is logged
            once, and the memory goes on without.
    """

    def __init__(self, size: int = 10_000, path: Path | str | None = None, recheck: float = 0.0) -> None:
        if size < 1 or not 0 <= recheck <= 1:
            raise ValueError(f"a memory has room for 1 or more and rechecks 0 to 1, not {size} and {recheck}")
        self._size = size
        self._path = Path(path).absolute() if path is not None else None
        self._recheck = recheck
        self._chance = SystemRandom()
        self._results: OrderedDict[ResultKey, tuple[object, int]] = OrderedDict()
        self._chars = 0
        self._flakes: dict[ResultKey, Flake] = {}
        self._flights: dict[ResultKey, _Flight] = {}
        self._lock = threading.RLock()
        self._file = MemoryFile(self._path) if self._path is not None else None
        self._learn_flakes()
        _forks().watch(self)

    def __deepcopy__(self, memo: object) -> Memory:
        """Itself: whoever copies a configuration that names a memory means the same memory."""
        return self

    def __reduce__(self) -> tuple[type[Memory], tuple[int, Path | None, float]]:
        return Memory, (self._size, self._path, self._recheck)

    def get(self, key: ResultKey, kind: type[T]) -> T | None:
        """The result under ``key`` if it is known and of that kind."""
        with self._lock:
            found = self._results.get(key)
            if found is not None:
                self._results.move_to_end(key)
        if found is None:
            text: str | None = self._on_disk(lambda file: file.read(key), None)
            result = _from_text(text, kind) if text is not None else None
            if text is None or result is None:
                return None
            return self._hold(key, result, len(text))
        return found[0] if isinstance(found[0], kind) else None

    def keep(self, key: ResultKey, result: T) -> T:
        """Remember ``result`` unless another was first; returns the one that is remembered."""
        text, first = _as_text(result), None
        if text is not None:
            stored: str | None = self._on_disk(lambda file: file.add(key, text), None)
            if stored is not None and stored != text:
                first = _from_text(stored, type(result))
        kept = self._hold(key, result if first is None else first, len(text or ""))
        self._compare(key, kept, result)
        return kept

    def once(
        self,
        key: ResultKey,
        kind: type[T],
        make: Callable[[], T],
        waiting: Callable[[], None] = lambda: None,
        again: Callable[[], T] | None = None,
    ) -> T:
        """The result under ``key``; if it is not known, what ``make`` finds out, while all others wait.

        ``again`` finds it out once more, in another way, where that is due. Without it only what is known
        already is measured again, by ``make``.

        Others are threads, which wait for as long as ``make`` takes, and, with a ``path``, processes, which
        wait for 600 s at most and then find out for themselves. If ``make`` raises, one of those that wait
        tries. ``waiting`` is called several times a second by who waits, and ends that by raising.

        Raises:
            Exception: what ``make`` raises, if this call found out; what ``waiting`` raises.
        """
        known = self.get(key, kind)
        if known is None:
            with self._alone(key, waiting):
                known = self.get(key, kind)
                if known is None:
                    made = make()
                    return self.keep(key, made if again is None else self._settled(key, made, again))
        self._settled(key, known, again or make, known=True)
        return known

    def flake(self, key: ResultKey) -> Flake | None:
        """What is known to differ under ``key``, as far as this process has heard."""
        return self._flakes.get(key)

    @property
    def flakes(self) -> tuple[Flake, ...]:
        """All results that are known to differ, at most a thousand; with a ``path`` those of others too."""
        self._learn_flakes()
        with self._lock:
            return tuple(self._flakes.values())

    def close(self) -> None:
        """Close the files, if there are any; what is in memory can still be used. May be called again."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._results)

    def _hold(self, key: ResultKey, result: T, chars: int) -> T:
        with self._lock:
            kept, _ = found = self._results.setdefault(key, (result, chars))
            if found[0] is result:
                self._chars += chars
            while len(self._results) > self._size or (self._chars > _MAX_CHARS and len(self._results) > 1):
                _, (_, gone) = self._results.popitem(last=False)
                self._chars -= gone
        return kept if isinstance(kept, type(result)) else result

    def _compare(self, key: ResultKey, first: object, other: object) -> None:
        flake = compare(key, first, other) if first is not other else None
        if flake is None:
            return
        with self._lock:
            if len(self._flakes) < _MAX_FLAKES:
                self._flakes.setdefault(key, flake)
        text = flake.to_json()
        self._on_disk(lambda file: file.add_flake(key, text), None)

    def _learn_flakes(self) -> None:
        texts: list[str] = self._on_disk(lambda file: file.flakes(), [])
        for text in texts:
            try:
                flake = Flake.from_json(text)
            except ValueError:
                continue
            with self._lock:
                if len(self._flakes) < _MAX_FLAKES:
                    self._flakes.setdefault(flake.key, flake)

    def _settled(self, key: ResultKey, first: T, again: Callable[[], T], *, known: bool = False) -> T:
        """The result to go by, once ``again`` was asked if that is due; ``first``, where that is known."""
        if self._recheck <= self._chance.random():
            return first
        try:
            other = again()
        except Exception as error:  # nothing was seen, so nothing differs
            _LOG.info("a result could not be measured again: %s", error)
            return first
        kept = first if known else stricter(first, other)
        self._compare(key, kept, other if kept is first else first)
        return kept

    @contextmanager
    def _alone(self, key: ResultKey, waiting: Callable[[], None]) -> Iterator[None]:
        with self._lock:
            flight = self._flights.setdefault(key, _Flight())
            flight.aboard += 1
        try:
            while not flight.lock.acquire(timeout=_LOOK_SECONDS):
                waiting()
            try:
                file = self._file
                with file.alone(key, waiting) if file is not None else nullcontext():
                    yield
            finally:
                flight.lock.release()
        finally:
            with self._lock:
                flight.aboard -= 1
                if not flight.aboard and self._flights.get(key) is flight:
                    del self._flights[key]

    def _on_disk(self, ask: Callable[[MemoryFile], T], otherwise: T) -> T:
        """What the file says; from the first time that it is in trouble, ``otherwise``."""
        file = self._file
        if file is None:
            return otherwise
        try:
            return ask(file)
        except (OSError, ValueError) as error:
            with self._lock:
                told, self._file = self._file is None, None
            if not told:
                _LOG.warning("results are remembered by this process alone from now on: %s", error)
            return otherwise

    def _rest(self) -> None:
        self._lock.acquire()
        if self._file is not None:
            self._file.before_fork()

    def _go_on(self, *, child: bool) -> None:
        if child:
            self._flights = {}  # those who were finding out are not in this process
        if self._file is not None:
            self._file.after_fork(child=child)
        self._lock.release()


@dataclass
class _Flight:
    """Somebody finds something out; ``aboard`` are those who want to know."""

    lock: threading.RLock = field(default_factory=threading.RLock)
    aboard: int = 0


class _Forks:
    """The memories of this process, each of which is at rest while the process is forked.

    A lock that another thread holds at that moment would never be released in the child.
    """

    def __init__(self) -> None:
        self._turn = threading.RLock()
        self._memories: weakref.WeakSet[Memory] = weakref.WeakSet()
        self._resting: list[Memory] = []
        os.register_at_fork(
            before=self._before,
            after_in_parent=lambda: self._after(child=False),
            after_in_child=lambda: self._after(child=True),
        )

    def watch(self, memory: Memory) -> None:
        with self._turn:
            self._memories.add(memory)

    def _before(self) -> None:
        self._turn.acquire()
        for memory in list(self._memories):
            memory._rest()
            self._resting.append(memory)

    def _after(self, *, child: bool) -> None:
        while self._resting:
            self._resting.pop()._go_on(child=child)
        self._turn.release()


@cache
def _forks() -> _Forks:
    """One for the process: what is registered for forks cannot be taken back."""
    return _Forks()


def _as_text(result: object) -> str | None:
    """What stands for ``result`` in a file; None for what only this process can hold."""
    if isinstance(result, Verdict) and result.reason in _PASSING:
        return None  # a slow or crowded moment is not to be remembered for good
    if isinstance(result, TestReport) and not result.complete:
        return None
    if isinstance(result, Verdict | TestReport):
        return result.to_json()
    if isinstance(result, float) and math.isfinite(result):
        return write_json("number", {"value": result})
    return None


def _from_text(text: str, kind: type[T]) -> T | None:
    """The result that ``text`` stands for, if it does."""
    result: object = None
    try:
        if kind is Verdict:
            result = Verdict.from_json(text)
        elif kind is TestReport:
            result = TestReport.from_json(text)
        elif kind is float:
            match read_json(text, "number"):
                case {"value": float(value), **rest} if not rest and math.isfinite(value):
                    result = value
    except ValueError:
        return None
    return result if isinstance(result, kind) else None
