"""Why a row of a data set does not become a task."""

from __future__ import annotations

from deepgym_envs.errors import TaskError

REASONS = {
    "malformed": "it is no JSON object, or longer than a row may be",
    "format": "it is of no format that is known, or names a data set that is not",
    "field": "a field is missing, empty, or holds something else than the format says",
    "too-large": "a text, a patch or a list in it is beyond what a task may have",
    "id": "its id gives no name for a task",
    "duplicate": "an earlier row has that id",
    "exists": "the folder for tasks has one of that name",
    "repository": "it names no repository or commit, or the one that it names cannot be asked",
    "language": "its tests are not Python",
    "framework": "its tests are not run by pytest",
    "patch": "a patch cannot be read, leads outside, or holds what no workspace can: links, submodules",
    "statement": "nothing is said of what is wrong",
    "no-solution": "no reference solution comes with it, or it changes nothing but test code",
    "no-tests": "it does not say which tests must begin to pass, or brings no test files",
    "test-id": "a test that must begin to pass has an id of which no file can be told",
    "truncated-id": "a test that must begin to pass has an id that is cut off",
    "requirements": "a package that it needs is not pinned to a release",
}
"""What each code means; what is counted of a run of ``import`` are these."""


class Rejected(TaskError):
    """A row that does not become a task; ``code`` is a key of ``REASONS``."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    def __reduce__(self) -> tuple[type[Rejected], tuple[str, str]]:
        return Rejected, (self.code, str(self))
