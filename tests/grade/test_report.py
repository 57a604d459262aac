"""Untrusted bytes of a report are parsed without error, and pass for nothing that they are not."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.grade import Outcome, TestReport, judge, parse_report
from deepgym_envs.testing import completed

NODES = ["t.py::a", "t.py::b"]
PHASES = ("setup", "call", "teardown")
END = {"exit": 0, "collected": 2}


def lines(*rows: Any) -> bytes:
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def phases(node: str, **outcomes: str) -> list[dict[str, str]]:
    return [
        {"test": node, "when": when, "outcome": outcomes.get(when, "passed"), "detail": ""} for when in PHASES
    ]


GOOD = [*phases(NODES[0]), *phases(NODES[1]), END]


def verdict(data: bytes, exit_code: int | None = 0, *, overflow: bool = False) -> str:
    return judge(dict.fromkeys(NODES, "passed"), parse_report(data, overflow=overflow), completed(exit_code))


def test_an_exact_full_pass_passes() -> None:
    assert verdict(lines(*GOOD)) == "passed"
    assert verdict(lines(*GOOD[3:6], *GOOD[:3], END)) == "passed"


ROWS = st.one_of(
    st.sampled_from(
        [*GOOD, *phases("t.py::c"), *phases(NODES[0], call="failed"), *phases(NODES[1], call="skipped")]
    ),
    st.sampled_from(
        [{"broken": "t.py", "detail": ""}, {"exit": True, "collected": 0}, {"test": 3}, [], None, 1, "x"]
    ),
    st.builds(
        lambda node, when, outcome: {"test": node, "when": when, "outcome": outcome, "detail": "x"},
        st.sampled_from([*NODES, "", "\ud800"]),
        st.sampled_from([*PHASES, "never"]),
        st.sampled_from(["passed", "failed", "skipped", "xfailed", "rerun", ""]),
    ),
)


def _is_full_pass(rows: list[Any]) -> bool:
    tests = rows[:-1]
    said = sorted(str((row.get("test"), row.get("when"))) for row in tests if isinstance(row, dict))
    wanted = sorted(str((node, when)) for node in NODES for when in PHASES)
    good = all(isinstance(row, dict) and row.get("outcome") == "passed" for row in tests)
    return good and said == wanted and isinstance(rows[-1], dict) and "exit" in rows[-1]


@given(
    st.permutations(GOOD[:6]), st.lists(ROWS, max_size=2), st.integers(0, 6), st.integers(0, 6), st.booleans()
)
def test_only_an_exact_full_pass_passes(
    rows: list[Any], more: list[Any], at: int, drop: int, end: bool
) -> None:
    rows = [row for number, row in enumerate(rows) if number != drop]
    rows[at:at] = more
    rows += [END] if end else []
    if rows:
        assert (verdict(lines(*rows)) == "passed") == _is_full_pass(rows)


@given(st.lists(ROWS, max_size=12))
def test_rows_of_every_kind_make_a_report(rows: list[Any]) -> None:
    report = parse_report(lines(*rows))
    assert set(report.passed) <= set(report.outcomes)
    assert not set(report.passed) & set(report.failed)
    assert (verdict(lines(*rows)) == "passed") == (bool(rows) and _is_full_pass(rows))


@given(st.binary(), st.integers(0, 700), st.integers(0, 700))
def test_no_bytes_raise_and_damage_does_not_pass(noise: bytes, start: int, end: int) -> None:
    parse_report(noise)
    whole = lines(*GOOD)
    data = whole[:start] + noise + whole[end:]
    if b"".join(data.split()) != b"".join(whole.split()) and verdict(data) == "passed":
        rows = [json.loads(line) for line in data.split(b"\n") if line]
        assert _is_full_pass(rows)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "crashed"),
        (lines(*GOOD[:-1]), "crashed"),
        (lines(*GOOD)[:-3], "malformed_report"),
        (lines(*GOOD[:3], END), "tests_missing"),
        (lines(*GOOD, *phases("t.py::c")), "malformed_report"),
        (lines(*GOOD, END), "malformed_report"),
        (lines(*GOOD[:6], *phases("t.py::c"), END), "unexpected_tests"),
        (lines(*GOOD[:6], *phases(NODES[0]), END), "tests_failed"),
        (lines(*GOOD[:6], {"broken": "t.py", "detail": ""}, END), "tests_failed"),
        (lines(*GOOD[:3], *phases(NODES[1], call="skipped"), END), "tests_failed"),
        (lines(*GOOD[:3], *phases(NODES[1], call="xfailed"), END), "tests_failed"),
        (lines(*GOOD[:3], *phases(NODES[1], teardown="failed"), END), "tests_failed"),
        (lines(*GOOD[:3], *GOOD[3:5], END), "tests_failed"),
        (b"[" * 100_000 + b"\n" + lines(*GOOD), "malformed_report"),
        (b"1" * 10_000 + b"\n" + lines(*GOOD), "malformed_report"),
        (b"NaN\n" + lines(*GOOD), "malformed_report"),
        (b'{"exit": NaN, "collected": 2}\n', "malformed_report"),
        (b"\xff\xfe\n" + lines(*GOOD), "malformed_report"),
        (b"x" * 300_000 + b"\n" + lines(*GOOD), "malformed_report"),
    ],
)
def test_what_is_wrong_with_a_report_is_named(data: bytes, reason: str) -> None:
    assert verdict(data) == reason


def test_the_end_of_the_run_counts_too() -> None:
    data = lines(*GOOD)
    assert verdict(data, 1) == "crashed"
    assert verdict(data, -9) == "crashed"
    assert verdict(data, None) == "timeout"
    assert verdict(data, overflow=True) == "malformed_report"
    assert judge({}, parse_report(lines(END)), completed(0)) == "tests_missing"


@pytest.mark.parametrize("row", [b"\n", b"0\n", b"{}\n", b'{"test": "a"}\n', lines(GOOD[0])])
def test_ten_megabytes_do_not_pass(row: bytes) -> None:
    assert verdict(row * (10_000_000 // len(row))) != "passed"
    assert verdict(lines(*GOOD) + row * (10_000_000 // len(row))) == "malformed_report"


def test_failures_are_told_with_their_details() -> None:
    row = {"test": NODES[1], "when": "call", "outcome": "failed", "detail": "why"}
    report = parse_report(lines({"broken": "u.py", "detail": "how"}, *GOOD[:3], GOOD[3], row, GOOD[5], END))
    assert report == TestReport(
        {NODES[0]: "passed", NODES[1]: "failed"}, ("u.py",), {"u.py": "how", NODES[1]: "why"}, True, False
    )
    assert report.failed == ("u.py", NODES[1])


texts = st.text(st.characters(), max_size=12)
reports = st.builds(
    TestReport,
    st.dictionaries(texts, st.sampled_from(get_args(Outcome)), max_size=6),
    st.lists(texts, max_size=3).map(tuple),
    st.dictionaries(texts, texts, max_size=3),
    st.booleans(),
    st.booleans(),
)


@given(reports)
def test_a_report_is_read_back_as_it_was(report: TestReport) -> None:
    text = report.to_json()
    assert text.isascii()
    back = TestReport.from_json(text)
    assert back == report
    assert list(back.outcomes) == list(report.outcomes)


@given(st.binary(max_size=200))
def test_whatever_came_out_of_a_box_can_be_written_down(data: bytes) -> None:
    report = parse_report(data)
    assert TestReport.from_json(report.to_json()) == report


@pytest.mark.parametrize(
    "change",
    [
        {"outcomes": {"a": "perhaps"}},
        {"outcomes": {"a": ["passed"]}},
        {"outcomes": []},
        {"broken": [None]},
        {"broken": "x"},
        {"details": {"a": 1}},
        {"complete": 1},
        {"malformed": None},
        {"more": 1},
        {"kind": "verdict"},
        {"format": 0},
    ],
    ids=str,
)
def test_what_is_no_report_is_refused(change: dict[str, object]) -> None:
    good = json.loads(parse_report(b"").to_json())
    with pytest.raises(ValueError, match="this"):
        TestReport.from_json(json.dumps({**good, **change}))
    for key in good:
        with pytest.raises(ValueError, match="this"):
            TestReport.from_json(json.dumps({name: good[name] for name in good if name != key}))
