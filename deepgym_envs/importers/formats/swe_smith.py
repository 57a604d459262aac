"""SWE-smith: bugs that were put into a repository. The patch makes the bug, so the solution undoes it."""

from __future__ import annotations

import re

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.unified_diff import reverse_diff

_ID = re.compile(r"([A-Za-z0-9-]+)__([A-Za-z0-9_.-]+?)\.([0-9a-f]{8,40})\..+")


def swe_smith(row: Fields) -> Record:
    """A row of SWE-smith. The repository is what the mirror was made of, for its commit is in the id."""
    name = row.text("instance_id")
    parts = _ID.fullmatch(name)
    if parts is None:
        raise Rejected("repository", f"{name[:80]!r}: is not owner__repository.commit.strategy__hash")
    bug = row.text("patch")
    try:
        solution = reverse_diff(bug)
    except ValueError as error:
        raise Rejected("patch", f"patch: {error}") from None
    return Record(
        id=name,
        format="swe-smith",
        repository=f"{parts[1]}/{parts[2]}",
        commit=parts[3],
        statement=row.text("problem_statement", default=""),
        solution=solution,
        base=bug,
        tests=None,
        fail_to_pass=row.names("fail_to_pass"),
        pass_to_pass=row.names("pass_to_pass"),
        language=row.text("language", default="").lower(),
        image=row.text("image_name", default=""),
    )
