"""Labelled episodes in the formats that trainers of process reward models read.

- ``trl``: TRL's stepwise supervision, one JSON object a line: ``prompt``, ``completions`` and ``labels``
  (booleans), with ``rewards`` (the shares behind them) and ``observations`` beside them.
- ``prm800k``: like PRM800K (Lightman et al., arXiv:2305.20050): a ``question``, and a ``label`` with a
  ``rating`` for each step up to the first error, which is rated -1; 1 is a good step, 0 one that is not known
  to be good or bad.
- ``processbench``: ``problem``, ``steps``, and as ``label`` the index of the first error.
- ``parquet``: a row an episode with all that is known; needs the extra ``parquet``.

A step is the tool call that was made, as JSON; an observation is what came back. An episode of whose states
one is not known has no labels, so it is left out, and counted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

from deepgym_envs.errors import UsageError
from deepgym_envs.step_labels.label import LabelledEpisode, check_threshold
from deepgym_envs.step_labels.parquet import check_installed, write_table

Format = Literal["trl", "prm800k", "processbench", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
Record: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Written:
    """How many episodes were written, and how many were left out because a state of theirs is not known."""

    episodes: int
    left_out: int


def check_format(name: str) -> Format:
    """``name``, if it is a format that can be written here.

    Raises:
        UsageError: it is none, or a library that it needs is not installed.
    """
    for known in FORMATS:
        if known == name:
            if known == "parquet":
                check_installed()
            return known
    raise UsageError(f"no format {name!r}; known: {', '.join(FORMATS)}")


def write_labels(
    episodes: Iterable[LabelledEpisode], target: Path, wanted: Format = "trl", *, threshold: float = 0.0
) -> Written:
    """Write them to ``target``, which appears whole or not at all; a label is a share above ``threshold``.

    Raises:
        UsageError: there is no such format, or a library that it needs is not installed.
        ValueError: the threshold is not in [0, 1).
        OSError: it cannot be written.
    """
    check_format(wanted)
    check_threshold(threshold)
    given = list(episodes)
    known = [episode for episode in given if episode.complete]
    records = (_RECORDS[wanted](episode, threshold) for episode in known)
    with _whole(target) as scratch:
        if wanted == "parquet":
            write_table(list(records), scratch)
        else:
            with scratch.open("w", encoding="ascii") as file:
                file.writelines(json.dumps(record, allow_nan=False) + "\n" for record in records)
    return Written(len(known), len(given) - len(known))


def _trl(episode: LabelledEpisode, threshold: float) -> Record:
    return {
        "prompt": _utf8(episode.trajectory.instruction),
        "completions": _completions(episode),
        "labels": [one.label(threshold) for one in episode.steps],
        "rewards": [one.share for one in episode.steps],
        "observations": [_utf8(step.output) for step in episode.trajectory.steps],
    }


def _prm800k(episode: LabelledEpisode, threshold: float) -> Record:
    error = episode.first_error
    ratings = [int(bool(one.label(threshold))) for one in episode.steps]
    finish = "solution" if episode.trajectory.passed else "give_up"
    if error is not None and error >= 0:
        ratings, finish = [*ratings[:error], -1], "found_error"
    steps = [
        {
            "completions": [{"text": text, "rating": rating, "flagged": False}],
            "human_completion": None,
            "chosen_completion": 0,
        }
        for text, rating in zip(_completions(episode), ratings, strict=False)
    ]
    return {
        "labeler": f"monte-carlo:{episode.policy}",
        "timestamp": None,
        "generation": None,
        "is_quality_control_question": False,
        "is_initial_screening_question": False,
        "question": {"problem": _utf8(episode.trajectory.instruction), "ground_truth_answer": None},
        "label": {"steps": steps, "total_time": None, "finish_reason": finish},
    }


def _processbench(episode: LabelledEpisode, threshold: float) -> Record:  # noqa: ARG001 - as the others
    return {
        "id": _name(episode),
        "generator": episode.trajectory.agent,
        "problem": _utf8(episode.trajectory.instruction),
        "steps": _completions(episode),
        "final_answer_correct": episode.trajectory.passed,
        "label": episode.first_error,
    }


def _row(episode: LabelledEpisode, threshold: float) -> Record:
    """All that is known; ``write_table`` names the types."""
    played = episode.trajectory
    return {
        "id": _name(episode),
        "task": played.task,
        "task_digest": played.task_digest,
        "agent": played.agent,
        "policy": episode.policy,
        "seed": played.seed,
        "index": played.index,
        **_trl(episode, threshold),
        "low": [one.interval[0] for one in episode.steps],
        "high": [one.interval[1] for one in episode.steps],
        "solved": [one.solved for one in episode.steps],
        "judged": [one.judged for one in episode.steps],
        "masked": [one.masked for one in episode.steps],
        "states": [one.state for one in episode.steps],
        "start_reward": episode.start.share,
        "first_error": episode.first_error,
        "passed": played.passed,
    }


_RECORDS: Mapping[Format, Callable[[LabelledEpisode, float], Record]] = MappingProxyType(
    {"trl": _trl, "prm800k": _prm800k, "processbench": _processbench, "parquet": _row}
)


def _completions(episode: LabelledEpisode) -> list[str]:
    calls = [{"name": step.tool, "arguments": dict(step.arguments)} for step in episode.trajectory.steps]
    return [_utf8(json.dumps(call, ensure_ascii=False)) for call in calls]


def _name(episode: LabelledEpisode) -> str:
    return "/".join(map(str, episode.trajectory.key))


def _utf8(text: str) -> str:
    """Text that every reader takes: a lone surrogate stands there as an escape."""
    return text.encode("utf-8", "backslashreplace").decode()


@contextmanager
def _whole(target: Path) -> Iterator[Path]:
    scratch = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        yield scratch
        scratch.replace(target)
    finally:
        scratch.unlink(missing_ok=True)
