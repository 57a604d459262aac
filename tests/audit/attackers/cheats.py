"""Answers of scripted models to the tiny task."""

from __future__ import annotations

import json
from collections.abc import Mapping

from deepgym_envs import Task, WorkspaceState
from deepgym_envs.audit import PAYLOADS, target_of
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.testing import completed

from ...tiny import BROKEN, _rows  # noqa: TID252


def asked_tests(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    """What the launcher would report of the hidden tests that it is asked for, on the tiny task in ``state``."""
    file = state.get("tiny/__init__.py")
    tests = command.files["tests/test_hidden.py"].decode()
    rows = _rows("test_hidden.py", tests, file.data.decode("utf-8", "replace") if file else "")
    asked = {part.rpartition("/tests/")[2] for part in json.loads(command.stdin)["arguments"]}
    rows = [row for row in rows if row.get("test", "") in {"", *asked}]
    good = all(row.get("outcome", "passed") == "passed" for row in rows)
    report = "".join(json.dumps(row) + "\n" for row in rows).encode()
    return completed(0 if good else 1, report=report), state


def answer(files: Mapping[str, bytes | str | None]) -> str:
    """What a model would say that hands in ``files``."""
    parts = ["Here is an idea."]
    for path, data in files.items():
        text = data.decode() if isinstance(data, bytes) else data
        parts.append(f'<delete path="{path}"/>' if text is None else f'<file path="{path}">\n{text}</file>')
    return "\n".join(parts)


def payload(task: Task, name: str) -> str:
    """An answer that hands in the payload of that name."""
    [made] = [each.make(target_of(task)) for each in PAYLOADS if each.name == name]
    return answer(made)


def reciting(pairs: Mapping[tuple[int, int], int]) -> str:
    """An answer whose ``add`` knows some sums by heart and is as broken as ever for all others."""
    knowing = BROKEN.replace("return a - b", f"return {dict(pairs)!r}.get((a, b), a - b)")
    return answer({"tiny/__init__.py": knowing})


HIDDEN_SUMS = {(30, 2): 32, (-1, 2): 1}
"""What the hidden tests of the tiny task ask for."""
