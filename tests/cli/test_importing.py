"""``deepgym-envs import`` of rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs.cli import main
from deepgym_envs.suite import load_suite

DIFF = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-a\n+b\n"
ROW = {
    "instance_id": "acme__shop-1",
    "repo": "acme/shop",
    "base_commit": "0" * 40,
    "patch": DIFF.format("shop/cart.py"),
    "test_patch": DIFF.format("tests/test_cart.py"),
    "problem_statement": "A total forgets prices.",
    "FAIL_TO_PASS": '["tests/test_cart.py::test_a"]',
    "PASS_TO_PASS": '["tests/test_cart.py::test_b["]',
}


@pytest.fixture
def rows(tmp_path: Path) -> str:
    lines = [
        ROW,
        {**ROW, "instance_id": "acme__shop-2", "FAIL_TO_PASS": "[]"},
        {**ROW, "instance_id": "acme__shop-3"},
    ]
    (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)) + "\n{\n")
    return str(tmp_path / "rows.jsonl")


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["import", *arguments])
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, said.err


def test_rows_are_written_and_counted(rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "out")
    status, said, _ = run(capsys, "auto", rows, "--out", out, "--json")
    told = json.loads(said)
    details = told.pop("details")
    assert (status, told) == (
        1,
        {
            "candidates": 4, "accepted": 2, "there_already": 0, "rejected": {"no-tests": 1, "malformed": 1},
            "formats": {"swe-gym": 2}, "tests_left_out": {"truncated-id": 2},
        },
    )  # fmt: skip
    assert list(details) == ["rows.jsonl:2", "rows.jsonl:4"]
    assert [task.id for task in load_suite(out)] == ["swe-gym/acme__shop-1", "swe-gym/acme__shop-3"]


def test_a_person_sees_a_table_and_the_first_reasons(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, errors = run(capsys, "swe-gym", rows, "--dry-run")
    assert status == 1
    assert "no-tests" in said
    assert "2 tests that should go on passing were left out: truncated-id" in " ".join(
        said.replace("│", " ").split()
    )
    assert "rows.jsonl:4: malformed: is not JSON" in " ".join(errors.split())
    assert not (tmp_path / "out").exists()


def test_a_run_goes_on_with_what_is_there(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ("--out", str(tmp_path / "out"), "--json", "--repositories", "/mirror/{repo}")
    assert run(capsys, "auto", rows, *out, "--limit", "1")[0] == 0
    status, said, _ = run(capsys, "auto", rows, *out, "--limit", "1", "--resume")
    assert (status, json.loads(said)["there_already"]) == (0, 1)
    status, said, _ = run(capsys, "auto", rows, *out, "--limit", "1")
    assert (status, json.loads(said)["rejected"]) == (1, {"exists": 1})
    [task] = load_suite(tmp_path / "out")
    assert task.recipe.source.url == "/mirror/acme/shop"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("auto", "ROWS"), "either --out FOLDER or --dry-run"),
        (("auto", "ROWS", "--dry-run", "--out", "x"), "either --out FOLDER or --dry-run"),
        (("swe-bunch", "ROWS", "--dry-run"), "there are auto, nemo"),
        (("auto", "nowhere.jsonl", "--dry-run"), "is no file"),
        (("auto", "EMPTY", "--dry-run"), "holds no rows"),
        (("auto", "ROWS", "--dry-run", "--repositories", "https://x.org/y.git"), "{repo}"),
        (("harbor", "ROWS", "--out", "x"), "there is no such folder"),
        (("harbor", "ROWS", "--dry-run"), "--dry-run: of no use with Harbor"),
        (("harbor", "ROWS", "--out", "x", "--limit", "3"), "--limit: of no use with Harbor"),
    ],
)
def test_what_cannot_be_used_is_said(
    rows: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], complaint: str
) -> None:
    (tmp_path / "empty.jsonl").touch()
    places = {"ROWS": rows, "EMPTY": str(tmp_path / "empty.jsonl")}
    status, _, errors = run(capsys, *(places.get(each, each) for each in arguments))
    assert status == 2
    assert complaint in " ".join(errors.split())
