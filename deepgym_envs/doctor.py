"""Says what works on this machine, and what to do about what does not. Nothing here uses the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from deepgym_envs.errors import DeepGymError, SandboxUnavailable
from deepgym_envs.owner import scratch_folder
from deepgym_envs.paths import cache_dir
from deepgym_envs.sandbox import BackendName, Command, Completed, choose_backend
from deepgym_envs.sandbox.reaper import host_places
from deepgym_envs.suite import suite_names, task_ids
from deepgym_envs.task import Task

OLDEST_PIP = (22, 3)
WANTED_DISK_GB = 2.0
WANTED_MEMORY_GB = 1.0
_SCRIPT = ("python", "-I", "-B", "{files}/script.py")
_NO_CHANGE = "--- a/doctor.py\n+++ b/doctor.py\n"

Mark = Literal["good", "warning", "bad"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do about it if it is not good."""

    subject: str
    mark: Mark
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """All that was looked at. ``isolating`` names the backends that work and isolate what runs in them."""

    findings: tuple[Finding, ...]
    isolating: tuple[str, ...]

    def summary(self) -> dict[str, Any]:
        """As plain JSON values, in the form that ``deepgym-envs doctor --json`` prints."""
        return {
            "isolating": list(self.isolating),
            "findings": [vars(finding) for finding in self.findings],
        }


def examine(*, smoke: bool = False, report: Callable[[str], None] = lambda _: None) -> Diagnosis:
    """Look at everything that this package needs.

    ``smoke`` also opens a box of each backend that works and runs a command in it. ``report`` is told what is
    being looked at. Never raises for what it finds.
    """
    report("looking at Python and its tools")
    findings = [_python(), _git(), _pip(), _data(), _disk("cache folder", cache_dir()), _memory()]
    report("looking for a Docker engine")
    docker, docker_works, base_python = _docker()
    report("trying bubblewrap")
    bwrap, bwrap_works = _bwrap()
    findings += [*docker, *bwrap]
    works: dict[BackendName, bool] = {"docker": docker_works, "bwrap": bwrap_works, "local": True}
    if smoke and docker_works and not base_python:
        findings.append(
            Finding("docker smoke test", "warning", "left out: it would have to make a base image first")
        )
    for name in [name for name in works if works[name] and smoke and (name != "docker" or base_python)]:
        report(f"opening a box of {name}")
        opened, *more = _smoke(name, base_python if name == "docker" else ">=3.9")
        works[name] = opened.mark == "good"
        findings += [opened, *more]
    findings.append(_left_behind(docker_works))
    return Diagnosis(tuple(findings), tuple(name for name in ("docker", "bwrap") if works[name]))


def _left_behind(docker_works: bool) -> Finding:
    """What processes that were killed have left: the next box of the same kind takes it away."""
    from deepgym_envs.sandbox.engine import Containers, connect

    places = host_places()
    try:
        with ExitStack() as opened:
            if docker_works:
                places.append(Containers(opened.enter_context(closing(connect()))))
            kinds = Counter(one.kind for place in places for one in place.belongings() if one.abandoned)
    except (OSError, DeepGymError) as error:
        return Finding("left behind", "warning", f"could not be looked at: {error}")
    if not kinds:
        return Finding("left behind", "good", "nothing by processes that are dead")
    found = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
    return Finding(
        "left behind", "warning", f"by processes that are dead: {found}", "deepgym-envs boxes reap"
    )


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "good", f"{version} at {sys.executable}")  # an older one cannot import this


def _git() -> Finding:
    said = _said(["git", "--version"])
    if said is None:
        return Finding("git", "bad", "not found", "apt install git, or dnf install git")
    return Finding("git", "good", said)


def _pip() -> Finding:
    advice = f"{sys.executable} -m ensurepip --upgrade"
    said = _said([sys.executable, "-m", "pip", "--version"])
    if said is None:
        return Finding("pip", "bad", "this Python has none", advice)
    words = said.split()
    numbers = [int(part) for part in words[1].split(".")[:2] if part.isdigit()] if len(words) > 1 else []
    if tuple(numbers) < OLDEST_PIP:
        return Finding("pip", "bad", f"{' '.join(words[:2])} is too old", advice)
    return Finding("pip", "good", " ".join(words[:2]))


def _data() -> Finding:
    try:
        counts = {suite: len(task_ids(suite)) for suite in suite_names()}
    except (OSError, DeepGymError) as error:
        return Finding("bundled tasks", "bad", str(error), "install deepgym-envs again")
    found = ", ".join(f"{count} in {suite}" for suite, count in counts.items())
    if not any(counts.values()):
        return Finding("bundled tasks", "bad", "none", "install deepgym-envs again")
    return Finding("bundled tasks", "good", found)


def _disk(subject: str, folder: Path) -> Finding:
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free / 1e9
    except OSError as error:
        return Finding(subject, "warning", f"{folder}: {error.strerror}")
    found = f"{free:.1f} GB free at {folder}"
    if subject == "cache folder" and not os.access(place, os.W_OK):
        return Finding(
            subject, "bad", f"{folder} cannot be written", "set DEEPGYM_CACHE to a folder of yours"
        )
    if free < WANTED_DISK_GB:
        return Finding(
            subject, "warning", found, f"make room: images and environments want {WANTED_DISK_GB:g} GB"
        )
    return Finding(subject, "good", found)


def _memory() -> Finding:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e9 for line in lines}
        free, total = sizes["MemAvailable"], sizes["MemTotal"]
    except (OSError, KeyError, ValueError, IndexError):
        return Finding("memory", "warning", "its size is not known here")
    found = f"{free:.1f} of {total:.1f} GB available"
    if free < WANTED_MEMORY_GB:
        return Finding("memory", "warning", found, "play fewer episodes at a time: --workers 1")
    return Finding("memory", "good", found)


def _docker() -> tuple[list[Finding], bool, str]:
    """What there is of Docker; whether it works; for which Python a base is here."""
    # Imported here because the Docker SDK takes a fifth of a second.
    from deepgym_envs.sandbox.engine import connect

    try:
        client = connect()
    except SandboxUnavailable as error:
        return [Finding("docker", "warning", str(error))], False, ""
    try:
        info = client.info()
        engine = (
            f"engine {info.get('ServerVersion', '?')}, storage {info.get('Driver', '?')}, "
            f"cgroup version {info.get('CgroupVersion', '1')}"
        )
        findings = [Finding("docker", "good", engine)]
        root = Path(str(info.get("DockerRootDir", "")))
        if root.is_absolute() and root.is_dir():  # it is not when the engine is on another machine or in a VM
            findings.append(_disk("docker disk", root))
        base, base_python = _base(client)
        return [*findings, base], True, base_python
    except Exception as error:  # the SDK raises several kinds, requests' own among them
        return [Finding("docker", "warning", f"the engine does not answer properly: {error}")], False, ""
    finally:
        client.close()


def _base(client: Any) -> tuple[Finding, str]:
    from deepgym_envs.sandbox.base_image import DEBIAN_PYTHON, LABEL

    tags = sorted(tag for image in client.images.list() for tag in image.tags)
    for (major, minor), suite in DEBIAN_PYTHON.items():
        ours = (f"{LABEL}/base:{suite}-", f"python:{major}.{minor}-slim")
        here = [tag for tag in tags if tag.startswith(ours[0]) or tag == ours[1]]
        if here:
            return Finding("base image", "good", ", ".join(here)), f"=={major}.{minor}"
    slim = "python:{}.{}-slim".format(*next(iter(DEBIAN_PYTHON)))
    if shutil.which("debootstrap") and os.geteuid() == 0:
        return Finding("base image", "good", "none yet; debootstrap will make it when it is first needed"), ""
    lacking = (
        "root"
        if shutil.which("debootstrap")
        else "debootstrap"
        if os.geteuid() == 0
        else "debootstrap and root"
    )
    found = f"none yet; {slim} will be pulled from a registry when it is first needed"
    advice = f"without a registry: `docker load` {slim}, or run `deepgym-envs images build` with {lacking}"
    return Finding("base image", "warning", found, advice), ""


def _bwrap() -> tuple[list[Finding], bool]:
    from deepgym_envs.sandbox.bwrap import BwrapBackend

    backend = BwrapBackend()
    problem = backend.problem()
    if problem is not None:
        return [Finding("bwrap", "warning", problem)], False
    findings = [Finding("bwrap", "good", f"{_said(['bwrap', '--version']) or 'bubblewrap'}, a trial box ran")]
    missing = backend.limits_missing()
    if missing:
        what = ", ".join(missing)
        found = f"none of ours for {what}: a bwrap box limits each of its processes, not all together"
        advice = "run inside a scope of yours: systemd-run --user --scope -p Delegate=yes deepgym-envs ..."
        return [*findings, Finding("control groups", "warning", found, advice)], True
    return [
        *findings,
        Finding("control groups", "good", "memory, pids and cpu of a bwrap box can be limited"),
    ], True


def _smoke(name: BackendName, python: str) -> list[Finding]:
    """Run ``true`` and a script in a box of a repository without packages, so that nothing is fetched."""
    subject = f"{name} smoke test"
    try:
        backend = choose_backend(name)
        with scratch_folder("doctor") as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a local box is no danger to run `true` in
            task = _smoke_task(Path(folder), python)
            backend.prepare(task)
            box = backend.open(task)
            try:
                done = box.run(Command(("true",), seconds=20))
                script = box.run(Command(_SCRIPT, seconds=20, files={"script.py": b""}, warm=True))
            finally:
                box.close()
    except (DeepGymError, OSError) as error:
        return [Finding(subject, "bad", str(error))]
    if done.exit_code != 0:
        said = done.output.decode(errors="replace")[:300]
        return [Finding(subject, "bad", f"`true` ended with {done.exit_code}: {said}")]
    return [Finding(subject, "good", "a box was opened, ran a command and was closed"), _warmth(name, script)]


def _warmth(name: BackendName, script: Completed) -> Finding:
    """Whether tests start warm there, as a script that was allowed to shows."""
    subject = f"{name} warm tests"
    if script.warm:
        return Finding(subject, "good", "tests start in an interpreter that has pytest imported already")
    found = (
        f"tests start cold, a fifth of a second later: {script.why_cold or 'this sandbox starts none warm'}"
    )
    return Finding(subject, "warning", found)


def _smoke_task(folder: Path, python: str) -> Task:
    """A task whose repository needs nothing but Python."""
    contents = {
        "repos/doctor/recipe.toml": f'name = "doctor"\nsummary = "Tries a box."\nlicense = "Apache-2.0"\n'
        f'python = "{python}"\n[source]\nkind = "bundled"\n',
        "repos/doctor/src/doctor.py": "WELL = True\n",
        "box/task.toml": 'id = "doctor/box"\nrepo = "doctor"\ntitle = "Try a box"\n'
        'kind = "bug"\ndifficulty = "easy"\n'
        'editable = ["doctor.py"]\n[tests]\nfail_to_pass = ["test_box.py::test_box"]\n',
        "box/instruction.md": "Nobody plays this.\n",
        "box/solution.patch": _NO_CHANGE,
        "box/tests/test_box.py": "",
    }
    for path, content in contents.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content, encoding="utf-8")
    return Task.from_folder(folder / "box", folder / "repos")


def _said(command: list[str]) -> str | None:
    """The first line that a program prints, or None if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (done.stdout.strip().splitlines() or [""])[0] if done.returncode == 0 else None
