"""``deepgym-envs label`` as a person or a program uses it."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.cli.app import main
from deepgym_envs.store import RunStore

from ..episodes import episode, masked
from ..tiny import make_tiny, tiny

FIXTURES = make_tiny, tiny
KEYS = {
    "continuations", "episodes", "first_errors", "labelled", "left_out", "masked", "out", "sandbox", "solved",
    "steps", "troubles",
}  # fmt: skip


def run(*arguments: str) -> tuple[int, str, str]:
    code = "from deepgym_envs.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False,
        cwd=Path(__file__).parents[2], env=os.environ,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def folder(task: Task) -> str:
    return str(task.recipe.folder.parents[1] / task.id.split("/")[1])


def test_new_episodes_are_played_and_labelled(tiny: Task, tmp_path: Path) -> None:
    out = tmp_path / "labels.jsonl"
    status, said, errors = run(
        "label", "--task", folder(tiny), "--agent", "noop", "--policy", "oracle", "-k", "2", "-n", "2",
        "--sandbox", "local", "--out", str(out), "--json",
    )  # fmt: skip
    assert status == 0, errors
    result = json.loads(said)
    assert result.keys() == KEYS
    assert (result["episodes"], result["labelled"], result["steps"], result["first_errors"]) == (2, 2, 2, 2)
    assert (result["continuations"], result["solved"], result["masked"]) == (4, 4, 0)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(row["labels"], row["rewards"]) for row in rows] == [([False], [0.0])] * 2


def test_episodes_that_eval_has_kept_are_labelled(tiny: Task, tmp_path: Path) -> None:
    kept, out = tmp_path / "run", tmp_path / "labels.jsonl"
    script = tmp_path / "calls.jsonl"
    script.write_text('{"tool": "read_file", "arguments": {"path": "tiny/__init__.py"}}\n')
    played = ("--task", folder(tiny), "--sandbox", "local")
    status, _, errors = run("eval", *played, "--agent", f"scripted:{script}", "--out", str(kept))
    assert status == 0, errors
    status, said, errors = run(
        "label", *played, "--run", str(kept), "--policy", "oracle", "-k", "1", "--format", "processbench",
        "--out", str(out),
    )  # fmt: skip
    assert status == 0, errors
    assert "1 of 1 episodes labelled, 2 steps, 1 with a first error; 2 of 2 continuations solved" in said
    [row] = [json.loads(line) for line in out.read_text().splitlines()]
    assert (row["label"], row["final_answer_correct"], len(row["steps"])) == (1, False, 2)
    assert row["generator"].startswith("scripted:calls.jsonl@")


def test_where_nothing_can_be_labelled_the_status_is_3(
    tiny: Task, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "labels.jsonl"
    with RunStore.create(tmp_path / "run", {"agent": "noop", "commands": False}) as store:
        store.add(episode(task=tiny.id))
        store.add(masked(1))
    with pytest.raises(SystemExit) as ended:
        main([
            "label", "--task", folder(tiny), "--run", str(tmp_path / "run"), "--sandbox", "local",
            "--out", str(out), "--json",
        ])  # fmt: skip
    told = capsys.readouterr()
    assert ended.value.code == 3
    assert "has changed since; play it anew" in told.err
    assert "nothing could be labelled" in told.err
    result = json.loads(told.out)
    assert (result["episodes"], result["labelled"], len(result["troubles"])) == (1, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing option '--out'"),
        (("--out", "/none/such/file"), "no file can be written there"),
        (("--out", "/tmp"), "no file can be written there"),
        (("--out", "x.jsonl", "--format", "csv"), "no format 'csv'; known: trl"),
        (("--out", "x.jsonl", "--threshold", "1"), "--threshold is 1.0: expected a number in [0, 1)"),
        (("--out", "x.jsonl", "--policy", "orcale"), "did you mean 'oracle'?"),
        (("--out", "x.jsonl", "-k", "0"), "-k"),
        (("--out", "x.jsonl", "--sandbox", "dokcer"), "did you mean 'docker'?"),
    ],
)
def test_unusable_arguments_end_with_status_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str], tiny: Task
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["label", "--task", folder(tiny), *arguments])
    told = capsys.readouterr()
    assert ended.value.code == 2
    assert told.out == ""
    assert said in told.err.replace("\n", " ")
    assert "Traceback" not in told.err


def test_a_run_that_is_not_there_ends_with_status_3(
    tmp_path: Path, tiny: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["label", "--task", folder(tiny), "--run", str(tmp_path), "--out", str(tmp_path / "x")])
    assert ended.value.code == 3
    assert "holds no run" in capsys.readouterr().err
