"""``deepgym-envs validate``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs.cli import main
from deepgym_envs.testing import make_task

pytestmark = pytest.mark.filterwarnings("ignore::deepgym_envs.sandbox.local.UntrustedCodeWarning")
BROKEN = "def add(a, b):\n    return a - b\n"
HIDDEN = (
    "from tiny import add\n\n\ndef test_sum():\n    assert add(1, 2) == 3\n\n\n"
    "def test_zero():\n    assert add(3, 0) == 3\n"
)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--sandbox", "local", "--repeats", "1", *arguments])
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, said.err


def add_task(folder: Path, name: str, fail_to_pass: str = "test_add.py::test_sum", **changed: str) -> None:
    make_task(
        folder / name,
        source={"tiny/__init__.py": BROKEN, "tests/test_tiny.py": "def test_nothing():\n    pass\n"},
        hidden={"test_add.py": HIDDEN},
        gold={"tiny/__init__.py": BROKEN.replace("-", "+")},
        fail_to_pass=[fail_to_pass],
        pass_to_pass=["test_add.py::test_zero"],
        **changed,  # type: ignore[arg-type]
    )


def test_clean_tasks_end_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_task(tmp_path, "good")
    status, said, errors = run(capsys, "--suite", str(tmp_path), "--json")
    result = json.loads(said)
    assert status == 0, errors
    assert (result["tasks"], result["clean"], result["rejected"]) == (1, 1, {})
    assert result["sandbox"] == "local"


def test_a_sample_is_drawn_by_the_seed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(6):
        add_task(tmp_path, f"task-{number}")
    drawn = []
    for seed in ("1", "1", "2"):
        _, said, _ = run(capsys, "--suite", str(tmp_path), "--sample", "2", "--seed", seed, "--json")
        drawn.append(list(json.loads(said)["figures"]))
    assert len(drawn[0]) == 2
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_folder_that_is_no_task_is_a_finding_and_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    suite = tmp_path / "mine"
    add_task(suite, "good")
    add_task(suite, "wrong", "test_add.py::test_sun")
    for name, text in (("toml", "id = "), ("keys", 'id = "mine/keys"\nsurprise = 1\n')):
        (suite / name).mkdir()
        (suite / name / "task.toml").write_text(text)
    (suite / "halfway").mkdir()
    (suite / "halfway/instruction.md").write_text("Do it.")
    status, said, _ = run(capsys, "--suite", str(suite), "--json")
    result = json.loads(said)
    assert status == 1
    assert (result["tasks"], result["clean"]) == (5, 1)
    found = {name: {reason["code"] for reason in reasons} for name, reasons in result["rejected"].items()}
    assert found == {
        "mine/toml": {"unreadable"},
        "mine/keys": {"unreadable"},
        "mine/halfway": {"unreadable"},
        "made/wrong": {"no_such_test"},
    }
    assert "surprise" in result["rejected"]["mine/keys"][0]["message"]


def test_a_person_reads_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_task(tmp_path, "wrong", "test_add.py::test_sun")
    status, said, _ = run(capsys, "--task", str(tmp_path / "wrong"))
    assert status == 1
    assert "no_such_test: task.toml: tests: test_add.py::test_sun" in said
    assert "0 of 1 clean" in said


def test_what_cannot_be_judged_is_no_rejection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    add_task(tmp_path, "debian", apt=["tree"])  # type: ignore[arg-type]
    status, said, _ = run(capsys, "--suite", str(tmp_path), "--json")
    result = json.loads(said)
    assert status == 3
    assert result["rejected"] == {}
    assert "Debian packages" in result["not_judged"]["made/debian"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--suite", "nothing-like-it"),
        ("--task", "starter/nothing"),
        ("--suite", "starter", "--task", "x"),
        ("--sandbox", "magic"),
        ("--repeats", "0"),
    ],
)
def test_wrong_arguments_are_named(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    status, said, errors = run(capsys, *arguments)
    assert (status, said) == (2, "")
    assert errors


def test_a_sandbox_that_does_not_run_is_status_3(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    status, said, errors = run(capsys, "--sandbox", "docker")
    assert (status, said) == (3, "")
    assert "no Docker engine answers" in errors
