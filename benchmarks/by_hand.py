"""An episode and a verdict as one would have them with the engine's command line and pytest alone."""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks import timeline
from benchmarks.beside import Beside, pytest_command
from deepgym_envs import Task
from deepgym_envs.oracle_file import is_case

_HIDDEN = "/hidden"


class Trial:
    """The solution and the hidden tests of a task, written to ``folder``, from where they can be copied.

    ``own_seconds`` is what pytest said of the hidden tests' own time when they ran last.
    """

    def __init__(self, task: Task, folder: Path) -> None:
        self._task = task
        self._hidden, self._changed = folder / "hidden", folder / "changed"
        self.own_seconds = 0.0
        self._changed.mkdir()
        for path, data in task.hidden.items():
            _write(self._hidden / path, data)
        _write(self._hidden / "conftest.py", Path(timeline.__file__).read_bytes())
        for path, file in task.gold.changes.items():
            if file is not None:
                _write(self._changed / path, file.data)

    def judge(self, beside: Beside) -> None:
        """Run the hidden tests on the solution in a fresh container."""
        with beside.another() as fresh:
            fresh.copy_in(_HIDDEN, str(self._hidden))
            fresh.copy_in("/workspace", f"{self._changed}/.")
            arguments = ["-c", "/dev/null", "--rootdir", _HIDDEN, "--import-mode=importlib"]
            nodes = [f"{_HIDDEN}/{node}" for node in self._task.expected if not is_case(node)]
            fresh.by_command(*pytest_command(self._task, [*arguments, *nodes]))
            self.own_seconds = float(json.loads(fresh.by_command("cat", timeline.FILE))["own"])

    def episode(self) -> None:
        """Six steps in a fresh container, the last of them judged in another."""
        with Beside(self._task) as beside:
            beside.by_command("find", ".", "-type", "f")
            beside.by_command("cat", "README.md")
            beside.by_command("grep", "-rn", "def ", ".")
            beside.copy_in("/workspace", f"{self._changed}/.")
            beside.by_command(*pytest_command(self._task))
            self.judge(beside)


def _write(file: Path, data: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)
