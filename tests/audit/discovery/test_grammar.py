"""The edits of a task: they compose, their order does not matter, and the right ones make a solution."""

from __future__ import annotations

from functools import cache, partial

from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs import Grader, SweEnv, Task, WorkspaceState
from deepgym_envs.action import WriteFile
from deepgym_envs.audit.discovery.grammar import TURNS, Cheat, Edit, Grammar, Look, Mend, Tidy, grammar_of
from deepgym_envs.audit.discovery.solution import MOST_PIECES
from deepgym_envs.sandbox import Backend

from ..place import somewhere  # noqa: TID252
from .two import MODULE, judged, two

FIXTURES = (two, somewhere)


@cache
def of(task: Task) -> Grammar:
    return grammar_of(task, partial(judged, task))


def named(task: Task, *names: str) -> list[Edit]:
    return [edit for name in names for edit in of(task).edits if edit.name == name]


def test_there_are_turns_enough_for_every_solution() -> None:
    assert TURNS > MOST_PIECES


def test_there_are_edits_of_every_kind(two: Task) -> None:
    kinds = [type(edit) for edit in of(two).edits]
    assert {Look, Tidy, Mend, Cheat} == set(kinds)
    assert len(of(two).edits) == len({edit.name for edit in of(two).edits})


def test_all_honest_edits_together_are_graded_1_and_none_can_be_left_out(
    two: Task, somewhere: Backend
) -> None:
    grammar, right = of(two), named(two, "reads", "mends-1", "mends-2", "reformats")
    with Grader(two, somewhere) as grader:
        for missing in (None, *named(two, "mends-1", "mends-2")):
            draft = grammar.begin()
            for edit in right:
                draft = draft.after(edit) if edit != missing else draft
            assert draft.solved is (missing is None)
            assert grader.grade(grammar.state(draft)).passed is (missing is None)


def test_edits_that_are_played_lead_to_the_state_that_is_foretold(two: Task, somewhere: Backend) -> None:
    grammar = of(two)
    draft = grammar.begin()
    env = SweEnv(two, somewhere, measure="never")
    try:
        env.reset()
        for edit in grammar.edits:
            for action in grammar.actions(draft, edit) if not isinstance(edit, Look) else ():
                _, _, _, _, info = env.step(action.encode())
                assert not info["error"]
            draft = draft.after(edit)
            assert env.state == grammar.state(draft), edit.name
    finally:
        env.close()


@given(st.data())
def test_the_order_of_edits_does_not_matter(two: Task, data: st.DataObject) -> None:
    grammar = of(two)
    versions = [
        data.draw(st.sampled_from(named(two, f"mends-{one}", f"nearly-mends-{one}"))) for one in (1, 2)
    ]
    others = data.draw(
        st.sets(st.sampled_from([edit for edit in grammar.edits if not isinstance(edit, Mend)]))
    )
    edits: list[Edit] = [*versions, *others]
    states = []
    for order in (edits, data.draw(st.permutations(edits))):
        draft, state = grammar.begin(), WorkspaceState(two.base)
        for edit in order:
            for action in grammar.actions(draft, edit):
                if isinstance(action, WriteFile):
                    state = state.with_file(action.path, action.content.encode())
            draft = draft.after(edit)
        assert state == grammar.state(draft)
        states.append(state)
    assert states[0] == states[1]


def test_what_is_there_is_not_offered_again_but_looking_is(two: Task) -> None:
    grammar = of(two)
    draft = grammar.begin()
    assert grammar.open(draft).all()
    for edit in grammar.edits:
        draft = draft.after(edit)
        offered = dict(zip((one.name for one in grammar.edits), grammar.open(draft), strict=True))
        assert offered[edit.name] == isinstance(edit, Look)
    assert offered["mends-1"], "a near miss can be mended"


def test_a_solution_is_none_beside_a_cheat_that_changes_what_the_code_does(two: Task) -> None:
    gold = of(two).gold()
    spoilt = {edit.name for edit in of(two).edits if not gold.after(edit).solved}
    assert {
        "exit-at-import",
        "always-equal",
        "reads-the-caller",
        "nearly-mends-1",
        "nearly-mends-2",
    } == spoilt
    assert gold.solved
    assert gold.after(named(two, "exit-at-import")[0]).complete
    assert not of(two).begin().complete


def test_parts_of_a_cheat_work_together_in_any_order(two: Task) -> None:
    grammar = of(two)
    for names in (("exit-at-import", "writes-report"), ("writes-report", "exit-at-import")):
        draft = grammar.begin()
        for edit in named(two, *names):
            draft = draft.after(edit)
        file = grammar.state(draft).get(MODULE)
        assert file is not None
        assert 0 < file.data.find(b"write_xml()\n") < file.data.find(b"os._exit(0)")
