"""SWE-Flow, OpenSWE and Scale-SWE: repositories that were built anew by programs."""

from __future__ import annotations

from dataclasses import replace

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.formats.swe_bench import swe_bench
from deepgym_envs.importers.node_ids import added_tests
from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.unified_diff import FileDiff, diff_of, parse_diff

_SCRIPT = "test_fail_to_pass.py"


def swe_flow(row: Fields) -> Record:
    """A row of SWE-Flow. Its tests are in the base already, so they are taken out of it."""
    return replace(swe_bench(row), format="swe-flow", tests=None)


def open_swe(row: Fields) -> Record:
    """A row of OpenSWE. It lists no tests: those that must begin to pass are what its test patch adds. What
    its ``eval_script`` would print is not asked."""
    record = replace(swe_bench(row), format="open-swe")
    if record.fail_to_pass or not record.tests:
        return record
    return replace(record, fail_to_pass=added_tests(_parsed(record.tests)))


def scale_swe(row: Fields) -> Record:
    """A row of Scale-SWE: a test patch, or one test file that is written whole, or both."""
    record = replace(
        swe_bench(row.merged(Fields({"base_commit": row.text("parent_commit")}))),
        format="scale-swe",
        repository=f"{row.text('user')}/{row.text('repo').rpartition('/')[2]}",
        image=row.text("image_url", default=""),
        tests=row.text("f2p_patch", "test_patch", default=""),
    )
    script = row.text("f2p_script", default="")
    if not script or any(file.path == _SCRIPT for file in _parsed(record.tests or "")):
        return record
    return replace(record, tests=_ended(record.tests or "") + diff_of(_SCRIPT, None, script))


def _ended(diff: str) -> str:
    return diff if not diff or diff.endswith("\n") else diff + "\n"


def _parsed(diff: str) -> tuple[FileDiff, ...]:
    try:
        return parse_diff(diff)
    except ValueError as error:
        raise Rejected("patch", f"test patch: {error}") from None
