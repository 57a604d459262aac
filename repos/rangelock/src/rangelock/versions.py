"""Versions: parsing, ordering, and the pool that shares equal objects.

A version is ``MAJOR.MINOR.PATCH`` with optional pre-release identifiers after
``-`` and optional build metadata after ``+``.  Precedence:

* a pre-release comes before its release (``1.0.0-rc.1 < 1.0.0``);
* pre-release identifiers are compared from left to right; numeric ones by
  value, others as text, numeric before text; if all are equal the shorter
  list comes first;
* build metadata takes no part in comparisons.  ``1.0.0+a == 1.0.0+b`` holds,
  and both have the same hash; ``str()`` still tells them apart.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import total_ordering
from typing import Dict, Tuple, Union

from .errors import VersionError

Identifier = Union[int, str]
Triple = Tuple[int, int, int]

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIERS = r"[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*"
_VERSION = re.compile(
    rf"(?P<major>{_NUMBER})\.(?P<minor>{_NUMBER})\.(?P<patch>{_NUMBER})"
    rf"(?:-(?P<pre>{_IDENTIFIERS}))?(?:\+(?P<build>{_IDENTIFIERS}))?"
)


@total_ordering
@dataclass(frozen=True, eq=False)
class Version:
    """One version.  Compares by precedence, see the module's docstring."""

    major: int
    minor: int
    patch: int
    pre: Tuple[Identifier, ...] = ()
    build: Tuple[str, ...] = ()
    _key: Tuple = field(init=False, repr=False, default=())

    def __post_init__(self) -> None:
        if self.pre:
            ranks = tuple(
                (0, item, "") if isinstance(item, int) else (1, 0, item)
                for item in self.pre
            )
            tail: Tuple = (0, ranks)
        else:
            tail = (1, ())
        object.__setattr__(self, "_key", (self.major, self.minor, self.patch) + tail)

    @classmethod
    def parse(cls, text: str) -> "Version":
        """Read a full version; surrounding blanks are ignored."""
        match = _VERSION.fullmatch(text.strip())
        if match is None:
            raise VersionError(f"not a version: {text!r}")
        pre = parse_pre(match["pre"]) if match["pre"] else ()
        build = tuple(match["build"].split(".")) if match["build"] else ()
        return cls(
            int(match["major"]), int(match["minor"]), int(match["patch"]), pre, build
        )

    @property
    def triple(self) -> Triple:
        """The three numbers."""
        return (self.major, self.minor, self.patch)

    @property
    def is_prerelease(self) -> bool:
        """Whether the version has pre-release identifiers."""
        return bool(self.pre)

    def without_build(self) -> "Version":
        """The same version without build metadata."""
        if not self.build:
            return self
        return Version(self.major, self.minor, self.patch, self.pre)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._key == other._key

    def __lt__(self, other: object) -> bool:
        if not isinstance(other, Version):
            return NotImplemented
        return self._key < other._key

    def __hash__(self) -> int:
        return hash(self._key)

    def __str__(self) -> str:
        text = f"{self.major}.{self.minor}.{self.patch}"
        if self.pre:
            text += "-" + ".".join(str(item) for item in self.pre)
        if self.build:
            text += "+" + ".".join(self.build)
        return text


def parse_pre(text: str) -> Tuple[Identifier, ...]:
    """Read the dotted pre-release identifiers behind the ``-``.

    Numeric identifiers must not have leading zeros.
    """
    items = []
    for part in text.split("."):
        if part.isdigit():
            if len(part) > 1 and part[0] == "0":
                raise VersionError(f"leading zero in pre-release: {text!r}")
            items.append(int(part))
        else:
            items.append(part)
    return tuple(items)


class VersionPool:
    """Shares one :class:`Version` object among all who spell it alike.

    An index with many packages holds the same few versions over and over;
    interning them keeps it small and lets comparisons end early.  What comes
    out of :meth:`intern` always has the spelling of what went in.
    """

    def __init__(self) -> None:
        self._known: Dict[str, Version] = {}

    def intern(self, version: Version) -> Version:
        """The pooled object for ``version``."""
        return self._known.setdefault(str(version), version)

    def parse(self, text: str) -> Version:
        """Like :meth:`Version.parse`, pooled."""
        return self.intern(Version.parse(text))
