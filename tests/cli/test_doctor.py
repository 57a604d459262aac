"""``deepgym-envs doctor`` as a person or a program uses it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deepgym_envs.cli.app import main


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from deepgym_envs.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "doctor", *arguments], capture_output=True, text=True, timeout=120,
        check=False, cwd=Path(__file__).parents[2], env={**os.environ, **environment},
    )  # fmt: skip


def test_json_is_all_that_is_on_standard_output() -> None:
    done = run("--json")
    result = json.loads(done.stdout)
    assert done.returncode == (0 if result["isolating"] else 1)
    assert {finding["mark"] for finding in result["findings"]} <= {"good", "warning", "bad"}


def test_without_a_sandbox_that_isolates_the_status_is_1(tmp_path: Path) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "git").symlink_to(git)
    nothing = {"PATH": str(tmp_path), "DOCKER_HOST": "unix:///nonexistent.sock"}
    done = run(**nothing)
    assert done.returncode == 1
    assert "sandboxes that isolate: none" in done.stdout
    assert "install bubblewrap" in done.stderr
    done = run("--json", **nothing)
    assert done.returncode == 1
    assert json.loads(done.stdout)["isolating"] == []


def test_a_narrow_terminal_hides_nothing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    with pytest.raises(SystemExit) as ended:
        main(["doctor"])
    assert ended.value.code in (0, 1)
    told = capsys.readouterr().out
    for subject in ("python", "git", "pip", "bundled tasks", "docker", "bwrap"):
        assert subject in told
