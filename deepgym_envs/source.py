"""Gets the source of a recipe as a tree: bundled, from a source release, or from a commit."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from pathlib import Path
from typing import Any

from deepgym_envs.errors import TaskError, UsageError
from deepgym_envs.git_library import git_library
from deepgym_envs.lock import exclusive
from deepgym_envs.owner import scratch_folder
from deepgym_envs.package_index import fetch
from deepgym_envs.patch import RAW_ATTRIBUTES
from deepgym_envs.paths import cache_dir
from deepgym_envs.recipe import BundledSource, GitSource, RepoRecipe, SdistSource
from deepgym_envs.state import File, Tree, is_state_path

_MOST_UNPACKED = 512 << 20


def source_tree(recipe: RepoRecipe) -> Tree:
    """All files of the repository that ``recipe`` describes, without any history.

    Downloads are kept in the cache folder and checked against the recipe each time.

    Raises:
        TaskError: the source cannot be had or is not what the recipe says.
    """
    source = recipe.source
    if isinstance(source, BundledSource):
        folder = recipe.folder / "src"
        if not folder.is_dir():
            raise TaskError(f"{folder}: there is no such folder; a bundled repository lies in src/")
        try:
            return Tree.from_folder(folder)
        except ValueError as error:
            raise TaskError(str(error)) from None
    return fetched_tree(source)


def fetched_tree(source: SdistSource | GitSource) -> Tree:
    """All files of a source release, or of a commit; raises ``TaskError`` as ``source_tree`` does."""
    return release_tree(source) if isinstance(source, SdistSource) else _from_git(source)


def is_here(source: BundledSource | SdistSource | GitSource) -> bool:
    """Whether nothing has to be downloaded to have it; of a repository, whether it was ever cloned."""
    if isinstance(source, SdistSource):
        return (cache_dir() / "sdists" / f"{source.sha256}.tar.gz").is_file()
    return isinstance(source, BundledSource) or _clone_of(source.url).is_dir()


def release_tree(source: SdistSource) -> Tree:
    """All files of a source release.

    Raises:
        TaskError: it cannot be had, or is not what ``source`` says.
    """
    kept = cache_dir() / "sdists" / f"{source.sha256}.tar.gz"
    try:
        if not kept.is_file() or hashlib.sha256(kept.read_bytes()).hexdigest() != source.sha256:
            data = fetch(source.name, source.version, source.sha256)
            kept.parent.mkdir(parents=True, exist_ok=True)
            with scratch_folder("sdist", kept.parent) as scratch:
                whole = Path(scratch, kept.name)
                whole.write_bytes(data)
                whole.replace(kept)
        return _unpack(kept, strip=True)
    except UsageError as error:
        raise TaskError(str(error)) from None
    except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError) as error:
        raise TaskError(f"{source.name}=={source.version}: the source release is unusable: {error}") from None


def _unpack(archive: Path, *, strip: bool) -> Tree:
    """Regular files of a tar archive; links and devices are left out, paths are checked by the tree."""
    files: dict[str, File] = {}
    room = _MOST_UNPACKED
    with tarfile.open(archive) as tar:
        for member in tar:
            room -= member.size
            if room < 0:
                raise ValueError(f"it holds more than {_MOST_UNPACKED >> 20} MiB")
            path = member.name.partition("/")[2] if strip else member.name
            if not member.isfile() or not path or not is_state_path(path):
                continue
            content = tar.extractfile(member)
            if content is not None:
                files[path] = File(content.read(), bool(member.mode & 0o100))
    return Tree(files)


def _from_git(source: GitSource) -> Tree:
    url = source.url
    try:
        with exclusive(url), git_library().Repo(bare_clone(url)) as repo:
            git = repo.git
            if not _has_commit(git, source.commit):
                git.fetch("--force", "origin", "+refs/*:refs/*")
            if not _has_commit(git, source.commit):
                raise TaskError(f"{url}: has no commit {source.commit}; correct source.commit")
            with scratch_folder("git") as scratch:
                archive = Path(scratch) / "source.tar"
                git.archive(source.commit, format="tar", output=str(archive))
                return _unpack(archive, strip=False)
    except TaskError:
        raise
    except git_library().exc.GitError as error:
        raise _not_fetched(url, error) from None
    except ValueError as error:
        raise TaskError(f"{url}@{source.commit}: {error}") from None


def full_commit(url: str, beginning: str) -> str:
    """The commit of the repository at ``url`` whose name begins so, as 40 hexadecimal digits.

    Raises:
        TaskError: there is none, or more than one, or git could not fetch the repository.
    """
    try:
        with exclusive(url), git_library().Repo(bare_clone(url)) as repo:
            status, said, _ = repo.git.rev_parse(
                "--verify",
                "--quiet",
                f"{beginning}^{{commit}}",
                with_extended_output=True,
                with_exceptions=False,
            )
    except git_library().exc.GitError as error:
        raise _not_fetched(url, error) from None
    if status != 0:
        raise TaskError(f"{url}: has no single commit {beginning}")
    return str(said)


def _not_fetched(url: str, error: Exception) -> TaskError:
    said = str(error).strip().splitlines()[-1:]
    return TaskError(f"{url}: git could not fetch it: {' '.join(said)}")


def bare_clone(url: str) -> Path:
    """The bare clone of ``url`` in the cache; it gets its name only once it is whole.

    Whoever asks holds the lock of that name (``exclusive(url)``). Raises what GitPython does.
    """
    clone = _clone_of(url)
    if not clone.is_dir():
        clone.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder("clone", clone.parent) as scratch:
            part = Path(scratch) / "clone"
            git_library().Repo.clone_from(url, part, bare=True).close()
            (part / "info").mkdir(exist_ok=True)
            (part / "info" / "attributes").write_text(RAW_ATTRIBUTES)
            part.rename(clone)
    return clone


def _clone_of(url: str) -> Path:
    return cache_dir() / "git" / hashlib.sha256(url.encode()).hexdigest()[:32]


def _has_commit(git: Any, commit: str) -> bool:
    status, _, _ = git.cat_file(
        "-e", f"{commit}^{{commit}}", with_extended_output=True, with_exceptions=False
    )
    return bool(status == 0)
