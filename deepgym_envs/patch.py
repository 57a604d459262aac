"""Unified diffs of trees: made and applied by git, in a scratch folder, with no configuration of anyone's."""

from __future__ import annotations

import os
from pathlib import Path

from deepgym_envs.git_library import git_library
from deepgym_envs.owner import scratch_folder
from deepgym_envs.state import File, Tree, WorkspaceState

# Stands above any .gitattributes of the tree, which could leave files out, convert them or expand keywords in
# them.
RAW_ATTRIBUTES = (
    "* -text -eol -ident -filter !diff !whitespace !working-tree-encoding -export-ignore -export-subst\n"
)


def _git(place: Path, work: Path, *arguments: str) -> tuple[int, bytes, str]:
    own = place / "git"
    for folder in ("objects", "refs", "info"):
        (own / folder).mkdir(parents=True)
    (own / "HEAD").write_text("ref: refs/heads/none\n")
    (own / "info" / "attributes").write_text(RAW_ATTRIBUTES)
    environment = {
        "GIT_DIR": str(own),
        "GIT_WORK_TREE": str(work),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_COUNT": "0",
        "GIT_CONFIG_PARAMETERS": "",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_DIFF_OPTS": "",
        "HOME": str(own),
        "XDG_CONFIG_HOME": str(own),
    }
    status, output, complaint = (
        git_library()
        .Git(work)
        .execute(
            ["git", *arguments],
            with_extended_output=True,
            with_exceptions=False,
            stdout_as_string=False,
            strip_newline_in_stdout=False,
            env=environment,
        )
    )
    said = complaint.decode(errors="replace") if isinstance(complaint, bytes) else str(complaint)
    return int(status or 0), output if isinstance(output, bytes) else str(output).encode(), said.strip()


def apply_patch(tree: Tree, patch: bytes) -> Tree:
    """The tree after ``patch`` (git style, ``a/`` and ``b/`` prefixes) is applied to it, without fuzz; the
    same for an empty one.

    Raises:
        ValueError: it does not apply, or leads outside the tree; the message is git's own.
    """
    if not patch:
        return tree
    with scratch_folder("patch") as scratch:
        place = Path(scratch).resolve()
        work = place / "tree"
        work.mkdir()
        tree.write_to(work)
        (place / "change.patch").write_bytes(patch)
        status, _, complaint = _git(place, work, "apply", "--whitespace=nowarn", str(place / "change.patch"))
        if status != 0:
            raise ValueError(f"the patch does not apply: {complaint}")
        return Tree.from_folder(work)


def make_patch(state: WorkspaceState) -> bytes:
    """The change from a state's base to it as a git-style diff, which ``apply_patch`` takes back."""
    if not state.changes:
        return b""
    old = {path: state.base[path] for path in state.changes if path in state.base}
    new: dict[str, File] = {path: file for path, file in state.changes.items() if file}
    with scratch_folder("patch") as scratch:
        place = Path(scratch).resolve()
        for side, files in (("a", old), ("b", new)):
            (place / side).mkdir()
            Tree(files).write_to(place / side)
        status, output, complaint = _git(
            place, place, "diff", "--no-index", "--no-prefix", "--binary", "--no-renames", "--no-color",
            "--no-ext-diff", "--no-textconv", "a", "b",
        )  # fmt: skip
        if status not in (0, 1):
            raise ValueError(f"no diff can be made: {complaint}")
        return output


def state_from_patch(base: Tree, patch: bytes) -> WorkspaceState:
    """The state that ``patch`` makes of ``base``; raises ``ValueError`` as ``apply_patch`` does."""
    after = apply_patch(base, patch)
    changes: dict[str, File | None] = dict.fromkeys(path for path in base if path not in after)
    changes.update({path: file for path, file in after.items() if base.get(path) != file})
    return WorkspaceState(base, changes)
