"""What the files of a repository are for, as far as their names tell: tests, what tests need, source.

>>> [role(path) for path in ("shop/cart.py", "tests/test_cart.py", "tests/conftest.py", "docs/conf.py")]
['source', 'test', 'support', 'other']
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Literal

from deepgym_envs.state import Tree

Role = Literal["source", "test", "support", "other"]

_TEST_FOLDERS = {"tests", "test", "testing", "unittests"}
_OTHER_FOLDERS = {
    "docs", "doc", "examples", "example", "benchmarks", "benchmark", "bench", "scripts", "tools", "ci",
    "requirements", "artwork", "news", "changelog.d", "changes",
}  # fmt: skip
_OTHER_FILES = {"setup.py", "noxfile.py", "tasks.py", "conf.py", "versioneer.py", "fabfile.py", "make.py"}
_TEST_FILE = re.compile(r"(test_.*|.*_tests?|tests?)\.py")


def role(path: str) -> Role:
    """What a file is for.

    ``test``: pytest would look for tests in it. ``support``: tests need it, such as ``conftest.py`` and
    whatever else lies in a folder of tests, or it holds tests that pytest would not look for. ``source``:
    Python that is neither. ``other``: anything else.
    """
    parts = PurePosixPath(path).parts
    name = parts[-1]
    in_tests = any(part in _TEST_FOLDERS for part in parts[:-1])
    if _TEST_FILE.fullmatch(name) and (in_tests or name.startswith("test_") or name.endswith("_test.py")):
        return "test"
    if _TEST_FILE.fullmatch(name) and (name != "test.py" or len(parts) == 1):
        return "support"
    if in_tests or name == "conftest.py":
        return "support"
    hidden = any(part in _OTHER_FOLDERS or part.startswith((".", "_build")) for part in parts[:-1])
    if not name.endswith((".py", ".pyi")) or hidden or (len(parts) == 1 and name in _OTHER_FILES):
        return "other"
    return "source"


def is_test_code(path: str) -> bool:
    """Whether a file belongs to the tests, as one of them or as their support."""
    return role(path) in ("test", "support")


def tests_folder(path: str) -> str:
    """The outermost folder of tests that a file lies in; its own folder where none is called so.

    >>> tests_folder("src/tests/unit/test_a.py"), tests_folder("shop/test_b.py"), tests_folder("test_c.py")
    ('src/tests', 'shop', '')
    """
    parts = PurePosixPath(path).parts
    for number, part in enumerate(parts[:-1], start=1):
        if part in _TEST_FOLDERS:
            return "/".join(parts[:number])
    return "/".join(parts[:-1])


def tests_of(tree: Tree) -> Collection[str]:
    """The test files of a repository: those in folders of tests, if there are any, or else all."""
    every = [path for path in tree if role(path) == "test"]
    inside = [path for path in every if not _TEST_FOLDERS.isdisjoint(path.split("/")[:-1])]
    return inside or every


def hidden_tests(tree: Tree, wanted: Collection[str]) -> Mapping[str, bytes]:
    """The test files ``wanted`` of ``tree`` and the test code that they may need, by their paths in it."""
    folders = {tests_folder(path) for path in wanted}
    above = {parent.as_posix() for path in wanted for parent in PurePosixPath(path).parents}

    def needed(path: str) -> bool:
        place = PurePosixPath(path)
        if place.name == "conftest.py" and place.parent.as_posix() in above:
            return True
        return role(path) == "support" and any(path.startswith(f"{folder}/") for folder in folders)

    return {path: file.data for path, file in tree.items() if path in wanted or needed(path)}
