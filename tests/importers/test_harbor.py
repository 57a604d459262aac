"""What is written for Harbor reads back as the same task, and nothing hostile in a folder gets out of it."""

from __future__ import annotations

import json
import subprocess
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.authoring import record
from deepgym_envs.errors import TaskError
from deepgym_envs.importers import ForeignTask, export_harbor, read_harbor
from deepgym_envs.importers.harbor_verify import judge_tests, put
from deepgym_envs.patch import make_patch
from deepgym_envs.sandbox import choose_backend
from deepgym_envs.sandbox.docker import quiet
from deepgym_envs.sandbox.engine import connect
from deepgym_envs.sandbox.image import task_image
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.suite import load_suite, read_suite, suite_names
from deepgym_envs.task import Task
from deepgym_envs.task_writer import write_task
from deepgym_envs.testing import make_task
from deepgym_envs.twin import NO_TWINS


def bundled() -> list[Task]:
    return [task for suite in suite_names() for task in read_suite(suite).values() if isinstance(task, Task)]


def with_base_patch(task: Task) -> Task:
    """The same task, whose agent gets a tree that differs from its source."""
    base = WorkspaceState(task.base).with_file("added/new.txt", b"x\r\n\xff").with_file("data/empty", None)
    return replace(task, content=replace(task.files, base_patch=make_patch(base), source=task.base))


@pytest.fixture
def exported(tiny: Task, tmp_path: Path) -> Path:
    return export_harbor(tiny, tmp_path / "harbor")


def test_bundled_tasks_read_back_and_give_the_same_bytes(tmp_path: Path) -> None:
    tasks = bundled()
    for task in tasks:
        first = export_harbor(task, tmp_path / "first")
        back = read_harbor(first)
        assert back.digest == task.digest
        assert back.gold == task.gold
        assert back.instruction == task.instruction
        second = export_harbor(back, tmp_path / "second")
        assert Tree.from_folder(first) == Tree.from_folder(second)
    assert tasks


@pytest.mark.parametrize("patched", [False, True])
def test_files_of_every_kind_read_back(tiny: Task, tmp_path: Path, patched: bool) -> None:
    task = with_base_patch(tiny) if patched else tiny
    first = export_harbor(task, tmp_path / "first")
    back = read_harbor(first)
    assert (back.digest, back.files.base_patch) == (task.digest, task.files.base_patch)
    assert Tree.from_folder(first) == Tree.from_folder(export_harbor(back, tmp_path / "second"))


@pytest.mark.parametrize("patched", [False, True])
def test_an_imported_task_can_be_written_in_our_format(tiny: Task, tmp_path: Path, patched: bool) -> None:
    task = with_base_patch(tiny) if patched else tiny
    back = read_harbor(export_harbor(task, tmp_path / "harbor"))
    write_task(back, tmp_path / "ours")
    [again] = load_suite(tmp_path / "ours")
    assert again.digest == task.digest
    assert again.files.base_patch == task.files.base_patch


@pytest.mark.bwrap
def test_an_imported_task_is_given_twins_by_recording_it(tiny: Task, tmp_path: Path) -> None:
    back = read_harbor(
        export_harbor(replace(tiny, content=replace(tiny.files, twins=NO_TWINS)), tmp_path / "harbor")
    )
    assert not back.twins.tests
    folder = write_task(back, tmp_path / "ours")
    record(folder, choose_backend("bwrap"))
    [again] = load_suite(tmp_path / "ours")
    assert again.expected == tiny.expected
    assert set(again.twins.of(again.hidden)) == {"test_hidden.py::test_add", "test_hidden.py::test_double"}
    assert read_harbor(export_harbor(again, tmp_path / "there")).twins == again.twins


def test_tasks_of_one_repository_share_its_recipe(tiny: Task, tmp_path: Path) -> None:
    other = replace(tiny, manifest=tiny.manifest.model_copy(update={"id": "made/other"}))
    for task in (tiny, other):
        write_task(task, tmp_path)
    assert len(load_suite(tmp_path)) == 2
    different = replace(other, content=replace(other.files, source=Tree({"x": File(b"")})))
    different = replace(different, manifest=tiny.manifest.model_copy(update={"id": "made/third"}))
    with pytest.raises(TaskError, match="another repository of the same name"):
        write_task(different, tmp_path)


def test_it_is_a_harbor_task(exported: Path, tiny: Task) -> None:
    settings = tomllib.loads((exported / "task.toml").read_text())
    assert settings["schema_version"] == "1.4"
    assert settings["task"]["name"] == tiny.id
    assert settings["verifier"]["environment_mode"] == "separate"
    assert settings["environment"]["network_mode"] == "no-network"
    assert settings["verifier"]["environment"]["network_mode"] == "no-network"
    assert settings["artifacts"] == [{"source": "/workspace", "exclude": [".git"]}]
    for name in (
        "instruction.md",
        "environment/Dockerfile",
        "tests/Dockerfile",
        "tests/test.sh",
        "solution/solve.sh",
    ):
        assert (exported / name).is_file(), name
    assert (exported / "tests/test.sh").stat().st_mode & 0o100


def test_the_agents_side_holds_nothing_hidden(exported: Path, tiny: Task) -> None:
    seen = Tree.from_folder(exported / "environment")
    assert {path for path in seen if not path.startswith("workspace/")} == {"Dockerfile"}
    assert all(data not in file.data for data in tiny.hidden.values() for file in seen.values())


def test_an_oracle_is_exported_and_read_back_but_no_verifier_of_harbors_asks_it(tmp_path: Path) -> None:
    task = make_task(
        tmp_path / "asked",
        source={"tiny/__init__.py": "x = 1\n"},
        hidden={
            "test_x.py": "import tiny\n\n\ndef test_x():\n    assert tiny.x == 2\n",
            "oracle.toml": '[[case]]\nname = "x"\nsteps = [{ get = "tiny:x", expect = 2 }]\n',
        },
        gold={"tiny/__init__.py": "x = 2\n"},
        fail_to_pass=["test_x.py::test_x", "oracle.toml::x"],
    )
    folder = export_harbor(task, tmp_path / "harbor")
    assert json.loads((folder / "tests" / "verify.json").read_text())["expected"] == ["test_x.py::test_x"]
    assert read_harbor(folder).digest == task.digest


def test_what_is_there_is_not_overwritten(tiny: Task, exported: Path) -> None:
    with pytest.raises(TaskError, match="is there already"):
        export_harbor(tiny, exported.parent)


@pytest.fixture
def foreign(tmp_path: Path) -> Path:
    folder = tmp_path / "foreign"
    (folder / "tests").mkdir(parents=True)
    (folder / "task.toml").write_text('version = "1.0"\n')
    (folder / "instruction.md").write_text("Do it.\n")
    (folder / "tests/test.sh").write_text("touch /tmp/was-executed\n")
    return folder


@pytest.mark.parametrize(
    "config", [None, "{}", "[]", "not json", '{"FAIL_TO_PASS": ["a::b"]}', "[" * 100_000]
)
def test_a_foreign_folder_is_refused_with_what_it_lacks(foreign: Path, config: str | None) -> None:
    if config is not None:
        (foreign / "tests/config.json").write_text(config)
    with pytest.raises(ForeignTask, match=r"which hidden tests must begin to pass.*write-a-task"):
        read_harbor(foreign)


def test_what_is_no_harbor_task_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"has no task\.toml"):
        read_harbor(tmp_path)
    with pytest.raises(TaskError, match="cannot be read"):
        read_harbor(tmp_path / "nowhere")


def change(folder: Path, **changed: Any) -> None:
    place = folder / "tests/config.json"
    place.write_text(json.dumps({**json.loads(place.read_text()), **changed}))


def broken_manifests(config: dict[str, Any]) -> Iterator[dict[str, Any]]:
    manifest, recipe = config["manifest"], config["recipe"]
    tests = manifest["tests"]
    yield {"manifest": {**manifest, "id": "../../etc/x"}}
    yield {"manifest": {**manifest, "id": "a/.."}}
    yield {"manifest": {**manifest, "repo": "../x"}}
    yield {"manifest": {**manifest, "editable": ["../**"]}}
    yield {"manifest": {**manifest, "surprise": 1}}
    yield {"manifest": {**manifest, "tests": {**tests, "fail_to_pass": ["../../x.py::test"]}}}
    yield {"manifest": {**manifest, "tests": {**tests, "fail_to_pass": ["gone.py::test"]}}}
    yield {"manifest": {**manifest, "tests": {**tests, "pass_to_pass": tests["fail_to_pass"]}}}
    yield {"manifest": None}
    yield {"manifest": {**manifest, "repo": "../../x"}, "recipe": {**recipe, "name": "../../x"}}
    yield {"recipe": {**recipe, "source": {"kind": "git", "url": "ext::sh -c id", "commit": "0" * 40}}}
    yield {"recipe": {**recipe, "install": {"pythonpath": ["../.."]}}}
    yield {"recipe": []}
    yield {"base": "0" * 64}
    yield {"base_patch": 1}
    yield {"base_patch": "--- a/../../x\n+++ b/../../x\n@@ -0,0 +1 @@\n+x\n"}
    yield {"base_patch": "\ud800"}
    yield {"base_patch": "", "source_patch": "--- /dev/null\n+++ b/../../x\n@@ -0,0 +1 @@\n+x\n"}
    yield {"format": "deepgym-envs 99"}


@pytest.mark.parametrize("number", range(19))
def test_a_folder_that_was_tampered_with_is_refused(exported: Path, tmp_path: Path, number: int) -> None:
    config = json.loads((exported / "tests/config.json").read_text())
    change(exported, **list(broken_manifests(config))[number])
    before = sorted(place for place in tmp_path.rglob("*"))
    with pytest.raises(TaskError) as caught:
        read_harbor(exported)
    assert not isinstance(caught.value, ForeignTask)
    assert sorted(place for place in tmp_path.rglob("*")) == before


def test_links_are_not_followed(exported: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (exported / "environment/workspace/link").symlink_to(secret)
    with pytest.raises(TaskError, match="only regular files"):
        read_harbor(exported)


def test_a_changed_workspace_is_noticed(exported: Path) -> None:
    (exported / "environment/workspace/tiny/__init__.py").write_text("x = 1\n")
    with pytest.raises(TaskError, match="environment/workspace is not what"):
        read_harbor(exported)


def test_a_missing_solution_is_named(exported: Path) -> None:
    (exported / "solution/solution.patch").unlink()
    with pytest.raises(TaskError, match=r"solution/solution\.patch"):
        read_harbor(exported)


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize(
    ("solution", "reward"), [("gold", 1.0), ("base", 0.0), ("cheat", 0.0), ("outside", 0.0)]
)
def test_the_verifier_judges_in_a_container(
    built: Task, tmp_path: Path, solution: str, reward: float
) -> None:
    folder = export_harbor(built, tmp_path / "harbor")
    state = built.gold if solution == "gold" else WorkspaceState(built.base)
    if solution == "cheat":
        state = state.with_file("tiny/__init__.py", b"import os\nos._exit(0)\n")
    if solution == "outside":
        state = state.with_file("conftest.py", b"import os\nos._exit(0)\n")
    assert verified(built, folder, state, tmp_path) == reward


def verified(task: Task, folder: Path, state: WorkspaceState, scratch: Path) -> float:
    """The reward that the exported task's verifier gives to ``state``."""
    work = scratch / "submitted"
    work.mkdir()
    state.tree().write_to(work)
    client = connect()
    tag = task_image(client, task, quiet)
    client.close()
    script = "PATH=/opt/venv/bin:$PATH sh /tests/test.sh >&2; cat /logs/verifier/reward.json"
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "-v", f"{folder}/tests:/tests:ro",
         "-v", f"{work}:/workspace:ro", tag, "sh", "-c", script],
        capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return float(json.loads(done.stdout)["reward"])


def half(folder: Path) -> Task:
    """A task about tests, of which one implementation is not UTF-8."""
    test = "from tiny import half\n\n\ndef test_half():\n    assert half(8) {}\n"
    return make_task(
        folder / "half",
        source={
            "tiny/__init__.py": "def half(a):\n    return a / 2\n",
            "tests/test_half.py": test.format("> 0"),
        },
        implementations={
            "right-latin": {
                "tiny/__init__.py": b"# coding: latin-1\n# \xe9\r\ndef half(a):\n    return a * 0.5\n"
            },
            "wrong-third": {"tiny/__init__.py": "def half(a):\n    return a / 3\n"},
        },
        gold={"tests/test_half.py": test.format("== 4")},
        fail_to_pass=["wrong-third"],
        pass_to_pass=["base", "right-latin"],
        kind="tests",
    )


def test_the_verifier_has_implementations_byte_for_byte(tmp_path: Path) -> None:
    task = half(tmp_path)
    folder = export_harbor(task, tmp_path / "harbor")
    job = json.loads((folder / "tests/verify.json").read_text())
    for name, state in task.implementations.items():
        (tmp_path / name).mkdir()
        put(job["implementations"][name], tmp_path / name)
        assert Tree.from_folder(tmp_path / name) == Tree(
            {path: file for path, file in state.changes.items() if file}
        )


@given(st.binary(), st.booleans())
def test_what_the_verifier_writes_is_what_was_exported(data: bytes, there: bool) -> None:
    content = json.loads(json.dumps(data.decode("utf-8", "surrogateescape")))
    with TemporaryDirectory() as scratch:
        place = Path(scratch, "a", "b")
        if there:
            put({"a/b": "older"}, Path(scratch))
        put({"a/b": content}, Path(scratch))
        assert place.read_bytes() == data
        put({"a/b": None}, Path(scratch))
        assert not place.exists()


def test_the_verifier_tries_implementations_in_an_order_that_nobody_knows() -> None:
    names = ["base", "right-one", "right-other", "wrong-one", "wrong-other", "wrong-third"]
    job = {"expected": names, "implementations": {name: {"name": name} for name in names}}
    orders = [tried(job) for _ in range(12)]
    assert all(sorted(order) == names for order in orders)
    assert len(set(map(tuple, orders))) > 1  # 1 in 720 ** 11 that they are one


def tried(job: dict[str, Any]) -> list[str]:
    """The implementations in the order in which tests that are right about all of them run on them."""
    order: list[str] = []

    def run_on(changes: dict[str, Any]) -> tuple[bytes, int]:
        order.append(changes["name"])
        outcome = "failed" if changes["name"].startswith("wrong-") else "passed"
        rows = [{"test": "test_x.py::test", "when": "call", "outcome": outcome}, {"exit": 0}]
        return "\n".join(map(json.dumps, rows)).encode(), int(outcome == "failed")

    assert judge_tests(job, run_on) == "passed"
    return order


def test_harbor_gives_each_implementation_its_time(tmp_path: Path) -> None:
    task = half(tmp_path)
    settings = tomllib.loads((export_harbor(task, tmp_path / "harbor") / "task.toml").read_text())
    assert settings["verifier"]["timeout_sec"] > len(task.expected) * task.limits.test_seconds


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize(("sharp", "reward"), [(True, 1.0), (False, 0.0)])
def test_tests_are_put_on_trial_in_a_container(tmp_path: Path, sharp: bool, reward: float) -> None:
    task = half(tmp_path)
    folder = export_harbor(task, tmp_path / "harbor")
    assert read_harbor(folder).digest == task.digest
    assert verified(task, folder, task.gold if sharp else WorkspaceState(task.base), tmp_path) == reward
