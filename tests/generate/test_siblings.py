"""Tasks that ask for what another one asks for already."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Task, load_task
from deepgym_envs.generate.siblings import sibling
from deepgym_envs.task import HiddenTests
from deepgym_envs.task_writer import write_task

RELEASED = "pypi/croniter-6.2.4-d44546"


def asking(task: Task, *failing: str, name: str = "croniter-6.2.4-ffffff") -> Task:
    """``task`` by another name, with these tests that have to begin to pass."""
    tests = HiddenTests(fail_to_pass=failing, pass_to_pass=task.manifest.tests.pass_to_pass)
    return replace(task, manifest=task.manifest.model_copy(update={"id": f"pypi/{name}", "tests": tests}))


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    write_task(load_task(RELEASED), tmp_path)
    return tmp_path


def test_tests_that_are_among_those_of_a_task_are_found(suite: Path) -> None:
    task = load_task(RELEASED)
    fewer = asking(task, *task.manifest.tests.fail_to_pass[:2])
    more = asking(task, *task.manifest.tests.fail_to_pass, "tests/test_new.py::test_new")
    assert [sibling(each, suite, suite / "repos") for each in (fewer, more)] == [RELEASED] * 2


def test_other_tests_of_the_same_releases_are_another_task(suite: Path) -> None:
    task = load_task(RELEASED)
    other = asking(task, task.manifest.tests.fail_to_pass[0], "tests/test_new.py::test_new")
    assert sibling(other, suite, suite / "repos") is None


def test_bugs_in_one_release_may_fail_the_same_tests(tmp_path: Path) -> None:
    seeded = load_task("pypi/cachetools-0ceb53")
    write_task(seeded, tmp_path)
    other = asking(seeded, *seeded.manifest.tests.fail_to_pass, name="cachetools-ffffff")
    assert sibling(other, tmp_path, tmp_path / "repos") is None


def test_a_folder_that_is_no_task_is_passed_over(suite: Path) -> None:
    (suite / "croniter-6.2.4-000000").mkdir()
    (suite / "croniter-6.2.4-000000" / "task.toml").write_text("[")
    task = load_task(RELEASED)
    same = asking(task, *task.manifest.tests.fail_to_pass)
    assert sibling(same, suite, suite / "repos") == RELEASED


def test_a_task_is_no_sibling_of_its_own(suite: Path) -> None:
    assert sibling(load_task(RELEASED), suite, suite / "repos") is None
