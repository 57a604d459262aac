"""What a row needs to run: the pins that it names, its image, or pytest alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deepgym_envs.importers.record import Record
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.recipe import PYTEST_PINS, PYTEST_PYTHON, Needs

_PIN = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[A-Za-z0-9._,-]+\])?==[A-Za-z0-9.!+_-]+")
_ELSEWHERE = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*) @ \S+")
_EGG = re.compile(r"#egg=([A-Za-z0-9._-]+)")
_CONDA = re.compile(r"\s*- ([A-Za-z0-9][A-Za-z0-9._-]*)={1,2}([A-Za-z0-9.!+_-]+)(?:=\S+)?\s*")
_PYTHON = re.compile(r"3\.(\d+)(\.\d+)?")
_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,299}")


@dataclass(frozen=True)
class Environment:
    """Python, as a recipe spells it, what is installed, and one sentence that says so."""

    python: str
    needs: Needs
    said: str


def environment_of(record: Record, *, images: bool) -> Environment:
    """What the row's tests are run with.

    Pins come first. Without them it is the row's image if ``images``, which no backend can use yet, or else
    pytest alone, which is enough for a repository that needs no other package.

    Raises:
        Rejected: a package that is installed is not pinned, or pytest is not among them.
    """
    if record.requirements.strip():
        python = _PYTHON.fullmatch(record.python.strip())
        pins = _pins(record)
        wanted = f"==3.{python[1]}" if python else PYTEST_PYTHON
        return Environment(wanted, Needs(pip=pins), f"Needs the {len(pins)} pins that the row names.")
    if images and record.image:
        if not _IMAGE.fullmatch(record.image):
            raise Rejected("field", f"image: {record.image[:80]!r} is not the reference of an image")
        return Environment(
            PYTEST_PYTHON, Needs(image=record.image), f"Its environment is the image {record.image}."
        )
    said = (
        "The row pins no package, so pytest alone is installed; add to needs.pip what the repository needs."
    )
    return Environment(PYTEST_PYTHON, Needs(pip=PYTEST_PINS), said)


def _pins(record: Record) -> tuple[str, ...]:
    """The lines of a ``pip freeze`` as pins.

    The repository's own package is left out, as it is what is edited. What conda has installed shows as a
    file of its builder's, so its release is looked up in conda's own list. pip itself is no need.
    """
    conda = {
        _plain(match[1]): match[2] for match in map(_CONDA.fullmatch, record.conda.splitlines()) if match
    }
    own = {_plain(record.repository.partition("/")[2]), "pip"}
    pins: dict[str, str] = {}
    for line in (line.strip() for line in record.requirements.splitlines()):
        if not line or line.startswith("#"):
            continue
        pin, elsewhere = _PIN.fullmatch(line), _ELSEWHERE.fullmatch(line) or _EGG.search(line)
        name = _plain((pin or elsewhere or [line, line])[1])
        if name in own:
            continue
        if pin is None and (elsewhere is None or name not in conda or line.startswith("-e")):
            raise Rejected("requirements", f"requirements: {line[:120]!r} is not pinned to a release")
        pins[name] = line if pin else f"{name}=={conda[name]}"
    if "pytest" not in pins:
        raise Rejected("framework", "requirements: pytest is not among what is installed")
    return tuple(pins.values())


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
