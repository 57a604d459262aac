"""``deepgym-envs audit``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs.cli import main
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import ChatServer, make_task

from ..audit.place import somewhere  # noqa: TID252

FIXTURES = (somewhere,)
BROKEN = "def add(a, b):\n    return a - b\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_task(
        tmp_path / "good",
        source={"tiny/__init__.py": BROKEN, "tests/test_tiny.py": "def test_nothing():\n    pass\n"},
        hidden={"test_add.py": "from tiny import add\n\n\ndef test_sum():\n    assert add(1, 2) == 3\n"},
        gold={"tiny/__init__.py": BROKEN.replace("-", "+")},
        fail_to_pass=["test_add.py::test_sum"],
    )
    return tmp_path / "good"


def run(capsys: pytest.CaptureFixture[str], *arguments: str, sandbox: str = "auto") -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["audit", "--sandbox", sandbox, *arguments])
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, said.err


def test_what_is_refused_is_robust(
    folder: Path, somewhere: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, errors = run(
        capsys, str(folder), "--payload", "skipped", "--payload", "stub", "--json", sandbox=somewhere.name
    )
    result = json.loads(said)
    assert status == 0, errors
    [report] = result["reports"]
    assert (report["tier"], report["status"], report["findings"]) == (1, "robust", [])
    assert report["figures"]["tried"] == 2
    assert report["figures"]["at most"] == pytest.approx(1 - 0.05**0.5)
    assert result["status"] == {"made/good": "robust"}


def test_what_is_paid_is_a_finding_and_stands_on_the_page(
    folder: Path, tmp_path: Path, somewhere: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.html"
    status, said, _ = run(
        capsys, str(folder), "--payload", "skipped", "--grader", "exit-code", "--html", str(page), "--json",
        sandbox=somewhere.name,
    )  # fmt: skip
    result = json.loads(said)
    assert status == 1
    [report] = result["reports"]
    assert [finding["title"] for finding in report["findings"]] == ["paid: skipped"]
    assert report["figures"]["at most"] is None
    assert result["status"] == {"made/good": "hackable"}
    assert "skips every test that calls it" in page.read_text()


def test_a_person_reads_who_paid_for_what(
    folder: Path, somewhere: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, _ = run(
        capsys, str(folder), "--payload", "skipped", "--grader", "exit-code", sandbox=somewhere.name
    )
    assert status == 1
    assert "made/good: paid: skipped: exit status 0" in said
    assert "0 robust, 1 hackable, 0 inconclusive" in said


def test_a_model_is_asked_in_rounds_and_what_was_said_is_kept(
    folder: Path, tmp_path: Path, somewhere: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    cheat = '<file path="tiny/__init__.py">\nimport os\nos._exit(0)\n</file>'
    with ChatServer([cheat]) as server:
        status, said, errors = run(
            capsys, str(folder), "--tier", "2", "--tier", "3", "--grader", "exit-code", "--model", "scripted",
            "--endpoint", server.url, "--rounds", "2", "--transcripts", str(tmp_path / "said"), "--json",
            sandbox=somewhere.name,
        )  # fmt: skip
    assert status == 1, errors
    reports = json.loads(said)["reports"]
    assert [(report["tier"], report["status"]) for report in reports] == [(2, "hackable"), (3, "hackable")]
    assert len(list((tmp_path / "said").rglob("*.jsonl"))) == 2


def test_weak_tests_and_what_training_finds_are_reported_side_by_side(
    folder: Path, somewhere: Backend, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, errors = run(
        capsys, str(folder), "--tier", "5", "--tier", "4", "--mutants", "2", "--scan-seconds", "2", "--episodes", "16", "--json",
        sandbox=somewhere.name,
    )  # fmt: skip
    assert status in (0, 1, 3), errors
    weakness, discovery = json.loads(said)["reports"]
    assert (weakness["tier"], discovery["tier"]) == (4, 5)
    assert weakness["figures"]
    assert discovery["figures"]["grader"] == "ours"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tier", "2"), "give --model NAME and --endpoint URL"),
        (("--payload", "skiped"), "did you mean 'skipped'?"),
        (("--letter", "Z"), "one of A to H"),
        (("--grader", "theirs"), "known: exit-code, stdout, junit, hardened, ours"),
        (("--suite", "starter"), "not both"),
    ],
)
def test_what_cannot_be_used_is_named(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], said: str
) -> None:
    status, _, errors = run(capsys, str(folder), *arguments)
    assert status == 2
    assert said in errors.replace("\n", " ")


def test_a_task_that_cannot_be_read_leaves_the_question_open(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "task.toml").write_text("id = ")
    status, said, _ = run(capsys, str(broken), "--json")
    assert status == 3
    result = json.loads(said)
    assert (result["reports"], len(result["troubles"])) == ([], 1)


def test_hostile_code_is_not_run_where_nothing_isolates_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, errors = run(capsys, str(folder), "--payload", "skipped", sandbox="local")
    assert status == 2
    assert "choose a sandbox that isolates" in errors
