"""Metrics as text that Prometheus reads."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from threading import Lock


class PrometheusSink:
    """Keeps the last value of each metric in a file of Prometheus's text format, version 0.0.4.

    Serve it with the textfile collector of node_exporter, whose files end in ``.prom``. ``kl/k3`` becomes the
    gauge ``deepgym_kl_k3``, the step ``deepgym_step``; ``labels`` stand at each, to tell runs apart. The file
    is replaced whole, so a reader never sees half of it. One process for each file: another one's values
    would be lost.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "run.prom"
    ...     PrometheusSink(path, {"run": "a"})({"kl/k3": 0.5}, 3)
    ...     print(path.read_text(), end="")
    # TYPE deepgym_step gauge
    deepgym_step{run="a"} 3.0
    # TYPE deepgym_kl_k3 gauge
    deepgym_kl_k3{run="a"} 0.5

    Raises:
        OSError: the file cannot be written.
        ValueError: a label's name is none, or two metrics have names that become the same.
    """

    def __init__(self, path: str | Path, labels: Mapping[str, str] | None = None) -> None:
        self._path = Path(path)
        for name in labels or {}:
            if not re.fullmatch(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", name):
                raise ValueError(f"a label must be letters, digits and underscores, not {name!r}")
        pairs = ",".join(f'{name}="{_escaped(value)}"' for name, value in (labels or {}).items())
        self._labels = f"{{{pairs}}}" if pairs else ""
        self._gauges: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def __call__(self, metrics: Mapping[str, float], step: int, /) -> None:
        """Write the file anew."""
        with self._lock:
            if "step" in metrics:
                raise ValueError("a metric cannot be called 'step', which is a gauge of its own")
            gauges = dict(self._gauges)
            for name, value in {"step": step, **metrics}.items():
                gauge = "deepgym_" + re.sub(r"[^a-zA-Z0-9_]", "_", name)
                if gauges.get(gauge, (name, 0.0))[0] != name:
                    raise ValueError(f"metrics {gauges[gauge][0]!r} and {name!r} are both called {gauge}")
                gauges[gauge] = (name, float(value))
            text = "".join(
                f"# TYPE {gauge} gauge\n{gauge}{self._labels} {value!r}\n"
                for gauge, (_, value) in gauges.items()
            )
            beside = self._path.with_name(f".{self._path.name}.{os.getpid()}")
            try:
                beside.write_text(text, encoding="utf-8")
                beside.replace(self._path)
            finally:
                beside.unlink(missing_ok=True)
            self._gauges = gauges


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
