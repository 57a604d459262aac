"""Agents: what they do when they are asked, and how they are chosen."""

# ruff: noqa: TID252 - the tests are no package that could be named

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import File, SweEnv, Task, TaskError
from deepgym_envs.action import Submit
from deepgym_envs.agents import Agent, NoopAgent, OracleAgent, RandomAgent, make_agent
from deepgym_envs.rollout import rollout
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import FakeBackend, make_task
from deepgym_envs.trajectory import Trajectory

from ..tiny import MakeTiny, backend, fake, make_tiny, tiny

FIXTURES = backend, fake, make_tiny, tiny


def play(task: Task, agent: Agent, where: Backend, seed: int = 0, *, commands: bool = False) -> Trajectory:
    env = SweEnv(task, where, commands=commands)
    try:
        return rollout(env, agent, seed=seed)
    finally:
        env.close()


def test_the_oracle_solves_with_one_edit(tiny: Task, fake: FakeBackend) -> None:
    done = play(tiny, OracleAgent(), fake)
    assert [step.tool for step in done.steps] == ["edit_file", "run_tests", "submit"]
    assert done.passed
    assert "+    return a + b" in done.patch


def test_the_noop_agent_solves_nothing(tiny: Task, fake: FakeBackend) -> None:
    done = play(tiny, NoopAgent(), fake)
    assert [step.tool for step in done.steps] == ["submit"]
    assert done.judgement is not None
    assert done.judgement.reason == "tests_failed"
    assert done.patch == ""


def _made(
    folder: Path, source: dict[str, str | bytes | File], gold: dict[str, str | bytes | File | None]
) -> Task:
    return make_task(
        folder / "one",
        source={"pkg/__init__.py": "", **source},
        gold=gold,
        hidden={"test_x.py": "def test_x():\n    pass\n"},
        fail_to_pass=["test_x.py::test_x"],
        pip=(),
    )


@pytest.mark.parametrize(
    ("before", "after", "edits"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", 1),
        ("a\na\na\n", "a\nb\na\n", 1),
        ("x\n" * 9, "x\n" * 10, 1),
        ("a\nb\nc\nd\n", "A\nb\nc\nD\n", 1),
        ("", "a\n", 0),
        ("a\n", "", 1),
        ("a", "a\n", 1),
        ("a\r\nb\r\n", "a\r\nc\r\n", 1),
        ("\f\x85 \u2028a\nb", "\f\x85 \u2028a\nc", 1),
    ],
)
def test_the_oracle_reaches_the_solution_whatever_it_is(
    tmp_path: Path, before: str, after: str, edits: int
) -> None:
    task = _made(tmp_path, {"pkg/a.py": before}, {"pkg/a.py": after, "pkg/new/b.py": "b\n"})
    agent, where = OracleAgent(), FakeBackend()
    env = SweEnv(task, where, measure="never")
    try:
        done = rollout(env, agent, seed=0)
        assert env.state == task.gold
    finally:
        env.close()
    assert sum(step.tool == "edit_file" for step in done.steps) == edits
    assert all(step.ok for step in done.steps[:-2])


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ({"pkg/old.py": None}, "deletes pkg/old.py"),
        ({"pkg/old.py": b"\0\xff"}, "writes pkg/old.py, which is not text"),
        ({"pkg/old.py": File(b"old\n", executable=True)}, "changes the mode of pkg/old.py"),
    ],
)
def test_the_oracle_says_what_it_cannot_do(
    tmp_path: Path, gold: dict[str, str | bytes | File | None], said: str
) -> None:
    task = _made(tmp_path, {"pkg/old.py": "old\n"}, gold)
    with pytest.raises(TaskError, match=f"{task.id}.*{said}.*--commands"):
        OracleAgent().begin(task, 0)
    OracleAgent(commands=True).begin(task, 0)


def test_the_oracle_can_do_everything_by_commands(tmp_path: Path, backend: Backend) -> None:
    gold: dict[str, str | bytes | File | None] = {
        "pkg/old.py": None,
        "pkg/it's here/data.bin": bytes(range(256)) * 600,
        "pkg/run.sh": File(b"#!/bin/sh\n", executable=True),
        "pkg/both.sh": File(b"new\n", executable=True),
        "pkg/text.py": "é\n",
    }
    task = _made(tmp_path, {"pkg/old.py": "old\n", "pkg/both.sh": "old\n"}, gold)
    env = SweEnv(task, backend, commands=True, measure="never")
    try:
        agent = OracleAgent(commands=True)
        agent.begin(task, 0)
        observation, info = env.reset(seed=0)
        while not isinstance(action := agent.act(observation, info), Submit):
            observation, _, _, _, info = env.step(action.encode())
            assert observation["ok"] or action.tool == "run_tests", observation["output"]
        assert env.state == task.gold
    finally:
        env.close()


def test_the_random_agent_repeats_itself_for_a_seed_and_not_for_another(
    tiny: Task, fake: FakeBackend
) -> None:
    agent = RandomAgent()
    first = [play(tiny, agent, fake, seed) for seed in range(5)]
    assert [play(tiny, RandomAgent(), fake, seed) for seed in range(5)] == first
    assert len({tuple(step.tool for step in done.steps) for done in first}) > 1


def test_the_random_agent_does_everything_wrong_things_too(tiny: Task, fake: FakeBackend) -> None:
    done = [play(tiny, RandomAgent(commands=True), fake, seed, commands=True) for seed in range(30)]
    steps = [step for one in done for step in one.steps]
    tools = {step.tool for step in steps}
    assert tools == {
        "read_file", "list_files", "search", "edit_file", "write_file", "run_tests", "submit", "run_command",
    }  # fmt: skip
    assert 0.02 < sum(not step.ok for step in steps) / len(steps) < 0.5
    assert all(one.judgement is not None for one in done)
    assert all(one.steps[-1].terminated or one.steps[-1].truncated for one in done)


def test_the_random_agent_uses_its_budget_where_it_does_not_submit(
    make_tiny: MakeTiny, fake: FakeBackend
) -> None:
    task = make_tiny("few", steps=3)
    done = [play(task, RandomAgent(), fake, seed) for seed in range(10)]
    assert any(one.steps[-1].truncated for one in done)
    assert all(len(one.steps) <= 3 for one in done)


def test_the_random_agent_submits_where_there_is_nothing_to_see() -> None:
    agent = RandomAgent()
    observation = {"output": "no files match"}
    assert agent.act(observation, {}).tool == "list_files"
    assert agent.act(observation, {}).tool == "submit"


CALLS = [
    {"tool": "read_file", "arguments": {"path": "tiny/__init__.py"}},
    {"tool": "edit_file", "arguments": {"path": "tiny/__init__.py", "old": "a - b", "new": "a + b"}},
    {"tool": "run_tests"},
]


@pytest.mark.parametrize("form", ["list", "lines"])
def test_a_script_is_played_and_then_submitted(
    tmp_path: Path, tiny: Task, fake: FakeBackend, form: str
) -> None:
    file = tmp_path / "fix.json"
    file.write_text(json.dumps(CALLS) if form == "list" else "\n\n".join(map(json.dumps, CALLS)) + "\n")
    make = make_agent(f"scripted:{file}")
    agent = make()
    assert agent.name.startswith("scripted:fix.json@")
    for _ in range(2):
        done = play(tiny, agent, fake)
        assert [step.tool for step in done.steps] == ["read_file", "edit_file", "run_tests", "submit"]
        assert done.passed
    file.write_text(json.dumps(CALLS[:1]))
    assert make_agent(f"scripted:{file}")().name != agent.name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "entry 1: not a tool call; write"),
        (
            '[{"tool": "read_file", "arguments": {"path": "a"}}, {"tool": "rm"}]',
            "entry 2: there is no tool 'rm'",
        ),
        ('{"tool": "submit"}\n{"tool": "read_file"}', "line 2: read_file: path: Field required"),
        ('{"tool": "submit"}\nnonsense', "line 2: not JSON"),
        ("[", "not JSON"),
        ('[{"tool": "submit", "args": {}}]', "entry 1: unknown key 'args'"),
        ('[{"tool": "submit", "arguments": 3}]', "entry 1: submit: the arguments must be a JSON object"),
        ('[{"tool": "run_command", "arguments": {"command": "ls"}}]', "allow commands (--commands)"),
        ("{" * 9, "not JSON"),
        ("\udcff", "not UTF-8 at byte 0"),
    ],
)
def test_a_bad_script_is_refused_by_name_and_entry(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ValueError, match="bad") as refused:
        make_agent(f"scripted:{file}")
    assert str(file) in str(refused.value)
    assert said in str(refused.value)


def test_each_task_may_bring_its_own_scripts(tiny: Task, fake: FakeBackend) -> None:
    lines = "".join(json.dumps(call) + "\n" for call in CALLS)
    task = replace(tiny, scripts={"direct": lines.encode(), "look": lines.partition("\n")[0].encode()})
    direct, look = make_agent("scripted")(), make_agent("scripted:look")()
    assert (direct.name, look.name) == ("scripted:direct", "scripted:look")
    for _ in range(2):
        assert play(task, direct, fake).passed
        assert not play(task, look, fake).passed


@pytest.mark.parametrize(
    ("scripts", "said"),
    [
        ({}, r"scripts/direct\.jsonl: there is no such script \(known: none\)"),
        ({"wander": b"{}"}, r"known: wander"),
        ({"direct": b'{"tool": "rm"}'}, r"scripts/direct\.jsonl: line 1: there is no tool 'rm'"),
    ],
)
def test_a_task_without_a_good_script_is_a_broken_task(
    tiny: Task, scripts: dict[str, bytes], said: str
) -> None:
    with pytest.raises(TaskError, match=said):
        make_agent("scripted")().begin(replace(tiny, scripts=scripts), 0)


def test_a_missing_script_is_an_unusable_argument(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        make_agent(f"scripted:{tmp_path / 'none.json'}")
    with pytest.raises(ValueError, match="needs a file"):
        make_agent("scripted:")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("orcale", "did you mean 'oracle'?"),
        ("script:x", "did you mean 'scripted'?"),
        ("zzz", "known: oracle, noop, random, scripted, scripted:<name>, scripted:<file>"),
        ("oracle:x", "did you mean 'oracle'?"),
        ("", "known: oracle"),
    ],
)
def test_an_unknown_agent_is_refused_with_the_nearest(spec: str, said: str) -> None:
    with pytest.raises(ValueError, match="no agent") as refused:
        make_agent(spec)
    assert said in str(refused.value)


def test_commands_reach_the_agents_that_use_them(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"tool": "run_command", "arguments": {"command": "ls"}}\n')
    agent = make_agent(f"scripted:{file}", commands=True)()
    assert agent.act({}, {}) == Submit()  # no episode was begun
    for name, kind in (("oracle", OracleAgent), ("noop", NoopAgent), ("random", RandomAgent)):
        made = make_agent(name, commands=True)
        assert isinstance(made(), kind)
        assert made() is not made()
