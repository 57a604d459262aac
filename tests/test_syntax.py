"""Python that somebody else wrote is parsed, or refused, also by many threads at a time."""

from __future__ import annotations

import ast
import gc
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from deepgym_envs.syntax import compiles, parse_python, same_program


@pytest.fixture
def hasty() -> Iterator[None]:
    """Threads that take turns as often as they can, also while objects are made."""
    interval, threshold = sys.getswitchinterval(), gc.get_threshold()

    def turn(phase: str, info: dict[str, int]) -> None:
        time.sleep(0)

    sys.setswitchinterval(1e-6)
    gc.set_threshold(20)
    gc.callbacks.append(turn)
    yield
    gc.callbacks.remove(turn)
    gc.set_threshold(*threshold)
    sys.setswitchinterval(interval)


def test_many_threads_parse_at_a_time(hasty: None) -> None:
    source = b"".join(
        b"def f%d(a, b=[1, {2: (3, 4)}]):\n    return [a + b for a in b if a]\n" % n for n in range(60)
    )
    with ThreadPoolExecutor(8) as pool:
        trees = list(pool.map(parse_python, [source] * 64))
    assert {len(tree.body) for tree in trees} == {60}


@pytest.mark.parametrize("source", [b"def (:\n", b"\xff\xfe", b"a\0b", b"(" * 5000])
def test_what_is_not_python_is_refused(source: bytes) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_python(source)


def test_a_warning_of_the_parser_stays_silent() -> None:
    assert isinstance(parse_python(b"'\\d'\n1 is 1\n"), ast.Module)


def test_text_is_what_it_is_whatever_encoding_it_names() -> None:
    tree = parse_python("# coding: latin-1\n'ü'\n")
    assert "'ü'" in ast.dump(tree)


@pytest.mark.parametrize(
    ("source", "fine"),
    [("a = 1 is 1\n", True), ("break\n", False), ("def f():\n    nonlocal a\n", False)],
)
def test_a_tree_that_parses_may_still_be_no_program(source: str, fine: bool) -> None:
    assert compiles(parse_python(source)) is fine


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (b"'One.'\nclass A:\n    'Two.'\n    async def f(self):\n        'Three.'\n        return 1\n",
         b"class A:\n    # Four.\n    async def f(self): return (1)\n", True),
        (b"def f():\n    'Words alone.'\n", b"def f():\n    'Others.'\n", True),
        (b"x = 1\n'No docstring.'\n", b"x = 1\n", False),
        (b"x = 1\n", b"x = 2\n", False),
        (b"", b"", True),
    ],
)  # fmt: skip
def test_programs_are_the_same_whatever_is_said_in_them(left: bytes, right: bytes, same: bool) -> None:
    assert same_program(left, right) == same


@pytest.mark.parametrize("source", [b"def f(:", b"\xff", b"(" * 500])
def test_what_is_not_python_is_no_program(source: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        same_program(b"x = 1\n", source)
