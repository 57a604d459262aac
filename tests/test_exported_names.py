"""What the packages export is what they show, in order, and nothing that does not exist."""

from __future__ import annotations

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import deepgym_envs
import deepgym_wrappers

PACKAGES = [deepgym_envs, deepgym_wrappers]
INNER = [
    "deepgym_envs.sandbox", "deepgym_envs.grade", "deepgym_envs.reward",
    "deepgym_envs.advantage", "deepgym_envs.kl", "deepgym_envs.overoptimisation", "deepgym_envs.process_reward",
    "deepgym_envs.batch", "deepgym_envs.step_labels", "deepgym_wrappers.sinks",
]  # fmt: skip


def _imported(package: ModuleType) -> set[str]:
    """Public names that a package took from its modules."""
    named = {name: value for name, value in vars(package).items() if not name.startswith("_")}
    return {name for name, value in named.items() if not isinstance(value, ModuleType)}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_all_is_sorted_and_complete(package: ModuleType) -> None:
    assert sorted(package.__all__) == package.__all__
    assert set(package.__all__) == _imported(package)


@pytest.mark.parametrize("name", INNER)
def test_all_of_inner_packages_is_complete(name: str) -> None:
    package = importlib.import_module(name)
    assert len(set(package.__all__)) == len(package.__all__)
    assert set(package.__all__) == _imported(package)


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)
def test_what_is_exported_is_documented(package: ModuleType) -> None:
    assert package.__doc__
    for name in package.__all__:
        assert getattr(package, name).__doc__, name


def test_importing_loads_nothing_heavy() -> None:
    code = "import sys, deepgym_envs, deepgym_wrappers; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"docker", "typer", "rich", "ray", "torch", "pytest", "hypothesis"} & set(done.stdout.split())
