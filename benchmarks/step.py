"""How long a step and a reset take on Docker, beside what a user would do instead, in one run.

    python -m benchmarks.step [--rounds 20] [--task ID] [--json]

Beside it stand ``docker exec`` for each action (command line and SDK), and ``docker run`` with ``docker rm``
for each episode. All of them take turns, five times in a row each, so that a slow moment of the machine
hits each alike; quote the ratios.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import gymnasium as gym

import deepgym_envs
from deepgym_envs.action import Action, EditFile, ReadFile, RunCommand, Search, WriteFile
from deepgym_envs.sandbox.docker import DockerBackend, connect
from deepgym_envs.sandbox.image import task_image

Sample = dict[str, list[float]]
BURST = 5
EXEC, EXEC_SDK, RUN = "docker exec cat (command line)", "docker exec cat (SDK)", "docker run + rm"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--task", default=None, help="a task id; default: the first of the suite starter")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.rounds < 5:
        parser.error("--rounds must be 5 or more")
    task = deepgym_envs.load_task(given.task) if given.task else deepgym_envs.load_suite("starter")[0]
    times = measure(task, given.rounds)
    result = summary(times, task, given.rounds)
    if given.json:
        print(json.dumps(result, indent=2))
    else:
        show(result)


def measure(task: deepgym_envs.Task, rounds: int) -> Sample:
    """Seconds of each operation, ``BURST`` times a round, in turns, after a tenth more to warm up."""
    backend = DockerBackend(report=lambda said: print(said, file=sys.stderr))
    client = connect()
    tag = task_image(client, task, backend.report)
    env = gym.make("deepgym_envs/SWE-v0", task=task, sandbox=backend, measure="never", commands=True)
    beside = client.containers.run(tag, entrypoint=["sleep", "infinity"], detach=True, network_mode="none")
    try:
        env.reset(seed=0)
        operations = _operations(env, task, beside.id, tag)
        times: Sample = {name: [] for name in operations}
        for turn in range(-max(1, rounds // 10), rounds):
            for name, operation in operations.items():
                seconds = [operation() for _ in range(BURST)]
                if turn >= 0:
                    times[name] += seconds
        return times
    finally:
        env.close()
        beside.remove(force=True)
        client.close()


def _operations(
    env: gym.Env[object, object], task: deepgym_envs.Task, container: str, tag: str
) -> dict[str, Callable[[], float]]:
    path = next(path for path in task.base if task.may_edit(path))
    source = task.base[path].data.decode()
    unique = next(row for row in source.splitlines() if len(row) > 8 and source.count(row) == 1)
    player = _Player(env, task, path, unique)
    api = connect().api
    inside = f"/opt/deepgym/base/{path}"

    def exec_by_sdk() -> None:
        made = api.exec_create(container, ["cat", inside])
        api.exec_start(made["Id"])

    def run_and_remove() -> None:
        made = subprocess.run(
            ["docker", "run", "-d", "--network", "none", "--entrypoint", "sleep", tag, "infinity"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        subprocess.run(["docker", "rm", "-f", made.stdout.strip()], check=True, capture_output=True)

    def exec_by_command() -> None:
        subprocess.run(["docker", "exec", container, "cat", inside], check=True, capture_output=True)

    return {
        "step: read_file": lambda: player.step(ReadFile(path=path)),
        "step: edit_file": player.edit,
        "step: search": lambda: player.step(Search(pattern=r"def \w+")),
        "step: run_command true": lambda: player.step(RunCommand(command="true")),
        "reset, two files changed": player.reset_after_changes,
        "reset, after a command's changes": player.reset_after_command,
        EXEC: lambda: _timed(exec_by_command),
        EXEC_SDK: lambda: _timed(exec_by_sdk),
        RUN: lambda: _timed(run_and_remove),
    }


def _timed(operation: Callable[[], object]) -> float:
    before = time.perf_counter()
    operation()
    return time.perf_counter() - before


class _Player:
    """Takes single timed steps, and begins a new episode, untimed, where the budget of one would end."""

    def __init__(self, env: gym.Env[object, object], task: deepgym_envs.Task, path: str, unique: str) -> None:
        self._env, self._task, self._path, self._unique = env, task, path, unique
        self._left, self._edited = 0, False

    def step(self, action: Action) -> float:
        if self._left <= 1:
            self._reset()
        self._left -= 1
        flat = action.encode()
        before = time.perf_counter()
        observation = self._env.step(flat)[0]
        seconds = time.perf_counter() - before
        if not observation["ok"]:  # type: ignore[index]
            raise RuntimeError(f"{action} was refused")
        return seconds

    def edit(self) -> float:
        if self._left <= 1:
            self._reset()
        forms = (self._unique, self._unique + "  # touched")
        old, new = reversed(forms) if self._edited else forms
        self._edited = not self._edited
        return self.step(EditFile(path=self._path, old=old, new=new))

    def reset_after_changes(self) -> float:
        self._reset()
        self.step(WriteFile(path=self._path, content="x = 1\n"))
        self.step(WriteFile(path="scratch/new.py", content="y = 1\n"))
        return self._reset()

    def reset_after_command(self) -> float:
        self._reset()
        self.step(RunCommand(command=f"echo x = 2 > {self._path}; mkdir -p deep/er; touch deep/er/new.py"))
        return self._reset()

    def _reset(self) -> float:
        seconds = _timed(self._env.reset)
        self._left, self._edited = self._task.limits.steps, False
        return seconds


def summary(times: Sample, task: deepgym_envs.Task, rounds: int) -> dict[str, object]:
    """p50 and p95 in milliseconds of each operation, and how many times slower its counterpart is."""
    rows = {
        name: {
            "p50_ms": statistics.median(values) * 1e3,
            "p95_ms": statistics.quantiles(values, n=20)[-1] * 1e3,
        }
        for name, values in times.items()
    }
    run, execute = rows[RUN]["p50_ms"], rows[EXEC]["p50_ms"]
    sdk = rows[EXEC_SDK]["p50_ms"]
    ratios = {
        "docker exec / read_file": execute / rows["step: read_file"]["p50_ms"],
        "docker exec / edit_file": execute / rows["step: edit_file"]["p50_ms"],
        "docker exec by SDK / read_file": sdk / rows["step: read_file"]["p50_ms"],
        "docker exec by SDK / edit_file": sdk / rows["step: edit_file"]["p50_ms"],
        "docker run + rm / reset": run / rows["reset, after a command's changes"]["p50_ms"],
    }
    return {
        "task": task.id,
        "files": len(task.base),
        "rounds": rounds,
        "python": platform.python_version(),
        "milliseconds": rows,
        "ratios_of_medians": ratios,
    }


def show(result: dict[str, object]) -> None:
    """Print a summary as a table."""
    print(f"{result['task']}: {result['files']} files, {result['rounds']} rounds of {BURST}")
    print(f"Python {result['python']}\n")
    print(f"{'':34}{'p50 ms':>10}{'p95 ms':>10}")
    rows, ratios = result["milliseconds"], result["ratios_of_medians"]
    assert isinstance(rows, dict)
    assert isinstance(ratios, dict)
    for name, row in rows.items():
        print(f"{name:34}{row['p50_ms']:10.2f}{row['p95_ms']:10.2f}")
    print()
    for name, ratio in ratios.items():
        print(f"{name:34}{ratio:9.0f}x")


if __name__ == "__main__":
    main()
