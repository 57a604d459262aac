"""Imports go down only, heavy libraries stay where they belong, and every file's name says something."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "deepgym_envs"
WRAPPERS = ROOT / "wrappers" / "deepgym_wrappers"
# A package or module of deepgym_envs, and its layer: it imports only from lower ones.
LAYERS = {
    "errors": 0, "owner": 0, "paths": 0, "text": 0, "syntax": 0, "statistics": 0, "strict_json": 0, "plain": 0,
    "advantage": 0, "kl": 0, "parallel": 0,
    "state": 1, "manifest": 1, "action": 1, "lock": 1, "git_library": 1, "trajectory": 1,
    "rewriting": 1, "sqlite_file": 1, "signing_key": 1, "overoptimisation": 1, "json_post": 1,
    "package_index": 1, "pieces": 1,
    "patch": 2, "layout": 2, "unified_diff": 2, "recipe": 2, "spaces": 2, "toolcall": 2, "store": 2, "twin": 2, "oracle_input": 2,
    "source": 3, "oracle_file": 3,
    "content": 4,
    "task": 5,
    "suite": 6, "task_writer": 6, "figures": 6,
    "sandbox": 7, "task_checks": 7,
    "grade": 8,
    "reward": 9, "process_reward": 9, "toolbox": 9, "validation": 9, "verification": 9, "authoring": 9, "importers": 9,
    "env": 10, "agents": 10,
    "vector": 11, "rollout": 11, "async_env": 11, "audit": 11,
    "crew": 12, "doctor": 12, "async_rollout": 12, "batch": 12, "step_labels": 12, "generate": 12,
    "": 13, "evaluation": 13, "testing": 13,
    "cli": 14,
    "__main__": 15,
}  # fmt: skip
# Of these every file may import any other of the same one, as long as no cycle comes of it.
PACKAGES = (
    "content",
    "rewriting", "sandbox", "grade", "reward", "authoring", "cli", "generate", "agents", "importers", "testing", "audit",
    "advantage", "kl", "overoptimisation", "process_reward", "batch", "step_labels",
)  # fmt: skip
HEAVY = {
    "docker": ("sandbox/docker.py", "sandbox/engine.py", "sandbox/image.py", "sandbox/base_image.py"),
    "git": ("git_library.py", "patch.py", "source.py", "sandbox/image.py"),
    "gymnasium": ("__init__.py", "env.py", "spaces.py", "vector.py", "rollout.py", "async_env.py"),
    "typer": ("cli/",),
    "rich": ("cli/",),
    "pytest": (
        "grade/launcher.py",
        "sandbox/nursery.py",
        "audit/weakness/observer.py",
        "authoring/probe_child.py",
        "generate/calls_child.py",
        "reward/spectrum_child.py",
    ),
    "ray": (),
    "hypothesis": (),
    "httpx": ("json_post.py",),
    "pyflakes": ("reward/static_checks.py",),
    "pyarrow": ("step_labels/parquet.py", "importers/rows.py"),
    "datasets": ("importers/rows.py",),
    "unearth": ("package_index.py",),
    "httpx2": ("package_index.py",),
}
SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "manager", "misc", "base", "core"}
FILES = sorted(PACKAGE.rglob("*.py"))
BOXD = PACKAGE / "sandbox" / "boxd"  # has another name where it runs, so its files name each other relatively
WRAPPER_FILES = sorted(WRAPPERS.rglob("*.py"))


def imports(path: Path) -> Iterator[tuple[str, str, bool]]:
    """Each imported module, the name taken from it, and whether that happens when the file is imported."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    late = {inner for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((name.name, "", node not in late) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level <= (path.parent == BOXD), f"{path}: relative import"
            module = f"deepgym_envs.sandbox.boxd.{node.module}" if node.level else node.module or ""
            yield from ((module, name.name, node not in late) for name in node.names)


def place(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def part(module: str, name: str = "") -> str:
    """The part of deepgym_envs that a module lies in, as LAYERS names it; empty for the package itself."""
    inner = module.split(".")[1:]
    if not inner and (PACKAGE / f"{name}.py").exists() | (PACKAGE / name / "__init__.py").exists() and name:
        return name
    return inner[0] if inner else ""


def own(path: Path) -> str:
    first = place(path).split("/")[0].removesuffix(".py")
    return "" if first == "__init__" else first


@pytest.mark.parametrize("path", FILES, ids=place)
def test_imports_go_down_only(path: Path) -> None:
    mine = own(path)
    assert mine in LAYERS, f"give {mine} a layer in this test and in docs/architecture.md"
    for module, name, _ in imports(path):
        if module.split(".")[0] == "deepgym_envs":
            theirs = part(module, name)
            assert theirs in LAYERS, f"{module} has no layer"
            fine = LAYERS[theirs] < LAYERS[mine] or (theirs == mine and mine in PACKAGES)
            assert fine, f"{mine} (layer {LAYERS[mine]}) imports {theirs} (layer {LAYERS[theirs]})"


def test_what_has_a_layer_is_there_and_stands_in_the_architecture() -> None:
    """The root of the package, whose files import nothing that it exports, is named by neither."""
    there = {own(path) for path in FILES} - {""}
    listed: dict[str, int] = {}
    for row in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").splitlines():
        number, _, rest = row.removeprefix("| ").partition(" | ")
        if row.startswith("| ") and number.isdigit():
            names = re.findall(r"`([a-z_]+)/?`", rest.partition(" | ")[0])
            listed.update(dict.fromkeys(names, int(number)))
    assert {name: layer for name, layer in LAYERS.items() if name} == listed
    assert set(listed) == there


@pytest.mark.parametrize("package", [name for name in PACKAGES if (PACKAGE / name).is_dir()])
def test_inside_a_package_nothing_goes_round(package: str) -> None:
    """A package's ``__init__`` stands for what is outside: its own files import each other by module."""
    graph: dict[str, set[str]] = {}
    for path in (PACKAGE / package).rglob("*.py"):
        me = f"deepgym_envs.{place(path).removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")
        graph[me] = set()
        for module, name, at_import in imports(path):
            whole = f"{module}.{name}"
            target = whole if (ROOT / whole.replace(".", "/")).with_suffix(".py").exists() else module
            if target.startswith(f"deepgym_envs.{package}") and target != me and at_import:
                graph[me].add(target)
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("path", FILES, ids=place)
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    for module, _, _ in imports(path):
        allowed = HEAVY.get(module.split(".")[0])
        if allowed is not None:
            fine = any(
                place(path) == home or (home.endswith("/") and place(path).startswith(home))
                for home in allowed
            )
            assert fine, f"{place(path)} imports {module}"


@pytest.mark.parametrize("path", WRAPPER_FILES, ids=lambda path: path.name)
def test_wrappers_use_public_names_only(path: Path) -> None:
    for module, name, _ in imports(path):
        if module.split(".")[0] == "deepgym_envs":
            assert not any(word.startswith("_") for word in [*module.split("."), *name.split(".")]), (
                f"{module}.{name}"
            )
            assert name, f"import what is needed from {module} by name"
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            assert isinstance(node.value, ast.Name), f"{path.name}: {node.attr}"
            assert node.value.id == "self", f"{path.name}: {node.value.id}.{node.attr}"


@pytest.mark.parametrize("path", [*FILES, *WRAPPER_FILES], ids=lambda path: path.name)
def test_every_name_says_something(path: Path) -> None:
    assert not SAY_NOTHING & {part.removesuffix(".py") for part in path.relative_to(ROOT).parts}


@pytest.mark.parametrize(
    "path",
    [*FILES, *WRAPPER_FILES, *sorted((ROOT / "tests").rglob("*.py"))],
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_nothing_is_mocked(path: Path) -> None:
    assert not [module for module, _, _ in all_imports(path) if "mock" in module.split(".")]


def all_imports(path: Path) -> Iterator[tuple[str, str, bool]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((name.name, "", True) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module or ''}.{name.name}", "", True) for name in node.names)


IN_A_BOX = [
    *sorted(BOXD.glob("*.py")),
    *(
        PACKAGE / home
        for home in (
            "sandbox/nursery.py",
            "grade/launcher.py",
            "grade/oracle_child.py",
            "plain.py",
            "audit/weakness/leak_scan.py",
            "audit/weakness/observer.py",
            "reward/import_child.py",
            "reward/spectrum_child.py",
        )
    ),
]


@pytest.mark.parametrize("path", IN_A_BOX, ids=place)
def test_what_runs_in_a_box_needs_only_the_standard_library_of_an_old_python(path: Path) -> None:
    ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 8))
    beside = set() if path.parent == BOXD else {"pytest", "_pytest"}
    for module, _, _ in imports(path):
        of_its_own = path.parent == BOXD and module.startswith("deepgym_envs.sandbox.boxd.")
        assert of_its_own or module.split(".")[0] in sys.stdlib_module_names | beside


def test_what_the_nursery_loads_of_boxd_stands_alone() -> None:
    for module, _, _ in imports(BOXD / "agent.py"):
        assert module in sys.stdlib_module_names
