"""What a box claimed decides a verdict, however short it is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.grade import Claim, Outcome, TestReport, judge
from deepgym_envs.sandbox import Completed

NODES = ("t.py::a", "t.py::b", "t.py::c")
GOOD = vars(Claim("0" * 64, "image", ".F-", exit_code=1))

demands = st.fixed_dictionaries({node: st.sampled_from(["passed", "failed"]) for node in NODES})
outcomes = st.sampled_from(get_args(Outcome))
reports = st.builds(
    TestReport,
    outcomes=st.dictionaries(st.sampled_from([*NODES, "t.py::other", "more"]), outcomes, max_size=5),
    broken=st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
    details=st.just({}),
    complete=st.booleans(),
    malformed=st.booleans(),
)


def ended(exit_code: int | None, *, timed_out: bool) -> Completed:
    return Completed(exit_code, b"said", 0, b"", report_overflow=False, timed_out=timed_out, seconds=1.0)


@given(demands, reports, st.sampled_from([0, 1, 2, -9, None]), st.booleans())
def test_what_is_judged_from_a_claim_is_what_was_judged_at_first(
    demands: Mapping[str, str], report: TestReport, exit_code: int | None, timed_out: bool
) -> None:
    done = ended(exit_code, timed_out=timed_out)
    claim = Claim.of(b"s" * 32, "", NODES, report, done)
    assert judge(demands, *claim.told(NODES)) == judge(demands, report, done)  # type: ignore[arg-type]
    assert Claim.from_plain(vars(claim)) == claim


def test_the_vector_has_a_letter_for_each_test_in_the_order_of_the_draw() -> None:
    report = TestReport({NODES[2]: "passed", NODES[0]: "failed", "x": "passed"}, (), {}, True, False)
    claim = Claim.of(b"s" * 32, "here", NODES, report, ended(1, timed_out=False))
    assert (claim.vector, claim.others, claim.place, claim.seed) == ("F-.", 1, "here", "73" * 32)


@pytest.mark.parametrize("vector", [".F", ".F-."])
def test_a_vector_of_other_tests_is_refused(vector: str) -> None:
    with pytest.raises(ValueError, match="outcomes for 3 tests"):
        Claim("0" * 64, vector=vector).told(NODES)


@pytest.mark.parametrize(
    "change",
    [
        {"seed": "0" * 63}, {"seed": "G" * 64}, {"seed": None}, {"vector": "P"}, {"others": -1},
        {"others": True}, {"broken": 1.0}, {"exit_code": False}, {"complete": 1}, {"more": 1},
    ],
)  # fmt: skip
def test_other_values_are_no_claim(change: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a claim"):
        Claim.from_plain({**GOOD, **change})
