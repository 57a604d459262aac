"""Recipes of repositories."""

from __future__ import annotations

import pickle
import re
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs.errors import TaskError, UnknownTask
from deepgym_envs.manifest import parse_manifest
from deepgym_envs.recipe import RepoRecipe, load_recipe
from deepgym_envs.testing import make_recipe


def recipe(**changes: Any) -> RepoRecipe:
    data = {"name": "tiny", "summary": "x", "license": "MIT", "source": {"kind": "bundled"}, **changes}
    return parse_manifest(data, RepoRecipe, "recipe")


def test_a_recipe_is_read_from_its_folder(tmp_path: Path) -> None:
    make_recipe(
        tmp_path / "tiny", source={"a.py": ""}, pip=["x==1"], commands=[["make", "all"]], pythonpath=["src"]
    )
    found = load_recipe("tiny", tmp_path)
    assert (found.name, found.needs.pip, found.install.commands) == ("tiny", ("x==1",), (("make", "all"),))
    assert found.folder == tmp_path / "tiny"
    assert pickle.loads(pickle.dumps(found)).folder == found.folder


def test_an_unknown_recipe_suggests_the_nearest(tmp_path: Path) -> None:
    make_recipe(tmp_path / "tiny", source={})
    with pytest.raises(UnknownTask, match=r"no repository 'tinny' in .*; did you mean 'tiny'"):
        load_recipe("tinny", tmp_path)
    with pytest.raises(UnknownTask, match=r"known: .*tallybook.*, tiny"):
        load_recipe("../tiny/../..", tmp_path)


def test_where_there_is_no_such_recipe_the_bundled_one_counts(tmp_path: Path) -> None:
    make_recipe(tmp_path / "tallybook", source={})
    assert load_recipe("tallybook", tmp_path).folder == tmp_path / "tallybook"
    for repos in (tmp_path, tmp_path / "nowhere", None):
        assert load_recipe("rangelock", repos) == load_recipe("rangelock")


def test_a_recipe_has_its_folders_name(tmp_path: Path) -> None:
    make_recipe(tmp_path / "tiny", source={})
    (tmp_path / "tiny").rename(tmp_path / "other")
    with pytest.raises(TaskError, match="name: write 'other', the folder's name"):
        load_recipe("other", tmp_path)


def test_a_recipe_that_was_not_read_from_a_folder_has_no_bundled_source() -> None:
    with pytest.raises(TaskError, match="not read from a folder"):
        _ = recipe().folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"needs": {"pip": ["pytest"]}}, 'write "name==version"'),
        ({"needs": {"pip": ["pytest>=8"]}}, 'write "name==version"'),
        ({"needs": {"pip": ["x==1 --index-url=http://x"]}}, 'write "name==version"'),
        ({"needs": {"pip": ["-r x==1"]}}, 'write "name==version"'),
        ({"needs": {"apt": ["git;reboot"]}}, "write a Debian package"),
        ({"needs": {"apt": ["--force"]}}, "write a Debian package"),
        ({"python": "3"}, "write the versions wanted"),
        ({"python": ">3.9"}, "write the versions wanted"),
        ({"install": {"pythonpath": ["../x"]}}, "'..' part"),
        ({"install": {"pythonpath": ["/x"]}}, "not a path relative"),
        ({"test": {"paths": ["/tests"]}}, "not a path relative"),
        ({"test": {"plugins": ["-x"]}}, "pattern"),
        ({"name": "UPPER"}, "pattern"),
        ({"source": {"kind": "zip"}}, "does not match any of the expected tags"),
        ({"source": {"kind": "sdist", "name": "x", "version": "1", "sha256": "ab"}}, "sha256"),
        ({"source": {"kind": "git", "url": "https://x/y", "commit": "main"}}, "commit"),
        ({"source": {"kind": "git", "url": "ext::sh -c reboot", "commit": "0" * 40}}, "url"),
        ({"source": {"kind": "git", "url": "--upload-pack=x", "commit": "0" * 40}}, "url"),
    ],
)
def test_what_is_not_exact_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TaskError, match=re.escape(said)):
        recipe(**changes)


@pytest.mark.parametrize(
    ("wanted", "yes", "no"),
    [
        (">=3.9", [(3, 9), (3, 14)], [(3, 8), (4, 0), (2, 7)]),
        ("==3.11", [(3, 11)], [(3, 10), (3, 12)]),
        ("3.11", [(3, 11)], [(3, 12)]),
        (">=3.9,<3.13", [(3, 9), (3, 12)], [(3, 8), (3, 13)]),
    ],
)
def test_it_knows_which_python_it_accepts(
    wanted: str, yes: list[tuple[int, int]], no: list[tuple[int, int]]
) -> None:
    found = recipe(python=wanted)
    assert [version for version in yes if not found.accepts_python(version)] == []
    assert [version for version in no if found.accepts_python(version)] == []


def test_the_environments_digest_follows_what_decides_the_environment() -> None:
    plain = recipe().environment_digest
    assert recipe(summary="y", test={"paths": ["t"]}, name="other").environment_digest == plain
    for change in (
        {"python": "==3.11"},
        {"needs": {"pip": ["x==1"]}},
        {"needs": {"apt": ["make"]}},
        {"install": {"commands": [["make"]]}},
    ):
        assert recipe(**change).environment_digest != plain
