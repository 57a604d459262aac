"""An oracle's cases are asked in a box and judged outside of it, where alone it is known what is right."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Task, WorkspaceState
from deepgym_envs.errors import TaskError
from deepgym_envs.grade import Grader, TestReport, run_hidden
from deepgym_envs.grade.oracle import Question, judged, questions, run_oracle, together
from deepgym_envs.oracle_file import parse_oracle
from deepgym_envs.sandbox import Backend, Command, Sandbox
from deepgym_envs.testing import FakeSandbox, completed, make_task

from ..tiny import BROKEN, HIDDEN, SOLVED, VISIBLE, backend  # noqa: TID252

FIXTURES = (backend,)
MODULE = "tiny/__init__.py"
ORACLE = """
[[case]]
name = "adds"
repeat = 2
steps = [{ call = "tiny:add", args = [17, 4003], expect = 4020 }]

[[case]]
name = "adds-whatever-is-drawn"
draw = { a = { whole = [1, 1000000] }, b = { whole = [1, 1000000] } }
draws = 2
steps = [
    { let = "sum", call = "operator:add", args = ["$a", "$b"] },
    { call = "tiny:add", args = ["$a", "$b"], must = { equals = "$sum" } },
]

[[case]]
name = "doubles"
steps = [
    { let = "d", call = "tiny:double", args = [{ decimal = "1.50" }], expect = { decimal = "3.00" } },
    { call = "tiny:double", args = [["$d"]], show = "each str", expect = ["3.00", "3.00"] },
    { call = "tiny:double", args = [{ none = true }], raises = "TypeError", match = "unsupported" },
    { get = "tiny:double.__name__", expect = "double" },
]

[[case]]
name = "program"
run = ["-m", "tiny.tool", "two words"]
stdin = "in"
given = { "sub/a.txt" = "given" }
status = 3
stdout = "['two words'] in given\\n"
stderr = { pattern = "warn.*\\n" }
files = { "out.txt" = "9 lines", "not.txt" = { none = true } }
"""
TOOL = """\
import pathlib, sys
print(sys.argv[1:], sys.stdin.read(), pathlib.Path("sub/a.txt").read_text())
print("warning", file=sys.stderr)
pathlib.Path("out.txt").write_text("9 lines")
sys.exit(3)
"""
CASES = ["adds", "adds-whatever-is-drawn", "doubles", "program"]
NODES = [f"oracle.toml::{name}" for name in CASES]


def make(folder: Path, oracle: str = ORACLE, **limits: float) -> Task:
    return make_task(
        folder,
        source={MODULE: BROKEN, "tiny/tool.py": TOOL, "tests/test_tiny.py": VISIBLE, "pyproject.toml": ""},
        hidden={"test_hidden.py": HIDDEN, "oracle.toml": oracle},
        gold={MODULE: SOLVED},
        fail_to_pass=["test_hidden.py::test_add", "test_hidden.py::test_negative", *NODES[:2]],
        pass_to_pass=["test_hidden.py::test_double", *NODES[2:]],
        editable=("tiny/**",),
    )


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return make(tmp_path_factory.mktemp("tasks") / "asked")


@pytest.fixture(scope="module")
def box(backend: Backend, task: Task) -> Iterator[Sandbox]:
    with closing(backend.open(task)) as box:
        yield box


def test_a_solution_answers_rightly(box: Sandbox, task: Task) -> None:
    report, done = run_hidden(box, task, task.gold, task.expected, detail_chars=500)
    assert report.details == {}
    assert dict(report.outcomes) == dict.fromkeys(task.expected, "passed")
    assert (report.complete, report.malformed, done.exit_code) == (True, False, 0)


def test_the_base_answers_wrongly_and_the_report_says_how(box: Sandbox, task: Task) -> None:
    report, _ = run_hidden(box, task, WorkspaceState(task.base), NODES, detail_chars=200)
    assert [report.outcomes[node] for node in NODES] == ["failed", "failed", "passed", "passed"]
    assert report.details[NODES[0]] == "E   step 1 (tiny:add) gave -3986; expected 4020"
    assert "which fails its 'equals'" in report.details[NODES[1]]


def test_only_the_cases_that_are_asked_for_are_asked(box: Sandbox, task: Task) -> None:
    report, _ = run_hidden(box, task, task.gold, [NODES[2], "test_hidden.py::test_double"])
    assert set(report.outcomes) == {NODES[2], "test_hidden.py::test_double"}
    assert set(run_hidden(box, task, task.gold, ["oracle.toml"])[0].outcomes) == set(NODES)


def test_each_case_has_a_process_of_its_own(box: Sandbox, task: Task) -> None:
    counting = "import itertools\nseen = itertools.count()\n" + SOLVED.replace(
        "    return a + b", "    assert next(seen) == 0\n    return a + b"
    )
    report, _ = run_hidden(
        box, task, task.gold.with_file(MODULE, counting.encode()), NODES[:2], detail_chars=300
    )
    assert report.details == {}


@pytest.mark.parametrize(
    "code",
    [
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        "print('noise')\nimport sys\nprint('noise', file=sys.stderr)\n",
        "import sys\nsys.stdin.close()\n",
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n",
    ],
    ids=["thread", "prints", "closes-stdin", "signal"],
)
def test_a_solution_that_does_more_when_imported_still_passes(box: Sandbox, task: Task, code: str) -> None:
    report, _ = run_hidden(
        box, task, task.gold.with_file(MODULE, (code + SOLVED).encode()), NODES[:3], detail_chars=300
    )
    assert report.details == {}
    assert (report.complete, report.malformed) == (True, False)


def test_grading_needs_every_case(backend: Backend, task: Task) -> None:
    with Grader(task, backend) as grader:
        assert grader.grade(task.gold).reason == "passed"
        assert grader.grade(task.gold.with_file(MODULE, SOLVED.replace("2 * a", "a + a").encode())).passed
        other = task.gold.with_file("tiny/tool.py", TOOL.replace("exit(3)", "exit(4)").encode())
        verdict = grader.grade(other)
        assert (verdict.reason, verdict.tests[NODES[3]]) == ("tests_failed", "failed")


class Watched:
    """A fake box that keeps what it is sent, and answers nothing."""

    def __init__(self, task: Task) -> None:
        self.commands: list[Command] = []
        self.box = FakeSandbox(task.base, self.answer)

    def answer(self, state: WorkspaceState, command: Command) -> Any:
        self.commands.append(command)
        return completed(), state


def test_nothing_that_is_expected_enters_the_box(task: Task) -> None:
    watched = Watched(task)
    run_hidden(watched.box, task, task.gold, task.expected)
    sent = b"".join(
        part
        for command in watched.commands
        for part in (command.stdin, *command.files.values(), repr(command.argv).encode())
    )
    assert b"4003" in sent
    for secret in (
        b"4020",
        b"3.00",
        b"9 lines",
        b"adds-whatever",
        b"TypeError, match",
        b"unsupported",
        b"warn",
    ):
        assert secret not in sent, secret
    assert not [name for command in watched.commands for name in command.files if "oracle.toml" in name]


def test_order_and_numbers_say_nothing(task: Task) -> None:
    asked = []
    for _ in range(12):
        watched = Watched(task)
        run_oracle(watched.box, task, NODES)
        asked.append([case["id"] for case in json.loads(watched.commands[0].stdin)["cases"]])
    assert len({number for ids in asked for number in ids}) == 12 * 6
    kinds = []
    for _ in range(12):
        watched = Watched(task)
        run_oracle(watched.box, task, NODES)
        kinds.append(tuple("run" in case for case in json.loads(watched.commands[0].stdin)["cases"]))
    assert len(set(kinds)) > 1


def test_values_are_drawn_anew_for_each_grading(task: Task) -> None:
    assert task.oracle is not None
    chance = random.Random(5)
    drawn = [question.drawn for _ in range(3) for question in questions(task.oracle.case[1:2], chance)]
    assert len({tuple(one.values()) for one in drawn}) == 6
    again = questions(task.oracle.case[1:2], random.Random(5))
    assert [question.drawn for question in again] == drawn[:2]


# What a box claims, without a box.

ASKED = questions(
    parse_oracle(b'[[case]]\nname="a"\nrepeat=2\nsteps=[{call="t:f",must={length=[1,1]}}]\n'
                 b'[[case]]\nname="b"\nsteps=[{call="t:f",expect=5}]\n', "x").case, random.Random(0)
)  # fmt: skip


def row(question: Question, value: Any) -> dict[str, str]:
    return {"case": question.number, "answer": json.dumps({"steps": [["value", value]]})}


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


GOOD = [row(ASKED[0], "x"), row(ASKED[1], "x"), row(ASKED[2], 5)]
END = {"end": 3}


def test_right_answers_pass_in_any_order() -> None:
    for rows in (GOOD, GOOD[::-1]):
        report = judged(ASKED, lines(*rows, END))
        assert report == TestReport(
            {"oracle.toml::a": "passed", "oracle.toml::b": "passed"}, (), {}, True, False
        )


def test_answers_to_the_same_question_must_agree() -> None:
    report = judged(ASKED, lines(GOOD[0], row(ASKED[1], "y"), GOOD[2], END), detail_chars=99)
    assert report.outcomes["oracle.toml::a"] == "failed"
    assert report.details["oracle.toml::a"] == "E   asked again, it answers otherwise"


def test_a_question_without_an_answer_is_missing() -> None:
    assert judged(ASKED, lines(GOOD[0], GOOD[2])) == TestReport(
        {"oracle.toml::b": "passed"}, (), {}, False, False
    )
    assert judged(ASKED, lines(GOOD[0], GOOD[2], {"end": 2})).malformed
    assert judged(ASKED, b"") == TestReport({}, (), {}, False, False)


@pytest.mark.parametrize("problem", ["timeout", "died", "too_long"])
def test_a_problem_is_no_pass(problem: str) -> None:
    report = judged(
        ASKED, lines(*GOOD[:2], {"case": ASKED[2].number, "problem": problem}, END), detail_chars=99
    )
    assert (report.outcomes["oracle.toml::b"], report.complete, report.malformed) == ("failed", True, False)


@pytest.mark.parametrize(
    "rows",
    [
        [*GOOD, GOOD[0], END],
        [*GOOD, END, END],
        [*GOOD, END, GOOD[0]],
        [{"case": "0" * 16, "answer": "{}"}, *GOOD, END],
        [*GOOD, {"end": 2}],
        [*GOOD, {**END, "more": 1}],
        [{**GOOD[0], "more": 1}, *GOOD[1:], END],
        [{"case": ASKED[0].number, "problem": "fine"}, *GOOD[1:], END],
        [{"case": ASKED[0].number, "answer": ["value", "x"]}, *GOOD[1:], END],
        [[], *GOOD, END],
    ],
    ids=["twice", "ends-twice", "after-the-end", "unknown", "few", "end-with-more", "more", "problem", "no-text", "list"],
)  # fmt: skip
def test_a_report_that_is_none_is_malformed(rows: list[Any]) -> None:
    assert judged(ASKED, lines(*rows)).malformed


def test_too_much_is_malformed() -> None:
    assert judged(ASKED, lines(*GOOD, END), overflow=True).malformed
    assert judged(ASKED, b"{}\n" * 100_001).malformed


@given(
    st.lists(
        st.one_of(st.sampled_from([*GOOD, END]), st.none(), st.text(), st.dictionaries(st.text(), st.text()))
    )
)
def test_nothing_but_every_right_answer_passes(rows: list[Any]) -> None:
    report = judged(ASKED, lines(*rows))
    if report.complete and not report.malformed and set(report.outcomes.values()) == {"passed"}:
        assert sorted(map(str, rows)) == sorted(map(str, [*GOOD, END]))
    else:
        assert rows[:-1] != GOOD or rows[-1] != END


@given(st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    assert "passed" not in judged(ASKED, data).outcomes.values()


def test_tests_cannot_claim_cases() -> None:
    done = completed(0)
    tests = TestReport({"test_a.py::x": "passed", "oracle.toml::b": "passed"}, (), {}, True, False)
    asked = TestReport({"oracle.toml::a": "passed"}, (), {}, True, False)
    assert together((tests, done), (asked, done))[0].malformed
    honest = replace(tests, outcomes={"test_a.py::x": "passed"})
    report, _ = together((honest, done), (asked, done))
    assert (dict(report.outcomes), report.malformed) == (
        {"test_a.py::x": "passed", "oracle.toml::a": "passed"},
        False,
    )


def test_the_worse_end_counts() -> None:
    report = TestReport({}, (), {}, True, False)
    for one, other in ((0, 1), (1, 0), (0, None), (None, 0)):
        _, done = together((report, completed(one)), (report, completed(other)))
        assert done.exit_code != 0
        assert done.timed_out == (None in (one, other))
    cut = replace(report, complete=False)
    assert not together((report, completed()), (cut, completed()))[0].complete
    assert not together((cut, completed()), (report, completed()))[0].complete


# The task that brings one.


def test_a_task_lists_cases_that_exist(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"'oracle.toml::adds-whatever-is-drawn': no such case"):
        make(tmp_path / "one", ORACLE.replace("adds-whatever-is-drawn", "something-else"))


def test_a_task_with_a_broken_oracle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TaskError, match=r"oracle.toml: case.0.steps.0: write either call or get"):
        make(tmp_path / "one", ORACLE.replace('call = "tiny:add", args = [17, 4003], ', ""))


def test_the_oracle_is_part_of_what_decides_a_verdict(task: Task, tmp_path: Path) -> None:
    assert make(tmp_path / "asked").digest == task.digest
    assert make(tmp_path / "other", ORACLE.replace("4020", "4021")).digest != task.digest
