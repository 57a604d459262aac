"""How a repository's own tests are run."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs.grade import run_visible
from deepgym_envs.sandbox import Backend
from deepgym_envs.testing import make_task

from ..tiny import isolating  # noqa: TID252

FIXTURES = (isolating,)


@pytest.mark.parametrize(("counts", "ends"), [(True, False), (False, True)])
def test_options_of_its_own_configuration_count_unless_the_recipe_says_otherwise(
    isolating: Backend, tmp_path: Path, counts: bool, ends: bool
) -> None:
    task = make_task(
        tmp_path / "one",
        source={
            "pages.py": "X = 1\n",
            "pytest.ini": "[pytest]\naddopts = --no-such-option\n",
            "tests/test_pages.py": "def test_pages():\n    pass\n",
        },
        hidden={"test_x.py": "def test_x():\n    assert 0\n"},
        gold={"pages.py": "X = 2\n"},
        fail_to_pass=["test_x.py::test_x"],
    )
    suite = task.recipe.test.model_copy(update={"addopts": counts})
    task = replace(task, recipe=task.recipe.model_copy(update={"test": suite}))
    with closing(isolating.open(task)) as box:
        report, _ = run_visible(box, task)
    assert report.complete is ends
    assert list(report.outcomes.values()) == ["passed"] * ends
