"""The agent that wanders about: it looks at files, changes lines and runs tests, all at random.

It solves next to nothing. It is there to try an environment with: its episodes hold every action, refused
ones too.
"""

# ruff: noqa: ARG002 - the arguments are the protocol's

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from typing import Any

from deepgym_envs.action import (
    Action,
    EditFile,
    ListFiles,
    ReadFile,
    RunCommand,
    RunTests,
    Search,
    Submit,
    WriteFile,
)
from deepgym_envs.task import Task

_LISTED = re.compile(r"^ *\d+  (\S.*)$", re.MULTILINE)
_NUMBERED = re.compile(r"^ *\d+\t(.*)$", re.MULTILINE)
_MATCHED = re.compile(r"^(\S+?):\d+: ", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z_]\w{3,30}")
_SWAPS = (
    ("==", "!="), ("<=", "<"), (">=", ">"), (" + ", " - "), (" - ", " + "), (" and ", " or "),
    (" or ", " and "), ("True", "False"), ("False", "True"), ("if ", "if not "), ("0", "1"), ("1", "2"),
    ("self.", ""), ("return ", ""),
)  # fmt: skip
_COMMANDS = (
    "git log --oneline",
    "ls -la",
    "git diff",
    "python -m pytest -q -x",
    "grep -rn def . | head",
    "exit 3",
)


class RandomAgent:
    """Draws each action from its seed and from what it has seen; knows nothing else of the task."""

    name = "random"

    def __init__(self, *, commands: bool = False) -> None:
        self._weights: dict[Callable[[], Action], float] = {
            self._list_files: 1,
            self._search: 2,
            self._read: 4,
            self._edit: 5,
            self._write: 1,
            self._run_tests: 2,
            self._mistake: 1,
            self._submit: 0.5,
        }
        if commands:
            self._weights[self._run_command] = 1
        self._random = random.Random(0)
        self._files: list[str] = []
        self._words: list[str] = []
        self._shown: tuple[str, list[str]] = ("", [])
        self._last: Action | None = None

    def begin(self, task: Task, seed: int) -> None:
        """See ``Agent.begin``."""
        self._random = random.Random(seed)
        self._files, self._words, self._shown, self._last = [], ["def", "class"], ("", []), None

    def act(self, observation: Mapping[str, Any], info: Mapping[str, Any]) -> Action:
        """See ``Agent.act``."""
        self._learn(str(observation["output"]))
        if not self._files:
            self._last = ListFiles() if self._last is None else Submit()
        else:
            chosen = self._random.choices(list(self._weights), list(self._weights.values()))[0]
            self._last = chosen()
        return self._last

    def _learn(self, output: str) -> None:
        if isinstance(self._last, ListFiles):
            self._files = _LISTED.findall(output) or self._files
        elif isinstance(self._last, Search):
            self._files = sorted({*self._files, *_MATCHED.findall(output)})
        elif isinstance(self._last, ReadFile):
            self._shown = self._last.path, _NUMBERED.findall(output)
            self._words = [*self._words, *_WORD.findall(output)[:50]][-200:]

    def _path(self) -> str:
        sources = [path for path in self._files if path.endswith(".py")]
        return self._random.choice(sources if sources and self._random.random() < 0.9 else self._files)

    def _list_files(self) -> Action:
        return ListFiles(glob=self._random.choice(("**", "**/*.py", "*")))

    def _search(self) -> Action:
        return Search(
            pattern=re.escape(self._random.choice(self._words)), context=self._random.choice((0, 0, 2))
        )

    def _read(self) -> Action:
        start = self._random.choice((1, 1, self._random.randint(1, 80)))
        return ReadFile(path=self._path(), start=start, end=self._random.choice((0, start + 40)))

    def _edit(self) -> Action:
        path, lines = self._shown
        full = [line for line in lines if line.strip()]
        if not full:
            return self._read()
        old = self._random.choice(full)
        swaps = [(this, that) for this, that in _SWAPS if this in old]
        new = (
            old.replace(*self._random.choice(swaps), 1)
            if swaps
            else self._random.choice(("", f"{old}\n{old}"))
        )
        return EditFile(path=path, old=old, new=new)

    def _write(self) -> Action:
        folder = self._path().rpartition("/")[0]
        name = f"{folder}/scratch_{self._random.randint(0, 9)}.py".lstrip("/")
        return WriteFile(path=name, content=f"VALUE = {self._random.randint(0, 99)}\n")

    def _run_tests(self) -> Action:
        tests = [path for path in self._files if "test_" in path]
        return RunTests(tests=(self._random.choice(tests),) if tests and self._random.random() < 0.5 else ())

    def _run_command(self) -> Action:
        return RunCommand(command=self._random.choice(_COMMANDS))

    def _submit(self) -> Action:
        return Submit(confidence=self._random.choice((None, round(self._random.random(), 2))))

    def _mistake(self) -> Action:
        return self._random.choice(
            (
                ReadFile(path="no/such/file.py"),
                ReadFile(path="../../etc/passwd"),
                ReadFile(path=self._path(), start=9_999_999),
                Search(pattern="(unclosed"),
                EditFile(path=self._path(), old="this text stands nowhere", new=""),
                WriteFile(path=".git/config", content="x"),
                RunTests(tests=("tests/test_none.py::test_missing",)),
                RunTests(tests=("-p no:all",)),
            )
        )
