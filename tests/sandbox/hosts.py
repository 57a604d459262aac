"""Tiny tasks and a cache folder for backends of this machine, as fixtures for the tests that import them.

A module names those that it imports in a tuple, which tells linters that they are used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

import pytest

from deepgym_envs.sandbox import Command, Completed, Sandbox
from deepgym_envs.task import Task

FILES = {"pkg/__init__.py": b"", "pkg/a.py": b"x = 1\n", "run.sh": b"#!/bin/sh\necho ran\n"}
PATCH = "--- a/pkg/a.py\n+++ b/pkg/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"


class MakeTask(Protocol):
    """Writes a recipe and a task into the test's folder and reads them as a user's would be."""

    def __call__(
        self,
        *,
        pip: Sequence[str] = (),
        apt: Sequence[str] = (),
        python: str = ">=3.8",
        limits: str = "",
    ) -> Task: ...


def python(box: Sandbox, code: str, seconds: float = 20) -> Completed:
    """What Python makes of ``code`` in the workspace."""
    return box.run(Command(("python", "-c", code), seconds=seconds))


@pytest.fixture(scope="session")
def host_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """``DEEPGYM_CACHE`` for the whole session, so that an environment is built once."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEEPGYM_CACHE", str(folder))
        yield folder


@pytest.fixture
def make_task(tmp_path: Path) -> MakeTask:
    """See ``MakeTask``."""

    def make(
        *,
        pip: Sequence[str] = (),
        apt: Sequence[str] = (),
        python: str = ">=3.8",
        limits: str = "",
    ) -> Task:
        repo, task = tmp_path / "repos" / "tiny", tmp_path / "tasks" / "one"
        for path, data in FILES.items():
            place = repo / "src" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
            place.chmod(0o755 if path.endswith(".sh") else 0o644)
        (task / "tests").mkdir(parents=True)
        (repo / "recipe.toml").write_text(
            f'name = "tiny"\nsummary = "A tiny one"\nlicense = "MIT"\npython = "{python}"\n'
            f'[source]\nkind = "bundled"\n[needs]\npip = {list(pip)!r}\napt = {list(apt)!r}\n'
        )
        (task / "task.toml").write_text(
            'id = "x/one"\nrepo = "tiny"\ntitle = "t"\nkind = "bug"\ndifficulty = "easy"\n'
            'editable = ["pkg/**"]\n[tests]\nfail_to_pass = ["test_h.py::test"]\n'
            f"[limits]\n{limits}\n"
        )
        (task / "instruction.md").write_text("Make x 2.\n")
        (task / "solution.patch").write_text(PATCH)
        (task / "tests" / "test_h.py").write_text("def test(): pass\n")
        return Task.from_folder(task, tmp_path / "repos")

    return make
