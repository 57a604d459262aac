"""Trajectories and their JSON."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgym_envs.trajectory import Trajectory, export_jsonl

from .episodes import episode, masked


def test_json_gives_the_same_trajectory_back() -> None:
    done = episode(3)
    text = done.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert Trajectory.from_json(text) == done
    assert Trajectory.from_json(masked().to_json()) == masked()
    assert done.passed
    assert not masked().passed
    assert done.total_reward == 1.25


def test_seconds_take_no_part_in_equality() -> None:
    assert episode(0, seconds=9.0) == episode(0)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', '{"format": 1, "steps": 3}', "[" * 10_000])
def test_what_is_no_trajectory_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a trajectory"):
        Trajectory.from_json(text)


def test_a_newer_format_is_refused() -> None:
    with pytest.raises(ValueError, match="update deepgym-envs"):
        Trajectory.from_json(episode().to_json().replace('"format":1', '"format":2'))


def test_an_export_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "episodes.jsonl"
    assert export_jsonl([episode(0), masked(1)], target) == 2
    assert [Trajectory.from_json(line) for line in target.read_text().splitlines()] == [episode(0), masked(1)]

    def breaks() -> Iterator[Trajectory]:
        yield episode(0)
        raise RuntimeError

    before = target.read_bytes()
    with pytest.raises(RuntimeError):
        export_jsonl(breaks(), target)
    assert target.read_bytes() == before
    assert [place.name for place in tmp_path.iterdir()] == ["episodes.jsonl"]
