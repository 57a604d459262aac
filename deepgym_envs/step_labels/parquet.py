"""Rows as a Parquet file; the only file that needs ``pyarrow``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepgym_envs.errors import UsageError

_COLUMNS = {
    "id": "text", "task": "text", "task_digest": "text", "agent": "text", "policy": "text", "seed": "whole",
    "index": "whole", "prompt": "text", "completions": "texts", "labels": "flags", "rewards": "numbers",
    "observations": "texts", "low": "numbers", "high": "numbers", "solved": "wholes", "judged": "wholes",
    "masked": "wholes", "states": "texts", "start_reward": "number", "first_error": "whole", "passed": "flag",
}  # fmt: skip


def check_installed() -> None:
    """``UsageError`` if ``pyarrow`` is not there; says what to install."""
    _pyarrow()


def write_table(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write ``rows``, which have the columns of ``export``; the types are the same where there are none.

    Raises:
        UsageError: ``pyarrow`` is not installed.
        OSError: ``path`` cannot be written.
    """
    arrow, parquet = _pyarrow()
    plain = {"text": arrow.string(), "whole": arrow.int64(), "number": arrow.float64(), "flag": arrow.bool_()}
    types = {**plain, **{f"{name}s": arrow.list_(kind) for name, kind in plain.items()}}
    schema = arrow.schema([(name, types[kind]) for name, kind in _COLUMNS.items()])
    parquet.write_table(arrow.Table.from_pylist(list(rows), schema=schema), path)


def _pyarrow() -> tuple[Any, Any]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError:
        raise UsageError("Parquet needs pyarrow; install it: pip install 'deepgym-envs[parquet]'") from None
    return pa, parquet
