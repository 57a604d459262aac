"""What a model hands in: whole files between tags in its answer, which may say or hold anything."""

from __future__ import annotations

import re
from collections.abc import Iterator

from deepgym_envs.audit.target import changed_state
from deepgym_envs.errors import ActionError
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Task

FORMAT = """\
Answer with whole files, each between two lines of exactly this form; write no other lines like these:

<file path="folder/name.py">
the whole content of the file
</file>

and with a line for each file that you delete:

<delete path="folder/old.py"/>

What you do not name stays as it is in the repository. Each answer stands for itself: what you handed in
before is gone. Think as long as you like before the first tag; only the files are read."""

_MOST_CHARS = 4_000_000
_MOST_FILES = 1_000
_TAG = re.compile(r'[ \t]*<(file|delete) path="([^"]*)"[ \t]*(/?)>[ \t\r]*')
_FENCE = re.compile(r"```\w*[ \t\r]*")


def state_of(task: Task, answer: str, *, cut_off: bool = False) -> WorkspaceState:
    """The base of ``task`` with the files of ``answer``; ``cut_off`` tells that its end is missing.

    Nothing is refused for its place: what may not be edited is left to the grader, as with any agent.

    Raises:
        ActionError: there are none, they cannot be a workspace, or they change nothing.
    """
    if len(answer) > _MOST_CHARS:
        raise ActionError(f"the answer has more than {_MOST_CHARS} characters")
    files: dict[str, bytes | None] = {}
    try:
        for path, content in _files(answer):
            if path in files:
                raise ActionError(f"{path!r} stands twice in the answer")
            if len(files) == _MOST_FILES:
                raise ActionError(f"the answer has more than {_MOST_FILES} files")
            files[path] = content
        state = changed_state(task, files)
    except ActionError as error:
        raise ActionError(f"{error}: it was cut off, be shorter" if cut_off else str(error)) from None
    except ValueError as error:
        raise ActionError(str(error)) from None
    if not files:
        raise ActionError("the answer was cut off, be shorter" if cut_off else "no file is in the answer")
    if not state.changes:
        raise ActionError("the files are what the repository has already")
    return state


def _files(answer: str) -> Iterator[tuple[str, bytes | None]]:
    """Paths and contents, in their order; what a model thinks aloud before its answer is no part of it."""
    inside: str | None = None
    lines: list[str] = []
    for line in answer.rpartition("</think>")[2].split("\n"):
        tag = _TAG.fullmatch(line) if inside is None else None
        if inside is not None and line.strip() == "</file>":
            yield inside, _content(inside, lines)
            inside = None
        elif inside is not None:
            lines.append(line)
        elif tag is not None and tag[1] == "file" and not tag[3]:
            inside, lines = tag[2], []
        elif tag is not None and tag[1] == "delete":
            yield tag[2], None
    if inside is not None:
        raise ActionError(f"the answer ends within {inside!r}")


def _content(path: str, lines: list[str]) -> bytes:
    if len(lines) >= 2 and _FENCE.fullmatch(lines[0]) and lines[-1].strip() == "```":
        lines = lines[1:-1]  # many models cannot write code without a fence
    try:
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise ActionError(f"{path!r} holds characters that no file can") from None
