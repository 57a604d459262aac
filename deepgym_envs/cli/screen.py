"""What a command shows a person, and what it prints for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

STDERR = Console(stderr=True)
# Where nobody looks on, nothing is wrapped that a program may read by lines.
STDOUT = Console(width=None if sys.stdout.isatty() else 130)


def complain(message: str) -> None:
    """One message to standard error, marked as an error."""
    STDERR.print(f"[bold red]error:[/] {_escaped(message)}", highlight=False, soft_wrap=True)


def print_json(value: Mapping[str, Any]) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n")
    sys.stdout.flush()


@contextmanager
def spinner(text: str) -> Iterator[Any]:
    """Show that something long is going on; yields a function that changes the text."""
    progress = Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=STDERR, transient=True
    )
    with progress:
        bar = progress.add_task(_escaped(text), total=None)
        yield lambda said: progress.update(bar, description=_escaped(said))


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")
