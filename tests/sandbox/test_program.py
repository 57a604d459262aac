"""What is shipped into a box, and what it is told there."""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgym_envs.sandbox.box import Box
from deepgym_envs.sandbox.channel import MAX_BODY, Channel
from deepgym_envs.sandbox.contract import Command
from deepgym_envs.sandbox.pipes import ChildProgram
from deepgym_envs.sandbox.program import BOXD, BoxConfig, program_files, start_command
from deepgym_envs.state import File, Tree, WorkspaceState

BASE = Tree({"a.py": File(b"a = 1\n")})
CONFIG = BoxConfig(
    workspace="/w", base="/b", inputs="/i", scratch=("/t",), environment={"PATH": "/bin"}, disk_bytes=1 << 20
)
# Every name that a program could have been given to what is shipped, and what is loaded of it.
LOOK = """
import importlib.util, json, sys
names = json.loads(sys.argv[1])
print([name for name in names if importlib.util.find_spec(name)], [n for n in names if n in sys.modules])
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    """A box whose program has been given the shipped files and nothing else."""
    home = tmp_path / "home"
    for path, data in program_files().items():
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(data)
    for name in ("base", "workspace", "inputs", "scratch"):
        (tmp_path / name).mkdir()
    BASE.write_to(tmp_path / "base")
    config = BoxConfig(
        workspace=str(tmp_path / "workspace"),
        base=str(tmp_path / "base"),
        inputs=str(tmp_path / "inputs"),
        scratch=(str(tmp_path / "scratch"),),
        environment={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        disk_bytes=1 << 20,
        preload=(),
    )
    child = ChildProgram([*start_command(sys.executable, str(home)), config.to_json()], tmp_path)
    yield Box(BASE, Channel(child), lambda: None)
    child.close()
    child.reap()


def test_the_shipped_files_are_all_that_a_box_needs(box: Box) -> None:
    assert box.run(Command(("sh", "-c", "echo b >> a.py"), 10)).exit_code == 0
    assert box.capture().state == WorkspaceState(BASE).with_file("a.py", b"a = 1\nb\n")
    box.restore(WorkspaceState(BASE))
    assert box.read("a.py", 100)[0] == b"a = 1\n"


@pytest.mark.parametrize("warm", [False, True])
def test_a_command_can_import_nothing_of_the_boxs_own_program(box: Box, warm: bool) -> None:
    names = json.dumps(["boxd", "nursery", *(path.stem for path in BOXD.glob("[a-z]*.py"))])
    argv = ("python", "-I", "-B", "{files}/s.py", names)
    done = box.run(Command(argv, 20, files={"s.py": LOOK.encode()}, warm=warm))
    assert (done.warm, done.output) == (warm, b"[] []\n")


def test_every_file_of_the_program_is_shipped_and_no_bytecode() -> None:
    here = {f"boxd/{path.name}" for path in BOXD.iterdir() if path.name != "__pycache__"}
    assert set(program_files()) == {*here, "nursery.py"}


def test_all_of_a_configuration_is_told() -> None:
    told = json.loads(CONFIG.to_json())
    fields = {field.name for field in dataclasses.fields(BoxConfig)}
    assert set(told) == fields - {"disk_bytes"} | {"capture"}
    assert (told["scratch"], told["user"], told["preload"]) == (["/t"], None, None)


def test_no_core_is_dumped_and_a_limit_may_be_set_over_the_usual_one() -> None:
    told = json.loads(dataclasses.replace(CONFIG, rlimits={"NOFILE": 64, "AS": 5}).to_json())
    assert told["rlimits"] == {"CORE": 0, "NOFILE": 64, "AS": 5}


@pytest.mark.parametrize(("disk", "captured"), [(1 << 20, 1 << 20), (MAX_BODY + 1, MAX_BODY)])
def test_no_more_is_captured_than_a_frame_holds(disk: int, captured: int) -> None:
    told = json.loads(dataclasses.replace(CONFIG, disk_bytes=disk).to_json())
    assert told["capture"]["bytes"] == captured
