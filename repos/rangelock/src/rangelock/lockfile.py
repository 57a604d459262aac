"""The lock: what a resolution chose, as a text that can be kept and compared.

    # rangelock 1
    environment platform="linux"
    root app[tls] ^1.2

    package app 1.4.0+build.7
      checksum sha256:0a1b
      extras tls
      requires http >=2 ; platform == "linux"
    package http 2.0.3
      yanked

:func:`dumps` writes the canonical form: environment and roots sorted, packages
sorted by name, the lines of a package in the order shown, its requirements
sorted, one newline at the end.  :func:`loads` reads any order of lines within a
section and ignores blank lines and comments after the first line.
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace
from typing import Dict, Iterable, List, Mapping, Optional, Tuple, Union

from .errors import LockError, LockFormatError, RangelockError, UnknownPackageError
from .index import PackageIndex
from .requirements import Requirement, normalize_name, parse_requirement
from .resolver import DEFAULT_MAX_STEPS, Resolution, resolve
from .versions import Version, VersionPool

HEADER = "# rangelock 1"
_VARIABLE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=\"([^\"]*)\"")


@dataclass(frozen=True)
class LockedPackage:
    """One package of a lock.

    ``extras`` and ``requires`` are those that were active.
    """

    name: str
    version: Version
    checksum: str = ""
    extras: Tuple[str, ...] = ()
    requires: Tuple[Requirement, ...] = ()
    yanked: bool = False


@dataclass(frozen=True)
class Lock:
    """A whole lock; ``packages`` is sorted by name."""

    roots: Tuple[Requirement, ...] = ()
    packages: Tuple[LockedPackage, ...] = ()
    environment: Tuple[Tuple[str, str], ...] = ()

    def get(self, name: str) -> LockedPackage:
        """The entry of a package."""
        name = normalize_name(name)
        for package in self.packages:
            if package.name == name:
                return package
        raise LockError(f"not in the lock: {name}")

    def versions(self) -> Dict[str, str]:
        """The locked version of each package."""
        return {package.name: str(package.version) for package in self.packages}


@dataclass(frozen=True)
class Change:
    """A difference between two locks.

    ``kind`` is ``added``, ``removed``, ``upgraded``, ``downgraded`` or, where
    only the build metadata differs, ``rebuilt``.
    """

    kind: str
    name: str
    old: str = ""
    new: str = ""


def lock_from_resolution(resolution: Resolution) -> Lock:
    """The lock that records ``resolution``."""
    return Lock(
        _sorted(resolution.roots),
        tuple(
            LockedPackage(
                item.release.name,
                item.release.version,
                item.release.checksum,
                item.extras,
                _sorted(item.requires),
                item.release.yanked,
            )
            for item in resolution.packages
        ),
        resolution.environment,
    )


def _sorted(requirements: Iterable[Requirement]) -> Tuple[Requirement, ...]:
    return tuple(sorted(requirements, key=str))


# -- text ---------------------------------------------------------------------


def dumps(lock: Lock) -> str:
    """The canonical text of a lock."""
    lines = [HEADER]
    for name, value in sorted(lock.environment):
        if '"' in value or "\n" in value:
            raise LockError(f"cannot write the value of {name!r}: {value!r}")
        lines.append(f'environment {name}="{value}"')
    lines.extend(f"root {root}" for root in _sorted(lock.roots))
    lines.append("")
    for package in sorted(lock.packages, key=lambda package: package.name):
        lines.append(f"package {package.name} {package.version}")
        if package.checksum:
            lines.append(f"  checksum {package.checksum}")
        if package.extras:
            lines.append(f"  extras {' '.join(sorted(package.extras))}")
        lines.extend(f"  requires {requirement}" for requirement in _sorted(package.requires))
        if package.yanked:
            lines.append("  yanked")
    return "\n".join(lines).rstrip("\n") + "\n"


@dataclass
class _Reader:
    """Collects the parts of a lock, line by line."""

    pool: VersionPool = field(default_factory=VersionPool)
    environment: Dict[str, str] = field(default_factory=dict)
    roots: List[Requirement] = field(default_factory=list)
    packages: Dict[str, LockedPackage] = field(default_factory=dict)
    current: Optional[str] = None

    def top(self, word: str, rest: str) -> None:
        """A line without indentation."""
        if word == "package":
            name, _, version = rest.partition(" ")
            name = normalize_name(name)
            if name in self.packages:
                raise LockError(f"package {name} twice")
            self.packages[name] = LockedPackage(name, self.pool.parse(version))
            self.current = name
        elif self.current is not None:
            raise LockError(f"{word!r} after the first package")
        elif word == "root":
            self.roots.append(parse_requirement(rest))
        elif word == "environment":
            match = _VARIABLE.fullmatch(rest)
            if match is None:
                raise LockError(f"not a variable: {rest!r}")
            if match[1] in self.environment:
                raise LockError(f"variable {match[1]} twice")
            self.environment[match[1]] = match[2]
        else:
            raise LockError(f"unknown entry {word!r}")

    def detail(self, word: str, rest: str) -> None:
        """An indented line, which belongs to the package above."""
        if self.current is None:
            raise LockError("indented line before the first package")
        package = self.packages[self.current]
        if word == "checksum" and rest:
            package = replace(package, checksum=rest)
        elif word == "extras" and rest:
            extras = {normalize_name(extra) for extra in rest.split()}
            package = replace(package, extras=tuple(sorted(extras)))
        elif word == "requires":
            requires = _sorted(package.requires + (parse_requirement(rest),))
            package = replace(package, requires=requires)
        elif word == "yanked" and not rest:
            package = replace(package, yanked=True)
        else:
            raise LockError(f"unknown detail {word!r}")
        self.packages[self.current] = package


def loads(text: str) -> Lock:
    """Read a lock file; raises :class:`LockFormatError`."""
    lines = text.splitlines()
    if not lines or lines[0].rstrip() != HEADER:
        raise LockFormatError(1, f"expected {HEADER!r}")
    reader = _Reader()
    for number, line in enumerate(lines[1:], start=2):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        word, _, rest = stripped.partition(" ")
        try:
            if line[0].isspace():
                reader.detail(word, rest.strip())
            else:
                reader.top(word, rest.strip())
        except RangelockError as error:
            raise LockFormatError(number, str(error)) from error
    return Lock(
        _sorted(reader.roots),
        tuple(reader.packages[name] for name in sorted(reader.packages)),
        tuple(sorted(reader.environment.items())),
    )


# -- working with locks -------------------------------------------------------


def is_current(
    lock: Lock,
    roots: Iterable[Union[str, Requirement]],
    environment: Optional[Mapping[str, str]] = None,
) -> bool:
    """Whether ``lock`` was made for these roots and this environment."""
    wanted = [parse_requirement(item) if isinstance(item, str) else item for item in roots]
    surroundings = tuple(sorted((environment or {}).items()))
    return _sorted(wanted) == _sorted(lock.roots) and surroundings == lock.environment


def update_lock(
    lock: Lock,
    index: PackageIndex,
    names: Iterable[str] = (),
    constraints: Iterable[Union[str, Requirement]] = (),
    max_steps: int = DEFAULT_MAX_STEPS,
) -> Lock:
    """A new lock for the roots and environment of ``lock``.

    The packages in ``names`` get the best candidate there is; all others keep
    their version wherever that is possible, even if it was yanked meanwhile.
    """
    freed = {lock.get(name).name for name in names}
    resolution = resolve(
        lock.roots,
        index,
        environment=dict(lock.environment),
        preferred={p.name: p.version for p in lock.packages if p.name not in freed},
        constraints=constraints,
        max_steps=max_steps,
    )
    return lock_from_resolution(resolution)


def verify_lock(lock: Lock, index: PackageIndex) -> List[str]:
    """What does not match between ``lock`` and ``index``, package by package.

    At most one complaint for each package; a yanked release is none.
    """
    problems = []
    for package in lock.packages:
        try:
            release = index.get(package.name, package.version)
        except UnknownPackageError:
            problems.append(f"{package.name} {package.version}: not in the index")
            continue
        if str(release.version) != str(package.version):
            problems.append(
                f"{package.name} {package.version}: the index has {release.version}"
            )
        elif package.checksum and package.checksum != release.checksum:
            problems.append(f"{package.name} {package.version}: checksum differs")
    return problems


def diff_locks(old: Lock, new: Lock) -> Tuple[Change, ...]:
    """The changes from one lock to another, by name of the package."""
    before = {package.name: package.version for package in old.packages}
    after = {package.name: package.version for package in new.packages}
    changes = []
    for name in sorted(set(before) | set(after)):
        if name not in before:
            changes.append(Change("added", name, "", str(after[name])))
        elif name not in after:
            changes.append(Change("removed", name, str(before[name]), ""))
        elif str(before[name]) != str(after[name]):
            if before[name] == after[name]:
                kind = "rebuilt"
            else:
                kind = "upgraded" if before[name] < after[name] else "downgraded"
            changes.append(Change(kind, name, str(before[name]), str(after[name])))
    return tuple(changes)


def why(lock: Lock, name: str) -> Tuple[str, ...]:
    """A shortest chain of packages from a root to ``name``, both included.

    Among chains of equal length the one that comes first by name is taken.
    """
    target = lock.get(name).name
    needs = {p.name: sorted({r.name for r in p.requires}) for p in lock.packages}
    starts = sorted({root.name for root in lock.roots if root.name in needs})
    queue = deque((start,) for start in starts)
    seen = set(starts)
    while queue:
        chain = queue.popleft()
        if chain[-1] == target:
            return chain
        for following in needs[chain[-1]]:
            if following not in seen and following in needs:
                seen.add(following)
                queue.append(chain + (following,))
    raise LockError(f"nothing in the lock needs {target}")
