"""docs/integrity.md shows the runs that are kept in docs/discovery.json, and its example runs."""

from __future__ import annotations

import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "integrity.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def runs() -> list[dict[str, Any]]:
    kept: list[dict[str, Any]] = json.loads((DOCS / "discovery.json").read_text(encoding="utf-8"))
    return kept


def test_the_picture_is_that_of_the_runs(runs: list[dict[str, Any]]) -> None:
    drawn = runpy.run_path(str(DOCS / "draw_discovery.py"))["drawing"](runs)
    assert (DOCS / "discovery.svg").read_text(encoding="utf-8") == drawn


def test_the_page_holds_the_table_of_the_runs(runs: list[dict[str, Any]]) -> None:
    assert runpy.run_path(str(DOCS / "draw_discovery.py"))["table"](runs) in PAGE


@pytest.mark.bwrap
@pytest.mark.slow
def test_the_example_runs_with_fewer_episodes(capsys: pytest.CaptureFixture[str]) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    exec(compile(example.replace("episodes=1200", "episodes=8"), "integrity.md", "exec"), {})
    assert re.fullmatch(r"(hackable|robust) (True|False) (None|\d+)\n", capsys.readouterr().out)
