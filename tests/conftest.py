"""What many tests need: one small task with files of every kind, a Docker engine where there is one, a cache."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.state import File
from deepgym_envs.task import Limits, Task
from deepgym_envs.testing import make_task

SOURCE: dict[str, str | bytes | File] = {
    "tiny/__init__.py": "def add(a, b):\n    return a - b\n\n\ndef double(a):\n    return 2 * a\n",
    "tests/test_tiny.py": "import tiny\n\n\ndef test_double():\n    assert tiny.double(4) == 8\n",
    "data/all-bytes.bin": bytes(range(256)),
    "data/empty": b"",
    "data/größe 🎉.txt": "ümläut\n",
    "data/new\nline": b"no newline at the end",
    "data/not-utf8-\udcff": b"raw\n",
    "data/tool": File(b"#!/bin/sh\necho tool\n", executable=True),
    ".gitattributes": "*.py text eol=crlf ident\ntests/** export-ignore\n",
    ".gitignore": "data/\n",
}
HIDDEN = {
    "test_hidden.py": (
        "import tiny\n\n\ndef test_add():\n    assert tiny.add(2, 3) == 5\n\n\n"
        "def test_double():\n    assert tiny.double(21) == 42\n"
    )
}
GOLD = {"tiny/__init__.py": "def add(a, b):\n    return a + b\n\n\ndef double(a):\n    return 2 * a\n"}


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A task with files of every kind; ``add`` subtracts."""
    return make_task(
        tmp_path_factory.mktemp("tasks") / "tiny-add",
        source=SOURCE,
        hidden=HIDDEN,
        gold=GOLD,
        fail_to_pass=["test_hidden.py::test_add"],
        pass_to_pass=["test_hidden.py::test_double"],
        limits=Limits(memory_mb=256, pids=64, disk_mb=32),
    )


@pytest.fixture(scope="session")
def docker_backend() -> DockerBackend:
    """The Docker backend; skips where no engine answers."""
    backend = DockerBackend()
    problem = backend.problem()
    if problem:
        pytest.skip(problem)
    return backend


@pytest.fixture(scope="session")
def built(docker_backend: DockerBackend, tiny: Task) -> Task:
    """``tiny``, with its image built."""
    docker_backend.prepare(tiny)
    return tiny


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``DEEPGYM_CACHE``, a folder of the test's own."""
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
