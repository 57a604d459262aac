"""Metrics as TensorBoard's event files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType


class TensorBoardSink:
    """Writes scalars into ``folder``, for ``tensorboard --logdir folder``; close it when done.

    Needs the package ``tensorboard``: ``pip install 'deepgym-envs[tensorboard]'``.

    Raises:
        ImportError: it is not installed.
    """

    def __init__(self, folder: str | Path) -> None:
        try:
            from tensorboard.summary import Writer  # noqa: PLC0415 - not everybody has it
        except ImportError as error:
            raise ImportError("TensorBoardSink needs: pip install 'deepgym-envs[tensorboard]'") from error
        self._writer = Writer(str(folder))

    def __call__(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Add one point to each curve."""
        for name, value in metrics.items():
            self._writer.add_scalar(name, float(value), step=step)

    def close(self) -> None:
        """Write out what is left."""
        self._writer.close()

    def __enter__(self) -> TensorBoardSink:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
