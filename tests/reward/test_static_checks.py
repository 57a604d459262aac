"""What a linter finds in a state that it does not find at the base, on the host, without running anything."""

from __future__ import annotations

import builtins
import pickle
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepgym_envs import Grader, Task, WorkspaceState
from deepgym_envs.testing import FakeBackend

from ..tiny import BROKEN, SOLVED, fake, make_tiny, tiny  # noqa: TID252

pytest.importorskip("pyflakes")
from deepgym_envs.reward import StaticChecks

FIXTURES = (fake, make_tiny, tiny)
MODULE = "tiny/__init__.py"


def value(
    task: Task, fake: FakeBackend, text: str | bytes | None, path: str = MODULE, half: float = 3.0
) -> float:
    data = text.encode() if isinstance(text, str) else text
    with Grader(task, fake) as grader:
        phi = StaticChecks(half)(grader, WorkspaceState(task.base).with_file(path, data))
    assert not fake.boxes
    return phi


@pytest.mark.parametrize(
    ("text", "added"),
    [
        (BROKEN, 0),
        (SOLVED, 0),
        (None, 0),
        (b"", 0),
        ("import os\n" + SOLVED, 1),
        ("import os\nimport sys\n\n\ndef add(a):\n    return c\n", 3),
        ("def add(:", 1),
        ("break\n", 1),
        (b"\xff\xfe", 1),
        (b"\0", 1),
        ("x = " + "(" * 90_000, 1),
        ("x = " + "-" * 5_000 + "1", 1),
        ("if a: pass\n" + "elif b: pass\n" * 950, 1),
        ("x = 1\n" * 60_000, 1),
        ("x: 'undefined'\n", 1),
    ],
    ids=str,
)
def test_each_finding_that_was_added_counts(
    tiny: Task, fake: FakeBackend, text: str | bytes | None, added: int
) -> None:
    assert value(tiny, fake, text) == pytest.approx(3 / (3 + added))


def test_a_finding_that_the_base_has_is_not_counted_wherever_it_moves(tiny: Task, fake: FakeBackend) -> None:
    old = WorkspaceState(tiny.base)
    assert value(tiny, fake, "import os\n", half=1.0) == 0.5
    assert value(tiny, fake, "import os\n", path="tests/test_tiny.py", half=1.0) == 1.0  # does not count
    assert old.changes == {}


def test_it_is_halved_at_half(tiny: Task, fake: FakeBackend) -> None:
    unused = "".join(f"import m{number}\n" for number in range(8))
    assert value(tiny, fake, unused, half=8) == 0.5


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text(max_size=60))
def test_text_of_any_kind_has_a_value(tiny: Task, fake: FakeBackend, text: bytes | str) -> None:
    data = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    assert 0 < value(tiny, fake, data) <= 1


def test_nothing_is_executed(tiny: Task, fake: FakeBackend) -> None:
    value(
        tiny,
        fake,
        "import builtins\nbuiltins.deepgym_was_here = 1\n__import__('builtins').deepgym_was_here = 1\n",
    )
    assert not hasattr(builtins, "deepgym_was_here")


def test_it_is_the_same_in_many_threads_at_a_time(tiny: Task, fake: FakeBackend) -> None:
    text = "".join(f"def f{number}(a: 'list[undefined{number}]') -> 'b': ...\n" for number in range(300))
    found: list[float] = []
    threads = [threading.Thread(target=lambda: found.append(value(tiny, fake, text))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [3 / (3 + 600)] * 4


def test_its_key_names_what_it_depends_on() -> None:
    assert StaticChecks().key != StaticChecks(4).key
    assert "pyflakes=" in StaticChecks().key
    assert pickle.loads(pickle.dumps(StaticChecks(4))) == StaticChecks(4)


@pytest.mark.parametrize("half", [0.0, -1.0, float("nan"), float("inf")])
def test_a_half_that_is_none_is_refused(half: float) -> None:
    with pytest.raises(ValueError, match="half is a number of findings above 0"):
        StaticChecks(half)
