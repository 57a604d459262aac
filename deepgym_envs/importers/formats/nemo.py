"""Rows for NVIDIA's NeMo-Gym and Nemotron: each holds a row of another data set, as JSON."""

from __future__ import annotations

from collections.abc import Callable

from deepgym_envs.importers.fields import Fields
from deepgym_envs.importers.formats.r2e_gym import r2e_gym
from deepgym_envs.importers.formats.swe_bench import swe_bench, swe_bench_live, swe_bench_pro, swe_gym
from deepgym_envs.importers.formats.swe_rebench import swe_rebench, swe_rebench_v2
from deepgym_envs.importers.formats.swe_smith import swe_smith
from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected

# By what is in the name of the data set, in lower case; the first that fits.
_INNER: dict[str, Callable[[Fields], Record]] = {
    "rebench-v2": swe_rebench_v2,
    "rebench": swe_rebench,
    "r2e-gym": r2e_gym,
    "swe-gym": swe_gym,
    "smith": swe_smith,
    "nv-internal": swe_bench_pro,
    "swe-bench_pro": swe_bench_pro,
    "swe-bench-live": swe_bench_live,
    "swe-bench": swe_bench,
}


def nemo(row: Fields) -> Record:
    """The row inside, read as one of the data set that is named beside it; its format stays that one's."""
    outer = row.table("responses_create_params").table("metadata")
    name = outer.text("dataset_name")
    read = next((read for part, read in _INNER.items() if part in name.lower()), None)
    if read is None:
        raise Rejected("format", f"dataset_name: {name[:80]!r} is none that is known")
    inner = outer.table("instance_dict")
    if "patch" not in inner and "golden_patch" in outer:
        outer = outer.merged(Fields({"patch": outer.text("golden_patch")}))
    return read(outer.merged(inner))
