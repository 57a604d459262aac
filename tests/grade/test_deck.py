"""Each draw is a secret of its own, and only the exact outcomes that it demands are a pass."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Task
from deepgym_envs.grade import Deck, Draw, SecretRandom, TestReport, judge
from deepgym_envs.grade.deck import KEPT_TWINS, PLACES, split_case
from deepgym_envs.task import HiddenTests
from deepgym_envs.testing import completed
from deepgym_envs.twin import Change, TestTwins, Twins, file_digest

from ..tiny import MakeTiny, make_tiny  # noqa: TID252

FIXTURES = (make_tiny,)
FILE = """\
import pytest


@pytest.mark.parametrize("a, b", [(1, 2), (3, 4), (5, 6)])
def test_cases(a, b):
    assert a + 1 == b


class TestIt:
    def test_one(self):
        assert 1 == 1


def test_two():
    assert 2 == 2


def test_alone():
    pass
"""
CASES = ("[1-2]", "[3-4]", "[5-6]")
TWINS = Twins(
    files={"test_it.py": file_digest(FILE.encode())},
    tests=(
        TestTwins(test="test_it.py::test_cases", cases=CASES, changes=(
            Change(at=(4, 38, 4, 39), wrong="7", fails={0: "[1-7]"}, by_case=True),
            Change(at=(4, 38, 4, 39), wrong="8", fails={0: "[1-8]"}, by_case=True),
            Change(at=(4, 46, 4, 47), wrong="9", fails={1: "[3-9]"}, by_case=True),
        )),
        TestTwins(test="test_it.py::TestIt::test_one", cases=("",), changes=(
            Change(at=(11, 20, 11, 21), wrong="0", fails={0: ""}),
            Change(at=(11, 20, 11, 21), wrong="5", fails={0: ""}),
        )),
        TestTwins(test="test_it.py::test_two", cases=("",), changes=(
            Change(at=(15, 16, 15, 17), wrong="3", fails={0: ""}),
        )),
    ),
)  # fmt: skip
KEPT = ("test_it.py::test_two", "test_it.py::test_alone")
FAILING = (*(f"test_it.py::test_cases{case}" for case in CASES), "test_it.py::TestIt::test_one")


@pytest.fixture(scope="module")
def task(make_tiny: MakeTiny) -> Task:
    tiny = make_tiny("deck")
    tests = HiddenTests(fail_to_pass=FAILING, pass_to_pass=KEPT)
    return replace(
        tiny,
        content=replace(tiny.files, hidden={"test_it.py": FILE.encode(), "data.txt": b"data"}, twins=TWINS),
        manifest=tiny.manifest.model_copy(update={"tests": tests}),
    )


@cache
def secret(number: int) -> bytes:
    return number.to_bytes(16, "big")


def draws(task: Task, count: int) -> list[Draw]:
    deck = Deck(task)
    return [deck.draw(SecretRandom(secret(number))) for number in range(count)]


def report(outcomes: Mapping[str, str]) -> TestReport:
    return TestReport(dict(outcomes), (), {}, complete=True, malformed=False)  # type: ignore[arg-type]


def test_every_test_has_a_right_copy_and_those_with_twins_a_wrong_one(task: Task) -> None:
    for draw in draws(task, 20):
        assert set(draw.tests) == set(task.expected)
        assert {draw.demands[node] for node in draw.tests.values()} == {"passed"}
        wrong = Counter(draw.copies[node] for node, demand in draw.demands.items() if demand == "failed")
        assert wrong == dict.fromkeys([*FAILING[:2], FAILING[3], KEPT[0]], 1)
        assert draw.guesses == 3  # what passes at the base too protects nothing
        assert draw.forge_probability == 1 / 8


def test_only_the_nodes_that_are_demanded_are_run_each_once(task: Task) -> None:
    for draw in draws(task, 5):
        assert sorted(draw.nodes) == sorted(draw.demands) == sorted(draw.copies)


def test_no_name_of_a_copy_comes_again(task: Task) -> None:
    names = Counter(
        split_case(node)[0]
        for draw in draws(task, 20)
        for node in {split_case(node)[0] for node in draw.nodes}
    )
    assert set(names.values()) == {1}


def test_each_side_of_a_pair_is_right_as_often_as_the_other(task: Task) -> None:
    """By all that the box can see: the order of names, of definitions and of runs."""
    by_name = by_run = by_place = 0
    count = 400
    for draw in draws(task, count):
        pair = [node for node, own in draw.copies.items() if own == FAILING[3]]
        right = draw.tests[FAILING[3]]
        by_name += min(pair) == right
        by_run += min(pair, key=draw.nodes.index) == right
        text = draw.files["test_it.py"].decode()
        by_place += min(pair, key=lambda node: text.index(node.rpartition("::")[2])) == right
    for seen in (by_name, by_run, by_place):
        assert 0.4 < seen / count < 0.6


def test_a_weak_change_is_no_guess(task: Task) -> None:
    first, second, third = TWINS.tests
    weak = second.model_copy(
        update={"changes": tuple(change.model_copy(update={"weak": True}) for change in second.changes)}
    )
    draw = draws(
        replace(
            task, content=replace(task.files, twins=TWINS.model_copy(update={"tests": (first, weak, third)}))
        ),
        1,
    )[0]
    assert draw.guesses == 2
    assert sum(demand == "failed" for demand in draw.demands.values()) == 4


PLACES_FILE = """\
def test_sums():
    assert 1 + 1 == 2
    assert 2 + 2 == 4
    assert 3 + 3 == 6
    assert 4 + 4 == 8


def test_kept():
    assert 1 == 1
    assert 2 == 2
"""


def many_places(task: Task, count: int, lines: int = 4, **changed: object) -> Task:
    """``task`` with one failing test, of which ``lines`` lines may be wrong, and ``count`` others like it."""
    source = PLACES_FILE + "".join(
        f"\n\ndef test_more{number}():\n    assert 1 == 1\n" for number in range(count)
    )
    changes = tuple(
        Change(at=(line, 20, line, 21), wrong="9", fails={0: ""}).model_copy(update=changed)
        for line in range(2, 2 + lines)
    )
    kept = tuple(Change(at=(line, 16, line, 17), wrong="9", fails={0: ""}) for line in (9, 10))
    more = {f"test_more{number}": (14 + 4 * number, 16, 14 + 4 * number, 17) for number in range(count)}
    tests = {
        "test_sums": changes,
        "test_kept": kept,
        **{name: (Change(at=at, wrong="9", fails={0: ""}),) for name, at in more.items()},
    }
    failing = tuple(f"test_m.py::{name}" for name in ("test_sums", *more))
    twins = Twins(
        files={"test_m.py": file_digest(source.encode())},
        tests=tuple(
            TestTwins(test=f"test_m.py::{name}", cases=("",), changes=its) for name, its in tests.items()
        ),
    )
    listed = HiddenTests(fail_to_pass=failing, pass_to_pass=("test_m.py::test_kept",))
    return replace(
        task,
        content=replace(task.files, hidden={"test_m.py": source.encode()}, twins=twins),
        manifest=task.manifest.model_copy(update={"tests": listed}),
    )


def bodies(draw: Draw, test: str) -> dict[str, list[str]]:
    """The lines of each copy of ``test``, by its node."""
    module = ast.parse(draw.files["test_m.py"])
    found = {f"test_m.py::{each.name}": each for each in module.body if isinstance(each, ast.FunctionDef)}
    return {
        node: [ast.unparse(line) for line in found[node].body]
        for node, own in draw.copies.items()
        if own == f"test_m.py::{test}"
    }


def test_where_few_tests_fail_at_the_base_places_are_wrong_in_all_combinations(task: Task) -> None:
    for draw in draws(many_places(task, 0), 10):
        seen = bodies(draw, "test_sums")
        assert len(seen) == 2**PLACES
        assert draw.guesses == PLACES
        varied = [sorted(set(column)) for column in zip(*seen.values(), strict=True) if len(set(column)) > 1]
        assert sorted(map(tuple, seen.values())) == sorted(
            tuple(line) for line in product(*({*column} for column in zip(*seen.values(), strict=True)))
        )
        assert len(varied) == PLACES
        right = [node for node in seen if draw.demands[node] == "passed"]
        assert [seen[node] for node in right] == [[f"assert {n} + {n} == {2 * n}" for n in range(1, 5)]]
        assert draw.tests["test_m.py::test_sums"] == right[0]


def test_no_expected_value_is_met_in_more_copies_than_a_wrong_one(task: Task) -> None:
    """Or whoever compares the copies knows the right one."""
    for draw in draws(many_places(task, 0), 10):
        for column in zip(*bodies(draw, "test_sums").values(), strict=True):
            assert len(set(Counter(column).values())) == 1


@pytest.mark.parametrize(("others", "places"), [(0, 3), (2, 3), (3, 2), (6, 2), (7, 1), (20, 1)])
def test_the_more_tests_fail_at_the_base_the_fewer_copies_has_each(
    task: Task, others: int, places: int
) -> None:
    draw = draws(many_places(task, others), 1)[0]
    assert len(bodies(draw, "test_sums")) == 2**places
    assert draw.guesses == places + others


def test_tests_that_pass_at_the_base_too_have_two_copies(task: Task) -> None:
    assert len(bodies(draws(many_places(task, 0), 1)[0], "test_kept")) == 2


def test_a_test_has_no_more_places_than_lines_that_may_be_wrong(task: Task) -> None:
    assert draws(many_places(task, 0, lines=2), 1)[0].guesses == 2
    assert draws(many_places(task, 0, at=(2, 20, 2, 21)), 1)[0].guesses == 1


def test_weak_changes_are_not_combined(task: Task) -> None:
    draw = draws(many_places(task, 0, weak=True), 1)[0]
    assert len(bodies(draw, "test_sums")) == 2
    assert draw.guesses == 0


def test_each_of_many_copies_is_right_as_often_as_the_others(task: Task) -> None:
    seen: Counter[int] = Counter()
    count = 400
    for draw in draws(many_places(task, 0), count):
        nodes = [node for node, own in draw.copies.items() if own == "test_m.py::test_sums"]
        seen[sorted(nodes).index(draw.tests["test_m.py::test_sums"])] += 1
        text = draw.files["test_m.py"].decode()
        place = sorted(nodes, key=lambda node: text.index(node.rpartition("::")[2]))
        seen[8 + place.index(draw.tests["test_m.py::test_sums"])] += 1
    assert len(seen) == 16
    assert all(25 <= number <= 80 for number in seen.values())


def test_cases_of_one_test_are_decided_independently(task: Task) -> None:
    same = 0
    for draw in draws(task, 400):
        first, second = (split_case(draw.tests[node])[0] for node in FAILING[:2])
        same += first == second
    assert 0.4 < same / 400 < 0.6


def test_the_same_secret_gives_the_same_draw(task: Task) -> None:
    assert draws(task, 3) == draws(task, 3)


def test_files_without_tests_stay_as_they_are(task: Task) -> None:
    assert draws(task, 1)[0].files["data.txt"] == b"data"


def test_without_twins_the_tests_run_as_they_are(task: Task) -> None:
    draw = draws(replace(task, content=replace(task.files, twins=Twins(files={}, tests=()))), 1)[0]
    assert draw.files == task.hidden
    assert dict(draw.demands) == dict.fromkeys(task.expected, "passed")
    assert draw.forge_probability == 1.0


def test_twins_of_another_file_are_not_used(task: Task) -> None:
    other = replace(
        task, content=replace(task.files, hidden={**task.hidden, "test_it.py": FILE.encode() + b"\n"})
    )
    assert draws(other, 1)[0].forge_probability == 1.0


def test_of_tests_that_pass_at_the_base_only_some_have_twins(task: Task) -> None:
    names = [f"test_n{number}" for number in range(3 * KEPT_TWINS)]
    source = "".join(f"def {name}():\n    assert 1 == 1\n\n\n" for name in names).encode()
    many = replace(
        task,
        content=replace(
            task.files,
            hidden={"test_m.py": source},
            twins=Twins(
                files={"test_m.py": file_digest(source)},
                tests=tuple(
                    TestTwins(
                        test=f"test_m.py::{name}",
                        cases=("",),
                        changes=(
                            Change(at=(4 * number + 2, 16, 4 * number + 2, 17), wrong="2", fails={0: ""}),
                        ),
                    )
                    for number, name in enumerate(names)
                ),
            ),
        ),
        manifest=task.manifest.model_copy(
            update={"tests": HiddenTests(pass_to_pass=tuple(f"test_m.py::{name}" for name in names))}
        ),
    )
    for draw in draws(many, 3):
        assert sum(demand == "failed" for demand in draw.demands.values()) == KEPT_TWINS
        assert draw.guesses == 0


def test_what_was_demanded_is_a_pass(task: Task) -> None:
    draw = draws(task, 1)[0]
    assert judge(draw.demands, report(draw.demands), completed(1)) == "passed"
    assert judge(draw.demands, report(draw.demands), completed(0)) == "crashed"


def test_a_wrong_copy_that_passes_is_tampering(task: Task) -> None:
    draw = draws(task, 1)[0]
    everything = report(dict.fromkeys(draw.demands, "passed"))
    assert judge(draw.demands, everything, completed(0)) == "twin_passed"
    assert judge(draw.demands, everything, completed(1)) == "twin_passed"


@given(st.integers(0, 50), st.data())
def test_any_other_outcomes_are_no_pass(number: int, data: st.DataObject) -> None:
    draw = DRAWS[number]
    outcomes = data.draw(
        st.fixed_dictionaries(
            {node: st.sampled_from(["passed", "failed", "error", "skipped"]) for node in draw.demands}
        )
    )
    reason = judge(draw.demands, report(outcomes), completed(1))
    assert (reason == "passed") == (outcomes == dict(draw.demands))


@pytest.fixture(scope="module", autouse=True)
def many_draws(task: Task) -> None:
    DRAWS.extend(draws(task, 51))


DRAWS: list[Draw] = []


def test_secret_numbers_are_the_same_for_the_same_key_and_look_random() -> None:
    assert SecretRandom(b"a").getrandbits(300) == SecretRandom(b"a").getrandbits(300)
    assert SecretRandom(b"a").getrandbits(300) != SecretRandom(b"b").getrandbits(300)
    numbers = SecretRandom(b"c")
    ones = sum(numbers.getrandbits(8).bit_count() for _ in range(2000))
    assert 0.47 < ones / 16_000 < 0.53
    assert 0.45 < sum(numbers.random() for _ in range(2000)) / 2000 < 0.55


@pytest.mark.parametrize(
    ("node", "parts"),
    [
        ("t.py::test_x", ("t.py::test_x", "")),
        ("t.py::T::test_x[a[0]::b]", ("t.py::T::test_x", "[a[0]::b]")),
        ("wrong-sign", ("wrong-sign", "")),
    ],
)
def test_a_node_id_is_split_into_test_and_case(node: str, parts: tuple[str, str]) -> None:
    assert split_case(node) == parts
