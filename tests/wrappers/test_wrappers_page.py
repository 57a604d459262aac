"""The page on wrappers names all of them, and its example prints what stands below it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import deepgym_wrappers

PAGE = Path(__file__).parents[2] / "docs" / "wrappers.md"


@pytest.mark.parametrize("name", deepgym_wrappers.__all__)
def test_every_exported_name_is_on_the_page(name: str) -> None:
    assert re.search(rf"`{name}\b", PAGE.read_text())


def test_the_example_prints_what_stands_below_it(tmp_path: Path) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    [output] = re.findall(r"^```text\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    (tmp_path / "stacked.py").write_text(example)
    command = [sys.executable, "-W", "error", "stacked.py"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == output
