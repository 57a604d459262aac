"""A verdict's evidence can be checked later, by who has the key and nobody else, and nothing of it changed."""

from __future__ import annotations

import pickle
from dataclasses import replace
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Grader, Memory, Task, WorkspaceState
from deepgym_envs.errors import BoxLost
from deepgym_envs.grade import Claim, Evidence, SecretRandom, agrees, check, evidence_of, regrade, sign
from deepgym_envs.grade.deck import deck_of
from deepgym_envs.sandbox import Backend, Command, Completed, Pool
from deepgym_envs.testing import FakeBackend

from ..tiny import (  # noqa: TID252
    BROKEN,
    SOLVED,
    TINY_TWINS,
    MakeTiny,
    TrustedLocalBackend,
    backend,
    make_tiny,
    tiny,
    tiny_tests,
)

FIXTURES = backend, make_tiny, tiny
KEY = b"k" * 32
MODULE = "tiny/__init__.py"
MADE = Evidence(
    "made/one", "1" * 64, "2" * 64, "fake", Claim("3" * 64, "an \ud800 image", "..F", exit_code=1), "passed",
    1.0, 0.25, "0.1.0+00", "4" * 64, "5" * 64,
)  # fmt: skip
LINE = sign(MADE, KEY)


@pytest.fixture(scope="module")
def twinned(make_tiny: MakeTiny) -> Task:
    plain = make_tiny("evidence")
    return replace(plain, content=replace(plain.files, twins=TINY_TWINS))


def solved(task: Task) -> WorkspaceState:
    return WorkspaceState(task.base).with_files({MODULE: SOLVED.encode(), "notes.txt": b"outside"})


def evidence_on(task: Task, state: WorkspaceState, backend: Backend) -> Evidence:
    with Grader(task, backend) as grader:
        return evidence_of(grader.grade(state), task, state, backend.name)


def test_a_signed_line_is_read_back_with_its_key_alone() -> None:
    assert LINE.isascii()
    assert "\n" not in LINE
    assert check(LINE, KEY) == MADE
    with pytest.raises(ValueError, match="the key is another"):
        check(LINE, b"K" * 32)


@given(st.integers(0, len(LINE) - 1), st.characters())
def test_every_changed_character_is_refused(place: int, other: str) -> None:
    if LINE[place] != other:
        with pytest.raises(ValueError, match="signature"):
            check(LINE[:place] + other + LINE[place + 1 :], KEY)


@given(st.integers(0, len(LINE)), st.integers(0, len(LINE)), st.text(max_size=3))
def test_what_is_cut_out_or_put_in_is_refused(first: int, last: int, new: str) -> None:
    text = LINE[: min(first, last)] + new + LINE[max(first, last) :]
    if text != LINE:
        with pytest.raises(ValueError, match="signature"):
            check(text, KEY)


@pytest.mark.parametrize("text", ["", " ", "é" * 80, "0" * 64, " " + "0" * 64])
def test_what_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="signature"):
        check(text, KEY)


def test_evidence_is_written_in_one_way_only() -> None:
    text = MADE.to_json()
    assert Evidence.from_json(text) == MADE
    for other in (text.replace(":", ": ", 1), text.replace('"reward":1.0', '"reward":0.0'), text + " "):
        with pytest.raises(ValueError, match="not the evidence"):
            Evidence.from_json(other)


@pytest.mark.parametrize("code", [SOLVED, BROKEN + "\n", "raise SystemExit\n", "def add(:\n"])
def test_what_a_real_box_reported_agrees_and_so_does_a_second_grading(twinned: Task, code: str) -> None:
    state, local = WorkspaceState(twinned.base).with_file(MODULE, code.encode()), TrustedLocalBackend()
    evidence = evidence_on(twinned, state, local)
    assert agrees(evidence, twinned)
    with Grader(twinned, local) as grader:
        again = regrade(evidence, state, grader)
    assert (again.reason, again.claim) == (evidence.reason, evidence.claim)
    assert (evidence.reason == "passed") == (code == SOLVED)
    assert len(evidence.claim.vector) == 6
    assert evidence.forge_probability == 0.25


def test_evidence_names_where_it_was_found(tiny: Task, backend: Backend) -> None:
    with Pool(backend) as pool:
        pooled = evidence_on(tiny, tiny.gold, pool)
    evidence = evidence_on(tiny, tiny.gold, backend)
    begin = {"docker": "deepgym-envs/", "bwrap": "environment ", "local": "environment "}[backend.name]
    assert evidence.claim.place.startswith(begin)
    assert ("sha256:" in evidence.claim.place) == (backend.name == "docker")
    assert pooled.claim.place == evidence.claim.place
    assert (evidence.task_digest, evidence.sandbox) == (tiny.digest, backend.name)


def test_only_the_judged_part_counts(tiny: Task) -> None:
    whole = evidence_on(tiny, solved(tiny), FakeBackend(tiny_tests))
    assert whole.state == tiny.gold.digest != solved(tiny).digest


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "tests_failed", "reward": 0.0},
        {"reason": "box_lost", "reward": 0.0},
        {"forge_probability": 0.5},
        {"claim": {"vector": "."}},
        {"claim": {"vector": "F....", "exit_code": 1}},
        {"claim": {"others": 1}},
        {"claim": {"malformed": True}},
        {"claim": {"exit_code": 0}},
    ],
)
def test_what_does_not_follow_does_not_agree(twinned: Task, change: dict[str, object]) -> None:
    evidence = evidence_on(twinned, solved(twinned), TrustedLocalBackend())
    claim = change.get("claim", {})
    assert isinstance(claim, dict)
    other = replace(evidence, **{**change, "claim": replace(evidence.claim, **claim)})  # type: ignore[arg-type]
    assert agrees(evidence, twinned)
    assert not agrees(other, twinned)


def test_the_seed_of_another_draw_does_not_agree(twinned: Task) -> None:
    evidence = evidence_on(twinned, solved(twinned), TrustedLocalBackend())
    other = next(
        seed for seed in map("{:064x}".format, count()) if vector(twinned, seed) != evidence.claim.vector
    )
    assert vector(twinned, evidence.claim.seed) == evidence.claim.vector
    assert not agrees(replace(evidence, claim=replace(evidence.claim, seed=other)), twinned)


def vector(task: Task, seed: str) -> str:
    """What a right solution comes to in the draw of ``seed``."""
    draw = deck_of(task).draw(SecretRandom(bytes.fromhex(seed)))
    return "".join("." if draw.demands[node] == "passed" else "F" for node in draw.nodes)


def test_where_nothing_was_run_to_its_end_there_is_evidence_without_a_vector(tiny: Task) -> None:
    def dies(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        raise BoxLost("gone", after_agent_code=True)

    evidence = evidence_on(tiny, tiny.gold, FakeBackend(dies))
    assert (evidence.reason, evidence.claim.vector) == ("box_lost", "")
    assert agrees(evidence, tiny)
    assert not agrees(replace(evidence, reason="passed", reward=1.0), tiny)


def test_only_the_state_that_was_judged_is_graded_again(tiny: Task) -> None:
    fake = FakeBackend(tiny_tests)
    evidence = evidence_on(tiny, tiny.gold, fake)
    with Grader(tiny, fake) as grader, pytest.raises(ValueError, match="not the state that was judged"):
        regrade(evidence, WorkspaceState(tiny.base), grader)


def test_a_second_grading_is_not_remembered_and_may_differ(tiny: Task) -> None:
    def breaks(state: WorkspaceState, command: Command) -> tuple[Completed, WorkspaceState]:
        return tiny_tests(WorkspaceState(state.base), command)

    memory = Memory()
    with Grader(tiny, FakeBackend(tiny_tests), memory) as grader:
        evidence = evidence_of(grader.grade(tiny.gold), tiny, tiny.gold, "fake")
    with Grader(tiny, FakeBackend(breaks), memory) as grader:
        assert regrade(evidence, tiny.gold, grader).reason == "tests_failed"
        assert grader.grade(tiny.gold).passed
    assert not memory.flakes


def test_a_remembered_verdict_keeps_the_evidence_of_its_one_grading(tiny: Task, tmp_path: Path) -> None:
    claims = []
    for _ in range(2):
        with Memory(path=tmp_path) as memory, Grader(tiny, FakeBackend(tiny_tests), memory) as grader:
            claims += [grader.grade(tiny.gold).claim, grader.grade(solved(tiny)).claim]
    assert claims[0] is not None
    assert len(set(claims)) == 1


def test_each_grading_has_a_seed_of_its_own_which_no_text_shows(tiny: Task) -> None:
    verdicts = []
    for _ in range(2):
        with Grader(tiny, FakeBackend(tiny_tests)) as grader:
            verdicts.append(grader.grade(tiny.gold))
    one, other = verdicts
    assert one.claim is not None
    assert other.claim is not None
    assert one.claim.seed != other.claim.seed
    assert one == other
    assert one.claim.seed not in repr(one)
    assert pickle.loads(pickle.dumps(one)).claim == one.claim


def test_a_verdict_of_another_state_is_no_evidence(tiny: Task) -> None:
    with Grader(tiny, FakeBackend(tiny_tests)) as grader:
        verdict = grader.grade(tiny.gold)
    for wrong, state in ((verdict, WorkspaceState(tiny.base)), (replace(verdict, claim=None), tiny.gold)):
        with pytest.raises(ValueError, match="no grader's of this state"):
            evidence_of(wrong, tiny, state, "fake")
