"""The formats of rows that can be read, as data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.formats.multi_swe import multi_swe
from deepgym_envs.importers.formats.nemo import nemo
from deepgym_envs.importers.formats.r2e_gym import r2e_gym
from deepgym_envs.importers.formats.rebuilt import open_swe, scale_swe, swe_flow
from deepgym_envs.importers.formats.swe_bench import swe_bench, swe_bench_live, swe_bench_pro, swe_gym
from deepgym_envs.importers.formats.swe_rebench import swe_rebench, swe_rebench_v2
from deepgym_envs.importers.formats.swe_smith import swe_smith
from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected

AUTO = "auto"


@dataclass(frozen=True)
class Format:
    """How rows of one data set are read, and by which fields they are told from others."""

    read: Callable[[Fields], Record]
    fields: tuple[str, ...]


# The first whose fields a row has is its format, so what adds fields to another stands before it.
FORMATS: Mapping[str, Format] = {
    "nemo": Format(nemo, ("responses_create_params",)),
    "r2e-gym": Format(r2e_gym, ("parsed_commit_content", "execution_result_content")),
    "multi-swe": Format(multi_swe, ("org", "fix_patch")),
    "swe-flow": Format(swe_flow, ("reference_commit", "patch")),
    "scale-swe": Format(scale_swe, ("parent_commit", "patch")),
    "open-swe": Format(open_swe, ("end_commit", "test_patch")),
    "swe-bench-pro": Format(swe_bench_pro, ("selected_test_files_to_run", "test_patch")),
    "swe-rebench-v2": Format(swe_rebench_v2, ("install_config", "pr_description")),
    "swe-rebench": Format(swe_rebench, ("install_config", "test_patch")),
    "swe-bench-live": Format(swe_bench_live, ("test_cmds", "test_patch")),
    "swe-bench": Format(swe_bench, ("instance_id", "test_patch", "environment_setup_commit")),
    "swe-gym": Format(swe_gym, ("instance_id", "test_patch")),
    "swe-smith": Format(swe_smith, ("instance_id", "patch")),
}


def read_record(row: Mapping[str, Any], wanted: str = AUTO) -> Record:
    """What ``row`` says, read as the format ``wanted``, or as the one whose fields it has.

    Raises:
        Rejected: it has the fields of none, or is not what its format says.
    """
    fields = Fields(row)
    names = [wanted] if wanted != AUTO else [
        name for name, known in FORMATS.items() if all(field in fields for field in known.fields)
    ]  # fmt: skip
    if not names:
        raise Rejected(
            "format", f"has the fields of no known format: {', '.join(map(str, list(row)[:8]))[:200]}"
        )
    return FORMATS[names[0]].read(fields)
