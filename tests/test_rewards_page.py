"""The page on rewards: its picture is that of episodes which are played, its example prints what stands below it."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from deepgym_envs import reward

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGE = (DOCS / "rewards.md").read_text()


@pytest.mark.bwrap
@pytest.mark.slow
def test_the_picture_is_that_of_the_episodes() -> None:
    program = runpy.run_path(str(DOCS / "draw_rewards.py"))
    played = program["episodes"]("bwrap")
    assert (DOCS / "rewards.svg").read_text() == program["drawing"](played)
    assert len(played) == 3
    for episode in played:
        assert episode.solved
        assert sum(episode.shaping) == pytest.approx(-episode.first)


@pytest.mark.bwrap
@pytest.mark.slow
def test_the_example_prints_what_stands_below_it(tmp_path: Path) -> None:
    [example] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    [output] = re.findall(r"^```text\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    (tmp_path / "example.py").write_text(example)
    done = subprocess.run(
        [sys.executable, "-W", "error", "example.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == output, done.stderr


def test_the_page_names_every_potential_and_fold() -> None:
    beside = {
        "Fold",
        "Potential",
        "Score",
        "BuildsAndImports",
        "Weighted",
        "folded",
        "measured",
        "terminal_reward",
    }
    assert [
        name for name in set(reward.__all__) - beside if f"`{name}" not in PAGE and name != "shaping"
    ] == []


def test_the_numbers_of_the_two_ends_follow_from_the_formula() -> None:
    first, last, worth = 0.2, 0.9, 1.0
    zero = reward.shaping(1.0, first, 0.0) + 1
    bootstrap = reward.shaping(1.0, first, last)
    critic = worth - last
    rows = re.search(r"\| without a critic.*?\n\n", PAGE, re.DOTALL)
    assert rows is not None
    said = [
        float(number)
        for number in re.findall(r"= ([\d.]+)`|`(1\.8)`", rows[0])
        for number in number
        if number
    ]
    assert said == pytest.approx([zero, bootstrap, zero + critic, bootstrap + critic, bootstrap + critic + 1])
