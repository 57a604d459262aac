"""How a repository becomes a place to work in: what it needs, where its source comes from, how it is
tested."""

from __future__ import annotations

import difflib
import hashlib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, PrivateAttr, SerializerFunctionWrapHandler, model_serializer

from deepgym_envs.errors import TaskError, UnknownTask
from deepgym_envs.manifest import Manifest, read_manifest
from deepgym_envs.paths import data_dir
from deepgym_envs.state import check_path

_PIP_PIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(\[[A-Za-z0-9._,-]+\])?==[A-Za-z0-9.!+_-]+")
_APT_PIN = re.compile(r"[a-z0-9][a-z0-9+.-]+(=[A-Za-z0-9.+:~-]+)?")
_PYTHON_WANTED = re.compile(r"(>=|==)?3\.\d+(,<3\.\d+)?")
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
# Pinned and whole, as a recipe must be, and the Pythons that they run on.
PYTEST_PINS = ("pytest==9.2.0", "iniconfig==2.3.1", "packaging==26.3", "pluggy==1.7.0", "pygments==2.21.0")
PYTEST_PYTHON = ">=3.10"


def _pinned(need: str) -> str:
    if not _PIP_PIN.fullmatch(need):
        raise ValueError('write "name==version", so that the environment is the same tomorrow')
    return need


def _apt(need: str) -> str:
    if not _APT_PIN.fullmatch(need):
        raise ValueError('write a Debian package as "name" or "name=version"')
    return need


def _python(wanted: str) -> str:
    if not _PYTHON_WANTED.fullmatch(wanted):
        raise ValueError('write the versions wanted as ">=3.9", "==3.11" or ">=3.9,<3.13"')
    return wanted


def _folder(path: str) -> str:
    return path if path == "." else check_path(path)


class BundledSource(Manifest):
    """The repository lies beside its recipe, in ``src/``."""

    kind: Literal["bundled"]


class SdistSource(Manifest):
    """A source release of a package, from whatever index pip is set up with."""

    kind: Literal["sdist"]
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: Annotated[str, Field(pattern=r"^[A-Za-z0-9.!+_-]+$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class GitSource(Manifest):
    """One commit of a git repository; nothing of its history goes into a box."""

    kind: Literal["git"]
    url: Annotated[str, Field(pattern=r"^(https?://|file:///|/)\S+$")]
    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class Needs(Manifest):
    """Debian and Python packages, the latter complete and pinned: nothing else is installed.

    ``image`` names an image of somebody else's that holds the environment instead, as tasks of data sets have
    it. No backend can use one yet, and each says so.
    """

    apt: tuple[Annotated[str, AfterValidator(_apt)], ...] = ()
    pip: tuple[Annotated[str, AfterValidator(_pinned)], ...] = ()
    image: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,299}$")] | None = None

    @model_serializer(mode="wrap")
    def _without_nothing(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        # Digests of tasks and environments are over what is written here.
        said: dict[str, Any] = write(self)
        return {key: value for key, value in said.items() if value is not None}


class Install(Manifest):
    """What makes the repository importable, beyond its needs.

    ``pythonpath`` holds folders of the repository that go on the import path. ``commands`` run once while the
    image is built, in the repository's root and without a network, each an argument list.
    """

    pythonpath: tuple[Annotated[str, AfterValidator(_folder)], ...] = ()
    commands: tuple[tuple[str, ...], ...] = ()


class TestSuite(Manifest):
    """The visible suite: files or folders for pytest, and the pytest plugins (module names) that it needs.

    ``addopts``: whether the options in the repository's own configuration of pytest count; they had better
    not where they ask for coverage, or for what writes files.
    ``preload`` names modules of the repository's needs that tests may find imported already when they are
    started warm. They must not start threads, nor draw random numbers when they are imported; pytest plugins
    are not for it, since pytest rewrites their assertions as it imports them.
    """

    __test__ = False

    paths: tuple[Annotated[str, AfterValidator(_folder)], ...] = ("tests",)
    plugins: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")], ...] = ()
    preload: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*$")], ...] = ()
    addopts: bool = True

    @property
    def options(self) -> tuple[str, ...]:
        """What pytest is told before what to run."""
        return () if self.addopts else ("-o", "addopts=")


class RepoRecipe(Manifest):
    """A repository as data; what differs between repositories stands here and nowhere in code."""

    name: Annotated[str, Field(pattern=f"^{_NAME.pattern}$")]
    summary: str
    license: str
    python: Annotated[str, AfterValidator(_python)] = ">=3.9"
    source: BundledSource | SdistSource | GitSource = Field(discriminator="kind")
    needs: Needs = Needs()
    install: Install = Install()
    test: TestSuite = TestSuite()

    _folder: Path | None = PrivateAttr(default=None)

    @property
    def folder(self) -> Path:
        """Where the recipe was read from; raises ``TaskError`` for one that was not read from a folder."""
        if self._folder is None:
            raise TaskError(f"recipe {self.name!r} was not read from a folder, so it has no bundled source")
        return self._folder

    @property
    def environment_digest(self) -> str:
        """SHA-256 over what decides the environment below the source: Python, needs, install; 64 digits."""
        said = self.model_dump_json(include={"python", "needs", "install"})
        return hashlib.sha256(b"environment 1\n" + said.encode()).hexdigest()

    def accepts_python(self, version: tuple[int, int]) -> bool:
        """Whether the repository runs on that Python, for example ``(3, 11)``.

        >>> recipe = RepoRecipe(name="x", summary="", license="MIT", python=">=3.9,<3.13",
        ...                     source=BundledSource(kind="bundled"))
        >>> recipe.accepts_python((3, 11)), recipe.accepts_python((3, 13))
        (True, False)
        """
        for part in self.python.split(","):
            sign, number = re.fullmatch(r"(>=|==|<)?3\.(\d+)", part).groups()  # type: ignore[union-attr]
            minor = int(number)
            if version[0] != 3:
                return False
            good = {">=": version[1] >= minor, "<": version[1] < minor}.get(sign or "", version[1] == minor)
            if not good:
                return False
        return True


def load_recipe(name: str, repos: Path | None = None) -> RepoRecipe:
    """Read the recipe called ``name`` below ``repos``, or among the bundled ones if it is not there.

    Raises:
        UnknownTask: there is none; suggests the nearest.
        TaskError: it is malformed; names file, key and what to write.
    """
    roots = [repos, data_dir("repos")] if repos is not None else [data_dir("repos")]
    folder = next((root / name for root in roots if (root / name).is_dir()), None)
    if not _NAME.fullmatch(name) or folder is None:
        known = sorted(place.parent.name for root in roots for place in root.glob("*/recipe.toml"))
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none'}"
        raise UnknownTask(f"no repository {name!r} in {' or '.join(map(str, roots))}; {hint}")
    recipe = read_manifest(folder / "recipe.toml", RepoRecipe)
    if recipe.name != name:
        raise TaskError(
            f"{folder / 'recipe.toml'}: name: write {name!r}, the folder's name (found {recipe.name!r})"
        )
    recipe._folder = folder
    return recipe
