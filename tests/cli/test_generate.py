"""``deepgym-envs generate``: from packages on an index to a suite that validates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs import load_suite
from deepgym_envs.cli import main
from deepgym_envs.content import Cut
from deepgym_envs.recipe import PYTEST_PINS
from tests.releases import FolderIndex

pytestmark = pytest.mark.bwrap
OLD = '''\
"""Prices and their sums."""


def total(prices):
    result = 0
    for price in prices:
        result = price
    return result


def cheapest(prices):
    return sorted(prices)[-1]


def count(prices):
    return len(prices)
'''
NEW = OLD.replace("result = price\n", "result += price\n").replace("[-1]", "[0]")
OLD_TESTS = """\
import pytest

from tinyshop import cheapest, count, total


@pytest.mark.parametrize("price", [3, 17, 58])
def test_of_one_price_alone(price):
    assert total([price]) == price


def test_how_many():
    assert count([5, 8, 13]) == 3
"""
NEW_TESTS = (
    OLD_TESTS
    + """

@pytest.mark.parametrize(
    ("prices", "sum_of_all"), [([3, 4], 7), ([17, 4, 20], 41), ([61, 2], 63), ([9, 9, 9], 27), ([81, 6], 87)]
)
def test_sums(prices, sum_of_all):
    assert total(prices) == sum_of_all


@pytest.mark.parametrize(
    ("prices", "least"), [([3, 44], 3), ([17, 4, 20], 4), ([61, 22], 22), ([8, 9, 31], 8), ([81, 6], 6)]
)
def test_least(prices, least):
    assert cheapest(prices) == least
"""
)
RECIPE = f"""\
name = "tinyshop"
summary = "Made for a test."
license = "MIT"
python = ">=3.10"

[source]
kind = "sdist"
name = "tinyshop"
version = "1.1"
sha256 = "{{sha256}}"

[needs]
pip = {json.dumps(PYTEST_PINS)}

[install]
pythonpath = ["."]
"""


@pytest.fixture
def suite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty suite with the recipe of a package of two releases, which lie in a folder that pip looks in."""
    index = FolderIndex(tmp_path / "index")
    monkeypatch.setenv("PIP_FIND_LINKS", str(index.folder))
    index.add("tinyshop", "1.0", {"tinyshop/__init__.py": OLD, "tests/test_tinyshop.py": OLD_TESTS})
    newest = index.add("tinyshop", "1.1", {"tinyshop/__init__.py": NEW, "tests/test_tinyshop.py": NEW_TESTS})
    recipe = tmp_path / "suite" / "repos" / "tinyshop"
    recipe.mkdir(parents=True)
    (recipe / "recipe.toml").write_text(RECIPE.format(sha256=newest.sha256))
    return tmp_path / "suite"


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, object]]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--sandbox", "bwrap", "--json"])
    said = capsys.readouterr()
    assert isinstance(ended.value.code, int | None), said.err
    return ended.value.code or 0, json.loads(said.out)


@pytest.mark.slow
def test_two_releases_become_a_task_for_each_problem(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("generate", "releases", "tinyshop", "--out", str(suite), "--repeats", "1")
    status, said = run(capsys, *command)
    assert (status, said["accepted"], said["rejected"]) == (0, 2, {})
    tasks = load_suite(suite)
    assert [len(task.gold.changes) for task in tasks] == [1, 1]
    mended = {task.manifest.tests.fail_to_pass[0].partition("[")[0] for task in tasks}
    assert mended == {f"tests/test_tinyshop.py::test_{name}" for name in ("sums", "least")}
    for task in tasks:
        assert isinstance(task.content, Cut)
        assert "total" in task.instruction or "cheapest" in task.instruction
        place = suite / task.id.rpartition("/")[2]
        record = json.loads((place / "record.json").read_text())
        assert record["releases"] == ["1.0", "1.1"]
        assert record["figures"]["forge_probability"] <= 1 / 32
    status, validated = run(capsys, "validate", "--suite", str(suite), "--repeats", "1")
    assert (status, validated["clean"]) == (0, 2)
    assert run(capsys, *command) == (0, said)


@pytest.mark.slow
def test_a_bug_that_tests_notice_becomes_a_task(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(
        capsys, "generate", "bugs", "tinyshop", "--out", str(suite), "--repeats", "1", "--count", "1"
    )
    assert (status, said["candidates"]) == (0, 1), said
    (task,) = load_suite(suite)
    assert isinstance(task.content, Cut)
    assert task.gold.get("tinyshop/__init__.py") is not None
    assert task.gold.tree()["tinyshop/__init__.py"].data == NEW.encode()


def test_a_package_that_no_index_has_is_a_reason(suite: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = run(capsys, "generate", "bugs", "tinyshop==7.7", "--out", str(suite))
    assert (status, said["rejected"]) == (1, {"no_release": 1})
