"""SWE-bench (Verified, Lite, Multilingual's Python rows, version 5), and what kept its fields: SWE-Gym,
SWE-bench-Live, SWE-bench Pro, SWE-Lego."""

from __future__ import annotations

from dataclasses import replace

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.record import Record

# Parsers of SWE-bench's own harness that read what pytest prints, though they are called after a repository.
_OF_PYTEST = {"parse_log_seaborn", "parse_log_matplotlib", "parse_log_sympy", "parse_log_django"}


def swe_bench(row: Fields) -> Record:
    """A row of SWE-bench."""
    return Record(
        id=row.text("instance_id"),
        format="swe-bench",
        repository=row.text("repo"),
        commit=row.text("base_commit"),
        statement=row.text("problem_statement", default=""),
        solution=row.text("patch", default=""),
        tests=row.text("test_patch", default=""),
        fail_to_pass=row.names("fail_to_pass"),
        pass_to_pass=row.names("pass_to_pass"),
        language=row.text("language", "repo_language", default="").lower(),
        framework=framework(row),
        image=row.text("image", "image_name", "docker_image", default=""),
        license=row.text("license_name", "license", default=""),
    )


def swe_gym(row: Fields) -> Record:
    """A row of SWE-Gym: SWE-bench's fields without ``environment_setup_commit``."""
    return replace(swe_bench(row), format="swe-gym")


def swe_bench_live(row: Fields) -> Record:
    """A row of SWE-bench-Live. A ``log_parser`` that is source code is of no use here, and never executed."""
    return replace(swe_bench(row), format="swe-bench-live")


def swe_bench_pro(row: Fields) -> Record:
    """A row of SWE-bench Pro, whose statement has three parts."""
    parts = {"": "problem_statement", "## Requirements\n\n": "requirements", "## Interface\n\n": "interface"}
    said = [head + row.text(name) for head, name in parts.items() if row.text(name, default="")]
    tag = row.text("dockerhub_tag", default="")
    return replace(
        swe_bench(row),
        format="swe-bench-pro",
        statement="\n\n".join(said),
        fail_to_pass=row.names("fail_to_pass", "fail_to_pass_select"),
        pass_to_pass=row.names("pass_to_pass", "pass_to_pass_select"),
        image=f"jefzda/sweap-images:{tag}" if tag else "",
    )


def framework(row: Fields) -> str:
    """What runs the row's tests, in lower case; empty where it does not say or says it in code of its own."""
    said = row.text("test_framework", "log_parser", default="").strip().lower()
    if said in _OF_PYTEST:
        return "pytest"
    return said if said.replace("_", "").replace("-", "").isalnum() else ""
