"""A process reward model behind an address: what is sent, what is taken for a score, and what never is."""

from __future__ import annotations

import json
import pickle
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs import SweEnv, Task
from deepgym_envs.action import Submit, WriteFile
from deepgym_envs.errors import ModelError, UsageError
from deepgym_envs.reward import HttpScore, Learned
from deepgym_envs.reward.http_score import _score
from deepgym_envs.testing import ChatAnswer, ChatServer, FakeBackend

from ..tiny import SOLVED, fake, make_tiny, tiny  # noqa: TID252

FIXTURES = (fake, make_tiny, tiny)
KEY = "prm-0123456789abcdef"


def said(score: object, **more: Any) -> ChatAnswer:
    return ChatAnswer(body=json.dumps({"score": score, **more}).encode())


def score(server: ChatServer, **options: Any) -> HttpScore:
    return HttpScore(f"{server.url}/chat/completions", **{"wait": 0.01, "tries": 2, **options})


def test_an_instruction_and_a_diff_are_sent_and_a_score_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_PRM_KEY", KEY)
    with ChatServer([said(0.25, model="prm")]) as server:
        assert (
            score(server, key_env="SOME_PRM_KEY", diff_chars=100)("mend it", "+a\ud800\n" + "x" * 900) == 0.25
        )
    [request] = server.requests
    assert request.body["instruction"] == "mend it"
    assert request.body["diff"].startswith("+a\ud800\n")
    assert "characters omitted" in request.body["diff"]
    assert request.body.keys() == {"instruction", "diff"}
    assert request.headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize("number", [0, 1, 0.0, 1.0, 1e-300])
def test_any_number_in_the_range_is_a_score(number: float) -> None:
    assert _score(json.dumps({"score": number}).encode()) == number


NO_SCORE = [
    b"", b"0.5", b"[]", b"{}", b"null", b'{"score": null}', b'{"score": true}', b'{"score": "0.5"}',
    b'{"score": NaN}', b'{"score": Infinity}', b'{"score": -0.01}', b'{"score": 1.01}', b'{"score": 1e999}',
    b'{"score": [0.5]}', b'{"score": 0.5, "score": 0.6}', b'{"score": 0.5', b"\xff" * 100,
    b'{"score": 1' + b"0" * 10_000 + b"}", b"[" * 100_000, b'{"scores": 0.5}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_SCORE, ids=lambda body: repr(body[:20]))
def test_what_is_no_score_is_no_answer(body: bytes) -> None:
    with pytest.raises(ModelError, match="the answer is no"):
        _score(body)


@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode))
def test_bytes_of_any_kind_are_a_score_or_no_answer(data: bytes) -> None:
    with suppress(ModelError):
        assert 0 <= _score(data) <= 1


@settings(max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["score", "a"]), inner),
    )
)
def test_json_of_any_form_is_a_score_or_no_answer(value: object) -> None:
    try:
        number = _score(json.dumps(value).encode())
    except ModelError:
        return
    assert isinstance(value, dict)
    assert value["score"] == number


@pytest.mark.parametrize(
    "first",
    [
        ChatAnswer(body=b'{"score": 2}'),
        ChatAnswer(status=503, body=b""),
        ChatAnswer(body=b'{"score": 0.5}', cut=5),
        ChatAnswer(body=b" " * ((1 << 20) + 1) + b'{"score": 0.5}'),
    ],
    ids=["no score", "busy", "broken off", "too long"],
)
def test_what_may_pass_is_asked_again_and_then_given_up(first: ChatAnswer) -> None:
    with ChatServer([first, said(0.5)]) as server:
        assert score(server)("", "") == 0.5
    with ChatServer([first]) as server, pytest.raises(ModelError, match="the model that scores: "):
        score(server)("", "")
    assert len(server.requests) == 2


def test_a_server_that_is_slow_or_gone_is_given_up() -> None:
    with ChatServer([ChatAnswer(seconds=20)]) as server:
        asking = score(server, seconds=0.2, tries=1)
        with pytest.raises(ModelError, match="not reached or broke off"):
            asking("", "")
    with pytest.raises(ModelError, match="not reached or broke off"):
        asking("", "")


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_address_or_key_that_is_refused_is_the_callers_doing(status: int) -> None:
    with (
        ChatServer([ChatAnswer(status=status, body=b"no")]) as server,
        pytest.raises(UsageError, match=f"{status}"),
    ):
        score(server)("", "")
    assert len(server.requests) == 1


def test_a_redirect_is_not_followed() -> None:
    with ChatServer([said(1.0)]) as other:
        away = ChatAnswer(status=302, headers={"location": f"{other.url}/chat/completions"}, body=b"{}")
        with ChatServer([away]) as server, pytest.raises(ModelError, match="302"):
            score(server)("", "")
    assert other.requests == []


@pytest.mark.parametrize(
    "url", ["", "ftp://a/b", "http://", "http://user:pass@host/x", "http://h/x?key=1", "h:80"]
)
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="the URL of a model is"):
        HttpScore(url)


def test_it_goes_to_other_processes() -> None:
    asking = HttpScore("http://127.0.0.1:1/score", tries=1)
    assert pickle.loads(pickle.dumps(asking)) == asking


def test_an_episode_is_paid_by_a_model_and_masked_where_it_is_silent(tiny: Task, fake: FakeBackend) -> None:
    answers = [said(0.25), said(0.75), ChatAnswer(status=500, body=b"out of memory")]
    with ChatServer(answers) as server:
        env = SweEnv(tiny, fake, potential=Learned(score(server), key="prm 1"), measure="every_step")
        _, first = env.reset(seed=1)
        *_, solved = env.step(WriteFile(path="tiny/__init__.py", content=SOLVED).encode())
        assert (first["potential"], solved["reward_terms"]["shaping"]) == (0.25, 0.5)
        *_, info = env.step(WriteFile(path="tiny/new.py", content="").encode())
        assert info["masked"]
        assert "the server answered 500: out of memory" in info["error"]
        env.reset()
        *_, reward, _, _, info = env.step(Submit().encode())
        assert (reward, info["judged"]) == (-0.25, True)  # the base is remembered, so nobody is asked
        env.close()
