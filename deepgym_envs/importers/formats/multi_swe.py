"""Multi-SWE-bench and Multi-SWE-RL: only the rows in Python become tasks."""

from __future__ import annotations

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.record import Record

# Tests that the solution makes pass, whatever they did before: fail, skip, or not exist.
_BEGIN_TO_PASS = ("f2p_tests", "s2p_tests", "n2p_tests")


def multi_swe(row: Fields) -> Record:
    """A row of either. The statement is the issues that were resolved; the pull request's own words, which
    may tell the solution, stand in for them only where there are none."""
    owner, name = row.text("org"), row.text("repo")
    begin = [test for field in _BEGIN_TO_PASS for test in row.names(field)]
    issues = [_said(issue) for issue in row.tables("resolved_issues")]
    return Record(
        id=row.text("instance_id", default="") or f"{owner}__{name}-{row.number('number')}",
        format="multi-swe",
        repository=f"{owner}/{name}",
        commit=row.table("base").text("sha"),
        statement="\n\n".join(issue for issue in issues if issue) or _said(row),
        solution=row.text("fix_patch", default=""),
        tests=row.text("test_patch", default=""),
        fail_to_pass=tuple(dict.fromkeys(begin)),
        pass_to_pass=row.names("p2p_tests"),
        language=row.text("lang", "language", default="").lower(),
        image=f"mswebench/{owner}_m_{name}:pr-{row.number('number')}".lower() if "number" in row else "",
    )


def _said(issue: Fields) -> str:
    parts = (issue.text("title", default=""), issue.text("body", default=""))
    return "\n\n".join(part for part in parts if part)
