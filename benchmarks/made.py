"""Tasks for measuring: made ones of as many files as wanted, and copies under an id of this run alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from deepgym_envs import Task
from deepgym_envs.owner import scratch_folder
from deepgym_envs.task import Limits
from deepgym_envs.testing import make_task

_BROKEN = "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return 2 * a\n"
_TESTS = "from made import add, double\n\n\ndef test_add():\n    assert add(3, 0) == 3\n\n\ndef test_double():\n    assert double(3) == 6\n"  # noqa: E501
_HIDDEN = "from made import add\n\n\ndef test_add():\n    assert add(30, 2) == 32\n"
_IN_A_FOLDER = 50


@contextmanager
def sized_task(files: int) -> Iterator[Task]:
    """A task whose repository has that many files, 3 or more, all but three of some 150 bytes."""
    with scratch_folder("benchmark") as folder:
        yield make_task(
            Path(folder) / f"files-{files}",
            source={
                "made/__init__.py": _BROKEN,
                "tests/test_made.py": _TESTS,
                "pyproject.toml": "",
                **{small_file(number): _content(number) for number in range(files - 3)},
            },
            hidden={"test_hidden.py": _HIDDEN},
            gold={"made/__init__.py": _BROKEN.replace("a - b", "a + b")},
            fail_to_pass=["test_hidden.py::test_add"],
            editable=["made/**", "parts/**"],
            repo="made",
            limits=Limits(steps=1000, disk_mb=128),
        )


def own_copy(task: Task) -> Task:
    """The same task under an id that no other process uses, so that its containers can be told apart."""
    name = f"measured-{os.getpid()}/{task.id.partition('/')[2]}"
    return replace(task, manifest=task.manifest.model_copy(update={"id": name}))


def small_file(number: int) -> str:
    """The path of one of the small files, from 0."""
    return f"parts/part_{number // _IN_A_FOLDER:03}/module_{number:05}.py"


def _content(number: int) -> str:
    return (
        f'"""Part {number}."""\n\n\ndef part_{number}(value: int) -> int:\n    return value * {number} + 1\n'
        + "#\n" * 30
    )
