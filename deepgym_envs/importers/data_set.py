"""Tasks out of the rows of a data set, one by one, each with what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

from deepgym_envs.errors import TaskError, UsageError
from deepgym_envs.importers.conversion import Settings, to_task
from deepgym_envs.importers.formats import AUTO, FORMATS, read_record
from deepgym_envs.importers.rejected import Rejected
from deepgym_envs.importers.rows import Row, read_rows
from deepgym_envs.recipe import GitSource
from deepgym_envs.task import Task
from deepgym_envs.task_writer import clear_abandoned, write_task
from deepgym_envs.text import one_line

_MOST_DETAILS = 200


@dataclass(frozen=True)
class Imported:
    """What became of the row at ``where``: a ``task`` or why not, and how many tests that should go on
    passing were left out of the task, by reason."""

    where: str
    task: Task | None = None
    rejected: Rejected | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


def import_rows(
    source: str, wanted: str = AUTO, settings: Settings | None = None, *, limit: int | None = None
) -> Iterator[Imported]:
    """The tasks that the rows of ``source`` (see ``read_rows``) describe; at most ``limit`` rows are read.

    ``wanted`` is a key of ``FORMATS``, or ``auto``. Nothing in a row is executed. A repository is asked for
    nothing, unless a row abbreviates its commit; ``Task.base`` and ``Task.hidden`` fetch it.

    Raises:
        UsageError: there is no such format or source, or ``repositories`` names no place.
    """
    settings = settings or Settings()
    if wanted != AUTO and wanted not in FORMATS:
        raise UsageError(f"no format {wanted!r}; there are {AUTO}, {', '.join(FORMATS)}")
    try:
        place = settings.repositories.replace("{repo}", "owner/name")
        GitSource(kind="git", url=place, commit="0" * 40)
    except ValueError:
        place = ""
    if "{repo}" not in settings.repositories or not place:
        raise UsageError(
            f"repositories: {settings.repositories!r}: write a URL or an absolute path with {{repo}} in it"
        )
    return _imported(islice(read_rows(source), limit), wanted, settings)


def _imported(rows: Iterable[Row], wanted: str, settings: Settings) -> Iterator[Imported]:
    met: set[str] = set()
    settings = replace(settings, find_commit=_asked_once(settings.find_commit))
    for row in rows:
        try:
            if row.problem:
                raise Rejected("malformed", row.problem)
            converted = to_task(read_record(row.values, wanted), settings)
            name = converted.task.id.rpartition("/")[2]
            if name in met:
                raise Rejected("duplicate", f"{name}: an earlier row has that id")
            met.add(name)
            yield Imported(row.where, converted.task, left_out=converted.left_out)
        except Rejected as reason:
            yield Imported(row.where, rejected=reason)


def _asked_once(find: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """``find``, which remembers what it found, and what it could not find: rows share few repositories."""
    known: dict[tuple[str, str], str | TaskError] = {}

    def found(url: str, beginning: str) -> str:
        if (url, beginning) not in known:
            try:
                known[url, beginning] = find(url, beginning)
            except TaskError as error:
                known[url, beginning] = error
        commit = known[url, beginning]
        if isinstance(commit, TaskError):
            raise commit
        return commit

    return found


@dataclass
class Tally:
    """What became of all rows so far. ``details`` says of each rejected one why, of the first 200."""

    candidates: int = 0
    accepted: int = 0
    there: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    tasks: Counter[str] = field(default_factory=Counter)
    details: dict[str, str] = field(default_factory=dict)

    def reject(self, where: str, reason: Rejected) -> None:
        """Count a rejected row."""
        self.rejected[reason.code] += 1
        if len(self.details) < _MOST_DETAILS:
            self.details[one_line(where)] = f"{reason.code}: {one_line(str(reason))}"


def write_tasks(imported: Iterable[Imported], out: Path | None, *, resume: bool = False) -> Iterator[Tally]:
    """Write each task below ``out`` (None: nowhere) and yield the tally after each row, the same one always.

    A task is there whole or not at all. One that is there already is rejected, or with ``resume`` accepted as
    it is, so that a run which was killed goes on where it ended.

    Raises:
        OSError: ``out`` cannot be written.
    """
    tally = Tally()
    if out is not None:
        clear_abandoned(out)
    for each in imported:
        tally.candidates += 1
        try:
            if each.task is None:
                raise each.rejected or Rejected("malformed", "nothing is known of it")
            if out is not None:
                tally.there += _write(each.task, out, resume=resume)
            tally.accepted += 1
            tally.tasks[each.task.id.partition("/")[0]] += 1
            tally.left_out.update(each.left_out)
        except Rejected as reason:
            tally.reject(each.where, reason)
        yield tally


def _write(task: Task, out: Path, *, resume: bool) -> bool:
    """Write ``task``; whether it was there already."""
    if resume and (out / task.id.rpartition("/")[2]).is_dir():
        return True
    try:
        write_task(task, out)
    except TaskError as error:
        raise Rejected("exists", str(error)) from None
    return False
