"""A verdict can be written down and read back, and nothing else is taken for one."""

from __future__ import annotations

import json
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Verdict
from deepgym_envs.grade import Claim, Outcome, Reason

# Node ids come from the code under test: lone surrogates, NUL and all else may be in them.
texts = st.text(st.characters(), max_size=20)
seen = st.sampled_from([*get_args(Outcome), "missing"])
claims = st.builds(
    Claim,
    seed=st.binary(min_size=32, max_size=32).map(bytes.hex),
    place=texts,
    vector=st.text(".FEsx2-", max_size=9),
    others=st.integers(0, 9),
    broken=st.integers(0, 9),
    exit_code=st.none() | st.integers(),
)
verdicts = st.builds(
    lambda reason, **rest: Verdict(float(reason == "passed"), reason == "passed", reason, **rest),
    reason=st.sampled_from(get_args(Reason)),
    task=texts,
    state=texts,
    flags=st.lists(texts, max_size=3).map(tuple),
    tests=st.dictionaries(texts, seen, max_size=5),
    forge_probability=st.floats(0, 1),
    claim=st.none() | claims,
)
GOOD = json.loads(Verdict(1.0, True, "passed", "made/one", "s", tests={"t.py::a": "passed"}).to_json())


@given(verdicts)
def test_a_verdict_is_read_back_as_it_was(verdict: Verdict) -> None:
    text = verdict.to_json()
    assert text.isascii()
    assert "\n" not in text
    assert "\0" not in text
    back = Verdict.from_json(text)
    assert back == verdict
    assert back.claim == verdict.claim
    assert list(back.tests) == list(verdict.tests)


@pytest.mark.parametrize(
    "change",
    [
        {"reward": 0.5},
        {"reward": 0.0},
        {"reward": 1},
        {"reward": True},
        {"passed": False},
        {"passed": 1},
        {"reason": "tests_failed"},
        {"reason": "because"},
        {"task": None},
        {"state": 3},
        {"flags": [1]},
        {"flags": "x"},
        {"tests": {"a": "perhaps"}},
        {"tests": {"a": []}},
        {"tests": []},
        {"forge_probability": 1.5},
        {"forge_probability": "1"},
        {"claim": {}},
        {"claim": "x"},
        {"more": 1},
        {"format": 2},
        {"format": True},
        {"kind": "report"},
    ],
    ids=str,
)
def test_what_no_grader_gives_is_refused(change: dict[str, object]) -> None:
    assert Verdict.from_json(json.dumps(GOOD)).passed
    with pytest.raises(ValueError, match="this"):
        Verdict.from_json(json.dumps({**GOOD, **change}))


@pytest.mark.parametrize("key", GOOD)
def test_nothing_may_be_left_out(key: str) -> None:
    with pytest.raises(ValueError, match="this"):
        Verdict.from_json(json.dumps({name: value for name, value in GOOD.items() if name != key}))
