"""Dependency resolution over version ranges, with a lock file.

The public names are re-exported here; everything with a leading underscore in
the modules is private.
"""

from __future__ import annotations

from .errors import (
    ConflictError, DuplicateReleaseError, IndexError_, LockError, LockFormatError,
    MarkerError, RangelockError, RangeError, RequirementError, UnknownPackageError,
    VersionError, WorkLimitExceeded,
)
from .index import PackageIndex, Release, make_release
from .lockfile import (
    Change, Lock, LockedPackage, diff_locks, dumps, is_current, loads, lock_from_resolution,
    update_lock, verify_lock, why,
)
from .markers import Marker, parse_marker
from .ranges import Interval, VersionRange, parse_range
from .requirements import Requirement, normalize_name, parse_requirement
from .resolver import Conflict, Demand, Resolution, ResolvedPackage, resolve
from .versions import Version, VersionPool

__all__ = [
    "Change", "Conflict", "ConflictError", "Demand", "DuplicateReleaseError", "IndexError_",
    "Interval", "Lock", "LockError", "LockFormatError", "LockedPackage", "Marker",
    "MarkerError", "PackageIndex", "RangeError", "RangelockError", "Release", "Requirement",
    "RequirementError", "Resolution", "ResolvedPackage", "UnknownPackageError", "Version",
    "VersionError", "VersionPool", "VersionRange", "WorkLimitExceeded", "diff_locks",
    "dumps", "is_current", "loads", "lock_from_resolution", "make_release",
    "normalize_name", "parse_marker", "parse_range", "parse_requirement", "resolve",
    "update_lock", "verify_lock", "why",
]

__version__ = "0.7.0"
