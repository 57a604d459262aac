"""What became of candidates, in numbers."""

from __future__ import annotations

import json

from deepgym_envs.generate import Funnel, Rejected


def test_every_candidate_is_counted_once_with_its_reason() -> None:
    funnel = Funnel()
    funnel.accept("pypi/shop-1")
    for number in range(3):
        funnel.reject(f"shop-a{number}", Rejected("flaky", "test_a: passes at times"))
    funnel.reject("shop-b", Rejected("leak", "told"))
    plain = json.loads(json.dumps(funnel.plain()))
    assert (plain["candidates"], plain["accepted"], plain["tasks"]) == (5, 1, ["pypi/shop-1"])
    assert list(plain["rejected"].items()) == [("flaky", 3), ("leak", 1)]
    assert plain["reasons"]["shop-b"] == {"code": "leak", "message": "told"}
    assert plain["accepted"] + sum(plain["rejected"].values()) == plain["candidates"]


def test_a_candidate_that_is_tried_again_is_not_counted_again() -> None:
    funnel = Funnel()
    funnel.reject("shop", Rejected("not_judged", "no box"))
    funnel.reject("shop", Rejected("flaky", "x"))
    assert funnel.rejected == {"flaky": 1}


def test_nothing_at_all_is_counted_as_nothing() -> None:
    assert Funnel().plain() == {"candidates": 0, "accepted": 0, "rejected": {}, "tasks": [], "reasons": {}}
