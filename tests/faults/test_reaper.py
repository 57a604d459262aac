"""What a killed process leaves at every gap, and that the reaper takes it, and nothing of anybody else's."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest

from deepgym_envs import Task
from deepgym_envs.owner import Owner, Purpose, own_prefix, this_process
from deepgym_envs.sandbox import Command
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.sandbox.cgroup import make_group
from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.sandbox.engine import OWNER_LABEL, Containers, connect
from deepgym_envs.sandbox.reaper import (
    Belonging,
    BelongingKind,
    Folders,
    Groups,
    Once,
    Place,
    Programs,
    Unseen,
    host_places,
    reap,
    survey,
)

from ..tiny import TrustedLocalBackend, make_tiny, tiny
from .owners import killed, of, owner_of

FIXTURES = make_tiny, tiny
pytestmark = pytest.mark.alone
FOREIGN = Owner("f" * 16, 1, 2, 3)
CREATED = """
backend = DockerBackend()
client = connect()
container = backend._create(client, backend._tag(client, task), task)
"""
ATTACHED = """
client.api.attach_socket(container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1})
"""
# Runs a command that outlives its owner, and stops boxd, which would otherwise end with it.
STUCK = """
import threading
from pathlib import Path
box = {backend}().open(task)
threading.Thread(target=box.run, args=(Command(("sleep", "300"), 300),), daemon=True).start()
from deepgym_envs.sandbox.reaper import Programs
import os
time.sleep(0.5)
for one in Programs().belongings():
    if one.owner == this_process():
        os.kill(int(one.name), signal.SIGSTOP)
ready()
"""


@pytest.fixture
def dead() -> Owner:
    """A process of this machine that has ended."""
    process = subprocess.Popen(
        [sys.executable, "-c", "from deepgym_envs.owner import this_process; print(this_process())"],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    said, _ = process.communicate()
    boot, *numbers = said.strip().split(".")
    return Owner(boot, *map(int, numbers))


def within(seconds: float, wanted: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.mark.slow
@pytest.mark.docker
@pytest.mark.parametrize("code", [CREATED, CREATED + ATTACHED], ids=["created", "attached"])
def test_a_container_that_was_never_started_is_removed(
    tiny: Task, tmp_path: Path, client: Any, code: str
) -> None:
    DockerBackend().prepare(tiny)
    places: list[Place] = [Containers(client)]
    with owner_of(tiny, tmp_path, code + "ready()") as (_, owner):
        assert [one.kind for one in of(owner, places)] == ["container"]
        assert owner not in {one.owner for one in reap(places).removed}
        (left,) = of(owner, places)
        assert client.api.inspect_container(left.name)["State"]["Status"] == "created"
    assert left.name in {one.name for one in reap(places).removed}
    assert of(owner, places) == []


@pytest.mark.slow
@pytest.mark.docker
def test_a_container_whose_program_is_stuck_is_removed(tiny: Task, tmp_path: Path, client: Any) -> None:
    DockerBackend().prepare(tiny)
    places: list[Place] = [Containers(client)]
    with owner_of(tiny, tmp_path, "box = DockerBackend().open(task)\nready()") as (_, owner):
        (box,) = of(owner, places)
        client.api.pause(box.name)
    time.sleep(0.5)
    assert of(owner, places) == [box]
    assert [one for one in reap(places).removed if one.owner == owner] == [box]
    assert of(owner, places) == []


@pytest.mark.slow
@pytest.mark.docker
def test_the_next_box_takes_away_what_the_dead_left_and_no_box_of_the_living(
    tiny: Task, tmp_path: Path, client: Any
) -> None:
    owner = killed(tiny, tmp_path, CREATED + "ready()")
    places: list[Place] = [Containers(client)]
    assert of(owner, places)
    with closing(DockerBackend().open(tiny)) as box:
        assert within(10, lambda: of(owner, places) == [])
        assert box.run(Command(("echo", "alive"), 10)).output == b"alive\n"


@pytest.mark.slow
@pytest.mark.docker
def test_two_reapers_at_once_and_boxes_being_opened_do_not_harm_each_other(
    tiny: Task, tmp_path: Path, client: Any
) -> None:
    owner = killed(tiny, tmp_path, CREATED * 4 + "ready()")
    assert len(of(owner, [Containers(client)])) == 4
    ended = threading.Event()

    def keep_reaping() -> None:
        own = connect()
        while not ended.is_set():
            reap([Containers(own), *host_places()])
        own.close()

    threads = [threading.Thread(target=keep_reaping) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(3):
            with closing(DockerBackend().open(tiny)) as box:
                assert box.run(Command(("echo", "alive"), 10)).output == b"alive\n"
    finally:
        ended.set()
        for thread in threads:
            thread.join()
    assert of(owner, [Containers(client)]) == []


@pytest.mark.docker
def test_a_container_of_another_machine_stays(tiny: Task, client: Any) -> None:
    backend = DockerBackend()
    backend.prepare(tiny)
    made = client.api.create_container(
        backend._tag(client, tiny), ["true"], labels={OWNER_LABEL: str(FOREIGN)}
    )
    try:
        assert made["Id"] not in {one.name for one in reap([Containers(client)]).removed}
        assert [one.name for one in of(FOREIGN, [Containers(client)])] == [made["Id"]]
    finally:
        client.api.remove_container(made["Id"])


@pytest.mark.slow
@pytest.mark.parametrize(
    "backend", [pytest.param("BwrapBackend", marks=pytest.mark.bwrap), "LocalBackend"], ids=["bwrap", "local"]
)
def test_a_stuck_box_without_an_engine_is_removed_with_its_processes(
    tiny: Task, tmp_path: Path, backend: str
) -> None:
    if backend == "BwrapBackend":
        BwrapBackend().prepare(tiny)
    else:
        TrustedLocalBackend().prepare(tiny)
    places = host_places()
    with owner_of(tiny, tmp_path, STUCK.format(backend=backend)) as (_, owner):
        things = of(owner, places)
        assert "program" in {one.kind for one in things}
        assert not [one for one in reap(places).removed if one.owner == owner]
    time.sleep(0.5)
    assert of(owner, places), "it was not stuck"
    reap(places)
    assert within(5, lambda: of(owner, places) == [])
    for one in things:
        place = Path("/proc", one.name) if one.kind == "program" else Path(one.name)
        assert within(5, lambda place=place: not place.exists()), one  # type: ignore[misc]


@pytest.mark.bwrap
def test_a_group_in_which_nothing_was_started_yet_is_removed(dead: Owner, monkeypatch: Any) -> None:
    monkeypatch.setattr(
        "deepgym_envs.sandbox.cgroup.own_prefix", lambda purpose: f"deepgym-{purpose}-{dead}-"
    )
    group = make_group(memory_bytes=1 << 28, processes=10, cpus=1.0)
    if not group.folders:
        pytest.skip("no control group can be made here")
    assert {one.name for one in reap([Groups()]).removed} >= set(map(str, group.folders))
    assert not any(folder.exists() for folder in group.folders)


# Where the folders of each purpose are made, and what stands before their names.
MADE_IN: dict[Purpose, str] = {
    "base": "cache/bases/0123.new-",
    "benchmark": "",
    "bootstrap": "cache/bootstrap/bookworm-1/",
    "build": "cache/environments/0123.new-",
    "clone": "cache/git/",
    "commit": "",
    "doctor": "",
    "git": "",
    "local": "",
    "patch": "",
    "sdist": "cache/sdists/",
    "wheels": "cache/wheels/",
}


def test_folders_of_the_dead_are_removed_wherever_they_are_made(
    dead: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    # A half-written task lies in a folder of the user's; the next who writes there removes it.
    assert {*MADE_IN, "box", "task"} == set(get_args(Purpose))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = [tmp_path / f"{where}deepgym-{purpose}-{dead}-x" for purpose, where in MADE_IN.items()]
    stay = [tmp_path / f"{where}{own_prefix(purpose)}x" for purpose, where in MADE_IN.items()]
    stay += [
        tmp_path / f"deepgym-local-{FOREIGN}-x",
        tmp_path / f"other-{dead}-x",
        tmp_path / "deepgym-local-x1y2",
        cache / "bases" / "0123",
        cache / "environments" / "0123",
    ]
    for place in [*left, *stay]:
        (place / "inner").mkdir(parents=True)
        (place / "inner" / "file").touch()
    assert {one.name for one in reap([Folders()]).removed} == set(map(str, left))
    assert not any(place.exists() for place in left)
    assert all((place / "inner" / "file").exists() for place in stay)


def test_nothing_outside_a_folder_is_touched(
    dead: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "file").touch()
    (tmp_path / f"deepgym-local-{dead}-link").symlink_to(treasure)
    folder = tmp_path / f"deepgym-local-{dead}-folder"
    (folder / "locked" / "deep").mkdir(parents=True)
    (folder / "locked" / "link").symlink_to(treasure)
    os.mkfifo(folder / "fifo")
    (folder / "locked").chmod(0)
    assert len(reap([Folders()]).removed) == 2
    assert [place.name for place in tmp_path.glob("*")] == ["treasure"]
    assert (treasure / "file").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away and mount")
def test_what_is_mounted_in_a_folder_is_unmounted_and_anothers_folder_stays(
    dead: Owner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    anothers = tmp_path / f"deepgym-local-{dead}-anothers"
    anothers.mkdir()
    os.chown(anothers, 12345, 12345)
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "file").touch()
    place = cache / "bootstrap" / "bookworm-1" / f"deepgym-bootstrap-{dead}-x" / "a mount"
    place.mkdir(parents=True)
    mounted = subprocess.run(["mount", "--bind", str(treasure), str(place)], check=False).returncode == 0
    if not mounted:
        pytest.skip("nothing can be mounted here")
    assert len(reap([Folders()]).removed) == 1
    assert not place.parent.exists()
    assert (treasure / "file").exists()
    assert anothers.exists()


def test_a_program_that_only_speaks_of_a_dead_owner_is_not_a_boxs(dead: Owner) -> None:
    code = f'import time; \'"owner": "{dead}"\'; time.sleep(60)'
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        reap([Programs()])
        time.sleep(0.1)
        assert process.poll() is None
        process.send_signal(signal.SIGKILL)


def test_what_its_own_state_shows_to_be_of_no_use_is_abandoned_whoever_the_owner_is(dead: Owner) -> None:
    box = Belonging("container", "1", FOREIGN)
    assert (box.abandoned, replace(box, idle=True).abandoned) == (False, True)
    assert (replace(box, owner=this_process()).abandoned, replace(box, owner=dead).abandoned) == (False, True)


class Made:
    """A place that holds one abandoned thing, which ``remove`` takes away; implements ``Place``."""

    kind: BelongingKind = "folder"

    def __init__(self, owner: Owner, name: str, remove: Callable[[], bool]) -> None:
        self._thing = Belonging("folder", name, owner)
        self._remove = remove

    def belongings(self) -> list[Belonging]:
        return [self._thing]

    def remove(self, belonging: Belonging) -> bool:
        assert belonging == self._thing
        return self._remove()


def test_what_cannot_be_looked_at_or_removed_is_told_and_keeps_nothing_else(dead: Owner) -> None:
    def refuse() -> bool:
        raise PermissionError("it is not yours")

    done = reap(
        [
            Unseen("container", "no engine"),
            Made(dead, "refused", refuse),
            Made(dead, "stubborn", lambda: False),
            Made(dead, "easy", lambda: True),
        ]
    )
    assert [one.name for one in done.removed] == ["easy"]
    assert {one.name: why for one, why in done.failed.items()} == {
        "refused": "it is not yours",
        "stubborn": "it does not go away",
    }
    assert done.unseen == {"container": "no engine"}


def test_a_survey_removes_nothing(dead: Owner) -> None:
    seen = survey([Unseen("container", "no engine"), Made(dead, "there", lambda: pytest.fail("removed"))])
    assert [(one.name, one.abandoned) for one in seen.belongings] == [("there", True)]
    assert seen.unseen == {"container": "no engine"}


def test_it_is_done_once_for_each_backend_and_its_errors_are_nobodys() -> None:
    done: list[int] = []
    finished = threading.Event()

    def work() -> None:
        done.append(1)
        finished.set()
        raise OSError("nobody hears this")

    once = Once()
    for _ in range(3):
        once.begin(work)
    assert finished.wait(10)
    assert done == [1]
