"""Regular expressions of a task's author, matched against text that hostile code has chosen.

An expression that is harmless on every text that its author thought of may take for ever on another. So it is
tried in a process of its own, which the kernel ends when it has used its time of the processor: a slow or
crowded machine changes nothing of the outcome.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress

from deepgym_envs.errors import SandboxError
from deepgym_envs.sandbox.contract import Closing

MATCHED_CHARS = 20_000
CPU_SECONDS = 2
_SPENT = (-signal.SIGXCPU, 1)  # 1 is that of an error, such as that of too little memory
_PROGRAM = """
import json, re, resource, sys
seconds = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_AS, (1 << 29, 1 << 29))
resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
print("ready", flush=True)
for line in sys.stdin:
    how, pattern, text = json.loads(line)
    print("yes" if getattr(re, how)(pattern, text) else "no", flush=True)
"""


class Patterns(Closing):
    """Matches expressions against texts, for ``CPU_SECONDS`` of the processor in all; from then on nothing
    matches, nor does a text of more than ``MATCHED_CHARS`` characters.

    >>> with Patterns() as patterns:
    ...     patterns.finds("b+", "abba"), patterns.covers("b+", "abba")
    (True, False)
    """

    def __init__(self, cpu_seconds: int = CPU_SECONDS) -> None:
        self._cpu_seconds = cpu_seconds
        self._matching: subprocess.Popen[str] | None = None
        self._spent = False

    def finds(self, pattern: str, text: str) -> bool:
        """Whether ``pattern`` matches somewhere in ``text``. Raises ``SandboxError`` as ``covers`` does."""
        return self._ask("search", pattern, text)

    def covers(self, pattern: str, text: str) -> bool:
        """Whether ``pattern`` matches all of ``text``.

        Raises:
            SandboxError: the process that tries it cannot be started, or was killed by somebody.
        """
        return self._ask("fullmatch", pattern, text)

    def close(self) -> None:
        """End the process."""
        matching, self._matching = self._matching, None
        if matching is not None:
            _end(matching)

    def _ask(self, how: str, pattern: str, text: str) -> bool:
        if self._spent or len(text) > MATCHED_CHARS:
            return False
        if self._matching is None:
            self._matching = self._started()
        said = _told(self._matching, json.dumps([how, pattern, text]))
        if not said:
            if self._matching.wait() not in _SPENT:
                raise SandboxError("the process to match patterns in was killed")
            self._spent = True
        return said == "yes\n"

    def _started(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-I", "-S", "-B", "-c", _PROGRAM, str(self._cpu_seconds)]
        pipe = subprocess.PIPE
        try:
            matching = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, encoding="ascii"
            )
        except OSError as error:
            raise SandboxError(f"no process to match patterns in could be started: {error}") from None
        assert matching.stdout is not None
        if matching.stdout.readline() != "ready\n":
            _end(matching)
            raise SandboxError("the process to match patterns in did not start")
        return matching


def _end(matching: subprocess.Popen[str]) -> None:
    matching.kill()
    with suppress(OSError):  # of what it had not read when it died
        matching.communicate()


def _told(matching: subprocess.Popen[str], line: str) -> str:
    """What it answers to ``line``; nothing if it died of that."""
    assert matching.stdin is not None
    assert matching.stdout is not None
    try:
        matching.stdin.write(line + "\n")
        matching.stdin.flush()
    except OSError:
        return ""
    return matching.stdout.readline()
