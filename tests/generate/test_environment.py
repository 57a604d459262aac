"""Recipes made from what packages tell of themselves."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deepgym_envs.generate import Rejected
from deepgym_envs.generate.environment import (
    import_roots,
    make_recipe,
    recipe_of_time,
    resolve,
    with_metadata,
)
from deepgym_envs.recipe import PYTEST_PYTHON, SdistSource
from deepgym_envs.state import File, Tree

from ..releases import FolderIndex  # noqa: TID252

SOURCE = SdistSource(kind="sdist", name="shop", version="1.0", sha256="0" * 64)
ABOUT = "Metadata-Version: 2.1\nName: Shop\nVersion: 1.0\nSummary: Sells things.\nLicense: MIT\n"
FILES = {"shop/__init__.py": "", "tests/test_shop.py": "import shop\n"}


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderIndex:
    """An index with a pytest that needs ``pluggy``, and little else."""
    index = FolderIndex(tmp_path / "index")
    for name, value in index.environment.items():
        monkeypatch.setenv(name, value)
    index.add_wheel("pytest", "9.0", ["pluggy>=1"])
    index.add_wheel("pluggy", "1.5")
    return index


class TimedIndex(SimpleHTTPRequestHandler):
    """Tells what lies in ``folder``, and that version N.x of anything was uploaded in the year 2000 + N."""

    folder: Path

    def do_GET(self) -> None:
        kind, _, name = self.path.strip("/").partition("/")
        if kind == "files":
            self._send("application/octet-stream", (self.folder / name).read_bytes())
            return
        found = [path.name for path in self.folder.iterdir() if path.name.startswith(f"{name}-")]
        files = [
            {
                "filename": each,
                "url": f"/files/{each}",
                "hashes": {},
                "upload-time": f"{2000 + int(each.split('-')[1].partition('.')[0])}-01-01T00:00:00Z",
            }
            for each in sorted(found)
        ]
        meta = {"meta": {"api-version": "1.1"}, "name": name, "files": files}
        self._send("application/vnd.pypi.simple.v1+json", json.dumps(meta).encode())

    def _send(self, kind: str, data: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is inherited
        pass


@pytest.fixture
def timed(index: FolderIndex, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderIndex]:
    handler = type("Handler", (TimedIndex,), {"folder": index.folder})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        yield index
        server.shutdown()


def tree(metadata: str | None = ABOUT, **changed: str) -> Tree:
    files: dict[str, str] = {**FILES, **changed}
    if metadata is not None:
        files["PKG-INFO"] = metadata
    return Tree({path: File(text.encode()) for path, text in files.items()})


def test_a_recipe_says_what_the_package_and_its_tests_need(index: FolderIndex) -> None:
    index.add_wheel("purse", "1.0")
    index.add_wheel("purse", "2.0", ["coins"])
    index.add_wheel("coins", "0.3")
    index.add_wheel("freezegun", "1.2")
    index.add_wheel("pytest_mock", "3.1", ["pytest"])
    wanted = tree(
        ABOUT
        + "Requires-Dist: purse>=1\nRequires-Dist: winshop; sys_platform == 'win32'\n"
        + "Requires-Dist: sphinx; extra == 'docs'\n",
        **{"tests/test_shop.py": "import shop, freezegun\ndef test(mocker): ...\n"},
    )
    recipe = make_recipe(wanted, SOURCE)
    assert recipe.needs.pip == (
        "coins==0.3",
        "freezegun==1.2",
        "pluggy==1.5",
        "purse==2.0",
        "pytest-mock==3.1",
        "pytest==9.0",
    )
    assert (recipe.name, recipe.license, recipe.python) == ("shop", "MIT", PYTEST_PYTHON)
    assert (recipe.test.paths, recipe.test.plugins) == (("tests",), ("pytest_mock",))
    assert recipe.install.pythonpath == (".",)


@pytest.mark.parametrize(("year", "version"), [(2001, "7.4"), (2008, "8.1"), (2009, "9.0"), (2100, "9.0")])
def test_tests_run_with_a_pytest_of_their_time(timed: FolderIndex, year: int, version: str) -> None:
    for each in ("3.0", "7.4", "8.0", "8.1", "9.0"):
        timed.add("pytest", each, {})
        timed.add_wheel("pytest", each)
    recipe = make_recipe(tree(), SOURCE, datetime(year, 6, 1, tzinfo=UTC))
    assert recipe.needs.pip == (f"pytest=={version}",)


def test_a_release_of_another_time_has_a_recipe_of_its_own(timed: FolderIndex) -> None:
    for each in ("7.4", "8.1", "9.0"):
        timed.add("pytest", each, {})
        timed.add_wheel("pytest", each)
    usual = make_recipe(tree(), SOURCE)
    assert recipe_of_time(tree(), usual, None) is usual
    assert recipe_of_time(tree(), usual, datetime(2010, 1, 1, tzinfo=UTC)) is usual
    older, oldest = (recipe_of_time(tree(), usual, datetime(year, 6, 1, tzinfo=UTC)) for year in (2008, 2007))
    assert (older.needs.pip, oldest.needs.pip) == (("pytest==8.1",), ("pytest==7.4",))
    assert len({usual.name, older.name, oldest.name}) == 3
    assert older == recipe_of_time(tree(), usual, datetime(2008, 7, 1, tzinfo=UTC))


def test_where_the_index_tells_no_times_the_newest_pytest_is_taken(index: FolderIndex) -> None:
    when = datetime(2010, 1, 1, tzinfo=UTC)
    assert make_recipe(tree(), SOURCE, when).needs.pip == ("pluggy==1.5", "pytest==9.0")
    index.add("pytest", "9.0", {})
    assert make_recipe(tree(), SOURCE, when).needs.pip == ("pluggy==1.5", "pytest==9.0")


@pytest.mark.parametrize(
    ("path", "text", "named"),
    [
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "--cov=shop -q"\n', ["pytest-cov"]),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = [\n  "-n", "auto",\n  "--no-cov"\n]\n[tool.x]\n',
         ["pytest-cov", "pytest-xdist"]),
        ("setup.cfg", "[tool:pytest]\naddopts =\n    -ra\n    --timeout=5\n\n[x]\ny = 1\n", ["pytest-timeout"]),
        ("tox.ini", "[pytest]\naddopts = -ra --new-thing\nother = --cov\n", []),
        ("notes.ini", "addopts = --cov\n", []),
    ],
)  # fmt: skip
def test_options_that_need_plugins_are_served_and_do_not_count(
    index: FolderIndex, path: str, text: str, named: list[str]
) -> None:
    for each in ("pytest_cov", "pytest_xdist", "pytest_timeout"):
        index.add_wheel(each, "1.0")
    recipe = make_recipe(tree(**{path: text}), SOURCE)
    assert [pin.partition("==")[0] for pin in recipe.needs.pip if pin.startswith("pytest-")] == named
    assert recipe.test.addopts == (not named)
    assert recipe.test.plugins == ()


def test_an_extra_counts_if_the_tests_import_it(index: FolderIndex) -> None:
    index.add_wheel("attrs", "20.1")
    index.add_wheel("attrs", "25.1")
    wanted = tree(
        ABOUT + "Requires-Dist: attrs<21; extra == 'test'\n", **{"tests/test_shop.py": "import attr\n"}
    )
    assert "attrs==20.1" in make_recipe(wanted, SOURCE).needs.pip


def test_what_the_tests_need_must_not_be_the_package_itself(index: FolderIndex) -> None:
    index.add_wheel("purse", "1.0", ["shop"])
    index.add_wheel("shop", "0.9")
    with pytest.raises(Rejected, match="holds shop itself") as caught:
        make_recipe(tree(ABOUT + "Requires-Dist: purse\n"), SOURCE)
    assert caught.value.code == "needed_by_tests"


def test_what_cannot_be_resolved_is_told_in_the_words_of_pip(index: FolderIndex) -> None:
    with pytest.raises(Rejected, match="No matching distribution found for nosuchdist") as caught:
        make_recipe(tree(ABOUT + "Requires-Dist: nosuchdist>=3\n"), SOURCE)
    assert caught.value.code == "no_environment"


def test_a_source_release_is_never_built_to_resolve_it(index: FolderIndex, tmp_path: Path) -> None:
    touched = tmp_path / "executed"
    index.add("purse", "1.0", {"setup.py": f"open({str(touched)!r}, 'w')\n"})
    with pytest.raises(Rejected, match="purse"):
        resolve(["purse", "pytest"])
    assert not touched.exists()


def test_a_requirement_with_an_address_is_never_followed(index: FolderIndex, tmp_path: Path) -> None:
    touched = tmp_path / "executed"
    index.add("purse", "1.0", {"setup.py": f"open({str(touched)!r}, 'w')\n"})
    address = (index.folder / "purse-1.0.tar.gz").as_uri()
    with pytest.raises(Rejected, match="needs purse from an address") as caught:
        make_recipe(tree(ABOUT + f"Requires-Dist: purse @ {address}\n"), SOURCE)
    assert caught.value.code == "no_environment"
    for_tests = tree(
        ABOUT + f"Requires-Dist: purse @ {address} ; extra == 'test'\n",
        **{"tests/test_shop.py": "import purse\n"},
    )
    assert make_recipe(for_tests, SOURCE).needs.pip == ("pluggy==1.5", "pytest==9.0")
    assert not touched.exists()


def test_pip_is_asked_once_for_one_set_of_requirements(index: FolderIndex) -> None:
    first = resolve(["pytest"])
    index.add_wheel("pytest", "9.9")
    assert resolve(iter(["pytest"])) == first == ("pluggy==1.5", "pytest==9.0")
    assert resolve(["pytest>9"]) == ("pytest==9.9",)


@pytest.mark.parametrize(
    ("metadata", "complaint"),
    [
        ("", "names no package and version"),
        ("Name: shop\n", "names no package and version"),
        ("Name: ../shop\nVersion: 1\n", "its name"),
        (f"Name: {'x' * 65}\nVersion: 1\n", "should match pattern"),
        ("Name: shop\nVersion: 1/../../x\n", "its version"),
        ("Name: shop\nVersion: 1\nRequires-Dist: purse ><\n", "a requirement"),
        ("Name: shop\nVersion: 1\nRequires-Dist: -r /etc/passwd\n", "a requirement"),
        ("Name: shop\nVersion: 1\nRequires-Dist: purse; os_nam == 'x'\n", "a requirement"),
        ("\0\xff" * 90, "names no package and version"),
    ],
)
def test_metadata_that_cannot_be_used_is_told(metadata: str, complaint: str) -> None:
    with pytest.raises(Rejected, match=complaint) as caught:
        make_recipe(tree(metadata), SOURCE)
    assert caught.value.code == "unreadable"


def test_a_marker_that_compares_nothing_comparable_is_told_or_true_to_its_words(index: FolderIndex) -> None:
    index.add_wheel("purse", "1.0")
    odd = tree(ABOUT + "Requires-Dist: purse; os_name >= 'a' and platform_release ~= 'x'\n")
    with pytest.raises(Rejected) as caught:
        make_recipe(odd, SOURCE)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"tests/test_shop.py": None}, "no_tests"),
        ({"shop/__init__.py": None}, "no_source"),
        ({"shop/fast.pyx": ""}, "not_pure"),
        ({"src/fast.c": ""}, "not_pure"),
        ({"PKG-INFO": None}, "unreadable"),
    ],
)
def test_what_is_no_package_for_tasks_is_told(changed: Mapping[str, str | None], code: str) -> None:
    files: dict[str, str | None] = {**FILES, "PKG-INFO": ABOUT, **changed}
    kept = Tree({path: File(text.encode()) for path, text in files.items() if text is not None})
    with pytest.raises(Rejected) as caught:
        make_recipe(kept, SOURCE)
    assert caught.value.code == code


def test_what_tests_compile_does_not_matter(index: FolderIndex) -> None:
    assert make_recipe(tree(**{"tests/example.c": ""}), SOURCE).name == "shop"


def test_words_of_a_package_are_cleaned_and_short(index: FolderIndex) -> None:
    recipe = make_recipe(tree(ABOUT.replace("MIT", "\x1b[31mMIT\x1b[0m " + "x" * 900)), SOURCE)
    assert recipe.license.startswith("MIT xxx")
    assert len(recipe.license) <= 80


def test_an_installation_is_left_for_those_who_ask_for_the_version(index: FolderIndex) -> None:
    whole = tree(**{"src/shop/__init__.py": "", "shop/__init__.py": "x = 1\n"})
    recipe = make_recipe(whole, SOURCE)
    found = with_metadata(whole, recipe)
    (added,) = set(found) - set(whole)
    assert added == "shop-1.0.dist-info/METADATA"
    assert found[added].data == ABOUT.encode()
    assert with_metadata(found, recipe) == found


def test_modules_lie_at_the_top_or_in_src() -> None:
    paths = [
        "src/shop/__init__.py",
        "src/purse.py",
        "lib/a/b.py",
        "top.py",
        "data/x.py",
        "setup.py",
        "tests/a.py",
    ]
    found = import_roots(Tree({path: File(b"") for path in paths}))
    assert set(found) == {("src", "shop"), ("src", "purse"), ("", "top")}
