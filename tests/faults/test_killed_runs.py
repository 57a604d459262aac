"""A run that is killed again and again ends with each episode once, and leaves nothing on the machine."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from deepgym_envs import Task
from deepgym_envs.evaluation import episode_seed
from deepgym_envs.sandbox import BackendName, choose_backend
from deepgym_envs.sandbox.engine import Containers, connect
from deepgym_envs.sandbox.reaper import host_places
from deepgym_envs.store import RunStore
from deepgym_envs.trajectory import EpisodeKey

from ..tiny import make_tiny, tiny

FIXTURES = make_tiny, tiny
ROOT = Path(__file__).parents[2]
EACH_TIME = 4  # episodes that every start of the run is asked for on top of those before
# DEEPGYM_TESTS_KILLS may ask for more than there is time for every time.
KILLS = int(os.environ.get("DEEPGYM_TESTS_KILLS", "20"))


def start(folder: Path, arguments: list[str]) -> subprocess.Popen[str]:
    """The command line, with its temporary files in ``folder``."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder / "tmp")}
    return subprocess.Popen(
        [sys.executable, "-m", "deepgym_envs", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, cwd=ROOT, env=environment,
    )  # fmt: skip


def finished(out: Path) -> frozenset[EpisodeKey]:
    try:
        with RunStore.open(out) as store:
            return store.finished()
    except (OSError, ValueError):
        return frozenset()


def owned_by(pids: set[int]) -> list[str]:
    """What processes of these numbers have, on the engine and on this machine."""
    client = connect()
    try:
        places = [Containers(client), *host_places()]
        return [
            f"{one.kind} {one.name}"
            for place in places
            for one in place.belongings()
            if one.owner.pid in pids
        ]
    finally:
        client.close()


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.docker
@pytest.mark.parametrize("sandbox", [pytest.param("bwrap", marks=pytest.mark.bwrap), "docker"])
def test_no_episode_is_lost_or_repeated_and_nothing_is_left(
    tiny: Task, tmp_path: Path, sandbox: BackendName
) -> None:
    choose_backend(sandbox).prepare(tiny)  # or most kills would come after the end of what has an image
    (tmp_path / "tmp").mkdir()
    out = tmp_path / "run"
    task = tiny.recipe.folder.parents[1] / tiny.id.split("/")[1]
    arguments = [
        "eval",
        "--task",
        str(task),
        "--agent",
        "oracle",
        "--sandbox",
        sandbox,
        "--workers",
        "2",
        "--json",
    ]
    began = time.monotonic()
    with start(tmp_path, [*arguments, "-n", str(EACH_TIME)]) as whole:
        said, errors = whole.communicate(timeout=240)
    assert json.loads(said)["solved"] == EACH_TIME, errors
    length = time.monotonic() - began
    moments = random.Random(f"kill {sandbox}")
    pids, kept, in_time = set(), frozenset[EpisodeKey](), 0
    for number in range(1, KILLS + 1):
        wanted = ["-n", str(EACH_TIME * number), "--out", str(out), "--resume"]
        with start(tmp_path, [*arguments, *wanted]) as run:
            pids.add(run.pid)
            try:
                run.communicate(timeout=moments.uniform(0.0, length))
            except subprocess.TimeoutExpired:
                in_time += 1
            run.send_signal(signal.SIGKILL)
            run.communicate()
        now = finished(out)
        assert kept <= now, "an episode that was kept is lost"
        kept = now
    total = EACH_TIME * KILLS
    with start(tmp_path, [*arguments, "-n", str(total), "--out", str(out), "--resume"]) as last:
        said, errors = last.communicate(timeout=240)
    assert last.returncode == 0, errors
    result = json.loads(said)
    assert (result["episodes"], result["solved"], result["masked"]) == (total, total, 0)
    with RunStore.open(out) as store:
        keys = [one.key for one in store.trajectories()]
    assert sorted(keys) == sorted(
        (tiny.id, "oracle", index, episode_seed(0, tiny.id, index)) for index in range(total)
    )
    assert in_time > KILLS / 2, "most runs had ended before they were killed"
    pids.add(last.pid)
    left: list[str] = []
    for _ in range(20):  # an engine may still be busy with what the last one had asked for
        with start(tmp_path, ["boxes", "reap", "--json"]) as reaping:
            said, errors = reaping.communicate(timeout=60)
        assert reaping.returncode == 0, errors
        json.loads(said)
        left = owned_by(pids)
        if not left:
            break
        time.sleep(0.5)
    assert left == []
    assert [place.name for place in (tmp_path / "tmp").iterdir()] == []
