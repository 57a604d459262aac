"""What the documents show is what happens: commands run, examples print what stands below them, links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from deepgym_envs.cli.app import app
from deepgym_envs.manifest import parse_manifest
from deepgym_envs.oracle_file import Oracle
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.suite import load_suite
from deepgym_envs.task import Figures, Limits, TaskManifest
from deepgym_envs.task_checks import static_findings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
WALKTHROUGH = "write-a-task.md"  # its commands need each other
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def _commands() -> dict[str, list[str]]:
    """By page: the commands that it shows, in order, as later ones may use what earlier ones have made."""
    found = {}
    for page in PAGES:
        if page.name != WALKTHROUGH:
            lines = [line for block in _blocks(page, "sh") for line in block.splitlines() if line.strip()]
            found[page.name] = [line for line in dict.fromkeys(lines) if not _runs_elsewhere(line)]
    return {page: lines for page, lines in found.items() if lines}


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def _runs_elsewhere(command: str) -> bool:
    """Installing, the tests themselves, and what plays or checks a whole suite are run by .ci/run."""
    whole_suite = ("deepgym-envs eval --suite starter", "deepgym-envs validate --suite starter")
    return command.startswith(("pip install", "python -m pytest", *whole_suite))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's folder: docs/write-a-task.md has been followed in it, and the files that other pages show exist."""
    place = tmp_path_factory.mktemp("reader")
    for language, block in BLOCK.findall((ROOT / "docs" / WALKTHROUGH).read_text()):
        shown = re.match(r"(?:# |<!-- )(\S+/\S+\.\w+)(?: -->)?\n", block)
        if shown is not None:
            (place / shown[1]).write_text(block[shown.end() :])
        for command in block.splitlines() if language == "sh" else ():
            done = _run(command, place)
            assert done.returncode == 0, f"{WALKTHROUGH}: {command}\n{done.stdout}\n{done.stderr}"
    script = _blocks(ROOT / "docs" / "first-episode.md", "json")[0]
    (place / "calls.json").write_text(script)
    return place


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize(("page", "commands"), _commands().items(), ids=_commands())
def test_the_commands_of_a_page_work(page: str, commands: list[str], folder: Path) -> None:
    for command in commands:
        done = _run(command, ROOT if command.startswith("python -m benchmarks") else folder)
        assert done.returncode == 0, f"{page}: {command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
        assert "Traceback" not in done.stderr, f"{page}: {command}\n{done.stderr[-1500:]}"


@pytest.mark.docker
@pytest.mark.slow
def test_who_follows_the_page_on_tasks_has_one_that_is_good(folder: Path) -> None:
    [task] = load_suite(folder / "my-suite")
    assert [len(task.manifest.tests.fail_to_pass), len(task.manifest.tests.pass_to_pass)] == [4, 6]
    assert task.figures == Figures(files=1, functions=1, lines=2, visible_failing=1)
    assert not list(static_findings(task))


def test_the_manifests_of_the_page_on_tasks_are_good() -> None:
    oracle, about_tests, recipe, task = (
        tomllib.loads(block) for block in _blocks(ROOT / "docs" / WALKTHROUGH, "toml")
    )
    assert parse_manifest(oracle, Oracle, WALKTHROUGH).nodes[0] == "oracle.toml::small-and-large"
    assert parse_manifest(recipe, RepoRecipe, WALKTHROUGH).name == "adder"
    assert parse_manifest(task, TaskManifest, WALKTHROUGH).limits == Limits()
    assert parse_manifest({**task, **about_tests}, TaskManifest, WALKTHROUGH).kind == "tests"


def test_the_cases_of_the_page_on_oracles_are_good() -> None:
    for block in _blocks(ROOT / "docs" / "oracles.md", "toml"):
        assert parse_manifest(tomllib.loads(block), Oracle, "oracles.md").nodes


@pytest.mark.docker
@pytest.mark.slow
def test_the_examples_of_the_readme_print_what_stands_below_them(folder: Path) -> None:
    [example, *_] = _blocks(ROOT / "README.md", "python")
    [output, *_] = _blocks(ROOT / "README.md", "text")
    (folder / "example.py").write_text(example)
    done = _run("python -W error example.py", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout == output


@pytest.mark.docker
def test_the_examples_of_the_page_on_grading_pass(folder: Path) -> None:
    (folder / "grading.py").write_text("\n".join(_blocks(ROOT / "docs" / "grading.md", "python")))
    done = _run("python -W error grading.py", folder)
    assert done.stdout == "1.0 passed\nTrue True ()\n", done.stderr


@pytest.mark.docker
@pytest.mark.slow
def test_the_example_of_the_page_on_the_environment_prints_what_stands_below_it(tmp_path: Path) -> None:
    page = ROOT / "docs" / "environment.md"
    (tmp_path / "many.py").write_text(_blocks(page, "python")[0])
    done = _run("python -W error many.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == _blocks(page, "text")[0]


@pytest.mark.docker
def test_the_example_of_the_page_on_sandboxes_runs(folder: Path) -> None:
    (folder / "pool.py").write_text(_blocks(ROOT / "docs" / "sandboxes.md", "python")[0])
    done = _run("python -W error pool.py", folder)
    assert done.returncode == 0, done.stderr


def test_the_example_of_the_page_on_kl_prints_what_stands_below_it(tmp_path: Path) -> None:
    page = ROOT / "docs" / "kl.md"
    (tmp_path / "measured.py").write_text(_blocks(page, "python")[0])
    done = _run("python -W error measured.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == _blocks(page, "text")[0]


@pytest.mark.bwrap
def test_the_examples_of_the_page_on_process_rewards_print_what_stands_below_them(tmp_path: Path) -> None:
    page = ROOT / "docs" / "process-rewards.md"
    (tmp_path / "rewards.py").write_text("\n".join(_blocks(page, "python")))
    done = _run("python -W error rewards.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "".join(_blocks(page, "text"))


@pytest.mark.docker
@pytest.mark.slow
def test_the_example_of_models_that_try_to_cheat_prints_what_stands_below_it(tmp_path: Path) -> None:
    page = ROOT / "docs" / "audit.md"
    (tmp_path / "attack.py").write_text(_blocks(page, "python")[0])
    done = _run("python -W error attack.py", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == _blocks(page, "text")[0]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_defence_names_a_module_and_tests_that_exist() -> None:
    page = (ROOT / "docs" / "threat-model.md").read_text().partition("## Defences")[2]
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("|")]
    defences = [row for row in rows if not row[0].startswith(("**", "---")) and len(row) == 3]
    assert len(defences) >= 50
    for what, modules, tests in defences:
        for module in re.findall(r"`([^`]+)`", modules):
            assert (ROOT / "deepgym_envs" / module).is_file(), what
        named = re.findall(r"`([\w/]+\.py)::(\w+)(?:\[([\w]+)\])?`", tests)
        assert len(named) == tests.count("`") // 2 > 0, what
        for file, test, case in named:
            source = (ROOT / "tests" / file).read_text()
            checks = ROOT.glob("deepgym_envs/testing/*_checks.py") if "conformance" in file else ()
            assert f"def {test}(" in source, f"{file}::{test}"
            cases = "".join([source, *(place.read_text() for place in checks)])
            assert not case or re.search(rf'def {case}\(|"{case}":', cases), f"{file}::{test}[{case}]"


def test_every_command_and_every_option_of_the_command_line_is_described() -> None:
    page = (ROOT / "docs" / "cli.md").read_text()
    for name, command in _leaves(typer.main.get_command(app)):
        assert name in page
        for parameter in command.params:
            for option in parameter.opts:
                assert option in page or not option.startswith("--"), f"{name} {option}"


def _leaves(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    for inner, below in getattr(command, "commands", {}).items():
        yield from _leaves(below, f"{name} {inner}".strip())
    if not getattr(command, "commands", {}):
        yield name, command


def test_every_page_is_in_the_index() -> None:
    index = (ROOT / "docs" / "index.md").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index
