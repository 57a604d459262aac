"""Episodes that nobody played, for tests of what keeps and shows them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from pathlib import Path

from deepgym_envs.store import FILE_NAME, RunStore
from deepgym_envs.trajectory import Judgement, Step, Trajectory


def episode(index: int = 0, output: str = "", **changes: object) -> Trajectory:
    step = Step(
        tool="write_file",
        arguments={"path": "a.py", "content": "x = '\x00\ud800é'\n"},
        output=output,
        ok=True,
        tests=(-1, -1),
        error="",
        reward=0.25,
        reward_terms={"shaping": 0.25, "terminal": 0.0},
        state="1" * 64,
        potential=0.5,
        terminated=False,
        truncated=False,
    )
    last = replace(step, tool="submit", arguments={"confidence": None}, reward=1.0, terminated=True)
    done = Trajectory(
        task="made/a",
        task_digest="0" * 64,
        agent="noop",
        sandbox="fake",
        seed=index + 7,
        index=index,
        instruction="# Mend it\n",
        start_state="2" * 64,
        start_potential=0.25,
        steps=(step, last),
        judgement=Judgement(True, "passed", ("outside_editable:b.py",), 0.5),
        patch="+\udcff\n",
        seconds=1.5,
    )
    return replace(done, **changes)  # type: ignore[arg-type]


def masked(index: int = 0) -> Trajectory:
    return episode(index, judgement=None, masked=True, error="the engine went away")


def older_store(folder: Path, *episodes: Trajectory) -> None:
    """A run as it was stored before episodes had records, with the settings of the test of the store."""
    with RunStore.create(folder, {"agent": "noop", "seed": 0, "tasks": {"made/a": "0" * 64}}) as store:
        for one in episodes:
            store.add(one)
        rows = [json.loads(text) for _, text in store.rows()]
    connection = sqlite3.connect(folder / FILE_NAME)
    for row in rows:
        assert row.pop("record") == ""
        where = (json.dumps(row), row["task"], row["index"])
        connection.execute("UPDATE episodes SET trajectory = ? WHERE task = ? AND episode = ?", where)
    connection.execute("PRAGMA user_version = 1")
    connection.commit()
    connection.close()
