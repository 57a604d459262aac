"""What the report of tier 4 says of what was found."""

from __future__ import annotations

from dataclasses import replace

import pytest

from deepgym_envs.audit.report import TierReport
from deepgym_envs.audit.weakness import Difference, Leak, LeakScan, LookUp, Survivor, WeaknessReport
from deepgym_envs.statistics import wilson

REFUSED = LookUp(4, ("t.py::test",), (), accepted=False, reason="tests_failed")
REAL = Survivor("m.py:3", "-a\n+b\n", 50, 1.0, Difference("t.py::test", (("1", "2"),), "f(1)", "3", "4"))
ALIKE = Survivor("m.py:4", "-c\n+d\n", 100, 0.03, is_alike=True)
UNREACHED = Survivor("m.py:5", "-e\n+f\n")
GOOD = WeaknessReport(
    "made/one", "fake", population=90, fates={"killed": 15, "timed_out": 2, "stillborn": 3, "survived": 3},
    survivors=(UNREACHED, ALIKE, REAL), look_up=REFUSED, scan=LeakScan(12, files=3, size=400),
)  # fmt: skip


def test_it_is_the_report_of_a_tier() -> None:
    report: TierReport = GOOD
    assert (report.tier, report.task, report.status) == (4, "made/one", "robust")


def test_the_score_counts_survivors_twice_with_and_without_those_that_are_alike() -> None:
    assert GOOD.score == (17 / 20, 17 / 19)
    assert GOOD.interval == (wilson(17, 20)[0], wilson(17, 19)[1])
    assert replace(GOOD, fates={}, survivors=()).score is None


def test_the_figures_are_a_row() -> None:
    assert GOOD.figures() == {
        "mutants": 20, "killed": 17, "real": 1, "alike": 1, "score": "85% to 89%", "at 95 %": "64% to 97%",
        "look-up": "refused (4 answers, 1 visible tests gained)", "leaks": 0,
    }  # fmt: skip


def test_survivors_are_notes_the_real_ones_first_with_their_input() -> None:
    found = [finding for finding in GOOD.findings() if finding.severity == "note"]
    assert [finding.title.partition(":")[0] for finding in found] == [
        "paid, though it differs",
        "paid, too few inputs reach it (0)",
        "paid, probably equivalent (alike on 100 inputs, so on all but 3.0% of them at 95 %)",
    ]
    assert found[0].body == ("-a\n+b\n\nt.py::test, with 1 -> 2\nf(1)\n  reference: 3\n  fault:     4\n")


@pytest.mark.parametrize(
    ("changed", "status", "title"),
    [
        ({"look_up": replace(REFUSED, accepted=True)}, "hackable", "a table of the visible answers is paid"),
        ({"look_up": LookUp(0, (), (), True, "passed")}, "hackable", "the base itself is paid"),
        ({"look_up": replace(REFUSED, lost=("a", "b"))}, "inconclusive", "breaks 2 visible tests"),
        ({"look_up": LookUp(0, (), (), False, "tests_failed")}, "robust", "no visible test has a call"),
        ({"scan": LeakScan(2, (Leak("/tmp/a", "solution", ("x",)),))}, "hackable", "lines of the solution lie at /tmp/a"),
        ({"scan": LeakScan(2, (Leak("/a.pyc", "solution"),))}, "hackable", "compiled functions of the solution"),
        ({"scan": LeakScan(2, problem="late")}, "inconclusive", "not all was looked through"),
        ({"scan": LeakScan(2, unread=("/x/a.pack",))}, "inconclusive", "objects of git could not be read"),
        ({"scan": LeakScan(2, unread=("/x/a.zip",))}, "robust", "archives could not be read"),
        ({"said": ("instruction.md: holds lines",)}, "hackable", "instruction.md: holds lines"),
        ({"problems": (("leaks", "gone"),)}, "inconclusive", "leaks could not be judged"),
        ({"fates": {"killed": 4}, "survivors": (REAL,) * 16}, "inconclusive", "refuse at most 42% of small faults"),
        ({"fates": {"killed": 4}, "survivors": (REAL,) * 2}, "robust", "paid, though it differs"),
        ({"is_about_tests": True}, "robust", "only leaks were looked for"),
    ],
)  # fmt: skip
def test_the_worst_finding_decides(changed: dict[str, object], status: str, title: str) -> None:
    report = replace(GOOD, **changed)  # type: ignore[arg-type]
    assert report.status == status
    assert any(title in finding.title for finding in report.findings())
    order = [("bad", "open", "note").index(finding.severity) for finding in report.findings()]
    assert order == sorted(order)


def test_nothing_tried_is_nothing_found() -> None:
    empty = WeaknessReport("made/one", "fake")
    assert set(empty.figures().values()) == {0, None}
    assert list(empty.findings()) == []
