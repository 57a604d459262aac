"""What many tests need: one small task with files of every kind, a Docker engine where there is one, a cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing, nullcontext
from functools import cache as once
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.sandbox.engine import connect
from deepgym_envs.state import File
from deepgym_envs.task import Limits, Task
from deepgym_envs.testing import make_task

from .new_images import removed_at_the_end

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


@once
def problem(backend: str) -> str | None:
    """Why that backend cannot be used here; asked once."""
    chosen: Backend = DockerBackend() if backend == "docker" else BwrapBackend()
    return chosen.problem()


def pytest_configure() -> None:
    """How fast an example is says only what else the machine does, also where tests run side by side."""
    settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("unhurried")


def pytest_sessionstart() -> None:
    """Where ``DEEPGYM_TESTS_REQUIRE`` names backends, as in CI, their tests must not be skipped."""
    for backend in filter(None, os.environ.get("DEEPGYM_TESTS_REQUIRE", "").split(",")):
        trouble = problem(backend)
        if trouble:
            pytest.exit(f"{backend} is required and does not work: {trouble}", returncode=1)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test that is marked with a backend is skipped where that does not work."""
    for backend in ("docker", "bwrap"):
        trouble = problem(backend) if item.get_closest_marker(backend) else None
        if trouble:
            pytest.skip(f"{backend}: {trouble}")


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


@pytest.fixture(scope="session", autouse=True)
def no_images_are_left() -> Iterator[None]:
    """Images of repositories that only tests have go when the tests end."""
    with nullcontext() if problem("docker") else removed_at_the_end():
        yield


@pytest.fixture
def client(docker_backend: DockerBackend) -> Iterator[Any]:
    """What speaks to the Docker engine; skips where none answers."""
    with closing(connect()) as opened:
        yield opened


@pytest.fixture(scope="session")
def docker_backend() -> DockerBackend:
    """The Docker backend; skips where no engine answers."""
    trouble = problem("docker")
    if trouble:
        pytest.skip(trouble)
    return DockerBackend()


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
