"""Bugs that are put into a release where its tests notice them."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs import load_suite
from deepgym_envs.generate import Rejected, settle
from deepgym_envs.generate.bugs import seeded_bugs
from deepgym_envs.generate.hunks import hunks_of
from deepgym_envs.sandbox import Backend
from deepgym_envs.task_writer import write_task

from ..audit.place import somewhere  # noqa: TID252
from ..releases import FolderIndex  # noqa: TID252
from .place import index
from .shop import recipe_of

FIXTURES = (somewhere, index)
pytestmark = pytest.mark.bwrap
SHOP = "def change(given, price):\n    return given - price\n\n\ndef label(name, price):\n    return f'{name}: {price}'\n"
PURSE = "def coins(amount):\n    return amount // 5 + amount % 5\n"
TESTS = "from purse import coins\nfrom shop import change, label\n" + "".join(
    f"\n\ndef test_{name}_{number}():\n    assert {call} == {result!r}\n"
    for number in range(1, 10)
    for name, call, result in (
        ("change", f"change({7 * number}, {number})", 6 * number),
        ("coins", f"coins({11 * number})", 11 * number // 5 + 11 * number % 5),
        ("label", f"label('x', {number})", f"x: {number}"),
        ("long_label", f"label('{number}', 3)", f"{number}: 3"),
        ("short_label", f"label('', {number})", f": {number}"),
        ("label_of_none", f"label(None, {number})", f"None: {number}"),
        ("label_of_many", f"label('a' * {number}, 1)", f"{'a' * number}: 1"),
    )
)
FILES = {"shop.py": SHOP, "purse.py": PURSE, "tests/test_shop.py": TESTS}


@pytest.mark.slow
def test_bugs_are_noticed_and_the_release_mends_them(
    index: FolderIndex, somewhere: Backend, tmp_path: Path
) -> None:
    source = index.add("shop", "1.0", FILES)
    found = list(seeded_bugs(source, recipe_of(source), somewhere, count=2, seed=1))
    assert len({each.name for each in found}) == len(found) == 2
    for each in found:
        assert each.solution.changes
        for path, file in each.solution.changes.items():
            assert file is not None
            assert file.data.decode() == FILES[path]
    pairs = [each for each in found if each.kind == "cross-module-bug"]
    assert [set(each.solution.changes) for each in pairs] == [{"shop.py", "purse.py"}]
    task = settle(pairs[0], "pypi", somewhere, repeats=1).task
    write_task(task, tmp_path / "pypi")
    (again,) = load_suite(tmp_path / "pypi")
    assert again.digest == task.digest
    written = b"".join(path.read_bytes() for path in (tmp_path / "pypi").rglob("*") if path.is_file())
    assert b"given - price" not in written
    assert b"def test_coins" not in written


def test_two_bugs_of_one_file_can_be_one_task(index: FolderIndex, somewhere: Backend) -> None:
    one = {
        "shop.py": f"{SHOP}\n\n{PURSE}",
        "tests/test_shop.py": TESTS.replace("from purse", "from shop"),
    }
    source = index.add("shop", "1.0", one)
    found = list(seeded_bugs(source, recipe_of(source), somewhere, count=2, seed=1))
    (pair,) = [each for each in found if len(each.problems) == 2]
    assert pair.kind == "bug"
    assert len(hunks_of(pair.base, pair.solution.changes)) == 2
    assert not set(pair.problems[0]) & set(pair.problems[1])


def test_the_same_seed_gives_the_same_bugs(index: FolderIndex, somewhere: Backend) -> None:
    source = index.add("shop", "1.0", FILES)
    first, again = (
        [each.name for each in seeded_bugs(source, recipe_of(source), somewhere, count=1, seed=1)]
        for _ in range(2)
    )
    assert first == again != []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"tests/test_shop.py": "def test_x():\n    assert 0\n"}, "not_collected"),
        ({"tests/test_shop.py": "import os\n\n\ndef test_x():\n    os._exit(0)\n"}, "not_ended"),
    ],
)
def test_a_release_whose_tests_are_of_no_use_is_told(
    index: FolderIndex, somewhere: Backend, changed: dict[str, str], code: str
) -> None:
    source = index.add("shop", "1.0", {**FILES, **changed})
    with pytest.raises(Rejected) as caught:
        list(seeded_bugs(source, recipe_of(source), somewhere, count=1))
    assert caught.value.code == code


def test_a_release_without_metadata_or_tests_is_told(index: FolderIndex, somewhere: Backend) -> None:
    source = index.add("shop", "1.0", {"shop.py": SHOP})
    with pytest.raises(Rejected, match="no tests") as caught:
        next(seeded_bugs(source, None, somewhere, count=1))
    assert caught.value.code == "no_tests"
