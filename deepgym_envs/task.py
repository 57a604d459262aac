"""A task: a repository with something wrong in it, what is said of it, and the hidden tests that judge.

::

    tasks/<suite>/<name>/
      task.toml        identity, what may be edited, which tests must pass, limits
      instruction.md   what the agent is told, written like a good issue report
      base.patch       optional: from the recipe's source to the state that the agent gets
      solution.patch   from there to a state that solves the task
      tests/           hidden tests; node ids in task.toml are relative to this folder. Of its oracle.toml
                       (deepgym_envs/oracle_file.py) only calls ever enter a box, never what is expected
      twins.json       optional: wrong copies of the hidden tests, which must fail (deepgym_envs.twin)
      cut.json         in place of tests/, twins.json and both patches: where they stand in releases of the
                       package, which are not copied (deepgym_envs.content)
      tests.patch      in place of tests/: leads from the base to the repository with the hidden tests, which
                       lie there as node ids say; empty if they are in the base, out of which the files of
                       tests that must begin to pass are then taken
      figures.json     optional: what was measured of the task
      scripts/         optional: episodes for the scripted agent, one tool call a line (direct.jsonl)

In a task of kind ``tests`` the agent writes the repository's tests. What judges them are other
implementations of the repository, which they must tell apart: ``tests/right-<name>.patch`` and
``tests/wrong-<name>.patch``, each made from the base.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from deepgym_envs.content import (
    BASE_PATCH,
    CUT,
    SOLUTION_PATCH,
    TESTS_PATCH,
    TWINS,
    Content,
    Deferred,
    parse_cut,
    patched,
)
from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import Manifest, parse_manifest, read_manifest
from deepgym_envs.oracle_file import ORACLE, Oracle, is_case, parse_oracle
from deepgym_envs.patch import apply_patch, state_from_patch
from deepgym_envs.recipe import RepoRecipe, load_recipe
from deepgym_envs.source import source_tree
from deepgym_envs.state import Tree, WorkspaceState, check_path, glob_pattern
from deepgym_envs.twin import NO_TWINS, Twins, parse_twins

Kind = Literal[
    "bug", "cross-module-bug", "feature", "regression", "edge-cases", "performance", "refactoring", "tests"
]
Difficulty = Literal["easy", "medium", "hard"]
_ID = re.compile(r"[a-z0-9][a-z0-9_.-]*/[A-Za-z0-9][A-Za-z0-9_.-]*")


_TEST = re.compile(rf"([^:]+\.py|{re.escape(ORACLE)})::.+", re.DOTALL)
_IMPLEMENTATION = re.compile(r"base|(right|wrong)-[a-z0-9][a-z0-9-]*")
BASE_IMPLEMENTATION = "base"


def _node_id(node: str) -> str:
    if _IMPLEMENTATION.fullmatch(node):
        return node
    if not _TEST.fullmatch(node):
        raise ValueError('write a pytest node id such as "test_ledger.py::test_balance"')
    check_path(node.partition("::")[0])
    return node


def _glob(pattern: str) -> str:
    check_path(pattern)
    if pattern in ("*", "**", "**/*"):
        raise ValueError('name folders or files, such as "package/**": not everything may be editable')
    return pattern


NodeId = Annotated[str, AfterValidator(_node_id)]


class Limits(Manifest):
    """What one episode of a task may use."""

    steps: Annotated[int, Field(ge=1, le=10_000)] = 40
    seconds: Annotated[float, Field(gt=0, le=86_400)] = 900
    test_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60
    command_seconds: Annotated[float, Field(gt=0, le=3_600)] = 30
    memory_mb: Annotated[int, Field(ge=64, le=262_144)] = 512
    pids: Annotated[int, Field(ge=16, le=32_768)] = 128
    disk_mb: Annotated[int, Field(ge=4, le=65_536)] = 64
    output_bytes: Annotated[int, Field(ge=1_000, le=10_000_000)] = 16_000


class Figures(Manifest):
    """What a task measures, from which its difficulty follows; computed, see ``deepgym_envs.figures``.

    Of the reference solution: ``files`` and ``functions`` that it touches, ``lines`` added and removed.
    ``distance``: imports between the module of the symptom and the farthest that it changes.
    ``visible_failing``: visible tests that fail at the base. ``tool_calls``: of the shortest script. None
    where there is nothing to measure.
    """

    files: Annotated[int, Field(ge=0)]
    functions: Annotated[int, Field(ge=0)]
    lines: Annotated[int, Field(ge=0)]
    distance: Annotated[int, Field(ge=0)] | None = None
    visible_failing: Annotated[int, Field(ge=0)] | None = None
    tool_calls: Annotated[int, Field(ge=0)] | None = None

    def as_json(self) -> bytes:
        """The content of a ``figures.json``."""
        return (json.dumps(self.model_dump(), indent=1) + "\n").encode()


class HiddenTests(Manifest):
    """What must begin to pass, and what must go on passing.

    Node ids below the task's ``tests/``, also of an oracle's cases (``oracle.toml::<name>``); for a task of
    kind ``tests`` names of implementations, where ``base`` is the repository as it stands. To pass is then to
    be accepted (``base``, ``right-*``) or refused (``wrong-*``) by the repository's tests.
    """

    fail_to_pass: tuple[NodeId, ...] = ()
    pass_to_pass: tuple[NodeId, ...] = ()

    @property
    def nodes(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.fail_to_pass, *self.pass_to_pass)


class TaskManifest(Manifest):
    """The content of a ``task.toml``."""

    id: Annotated[str, Field(pattern=f"^{_ID.pattern}$")]
    repo: str
    title: str
    kind: Kind
    difficulty: Difficulty
    editable: Annotated[tuple[Annotated[str, AfterValidator(_glob)], ...], Field(min_length=1)]
    tests: HiddenTests = HiddenTests()
    tags: tuple[str, ...] = ()
    symptom: Annotated[str, AfterValidator(check_path)] | None = None
    limits: Limits = Limits()

    @model_validator(mode="after")
    def _judged_alike(self) -> TaskManifest:
        nodes = self.tests.nodes
        if self.kind == "tests":
            odd = [node for node in nodes if not _IMPLEMENTATION.fullmatch(node)]
            form = '"base", "right-<name>" or "wrong-<name>": implementations judge a task of kind "tests"'
        else:
            odd = [node for node in nodes if not _TEST.fullmatch(node)]
            form = 'a pytest node id such as "test_ledger.py::test_balance", or set kind = "tests"'
        if odd:
            raise ValueError(f"tests: {odd[0]!r}: write {form}")
        return self


@dataclass(frozen=True, eq=False)
class Task:
    """One task, whole: what is in its folder, and the recipe of its repository.

    ``content`` are its files, or how they are cut out of releases, which is done when the first of them is
    asked for. ``scripts`` maps the name of an episode to its tool calls, one JSON object a line. A verdict
    depends on neither them nor the ``figures``.
    """

    manifest: TaskManifest
    recipe: RepoRecipe
    instruction: str
    content: Content | Deferred
    scripts: Mapping[str, bytes] = field(default_factory=dict)
    figures: Figures | None = None

    @property
    def id(self) -> str:
        """``<suite>/<name>``, unique among the tasks in use."""
        return self.manifest.id

    @property
    def limits(self) -> Limits:
        """What one episode may use."""
        return self.manifest.limits

    @property
    def editable(self) -> tuple[str, ...]:
        """Patterns of what a solution may change; ``**`` spans folders. All else reverts to the base."""
        return self.manifest.editable

    @property
    def expected(self) -> tuple[str, ...]:
        """Every hidden test that must pass, as node ids, without repeats."""
        return self.manifest.tests.nodes

    @cached_property
    def files(self) -> Content:
        """The content, put together if it is cut. Raises ``TaskError`` if a release cannot be had."""
        content = self.content
        return content if isinstance(content, Content) else content.content(self.recipe, self.id)

    @property
    def hidden(self) -> Mapping[str, bytes]:
        """The hidden tests: path relative to the task's ``tests/`` to bytes. Raises as ``files``."""
        return self.files.hidden

    @property
    def twins(self) -> Twins:
        """Wrong copies of the hidden tests. Raises as ``files``."""
        return self.files.twins

    @cached_property
    def base(self) -> Tree:
        """The files that the agent gets. Raises ``TaskError`` if ``base.patch`` does not apply."""
        files = self.files
        source = files.source if files.source is not None else source_tree(self.recipe)
        if files.base_patch is None:
            return source
        try:
            return apply_patch(source, files.base_patch)
        except ValueError as error:
            raise TaskError(
                f"{self.id}: base.patch: {error}; make it again from the recipe's source"
            ) from None

    @cached_property
    def gold(self) -> WorkspaceState:
        """The base with ``solution.patch`` applied. Raises ``TaskError`` if it does not apply."""
        try:
            return state_from_patch(self.base, self.files.solution_patch)
        except ValueError as error:
            raise TaskError(f"{self.id}: solution.patch: {error}; make it again from the base") from None

    @cached_property
    def implementations(self) -> Mapping[str, WorkspaceState]:
        """By name, the repository's implementations that a solution of a task of kind ``tests`` tells apart.

        ``base`` is first, the others are sorted; empty for any other kind. Raises ``TaskError`` if a patch
        does not apply.
        """
        if self.manifest.kind != "tests":
            return {}
        found = {BASE_IMPLEMENTATION: WorkspaceState(self.base)}
        for path in sorted(path for path in self.hidden if path.endswith(".patch")):
            try:
                found[path.removesuffix(".patch")] = state_from_patch(self.base, self.hidden[path])
            except ValueError as error:
                raise TaskError(f"{self.id}: tests/{path}: {error}; make it again from the base") from None
        return found

    @cached_property
    def oracle(self) -> Oracle | None:
        """The cases in ``tests/oracle.toml``, if there is one. Raises ``TaskError`` if it is malformed."""
        data = self.hidden.get(ORACLE)
        return None if data is None else parse_oracle(data, f"{self.id}: tests/{ORACLE}")

    @cached_property
    def digest(self) -> str:
        """SHA-256 over everything that decides a verdict: base, recipe, hidden tests, manifest; 64 digits."""
        total = hashlib.sha256(b"task 1\n")
        parts = [
            self.base.digest.encode(),
            self.recipe.model_dump_json().encode(),
            self.manifest.model_dump_json().encode(),
        ]
        for path in sorted(self.hidden):
            parts += [os.fsencode(path), self.hidden[path]]
        parts.append(self.twins.as_json())
        for part in parts:
            total.update(len(part).to_bytes(8, "big") + part)
        return total.hexdigest()

    def gold_files(self) -> Mapping[str, bytes | None]:
        """The reference solution as files: path to content, or None for a file that it deletes."""
        return {path: file.data if file else None for path, file in self.gold.changes.items()}

    def may_edit(self, path: str) -> bool:
        """Whether a solution may change ``path``."""
        return any(pattern.fullmatch(path) for pattern in self._editable)

    def hurried(self, seconds: float) -> Task:
        """The task with no more than ``seconds`` for its tests, for what nobody wants to wait for."""
        limits = self.limits.model_copy(update={"test_seconds": min(self.limits.test_seconds, seconds)})
        return replace(self, manifest=self.manifest.model_copy(update={"limits": limits}))

    @cached_property
    def _editable(self) -> tuple[re.Pattern[str], ...]:
        return tuple(map(glob_pattern, self.editable))

    @classmethod
    def from_folder(cls, folder: Path, repos: Path | None = None, *, unlisted: bool = False) -> Task:
        """Read and check a task's folder; its recipe lies in ``repos`` or is a bundled one.

        ``unlisted`` reads it as if it did not list any tests yet.

        Raises:
            TaskError: a file is missing or malformed; names the file, the key and what to write.
        """
        manifest = read_manifest(folder / "task.toml", TaskManifest)
        if not manifest.id.endswith(f"/{folder.name}"):
            suite = manifest.id.split("/")[0]
            raise TaskError(
                f"{folder / 'task.toml'}: id: write '{suite}/{folder.name}' (found {manifest.id!r})"
            )
        content = _content(folder, manifest)
        if unlisted:
            manifest = manifest.model_copy(update={"tests": HiddenTests()})
        _check_tests(folder, manifest, content)
        _check_cases(folder / "tests" / ORACLE, manifest)
        return cls(
            manifest=manifest,
            recipe=load_recipe(manifest.repo, repos),
            instruction=_read(folder / "instruction.md").decode(),
            content=content,
            scripts={
                place.stem: _read(place)
                for place in sorted((folder / "scripts").glob("*.jsonl"))
                if place.is_file()
            },
            figures=_figures(folder / "figures.json"),
        )


def _content(folder: Path, manifest: TaskManifest) -> Content | Deferred:
    if (folder / CUT).is_file():
        _nothing_beside(folder, CUT, (SOLUTION_PATCH, BASE_PATCH, TESTS_PATCH, "tests", TWINS))
        return parse_cut(_read(folder / CUT, "generate the task again"), str(folder / CUT))
    base = folder / BASE_PATCH
    solution = _read(folder / SOLUTION_PATCH, "'deepgym-envs record' writes it of work/solution")
    base_patch, twins = base.read_bytes() if base.is_file() else None, _twins(folder / TWINS)
    if not (folder / TESTS_PATCH).is_file():
        return Content(_hidden(folder / "tests"), solution, base_patch, twins=twins)
    _nothing_beside(folder, TESTS_PATCH, ("tests",))
    if manifest.kind == "tests":
        raise TaskError(
            f"{folder / TESTS_PATCH}: implementations judge a task of kind 'tests'; delete the file"
        )
    tests = (folder / TESTS_PATCH).read_bytes()
    listed = manifest.tests
    try:
        return patched(tests, solution, base_patch or b"", listed.fail_to_pass, listed.pass_to_pass, twins)
    except ValueError as error:
        raise TaskError(f"{folder / TESTS_PATCH}: {error}; make it again from the base") from None


def _nothing_beside(folder: Path, name: str, others: Sequence[str]) -> None:
    for place in (folder / other for other in others):
        if place.exists():
            raise TaskError(f"{place}: {name} says what is in it; delete one of them")


def _figures(path: Path) -> Figures | None:
    if not path.is_file():
        return None
    try:
        data = json.loads(_read(path))
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{path}: not JSON: {error}; write it with 'deepgym-envs record'") from None
    return parse_manifest(data, Figures, str(path))


def _twins(path: Path) -> Twins:
    return parse_twins(_read(path), str(path)) if path.is_file() else NO_TWINS


def _hidden(folder: Path) -> dict[str, bytes]:
    try:
        return {path: file.data for path, file in Tree.from_folder(folder).items()}
    except ValueError as error:
        raise TaskError(str(error)) from None


def _read(path: Path, advice: str = "write it (docs/write-a-task.md shows one)") -> bytes:
    try:
        data = path.read_bytes()
        data.decode()
    except FileNotFoundError:
        raise TaskError(f"{path}: there is no such file; {advice}") from None
    except UnicodeDecodeError as error:
        raise TaskError(f"{path}: not UTF-8 at byte {error.start}; save the file as UTF-8") from None
    if not data.strip():
        raise TaskError(f"{path}: empty; {advice}")
    return data


def _check_tests(folder: Path, manifest: TaskManifest, content: Content | Deferred) -> None:
    there = content.hidden if isinstance(content, Content) else content.hidden_paths
    where = folder / "task.toml"
    seen: set[str] = set()
    for node in manifest.tests.nodes:
        if node in seen:
            raise TaskError(f"{where}: tests: {node!r} is listed twice; list it once")
        seen.add(node)
        if node == BASE_IMPLEMENTATION:
            continue
        file = node.partition("::")[0] if "::" in node else f"{node}.patch"
        if file not in there:
            raise TaskError(
                f"{where}: tests: {node!r}: there is no tests/{file}; write the file or drop the node"
            )


def _check_cases(place: Path, manifest: TaskManifest) -> None:
    if not place.is_file():
        return
    if manifest.kind == "tests":
        raise TaskError(f"{place}: implementations judge a task of kind 'tests'; delete the file")
    oracle = parse_oracle(place.read_bytes(), str(place))
    for node in manifest.tests.nodes:
        if is_case(node) and node not in oracle.nodes:
            near = difflib.get_close_matches(node, oracle.nodes, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TaskError(f"{place.parent.parent / 'task.toml'}: tests: {node!r}: no such case{hint}")
