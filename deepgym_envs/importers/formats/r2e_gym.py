"""R2E-Gym: commits, what they changed, and what their tests printed before and after.

Such a row has no lists of tests and no patches. The commit is the one with the solution; the base is what it
was before, which the diffs of its files lead back to. A test must begin to pass if it is expected to pass and
did not pass on the old commit. What tests are called, and their files, is what the run on the new commit
printed.
"""

from __future__ import annotations

import re

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.layout import is_test_code
from deepgym_envs.text import clean
from deepgym_envs.unified_diff import diff_of

# A row names a repository without its owner.
_OWNERS = {
    "aiohttp": "aio-libs/aiohttp", "bokeh": "bokeh/bokeh", "coveragepy": "nedbat/coveragepy",
    "datalad": "datalad/datalad", "numpy": "numpy/numpy", "orange3": "biolab/orange3",
    "pandas": "pandas-dev/pandas", "pillow": "python-pillow/Pillow", "pyramid": "Pylons/pyramid",
    "scrapy": "scrapy/scrapy", "statsmodels": "statsmodels/statsmodels", "sympy": "sympy/sympy",
    "tornado": "tornadoweb/tornado",
}  # fmt: skip
_FOLDER = "r2e_tests"
_SUMMARY = "short test summary info"
_LINE = re.compile(r"(PASSED|FAILED|ERROR) (\S+?\.py)::(.+)")
_ISSUE = re.compile(r"\[/?ISSUE\]")


def r2e_gym(row: Fields) -> Record:
    """A row of R2E-Gym (Subset, Full, Lite)."""
    name, commit = row.text("repo_name"), row.text("commit_hash")
    repository = name if "/" in name else _OWNERS.get(name.lower(), "")
    if not repository:
        raise Rejected("repository", f"repo_name: nobody knows whose {name[:80]!r} is")
    base, solution = _diffs(row.table("parsed_commit_content"))
    run = row.table("execution_result_content")
    begin, keep = _lists(row, run)
    return Record(
        id=row.text("instance_id", default="") or f"{repository.partition('/')[2]}__{commit[:8]}",
        format="r2e-gym",
        repository=repository,
        commit=commit,
        statement=_ISSUE.sub("", row.text("problem_statement", default="")).strip(),
        solution=solution,
        base=base,
        tests=_tests(run),
        fail_to_pass=begin,
        pass_to_pass=keep,
        image=row.text("docker_image", default=""),
    )


def _diffs(commit: Fields) -> tuple[str, str]:
    """From the new commit to the old one, and from there to the solution, which leaves test code as it is."""
    back, solution = [], []
    for file in commit.tables("file_diffs"):
        path = file.table("header").table("file").text("path")
        old, new = (_side(file, side) for side in ("old", "new"))
        if (
            file.flag("is_binary_file")
            or len({_place(file, "old"), _place(file, "new")} - {"", "/dev/null"}) > 1
        ):
            raise Rejected("patch", f"{path[:80]!r}: is binary or was renamed")
        try:
            back.append(diff_of(path, new, old))
            solution.append("" if is_test_code(path) else diff_of(path, old, new))
        except ValueError as error:
            raise Rejected("patch", f"file_diffs: {error}") from None
    return "".join(back), "".join(solution)


def _side(file: Fields, side: str) -> str | None:
    """The text before or after; None where there is no file."""
    place = _place(file, side)
    text = file.text(f"{side}_file_content", default="")
    return None if place == "/dev/null" or not (place or text) else text


def _place(file: Fields, side: str) -> str:
    path = file.table("minus_file" if side == "old" else "plus_file").text("path", default="")
    return path.removeprefix("a/" if side == "old" else "b/")


def _tests(run: Fields) -> str:
    names, codes = run.names("test_file_names"), run.strings("test_file_codes")
    if not names or len(names) != len(codes):
        raise Rejected(
            "no-tests", f"execution_result_content: {len(names)} test files with {len(codes)} texts"
        )
    try:
        return "".join(
            diff_of(f"{_FOLDER}/{name}", None, code) for name, code in zip(names, codes, strict=True)
        )
    except ValueError as error:
        raise Rejected("patch", f"test_file_names: {error}") from None


def _lists(row: Fields, run: Fields) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What must begin to pass and what must go on passing, as node ids.

    A key of the expected outcomes has no file, so one that two tests print is left out.
    """
    expected = row.mapping("expected_output_json")
    old = _outcomes(run.text("old_commit_res_stdout", default=""))
    new = _outcomes(run.text("new_commit_res_stdout", default=""))
    nodes: dict[str, list[str]] = {}
    for node in new:
        nodes.setdefault(_key(node), []).append(node)
    wanted = [clean(key) for key, outcome in expected.items() if outcome == "PASSED"]
    sure = [nodes[key][0] for key in wanted if len(nodes.get(key, ())) == 1]
    begin = tuple(node for node in sure if old.get(node) != "PASSED")
    return begin, tuple(node for node in sure if old.get(node) == "PASSED")


def _outcomes(printed: str) -> dict[str, str]:
    """Node id to outcome, by the summary that ``pytest -rA`` prints."""
    found = {}
    for line in clean(printed).partition(_SUMMARY)[2].splitlines():
        match = _LINE.match(line)
        if match is not None:
            name = match[3] if match[1] == "PASSED" else match[3].partition(" - ")[0]
            found[f"{_FOLDER}/{match[2].removeprefix(f'{_FOLDER}/')}::{name}"] = match[1]
    return found


def _key(node: str) -> str:
    """The node id as the expected outcomes spell it: without the file, a dot between its parts."""
    name, bracket, parameters = node.partition("::")[2].partition("[")
    return name.replace("::", ".") + bracket + parameters
