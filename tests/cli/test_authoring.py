"""``deepgym-envs new``, ``edit`` and ``record``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deepgym_envs.cli import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, said.err


@pytest.mark.bwrap
def test_an_author_goes_from_nothing_to_a_task(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    status, said, _ = run(capsys, "new", "repo", "own/repos/adder", "--json")
    assert (status, json.loads(said)) == (0, {"written": "own/repos/adder"})
    status, said, _ = run(capsys, "new", "task", "own/sums", "--repo", "adder", "--kind", "edge-cases")
    assert status == 0
    assert "put the problem into own/sums/work/base" in said
    (tmp_path / "own/sums/work/base/adder/__init__.py").write_text("def add(a, b):\n    return a - b\n")
    (tmp_path / "own/sums/tests/test_sums.py").write_text(
        "from adder import add\n\n\ndef test_sum():\n    assert add(20, 3) == 23\n"
    )
    status, said, errors = run(capsys, "record", "own/sums", "--sandbox", "bwrap", "--json")
    assert status == 0, errors
    done = json.loads(said)
    assert done["patches"] == ["base.patch", "solution.patch"]
    assert (done["fail_to_pass"], done["pass_to_pass"]) == (["test_sums.py::test_sum"], [])
    assert (done["difficulty"], done["figures"]["visible_failing"]) == ("easy", 1)
    status, _, errors = run(capsys, "edit", "own/sums")
    assert status == 2
    assert "is there already" in errors


@pytest.mark.bwrap
def test_tests_that_fail_with_the_solution_are_an_error_of_the_author(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(capsys, "new", "repo", "own/repos/adder")
    run(capsys, "new", "task", "own/sums", "--repo", "adder")
    (tmp_path / "own/sums/work/solution/adder/__init__.py").write_text("def add(a, b):\n    return 0\n")
    (tmp_path / "own/sums/tests/test_sums.py").write_text("def test_sum():\n    assert 1 == 2\n")
    status, said, errors = run(capsys, "record", "own/sums", "--sandbox", "bwrap")
    assert (status, said) == (2, "")
    assert "test_sums.py::test_sum (assert 1 == 2)" in " ".join(errors.split())


def test_an_unknown_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, errors = run(
        capsys, "new", "task", str(tmp_path / "own/a"), "--repo", "tallybook", "--kind", "bugs"
    )
    assert status == 2
    assert "no kind 'bugs'" in errors
