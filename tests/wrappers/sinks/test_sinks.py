"""Every sink keeps what it is given where its readers look for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from deepgym_wrappers.sinks import JsonLinesSink, MetricSink, PrometheusSink, TensorBoardSink, send


def test_any_function_is_a_sink() -> None:
    kept: list[tuple[Mapping[str, float], int]] = []
    sink: MetricSink = lambda metrics, step: kept.append((metrics, step))  # noqa: E731
    send([sink, sink], {"kl": 0.5}, 1)
    assert kept == [({"kl": 0.5}, 1)] * 2


def test_what_is_not_finite_reaches_no_sink() -> None:
    kept: list[Any] = []
    with pytest.raises(ValueError, match=r"metrics must be finite, not \{'kl': nan\}"):
        send([lambda *row: kept.append(row)], {"kl": float("nan"), "kl/k3": 1.0}, 1)
    assert not kept


def test_lines_are_appended_and_a_broken_one_is_ended_first(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    JsonLinesSink(path)({"kl": 1}, 1)
    with path.open("a") as file:
        file.write('{"step": 2, "k')  # a process was killed here
    JsonLinesSink(path)({"kl/k3": 0.25}, 3)
    first, broken, last = path.read_text().splitlines()
    assert json.loads(first) == {"step": 1, "kl": 1.0}
    assert broken == '{"step": 2, "k'
    assert json.loads(last) == {"step": 3, "kl/k3": 0.25}


def test_lines_of_several_writers_stay_whole(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    sinks = [JsonLinesSink(path) for _ in range(4)]
    metrics = {f"name/{number}": float(number) for number in range(50)}
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda step: sinks[step % 4](metrics, step), range(200)))
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(row["step"] for row in rows) == list(range(200))


@pytest.mark.parametrize("make", [JsonLinesSink, PrometheusSink])
def test_a_metric_called_step_is_refused(tmp_path: Path, make: Any) -> None:
    with pytest.raises(ValueError, match="cannot be called 'step'"):
        make(tmp_path / "file")({"step": 1.0}, 1)


def test_a_line_that_would_be_no_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        JsonLinesSink(tmp_path / "file")({"kl": float("inf")}, 1)
    assert not (tmp_path / "file").exists()


def test_prometheus_keeps_the_last_value_of_each(tmp_path: Path) -> None:
    path = tmp_path / "run.prom"
    sink = PrometheusSink(path, {"run": 'a"\n\\'})
    sink({"kl": 1.0, "kl/k3": 0.5}, 1)
    sink({"kl": 2.0}, 2)
    labels = '{run="a\\"\\n\\\\"}'
    assert path.read_text().splitlines() == [
        "# TYPE deepgym_step gauge",
        f"deepgym_step{labels} 2.0",
        "# TYPE deepgym_kl gauge",
        f"deepgym_kl{labels} 2.0",
        "# TYPE deepgym_kl_k3 gauge",
        f"deepgym_kl_k3{labels} 0.5",
    ]
    assert list(tmp_path.iterdir()) == [path]


def test_prometheus_reads_what_was_written(tmp_path: Path) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    path = tmp_path / "run.prom"
    PrometheusSink(path, {"run": 'a"\n\\'})({"kl/forward/k1": -1e-300}, 7)
    families = list(parser.text_string_to_metric_families(path.read_text()))
    samples = {sample.name: (sample.labels, sample.value) for family in families for sample in family.samples}
    assert samples == {
        "deepgym_step": ({"run": 'a"\n\\'}, 7.0),
        "deepgym_kl_forward_k1": ({"run": 'a"\n\\'}, -1e-300),
    }


def test_names_that_become_the_same_are_refused_and_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "run.prom"
    sink = PrometheusSink(path)
    sink({"kl/k3": 0.5}, 1)
    before = path.read_text()
    with pytest.raises(ValueError, match="'kl/k3' and 'kl_k3' are both called deepgym_kl_k3"):
        sink({"kl_k3": 0.5}, 2)
    assert path.read_text() == before


@pytest.mark.parametrize("name", ["", "1a", "a-b", "__a", 'a"'])
def test_a_label_that_is_none_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="a label must be"):
        PrometheusSink(tmp_path / "run.prom", {name: "x"})


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    for sink in (JsonLinesSink(tmp_path / "none" / "a"), PrometheusSink(tmp_path / "none" / "b")):
        with pytest.raises(FileNotFoundError):
            sink({"kl": 1.0}, 1)


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import (  # noqa: PLC0415
        EventAccumulator,
    )

    with TensorBoardSink(tmp_path) as sink:
        for step in (1, 2):
            sink({"kl/k3": step / 2}, step)
    read = EventAccumulator(str(tmp_path), size_guidance={"tensors": 0}).Reload()
    found = [(event.step, event.tensor_proto.float_val[0]) for event in read.Tensors("kl/k3")]
    assert found == [(1, 0.5), (2, 1.0)]


def test_without_tensorboard_the_error_says_what_to_install(tmp_path: Path) -> None:
    code = "import sys; sys.modules['tensorboard'] = None; from deepgym_wrappers.sinks import TensorBoardSink as s; s('x')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr.endswith("TensorBoardSink needs: pip install 'deepgym-envs[tensorboard]'\n")


def test_importing_the_sinks_loads_no_library_that_is_optional() -> None:
    code = "import sys, deepgym_wrappers.sinks; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"tensorboard", "prometheus_client"} & set(done.stdout.split())
