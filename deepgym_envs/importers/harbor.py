"""Tasks as Harbor task folders (schema 1.4), there and back.

A written folder is complete for Harbor: the agent's image, a separate verifier image that the agent never
sees, a solution. It also holds what Harbor has no place for (``tests/config.json``), so that it reads back as
the very same task. Harbor knows no twins and no untrusted report, so a verdict there is weaker than one of
this package.

::

    task.toml, instruction.md
    environment/   Dockerfile, workspace/ (the base)
    tests/         Dockerfile, test.sh, verify.py, launcher.py, verify.json, config.json, hidden/, workspace/
    solution/      solve.sh, solution.patch
    scripts/       what the task's own scripts hold, if it has any
    twins.json     wrong copies of the hidden tests, which Harbor's verifier knows nothing of
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from deepgym_envs.content import Content
from deepgym_envs.errors import TaskError
from deepgym_envs.grade import testrun
from deepgym_envs.manifest import parse_manifest, toml_text
from deepgym_envs.oracle_file import is_case
from deepgym_envs.patch import RAW_ATTRIBUTES, apply_patch, make_patch
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.source import source_tree
from deepgym_envs.state import File, Tree, WorkspaceState, glob_pattern
from deepgym_envs.task import BASE_IMPLEMENTATION, Task, TaskManifest
from deepgym_envs.twin import NO_TWINS, Twins, parse_twins

FORMAT = "deepgym-envs 1"
_VERIFY = Path(__file__).with_name("harbor_verify.py")
_LAUNCHER = Path(testrun.__file__).with_name("launcher.py")
_PYTHONS = (11, 13, 12, 10, 9, 14)


class ForeignTask(TaskError):
    """A Harbor task that lacks what a verdict of this package needs."""


def export_harbor(task: Task, folder: Path) -> Path:
    """Write ``task`` as the Harbor task ``folder/<name>``; the same task gives the same bytes. Returns that
    folder.

    Raises:
        TaskError: it is there already, or Harbor does not allow the task's name, or it needs somebody else's
            image.
    """
    if task.recipe.needs.image is not None:
        raise TaskError(
            f"{task.id}: its environment is {task.recipe.needs.image}; write pins into its recipe"
        )
    if ".." in task.id:
        raise TaskError(f"{task.id}: Harbor does not allow '..' in a name; rename the task")
    place = folder / task.id.rpartition("/")[2]
    if place.exists():
        raise TaskError(f"{place}: is there already; delete it or choose another folder")
    files = _files(task)
    place.mkdir(parents=True)
    files.write_to(place)
    return place


def read_harbor(folder: Path) -> Task:
    """The task that ``export_harbor`` wrote into ``folder``. Nothing in it is executed.

    Raises:
        ForeignTask: it was written by someone else; says what it lacks.
        TaskError: it is not a Harbor task, or was changed so that it no longer fits together.
    """
    try:
        tree = Tree.from_folder(folder)
    except (ValueError, OSError) as error:
        raise TaskError(f"{folder}: cannot be read: {error}") from None
    for name in ("task.toml", "instruction.md"):
        if name not in tree:
            raise TaskError(f"{folder}: is not a Harbor task: it has no {name}")
    config = _config(folder, tree)
    where = str(folder / "tests/config.json")
    base = _below(tree, "environment/workspace/")
    if base.digest != config.get("base"):
        raise TaskError(
            f"{folder}: environment/workspace is not what tests/config.json was written for; export again"
        )
    try:
        base_patch = _bytes(config.get("base_patch"))
        solution = tree["solution/solution.patch"].data
        source = base if base_patch is None else _source(base, base_patch, _bytes(config.get("source_patch")))
        instruction = tree["instruction.md"].data.decode()
        task = Task(
            manifest=parse_manifest(_table(config, "manifest"), TaskManifest, f"{where}: manifest"),
            recipe=parse_manifest(_table(config, "recipe"), RepoRecipe, f"{where}: recipe"),
            instruction=instruction,
            content=Content(
                hidden={path: file.data for path, file in _below(tree, "tests/hidden/").items()},
                solution_patch=solution,
                base_patch=base_patch,
                source=source,
                twins=_twins(tree, f"{folder}/twins.json"),
            ),
            scripts={
                path.removesuffix(".jsonl"): file.data
                for path, file in _below(tree, "scripts/").items()
                if path.endswith(".jsonl")
            },
        )
    except KeyError as error:
        raise TaskError(f"{folder}: {error.args[0]} is missing; export the task again") from None
    except TaskError:
        raise
    except ValueError as error:
        raise TaskError(f"{where}: {error}; export the task again") from None
    _check(task, where)
    return task


def _check(task: Task, where: str) -> None:
    if task.manifest.repo != task.recipe.name:
        raise TaskError(
            f"{where}: manifest.repo is {task.manifest.repo!r}, but the recipe is {task.recipe.name!r}"
        )
    if len(set(task.expected)) != len(task.expected):
        raise TaskError(f"{where}: manifest.tests: a test is listed twice; list it once")
    for node in task.expected:
        file = f"{node}.patch" if task.manifest.kind == "tests" else node.partition("::")[0]
        if file not in task.hidden and node != BASE_IMPLEMENTATION:
            raise TaskError(f"{where}: manifest.tests: {node!r}: tests/hidden has no such file")


def _config(folder: Path, tree: Tree) -> Mapping[str, Any]:
    try:
        config = json.loads(tree["tests/config.json"].data)
    except (KeyError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not str(config.get("format", "")).startswith("deepgym-envs "):
        raise ForeignTask(
            f"{folder}: was not exported by this package, and a Harbor folder does not say which hidden "
            "tests must begin to pass and which must go on passing, what a solution may change, or what is "
            "installed, pinned; write these into a task folder (docs/write-a-task.md)"
        )
    if config["format"] != FORMAT:
        raise TaskError(
            f"{folder}: tests/config.json: format {config['format']!r} is not {FORMAT!r}; export again"
        )
    return config


def _source(base: Tree, base_patch: bytes, source_patch: bytes | None) -> Tree:
    source = apply_patch(base, source_patch) if source_patch else base
    if apply_patch(source, base_patch) != base:
        raise ValueError("base_patch does not lead to environment/workspace")
    return source


def _table(config: Mapping[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(config.get(key), dict):
        raise ValueError(f"{key}: missing")
    return dict(config[key])


def _below(tree: Tree, prefix: str) -> Tree:
    return Tree({path.removeprefix(prefix): file for path, file in tree.items() if path.startswith(prefix)})


def _text(data: bytes | None) -> str | None:
    return None if data is None else data.decode("utf-8", "surrogateescape")


def _bytes(text: Any) -> bytes | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise ValueError("a patch must be text")
    return text.encode("utf-8", "surrogateescape")


def _files(task: Task) -> Tree:
    source = task.files.source or source_tree(task.recipe)
    back = {path: source.get(path) for path in {*source, *task.base}}
    config = {
        "format": FORMAT,
        "base": task.base.digest,
        "manifest": task.manifest.model_dump(mode="json"),
        "recipe": task.recipe.model_dump(mode="json"),
        "base_patch": _text(task.files.base_patch),
        "source_patch": _text(make_patch(WorkspaceState(task.base, back)))
        if task.files.base_patch is not None
        else None,
    }
    files = {
        "task.toml": File(toml_text(_task_table(task)).encode()),
        "instruction.md": File(task.instruction.encode()),
        "environment/Dockerfile": _lines(*_dockerfile(task, agent=True)),
        "tests/Dockerfile": _lines(*_dockerfile(task, agent=False)),
        "tests/test.sh": _lines("#!/bin/sh", "exec python3 -I /tests/verify.py", executable=True),
        "tests/verify.py": File(_VERIFY.read_bytes()),
        "tests/launcher.py": File(_LAUNCHER.read_bytes()),
        "tests/verify.json": _json(_verifier_job(task)),
        "tests/config.json": _json(config),
        "solution/solution.patch": File(task.files.solution_patch),
        "solution/solve.sh": _lines(
            "#!/bin/sh", "set -e", "cd /workspace", "git apply --whitespace=nowarn /solution/solution.patch",
            executable=True,
        ),
    }  # fmt: skip
    files |= {f"tests/hidden/{path}": File(data) for path, data in task.hidden.items()}
    files |= {f"scripts/{name}.jsonl": File(data) for name, data in task.scripts.items()}
    if task.twins.tests:
        files["twins.json"] = File(task.twins.as_json())
    for folder in ("environment", "tests"):
        files |= {f"{folder}/workspace/{path}": file for path, file in task.base.items()}
    return Tree(files)


def _twins(tree: Tree, where: str) -> Twins:
    file = tree.get("twins.json")
    return parse_twins(file.data, where) if file is not None else NO_TWINS


def _task_table(task: Task) -> dict[str, Any]:
    limits = task.limits
    runs = len(task.expected) if task.manifest.kind == "tests" else 1
    place = {
        "build_timeout_sec": 1800.0,
        "cpus": 1,
        "memory_mb": limits.memory_mb + limits.disk_mb,
        "storage_mb": 2048 + limits.disk_mb,
        "network_mode": "no-network",
        "workdir": "/workspace",
    }
    return {
        "schema_version": "1.4",
        "artifacts": [{"source": "/workspace", "exclude": [".git"]}],
        "task": {"name": task.id, "description": task.manifest.title, "keywords": list(task.manifest.tags)},
        "metadata": {
            "category": task.manifest.kind,
            "difficulty": task.manifest.difficulty,
            "repository": task.recipe.name,
            "license": task.recipe.license,
            "digest": task.digest,
        },
        "environment": place,
        "agent": {"timeout_sec": float(limits.seconds)},
        "verifier": {
            "timeout_sec": float(limits.test_seconds) * runs + 60.0,
            "environment_mode": "separate",
            "environment": place,
        },
    }


def _verifier_job(task: Task) -> dict[str, Any]:
    implementations = {
        name: {path: None if file is None else _text(file.data) for path, file in state.changes.items()}
        for name, state in task.implementations.items()
    }
    return {
        # What an oracle expects is no secret where the verifier runs, so it is left out.
        "expected": [node for node in task.expected if not is_case(node)],
        "implementations": implementations,
        "visible": [*task.recipe.test.options, *task.recipe.test.paths],
        "editable": [glob_pattern(pattern).pattern for pattern in task.editable],
        "plugins": list(task.recipe.test.plugins),
        "pythonpath": list(task.recipe.install.pythonpath),
        "seconds": float(task.limits.test_seconds),
    }


def _dockerfile(task: Task, *, agent: bool) -> list[str]:
    recipe = task.recipe
    minor = next((minor for minor in _PYTHONS if recipe.accepts_python((3, minor))), 11)
    packages = shlex.join(["git", *recipe.needs.apt])
    lines = [
        f"FROM python:3.{minor}-slim",
        f"RUN apt-get update && apt-get install -y --no-install-recommends {packages}"
        " && rm -rf /var/lib/apt/lists/*",
    ]
    if recipe.needs.pip:
        lines.append(f"RUN python -m pip install --no-cache-dir --no-deps {shlex.join(recipe.needs.pip)}")
    lines += [
        "RUN useradd --uid 1000 --create-home agent",
        "COPY workspace/ /workspace/",
        "WORKDIR /workspace",
    ]
    commands = [f"RUN {shlex.join(command)}" for command in recipe.install.commands]
    if not agent:
        # The workspace that is judged comes as an artifact.
        return [*lines, *commands, "RUN find /workspace -mindepth 1 -delete", "COPY . /tests/"]
    identity = "-c user.name=DeepGym -c user.email=deepgym@localhost"
    lines += [
        f"RUN git init -q && printf '{RAW_ATTRIBUTES.strip()}' > .git/info/attributes"
        f" && git add --all --force && git {identity} commit -q --allow-empty -m 'The repository as it is'",
        *commands,
    ]
    if commands:
        lines.append("RUN git clean -fdxq && git checkout -q -- .")
    lines.append("RUN git config --system --add safe.directory /workspace && chown -R agent:agent /workspace")
    path = ":".join(
        "/workspace" if place == "." else f"/workspace/{place}" for place in recipe.install.pythonpath
    )
    lines.append(f"ENV PYTHONPATH={json.dumps(path)} PYTHONDONTWRITEBYTECODE=1")
    return lines


def _lines(*lines: str, executable: bool = False) -> File:
    return File(("\n".join(lines) + "\n").encode(), executable)


def _json(value: object) -> File:
    return File((json.dumps(value, indent=1, sort_keys=True) + "\n").encode())
