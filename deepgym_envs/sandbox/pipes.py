"""A box's program as a child of this process, spoken to over two pipes."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deepgym_envs.sandbox.channel import remaining

_PIECE = 1 << 18
_LAST_WORDS = 4_000


class ChildProgram:
    """A started program and the pipes to it; implements ``Stream``.

    Its standard error goes to an unnamed file. It ends by itself when its standard input does, which the
    kernel sees to even where this process is killed.
    """

    def __init__(self, command: Sequence[str], folder: Path, inherited: tuple[int, ...] = ()) -> None:
        """Start ``command`` in ``folder`` with an empty environment, in a session of its own.

        Raises:
            OSError: it cannot be started.
        """
        with contextlib.ExitStack() as made:
            self._errors = made.enter_context(tempfile.TemporaryFile())
            # To close a descriptor does not wake who waits for it in another thread; this one does.
            wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
            self._hung_up = made.enter_context(os.fdopen(wake, "wb", buffering=0))
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=folder,
                env={},
                pass_fds=inherited,
                start_new_session=True,
                bufsize=0,
            )
            made.pop_all()  # closed in close()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._input, self._output = self._process.stdin, self._process.stdout
        # A Popen that is collected while its process runs is kept by its module, and would keep these open.
        self._process.stdin = self._process.stdout = None
        self._poll_input, self._poll_output = select.poll(), select.poll()
        self._poll_input.register(self._input, select.POLLOUT)
        self._poll_output.register(self._output, select.POLLIN)
        for poll in (self._poll_input, self._poll_output):
            poll.register(self._hung_up, select.POLLIN)
        os.set_blocking(self._input.fileno(), False)

    @property
    def pid(self) -> int:
        """Its process id, and that of its process group."""
        return self._process.pid

    def send(self, data: bytes, deadline: float) -> None:
        """See ``Stream.send``."""
        rest = memoryview(data)
        while rest:
            try:
                rest = rest[os.write(self._input.fileno(), rest[:_PIECE]) :]
            except BlockingIOError:
                self._wait(self._poll_input, deadline)

    def receive(self, size: int, deadline: float) -> bytes:
        """See ``Stream.receive``."""
        self._wait(self._poll_output, deadline)
        return os.read(self._output.fileno(), min(size, _PIECE))

    def last_words(self) -> str:
        """See ``Stream.last_words``."""
        size = os.fstat(self._errors.fileno()).st_size
        tail = os.pread(self._errors.fileno(), _LAST_WORDS, max(0, size - _LAST_WORDS))
        return " / ".join(tail.decode(errors="replace").strip().splitlines()[-3:])

    def hang_up(self) -> None:
        """See ``Stream.hang_up``."""
        os.eventfd_write(self._hung_up.fileno(), 1)

    def close(self) -> None:
        """See ``Stream.close``."""
        self._input.close()
        self._output.close()
        self._errors.close()
        self._hung_up.close()

    def wait(self, seconds: float) -> bool:
        """Whether it ends within ``seconds``."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)
        return self._process.returncode is not None

    def reap(self) -> None:
        """Wait for its end, which somebody has brought about."""
        self._process.wait()

    def _wait(self, poll: select.poll, deadline: float) -> None:
        while not (ready := poll.poll(remaining(deadline) * 1000)):
            pass
        if any(descriptor == self._hung_up.fileno() for descriptor, _ in ready):
            raise ConnectionAbortedError("it was hung up on")
