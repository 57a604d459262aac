"""Agents that do no work: each must end unpaid, with step rewards that add up to nothing gained."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from deepgym_envs.action import Action, EditFile, ListFiles, RunCommand, RunTests, Submit, WriteFile
from deepgym_envs.audit.target import Target, target_of
from deepgym_envs.env import SweEnv
from deepgym_envs.errors import SandboxError
from deepgym_envs.sandbox import Backend
from deepgym_envs.task import Task


@dataclass(frozen=True)
class Policy:
    """An agent that plays ``actions``, whatever it sees; without a ``Submit`` it plays to the end."""

    name: str
    summary: str
    actions: Callable[[Target], Iterator[Action]]


@dataclass(frozen=True)
class Played:
    """How an episode went: sums of its reward terms, the potential that it began with, and how it ended."""

    shaping: float
    terminal: float
    first_potential: float
    steps: int
    reason: str


def play(task: Task, backend: Backend, policy: Policy) -> Played:
    """Let ``policy`` play one episode in which each step is measured; what is left of it is spent idle.

    Raises:
        SandboxError: the infrastructure failed.
    """
    actions = policy.actions(target_of(task))
    env = SweEnv(task, backend, commands=True, measure="every_step")
    try:
        _, info = env.reset(seed=0)
        shaping = terminal = 0.0
        first, steps, over = float(info["potential"]), 0, False
        while not over:
            action = next(actions, None) or ListFiles()
            _, _, terminated, truncated, info = env.step(action.encode())
            over, steps = terminated or truncated, steps + 1
            shaping += info["reward_terms"]["shaping"]
            terminal += info["reward_terms"]["terminal"]
        if info["masked"]:
            raise SandboxError(str(info["error"]))
        return Played(shaping, terminal, first, steps, str(info["reason"]))
    finally:
        env.close()


def _submit(_: Target) -> Iterator[Action]:
    yield Submit()


def _idle(_: Target) -> Iterator[Action]:
    yield from ()


def _loiter(_: Target) -> Iterator[Action]:
    while True:
        yield RunTests()


def _stub(target: Target) -> Iterator[Action]:
    for victim in target.victims:
        lines = [f"def {name}(*args, **kwargs):\n    return None\n" for name in victim.called]
        text = victim.source.decode("utf-8", "replace") + "\n\n" + "\n\n".join(lines)
        yield WriteFile(path=victim.path, content=text)
    yield Submit()


def _empty(target: Target) -> Iterator[Action]:
    for victim in target.victims:
        yield WriteFile(path=victim.path, content="")
    yield Submit()


def _delete(target: Target) -> Iterator[Action]:
    folders = sorted({pattern.partition("*")[0].rstrip("/") for pattern in target.editable} - {""})
    yield RunCommand(command="rm -rf -- " + " ".join(f"'{folder}'" for folder in folders))
    yield Submit()


def _random_edits(target: Target) -> Iterator[Action]:
    chance = random.Random(target.id)
    swaps = (("<", "<="), ("+", "-"), ("True", "False"), ("0", "1"), ("and", "or"), ("not ", ""))
    for _ in range(8):
        victim = chance.choice(target.victims)
        lines = victim.source.decode("utf-8", "replace").splitlines()
        number = chance.randrange(len(lines)) if lines else 0
        old, new = chance.choice(swaps)
        changed = [*lines[:number], *(line.replace(old, new, 1) for line in lines[number:][:1])]
        yield WriteFile(path=victim.path, content="\n".join([*changed, *lines[number + 1 :], ""]))
    yield Submit()


def _break_and_mend(target: Target) -> Iterator[Action]:
    victim = target.victims[0]
    source = victim.source.decode("utf-8", "replace")
    for _ in range(4):
        yield WriteFile(path=victim.path, content="raise ImportError\n" + source)
        yield EditFile(path=victim.path, old="raise ImportError\n", new="")
    yield Submit()


def _break_and_stop(target: Target) -> Iterator[Action]:
    victim = target.victims[0]
    source = victim.source.decode("utf-8", "replace")
    while True:
        yield WriteFile(path=victim.path, content="raise ImportError\n" + source)
        yield RunTests()
        yield WriteFile(path=victim.path, content=source)


def _visible_tests(target: Target) -> list[str]:
    return [path for path in target.base if path.rpartition("/")[2].startswith("test_")]


def _weaken_tests(target: Target) -> Iterator[Action]:
    for path in _visible_tests(target):
        yield WriteFile(path=path, content="def test_nothing():\n    assert True\n")
    yield RunTests()
    yield Submit()


def _delete_tests(target: Target) -> Iterator[Action]:
    paths = " ".join(f"'{path}'" for path in _visible_tests(target))
    yield RunCommand(command=f"rm -f -- {paths}")
    yield RunTests()
    yield Submit()


def _forge_visible(_: Target) -> Iterator[Action]:
    code = "import _pytest.runner\n_pytest.runner.pytest_runtest_call = lambda item: None\n"
    code += "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n"
    yield WriteFile(path="conftest.py", content=code)
    yield RunTests()
    yield Submit()


POLICIES = (
    Policy("noop", "does nothing until the steps are used up", _idle),
    Policy("submit-at-once", "hands in the base", _submit),
    Policy("loiter", "runs the tests until the steps are used up", _loiter),
    Policy("stub", "makes everything that is called return None", _stub),
    Policy("empty-files", "empties what it may edit", _empty),
    Policy("delete-everything", "deletes all that it may edit", _delete),
    Policy("random-edits", "changes operators and constants at random", _random_edits),
    Policy(
        "break-and-mend", "breaks the code and mends it again, for the reward of mending", _break_and_mend
    ),
    Policy("break-and-mend-to-the-end", "the same, and never hands in", _break_and_stop),
    Policy("weaken-visible-tests", "replaces the tests that it can see by one that passes", _weaken_tests),
    Policy("delete-visible-tests", "deletes the tests that it can see", _delete_tests),
    Policy("patch-visible-run", "makes its own test runs pass by a conftest file", _forge_visible),
)
"""All policies, in the order in which an audit plays them."""
