"""Host environments: pinned, relocatable, whole or absent."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from pathlib import Path

import pytest

from deepgym_envs.errors import ImageError, SandboxUnavailable
from deepgym_envs.sandbox.hostenv import HostEnvironment, host_environment
from deepgym_envs.task import Task

from .hosts import MakeTask, make_task

fixtures = (make_task,)

BUILDER = """
import pathlib, sys
from deepgym_envs.task import Task
from deepgym_envs.sandbox.hostenv import host_environment
folder = pathlib.Path(sys.argv[1])
host_environment(Task.from_folder(folder / "tasks" / "one", folder / "repos").recipe)
"""


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index that is a folder, and a cache of each test's own."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def write_wheel(folder: Path, name: str, requires: str = "") -> None:
    """A wheel of one module and one script that says its name."""
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n" + (
        f"Requires-Dist: {requires}\n" if requires else ""
    )
    files = {
        f"{name}.py": f"def main():\n    print('I am {name}')\n",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    record = ""
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{path},sha256={digest},{len(text)}\n"
        wheel.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")


def output_of(*command: str | Path) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin"}
    ).stdout


def test_the_environment_holds_the_pins_and_nothing_else(make_task: MakeTask, wheels: Path) -> None:
    write_wheel(wheels, "shout")
    environment = host_environment(make_task(pip=["shout==1.0"]).recipe)
    assert output_of(environment.python / "python", "-m", "shout") == ""
    packages = next(environment.folder.glob("lib/python*/site-packages"))
    assert {place.name for place in packages.iterdir()} == {"shout.py", "shout-1.0.dist-info", "__pycache__"}
    assert list((packages / "__pycache__").glob("shout.*.pyc"))


def test_scripts_work_wherever_the_environment_lies(
    make_task: MakeTask, wheels: Path, tmp_path: Path
) -> None:
    write_wheel(wheels, "shout")
    environment = host_environment(make_task(pip=["shout==1.0"]).recipe)
    assert output_of(environment.python / "shout") == "I am shout\n"
    elsewhere = environment.folder.rename(tmp_path / "else where")
    (tmp_path / "link").symlink_to(elsewhere / "bin" / "shout")
    assert output_of(elsewhere / "bin" / "shout") == "I am shout\n"
    assert output_of(tmp_path / "link") == "I am shout\n"


def test_it_is_built_once(make_task: MakeTask) -> None:
    recipe, said = make_task().recipe, list[str]()
    first = host_environment(recipe, said.append)
    assert host_environment(recipe, said.append) == first
    assert len(said) == 1


def test_builders_at_once_share_one_build(make_task: MakeTask) -> None:
    recipe, said, built = make_task().recipe, list[str](), list[HostEnvironment]()
    threads = [
        threading.Thread(target=lambda: built.append(host_environment(recipe, said.append))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 1
    assert len(built) == 4
    assert len(set(built)) == 1


def test_a_killed_builder_leaves_nothing_that_is_taken_for_whole(make_task: MakeTask, tmp_path: Path) -> None:
    task = make_task()
    environments = tmp_path / "cache" / "environments"
    with subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(tmp_path)], env=search_path(), start_new_session=True
    ) as builder:
        while not list(environments.glob("*.new-*/environment/pyvenv.cfg")):
            assert builder.poll() is None
            time.sleep(0.001)
        os.killpg(builder.pid, signal.SIGKILL)
    assert [place.name.count(".new-") for place in environments.iterdir()] == [1]
    environment = host_environment(task.recipe)
    assert output_of(environment.python / "python", "-c", "print(1)") == "1\n"
    assert list(environments.iterdir()) == [environment.folder]


def search_path() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}


def test_a_pin_that_nobody_offers_quotes_pip(make_task: MakeTask, tmp_path: Path) -> None:
    with pytest.raises(
        ImageError, match=r"pip install failed: .*No matching distribution found for absent==1\.0"
    ):
        host_environment(make_task(pip=["absent==1.0"]).recipe)
    assert not list((tmp_path / "cache" / "environments").iterdir())


def test_pins_that_do_not_go_together_are_refused(make_task: MakeTask, wheels: Path) -> None:
    write_wheel(wheels, "shout", requires="whisper")
    with pytest.raises(ImageError, match=r"pip check failed: shout 1\.0 requires whisper"):
        host_environment(make_task(pip=["shout==1.0"]).recipe)


def test_what_only_an_image_can_give_is_refused(make_task: MakeTask) -> None:
    with pytest.raises(SandboxUnavailable, match=r"Debian packages.*--sandbox docker"):
        host_environment(make_task(apt=["libc6"]).recipe)


def test_a_python_that_is_not_here_is_named(make_task: MakeTask) -> None:
    with pytest.raises(
        SandboxUnavailable, match=r"wants Python ==3\.99, but this is 3\.\d+ and PATH has none of"
    ):
        host_environment(make_task(python="==3.99").recipe)


def test_another_python_is_found_on_the_path(
    make_task: MakeTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = next(place for place in other_pythons())
    (tmp_path / "bin").mkdir()
    minor = output_of(other, "-c", "import sys; print(sys.version_info[1])").strip()
    (tmp_path / "bin" / f"python3.{minor}").symlink_to(other)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    environment = host_environment(make_task(python=f"==3.{minor}").recipe)
    assert environment.base.version[1] == int(minor) != sys.version_info[1]


def other_pythons() -> list[Path]:
    """Pythons of other versions beside ours, as version managers lay them out."""
    here = Path(sys.base_prefix)
    found = [
        place
        for place in here.parent.glob("3.*/bin/python3")
        if place.parents[1].name.split(".")[:2] != here.name.split(".")[:2]
    ]
    supported = [place for place in found if int(place.parents[1].name.split(".")[1]) >= 9]
    if not supported:
        pytest.skip("there is only one Python here")
    return supported


def test_a_cache_that_cannot_be_written_is_named(
    make_task: MakeTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = make_task().recipe
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "file"))
    with pytest.raises(ImageError, match=r"Not a directory.*set DEEPGYM_CACHE"):
        host_environment(recipe)


def test_a_task_without_needs_is_quick(make_task: MakeTask) -> None:
    task: Task = make_task()
    began = time.monotonic()
    host_environment(task.recipe)
    assert time.monotonic() - began < 5
