"""The resolver: one release for every package that is needed.

What is found
-------------
Packages are decided in the order in which they were first required: the roots
as given, then what each decided release requires, in its own order (for a
release with active extras: its plain requirements, then those of the extras by
name).  For each package the candidates are, in this order: the preferred
version, if there is one, then all releases from the latest to the earliest.
The result is the first complete choice in that order, that is: no package can
get an earlier candidate as long as those decided before it keep theirs.

A release is a candidate if

* the range of every requirement on the package allows it,
* every constraint on the package contains it,
* it offers all extras that are asked for, and
* it is not yanked, or is the preferred version, or is pinned by a root
  requirement with ``=``.

Work limit
----------
A *step* is one candidate examined: put in place, with its requirements checked
against the packages decided before.  A candidate examined again after the
search went back counts again.  ``max_steps`` bounds the steps of one call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Dict, FrozenSet, Iterable, Iterator, List, Mapping, Optional, Set, Tuple, Union

from .errors import ConflictError, RequirementError, UnknownPackageError, WorkLimitExceeded
from .index import PackageIndex, Release
from .requirements import Requirement, normalize_name, parse_requirement
from .versions import Version

DEFAULT_MAX_STEPS = 10_000
ROOT = "root"
CONSTRAINT = "constraint"


@dataclass(frozen=True)
class Demand:
    """A requirement in force, and who makes it.

    ``origin`` is ``"root"``, ``"constraint"``, a release (``"app 1.0.0"``) or
    a feature of one (``"app 1.0.0 [tls]"``).  ``causes`` are the packages
    whose decisions together bring the demand about.
    """

    requirement: Requirement
    origin: str
    causes: FrozenSet[str] = field(default=frozenset(), compare=False, repr=False)

    def __str__(self) -> str:
        return f"{self.requirement} ({self.origin})"


@dataclass(frozen=True)
class Rejection:
    """A candidate that clashed with a package decided before it."""

    candidate: Release
    demand: Demand
    chosen: Release

    def __str__(self) -> str:
        return f"{self.candidate}: {self.demand} clashes with the chosen {self.chosen}"


@dataclass(frozen=True)
class Conflict:
    """A package for which no candidate was left.

    ``demands`` holds the requirements on it in the order in which they came
    up, then the constraints; ``rejections`` the candidates that met them all
    but clashed with what was chosen before, in the order examined.
    """

    package: str
    known: bool
    demands: Tuple[Demand, ...]
    rejections: Tuple[Rejection, ...] = ()

    def explain(self) -> str:
        """The conflict in words: one line, then one for each reason."""
        head = "no release of" if self.known else "no package named"
        lines = [f"{head} {self.package} fits:" if self.known else f"{head} {self.package}:"]
        lines.extend(f"  {demand}" for demand in self.demands)
        lines.extend(f"  {rejection}" for rejection in self.rejections)
        return "\n".join(lines)


@dataclass(frozen=True)
class ResolvedPackage:
    """A release chosen, with its active extras and requirements."""

    release: Release
    extras: Tuple[str, ...]
    requires: Tuple[Requirement, ...]


@dataclass(frozen=True)
class Resolution:
    """The outcome: ``packages`` is sorted by name."""

    roots: Tuple[Requirement, ...]
    packages: Tuple[ResolvedPackage, ...]
    environment: Tuple[Tuple[str, str], ...] = ()
    steps: int = field(default=0, compare=False)

    def versions(self) -> Dict[str, str]:
        """The version chosen for each package."""
        return {item.release.name: str(item.release.version) for item in self.packages}


class _State:
    """What is known at one point of the search; copied for every candidate."""

    def __init__(self) -> None:
        self.order: List[str] = []
        self.demands: Dict[str, Tuple[Demand, ...]] = {}
        self.chosen: Dict[str, Release] = {}
        self.extras: Dict[str, Tuple[str, ...]] = {}

    def copy(self) -> "_State":
        other = _State()
        other.order = list(self.order)
        other.demands = dict(self.demands)
        other.chosen = dict(self.chosen)
        other.extras = dict(self.extras)
        return other

    def undecided(self) -> Optional[str]:
        """The package to decide next."""
        for name in self.order:
            if name not in self.chosen:
                return name
        return None


@dataclass
class _Frame:
    """A package being decided."""

    name: str
    state: _State
    candidates: Iterator[Release]
    known: bool
    rejections: List[Rejection] = field(default_factory=list)
    blame: Set[str] = field(default_factory=set)


class _Clash(Exception):
    """A demand cannot be met by the release chosen for its package."""

    def __init__(self, demand: Demand, chosen: Release) -> None:
        super().__init__(str(demand))
        self.demand = demand
        self.chosen = chosen


def _meets(release: Release, requirement: Requirement) -> bool:
    if not requirement.range.allows(release.version):
        return False
    return all(extra in release.extra_names for extra in requirement.extras)


class _Search:
    def __init__(
        self,
        roots: Tuple[Requirement, ...],
        index: PackageIndex,
        environment: Mapping[str, str],
        preferred: Mapping[str, Version],
        constraints: Tuple[Requirement, ...],
        max_steps: int,
    ) -> None:
        self.roots = roots
        self.index = index
        self.environment = environment
        self.preferred = preferred
        self.max_steps = max_steps
        self.steps = 0
        self.dead_end: Optional[Conflict] = None
        self.constraints: Dict[str, List[Requirement]] = {}
        for constraint in constraints:
            if constraint.applies(environment):
                self.constraints.setdefault(constraint.name, []).append(constraint)

    # -- candidates ---------------------------------------------------------

    def _is_available(self, release: Release) -> bool:
        """Whether a release may be used in spite of being yanked."""
        if not release.yanked or self.preferred.get(release.name) == release.version:
            return True
        return any(
            root.name == release.name and root.range.pinned == release.version
            for root in self.roots
            if root.applies(self.environment)
        )

    def _open(self, state: _State, name: str) -> _Frame:
        try:
            releases = self.index.releases(name)
            known = True
        except UnknownPackageError:
            releases, known = (), False
        demands = state.demands[name]
        wanted = self.preferred.get(name)
        ordered = sorted(releases, key=lambda release: release.version != wanted)
        candidates = [
            release
            for release in ordered
            if all(_meets(release, demand.requirement) for demand in demands)
            and all(c.range.contains(release.version) for c in self.constraints.get(name, ()))
            and self._is_available(release)
        ]
        blame = {cause for demand in demands for cause in demand.causes}
        return _Frame(name, state, iter(candidates), known, blame=blame)

    # -- consequences of a choice -------------------------------------------

    def _demand(self, state: _State, demand: Demand) -> None:
        """Put a demand in force, and the extras it asks for."""
        requirement = demand.requirement
        name = requirement.name
        if name not in state.demands:
            state.order.append(name)
        state.demands[name] = state.demands.get(name, ()) + (demand,)
        release = state.chosen.get(name)
        if release is None:
            return
        if not _meets(release, requirement):
            raise _Clash(demand, release)
        for extra in requirement.extras:
            if extra not in state.extras[name]:
                self._activate(state, release, extra, demand.causes | {name})

    def _activate(
        self, state: _State, release: Release, extra: str, causes: FrozenSet[str]
    ) -> None:
        name = release.name
        state.extras[name] = tuple(sorted(state.extras[name] + (extra,)))
        for requirement in release.extra_requires(extra):
            if requirement.applies(self.environment):
                self._demand(state, Demand(requirement, f"{release} [{extra}]", causes))

    def _choose(self, state: _State, release: Release) -> _State:
        """The state after deciding for ``release``; raises ``_Clash``."""
        state = state.copy()
        name = release.name
        demands = state.demands[name]
        state.chosen[name] = release
        state.extras[name] = ()
        for requirement in release.requires:
            if requirement.applies(self.environment):
                self._demand(state, Demand(requirement, str(release), frozenset([name])))
        for extra in sorted({e for demand in demands for e in demand.requirement.extras}):
            if extra not in state.extras[name]:
                causes = {name}
                for demand in demands:
                    if extra in demand.requirement.extras:
                        causes |= demand.causes
                self._activate(state, release, extra, frozenset(causes))
        return state

    # -- the search ---------------------------------------------------------

    def _advance(self, frame: _Frame) -> Optional[_State]:
        """Examine the next candidates until one can be put in place."""
        for release in frame.candidates:
            if self.steps >= self.max_steps:
                raise WorkLimitExceeded(self.max_steps)
            self.steps += 1
            try:
                return self._choose(frame.state, release)
            except _Clash as clash:
                frame.rejections.append(Rejection(release, clash.demand, clash.chosen))
                frame.blame |= clash.demand.causes | {clash.chosen.name}
                frame.blame.discard(frame.name)
        return None

    def _note_dead_end(self, frame: _Frame) -> None:
        if self.dead_end is None:
            self.dead_end = Conflict(
                frame.name,
                frame.known,
                frame.state.demands[frame.name]
                + tuple(Demand(c, CONSTRAINT) for c in self.constraints.get(frame.name, ())),
                tuple(frame.rejections),
            )

    def run(self) -> _State:
        state = _State()
        for root in self.roots:
            if root.applies(self.environment):
                self._demand(state, Demand(root, ROOT))
        frames: List[_Frame] = []
        while True:
            name = state.undecided()
            if name is None:
                return state
            frames.append(self._open(state, name))
            following = self._advance(frames[-1])
            while following is None:
                failed = frames.pop()
                self._note_dead_end(failed)
                # Nothing changes for the failed package until one of those
                # that its failure depends on is decided differently.
                while frames and frames[-1].name not in failed.blame:
                    frames.pop()
                if not frames:
                    assert self.dead_end is not None
                    raise ConflictError(self.dead_end)
                frames[-1].blame |= failed.blame - {frames[-1].name}
                following = self._advance(frames[-1])
            state = following


def _as_requirements(items: Iterable[Union[str, Requirement]]) -> Tuple[Requirement, ...]:
    return tuple(parse_requirement(item) if isinstance(item, str) else item for item in items)


def resolve(
    roots: Iterable[Union[str, Requirement]],
    index: PackageIndex,
    environment: Optional[Mapping[str, str]] = None,
    preferred: Optional[Mapping[str, Version]] = None,
    constraints: Iterable[Union[str, Requirement]] = (),
    max_steps: int = DEFAULT_MAX_STEPS,
) -> Resolution:
    """Choose a release for every package that ``roots`` need.

    ``constraints`` are requirements that bring no package in: they narrow the
    candidates of packages that are needed anyway.  See the module's docstring
    for what is chosen, and the README for constraints.

    Raises :class:`ConflictError` if there is no solution and
    :class:`WorkLimitExceeded` after ``max_steps`` steps.
    """
    wanted = _as_requirements(roots)
    limits = _as_requirements(constraints)
    for limit in limits:
        if limit.extras:
            raise RequirementError(f"a constraint cannot ask for extras: {limit}")
    surroundings = dict(environment or {})
    favourites = {normalize_name(name): version for name, version in (preferred or {}).items()}
    search = _Search(wanted, index, surroundings, favourites, limits, max_steps)
    state = search.run()
    packages = tuple(
        ResolvedPackage(
            state.chosen[name],
            state.extras[name],
            _active_requires(state.chosen[name], state.extras[name], surroundings),
        )
        for name in sorted(state.chosen)
    )
    return Resolution(wanted, packages, tuple(sorted(surroundings.items())), search.steps)


def _active_requires(
    release: Release, extras: Tuple[str, ...], environment: Mapping[str, str]
) -> Tuple[Requirement, ...]:
    """What a release with ``extras`` requires, each requirement once."""
    found: Dict[Requirement, None] = {}
    for requirement in release.requires:
        if requirement.applies(environment):
            found[requirement] = None
    for extra in extras:
        for requirement in release.extra_requires(extra):
            if requirement.applies(environment):
                found[requirement] = None
    return tuple(found)
