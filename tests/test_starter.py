"""The suite ``starter`` is what docs/tasks.md says that it is."""

from __future__ import annotations

import ast
import io
import re
import runpy
import tokenize
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from deepgym_envs.cli.list import markdown_table
from deepgym_envs.figures import BOUNDS, EASY, MEDIUM, difficulty, measure
from deepgym_envs.recipe import load_recipe
from deepgym_envs.source import source_tree
from deepgym_envs.suite import load_suite, load_task, task_ids
from deepgym_envs.task import Difficulty, Kind

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "tasks.md").read_text()
REPOS = sorted({task.recipe.name for task in load_suite("starter")})
NOT_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def lines_of_code(source: str) -> int:
    """Lines with code on them: no blank ones, comments or docstrings."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docs: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docs |= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    lines = {
        line
        for token in tokens
        if token.type not in NOT_CODE
        for line in range(token.start[0], token.end[0] + 1)
    }
    return len(lines - docs)


def test_there_are_enough_tasks_of_every_kind_and_a_third_of_each_difficulty() -> None:
    tasks = load_suite("starter")
    kinds = Counter(task.manifest.kind for task in tasks)
    hardness = Counter(task.manifest.difficulty for task in tasks)
    assert len(tasks) >= 48
    assert {kind for kind in get_args(Kind) if kinds[kind] < 6} == set()
    for level in get_args(Difficulty):
        assert len(tasks) / 4 < hardness[level] < len(tasks) * 5 / 12, hardness


@pytest.mark.parametrize("name", REPOS)
def test_a_repository_has_the_texture_of_a_real_one(name: str) -> None:
    files = {path: file.data.decode() for path, file in source_tree(load_recipe(name)).items()}
    assert {"README.md", "CHANGELOG.md", "pyproject.toml", f"{name}/__init__.py", f"{name}/errors.py"} <= set(
        files
    )
    package = [text for path, text in files.items() if path.startswith(f"{name}/")]
    assert len(package) >= 6
    assert 400 <= sum(map(lines_of_code, package)) <= 1500
    tests = [text for path, text in files.items() if path.startswith("tests/")]
    assert sum(len(re.findall(r"^\s*(?:async )?def test_", text, re.MULTILINE)) for text in tests) >= 40


@pytest.mark.parametrize("task_id", task_ids("starter"))
def test_a_task_has_the_figures_and_the_difficulty_that_follow_from_it(task_id: str) -> None:
    task = load_task(task_id)
    assert task.figures is not None
    assert task.figures == measure(task, visible_failing=task.figures.visible_failing)
    assert task.manifest.difficulty == difficulty(task.figures)
    assert task.manifest.symptom in task.base


def test_the_page_holds_the_table_of_the_suite() -> None:
    assert markdown_table(load_suite("starter")) in PAGE


def test_the_picture_is_that_of_the_suite() -> None:
    drawn = runpy.run_path(str(DOCS / "draw_tasks.py"))["drawing"](load_suite("starter"))
    assert (DOCS / "tasks.svg").read_text() == drawn


def test_the_page_holds_the_rule() -> None:
    rows = [f"| `{name}` |.*| {', '.join(map(str, bounds))} |" for name, bounds in BOUNDS.items()]
    assert [row for row in rows if not re.search(row.replace("|", r"\|"), PAGE)] == []
    assert f"Up to {EASY} points are easy, up to {MEDIUM} medium, more are hard." in PAGE


def test_the_page_describes_every_repository() -> None:
    assert [name for name in REPOS if f"`{name}`" not in PAGE] == []
