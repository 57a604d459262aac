"""Tests that tell what they see: what a box reports is read strictly, and one test's end is not all tests'."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from deepgym_envs import Task
from deepgym_envs.audit.weakness.observation import (
    DIED,
    Function,
    Look,
    Observation,
    Seen,
    read_report,
)
from deepgym_envs.audit.weakness.observed import ObservedFile
from deepgym_envs.sandbox import Backend

from ...tiny import make_tiny  # noqa: TID252
from ..place import somewhere  # noqa: TID252
from .soft import PATH, fault, soft

FIXTURES = (make_tiny, soft, somewhere)
END = {
    "end": "t.py::test", "how": "passed", "where": "", "digest": "0a", "seconds": 0.5, "reached": [1],
    "seen": [["1:2", "3"]], "returned": {"1": "0b"},
}  # fmt: skip
TESTS = """\
import os
import pytest
from shop.price import label, price


def test_prices():
    assert price(20, 3) == 54
    assert {"b", "a"} == set(label("a b").split())


def test_objects():
    assert object() != label


@pytest.mark.parametrize("count", [1, -1])
def test_ends(count):
    assert price(count, 2) == 2
"""


def lines(*rows: object) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


@pytest.fixture(scope="module")
def observation(soft: Task, somewhere: Backend) -> Iterator[Observation]:
    with Observation(soft, somewhere, 1.0) as observation:
        yield observation


def look(source: str, **options: object) -> Look:
    file = ObservedFile(source.encode())
    return Look({"test_a.py": file.written(file.tests, {})}, ["test_a.py"], **options)  # type: ignore[arg-type]


def test_a_report_is_read_row_by_row() -> None:
    seen, begun, complete = read_report(lines({"begin": "t.py::test"}, END, {"exit": 0}))
    assert seen == {"t.py::test": Seen("passed", "0a", "", 0.5, frozenset({1}), {1: "0b"}, (("1:2", "3"),))}
    assert (begun, complete) == (None, True)


@pytest.mark.parametrize(
    "row",
    [
        {**END, "seconds": "much"}, {**END, "reached": ["1"]}, {**END, "seen": [["a"]]}, {**END, "how": None},
        {**END, "returned": {"-1": "0b"}}, {**END, "returned": {"1": 2}},
        {**END, "end": "t.py::other"}, ["end"], "end", {"end": "t.py::test"},
    ],
)  # fmt: skip
def test_what_is_no_report_is_not_believed(row: object) -> None:
    assert read_report(lines({"begin": "t.py::test"}, row))[0] == {}


def test_a_report_of_rubbish_is_empty() -> None:
    assert read_report(b"\xff\n{]\n[" * 100) == ({}, None, False)


def test_a_test_that_began_and_did_not_end_is_known() -> None:
    assert read_report(lines({"begin": "t.py::test"})) == ({}, "t.py::test", False)


def test_tests_tell_what_they_see_the_same_each_time(observation: Observation, soft: Task) -> None:
    once, again = (observation.look(soft.gold, look(TESTS, show=True)) for _ in range(2))
    assert {node: seen.outcome() for node, seen in once.items()} == {
        node: seen.outcome() for node, seen in again.items()
    }
    assert [text for _, text in once["test_a.py::test_prices"].values] == ["54", '{"set":["a","b"]}']
    assert once["test_a.py::test_ends[-1]"].how == "builtins:ValueError"
    assert once["test_a.py::test_ends[-1]"].where.endswith("price(count, 2)) == 2")


def test_another_answer_is_seen(observation: Observation, soft: Task) -> None:
    right = observation.look(soft.gold, look(TESTS))
    other = fault(soft, "count // 10", "count // 5")
    wrong = observation.look(other.state, look(TESTS))
    differing = [node for node in right if right[node].outcome() != wrong[node].outcome()]
    assert differing == ["test_a.py::test_prices"]


def test_only_the_wanted_tests_run_and_tell_what_they_reach(observation: Observation, soft: Task) -> None:
    functions = [Function(PATH, 4, 9), Function(PATH, 12, 13, is_public=False)]
    nodes = ["test_a.py::test_prices", "test_a.py::test_objects"]
    seen = observation.look(soft.gold, look(TESTS, nodes=nodes, functions=functions))
    assert {node: set(each.reached) for node, each in seen.items()} == {nodes[0]: {0, 1}, nodes[1]: set()}
    assert {node: set(each.returned) for node, each in seen.items()} == {nodes[0]: {0}, nodes[1]: set()}


def test_what_a_function_gives_is_told_but_not_what_it_gives_to_itself(
    observation: Observation, soft: Task
) -> None:
    source = """\
def price(count, each, limit=10):
    yield count
    if count:
        yield sum(price(count - 1, each)) * 0 + each
"""
    state = soft.gold.with_file(PATH, source.encode() + b"\n\ndef label(text):\n    return text\n")
    test = "from shop.price import price\n\n\ndef test():\n    assert [*price(2, 7)]\n"
    seen = observation.look(state, look(test, functions=[Function(PATH, 1, 4)], show=True))
    given = [text for label, text in seen["test_a.py::test"].values if label == "return 0"]
    assert given == ["2", "7", '{"none":true}']


def test_a_test_that_takes_the_process_with_it_is_noted_and_the_next_files_are_run(
    observation: Observation, soft: Task
) -> None:
    deadly = b"import os\n\n\ndef test_one():\n    os._exit(0)\n"
    plain = b"def test_two():\n    pass\n"
    wanted = Look({"test_a.py": deadly, "test_b.py": plain}, ["test_a.py", "test_b.py"])
    seen = observation.look(soft.gold, wanted)
    assert {node: each.how for node, each in seen.items()} == {
        "test_a.py::test_one": DIED, "test_b.py::test_two": "passed",
    }  # fmt: skip


def test_a_test_without_end_is_ended(observation: Observation, soft: Task) -> None:
    endless = "def test_one():\n    while True:\n        pass\n\n\ndef test_two():\n    pass\n"
    seen = observation.look(soft.gold, look(endless))
    assert {node: each.how for node, each in seen.items()} == {
        "test_a.py::test_one": "__main__:TimeUp", "test_a.py::test_two": "passed",
    }  # fmt: skip
