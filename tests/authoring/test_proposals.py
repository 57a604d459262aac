"""Of what may stand wrongly at a place, that comes first which nothing tells, and of that what mutants gave."""

from __future__ import annotations

from random import Random

import pytest

from deepgym_envs.authoring.mutant_values import Observed
from deepgym_envs.authoring.proposals import Proposal, Proposals
from deepgym_envs.authoring.sites import sites
from deepgym_envs.grade.test_file import TestFile
from deepgym_envs.rewriting import likeness


def proposals(expected: str, wrong: dict[str, int], base: str | None = None) -> list[Proposal]:
    file = TestFile(f"def test_it():\n    assert f() == {expected}\n".encode())
    found = {"t.py::test_it": sites(file, "test_it")}
    site = found["t.py::test_it"][0]
    spot = "t.py::test_it", site.at
    observed = Observed({spot: base} if base else {}, {spot: wrong})
    return list(Proposals(found, observed, Random(1)).at("t.py::test_it", file.tests["test_it"], site))


def test_what_most_mutants_gave_comes_first_and_then_what_is_invented() -> None:
    found = proposals("31", {"17": 2, "23": 5, "'31'": 9, "31": 9, "None": 9})
    assert [(each.wrong, each.mutants) for each in found[:2]] == [("23", 5), ("17", 2)]
    assert {each.mutants for each in found[2:]} == {0}
    assert len(found) > 10


@pytest.mark.parametrize("wrong", ["[]", "[1, 5]", "[1, 3, 5, 7]", "[1, 1, 5]"])
def test_a_value_of_a_mutant_that_catches_the_eye_comes_after_what_is_invented(wrong: str) -> None:
    found = proposals("[1, 3, 5]", {wrong: 9, "[2, 3, 5]": 1})
    assert found[0] == Proposal("[2, 3, 5]", 1)
    at = [each.wrong for each in found].index(wrong)
    assert all(likeness(each.wrong, "[1, 3, 5]") == 1.0 for each in found[:at] if not each.mutants)
    assert at > 3


def test_what_the_base_tells_comes_last_whoever_gave_it() -> None:
    found = proposals("[11, 22, 33]", {"[11, 24, 33]": 7, "[11, 22, 35]": 1}, base="[11, 22, 39]")
    assert found[0] == Proposal("[11, 22, 35]", 1)
    assert [each.told for each in found] == sorted(each.told for each in found)
    untold = [each.wrong for each in found if not each.told]
    assert len(untold) >= 4
    assert all(wrong.startswith("[11, 22, ") for wrong in untold)
    assert Proposal("[11, 24, 33]", 7, told=True) in found


@pytest.mark.parametrize(
    ("right", "base"),
    [
        ("(5, [])", "(5, ['boats', 'trips'])"),
        ("[7, 4, 1, 3, 5, 8, 2, 6]", "[7, 4, 8, 5, 3, 1, 6, 2]"),
        ("['2025-02-11', '2025-02-18', '2025-02-24']", "['2025-02-12', '2025-02-18', '2025-02-25']"),
        ("{'a': 3, 'b': 40, 'c': 6}", "{'a': 3, 'b': 20, 'c': 6}"),
        ("(0, '')", "(2, 'no such file\\n')"),
    ],
)
def test_there_is_something_wrong_just_where_the_base_is(right: str, base: str) -> None:
    untold = [each.wrong for each in proposals(right, {}, base) if not each.told]
    assert untold
    assert not {right, base} & set(untold)


def test_nothing_is_told_where_it_is_not_known_what_the_base_does() -> None:
    assert not any(each.told for each in proposals("[11, 22, 33]", {"[11, 24, 33]": 7}))


def test_an_exception_of_the_repositorys_own_is_never_put_beside_one_that_everybody_knows() -> None:
    file = TestFile(
        b"def test_it():\n    with raises(Mine):\n        f()\n    with raises(Other):\n        f()\n"
        b"    with raises(KeyError):\n        f()\n"
    )
    found = {"t.py::test_it": sites(file, "test_it")}
    made = Proposals(found, Observed({}, {}), Random(1))
    own, _, known = (
        [each.wrong for each in made.at("t.py::test_it", file.tests["test_it"], site)]
        for site in found["t.py::test_it"]
    )
    assert own == ["Other"]
    assert len(known) > 5
    assert not {"Mine", "Other", "KeyError"} & set(known)
