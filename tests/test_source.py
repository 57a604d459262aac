"""Where the source of a recipe comes from."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
from collections.abc import Mapping
from pathlib import Path

import pytest
from git import Actor, Repo

from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import parse_manifest
from deepgym_envs.recipe import RepoRecipe, load_recipe
from deepgym_envs.source import source_tree
from deepgym_envs.state import File, Tree
from deepgym_envs.testing import make_recipe

pytestmark = pytest.mark.usefixtures("cache")


def recipe(source: Mapping[str, str]) -> RepoRecipe:
    data = {"name": "tiny", "summary": "x", "license": "MIT", "source": dict(source)}
    return parse_manifest(data, RepoRecipe, "recipe")


# -------------------------------------------------------------------------------------------------- bundled


def test_a_bundled_source_is_the_folder_beside_the_recipe(tmp_path: Path) -> None:
    make_recipe(tmp_path / "tiny", source={"a.py": "x", "bin/run": File(b"run", executable=True)})
    tree = source_tree(load_recipe("tiny", tmp_path))
    assert dict(tree) == {"a.py": File(b"x"), "bin/run": File(b"run", executable=True)}


def test_a_bundled_source_that_is_missing_or_holds_a_link_is_the_tasks_fault(tmp_path: Path) -> None:
    make_recipe(tmp_path / "tiny", source={})
    (tmp_path / "tiny" / "src" / "link").symlink_to("/etc")
    with pytest.raises(TaskError, match="only regular files and folders"):
        source_tree(load_recipe("tiny", tmp_path))
    (tmp_path / "tiny" / "src").rename(tmp_path / "tiny" / "source")
    with pytest.raises(TaskError, match="a bundled repository lies in src/"):
        source_tree(load_recipe("tiny", tmp_path))


# ------------------------------------------------------------------------------------------------------ git


@pytest.fixture
def upstream(tmp_path: Path) -> Repo:
    """A repository with two commits, a branch that is not checked out, and rules that would change an archive."""
    repo = Repo.init(tmp_path / "upstream", initial_branch="main")
    commit(
        repo,
        {
            "a.py": "one\n",
            ".gitattributes": "* text=auto ident\nhidden.py export-ignore\na.py export-subst\n",
        },
    )
    commit(repo, {"a.py": "$Id$ $Format:%H$ two\n", "hidden.py": "kept\n", "crlf.txt": "x\r\n"})
    (tmp_path / "upstream" / "run").symlink_to("a.py")
    repo.index.add(["run"])
    repo.git.branch("side")
    return repo


def commit(repo: Repo, files: Mapping[str, str]) -> str:
    for path, text in files.items():
        Path(repo.working_dir, path).write_bytes(text.encode())
    repo.index.add(list(files))
    me = Actor("Test", "test@localhost")
    return repo.index.commit("A secret of the future", author=me, committer=me).hexsha


def git_recipe(repo: Repo, sha: str) -> RepoRecipe:
    return recipe({"kind": "git", "url": str(repo.working_dir), "commit": sha})


def test_a_git_source_is_the_commit_and_nothing_of_its_history(upstream: Repo) -> None:
    first, second = upstream.commit("HEAD~1").hexsha, upstream.commit("HEAD").hexsha
    assert source_tree(git_recipe(upstream, first))["a.py"] == File(b"one\n")
    tree = source_tree(git_recipe(upstream, second))
    assert sorted(tree) == [".gitattributes", "a.py", "crlf.txt", "hidden.py"]
    assert not any(b"secret of the future" in file.data for file in tree.values())


def test_attributes_of_a_repository_leave_nothing_out_and_change_nothing(upstream: Repo) -> None:
    tree = source_tree(git_recipe(upstream, upstream.commit("HEAD").hexsha))
    assert tree["a.py"].data == b"$Id$ $Format:%H$ two\n"
    assert tree["hidden.py"].data == b"kept\n"
    assert tree["crlf.txt"].data == b"x\r\n"


def test_a_commit_made_after_the_first_download_is_fetched(upstream: Repo) -> None:
    source_tree(git_recipe(upstream, upstream.commit("HEAD").hexsha))
    upstream.git.checkout("side", force=True)
    third = commit(upstream, {"new.py": "new\n"})
    assert "new.py" in source_tree(git_recipe(upstream, third))


def test_what_was_downloaded_is_kept(upstream: Repo, tmp_path: Path) -> None:
    wanted = git_recipe(upstream, upstream.commit("HEAD").hexsha)
    tree = source_tree(wanted)
    (tmp_path / "upstream").rename(tmp_path / "moved")
    assert source_tree(wanted) == tree


def test_a_wrong_commit_is_the_tasks_fault(upstream: Repo) -> None:
    with pytest.raises(TaskError, match=r"has no commit 0{40}; correct source.commit$"):
        source_tree(git_recipe(upstream, "0" * 40))


def test_a_repository_that_is_not_there_is_the_tasks_fault(tmp_path: Path, cache: Path) -> None:
    wanted = recipe({"kind": "git", "url": str(tmp_path / "nowhere"), "commit": "0" * 40})
    with pytest.raises(TaskError, match="nowhere: git could not fetch it"):
        source_tree(wanted)
    assert list((cache / "git").iterdir()) == []


def test_a_download_that_was_interrupted_is_not_used(upstream: Repo, cache: Path) -> None:
    wanted = git_recipe(upstream, upstream.commit("HEAD").hexsha)
    key = hashlib.sha256(str(upstream.working_dir).encode()).hexdigest()[:32]
    # What a kill leaves: a clone that has begun, under the name that it had then.
    half = cache / "git" / "part-x" / "clone"
    half.mkdir(parents=True)
    (half / "HEAD").write_text("ref: refs/heads/main\n")
    assert "a.py" in source_tree(wanted)
    assert Repo(cache / "git" / key).git.cat_file("-t", "HEAD") == "commit"


def test_many_may_ask_for_one_repository_at_once(upstream: Repo) -> None:
    wanted = git_recipe(upstream, upstream.commit("HEAD").hexsha)
    found: list[Tree] = []
    threads = [threading.Thread(target=lambda: found.append(source_tree(wanted))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1


# ---------------------------------------------------------------------------------------------------- sdist


def pack(place: Path, files: Mapping[str, bytes]) -> str:
    """Write a source release; its SHA-256."""
    with tarfile.open(place, "w:gz") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), 0o755 if path.endswith("run") else 0o644
            tar.addfile(entry, io.BytesIO(data))
        link = tarfile.TarInfo("tinydist-1.0/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return hashlib.sha256(place.read_bytes()).hexdigest()


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A folder that pip takes packages from, with one source release, and its SHA-256."""
    folder = tmp_path / "index"
    folder.mkdir()
    sha256 = pack(
        folder / "tinydist-1.0.tar.gz",
        {
            "tinydist-1.0/PKG-INFO": b"Metadata-Version: 2.1\nName: tinydist\nVersion: 1.0\n",
            "tinydist-1.0/setup.py": b"raise SystemExit('executed')\n",
            "tinydist-1.0/tinydist.py": b"x = 1\n",
            "tinydist-1.0/bin/run": b"#!/bin/sh\n",
            "tinydist-1.0/tinydist.pyc": b"cache",
        },
    )
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return folder, sha256


def sdist_recipe(sha256: str, name: str = "tinydist") -> RepoRecipe:
    return recipe({"kind": "sdist", "name": name, "version": "1.0", "sha256": sha256})


def test_a_source_release_is_downloaded_once_and_unpacked(index: tuple[Path, str]) -> None:
    folder, sha256 = index
    tree = source_tree(sdist_recipe(sha256))
    assert sorted(tree) == ["PKG-INFO", "bin/run", "setup.py", "tinydist.py"]
    assert tree["bin/run"].executable
    (folder / "tinydist-1.0.tar.gz").unlink()
    assert source_tree(sdist_recipe(sha256)) == tree


def test_a_source_release_with_another_digest_is_refused(index: tuple[Path, str], cache: Path) -> None:
    with pytest.raises(TaskError, match=r"tinydist==1.0: the package index has another file"):
        source_tree(sdist_recipe("0" * 64))
    assert not any(path.is_file() for path in (cache / "sdists").rglob("*"))


def test_a_kept_release_that_was_damaged_is_downloaded_again(index: tuple[Path, str], cache: Path) -> None:
    _, sha256 = index
    tree = source_tree(sdist_recipe(sha256))
    (cache / "sdists" / f"{sha256}.tar.gz").write_bytes(b"damaged")
    assert source_tree(sdist_recipe(sha256)) == tree


def test_a_package_that_is_not_there_is_the_tasks_fault(index: tuple[Path, str]) -> None:
    with pytest.raises(TaskError, match=r"nosuchdist==1.0: no package index has a source release"):
        source_tree(sdist_recipe("0" * 64, name="nosuchdist"))


def test_a_release_whose_paths_lead_outside_is_refused(cache: Path) -> None:
    (cache / "sdists").mkdir(parents=True)
    sha256 = pack(cache / "evil.tar.gz", {"tinydist-1.0/../../x": b"x"})
    (cache / "evil.tar.gz").rename(cache / "sdists" / f"{sha256}.tar.gz")
    with pytest.raises(TaskError, match=r"the source release is unusable: .*'..' part"):
        source_tree(sdist_recipe(sha256))
