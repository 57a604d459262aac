"""``deepgym-envs export harbor`` and ``import harbor``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs.cli import main
from deepgym_envs.suite import load_suite
from deepgym_envs.task import Task


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, said.err


def folder(task: Task) -> str:
    return str(task.recipe.folder.parents[1] / task.id.partition("/")[2])


def test_a_task_goes_there_and_back(tiny: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, back = str(tmp_path / "out"), str(tmp_path / "back")
    status, said, _ = run(capsys, "export", "harbor", "--task", folder(tiny), "--out", out, "--json")
    assert status == 0
    assert json.loads(said)["tasks"] == 1
    status, said, _ = run(capsys, "import", "harbor", out, "--out", back, "--json")
    told = {"candidates": 1, "accepted": 1, "rejected": {}, "details": {}}
    assert (status, json.loads(said)) == (0, {**told, "without_twins": [str(Path(back) / "tiny-add")]})
    assert [task.digest for task in load_suite(back)] == [tiny.digest]


@pytest.mark.parametrize("why", ["left out", "of other tests", "there"])
def test_a_task_without_twins_is_named_with_what_finds_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], why: str
) -> None:
    out, back = tmp_path / "out", tmp_path / "back"
    name = "rangelock-build-tags"
    assert run(capsys, "export", "harbor", "--task", f"starter/{name}", "--out", str(out))[0] == 0
    if why == "left out":
        (out / name / "twins.json").unlink()
    elif why == "of other tests":
        for file in (out / name / "tests/hidden").glob("*.py"):
            file.write_text(file.read_text() + "\n# changed\n")
    status, said, _ = run(capsys, "import", "harbor", str(out), "--out", str(back))
    assert status == 0
    assert (f"'deepgym-envs record {back / name}'" in said) is (why != "there")


def test_foreign_folders_are_counted_by_reason(
    tiny: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert run(capsys, "export", "harbor", "--task", folder(tiny), "--out", str(out))[0] == 0
    for name in ("a", "b"):
        (out / name).mkdir()
        (out / name / "task.toml").write_text("")
    (out / "a/instruction.md").write_text("Do it.")
    status, said, errors = run(
        capsys, "import", "harbor", str(out), "--out", str(tmp_path / "back"), "--json"
    )
    result = json.loads(said)
    assert status == 1
    assert (result["candidates"], result["accepted"]) == (3, 1)
    assert result["rejected"] == {"foreign": 1, "malformed": 1}
    assert "which hidden tests must begin to pass" in " ".join(errors.split())


def test_a_folder_without_tasks_is_a_wrong_argument(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, errors = run(capsys, "import", "harbor", str(tmp_path), "--out", str(tmp_path / "x"))
    assert status == 2
    assert "holds no Harbor task" in errors


def test_an_unknown_task_is_a_wrong_argument(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, errors = run(capsys, "export", "harbor", "--task", "starter/nothing", "--out", str(tmp_path))
    assert status == 2
    assert "starter/nothing" in errors


def test_a_second_export_says_what_is_there(
    tiny: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("export", "harbor", "--task", folder(tiny), "--out", str(tmp_path))
    assert run(capsys, *arguments)[0] == 0
    status, _, errors = run(capsys, *arguments)
    assert status == 1
    assert "is there already" in " ".join(errors.split())
