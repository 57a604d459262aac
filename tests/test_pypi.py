"""The suite of real packages: what lies beside its tasks, without downloading what they are made of."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs import load_task
from deepgym_envs.content import Cut
from deepgym_envs.generate.settle import FORGEABLE
from deepgym_envs.generate.siblings import sibling
from deepgym_envs.suite import task_ids

ROOT = Path(__file__).parent.parent
SUITE = ROOT / "tasks" / "pypi"
PAGE = (ROOT / "docs" / "tasks.md").read_text()
README = (ROOT / "README.md").read_text()
TASKS = task_ids("pypi")


def record(task_id: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "tasks" / task_id / "record.json").read_text())
    return found


def test_the_page_holds_the_figures_of_the_suite() -> None:
    names = runpy.run_path(str(ROOT / "docs" / "describe_pypi.py"))
    proved = names["suite"]()
    for text in (names["by_package"](proved), names["funnel"](), names["spread"](proved)):
        assert text in PAGE
    assert names["levels"](proved) in PAGE
    assert names["headline"](proved) in PAGE


def test_the_readme_says_how_many_tasks_there_are() -> None:
    released = sum(record(each)["source"] == "release" for each in TASKS)
    assert f"And {len(TASKS)} in " in README
    assert f" {released} are what their authors mended" in README


def test_the_journal_tells_of_every_task() -> None:
    lines = [json.loads(line) for line in (SUITE / "generated.jsonl").read_text().splitlines()]
    assert sorted(line["task"] for line in lines if "task" in line) == sorted(TASKS)
    names = [line["name"] for line in lines]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("task_id", TASKS)
def test_a_task_has_a_proof_and_no_text_of_its_package(task_id: str) -> None:
    task, proof = load_task(task_id), record(task_id)
    assert isinstance(task.content, Cut)
    figures = proof["figures"]
    assert figures["forge_probability"] <= FORGEABLE
    assert figures["fail_to_pass"] == len(task.manifest.tests.fail_to_pass)
    assert figures["pass_to_pass"] == len(task.manifest.tests.pass_to_pass)
    assert 0 <= figures.get("mutation_score", 0) <= 1
    assert sorted(path.name for path in (ROOT / "tasks" / task_id).iterdir()) == [
        "cut.json", "figures.json", "instruction.md", "record.json", "task.toml",
    ]  # fmt: skip
    assert sorted(path.name for path in (ROOT / "repos" / task.recipe.name).iterdir()) == ["recipe.toml"]


def test_what_authors_mended_is_told_by_hand() -> None:
    records = [record(each) for each in TASKS]
    assert {each.get("statement") for each in records if each["source"] == "release"} == {"by hand"}


def test_no_task_asks_for_what_another_one_of_its_releases_asks_for() -> None:
    twins = {each: sibling(load_task(each), SUITE, ROOT / "repos") for each in TASKS}
    assert {each: found for each, found in twins.items() if found} == {}
