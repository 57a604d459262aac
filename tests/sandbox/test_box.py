"""The client's side of a box: what it asks for, what it keeps to itself, and what it makes of answers."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepgym_envs.errors import ActionError, BoxLost
from deepgym_envs.sandbox.box import Box
from deepgym_envs.sandbox.channel import Channel
from deepgym_envs.sandbox.contract import Command, Query
from deepgym_envs.sandbox.pipes import ChildProgram
from deepgym_envs.sandbox.program import BOXD, BoxConfig, start_command
from deepgym_envs.state import File, Tree, WorkspaceState

BASE = Tree({"a.py": File(b"a = 1\n"), "d/run": File(b"#!/bin/sh\n", executable=True)})
CLEAN = WorkspaceState(BASE)
ENDED = {"exit_code": 0, "seconds": 0.1, "omitted": 0}

PUT_BACK = {"ok": True, "base": BASE.digest, "left": []}

Reply = tuple[object, list[bytes]]


class FakeStream:
    """A box in this process, whose every answer is what ``answer`` makes of the request."""

    def __init__(self, answer: Callable[[dict[str, Any]], Reply]) -> None:
        self.answer = answer
        self.asked: list[str] = []
        self.closed = 0
        self._in, self._out = b"", b""

    def send(self, data: bytes, deadline: float) -> None:
        self._in += data
        if len(self._in) < 8:
            return
        size, rest = int.from_bytes(self._in[:4], "big"), int.from_bytes(self._in[4:8], "big")
        if len(self._in) == 8 + size + rest:
            request = json.loads(self._in[8 : 8 + size])
            self.asked.append(request["op"])
            header, blobs = self.answer(request)
            if isinstance(header, dict) and "blobs" not in header:
                header = {**header, "blobs": [len(blob) for blob in blobs]}
            text, body = json.dumps(header).encode(), b"".join(blobs)
            self._in, self._out = (
                b"",
                len(text).to_bytes(4, "big") + len(body).to_bytes(4, "big") + text + body,
            )

    def receive(self, size: int, deadline: float) -> bytes:
        piece, self._out = self._out[:size], self._out[size:]
        return piece

    def last_words(self) -> str:
        return ""

    def hang_up(self) -> None:
        """Nobody waits here in another thread."""

    def close(self) -> None:
        self.closed += 1


def box_that_says(replies: dict[str, Reply]) -> tuple[Box, FakeStream, list[str]]:
    """A box that greets well and gives ``replies`` by operation; its stream; and what ``release`` was called with."""
    greeting: dict[str, Reply] = {
        "hello": ({"ok": True, "base": BASE.digest}, []),
        "apply": ({"ok": True}, []),
    }
    stream = FakeStream(lambda request: {**greeting, **replies}[request["op"]])
    released: list[str] = []
    return Box(BASE, Channel(stream), lambda: released.append("released")), stream, released


def test_a_box_with_another_base_is_refused_and_released() -> None:
    stream = FakeStream(lambda _: ({"ok": True, "base": "0" * 64}, []))
    released: list[str] = []
    with pytest.raises(BoxLost, match="another base than its task; rebuild"):
        Box(BASE, Channel(stream), lambda: released.append("released"))
    assert (released, stream.closed) == (["released"], 1)


def test_only_what_differs_is_sent() -> None:
    sent: list[object] = []
    box, stream, _ = box_that_says({})

    def answer(request: dict[str, Any]) -> Reply:
        sent.append(request["changes"])
        return {"ok": True}, []

    stream.answer = answer
    first = CLEAN.with_files({"new": b"1", "d/run": None})
    for state in (CLEAN, first, first, first.with_file("new", b"2"), CLEAN):
        box.restore(state)
    assert sent == [
        [["d/run", "0"], ["new", "-"]],
        [["new", "-"]],
        [["d/run", "x"], ["new", "0"]],
    ]


def test_a_known_state_is_captured_without_asking() -> None:
    box, stream, _ = box_that_says({})
    state = CLEAN.with_file("new", b"1")
    box.restore(state)
    assert box.capture().state == state
    assert stream.asked == ["hello", "apply"]


def test_after_a_command_everything_is_looked_at_again() -> None:
    captured = {"ok": True, "changes": [["new", "x"], ["a.py", "0"]], "dropped": [["l", "a link"]]}
    box, stream, _ = box_that_says(
        {
            "run": ({"ok": True, **ENDED}, [b"", b""]),
            "capture": (captured, [b"1"]),
            "restore": (PUT_BACK, []),
        }
    )
    box.run(Command(("true",), 1))
    found = box.capture()
    assert dict(found.state.changes) == {"a.py": None, "new": File(b"1", executable=True)}
    assert found.dropped == (("l", "a link"),)
    box.run(Command(("true",), 1))
    box.restore(CLEAN)
    assert stream.asked == ["hello", "run", "capture", "run", "restore"]


def test_an_unfinished_restore_is_not_taken_for_a_state() -> None:
    box, stream, _ = box_that_says(
        {"apply": ({"ok": False, "errno": "ENOSPC"}, []), "restore": (PUT_BACK, [])}
    )
    with pytest.raises(ActionError, match="disk is full; delete something"):
        box.restore(CLEAN.with_file("new", b"1"))
    box.restore(CLEAN)
    assert stream.asked[-1] == "restore"


@pytest.mark.parametrize(
    ("code", "said"),
    [("ENOENT", "there is no such file"), ("ELOOP", "links are not followed"), ("EISDIR", "a folder")],
)
def test_refusals_say_what_the_agent_can_understand(code: str, said: str) -> None:
    box, _, _ = box_that_says({"read": ({"ok": False, "errno": code, "refused": "x"}, [])})
    with pytest.raises(ActionError, match=f"^a.py: .*{said}"):
        box.read("a.py", 10)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"base": "0" * 64}, "could not put its workspace back"),
        ({"base": "other folders than the base's"}, "could not put its workspace back"),
        ({"left": ["process 12"]}, "could not clear what a command left: \\['process 12'\\]"),
        ({"left": None}, "could not clear"),
        ({"base": None}, "could not put its workspace back"),
    ],
)
def test_a_box_that_cannot_say_that_it_is_clean_is_given_up(said: dict[str, object], complaint: str) -> None:
    box, _, released = box_that_says(
        {"run": ({"ok": True, **ENDED}, [b"", b""]), "restore": ({**PUT_BACK, **said}, [])}
    )
    box.run(Command(("true",), 1))
    with pytest.raises(BoxLost, match=complaint):
        box.restore(CLEAN)
    assert released == ["released"]


def test_what_a_command_says_of_a_warm_start_is_bounded() -> None:
    box, _, _ = box_that_says({"run": ({"ok": True, **ENDED, "warm": 1, "cold": "x" * 999}, [b"", b""])})
    done = box.run(Command(("true",), 1, warm=True))
    assert (done.warm, len(done.why_cold)) == (False, 200)


def calls(box: Box) -> dict[str, Callable[[], object]]:
    return {
        "read": lambda: box.read("a.py", 10),
        "find": lambda: box.find(Query()),
        "run": lambda: box.run(Command(("true",), 1)),
        "capture": box.capture,
        "restore": lambda: box.restore(CLEAN.with_file("new", b"1")),
    }


BAD: list[tuple[str, Reply]] = [
    ("read", ({"ok": True}, [b"x"])),
    ("read", ({"ok": True, "size": "1"}, [b"x"])),
    ("read", ({"ok": True, "size": 1}, [])),
    ("read", ({"ok": True, "size": 1}, [b"more than was asked for"])),
    ("run", ({"ok": True}, [])),
    ("run", ({"ok": True, **ENDED}, [b""])),
    ("run", ({"ok": True, **ENDED, "exit_code": "0"}, [b"", b""])),
    ("run", ({"ok": True, **ENDED, "exit_code": True}, [b"", b""])),
    ("run", ({"ok": True, **ENDED, "seconds": None}, [b"", b""])),
    ("find", ({"ok": True, **ENDED}, [b"", b"[1]\n"])),
    ("find", ({"ok": True, **ENDED}, [b"", b"{}\n"])),
    ("find", ({"ok": True, **ENDED}, [b"", b"\xff"])),
    ("find", ({"ok": True, **ENDED}, [b"", b"3\n"])),
    ("find", ({"ok": True, **ENDED}, [b"", b"[" * 100_000])),
    ("capture", ({"ok": True}, [])),
    ("capture", ({"ok": True, "changes": [["../x", "-"]], "dropped": []}, [b""])),
    ("capture", ({"ok": True, "changes": [["/x", "-"]], "dropped": []}, [b""])),
    ("capture", ({"ok": True, "changes": [[3, "-"]], "dropped": []}, [b""])),
    ("capture", ({"ok": True, "changes": [["x", "y"]], "dropped": []}, [b""])),
    ("capture", ({"ok": True, "changes": [["x"]], "dropped": []}, [b""])),
    ("capture", ({"ok": True, "changes": 3, "dropped": []}, [])),
    ("capture", ({"ok": True, "changes": [], "dropped": [[]]}, [])),
]


@pytest.mark.parametrize(("operation", "reply"), BAD)
def test_an_answer_of_a_form_that_it_never_has_loses_the_box(operation: str, reply: Reply) -> None:
    box, stream, released = box_that_says({"run": ({"ok": True, **ENDED}, [b"", b""]), operation: reply})
    if operation == "capture":
        box.run(Command(("true",), 1))
    with pytest.raises(BoxLost, match="form that it never has") as caught:
        calls(box)[operation]()
    assert caught.value.after_agent_code == (operation in ("run", "capture"))
    assert (released, stream.closed) == (["released"], 1)
    with pytest.raises(BoxLost, match="the box is closed"):
        box.read("a.py", 1)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just("-"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)
keys = st.sampled_from(
    ["ok", "errno", "refused", "size", "exit_code", "seconds", "omitted", "changes", "dropped"]
)


@settings(max_examples=200)
@given(
    st.sampled_from(["read", "find", "run", "capture", "restore"]),
    st.dictionaries(keys, values, max_size=5),
    st.booleans(),
    st.lists(st.binary(max_size=6), max_size=3),
)
def test_no_answer_raises_anything_but_box_lost_or_action_error(
    operation: str, answer: dict[str, object], good: bool, blobs: list[bytes]
) -> None:
    reply = {**ENDED, "ok": True, **answer} if good else answer
    box, _, _ = box_that_says({"run": ({"ok": True, **ENDED}, [b"", b""])})
    if operation == "capture":
        box.run(Command(("true",), 1))
    box._channel = Channel(FakeStream(lambda _: (reply, blobs)))
    with contextlib.suppress(BoxLost, ActionError):
        calls(box)[operation]()


def test_closing_releases_once() -> None:
    box, stream, released = box_that_says({})
    with box:
        box.close()
    assert (released, stream.closed) == (["released"], 1)


# ------------------------------------------------------------------------------------------- over a real boxd


@pytest.fixture
def program(tmp_path: Path) -> Iterator[ChildProgram]:
    for name in ("base", "workspace", "inputs", "scratch"):
        (tmp_path / name).mkdir()
    BASE.write_to(tmp_path / "base")
    config = BoxConfig(
        workspace=str(tmp_path / "workspace"),
        base=str(tmp_path / "base"),
        inputs=str(tmp_path / "inputs"),
        scratch=(str(tmp_path / "scratch"),),
        environment={"PATH": os.environ["PATH"], "TMPDIR": str(tmp_path / "scratch")},
        disk_bytes=1 << 20,
    )
    command = start_command(sys.executable, str(BOXD.parent))
    child = ChildProgram([*command, config.to_json()], tmp_path)
    yield child
    child.close()
    child.reap()


@pytest.fixture
def box(program: ChildProgram) -> Box:
    return Box(BASE, Channel(program), lambda: None)


def test_a_real_box_greets_runs_and_is_put_back(box: Box, tmp_path: Path) -> None:
    done = box.run(Command(("sh", "-c", "echo hi; echo more >> a.py"), 10))
    assert (done.output, done.exit_code) == (b"hi\n", 0)
    assert box.capture().state == CLEAN.with_file("a.py", b"a = 1\nmore\n")
    box.restore(CLEAN)
    assert Tree.from_folder(tmp_path / "workspace") == BASE


def test_a_base_that_changes_under_a_box_loses_it(box: Box, tmp_path: Path) -> None:
    box.run(Command(("rm", "a.py"), 10))
    box.restore(CLEAN)
    (tmp_path / "base" / "a.py").write_bytes(b"a = 2\n")
    box.run(Command(("rm", "a.py"), 10))
    with pytest.raises(BoxLost, match=r"broke at 'restore'"):
        box.restore(CLEAN)


def test_an_edit_in_the_tick_of_a_restore_is_undone(box: Box, tmp_path: Path) -> None:
    for number in range(10):
        box.run(Command(("sh", "-c", f"printf 'b = {number}\n' > a.py"), 10))
        box.restore(CLEAN)
        assert (tmp_path / "workspace" / "a.py").read_bytes() == b"a = 1\n"


def test_inputs_of_a_command_that_could_not_be_written_are_cleared(box: Box, tmp_path: Path) -> None:
    with pytest.raises(BoxLost, match="could not begin a command") as caught:
        box.run(Command(("true",), 10, files={"a": b"", "a/b": b""}))
    assert not caught.value.after_agent_code
    assert list((tmp_path / "inputs").iterdir()) == []


def test_more_bytes_than_the_limits_allow_are_dropped(box: Box) -> None:
    box.run(Command(("sh", "-c", "for n in 1 2 3; do head -c 400000 /dev/zero > $n; done"), 10))
    captured = box.capture()
    assert (len(captured.state.changes), len(captured.dropped)) == (2, 1)
    assert "400000 bytes are more than the limits allow" in captured.dropped[0][1]


def test_a_box_whose_program_is_killed_is_lost(box: Box, program: ChildProgram) -> None:
    box.run(Command(("true",), 10))
    os.kill(program.pid, signal.SIGKILL)
    with pytest.raises(BoxLost, match="the connection to a box broke at 'capture'") as caught:
        box.capture()
    assert caught.value.after_agent_code


def test_a_box_ends_when_its_owner_hangs_up_in_the_middle_of_a_command(
    box: Box, program: ChildProgram, tmp_path: Path
) -> None:
    request = json.dumps({
        "op": "run", "argv": ["sleep", "300"], "files": [], "environment": {}, "seconds": 300,
        "output_bytes": 10, "report_bytes": 0, "warm": False, "blobs": [0],
    }).encode()  # fmt: skip
    program.send(len(request).to_bytes(4, "big") + bytes(4) + request, 1e12)
    program.close()
    assert program.wait(5)


def test_who_waits_for_a_box_to_listen_is_woken_when_another_thread_hangs_up(program: ChildProgram) -> None:
    ends: list[str] = []

    def send() -> None:
        try:
            program.send(bytes(1 << 24), time.monotonic() + 60)
        except OSError as error:
            ends.append(str(error))

    os.kill(program.pid, signal.SIGSTOP)
    sending = threading.Thread(target=send)
    sending.start()
    time.sleep(0.1)
    program.hang_up()
    sending.join(20)
    os.kill(program.pid, signal.SIGKILL)
    assert ends == ["it was hung up on"]
