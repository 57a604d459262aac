"""What the doctor says of this machine, and of machines that lack something."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deepgym_envs.doctor import Diagnosis, Finding, examine

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def found(diagnosis: Diagnosis, subject: str) -> Finding:
    return next(finding for finding in diagnosis.findings if finding.subject == subject)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """A machine without programs and without a Docker engine."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    (tmp_path / "bin").mkdir()
    yield tmp_path
    gc.collect()  # the Docker SDK leaves the socket of a failed connection to the garbage collector


def test_everything_is_looked_at_and_is_plain_json() -> None:
    said: list[str] = []
    diagnosis = examine(report=said.append)
    subjects = [finding.subject for finding in diagnosis.findings]
    assert subjects[:6] == ["python", "git", "pip", "bundled tasks", "cache folder", "memory"]
    assert {"docker", "bwrap"} <= set(subjects)
    assert len(said) == 3
    assert json.loads(json.dumps(diagnosis.summary())).keys() == {"isolating", "findings"}
    assert all(finding.advice or finding.mark == "good" or finding.found for finding in diagnosis.findings)


def test_what_is_missing_is_named_with_what_to_install(bare: Path) -> None:
    diagnosis = examine(smoke=False)
    assert diagnosis.isolating == ()
    assert found(diagnosis, "git") == Finding(
        "git", "bad", "not found", "apt install git, or dnf install git"
    )
    assert "no Docker engine answers" in found(diagnosis, "docker").found
    assert "apt install bubblewrap" in found(diagnosis, "bwrap").found
    assert found(diagnosis, "python").mark == "good"
    assert sys.executable in found(diagnosis, "python").found


def test_a_pip_that_is_too_old_is_bad(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = bare / "python"
    old.write_text("#!/bin/sh\necho 'pip 20.0.2 from /x (python 3.8)'\n")
    old.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(old))
    assert found(examine(), "pip").mark == "bad"
    assert "too old" in found(examine(), "pip").found
    old.write_text("#!/bin/sh\nexit 1\n")
    assert "has none" in found(examine(), "pip").found
    assert "ensurepip" in found(examine(), "pip").advice


def test_the_cache_folder_may_be_anywhere(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPGYM_CACHE", str(bare / "not" / "there" / "yet"))
    assert found(examine(), "cache folder").mark == "good"
    assert str(bare / "not" / "there" / "yet") in found(examine(), "cache folder").found
    assert not (bare / "not").exists()


def test_an_engine_that_answers_nonsense_is_no_error(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "nonsense://")
    assert found(examine(), "docker").mark == "warning"


@pytest.mark.slow
def test_boxes_are_opened_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    diagnosis = examine(smoke=True)
    assert found(diagnosis, "local smoke test") == Finding(
        "local smoke test", "good", "a box was opened, ran a command and was closed"
    )
    assert found(diagnosis, "local warm tests").mark == "good"
    for name in diagnosis.isolating:
        smoke = found(diagnosis, f"{name} smoke test")
        assert smoke.mark == "good" or smoke.found.startswith("left out")
        if smoke.mark == "good":
            assert found(diagnosis, f"{name} warm tests").mark == "good"


def test_a_smoke_test_that_fails_takes_the_sandbox_off_the_list(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (bare / "blocked").touch()
    monkeypatch.setenv("DEEPGYM_CACHE", str(bare / "blocked" / "cache"))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    before, after = examine(), examine(smoke=True)
    if "bwrap" not in before.isolating:
        pytest.skip("bubblewrap does not work here")
    assert after.isolating == ()
    assert found(after, "bwrap smoke test").mark == "bad"
    assert found(after, "cache folder").mark == "bad" or found(after, "cache folder").found
