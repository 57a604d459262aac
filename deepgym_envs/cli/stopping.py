"""What the command line does when it is told to stop: the same for Ctrl-C, SIGTERM and a closed terminal."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopSignal:
    """The signal that told this program to stop, once there was one."""

    number: int | None = None

    @property
    def status(self) -> int | None:
        """The exit status that says so: 130, 143 or 129."""
        return None if self.number is None else 128 + self.number


@contextmanager
def stopping() -> Iterator[StopSignal]:
    """While this lasts, the first signal is a ``KeyboardInterrupt``, which closes boxes; the second kills.

    A signal that whoever started this program wanted ignored, as ``nohup`` does, stays ignored. Outside the
    main thread nothing is changed.
    """
    stop_signal = StopSignal()
    before: dict[signal.Signals, Any] = {}

    def stop(number: int, _frame: FrameType | None) -> None:
        stop_signal.number = number
        for other in before:
            signal.signal(other, signal.SIG_DFL)
        raise KeyboardInterrupt

    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        before = {number: handler for number, handler in before.items() if handler != signal.SIG_IGN}
    try:
        for number in before:
            signal.signal(number, stop)
        yield stop_signal
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
