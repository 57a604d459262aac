"""Makes tasks of many packages and repositories side by side, and goes on where a killed run stopped."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from deepgym_envs.errors import SandboxError, TaskError, UsageError
from deepgym_envs.generate.candidate import Candidate, Refusal, Rejected
from deepgym_envs.generate.funnel import Funnel
from deepgym_envs.generate.settle import settle
from deepgym_envs.generate.siblings import sibling
from deepgym_envs.lock import exclusive
from deepgym_envs.sandbox import Backend
from deepgym_envs.task_writer import clear_abandoned, write_task

JOURNAL = "generated.jsonl"
RECORD = "record.json"


@dataclass(frozen=True)
class Source:
    """A package or repository by its ``name``, and its ``candidates``, in an order that is always the same.

    In the place of a candidate that cannot be made stands what it would have been called, and why.
    """

    name: str
    candidates: Callable[[], Iterator[Candidate | Refusal]]


@dataclass(frozen=True)
class Mill:
    """How candidates are made into tasks of ``suite``: where they run, and where the tasks go.

    Tasks are written below ``out``, each with a ``record.json`` of its proof in it, and recipes below
    ``repos``, by default ``out/repos``. ``repeats`` are the runs of each validation. ``tell`` hears what is
    being done, from any thread.
    """

    suite: str
    backend: Backend
    out: Path
    repos: Path | None = None
    repeats: int = 5
    seed: int = 0
    tell: Callable[[str], None] = print

    def run(self, sources: Sequence[Source], workers: int = 1) -> Funnel:
        """Settle the candidates of ``sources``, ``workers`` at a time.

        What was decided is in ``out/generated.jsonl`` at once, and is not tried again by a later run, but for
        what could not be judged. Another run that writes there is waited for.

        Raises:
            UsageError: that file is not a journal of this.
            OSError: something could not be written.
        """
        with exclusive(f"generate {self.out.resolve()}"):
            journal = _Journal(self.out / JOURNAL)
            clear_abandoned(self.out)
            self._run(sources, workers, journal)
        return journal.funnel

    def _run(self, sources: Sequence[Source], workers: int, journal: _Journal) -> None:
        with ThreadPoolExecutor(workers, thread_name_prefix="generate") as threads:
            pending = {threads.submit(self._look, source, journal) for source in sources}
            try:
                while pending:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    for future in done:
                        found = future.result()
                        pending |= {threads.submit(self._settle, each, journal) for each in found}
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                raise

    def _look(self, source: Source, journal: _Journal) -> list[Candidate]:
        """The candidates of a source that nothing was decided about yet."""
        if source.name in journal.decided:
            return []
        self.tell(f"{source.name}: looking for candidates")
        found: list[Candidate] = []
        try:
            for each in source.candidates():
                if isinstance(each, Candidate):
                    found.append(each)
                else:
                    journal.reject(each.name, each.why)
        except Rejected as why:
            journal.reject(source.name, why)
        except (TaskError, UsageError, ValueError) as error:
            journal.reject(source.name, Rejected("unreadable", str(error)))
        except SandboxError as error:
            journal.reject(source.name, Rejected("not_judged", str(error)))
        self.tell(f"{source.name}: {len(found)} candidates")
        return [each for each in found if each.name not in journal.decided]

    def _settle(self, candidate: Candidate, journal: _Journal) -> list[Candidate]:
        """Decide about a candidate; no more of them come of it."""
        if (self.out / candidate.name).is_dir():  # whole, but a kill came before the journal knew
            journal.accept(candidate.name, f"{self.suite}/{candidate.name}")
            return []
        try:
            settled = settle(candidate, self.suite, self.backend, repeats=self.repeats, seed=self.seed)
            same = sibling(settled.task, self.out, self.repos or self.out / "repos")
            if same:
                raise Rejected("twin", f"{same} asks for the same")
            record = (json.dumps(settled.record, indent=1) + "\n").encode()
            write_task(settled.task, self.out, repos=self.repos, beside={RECORD: record})
        except Rejected as why:
            journal.reject(candidate.name, why)
            self.tell(f"{candidate.name}: {why.code}")
        except TaskError as error:
            journal.reject(candidate.name, Rejected("twin", str(error)))
        else:
            journal.accept(candidate.name, settled.task.id)
            self.tell(f"{candidate.name}: accepted")
        return []


class _Journal:
    """What was decided about candidates, a JSON line each, written as soon as it is known."""

    def __init__(self, place: Path) -> None:
        self.funnel = Funnel()
        self.decided: set[str] = set()
        self._place = place
        self._lock = threading.Lock()
        place.parent.mkdir(parents=True, exist_ok=True)
        for number, line in enumerate(_lines(place), start=1):
            try:
                known = json.loads(line)
                if known.get("code") != "not_judged":
                    self._take(known)
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                raise UsageError(f"{place}: line {number} is not of a journal; move the file away") from None

    def accept(self, name: str, task: str) -> None:
        self._add({"name": name, "task": task})

    def reject(self, name: str, why: Rejected) -> None:
        self._add({"name": name, "code": why.code, "message": str(why)[:1000]})

    def _add(self, line: dict[str, str]) -> None:
        with self._lock:
            if line["name"] in self.decided:
                return
            with self._place.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            self._take(line)

    def _take(self, line: dict[str, str]) -> None:
        self.decided.add(line["name"])
        if "task" in line:
            self.funnel.accept(line["task"])
        else:
            self.funnel.reject(line["name"], Rejected(line["code"], line["message"]))  # type: ignore[arg-type]


def _lines(place: Path) -> list[str]:
    """Whole lines; the last one is half if the run was killed while it was written."""
    if not place.is_file():
        return []
    text = place.read_text(encoding="utf-8")
    whole, newline, half = text.rpartition("\n")
    if half:
        os.truncate(place, len((whole + newline).encode()))
    return whole.splitlines()
