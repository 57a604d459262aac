"""Validation finds what is wrong with a task, says it in words, and blames nobody for the infrastructure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs.errors import BoxLost, SandboxError
from deepgym_envs.sandbox import Backend, Command, Completed, Sandbox
from deepgym_envs.sandbox.local import LocalBackend
from deepgym_envs.state import WorkspaceState
from deepgym_envs.task import Limits, Task
from deepgym_envs.task_checks import Finding, static_findings
from deepgym_envs.testing import FakeBackend, completed, make_task
from deepgym_envs.validation import TaskValidation, validate

pytestmark = pytest.mark.filterwarnings("ignore::deepgym_envs.sandbox.local.UntrustedCodeWarning")
BROKEN = "def add(a, b):\n    return a - b\n"
SOLVED = "def add(a, b):\n    return a + b\n"
HIDDEN = """\
import pytest
from tiny import add


@pytest.mark.parametrize("a", [1, 2])
def test_sum(a):
    assert add(a, 2) == a + 2


def test_zero():
    assert add(3, 0) == 3
"""
SUMS = ["test_add.py::test_sum[1]", "test_add.py::test_sum[2]"]
ZERO = "test_add.py::test_zero"
NODES = [*SUMS, ZERO]


def tiny(folder: Path, **changed: Any) -> Task:
    return make_task(
        folder / changed.pop("name", "add"),
        **{
            "source": {"tiny/__init__.py": BROKEN, "tests/test_tiny.py": "def test_nothing():\n    pass\n"},
            "hidden": {"test_add.py": HIDDEN},
            "gold": {"tiny/__init__.py": SOLVED},
            "fail_to_pass": SUMS,
            "pass_to_pass": [ZERO],
            **changed,
        },
    )


def codes(found: TaskValidation | tuple[Finding, ...] | list[Finding]) -> set[str]:
    reasons = found.reasons if isinstance(found, TaskValidation) else found
    return {finding.code for finding in reasons if not finding.warning}


@pytest.fixture(scope="session")
def local() -> Backend:
    return LocalBackend()


class Scripted:
    """Answers a test run with what ``outcome`` says of each test; ``nodes`` are those of all files."""

    def __init__(
        self, outcome: Callable[[str, bool, int], str], nodes: list[str] = NODES, seconds: float = 0.1
    ) -> None:
        self.outcome = outcome
        self.seconds = seconds
        self.nodes = nodes
        self.orders: list[list[str]] = []

    def __call__(self, state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        job = json.loads(command.stdin)
        prefix = "{files}/tests/"
        asked = [part.removeprefix(prefix) for part in job["arguments"] if part.startswith(prefix)]
        asked = [part for part in asked if not part.endswith(".ini")]
        hidden = "--confcutdir" in job["arguments"]
        nodes = [node for node in asked if "::" in node] or (self.nodes if hidden else [])
        if hidden:
            self.orders.append(nodes)
        rows = []
        failed = False
        for node in nodes:
            outcome = self.outcome(node, bool(state.changes), len(self.orders))
            failed = failed or outcome == "failed"
            for when in ("setup", "call", "teardown"):
                seen = outcome if when == "call" else "passed"
                detail = "E   assert 1 == 2" if seen == "failed" else ""
                rows.append({"test": node, "when": when, "outcome": seen, "detail": detail})
        rows.append({"exit": int(failed), "collected": len(nodes)})
        report = "\n".join(json.dumps(row) for row in rows).encode()
        return replace(completed(int(failed), report=report), seconds=self.seconds), state


def as_it_should(node: str, solved: bool, run: int) -> str:
    return "passed" if solved or node == ZERO else "failed"


def test_a_good_task_is_clean(tmp_path: Path, local: Backend) -> None:
    found = validate(tiny(tmp_path), backend=local, repeats=2)
    assert found.clean, found
    assert {finding.code for finding in found.warnings} == {"few_tests", "forgeable"}
    assert found.figures["fail_to_pass"] == 2
    assert found.figures["pass_to_pass"] == 1
    assert found.figures["runs"] == 6
    assert 0 < found.figures["median_seconds"] <= found.figures["worst_seconds"]


def test_tests_that_never_start_warm_are_a_warning_that_says_why(tmp_path: Path) -> None:
    task = tiny(tmp_path)

    def validated(**how: Any) -> set[str]:
        def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
            done, left = Scripted(as_it_should)(state, command)
            return replace(done, **how), left

        found = validate(task, backend=FakeBackend(answer), repeats=1)
        return {finding.message for finding in found.warnings if finding.code == "cold_tests"}

    assert validated(warm=True) == validated(warm=True, why_cold="once") == set()
    [message] = validated(why_cold="the repository has pluggy too")
    assert message == "the tests of tiny start cold, a fifth of a second later: the repository has pluggy too"


def test_each_run_has_another_order_which_the_seed_decides(tmp_path: Path) -> None:
    nodes = [f"test_add.py::test_{number}" for number in range(12)]
    tests = "".join(f"def test_{number}():\n    pass\n" for number in range(12))
    task = tiny(tmp_path, hidden={"test_add.py": tests}, fail_to_pass=nodes[:6], pass_to_pass=nodes[6:])
    orders = []
    for seed in (1, 1, 2):
        script = Scripted(
            lambda node, solved, _: "passed" if solved or node in nodes[6:] else "failed", nodes
        )
        assert validate(task, backend=FakeBackend(script), repeats=3, seed=seed).clean
        orders.append(script.orders)
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][1] == list(task.expected)
    assert len({tuple(order) for order in orders[0][1:4]}) == 3
    assert all(sorted(order) == sorted(nodes) for order in orders[0])


def test_every_second_repeat_has_other_hashes_of_strings(tmp_path: Path) -> None:
    backend = FakeBackend(Scripted(as_it_should))
    validate(tiny(tmp_path), backend=backend, repeats=4)
    warm = [command.warm for command in backend.boxes[0].commands if b"--confcutdir" in command.stdin]
    assert warm[:10] == [True, True, False, True, False] * 2


def test_a_solution_that_does_not_solve_is_rejected(tmp_path: Path, local: Backend) -> None:
    task = tiny(tmp_path, gold={"tiny/__init__.py": BROKEN.replace("a - b", "a - b + 1")})
    found = validate(task, backend=local, repeats=1)
    assert codes(found) == {"gold_fails"}
    [finding] = found.reasons
    assert "test_sum[1]" in finding.message
    assert "assert" in finding.message


def test_a_hidden_file_that_cannot_be_imported_is_named(tmp_path: Path, local: Backend) -> None:
    task = tiny(tmp_path, hidden={"test_add.py": HIDDEN.replace("import add", "import nothing_like_it")})
    [finding] = validate(task, backend=local, repeats=1).reasons
    assert finding.code == "gold_fails"
    assert "ImportError" in finding.message


def test_a_feature_whose_tests_cannot_be_imported_at_the_base_is_clean(
    tmp_path: Path, local: Backend
) -> None:
    task = tiny(
        tmp_path,
        gold={"tiny/__init__.py": BROKEN + "def sub(a, b):\n    return a - b\n"},
        hidden={
            "test_sub.py": "from tiny import sub\n\ndef test_sub():\n    assert sub(2, 1) == 1\n",
            "test_old.py": "from tiny import add\n\ndef test_zero():\n    assert add(1, 0) == 1\n",
        },
        fail_to_pass=["test_sub.py::test_sub"],
        pass_to_pass=["test_old.py::test_zero"],
    )
    assert validate(task, backend=local, repeats=2).clean


def test_a_solved_base_is_rejected(tmp_path: Path) -> None:
    found = validate(tiny(tmp_path), backend=FakeBackend(Scripted(lambda *_: "passed")))
    assert codes(found) == {"noop_passes"}


def test_tests_in_the_wrong_list_are_named(tmp_path: Path) -> None:
    def outcome(node: str, solved: bool, run: int) -> str:
        return "passed" if solved or node == SUMS[0] else "failed"

    found = validate(tiny(tmp_path), backend=FakeBackend(Scripted(outcome)))
    messages = {finding.code: finding.message for finding in found.reasons}
    assert set(messages) == {"passes_too_early", "fails_before"}
    assert SUMS[0] in messages["passes_too_early"]
    assert SUMS[1] not in messages["passes_too_early"]
    assert ZERO in messages["fails_before"]


def test_a_test_that_differs_from_run_to_run_is_flaky_and_nothing_else(tmp_path: Path) -> None:
    def outcome(node: str, solved: bool, run: int) -> str:
        return "failed" if solved and node == SUMS[1] and run == 4 else as_it_should(node, solved, run)

    found = validate(tiny(tmp_path), backend=FakeBackend(Scripted(outcome)), repeats=5)
    [finding] = found.reasons
    assert finding.code == "flaky"
    assert SUMS[1] in finding.message
    assert SUMS[0] not in finding.message


def test_tests_that_need_their_order_are_flaky(tmp_path: Path, local: Backend) -> None:
    hidden = "import tiny\nseen = []\n\n\n" + "\n\n\n".join(
        f"def test_{number}():\n    seen.append({number})\n    assert seen == list(range({number} + 1))\n"
        f"    assert tiny.add(1, 1) == 2"
        for number in range(6)
    )
    nodes = [f"test_add.py::test_{number}" for number in range(6)]
    task = tiny(tmp_path, hidden={"test_add.py": hidden}, fail_to_pass=nodes, pass_to_pass=[])
    assert codes(validate(task, backend=local, repeats=3)) == {"flaky"}


def test_a_parametrised_id_that_does_not_exist_is_named_with_those_that_do(
    tmp_path: Path, local: Backend
) -> None:
    task = tiny(tmp_path, fail_to_pass=["test_add.py::test_sum[1]", "test_add.py::test_sum[3]"])
    [finding] = validate(task, backend=local, repeats=1).reasons
    assert finding.code == "no_such_test"
    assert "test_sum[3]" in finding.message
    assert "test_sum[2]" in finding.message


def test_a_hidden_test_that_nobody_lists_is_named(tmp_path: Path, local: Backend) -> None:
    [finding] = validate(tiny(tmp_path, fail_to_pass=SUMS[:1]), backend=local, repeats=1).reasons
    assert finding.code == "unlisted_test"
    assert SUMS[1] in finding.message


def test_a_timeout_of_the_solution_is_a_finding(tmp_path: Path, local: Backend) -> None:
    task = tiny(
        tmp_path,
        hidden={"test_add.py": "import time\n\ndef test_slow():\n    time.sleep(30)\n"},
        fail_to_pass=["test_add.py::test_slow"],
        pass_to_pass=[],
        limits=Limits(test_seconds=1.5),
    )
    [finding] = validate(task, backend=local, repeats=1).reasons
    assert finding.code == "gold_fails"
    assert "timeout" in finding.message


@pytest.mark.parametrize(
    ("seconds", "warned"), [(1.0, set()), (4.9, {"little_time"}), (5.1, {"little_time", "slow"})]
)
def test_slow_tests_are_a_warning_where_a_task_is_not_bundled(
    tmp_path: Path, seconds: float, warned: set[str]
) -> None:
    task = tiny(tmp_path, limits=Limits(test_seconds=20))
    found = validate(task, backend=FakeBackend(Scripted(as_it_should, seconds=seconds)))
    assert found.clean
    assert {finding.code for finding in found.warnings} - {"few_tests", "forgeable"} == warned
    assert found.figures["median_seconds"] == found.figures["worst_seconds"] == seconds


def test_visible_tests_that_the_solution_breaks_are_a_warning(tmp_path: Path, local: Backend) -> None:
    test = "from tiny import add\n\n\ndef test_wrong():\n    assert add(2, 1) == 1\n"
    found = validate(
        tiny(tmp_path, source={"tiny/__init__.py": BROKEN, "tests/test_tiny.py": test}),
        backend=local,
        repeats=1,
    )
    assert found.clean
    [warning] = [finding for finding in found.warnings if finding.code == "visible_fails"]
    assert "tests/test_tiny.py::test_wrong" in warning.message


@pytest.mark.parametrize(
    ("changed", "code", "words"),
    [
        ({"fail_to_pass": ["test_add.py::test_sun[1]"]}, "no_such_test", "test_sun"),
        ({"editable": ["other/**"]}, "not_editable", "tiny/__init__.py"),
        ({"instruction": "Make `test_sum` pass."}, "leaks_tests", "test_sum"),
        ({"instruction": "See test_add.py."}, "leaks_tests", "test_add.py"),
        (
            {
                "gold": {"tiny/__init__.py": "def add(a, b):\n    return sum((a, b)) + len([a, b]) - 2\n"},
                "instruction": "Write `return  sum((a, b)) + len([a, b]) - 2`.",
            },
            "leaks_solution",
            "sum((a, b))",
        ),
        (
            {"source": {"tiny/__init__.py": BROKEN, "tests/test_old.py": HIDDEN}},
            "test_in_base",
            "test_sum",
        ),
    ],
)
def test_what_the_files_show_is_found_without_running(
    tmp_path: Path, changed: dict[str, Any], code: str, words: str
) -> None:
    task = tiny(tmp_path, **changed)
    found = list(static_findings(task))
    assert code in codes(found), found
    assert all(words in finding.message for finding in found if finding.code == code and not finding.warning)


def test_patches_that_do_not_apply_are_found(tmp_path: Path) -> None:
    good = tiny(tmp_path)
    patch = good.files.solution_patch.replace(b"a - b", b"a * b")
    assert codes(list(static_findings(replace(good, content=replace(good.files, solution_patch=patch))))) == {
        "no_solution"
    }
    assert codes(list(static_findings(replace(good, content=replace(good.files, solution_patch=b""))))) == {
        "no_solution"
    }
    found = validate(
        replace(good, content=replace(good.files, base_patch=patch)), backend=FakeBackend(), repeats=1
    )
    assert codes(found) == {"no_base"}
    assert "base.patch" in found.reasons[0].message
    assert "\n" not in found.reasons[0].message


def test_a_signature_in_the_instruction_is_no_leak(tmp_path: Path) -> None:
    signature = "def subtract_one_from_the_other(a, b):"
    task = tiny(
        tmp_path,
        gold={"tiny/__init__.py": SOLVED + f"\n\n{signature}\n    return a - b\n"},
        instruction=f"Please add `{signature}`.",
    )
    assert codes(list(static_findings(task))) == set()


def test_a_file_that_the_instruction_names_is_a_warning(tmp_path: Path) -> None:
    task = tiny(tmp_path, instruction="Look into tiny/__init__.py.")
    assert {f.code for f in static_findings(task) if f.warning} == {"names_changed_file", "few_tests"}


def test_bundled_tasks_must_have_enough_tests(tmp_path: Path) -> None:
    task = tiny(tmp_path, suite="starter")
    assert codes(list(static_findings(task))) == {"few_tests", "no_script"}


def test_blank_lines_of_a_script_are_no_calls(tmp_path: Path) -> None:
    scripts = {"direct": '{"tool": "submit"}\n\n' * 5, "wander": '\n{"tool": "submit"}\n' * 8}
    task = tiny(tmp_path, suite="starter", scripts=scripts)
    said = [finding.message for finding in static_findings(task) if finding.code == "no_script"]
    assert said == ["scripts/direct.jsonl: holds 5 tool calls; write 6 to 15, one a line"]


class Failing(FakeBackend):
    """A backend that cannot open a box."""

    def open(self, task: Task) -> Sandbox:
        raise SandboxError(f"no disk for {task.id}")


def lost(*, after_agent_code: bool) -> FakeBackend:
    def answer(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        raise BoxLost("gone", after_agent_code=after_agent_code)

    return FakeBackend(answer)


@pytest.mark.parametrize("backend", [Failing(), lost(after_agent_code=False)])
def test_what_the_infrastructure_failed_at_rejects_nobody(tmp_path: Path, backend: FakeBackend) -> None:
    found = validate(tiny(tmp_path), backend=backend)
    assert found.reasons == ()
    assert found.not_judged
    assert not found.clean


def test_code_that_kills_its_box_is_the_tasks_fault(tmp_path: Path) -> None:
    found = validate(tiny(tmp_path), backend=lost(after_agent_code=True))
    assert codes(found) == {"gold_fails"}
    assert re.search("box lost", found.reasons[0].message)


def test_no_repeats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        validate(tiny(tmp_path), backend=FakeBackend(), repeats=0)


@pytest.mark.docker
@pytest.mark.slow
def test_a_good_task_is_clean_in_containers(tmp_path: Path, docker_backend: Backend) -> None:
    assert validate(tiny(tmp_path), backend=docker_backend, repeats=2).clean
