"""Candidates from the commits of a repository."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path

import pytest
from git import Actor, Repo

from deepgym_envs import load_suite
from deepgym_envs.errors import UsageError
from deepgym_envs.generate import Candidate, Refusal, settle
from deepgym_envs.generate import environment as environment_module
from deepgym_envs.generate.history import history
from deepgym_envs.sandbox import Backend
from deepgym_envs.state import File
from deepgym_envs.task_writer import write_task
from deepgym_envs.testing import FakeBackend
from deepgym_envs.validation import validate

from ..audit.place import somewhere  # noqa: TID252
from ..releases import FolderIndex  # noqa: TID252
from ..tiny import tiny_tests  # noqa: TID252
from .place import index
from .shop import OLD_TESTS, RECIPE, RIGHT, TESTS, WRONG

FIXTURES = (somewhere, index)
ABOUT = '[project]\nname = "shop"\nversion = "1.0"\nlicense = "MIT"\n'
START = {"pyproject.toml": ABOUT, "shop.py": WRONG, "tests/test_old.py": OLD_TESTS}
MESSAGE = "Add every price: SECRET-OF-THE-MESSAGE"
NOBODY = FakeBackend(tiny_tests)
"""For commits that run nothing."""


class Upstream:
    """A repository that grows."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.repo = Repo.init(folder, initial_branch="main")
        self.me = Actor("Test", "test@localhost")

    def commit(self, files: Mapping[str, str | bytes | None], message: str = "Change") -> str:
        for path, content in files.items():
            place = self.folder / path
            if content is None:
                place.unlink()
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content.encode() if isinstance(content, str) else content)
        self.repo.git.add("--all")
        return self.repo.index.commit(message, author=self.me, committer=self.me).hexsha

    def seen(
        self, backend: Backend = NOBODY, *, most_commits: int = 99, most_runs: int = 12
    ) -> list[Candidate | Refusal]:
        return list(history(str(self.folder), backend, most_commits=most_commits, most_runs=most_runs))

    def newest(self) -> Candidate | Refusal:
        """What the last commit gives, of which no test is run."""
        return next(history(str(self.folder), NOBODY, most_commits=1, most_runs=0))


@pytest.fixture
def upstream(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Upstream]:
    if "index" not in request.fixturenames:  # which has a cache of its own
        request.getfixturevalue("cache")
    made = Upstream(tmp_path / "shop")
    made.commit(START)
    yield made
    made.repo.close()


@pytest.fixture
def resolved(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderIndex:
    """An index that has pytest, so that environments are found."""
    index = FolderIndex(tmp_path / "index")
    for name, value in index.environment.items():
        monkeypatch.setenv(name, value)
    index.add_wheel("pytest", "9.0")
    return index


def code(given: Candidate | Refusal) -> str:
    return given.why.code if isinstance(given, Refusal) else "accepted"


def test_a_commit_becomes_the_tree_before_the_source_change_and_the_tests(
    upstream: Upstream, resolved: FolderIndex
) -> None:
    upstream.commit(
        {"shop.py": RIGHT, "tests/test_shop.py": TESTS, "README.md": "new", "tests/data.txt": "1"}, MESSAGE
    )
    found = upstream.newest()
    assert isinstance(found, Candidate)
    assert found.solution.changes == {"shop.py": File(RIGHT.encode())}
    assert found.base["shop.py"].data.decode() == WRONG
    assert set(found.base) == {*START, "shop-1.0.dist-info/METADATA"}
    assert set(found.hidden) == {"tests/test_shop.py", "tests/data.txt"}
    assert (found.kind, found.instruction, found.title) == ("bug", "", "")
    assert (found.recipe.needs.pip, found.recipe.license) == (("pytest==9.0",), "MIT")


@pytest.mark.bwrap
@pytest.mark.slow
def test_a_commit_becomes_a_task_without_anything_of_the_future(
    upstream: Upstream,
    index: FolderIndex,
    somewhere: Backend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(environment_module, "resolve", lambda _: RECIPE.needs.pip)
    right = RIGHT.replace('"games": 19}', '"games": 19, "pens": 7}') + "\n\nUNUSED = 'NOT-NEEDED'\n"
    fix = upstream.commit({"shop.py": right, "tests/test_shop.py": TESTS}, MESSAGE)
    later = upstream.commit(
        {"shop.py": right + "LATER = 'OF-THE-FUTURE'\n", "later.txt": "OF-THE-FUTURE"}, "OF-THE-FUTURE"
    )
    last, found, root = upstream.seen(somewhere)
    assert (code(last), code(root)) == ("no_tests", "no_release")
    assert isinstance(found, Candidate)
    assert (found.proof["hunks"], found.proof["hunks_needed"]) == (3, 1)
    assert found.solution.changes == {"shop.py": File(RIGHT.encode())}
    task = settle(found, "git", somewhere, repeats=1).task
    write_task(task, tmp_path / "git")
    (again,) = load_suite(tmp_path / "git")
    assert validate(again, backend=somewhere, repeats=1).clean
    given = [again.recipe.model_dump_json(), again.instruction, again.manifest.model_dump_json(), *again.base]
    told = b"\0".join([*(file.data for file in again.base.values()), *(text.encode() for text in given)])
    for secret in (
        "SECRET-OF-THE-MESSAGE",
        "OF-THE-FUTURE",
        "NOT-NEEDED",
        "result += price",
        fix,
        fix[:10],
        later,
    ):
        assert secret.encode() not in told
    written = b"".join(path.read_bytes() for path in (tmp_path / "git").rglob("*") if path.is_file())
    assert b"SECRET-OF-THE-MESSAGE" not in written
    assert b"OF-THE-FUTURE" not in written


def test_a_merge_counts_as_what_it_brought(upstream: Upstream, resolved: FolderIndex) -> None:
    git = upstream.repo.git
    git.checkout("-b", "side")
    upstream.commit({"shop.py": RIGHT})
    upstream.commit({"tests/test_shop.py": TESTS})
    git.checkout("main")
    upstream.commit({"notes.txt": "x"})
    git.execute(
        ["git", "-c", "user.name=x", "-c", "user.email=x@x", "merge", "--no-ff", "-m", "Merge", "side"]
    )
    found = upstream.seen(most_runs=0)
    assert [code(each) for each in found] == ["accepted", "no_change", "no_release"]
    assert isinstance(found[0], Candidate)
    assert set(found[0].solution.changes) == {"shop.py"}
    assert "notes.txt" in found[0].base


WITH_TESTS = {"tests/test_shop.py": TESTS}
LONG = "".join(f"x{number} = {number}\n" for number in range(200))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"tests/test_shop.py": TESTS}, "no_change"),
        ({"shop.py": RIGHT}, "no_tests"),
        ({"shop.py": RIGHT, "tests/test_old.py": None}, "no_tests"),
        ({"shop.py": '"""Words."""\n# More.\n' + WRONG, **WITH_TESTS}, "no_change"),
        ({"shop.py": WRONG + LONG, **WITH_TESTS}, "too_large"),
        ({"shop.py": WRONG + f"x = {'y' * 10_000!r}\n", **WITH_TESTS}, "too_large"),
        ({"shop.py": WRONG + "#" * (1 << 21), **WITH_TESTS}, "too_large"),
        ({**{f"m{number}.py": "x = 1\n" for number in range(5)}, **WITH_TESTS}, "too_large"),
        ({**{f"data/{number}": "" for number in range(1_100)}, "shop.py": RIGHT, **WITH_TESTS}, "too_large"),
        ({"shop.py": b"\0\1" * 99, **WITH_TESTS}, "unreadable"),
        ({"shop.py": "def f(:\n", **WITH_TESTS}, "unreadable"),
        ({"shop.py": RIGHT.encode() + b"x = '\xff'\n", **WITH_TESTS}, "unreadable"),
        (
            {"shop.py": "version https://git-lfs.github.com/spec/v1\noid sha256:0\n", **WITH_TESTS},
            "unreadable",
        ),
        ({"shop.py": RIGHT, "pyproject.toml": "not toml [", **WITH_TESTS}, "unreadable"),
        ({"shop.py": RIGHT, "pyproject.toml": None, **WITH_TESTS}, "unreadable"),
        (
            {"shop.py": RIGHT, "pyproject.toml": ABOUT + 'dependencies = ["nosuchdist"]\n', **WITH_TESTS},
            "no_environment",
        ),
        ({"shop.py": RIGHT, "fast.pyx": "", **WITH_TESTS}, "not_pure"),
        ({"shop.py": RIGHT.replace("\n", "\r\n"), **WITH_TESTS}, "accepted"),
        ({"shop.py": b"# -*- coding: latin-1 -*-\nx = '\xe4'\n" + RIGHT.encode(), **WITH_TESTS}, "accepted"),
        ({"shop.py": None, "store.py": RIGHT, **WITH_TESTS}, "accepted"),
        ({"shop.py": RIGHT, "data/größe": b"\xff\0", "data/image.png": b"\0" * 9, **WITH_TESTS}, "accepted"),
    ],
)
def test_every_commit_is_a_candidate_or_counted_with_its_reason(
    upstream: Upstream, resolved: FolderIndex, change: Mapping[str, str | bytes | None], expected: str
) -> None:
    upstream.commit(change)
    assert code(upstream.newest()) == expected


def test_a_file_that_was_renamed_goes_and_comes(upstream: Upstream, resolved: FolderIndex) -> None:
    upstream.commit({"shop.py": None, "store.py": RIGHT, **WITH_TESTS})
    found = upstream.newest()
    assert isinstance(found, Candidate)
    assert found.solution.changes == {"shop.py": None, "store.py": File(RIGHT.encode())}
    assert found.kind == "cross-module-bug"


def test_links_and_submodules_are_no_files(upstream: Upstream, resolved: FolderIndex) -> None:
    (upstream.folder / "link.py").symlink_to("/etc/passwd")
    upstream.commit({"shop.py": RIGHT, **WITH_TESTS})
    assert code(upstream.newest()) == "unreadable"
    upstream.repo.git.update_index("--add", "--cacheinfo", f"160000,{'1' * 40},vendored")
    Path(upstream.folder, "shop.py").write_text(WRONG)
    Path(upstream.folder, "tests/test_shop.py").write_text(TESTS + "\n")
    upstream.repo.index.add(["shop.py", "tests/test_shop.py"])
    upstream.repo.git.execute(["git", "-c", "user.name=x", "-c", "user.email=x@x", "commit", "-m", "Vendor"])
    found = upstream.newest()
    assert isinstance(found, Candidate)
    assert not {"link.py", "vendored"} & set(found.base)


def test_a_setup_file_is_read_and_never_run(
    upstream: Upstream, resolved: FolderIndex, tmp_path: Path
) -> None:
    touched = tmp_path / "executed"
    setup = f"open({str(touched)!r}, 'w')\nNEEDS = ['purse>=1']\nsetup(name='shop', install_requires=NEEDS)\n"
    resolved.add_wheel("purse", "1.0")
    upstream.commit({"shop.py": RIGHT, "pyproject.toml": None, "setup.py": setup, **WITH_TESTS})
    found = upstream.newest()
    assert isinstance(found, Candidate)
    assert found.recipe.needs.pip == ("purse==1.0", "pytest==9.0")
    assert not touched.exists()


def test_commits_of_one_environment_share_a_recipe(upstream: Upstream, resolved: FolderIndex) -> None:
    resolved.add_wheel("purse", "1.0")
    upstream.commit({"shop.py": RIGHT, **WITH_TESTS})
    upstream.commit({"shop.py": WRONG, "tests/test_shop.py": TESTS + "\n"})
    upstream.commit(
        {
            "shop.py": RIGHT,
            "pyproject.toml": ABOUT + 'dependencies = ["purse"]\n',
            "tests/test_shop.py": TESTS,
        }
    )
    third, second, first = [each for each in upstream.seen(most_runs=0) if isinstance(each, Candidate)]
    assert second.recipe == first.recipe
    assert third.recipe.name != first.recipe.name
    assert [each.name.partition("-")[0] for each in (third, second, first)] == ["shop"] * 3


def test_a_commit_that_comes_later_is_seen_and_no_more_than_asked_for(upstream: Upstream) -> None:
    assert len(upstream.seen()) == 1
    for number in range(5):
        upstream.commit({"notes.txt": str(number)})
    assert [code(each) for each in upstream.seen(most_commits=3)] == ["no_change"] * 3
    assert len(upstream.seen()) == 6
    assert len(list(islice(history(str(upstream.folder), NOBODY), 2))) == 2


def test_a_shallow_clone_is_refused_until_it_is_whole(upstream: Upstream, tmp_path: Path) -> None:
    upstream.commit({"notes.txt": "x"})
    shallow = tmp_path / "shallow"
    Repo.clone_from(upstream.folder.as_uri(), shallow, depth=1).close()
    with pytest.raises(UsageError, match=r"is a shallow clone, .*run 'git fetch --unshallow'"):
        list(history(str(shallow), NOBODY))
    subprocess.run(["git", "-C", str(shallow), "fetch", "--unshallow", "--quiet"], check=True)
    assert [code(each) for each in history(str(shallow), NOBODY)] == ["no_change", "no_release"]


@pytest.mark.parametrize(
    "url", ["nowhere", "ext::sh -c true", "--upload-pack=x", "https:///", "git@host:x", ""]
)
def test_what_is_no_repository_is_told(
    url: str, tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError):
        list(history(url, NOBODY))


def test_a_folder_that_is_no_repository_or_empty_is_told(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "plain").mkdir()
    Repo.init(tmp_path / "empty").close()
    for name in ("plain", "empty"):
        with pytest.raises(UsageError):
            list(history(str(tmp_path / name), NOBODY))


def test_a_branch_or_tag_may_be_named_and_one_that_is_not_there_is_told(upstream: Upstream) -> None:
    upstream.repo.create_tag("v1")
    upstream.commit({"notes.txt": "x"})
    assert len(list(history(str(upstream.folder), NOBODY, rev="v1"))) == 1
    for rev in ("v2", "--all", "", "HEAD:shop.py", "\0"):
        with pytest.raises(UsageError, match=r"has no commit|no commit is called"):
            list(history(str(upstream.folder), NOBODY, rev=rev))
