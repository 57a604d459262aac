"""Releases, and the in-memory index that holds them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Dict, Iterable, Mapping, Optional, Tuple, Union

from .errors import DuplicateReleaseError, UnknownPackageError
from .requirements import Requirement, normalize_name, parse_requirement
from .versions import Version, VersionPool


@dataclass(frozen=True)
class Release:
    """One version of one package, with what it needs.

    ``extras`` pairs the normalized name of each optional feature with the
    requirements that it adds, sorted by name.
    """

    name: str
    version: Version
    requires: Tuple[Requirement, ...] = ()
    extras: Tuple[Tuple[str, Tuple[Requirement, ...]], ...] = ()
    yanked: bool = False
    checksum: str = ""

    @property
    def extra_names(self) -> Tuple[str, ...]:
        """The optional features on offer."""
        return tuple(name for name, _ in self.extras)

    def extra_requires(self, extra: str) -> Tuple[Requirement, ...]:
        """What the feature ``extra`` adds; it must be on offer."""
        for name, requires in self.extras:
            if name == extra:
                return requires
        raise UnknownPackageError(f"{self} has no extra {extra!r}")

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def make_release(
    name: str,
    version: Union[str, Version],
    requires: Iterable[str] = (),
    extras: Optional[Mapping[str, Iterable[str]]] = None,
    yanked: bool = False,
    checksum: str = "",
) -> Release:
    """Make a release from texts; names are normalized."""
    if isinstance(version, str):
        version = Version.parse(version)
    features: Dict[str, Tuple[Requirement, ...]] = {}
    for extra, texts in (extras or {}).items():
        added = tuple(parse_requirement(text) for text in texts)
        features[normalize_name(extra)] = features.get(normalize_name(extra), ()) + added
    return Release(
        normalize_name(name),
        version,
        tuple(parse_requirement(text) for text in requires),
        tuple((extra, features[extra]) for extra in sorted(features)),
        yanked,
        checksum,
    )


class PackageIndex:
    """The releases known, by package."""

    def __init__(self, releases: Iterable[Release] = ()) -> None:
        self._pool = VersionPool()
        self._packages: Dict[str, Dict[Version, Release]] = {}
        for release in releases:
            self.add(release)

    def add(self, release: Release) -> None:
        """Add a release.

        A package has at most one release of a version; versions that differ in
        build metadata alone are the same version here.
        """
        known = self._packages.setdefault(release.name, {})
        if release.version in known:
            raise DuplicateReleaseError(f"{known[release.version]} is in the index already")
        version = self._pool.intern(release.version)
        known[version] = replace(release, version=version)

    def yank(self, name: str, version: Union[str, Version], yanked: bool = True) -> None:
        """Mark a release as yanked, or with ``yanked=False`` take that back."""
        release = self.get(name, version)
        self._packages[release.name][release.version] = replace(release, yanked=yanked)

    def names(self) -> Tuple[str, ...]:
        """The packages known, sorted."""
        return tuple(sorted(self._packages))

    def releases(self, name: str) -> Tuple[Release, ...]:
        """All releases of a package, yanked ones too, latest first."""
        known = self._packages.get(normalize_name(name))
        if known is None:
            raise UnknownPackageError(f"no package named {name!r}")
        return tuple(known[version] for version in sorted(known, reverse=True))

    def get(self, name: str, version: Union[str, Version]) -> Release:
        """The release of a version; build metadata is ignored."""
        if isinstance(version, str):
            version = Version.parse(version)
        known = self._packages.get(normalize_name(name), {})
        if version not in known:
            raise UnknownPackageError(f"no release {name} {version}")
        return known[version]
