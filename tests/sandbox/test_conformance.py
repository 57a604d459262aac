"""Every sandbox of this package keeps every promise of the contract."""

from __future__ import annotations

import pytest

from deepgym_envs.sandbox.backend import Backend
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.sandbox.local import LocalBackend
from deepgym_envs.state import File, Tree
from deepgym_envs.task import Task
from deepgym_envs.testing import FakeBackend, FakeSandbox, SandboxCheck, check_sandbox, sandbox_checks

every_check = pytest.mark.parametrize("check", sandbox_checks(), ids=str)


def usable(backend: Backend, task: Task) -> Backend:
    problem = backend.problem()
    if problem:
        pytest.skip(problem)
    backend.prepare(task)
    return backend


@pytest.fixture(scope="session")
def bwrap(tiny: Task) -> Backend:
    return usable(BwrapBackend(), tiny)


@pytest.fixture(scope="session")
def local(tiny: Task) -> Backend:
    return usable(LocalBackend(), tiny)


@pytest.mark.docker
@every_check
def test_docker(check: SandboxCheck, docker_backend: DockerBackend, built: Task) -> None:
    check(lambda: docker_backend.open(built), built.base)


@pytest.mark.bwrap
@every_check
def test_bwrap(check: SandboxCheck, bwrap: Backend, tiny: Task) -> None:
    check(lambda: bwrap.open(tiny), tiny.base)


@pytest.mark.filterwarnings("ignore:a local box isolates nothing")
@every_check
def test_local(check: SandboxCheck, local: Backend, tiny: Task) -> None:
    check(lambda: local.open(tiny), tiny.base)


@pytest.mark.parametrize("check", sandbox_checks(processes=False), ids=str)
def test_fake(check: SandboxCheck, tiny: Task) -> None:
    backend = FakeBackend()
    check(lambda: backend.open(tiny), tiny.base)
    assert all(box.closed for box in backend.boxes)


class Forgetful(FakeSandbox):
    """Reads one byte less than there is."""

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        data, size = super().read(path, limit)
        return data[:-1], size


def test_a_box_that_breaks_promises_is_told_which(tiny: Task) -> None:
    with pytest.raises(AssertionError) as caught:
        check_sandbox(lambda: Forgetful(tiny.base), tiny.base, processes=False)
    lines = str(caught.value).splitlines()
    assert (
        "read_gives_as_much_as_asked_and_the_whole_size: the first four bytes: found (b'012', 10)" in lines[2]
    )
    named = {line.partition(":")[0] for line in lines}
    assert "a_new_box_holds_its_base" in named
    assert "find_lists_by_folder_and_glob" not in named


def test_every_check_has_a_name_of_its_own() -> None:
    names = [check.name for check in sandbox_checks()]
    assert len(set(names)) == len(names)
    assert all(name.count("_") >= 3 for name in names)


def test_the_checks_work_on_the_smallest_base() -> None:
    base = Tree({"a": File(b"x")})
    check_sandbox(lambda: FakeSandbox(base), base, processes=False)
