"""How much memory does an environment need that waits for its agent to think?

    python -m benchmarks.memory [--environments 4] [--task ID] [--idle 32] [--json]

In the box: the memory of its processes (``anonymous``: theirs alone; ``pss``: with their share of what
several processes map, such as Python itself), and what the engine charges the container for, page cache left
out (the workspace's files are in it, which are memory too). On the host: what this process has grown by for
each environment, and the engine's own process that looks after each container. A box is looked at after a
reset, after a run of its tests, and when nobody has asked anything of it for a while (``--idle`` seconds).
"""

from __future__ import annotations

import argparse
import gc
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any

import deepgym_envs
from benchmarks.beside import Beside
from benchmarks.machine import below, containers_of, memory_of, processes, resident_bytes
from benchmarks.made import own_copy
from benchmarks.measurement import Aim, Result, arguments, finish
from deepgym_envs import SweEnv, Task
from deepgym_envs.action import ReadFile, RunTests, Submit
from deepgym_envs.sandbox import Backend
from deepgym_envs.sandbox.bwrap import BwrapBackend
from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.sandbox.engine import connect
from deepgym_envs.sandbox.program import IDLE_SECONDS

RESET, TESTED, ALONE = "after a reset and a read", "after a run of the tests", "left alone for a while"


def main() -> int:
    """Measure and print."""
    parser = arguments(__doc__)
    parser.add_argument("--environments", type=int, default=4, help="open at a time, 2 or more")
    parser.add_argument("--task", default=None, help="a task id; default: the first of the suite starter")
    parser.add_argument("--idle", type=float, default=IDLE_SECONDS + 2, help="seconds")
    given = parser.parse_args()
    if given.environments < 2:
        parser.error("--environments must be 2 or more")
    return finish(measure(given), as_json=given.json)


def measure(given: argparse.Namespace) -> Result:
    """The memory of idle boxes and environments on both sandboxes."""
    task = deepgym_envs.load_task(given.task) if given.task else deepgym_envs.load_suite("starter")[0]
    task = own_copy(task)
    notes = ["1 MB is 1,000,000 bytes; medians over the boxes"]
    with Beside(task) as beside:
        peer = _container(beside.container)
    figures: dict[str, Any] = {"docker": _measured(task, DockerBackend(), given)}
    figures["a container that sleeps, by docker run"] = peer
    bwrap = BwrapBackend()
    problem = bwrap.problem()
    if problem is None:
        figures["bwrap"] = _measured(task, bwrap, given)
    else:
        notes.append(f"bwrap was not measured: {problem}")
    aims = []
    for name in ("docker", "bwrap"):
        own = figures.get(name, {}).get(ALONE, {}).get("pss")
        if own:
            aims.append(Aim(f"the processes of an idle box ({name}), {ALONE}", own, 20, "MB"))
        elif name in figures:
            notes.append(f"{name}: nothing may be read about the processes in a box; root may")
    settings = {"task": task.id, "files": len(task.base), "environments": given.environments}
    return Result("memory", settings, figures=figures, aims=aims, notes=notes)


def _measured(task: Task, backend: Backend, given: argparse.Namespace) -> dict[str, Any]:
    environments: int = given.environments
    boxes: Callable[[], Iterable[dict[str, float]]]
    if backend.name == "docker":
        boxes = lambda: [_container(one) for one in containers_of({task.id}, running=True)]  # noqa: E731
    else:
        boxes = lambda: _children(os.getpid())  # noqa: E731
    with ExitStack() as stack:

        def begun() -> SweEnv:
            env = SweEnv(task, backend, measure="never")
            stack.callback(env.close)
            env.reset(seed=0)
            env.step(ReadFile(path="README.md").encode())
            return env

        first = begun()  # what the first needs, such as imports, the others share
        before = _resident()
        envs = [first, *(begun() for _ in range(environments - 1))]
        host = (_resident() - before) / (environments - 1)
        idle = _medians(boxes())
        for env in envs:
            env.step(RunTests().encode())
        tested = _medians(boxes())
        time.sleep(given.idle)
        left_alone = _medians(boxes())
        for env in envs:
            env.step(Submit().encode())
        return {
            RESET: idle,
            TESTED: tested,
            ALONE: left_alone,
            "host process, for each environment": _mb(host),
            "boxes for each environment, after a verdict": round(len(list(boxes())) / environments, 2),
        }


def _resident() -> int:
    gc.collect()
    return resident_bytes()


def _container(container: str) -> dict[str, float]:
    """Megabytes of one container: of its processes, of its control group, and of its keeper."""
    client = connect()
    try:
        seen = client.api.inspect_container(container)
        stats = client.api.stats(container, stream=False, one_shot=True)["memory_stats"]
    finally:
        client.close()
    pid = int(seen["State"]["Pid"])
    everything = processes()
    keeper = everything[pid][0]
    own = _sum([pid, *below(pid)])
    detail = stats.get("stats", {})
    cache = detail.get("active_file", 0) + detail.get("inactive_file", 0)
    found = {**own, "charged": _mb(stats["usage"] - cache)} if "usage" in stats else own
    if "shim" in everything.get(keeper, (0, ""))[1]:
        found["keeper"] = _mb(memory_of(keeper).get("pss", 0))
    return found


def _children(pid: int) -> list[dict[str, float]]:
    """Megabytes of each box that is a child of this process."""
    seen = processes()
    boxes = [_sum([child, *below(child)]) for child in below(pid) if seen.get(child, (0,))[0] == pid]
    return [memory for memory in boxes if memory]


def _sum(pids: list[int]) -> dict[str, float]:
    seen = [memory for memory in map(memory_of, pids) if memory]
    if not seen:
        return {}
    total = {name: _mb(sum(memory[name] for memory in seen)) for name in ("anonymous", "pss")}
    return {**total, "processes": len(seen)}


def _medians(boxes: Iterable[dict[str, float]]) -> dict[str, float]:
    found = list(boxes)
    names = list(dict.fromkeys(name for box in found for name in box))
    return {name: round(statistics.median(box.get(name, 0) for box in found), 1) for name in names}


def _mb(size: float) -> float:
    return round(size / 1e6, 2)


if __name__ == "__main__":
    sys.exit(main())
