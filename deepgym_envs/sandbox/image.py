"""From a task to an image: base, environment of its repository, and a thin layer with its source.

Tags are addresses of content: equal content has one tag, changed content another. The environment layer is
shared by all tasks of a repository. A build has no network; wheels are resolved on the host. The source goes
in without upstream's history, as one fresh commit that the agent can look at but not write to.

Inside the image::

    /opt/venv              read-only virtual environment, bytecode compiled
    /opt/deepgym/boxd/     the box's own program, root's; beside it nursery.py, for warm starts
    /opt/deepgym/base/     the source at the task's base
    /opt/deepgym/git/      its one commit
    /workspace             empty; a box mounts memory there and fills it from base/
"""

from __future__ import annotations

import hashlib
import io
import os
import platform
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from docker.errors import APIError, DockerException, ImageNotFound

from deepgym_envs.errors import ImageError
from deepgym_envs.git_library import git_library
from deepgym_envs.lock import exclusive
from deepgym_envs.owner import scratch_folder
from deepgym_envs.paths import cache_dir
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.sandbox.base_image import LABEL, BaseImage, Report, base_image
from deepgym_envs.sandbox.hostenv import check_no_image
from deepgym_envs.sandbox.program import program_files
from deepgym_envs.state import File, Tree
from deepgym_envs.task import Task
from deepgym_envs.text import clean

AGENT = 1000
GIT_FOLDER = "/opt/deepgym/git"
_MAKE_ROOM = "make room on the engine's disk (deepgym-envs images prune, docker system prune) or in the cache"


@dataclass(frozen=True)
class ImageInfo:
    """An image that this package made.

    ``kind`` is base, environment or task, ``subject`` the repository or the task that it was first built for.
    Sizes are in bytes: ``size`` with all layers, ``unique`` what no other image has. ``environment`` is the
    digest of the environment that an environment image holds.
    """

    tag: str
    kind: str
    subject: str
    size: int
    unique: int = 0
    environment: str = ""


def task_image(client: Any, task: Task, report: Report) -> str:
    """The tag of the task's image, built first if it is not here.

    Raises:
        ImageError: it cannot be built; quotes what the build said last.
        SandboxUnavailable: the task needs somebody else's image.
        TaskError: the task's source cannot be had.
    """
    try:
        return _task_image(client, task, report)
    except ImageError as error:
        said = str(error)
    except (DockerException, git_library().exc.GitError, OSError) as error:
        said = f"{task.id}: its image could not be built: {error}"
    full = "no space left" in said.lower()
    raise ImageError(f"{said}; {_MAKE_ROOM}" if full else said)


def _task_image(client: Any, task: Task, report: Report) -> str:
    check_no_image(task.recipe)
    tag = _task_tag(task)
    if _is_here(client, tag):
        return tag
    with exclusive(tag):
        if _is_here(client, tag):
            return tag
        environment = _environment_image(client, task.recipe, report)
        report(f"building the image of {task.id}")
        lines = [f"FROM {environment}", "COPY context/ /opt/deepgym/"]
        fresh = "cp -a /opt/deepgym/base/. /workspace && cd /workspace"
        lines += [f"RUN {fresh} && {shlex.join(command)}" for command in task.recipe.install.commands]
        if task.recipe.install.commands:
            lines.append("RUN find /workspace -mindepth 1 -delete")
        files = {f"context/base/{path}": file for path, file in task.base.items()}
        files["context/base/.git"] = File(f"gitdir: {GIT_FOLDER}\n".encode())
        files.update({f"context/{path}": File(data) for path, data in program_files().items()})
        files.update({f"context/git/{path}": file for path, file in _one_commit(task.base).items()})
        _build(client, tag, lines, files, {LABEL: "task", f"{LABEL}.subject": task.id})
    return tag


def list_images(client: Any) -> list[ImageInfo]:
    """Every image that this package made, by kind and tag; one that lost its tag is named by its id."""
    found = []
    for image in client.df()["Images"] or []:
        labels = image["Labels"] or {}
        if LABEL not in labels:
            continue
        size, shared = int(image["Size"]), max(0, int(image["SharedSize"]))
        tags = [tag for tag in image["RepoTags"] or [] if tag != "<none>:<none>"]
        for tag in tags or [image["Id"]]:
            subject, environment = (labels.get(f"{LABEL}.{key}", "") for key in ("subject", "environment"))
            found.append(ImageInfo(tag, labels[LABEL], subject, size, size - shared, environment))
    return sorted(found, key=lambda image: (image.kind, image.tag))


def layers_on_disk(client: Any) -> int:
    """The bytes of all layers that the engine has, what images share once; others' images count as well."""
    return int(client.df()["LayersSize"])


def prune_images(
    client: Any, keep: Iterable[Task], *, bases: bool = False, dry_run: bool = False
) -> list[str]:
    """Remove task and environment images that no task of ``keep`` uses, and ``bases`` if told; returns tags.

    An image of which there is a container is left alone, and a backend that misses one builds it again. What
    failed builds left behind goes as well, named by its id. With ``dry_run`` everything stays.
    """
    tasks = list(keep)
    wanted = {_task_tag(task) for task in tasks}
    environments = {task.recipe.environment_digest for task in tasks}
    in_use = {container["ImageID"] for container in client.api.containers(all=True)}
    removed = []
    for image in reversed(list_images(client)):  # tasks first, then environments, then bases
        # The kind matters, for an image inherits the labels of what it is built on; without a tag it is what
        # a build that failed left behind.
        environment = image.kind == "environment" and image.environment in environments
        base = image.kind == "base" and not bases
        if not image.tag.startswith("sha256:") and (image.tag in wanted or environment or base):
            continue
        try:
            if client.api.inspect_image(image.tag)["Id"] in in_use:
                continue
            if not dry_run:
                client.api.remove_image(image.tag)
        except APIError:  # something stands on it, or another process was faster
            continue
        removed.append(image.tag)
    return removed


def _task_tag(task: Task) -> str:
    program = Tree({path: File(data) for path, data in program_files().items()})
    total = hashlib.sha256(b"task image 3\n")
    for part in (program.digest, task.recipe.environment_digest, task.base.digest):
        total.update(part.encode())
    return f"deepgym-envs/{task.recipe.name}:{total.hexdigest()[:16]}"


def _environment_image(client: Any, recipe: RepoRecipe, report: Report) -> str:
    base = base_image(client, recipe, report)
    content = f"environment image 1 {recipe.environment_digest} {base.reference}"
    tag = f"deepgym-envs/{recipe.name}-environment:{hashlib.sha256(content.encode()).hexdigest()[:16]}"
    with exclusive(tag):
        if _is_here(client, tag):
            return tag
        report(f"fetching the wheels of {recipe.name}")
        wheels = _wheels(recipe, base, str(client.info()["Architecture"]))
        report(f"building the environment of {recipe.name}")
        pins = shlex.join(recipe.needs.pip)
        install = f"/opt/venv/bin/python -m pip install --no-index --no-deps --find-links /opt/wheels {pins}"
        check = "/opt/venv/bin/python -m pip check"
        lines = [
            f"FROM {base.reference}",
            "COPY wheels/ /opt/wheels/",
            "RUN mkdir -p /workspace /inputs /opt/deepgym && python3 -m venv /opt/venv"
            + (f" && {install} && {check}" if pins else "")
            + " && /opt/venv/bin/python -m pip uninstall -q -y pip setuptools"
            " && /opt/venv/bin/python -m compileall -q /opt/venv || exit 1; rm -rf /opt/wheels /root/.cache",
            f"RUN useradd --uid {AGENT} --no-create-home --home-dir /tmp --shell /bin/sh agent"
            " && (git config --system --add safe.directory '*' || true)",
        ]
        files = {f"wheels/{path.name}": File(path.read_bytes()) for path in wheels}
        files["wheels/.here"] = File(b"")  # a folder with nothing in it would not be sent
        labels = {LABEL: "environment", f"{LABEL}.subject": recipe.name}
        labels[f"{LABEL}.environment"] = recipe.environment_digest
        _build(client, tag, lines, files, labels)
    return tag


def _wheels(recipe: RepoRecipe, base: BaseImage, architecture: str) -> list[Path]:
    """The recipe's pins as wheels for the base's Python and the engine's architecture, kept in the cache."""
    if not recipe.needs.pip:
        return []
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(architecture, architecture or platform.machine())
    version = f"{base.python[0]}.{base.python[1]}"
    key = hashlib.sha256(f"{sorted(recipe.needs.pip)} {version} {machine}".encode()).hexdigest()[:32]
    kept = cache_dir() / "wheels" / key
    if kept.is_dir():
        return sorted(kept.glob("*.whl"))
    kept.parent.mkdir(parents=True, exist_ok=True)
    platforms = [f"manylinux{tag}_{machine}" for tag in ("_2_17", "2014", "_2_28", "_2_31")]
    with scratch_folder("wheels", kept.parent) as scratch:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:",
                   "--python-version", version, "--implementation", "cp",
                   "--abi", f"cp{version.replace('.', '')}", "--abi", "abi3", "--abi", "none",
                   *(f"--platform={name}" for name in platforms), "--platform", "any",
                   "--dest", f"{scratch}/wheels", *recipe.needs.pip]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
        except subprocess.TimeoutExpired:
            raise ImageError(f"{recipe.name}: pip could not fetch the wheels within 15 minutes") from None
        if done.returncode != 0:
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            errors = [line for line in said if line.startswith("ERROR") and line != "ERROR: Exception:"]
            reason = (errors or said or ["it did not say why"])[-1]
            raise ImageError(f"{recipe.name}: pip could not fetch the wheels: {reason}")
        try:
            Path(scratch, "wheels").rename(kept)
        except OSError:
            if not kept.is_dir():  # else another recipe with the same pins was faster
                raise
    return sorted(kept.glob("*.whl"))


def _one_commit(tree: Tree) -> Tree:
    """A git folder for ``/workspace`` with ``tree`` as its only commit; equal for equal trees."""
    with scratch_folder("commit") as scratch:
        work = Path(scratch, "work")
        work.mkdir()
        tree.write_to(work)
        repo = git_library().Repo.init(work, template="", initial_branch="main", allow_unsafe_options=True)
        with repo:
            name, address, moment = "DeepGym", "deepgym@localhost", "2000-01-01T00:00:00+0000"
            repo.git.update_environment(
                GIT_DIR=str(work / ".git"), GIT_WORK_TREE=str(work),
                GIT_INDEX_FILE=str(work / ".git" / "index"),
                GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_NOSYSTEM="1", GIT_CONFIG_COUNT="0",
                GIT_AUTHOR_NAME=name, GIT_AUTHOR_EMAIL=address, GIT_AUTHOR_DATE=moment,
                GIT_COMMITTER_NAME=name, GIT_COMMITTER_EMAIL=address, GIT_COMMITTER_DATE=moment,
            )  # fmt: skip
            repo.git.add("--all", "--force")
            repo.git.commit("--quiet", "--allow-empty", "--no-verify", "--message", "The repository as it is")
            repo.git.repack("-a", "-d", "-q")
            with repo.config_writer() as config:
                config.set_value("core", "worktree", "/workspace")
        git_folder = work / ".git"
        return Tree(
            {
                place.relative_to(git_folder).as_posix(): File(place.read_bytes())
                for place in git_folder.rglob("*")
                if place.is_file() and "logs" not in place.parts
            }
        )


def _is_here(client: Any, tag: str) -> bool:
    try:
        client.images.get(tag)
    except ImageNotFound:
        return False
    return True


def _build(
    client: Any, tag: str, lines: Iterable[str], files: Mapping[str, File], labels: Mapping[str, str]
) -> None:
    """Build an image from Dockerfile ``lines`` and ``files``; the same arguments make the same context."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as tar:
        dockerfile = File("\n".join(lines).encode())
        for path, file in {"Dockerfile": dockerfile, **dict(sorted(files.items()))}.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(file.data), 0o755 if file.executable else 0o644
            tar.addfile(entry, io.BytesIO(file.data))
    context.seek(0)
    said: list[str] = []
    try:
        for event in client.api.build(
            fileobj=context, custom_context=True, tag=tag, rm=True, forcerm=True, decode=True,
            network_mode="none", labels=dict(labels),
        ):  # fmt: skip
            if "error" in event:
                raise ImageError(
                    f"{tag} does not build: {clean(event['error']).strip()}; it said: {' / '.join(said[-4:])}"
                )
            news = clean(str(event.get("stream", ""))).splitlines()
            said += [line for line in news if line.strip() and not line.startswith((" --->", "Removing "))]
    except (APIError, OSError) as error:
        raise ImageError(f"{tag} does not build: {error}") from None
