"""A bar over things done, with a line below for what is being done, on standard error."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)

from deepgym_envs.cli.screen import STDERR
from deepgym_envs.text import clean


class Board:
    """Shows how many of ``total`` are done; its methods may be called from any thread."""

    def __init__(self, what: str, total: int) -> None:
        self._progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(),
            TimeElapsedColumn(), console=STDERR, transient=True,
        )  # fmt: skip
        self._all = self._progress.add_task(what, total=total)
        self._now = self._progress.add_task("", total=100, visible=False)

    def say(self, message: str) -> None:
        """Show what is being done; a message with a share ``done`` (0 to 1) moves the second bar."""
        share = getattr(message, "done", None)
        text = escape(clean(message).replace("\n", " "))
        if share is None:
            self._progress.update(self._now, description=text, total=None, visible=True)
        else:
            self._progress.update(
                self._now, description=text, total=100, completed=round(share * 100), visible=True
            )

    def advance(self) -> None:
        """One more is done."""
        self._progress.advance(self._all)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()
