"""What packages tell of themselves, in the files of a repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from deepgym_envs.generate import Rejected
from deepgym_envs.generate.metadata import Distribution, distribution
from deepgym_envs.state import File, Tree

PYPROJECT = """\
[project]
name = "My_Shop"
version = "2.1"
description = "Sells things."
license = {text = "MIT"}
dependencies = ["purse>=1", "winshop; sys_platform == 'win32'"]

[project.optional-dependencies]
test = ["hypothesis<7", "till; python_version >= '3'"]
docs = ["sphinx"]

[dependency-groups]
dev = ["attrs", {include-group = "test"}]
"""
SETUP_CFG = """\
[metadata]
name = shop
version = attr: shop.__version__
license = BSD
[options]
install_requires =
    purse>=1  # money
    coins
tests_require = attrs
[options.extras_require]
testing = hypothesis
docs = sphinx
"""
SETUP_PY = """\
import setuptools, os
os.mkdir('executed')
NAME = 'shop'
setuptools.setup(name=NAME, version=os.environ['X'], license='BSD', install_requires=['purse>=1'],
                 extras_require={'tests': ['attrs'], 'docs': ['sphinx']}, packages=find_packages())
"""


def read(**files: str | bytes) -> Distribution:
    named = {path.replace("__", "."): text for path, text in files.items()}
    return distribution(tree(named))


def tree(files: dict[str, str | bytes]) -> Tree:
    return Tree(
        {path: File(text.encode() if isinstance(text, str) else text) for path, text in files.items()}
    )


def needs(found: Distribution) -> list[str]:
    return [str(each) for each in found.requires]


def test_a_project_table_is_read() -> None:
    found = read(pyproject__toml=PYPROJECT)
    assert (found.name, found.version, found.summary, found.license) == (
        "my-shop",
        "2.1",
        "Sells things.",
        "MIT",
    )
    assert set(needs(found)) == {
        "purse>=1",
        'winshop; sys_platform == "win32"',
        'hypothesis<7; extra == "test"',
        'till; python_version >= "3" and extra == "test"',
        'attrs; extra == "test"',
    }


def test_a_setup_cfg_is_read() -> None:
    found = distribution(tree({"setup.cfg": SETUP_CFG, "shop/__init__.py": "__version__ = '3.0'\n"}))
    assert (found.name, found.version, found.license) == ("shop", "3.0", "BSD")
    assert set(needs(found)) == {"purse>=1", "coins", 'hypothesis; extra == "test"', 'attrs; extra == "test"'}


def test_a_setup_py_is_read_as_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = read(setup__py=SETUP_PY)
    assert (found.name, found.version, found.license) == ("shop", "0", "BSD")
    assert needs(found) == ["purse>=1", 'attrs; extra == "test"']
    assert not (tmp_path / "executed").exists()


def test_what_comes_first_counts_and_the_others_fill_up() -> None:
    short = "[project]\nname = 'first'\ndynamic = ['version', 'dependencies']\n"
    found = read(pyproject__toml=short, setup__cfg=SETUP_CFG, setup__py=SETUP_PY)
    assert found.name == "first"
    assert {"purse>=1", "coins"} <= set(needs(found))


def test_a_poetry_table_gives_names_alone() -> None:
    found = read(
        pyproject__toml="[tool.poetry]\nname = 'shop'\nversion = '1.0'\n[tool.poetry.dependencies]\npython = '^3.8'\n"
        "purse = '^2.1'\n[tool.poetry.group.dev.dependencies]\nattrs = '*'\n"
    )
    assert needs(found) == ["purse", 'attrs; extra == "test"']


def test_files_of_requirements_are_for_tests_and_without_any_other_for_everything() -> None:
    lines = "# all\n-r other.txt\n--index-url http://x\npurse==1.0 \\\n  --hash=sha256:0\ngit+https://x/y\n./local\ncoins\n"
    files: dict[str, str | bytes] = {"requirements/test.txt": lines, "setup.py": "setup(name='shop')\n"}
    assert needs(distribution(tree(files))) == ['purse==1.0; extra == "test"', 'coins; extra == "test"']
    alone: dict[str, str | bytes] = {
        "requirements.txt": lines.replace("./local\n", ""),
        "setup.cfg": "[metadata]\nname=shop\n",
    }
    assert needs(distribution(tree(alone)))[:2] == ["purse==1.0", "coins"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", "not toml ["),
        ("pyproject.toml", b"\xff"),
        ("pyproject.toml", "project = 1\n"),
        ("pyproject.toml", "[project]\nname = 7\n"),
        ("pyproject.toml", "[project]\nname = '../x'\n"),
        ("pyproject.toml", "[project]\nname = 'x'\ndependencies = ['a ><']\n"),
        ("pyproject.toml", "[project]\nname = 'x'\noptional-dependencies = 1\n"),
        ("pyproject.toml", "a = " + "[" * 5_000),
        ("setup.cfg", "no section\n"),
        ("setup.cfg", "[metadata]\nname = x\nname = y\n"),
        ("setup.py", "def f(:\n"),
        ("setup.py", "print 'old'\n"),
        ("setup.py", "setup(name='x', install_requires=open('x').read())\n"),
        ("setup.py", "setup(**given)\n"),
        ("README", "nothing\n"),
    ],
)
def test_metadata_that_cannot_be_used_is_told(file: str, text: str | bytes) -> None:
    with pytest.raises(Rejected) as caught:
        distribution(tree({file: text}))
    assert caught.value.code == "unreadable"


RELEASE = b"Metadata-Version: 2.4\nName: shop\nVersion: 1.0\n"


def test_a_release_whose_metadata_tells_no_needs_has_those_of_its_files() -> None:
    about = b'[project]\nname = "shop"\nversion = "1.0"\ndependencies = ["six>=1"]\n'
    tree = Tree({"PKG-INFO": File(RELEASE), "pyproject.toml": File(about)})
    assert [str(each) for each in distribution(tree).requires] == ["six>=1"]
    listed = b"face>=20\n\n[yaml]\npyyaml\n\n[test]\nattrs\n"
    tree = Tree({"PKG-INFO": File(RELEASE), "shop.egg-info/requires.txt": File(listed)})
    assert [str(each) for each in distribution(tree).requires] == ["face>=20", 'attrs; extra == "test"']


def test_what_tests_need_may_be_in_a_dependency_group_of_a_release() -> None:
    metadata = RELEASE + b"Requires-Dist: markupsafe>=2\n"
    about = b'[project]\nname = "shop"\ndependencies = ["other"]\n[dependency-groups]\ntests = ["trio", "markupsafe"]\n'
    tree = Tree({"PKG-INFO": File(metadata), "pyproject.toml": File(about)})
    assert [str(each) for each in distribution(tree).requires] == ["markupsafe>=2", 'trio; extra == "test"']


def test_files_that_cannot_be_read_do_not_harm_a_release_with_metadata() -> None:
    tree = Tree({"PKG-INFO": File(RELEASE), "pyproject.toml": File(b"[["), "setup.py": File(b"(")})
    assert distribution(tree).requires == ()
