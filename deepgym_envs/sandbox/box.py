"""The sandbox that all backends share: a client of the program that runs inside a box."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from deepgym_envs.errors import ActionError, BoxLost
from deepgym_envs.recipe import RepoRecipe
from deepgym_envs.sandbox.channel import Channel
from deepgym_envs.sandbox.contract import Captured, Closing, Command, Completed, Found, Line, Query
from deepgym_envs.state import File, Tree, WorkspaceState, check_path, glob_pattern

GRACE_SECONDS = 30.0
MAX_FIND_BYTES = 4 << 20

_REASONS = {
    "ENOENT": "there is no such file",
    "EISDIR": "it is a folder",
    "ENOTDIR": "a part of the path is not a folder, or is a link",
    "ELOOP": "it is a symbolic link, and links are not followed",
    "ENOSPC": "the workspace's disk is full; delete something or write less",
    "EACCES": "it may not be read",
    "EPERM": "it may not be changed",
    "EEXIST": "a folder of that name exists",
    "ENXIO": "it is not a regular file",
    "ENOTEMPTY": "the folder is not empty",
}


def agent_environment(python_folder: str, scratch: str, workspace: str, recipe: RepoRecipe) -> dict[str, str]:
    """All variables of the agent's commands: none is the host's, none differs between hosts."""
    places = (workspace if path == "." else f"{workspace}/{path}" for path in recipe.install.pythonpath)
    return {
        "PATH": f"{python_folder}:/usr/local/bin:/usr/bin:/bin",
        "HOME": scratch,
        "TMPDIR": scratch,
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONPATH": ":".join(places),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def _no_outage() -> str:
    return ""


class Box(Closing):
    """A box whose program has been started; implements ``Sandbox``.

    It knows which state the workspace is in, so that an edit sends one file, and only what a command may have
    touched is looked at again.
    """

    def __init__(
        self,
        base: Tree,
        channel: Channel,
        release: Callable[[], None],
        outage: Callable[[], str] = _no_outage,
    ) -> None:
        """Greet the box. ``release`` removes it and is called once, also when the greeting fails.

        ``outage`` is asked when the box is lost: what the host itself sees to have failed under it, which no
        code inside can have caused, or nothing.

        Raises:
            BoxLost: it does not answer, or its workspace is not ``base``.
        """
        self._base = base
        self._channel = channel
        self._release: Callable[[], None] | None = release
        self._releasing = threading.RLock()
        self._given_up = False
        self._outage = outage
        self._agent_ran = False
        self._state: WorkspaceState | None = WorkspaceState(base)
        try:
            hello, _ = self._call({"op": "hello"}, seconds=120)
            if hello.get("base") != base.digest:
                raise BoxLost("a box holds another base than its task; rebuild: deepgym-envs images build")
        except BaseException:
            self.close()
            raise

    def restore(self, state: WorkspaceState) -> None:
        """See ``Sandbox.restore``."""
        self._check_open()
        if state.base != self._base:
            raise ValueError("the state belongs to another base than this box")
        if self._state is not None:
            changes = _difference(self._state, state)
            operation = "apply"
        else:
            changes = dict(state.changes)
            operation = "restore"
        self._state = None
        if changes or operation == "restore":
            listing = [
                (path, "0" if file is None else "x" if file.executable else "-")
                for path, file in changes.items()
            ]
            blobs = [file.data for file in changes.values() if file is not None]
            answer, _ = self._call({"op": operation, "changes": listing}, blobs)
            if operation == "restore":
                self._check_clean(answer)
        self._state, self._agent_ran = state, False

    def capture(self) -> Captured:
        """See ``Sandbox.capture``."""
        self._check_open()
        if self._state is not None:
            return Captured(self._state)
        answer, blobs = self._call({"op": "capture"})
        try:
            captured = _captured(self._base, answer, blobs)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise self._lost(
                f"a box described its workspace in a form that it never has: {error!r}"
            ) from None
        self._state = captured.state
        return captured

    def read(self, path: str, limit: int) -> tuple[bytes, int]:
        """See ``Sandbox.read``."""
        answer, blobs = self._call({"op": "read", "path": _inside(path), "limit": limit}, subject=path)
        size = answer.get("size")
        if len(blobs) != 1 or type(size) is not int or len(blobs[0]) > limit:
            raise self._lost("a box answered 'read' in a form that it never has")
        return blobs[0], size

    def find(self, query: Query) -> Found:
        """See ``Sandbox.find``."""
        folder = _inside(query.folder) if query.folder not in ("", ".") else ""
        if folder and self._state is not None and not _has_folder(self._state, folder):
            raise ActionError(f"{folder!r}: there is no such folder")
        asked = {
            "folder": folder,
            "names": glob_pattern(query.glob).pattern if query.glob != "**" else None,
            "pattern": query.pattern,
            "context": query.context,
            "limit": query.limit,
        }
        request = {"op": "find", "query": asked, "seconds": query.seconds, "limit_bytes": MAX_FIND_BYTES}
        answer, blobs = self._call(request, seconds=query.seconds + GRACE_SECONDS)
        done = self._completed(answer, blobs)
        if done.timed_out:
            raise ActionError(
                f"the search took more than {query.seconds:g} s; use a simpler pattern or a narrower glob"
            )
        if done.exit_code != 0:
            raise ActionError(
                done.output.decode(errors="replace") or f"the search broke off ({done.exit_code})"
            )
        try:
            return _found(done, query)
        except (ValueError, TypeError, RecursionError) as error:
            raise self._lost(f"a box listed files in a form that it never has: {error!r}") from None

    def run(self, command: Command) -> Completed:
        """See ``Sandbox.run``."""
        request = {
            "op": "run",
            "argv": list(command.argv),
            "files": [check_path(path) for path in command.files],
            "environment": dict(command.environment),
            "seconds": command.seconds,
            "output_bytes": command.output_bytes,
            "report_bytes": command.report_bytes,
            "warm": command.warm,
        }
        self._state, self._agent_ran = None, True
        blobs: list[bytes] | tuple[()] = [command.stdin, *command.files.values()]
        try:
            answer, blobs = self._call(request, blobs, seconds=command.seconds + GRACE_SECONDS)
        except ActionError as error:  # before the command began, so it is not to blame
            self.close()
            raise BoxLost(f"a box could not begin a command: {error}") from None
        return self._completed(answer, blobs)

    def close(self) -> None:
        """See ``Sandbox.close``."""
        self._given_up = True
        self._let_go()

    def _let_go(self) -> None:
        with self._releasing:
            release, self._release = self._release, None
        if release is not None:
            self._channel.close()
            release()

    def _call(
        self,
        request: dict[str, Any],
        blobs: list[bytes] | tuple[()] = (),
        *,
        seconds: float = 60,
        subject: str = "",
    ) -> tuple[dict[str, Any], list[bytes]]:
        self._check_open()
        try:
            answer, pieces = self._channel.call(request, blobs, seconds=seconds)
        except BoxLost as error:
            raise self._lost(str(error)) from None
        if answer.get("ok") is True:
            return answer, pieces
        code = str(answer.get("errno", ""))
        reason = _REASONS.get(code) or str(answer.get("refused", "it was refused"))[:200]
        raise ActionError(f"{subject}: {reason}" if subject else reason)

    def _check_open(self) -> None:
        if self._release is None:
            raise BoxLost("the box is closed", after_agent_code=self._agent_ran and not self._given_up)

    def _check_clean(self, answer: dict[str, Any]) -> None:
        """Give the box up unless it says of itself, after a reset, what only a clean one can."""
        if answer.get("base") != self._base.digest:
            raise self._lost("a box could not put its workspace back")
        if answer.get("left") != []:
            raise self._lost(f"a box could not clear what a command left: {str(answer.get('left'))[:200]}")

    def _completed(self, answer: dict[str, Any], blobs: list[bytes]) -> Completed:
        code, seconds = answer.get("exit_code"), answer.get("seconds")
        good = (code is None or type(code) is int) and type(seconds) is float and len(blobs) == 2
        if not good or type(answer.get("omitted")) is not int:
            raise self._lost("a box described a command's end in a form that it never has")
        return Completed(
            exit_code=code,
            output=blobs[0],
            omitted=answer["omitted"],
            report=blobs[1],
            report_overflow=answer.get("report_overflow") is True,
            timed_out=answer.get("timed_out") is True,
            seconds=float(seconds or 0.0),
            warm=answer.get("warm") is True,
            why_cold=str(answer.get("cold", ""))[:200],
        )

    def _lost(self, message: str) -> BoxLost:
        if self._given_up:  # by another thread: the owner's doing, whatever ran here
            return BoxLost("the box was closed while it was in use")
        outage = self._outage()
        error = BoxLost(outage or message, after_agent_code=self._agent_ran and not outage)
        self._let_go()
        return error


def _inside(path: str) -> str:
    try:
        return check_path(path)
    except ValueError as error:
        raise ActionError(str(error)) from None


def _has_folder(state: WorkspaceState, folder: str) -> bool:
    prefix = folder + "/"
    changed = any(file is not None and path.startswith(prefix) for path, file in state.changes.items())
    return changed or any(path.startswith(prefix) and path not in state.changes for path in state.base)


def _difference(old: WorkspaceState, new: WorkspaceState) -> dict[str, File | None]:
    paths = {*old.changes, *new.changes}
    return {path: new.get(path) for path in sorted(paths) if old.get(path) != new.get(path)}


def _captured(base: Tree, answer: dict[str, Any], blobs: list[bytes]) -> Captured:
    contents = iter(blobs)
    changes: dict[str, File | None] = {}
    for path, mode in answer["changes"]:
        if mode not in ("0", "-", "x"):
            raise ValueError(mode)
        changes[check_path(path)] = None if mode == "0" else File(next(contents, b""), mode == "x")
    dropped = tuple((str(path), str(reason)) for path, reason in answer["dropped"])
    return Captured(WorkspaceState(base, changes), dropped)


def _found(done: Completed, query: Query) -> Found:
    files: list[tuple[str, int]] = []
    lines: list[Line] = []
    more = done.report_overflow
    for row in done.report.decode("utf-8").splitlines()[: query.limit + 1]:
        try:
            value = json.loads(row)
        except ValueError:
            more = True  # the last row was cut by the size limit
            break
        if value == "more":
            more = True
        elif query.pattern is None:
            path, size = value
            files.append((str(path), int(size)))
        else:
            path, number, text, match = value
            lines.append(Line(str(path), int(number), str(text), match is True))
    return Found(tuple(files), tuple(lines), more)
