"""SWE-rebench, SWE-bench-extra and the leaderboard (version 1), and SWE-rebench V2."""

from __future__ import annotations

from dataclasses import replace

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.formats.swe_bench import framework, swe_bench
from deepgym_envs.importers.record import Record


def swe_rebench(row: Fields) -> Record:
    """A row of version 1, which says what was installed, release by release."""
    install = row.table("install_config")
    return replace(
        swe_bench(row),
        format="swe-rebench",
        framework=framework(install),
        python=install.text("python", default=""),
        requirements=row.text("requirements", default=""),
        conda=row.text("environment", default=""),
    )


def swe_rebench_v2(row: Fields) -> Record:
    """A row of version 2: many languages, and an image in place of pins."""
    said = [row.text("problem_statement", default=""), row.text("interface", default="")]
    return replace(
        swe_bench(row),
        format="swe-rebench-v2",
        statement="\n\n## Interface\n\n".join(part for part in said if part),
        framework=framework(row.table("install_config")),
    )
