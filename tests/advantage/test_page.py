"""docs/advantages.md names what there is, and its example prints what it says."""

from __future__ import annotations

import re
from pathlib import Path

import deepgym_envs.advantage as package
from deepgym_envs.advantage import ADV_ESTIMATORS, AGGREGATIONS, POLICY_LOSSES
from tests.advantage.reference import REFERENCE

PAGE = (Path(__file__).parents[2] / "docs" / "advantages.md").read_text(encoding="utf-8")


def test_every_name_of_a_registry_is_on_the_page() -> None:
    for name in (*ADV_ESTIMATORS, *POLICY_LOSSES, *AGGREGATIONS):
        assert f"`{name}`" in PAGE, name


def test_what_the_page_names_in_tables_can_be_imported_or_looked_up() -> None:
    registries = {*ADV_ESTIMATORS, *POLICY_LOSSES, "ADV_ESTIMATORS", "POLICY_LOSSES"}
    for row in re.findall(r"^\| (`[^|]*) \|", PAGE, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", row):
            assert name in package.__all__ or name in registries, name


def test_the_example_gives_what_it_says() -> None:
    [example] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    scope: dict[str, object] = {}
    exec(example, scope)
    assert str(scope["found"].tolist()) == "[[1.0, 1.0], [-1.0, -1.0]]"  # type: ignore[attr-defined]


def test_the_versions_on_the_page_are_those_that_were_run() -> None:
    names = {"verl": "verl", "TRL": "trl", "SkyRL": "skyrl", "OpenRLHF": "openrlhf", "ms-swift": "ms-swift"}
    for name, library in names.items():
        assert f"{name} {REFERENCE['libraries'][library]}" in PAGE
