"""What the documents show is what happens: commands run, examples print what stands below them, links lead somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from deepgym_envs.cli.app import app

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _blocks(page: Path, language: str) -> list[str]:
    return [text for kind, text in BLOCK.findall(page.read_text()) if kind == language]


def _commands() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        for block in _blocks(page, "sh"):
            found += [(page.name, line) for line in block.splitlines() if line.strip()]
    return list(dict.fromkeys(found))


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A reader's folder, in which the suite of docs/write-a-task.md and the files that other pages show exist."""
    place = tmp_path_factory.mktemp("reader")
    _write_the_suite_of_the_page(place / "my-suite")
    script = _blocks(ROOT / "docs" / "first-episode.md", "json")[0]
    (place / "calls.json").write_text(script)
    return place


def _write_the_suite_of_the_page(suite: Path) -> None:
    recipe, task = _blocks(ROOT / "docs" / "write-a-task.md", "toml")
    files = {
        "repos/adder/recipe.toml": recipe,
        "repos/adder/src/adder/__init__.py": "def add(a, b):\n    return a - b\n",
        "repos/adder/src/tests/test_add.py": "from adder import add\n\n\ndef test_add():\n    assert add(1, 1) == 2\n",
        "add-is-wrong/task.toml": task,
        "add-is-wrong/instruction.md": "# add subtracts\n\n`add(2, 2)` gives 0; it should give the sum.\n",
        "add-is-wrong/tests/test_hidden.py": (
            "from adder import add\n\n\ndef test_sum():\n    assert add(20, 3) == 23\n\n\n"
            "def test_zero():\n    assert add(7, 0) == 7\n"
        ),
        "add-is-wrong/solution.patch": (
            "--- a/adder/__init__.py\n+++ b/adder/__init__.py\n@@ -1,2 +1,2 @@\n"
            " def add(a, b):\n-    return a - b\n+    return a + b\n"
        ),
    }
    for path, text in files.items():
        (suite / path).parent.mkdir(parents=True, exist_ok=True)
        (suite / path).write_text(text)


def _runs_elsewhere(command: str) -> bool:
    """Installing, and the tests themselves, are run by .ci/run."""
    return command.startswith(("pip install", "python -m pytest"))


@pytest.mark.docker
@pytest.mark.slow
@pytest.mark.parametrize(("page", "command"), [pair for pair in _commands() if not _runs_elsewhere(pair[1])])
def test_a_command_in_the_documents_works(page: str, command: str, folder: Path) -> None:
    done = _run(command, ROOT if command.startswith("python -m benchmarks") else folder)
    assert done.returncode == 0, f"{page}: {command}\n{done.stdout[-1500:]}\n{done.stderr[-1500:]}"
    assert "Traceback" not in done.stderr


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
def test_the_example_of_the_page_on_grading_passes(folder: Path) -> None:
    (folder / "grading.py").write_text(_blocks(ROOT / "docs" / "grading.md", "python")[0])
    done = _run("python -W error grading.py", folder)
    assert done.stdout == "1.0 passed\n", done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


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
