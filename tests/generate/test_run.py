"""Many sources at once, and runs that go on where one stopped."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgym_envs.errors import SandboxUnavailable, TaskError, UsageError
from deepgym_envs.generate import Candidate, Refusal, Rejected
from deepgym_envs.generate.candidate import Code
from deepgym_envs.generate.run import JOURNAL, Mill, Source
from deepgym_envs.sandbox import Command, Completed
from deepgym_envs.state import WorkspaceState
from deepgym_envs.testing import FakeBackend

from .shop import candidate


def rejecting(name: str, *codes: Code, then: Exception | None = None) -> Source:
    """A source that gives nothing but reasons."""

    def candidates() -> Iterator[Candidate | Refusal]:
        for number, code in enumerate(codes):
            yield Refusal(f"{name}-{number}", Rejected(code, f"because of {code}"))
        if then is not None:
            raise then

    return Source(name, candidates)


def unused(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
    raise AssertionError(f"nothing is run here: {state} {command}")


def mill(out: Path) -> Mill:
    return Mill("made", FakeBackend(unused), out, tell=lambda _: None)


def test_reasons_are_counted_by_code(tmp_path: Path) -> None:
    funnel = mill(tmp_path).run([rejecting("a", "flaky", "flaky"), rejecting("b", "too_slow")], workers=2)
    assert funnel.rejected == {"flaky": 2, "too_slow": 1}
    assert funnel.plain()["candidates"] == 3
    assert funnel.plain()["reasons"]["b-0"] == {"code": "too_slow", "message": "because of too_slow"}


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Rejected("no_tests", "none"), "no_tests"),
        (TaskError("the release is unusable"), "unreadable"),
        (UsageError("no such package"), "unreadable"),
        (ValueError("a file of it is nonsense"), "unreadable"),
        (SandboxUnavailable("no engine"), "not_judged"),
    ],
)
def test_a_source_that_fails_stops_no_other(tmp_path: Path, error: Exception, code: str) -> None:
    funnel = mill(tmp_path).run([rejecting("bad", "flaky", then=error), rejecting("good", "twin")])
    assert funnel.rejected == {"flaky": 1, code: 1, "twin": 1}
    assert funnel.reasons["bad"][0] == code


def test_a_second_run_decides_nothing_again(tmp_path: Path) -> None:
    first = mill(tmp_path).run([rejecting("a", "flaky")]).plain()
    written = (tmp_path / JOURNAL).read_bytes()
    again = mill(tmp_path).run([rejecting("a", "too_slow")]).plain()
    assert again == first
    assert (tmp_path / JOURNAL).read_bytes() == written


def test_what_could_not_be_judged_is_tried_again(tmp_path: Path) -> None:
    assert mill(tmp_path).run([rejecting("a", "not_judged")]).rejected == {"not_judged": 1}
    assert mill(tmp_path).run([rejecting("a", "flaky")]).rejected == {"flaky": 1}


def test_a_task_that_is_there_was_accepted_even_if_a_kill_came_before_the_journal(
    tmp_path: Path,
) -> None:
    (tmp_path / "shop-1").mkdir()
    funnel = mill(tmp_path).run([Source("shop", lambda: iter([candidate()]))])
    assert (funnel.accepted, funnel.reasons) == (["made/shop-1"], {})


def test_a_line_that_a_kill_left_half_is_forgotten(tmp_path: Path) -> None:
    mill(tmp_path).run([rejecting("a", "flaky", "twin")])
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-7])
    assert mill(tmp_path).run([]).rejected == {"flaky": 1}
    assert mill(tmp_path).run([rejecting("a", "flaky", "twin")]).rejected == {"flaky": 1, "twin": 1}
    assert [json.loads(line)["code"] for line in journal.read_text().splitlines()] == ["flaky", "twin"]


@pytest.mark.parametrize("line", ["{}", "[]", "no", '{"name": "x"}', "[" * 100_000])
def test_a_file_that_is_no_journal_is_left_alone(tmp_path: Path, line: str) -> None:
    (tmp_path / JOURNAL).write_text(f"{line}\n")
    with pytest.raises(UsageError, match="line 1 is not of a journal; move the file away"):
        mill(tmp_path).run([rejecting("a", "flaky")])
    assert (tmp_path / JOURNAL).read_text() == f"{line}\n"
