"""The error classes of the library.

Everything the library raises on purpose derives from :class:`RangelockError`.
Errors about malformed text are also ``ValueError``; look-ups that fail are
also ``LookupError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .resolver import Conflict


class RangelockError(Exception):
    """Base class of all errors of this library."""


class VersionError(RangelockError, ValueError):
    """A version is not of the form ``MAJOR.MINOR.PATCH[-PRE][+BUILD]``."""


class RangeError(RangelockError, ValueError):
    """A range expression cannot be read."""


class MarkerError(RangelockError, ValueError):
    """A marker cannot be read, or names a variable the environment lacks."""


class RequirementError(RangelockError, ValueError):
    """A requirement cannot be read or is not allowed where it stands."""


class IndexError_(RangelockError):
    """Base class of errors about the package index."""


class UnknownPackageError(IndexError_, LookupError):
    """The index has no such package, or the package no such version."""


class DuplicateReleaseError(IndexError_):
    """A release with an equal version is in the index already."""


class ConflictError(RangelockError):
    """No set of releases meets all requirements.

    ``conflict`` describes the first dead end of the search; ``str(error)`` is
    its explanation in words.
    """

    def __init__(self, conflict: "Conflict") -> None:
        super().__init__(conflict.explain())
        self.conflict = conflict


class WorkLimitExceeded(RangelockError):
    """The search examined more candidates than ``max_steps`` allows."""

    def __init__(self, max_steps: int) -> None:
        super().__init__(f"gave up after examining {max_steps} candidates")
        self.max_steps = max_steps


class LockError(RangelockError):
    """A lock cannot be used as asked."""


class LockFormatError(LockError, ValueError):
    """The text of a lock file cannot be read; ``line`` counts from 1."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
