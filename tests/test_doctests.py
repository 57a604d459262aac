"""Every example in a docstring of both packages does what it shows."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import deepgym_envs
import deepgym_wrappers

# These are started by themselves, in boxes or by Python, and are no modules to import.
NOT_IMPORTED = ("deepgym_envs.grade.launcher", "__main__")
FLAGS = doctest.ELLIPSIS | doctest.FAIL_FAST


def modules() -> Iterator[str]:
    for package in (deepgym_envs, deepgym_wrappers):
        yield package.__name__
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith(NOT_IMPORTED):
                yield found.name


@pytest.mark.parametrize("name", list(modules()))
def test_examples_do_what_they_show(name: str) -> None:
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=FLAGS)
    for test in doctest.DocTestFinder().find(importlib.import_module(name), name):
        runner.run(test, out=said.append)
    assert not runner.failures, "".join(said)


@pytest.mark.parametrize("name", [f"deepgym_wrappers.{name}" for name in deepgym_wrappers.__all__])
def test_every_wrapper_has_an_example(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    wrapper = getattr(importlib.import_module(module), attribute)
    assert any(test.examples for test in doctest.DocTestFinder().find(wrapper, name))
