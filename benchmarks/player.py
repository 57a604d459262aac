"""Takes single timed steps in an environment, whatever the budget of one episode."""

from __future__ import annotations

from benchmarks.measurement import timed
from deepgym_envs import SweEnv, Task
from deepgym_envs.action import Action, EditFile, ReadFile, RunCommand, WriteFile


class Player:
    """Plays in ``env``, which allows commands, and begins a new episode, untimed, where one would end."""

    def __init__(self, env: SweEnv) -> None:
        self.env = env
        self.path, self._line = editable_line(env.task)
        self._left, self._edits, self._edited = 0, 0, self._line

    def step(self, action: Action) -> float:
        """Seconds of one step. Raises ``RuntimeError`` if it was refused or did not come to its end."""
        if self._left <= 1:
            self.reset()
        self._left -= 1
        flat = action.encode()
        seconds, observation, info = 0.0, None, None

        def take() -> None:
            nonlocal observation, info
            observation, _, _, _, info = self.env.step(flat)

        seconds = timed(take)
        if info is None or info["masked"] or info["error"]:
            raise RuntimeError(f"{action} failed: {info and info['error']}")
        return seconds

    def edit(self) -> float:
        """Seconds of one edit of one line."""
        if self._left <= 1:
            self.reset()
        old, self._edits = self._edited, self._edits + 1
        self._edited = f"{self._line}  # {self._edits}"  # never a state that was there before
        return self.step(EditFile(path=self.path, old=old, new=self._edited))

    def reset(self) -> float:
        """Seconds of a reset and a first read: a reset alone only notes which state is wanted."""
        seconds = timed(self.env.reset)
        self._left, self._edited = self.env.task.limits.steps, self._line
        return seconds + self.step(ReadFile(path=self.path))

    def reset_after_edits(self) -> float:
        """Seconds of a reset and a read after two files were written by steps."""
        self.reset()
        self.step(WriteFile(path=self.path, content="x = 1\n"))
        self.step(WriteFile(path="scratch/new.py", content="y = 1\n"))
        return self.reset()

    def reset_after_command(self, command: str) -> float:
        """Seconds of a reset and a read after a command, of which the host cannot know what it changed."""
        self.reset()
        self.step(RunCommand(command=command))
        return self.reset()


def editable_line(task: Task) -> tuple[str, str]:
    """A file that the agent may change, and a line that occurs in it once."""
    for path, file in sorted(task.base.items()):
        if task.may_edit(path) and path.endswith(".py"):
            source = file.data.decode()
            for line in source.splitlines():
                if len(line) > 8 and source.count(line) == 1:
                    return path, line
    raise ValueError(f"{task.id} has no file with a line that occurs once")
