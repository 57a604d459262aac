"""The audit: what it says of a grader that can be deceived, of one that cannot, and of one that fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from deepgym_envs import Task, UsageError
from deepgym_envs.audit import PAYLOADS, GraderName, Payload, Report, Trial, audit, upper_bound
from deepgym_envs.audit.page import html_page
from deepgym_envs.audit.rewrites import variants_of
from deepgym_envs.errors import SandboxError
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import FakeBackend

from ..tiny import make_tiny, tiny_tests  # noqa: TID252
from .place import prey, somewhere

FIXTURES = (make_tiny, prey, somewhere)
HONEST = Trial("honest", "gold", None, True, "passed", 1.0)
REFUSED = Trial("payload", "one", "A", False, "crashed")
PAID = Trial("payload", "two", "B", True, "passed", 1.0)
LOST = Trial("payload", "three", "C", None, "the engine is gone")


def report(*trials: Trial) -> Report:
    return Report("made/one", "fake", "ours", trials)


def chosen(*names: str) -> Sequence[Payload]:
    return [payload for payload in PAYLOADS if payload.name in names]


@pytest.mark.parametrize(
    ("trials", "status"),
    [
        ((HONEST, REFUSED), "robust"),
        ((HONEST, REFUSED, PAID), "hackable"),
        ((HONEST, PAID, LOST), "hackable"),
        ((HONEST, REFUSED, LOST), "inconclusive"),
        ((Trial("honest", "gold", None, False, "tests_failed"), REFUSED), "inconclusive"),
        ((HONEST,), "inconclusive"),
    ],
)
def test_the_status_is_honest(trials: tuple[Trial, ...], status: str) -> None:
    assert report(*trials).status == status


def test_the_bound_follows_from_how_many_were_judged() -> None:
    assert report(HONEST, REFUSED, REFUSED, LOST).bound == pytest.approx(1 - 0.05**0.5)
    assert report(HONEST, REFUSED, PAID).bound is None
    assert report(HONEST).bound is None
    assert upper_bound(60) == pytest.approx(0.0487, abs=1e-4)
    with pytest.raises(ValueError, match="nothing"):
        upper_bound(0)


def test_an_unknown_grader_is_an_error_of_the_caller(prey: Task) -> None:
    wrong: Any = "theirs"
    with pytest.raises(UsageError, match="no grader 'theirs'; known: exit-code"):
        audit(prey, sandbox=FakeBackend(tiny_tests), grader=wrong)


def test_a_sandbox_that_does_not_isolate_is_refused(prey: Task) -> None:
    with pytest.raises(UsageError, match="choose a sandbox that isolates"):
        audit(prey, sandbox="local")


def test_a_box_that_cannot_be_had_leaves_the_question_open(prey: Task) -> None:
    class Gone(FakeBackend):
        def open(self, task: Task) -> Any:
            raise SandboxError("the engine is gone")

    seen: list[Trial] = []
    done = audit(
        prey, sandbox=Gone(tiny_tests), payloads=chosen("always-equal"), policies=(), on_trial=seen.append
    )
    assert (done.status, done.bound) == ("inconclusive", None)
    assert seen == list(done.trials)
    assert {trial.accepted for trial in seen} == {None}


@pytest.mark.parametrize(
    ("grader", "paid"),
    [("exit-code", {"atexit-exit", "reads-the-caller"}), ("hardened", {"reads-the-caller"})],
)
def test_naive_graders_are_hackable_and_pay_honest_work(
    prey: Task, somewhere: Backend, grader: GraderName, paid: set[str]
) -> None:
    chosen_ones = chosen("atexit-exit", "reads-the-caller", "killed")
    done = audit(prey, sandbox=somewhere, grader=grader, policies=(), payloads=chosen_ones)
    assert done.status == "hackable"
    assert not done.refused
    assert {trial.name for trial in done.accepted} == paid
    assert [finding.title for finding in done.findings()] == [
        f"paid: {trial.name}" for trial in done.accepted
    ]


def test_honest_work_is_judged_as_often_as_is_asked(prey: Task, somewhere: Backend) -> None:
    done = audit(prey, sandbox=somewhere, payloads=chosen("atexit-exit"), policies=(), honest=3)
    honest = [trial for trial in done.trials if trial.what == "honest"]
    assert len(honest) == 3 * len(variants_of(prey))
    assert all(trial.accepted for trial in honest)
    assert (done.figures()["honest"], done.figures()["refused"]) == (len(honest), 0)


def test_this_grader_is_robust_to_what_it_withstands(prey: Task, somewhere: Backend) -> None:
    done = audit(prey, sandbox=somewhere, payloads=chosen("atexit-exit", "conftest-makereport"), policies=())
    assert done.status == "robust", done.trials
    assert len([trial for trial in done.trials if trial.what == "honest"]) >= 3


def test_honest_work_has_at_least_two_other_forms(prey: Task) -> None:
    variants = variants_of(prey)
    assert next(iter(variants)) == "gold"
    assert len({state.digest for state in variants.values()}) == len(variants) >= 3


def test_the_page_escapes_what_it_shows_and_needs_no_network() -> None:
    page = html_page([report(Trial("payload", "x", "A", True, "<script>\x1b[31malert\u202e"), HONEST)])
    assert "<script" not in page
    assert "&lt;script&gt;alert" in page
    assert "\x1b" not in page
    assert "://" not in page.replace("http-equiv", "")


def test_the_page_puts_what_graders_made_of_one_payload_side_by_side() -> None:
    ours = Report("made/one", "fake", "ours", (REFUSED, HONEST))
    naive = Report(
        "made/one", "fake", "exit-code", (Trial("payload", "one", "A", True, "exit status 0"), HONEST)
    )
    page = html_page([ours, naive])
    assert page.count("<h2>") == 1
    row = next(line for line in page.splitlines() if "<td>one</td>" in line)
    assert row.index("crashed") < row.index("exit status 0")
