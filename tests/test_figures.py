"""What a task measures, and the difficulty that follows."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepgym_envs.figures import BOUNDS, difficulty, measure, points
from deepgym_envs.task import Figures, Task
from deepgym_envs.testing import make_task

CHAIN = {
    "lib/__init__.py": "from lib import far\nfrom lib.front import show\n",
    "lib/front.py": "from lib.middle import work\n\n\ndef show(a):\n    return work(a)\n",
    "lib/middle.py": "import lib.far as far\n\n\ndef work(a):\n    return far.root(a)\n",
    "lib/far.py": "def root(a):\n    return a\n\n\nclass Box:\n    size = 1\n\n    def open(self):\n        return 1\n",
    "lib/alone.py": "ODD = 1\n",
    "tests/test_lib.py": "",
}
FAR = CHAIN["lib/far.py"]


def made(
    folder: Path, gold: dict[str, str | None], symptom: str | None = "lib/front.py", **changed: object
) -> Task:
    options: dict[str, object] = {
        "source": CHAIN,
        "hidden": {"test_x.py": "def test_x(): pass\n"},
        "gold": gold,
        "editable": ["lib/**"],
        "fail_to_pass": ["test_x.py::test_x"],
        **changed,
    }
    task = make_task(folder / "one", **options)  # type: ignore[arg-type]
    if symptom is None:
        return task
    where = folder / "one" / "task.toml"
    where.write_text(f'symptom = "{symptom}"\n' + where.read_text())
    return Task.from_folder(folder / "one", folder / "repos")


@pytest.mark.parametrize(
    ("gold", "distance"),
    [
        ({"lib/front.py": CHAIN["lib/front.py"] + "\n"}, 0),
        ({"lib/middle.py": CHAIN["lib/middle.py"] + "\n"}, 1),
        ({"lib/far.py": FAR + "\n"}, 2),
        ({"lib/front.py": CHAIN["lib/front.py"] + "\n", "lib/far.py": FAR + "\n"}, 2),
        ({"lib/alone.py": "ODD = 2\n"}, 0),
        ({"lib/new.py": "A = 1\n", "lib/front.py": CHAIN["lib/front.py"] + "\n\nimport lib.new\n"}, 1),
    ],
)
def test_distance_is_the_way_by_imports_past_the_package_itself(
    tmp_path: Path, gold: dict[str, str | None], distance: int
) -> None:
    assert measure(made(tmp_path, gold)).distance == distance


def test_relative_imports_and_folders_on_the_path_count(tmp_path: Path) -> None:
    source = {
        "src/lib/__init__.py": "",
        "src/lib/a.py": "from .inner import b\n",
        "src/lib/inner/__init__.py": "",
        "src/lib/inner/b.py": "from ..c import d\n",
        "src/lib/c.py": "d = 1\n",
        "tests/test_lib.py": "",
    }
    task = made(
        tmp_path,
        {"src/lib/c.py": "d = 2\n"},
        "src/lib/a.py",
        source=source,
        editable=["src/**"],
        pythonpath=["src"],
    )
    assert measure(task).distance == 2


@pytest.mark.parametrize(
    ("text", "functions", "lines"),
    [
        (FAR.replace("return a", "return -a"), 1, 2),
        (FAR.replace("size = 1", "size = 2"), 1, 2),
        (FAR.replace("return a", "return -a").replace("return 1", "return 2"), 2, 4),
        (FAR + "\n\ndef more():\n    return 3\n", 1, 4),
        (FAR.replace("class Box:", "class Box(dict):"), 1, 2),
        (FAR + "# said\n", 0, 1),
        ("def broken(:\n", 3, 10),
    ],
)
def test_functions_and_lines_are_those_that_differ(
    tmp_path: Path, text: str, functions: int, lines: int
) -> None:
    figures = measure(made(tmp_path, {"lib/far.py": text}))
    assert (figures.files, figures.functions, figures.lines) == (1, functions, lines)


def test_what_is_deleted_and_what_is_new_counts(tmp_path: Path) -> None:
    figures = measure(made(tmp_path, {"lib/far.py": None, "lib/notes.txt": "one\ntwo\n"}))
    assert (figures.files, figures.functions, figures.lines) == (2, 3, 11)


def test_what_there_is_not_is_none(tmp_path: Path) -> None:
    figures = measure(made(tmp_path, {"lib/alone.py": "ODD = 2\n"}, None))
    assert (figures.distance, figures.visible_failing, figures.tool_calls) == (None, None, None)


def test_the_shortest_script_counts(tmp_path: Path) -> None:
    call = '{"tool": "run_tests"}\n'
    task = made(
        tmp_path, {"lib/alone.py": "ODD = 2\n"}, scripts={"wander": call * 9, "direct": call * 7 + "\n"}
    )
    assert measure(task, visible_failing=2).tool_calls == 7
    assert measure(task, visible_failing=2).visible_failing == 2


counts = st.integers(0, 100)
figures = st.builds(
    Figures, files=counts, functions=counts, lines=counts, distance=st.none() | counts,
    visible_failing=st.none() | counts, tool_calls=st.none() | counts,
)  # fmt: skip


@given(figures, st.sampled_from(sorted(BOUNDS)))
def test_more_to_do_is_never_easier(one: Figures, name: str) -> None:
    more = one.model_copy(update={name: (getattr(one, name) or 0) + 1})
    order = ["easy", "medium", "hard"]
    assert points(more) >= points(one)
    assert order.index(difficulty(more)) >= order.index(difficulty(one))
