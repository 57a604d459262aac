"""Tasks that are cut out of releases of a package.

A task about somebody else's package holds none of its text. Its ``cut.json`` names the releases, by digest,
or commits of its git repository, and says from which bytes of them each file is put together: the base that
the agent gets, the solution, the hidden tests and their twins. The files are put together on the machine that
wants them, and compared with the digest that the task was validated with::

    {"releases": {"before": {"name": "...", "version": "1.2", "sha256": "..."}, "after": {...}},
     "sources": ["before:shop.py", "after:shop.py", "after:tests/test_shop.py"],
     "base": {"tests/test_old.py": null},
     "solution": {"shop.py": [[0, 0, 310], [1, 310, 352], [0, 340, 990]]},
     "tests": {"test_shop.py": [[2, 0, 1200]]},
     "digest": "..."}

A piece is text of the task's own, or ``[source, start, end]``: bytes of a source by its number. What ``base``
does not name is as it is in the release ``before``; ``solution`` goes on from the base.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import ConfigDict, Field

from deepgym_envs.content.content import Content
from deepgym_envs.errors import TaskError
from deepgym_envs.manifest import Manifest, parse_manifest
from deepgym_envs.patch import make_patch
from deepgym_envs.pieces import Piece, cut, paste
from deepgym_envs.recipe import GitSource, RepoRecipe, SdistSource
from deepgym_envs.source import fetched_tree
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.twin import NO_TWINS, Twins, parse_twins

BEFORE = "before"
CUT = "cut.json"
_HIDDEN = "tests"
Origin = SdistSource | GitSource
_Numbered = str | tuple[Annotated[int, Field(ge=0)], Annotated[int, Field(ge=0)], Annotated[int, Field(ge=1)]]


class Cut(Manifest):
    """The content of a ``cut.json``: the files are put together of releases."""

    model_config = ConfigDict(str_strip_whitespace=False)  # blanks of a file's own text, too, are its bytes

    releases: Annotated[dict[str, Annotated[Origin, Field(discriminator="kind")]], Field(min_length=1)]
    sources: tuple[str, ...]
    base: dict[str, tuple[_Numbered, ...] | None] = Field(default={})
    solution: Annotated[dict[str, tuple[_Numbered, ...] | None], Field(min_length=1)]
    tests: Annotated[dict[str, tuple[_Numbered, ...]], Field(min_length=1)]
    twins: tuple[_Numbered, ...] = ()
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    def content(self, recipe: RepoRecipe, where: str) -> Content:  # noqa: ARG002 - the releases are named here
        """See ``Deferred``."""
        trees = {name: _release(release) for name, release in self.releases.items()}
        try:
            if BEFORE not in trees:
                raise ValueError(f"releases: there is no {BEFORE!r}")
            files = {
                f"{name}:{path}": file.data for name, tree in trees.items() for path, file in tree.items()
            }
            base = _with(trees[BEFORE], self.base, files, self.sources)
            solution = _with(base, self.solution, files, self.sources)
            hidden = {path: paste(self._named(pieces), files) for path, pieces in self.tests.items()}
            files |= {f"{_HIDDEN}:{path}": data for path, data in hidden.items()}
            twins = parse_twins(paste(self._named(self.twins), files), where) if self.twins else NO_TWINS
        except ValueError as error:
            raise TaskError(f"{where}: does not fit together: {error}; generate the task again") from None
        if _digest(base, solution, hidden, twins) != self.digest:
            raise TaskError(f"{where}: digest: other files come of the releases; generate the task again")
        changes = {path: solution.get(path) for path in self.solution}
        return Content(hidden, make_patch(WorkspaceState(base, changes)), source=base, twins=twins)

    @property
    def origins(self) -> Collection[Origin]:
        """See ``Deferred``."""
        return self.releases.values()

    @property
    def hidden_paths(self) -> Collection[str]:
        """See ``Deferred``."""
        return self.tests.keys()

    def written(self) -> Mapping[str, bytes]:
        """See ``Deferred``."""
        return {CUT: self.as_json()}

    def as_json(self) -> bytes:
        """The content of a ``cut.json``: one line for each file, so that a diff shows what changed."""
        data = self.model_dump(mode="json", exclude_defaults=True)
        return _lines(data).encode()

    def _named(self, pieces: Sequence[_Numbered]) -> tuple[Piece, ...]:
        return _named(pieces, self.sources)


def parse_cut(data: bytes, where: str) -> Cut:
    """The cut that ``as_json`` wrote; ``where`` names the origin in complaints.

    Raises:
        TaskError: it is not JSON, or does not fit.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TaskError(f"{where}: not JSON: {error}; generate the task again") from None
    return parse_manifest(found, Cut, where)


def cut_out(releases: Mapping[str, Origin], base: Tree, solution: WorkspaceState,
            hidden: Mapping[str, bytes], twins: Twins = NO_TWINS) -> Cut:  # fmt: skip
    """How these files are cut out of ``releases``, of which one is called ``before``.

    Raises:
        TaskError: a release cannot be had.
    """
    trees = {name: _release(release) for name, release in releases.items()}
    before = trees[BEFORE]
    table: dict[str, int] = {}

    def pieces(path: str, data: bytes, more: Mapping[str, bytes]) -> tuple[_Numbered, ...]:
        found = cut(data, {**_near(path, data, trees), **more})
        return tuple(
            piece if isinstance(piece, str) else (table.setdefault(piece[0], len(table)), *piece[1:])
            for piece in found
        )

    def changed(old: Tree, new: Mapping[str, File | None]) -> dict[str, tuple[_Numbered, ...] | None]:
        return {
            path: None if file is None else pieces(path, file.data, {})
            for path, file in sorted(new.items())
            if old.get(path) != file
        }

    at_base = changed(before, {path: base.get(path) for path in {*before, *base}})
    solved = changed(base, solution.changes)
    tests = {path: pieces(path, data, {}) for path, data in sorted(hidden.items())}
    own = {f"{_HIDDEN}:{path}": data for path, data in hidden.items()}
    twins = twins if twins.tests else NO_TWINS
    wrong = pieces("", twins.as_json(), own) if twins.tests else ()
    gold = solution.tree()
    return Cut(
        releases=dict(releases),
        sources=tuple(table),
        base=at_base,
        solution=solved,
        tests=tests,
        twins=wrong,
        digest=_digest(base, gold, hidden, twins),
    )


def _near(path: str, target: bytes, trees: Mapping[str, Tree]) -> dict[str, bytes]:
    """What a file is likely to be cut out of: files of its name, or else those of its content."""
    if not path:
        return {}
    files = [
        (f"{name}:{place}", place, file.data) for name, tree in trees.items() for place, file in tree.items()
    ]
    same = [each for each in files if each[1] == path or each[1].endswith(f"/{path}")]
    return {name: data for name, _, data in same or [each for each in files if each[2] == target]}


@lru_cache(maxsize=16)
def _release(release: Origin) -> Tree:
    return fetched_tree(release)


def _with(
    tree: Tree,
    changes: Mapping[str, tuple[_Numbered, ...] | None],
    files: Mapping[str, bytes],
    sources: Sequence[str],
) -> Tree:
    state = WorkspaceState(tree)
    pasted = {
        path: None if pieces is None else paste(_named(pieces, sources), files)
        for path, pieces in changes.items()
    }
    return state.with_files(pasted).tree()


def _named(pieces: Sequence[_Numbered], sources: Sequence[str]) -> tuple[Piece, ...]:
    """Pieces whose sources are called by their names. Raises ``ValueError`` where there is none."""
    try:
        return tuple(piece if isinstance(piece, str) else (sources[piece[0]], *piece[1:]) for piece in pieces)
    except IndexError:
        raise ValueError(f"a piece names a source beyond the {len(sources)} that there are") from None


def _digest(base: Tree, solution: Tree, hidden: Mapping[str, bytes], twins: Twins) -> str:
    total = hashlib.sha256(b"cut 1\n")
    tests = Tree({path: File(data) for path, data in hidden.items()})
    for part in (base.digest, solution.digest, tests.digest, twins.as_json()):
        data = part.encode() if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


def _lines(data: Mapping[str, object]) -> str:
    rows = []
    for key, value in data.items():
        if isinstance(value, dict):
            inner = ",\n  ".join(f"{json.dumps(name)}: {json.dumps(each)}" for name, each in value.items())
            rows.append(f"{json.dumps(key)}: {{\n  {inner}}}")
        else:
            rows.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{" + ",\n ".join(rows) + "}\n"
