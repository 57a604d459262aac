"""Requirements: ``name[extra, ...] range ; marker``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Mapping, Optional, Tuple

from .errors import RequirementError
from .markers import Marker, parse_marker
from .ranges import VersionRange, parse_range

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_REQUIREMENT = re.compile(
    rf"\s*(?P<name>{_NAME.pattern})\s*(?:\[(?P<extras>[^\]]*)\])?(?P<spec>[^;]*)"
    r"(?:;(?P<marker>.*))?",
    re.DOTALL,
)


def normalize_name(name: str) -> str:
    """The form in which names are compared: ``Foo__Bar`` becomes ``foo-bar``.

    Applies to packages and to extras.
    """
    name = name.strip()
    if _NAME.fullmatch(name) is None:
        raise RequirementError(f"not a name: {name!r}")
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class Requirement:
    """A need for one package.

    ``name`` and ``extras`` are normalized, ``extras`` is sorted, and ``spec``
    is the range expression with single blanks (``*`` for any version).
    """

    name: str
    spec: str = "*"
    extras: Tuple[str, ...] = ()
    marker: Optional[Marker] = None

    @property
    def range(self) -> VersionRange:
        """The versions asked for."""
        return parse_range(self.spec)

    def applies(self, environment: Mapping[str, str]) -> bool:
        """Whether the requirement counts in ``environment``."""
        return self.marker is None or self.marker.holds(environment)

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        marker = f" ; {self.marker}" if self.marker is not None else ""
        return f"{self.name}{extras} {self.spec}{marker}"


def parse_requirement(text: str) -> Requirement:
    """Read a requirement; its range and marker must be readable, too."""
    match = _REQUIREMENT.fullmatch(text)
    if match is None:
        raise RequirementError(f"not a requirement: {text!r}")
    extras: Tuple[str, ...] = ()
    if match["extras"] is not None:
        parts = [part for part in match["extras"].split(",") if part.strip()]
        extras = tuple(sorted({normalize_name(part) for part in parts}))
    spec = " ".join(match["spec"].split()) or "*"
    parse_range(spec)
    marker = parse_marker(match["marker"]) if match["marker"] is not None else None
    return Requirement(normalize_name(match["name"]), spec, extras, marker)
