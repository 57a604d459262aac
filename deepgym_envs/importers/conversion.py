"""From a record to a task, or to the reason why it cannot be one. Takes no repository, network or process,
unless a commit is abbreviated."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from deepgym_envs.content import patched
from deepgym_envs.errors import TaskError
from deepgym_envs.importers.environment import environment_of
from deepgym_envs.importers.node_ids import NodeIds
from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.layout import is_test_code, role, tests_folder
from deepgym_envs.manifest import parse_manifest
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.source import full_commit
from deepgym_envs.state import glob_pattern
from deepgym_envs.task import Difficulty, Limits, Task, TaskManifest
from deepgym_envs.text import one_line
from deepgym_envs.unified_diff import FileDiff, parse_diff

GITHUB = "https://github.com/{repo}.git"
LIMITS = Limits(
    steps=100, seconds=3_600, test_seconds=900, command_seconds=300, memory_mb=4_096, pids=512, disk_mb=1_024
)
"""What tests of real repositories take; rows say nothing of it."""
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9_.-]+")
_COMMIT = re.compile(r"[0-9a-f]{8,40}")
_PYTHON = ("", "python", "py", "python3")
_NAME_CHARS = 100
_MOST_FILES, _MOST_HIDDEN = 1_000, 5_000
_MOST_LINES: Mapping[Difficulty, int] = {"easy": 8, "medium": 40}


@dataclass(frozen=True)
class Settings:
    """How rows become tasks.

    ``repositories`` is where they are fetched from: a URL or a folder with ``{repo}`` (``owner/name``) in it.
    ``images`` keeps the image that a row names as the task's environment where it has no pins.
    ``find_commit`` completes an abbreviated commit of the repository at a URL.
    """

    repositories: str = GITHUB
    images: bool = True
    find_commit: Callable[[str, str], str] = field(default=full_commit)


@dataclass(frozen=True)
class Converted:
    """A task, and how many tests that should go on passing were left out of it, by reason."""

    task: Task
    left_out: Mapping[str, int]


def to_task(record: Record, settings: Settings) -> Converted:
    """The task that ``record`` describes. Its content is fetched and patched when it is asked for.

    Raises:
        Rejected: it cannot be one; says why.
    """
    _check_kind(record)
    name = _name(record.id)
    solution, tests = _diff(record.solution, "patch"), _diff(record.tests or "", "test patch")
    base = _diff(record.base, "base patch")
    begin, keep, left_out = _lists(record, tests)
    content = patched(_bytes(record.tests or ""), _bytes(record.solution), _bytes(record.base), begin, keep)
    hidden = frozenset(content.hidden_paths)
    if {diff.path for diff in solution} & set(content.removed):
        raise Rejected("no-solution", "patch: changes a file of the tests that must begin to pass")
    if len(hidden) > _MOST_HIDDEN:
        raise Rejected("too-large", f"its tests lie in {len(hidden)} files, of at most {_MOST_HIDDEN}")
    editable = _editable(solution, hidden)
    try:
        visible = _visible(hidden - set(content.removed), (*base, *tests))
        in_src = any(diff.path.startswith("src/") for diff in solution)
        recipe = _recipe(record, settings, pythonpath=("src", ".") if in_src else (".",), visible=visible)
        manifest = parse_manifest(
            {
                "id": f"{record.format}/{name}",
                "repo": recipe.name,
                "title": one_line(record.statement.strip().splitlines()[0].strip("# "))[:120],
                "kind": "bug",
                "difficulty": _difficulty(solution),
                "editable": editable,
                "tests": {"fail_to_pass": begin, "pass_to_pass": keep},
                "tags": [record.format],
                "limits": LIMITS,
            },
            TaskManifest,
            "task.toml",
        )
    except Rejected:
        raise
    except TaskError as error:
        raise Rejected("field", str(error)) from None
    return Converted(Task(manifest, recipe, record.statement.strip() + "\n", content), left_out)


def _check_kind(record: Record) -> None:
    if record.language not in _PYTHON:
        raise Rejected("language", f"its language is {record.language[:40]!r}")
    if record.framework and "pytest" not in record.framework:
        raise Rejected("framework", f"its tests are run by {record.framework[:40]!r}")
    if not record.statement.strip():
        raise Rejected("statement", "its statement is empty")
    if not record.solution.strip():
        raise Rejected("no-solution", "it has no patch")
    if record.tests is not None and not record.tests.strip():
        raise Rejected("no-tests", "it has no test patch")
    if not record.fail_to_pass:
        raise Rejected("no-tests", "it names no test that must begin to pass")


def _name(said: str) -> str:
    """The row's id as the name of a task: one that had to be changed ends in a digest, so it stays unique."""
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", said).lstrip("_.-")
    if not name or name == "repos":
        raise Rejected("id", f"{said[:80]!r}: gives no name")
    if name != said or len(name) > _NAME_CHARS:
        name = f"{name[:_NAME_CHARS]}-{_digest(said)}"
    return name


def _diff(text: str, what: str) -> tuple[FileDiff, ...]:
    try:
        found = parse_diff(text)
    except ValueError as error:
        raise Rejected("patch", f"{what}: {error}") from None
    if len(found) > _MOST_FILES:
        raise Rejected("too-large", f"{what}: touches {len(found)} files, of at most {_MOST_FILES}")
    if text.strip() and not found:
        raise Rejected("patch", f"{what}: is no diff")
    return found


def _lists(
    record: Record, tests: Sequence[FileDiff]
) -> tuple[tuple[str, ...], tuple[str, ...], Mapping[str, int]]:
    """Node ids of what must begin to pass and of what must go on passing, and what was left out.

    One of the former that cannot be told rejects the row; one of the latter is left out and counted. A test
    that goes on passing may stand in a file that the test patch leaves alone, which then is hidden as it is.
    """
    node_id = NodeIds(tests)
    touched = node_id.files
    if tests and not touched:
        code = "no-tests" if any(diff.path.endswith(".py") for diff in tests) else "language"
        raise Rejected(
            code, f"test patch: neither {tests[0].path[:80]!r} nor another is a file of Python tests"
        )
    begin = tuple(dict.fromkeys(node_id(name) for name in record.fail_to_pass))
    strange = [node for node in begin if tests and node.partition("::")[0] not in touched]
    if strange:
        raise Rejected("test-id", f"{strange[0][:80]!r}: the test patch leaves its file alone")
    left_out: Counter[str] = Counter()
    keep: dict[str, None] = {}
    for name in record.pass_to_pass:
        try:
            keep[node_id(name)] = None
        except Rejected as reason:
            left_out[reason.code] += 1
    for node in begin:
        keep.pop(node, None)
    return begin, tuple(keep), left_out


def _editable(solution: Sequence[FileDiff], hidden: Collection[str]) -> tuple[str, ...]:
    """Patterns for what a solution may change: the folders of the source files that the reference solution
    touches, and by name what else it touches. Where a test file lies below such a folder, only files directly
    in it; where one lies directly in it, only the touched ones."""
    found: set[str] = set()
    touched = {path for diff in solution for path in (diff.old, diff.new) if path is not None}
    for path in (path for path in touched if not is_test_code(path)):
        if set(path) & set("*?"):
            raise Rejected("patch", f"patch: {path[:80]!r} holds a character that patterns of paths use")
        folder = PurePosixPath(path).parent.as_posix()
        wider = [f"{folder}/{end}" for end in ("**", "*")] if role(path) == "source" and folder != "." else []
        found.add(next((glob for glob in wider if not _covers(glob, hidden)), path))
    if not found:
        raise Rejected("no-solution", "patch: changes nothing but test code")
    return tuple(sorted(found))


def _covers(glob: str, paths: Collection[str]) -> bool:
    pattern = glob_pattern(glob)
    return any(pattern.fullmatch(path) for path in paths)


def _visible(hidden: Collection[str], changes: Sequence[FileDiff]) -> tuple[str, ...]:
    """Where the visible tests lie: the folders of those test files that are there already, if any."""
    made = {diff.new for diff in changes if diff.old is None}
    there = {diff.path for diff in changes if diff.path not in made and role(diff.path) == "test"}
    return tuple(sorted({tests_folder(path) or "." for path in there | (set(hidden) - made)})) or (".",)


def _recipe(
    record: Record, settings: Settings, *, pythonpath: Sequence[str], visible: Sequence[str]
) -> RepoRecipe:
    if not _REPOSITORY.fullmatch(record.repository) or record.repository.rpartition("/")[2] in (".", ".."):
        raise Rejected("repository", f"{record.repository[:80]!r}: is not owner/name")
    if not _COMMIT.fullmatch(record.commit):
        raise Rejected("repository", f"{record.commit[:80]!r}: is not a commit")
    url, commit = settings.repositories.replace("{repo}", record.repository), record.commit
    if len(commit) < 40:
        try:
            commit = settings.find_commit(url, commit)
        except TaskError as error:
            raise Rejected("repository", str(error)) from None
    environment = environment_of(record, images=settings.images)
    described = {
        "summary": f"{record.repository} at {commit}, by a row of {record.format}. {environment.said}",
        "license": one_line(record.license or "unknown"),
        "python": environment.python,
        "source": {"kind": "git", "url": url, "commit": commit},
        "needs": environment.needs.model_dump(),
        "install": {"pythonpath": pythonpath},
        "test": {"paths": visible},
    }
    stem = re.sub(r"[^a-z0-9._-]+", "-", record.repository.replace("/", "__").lower()).strip("._-")[:32]
    name = f"{stem}-{commit[:8]}-{_digest(repr(described))}"
    return parse_manifest({"name": name, **described}, RepoRecipe, "recipe.toml")


def _difficulty(solution: Sequence[FileDiff]) -> Difficulty:
    """By the lines that the reference solution changes: ``deepgym-envs record`` measures more."""
    lines = sum(line[:1] in "+-" for diff in solution for hunk in diff.hunks for line in hunk.lines)
    return next((label for label, most in _MOST_LINES.items() if lines <= most), "hard")


def _bytes(diff: str) -> bytes:
    return (diff if not diff or diff.endswith("\n") else diff + "\n").encode()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:8]
