"""``deepgym-envs images``, against an engine that is a small HTTP server, and against a real one."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote

import pytest

from deepgym_envs.cli import main
from deepgym_envs.errors import ImageError
from deepgym_envs.sandbox.base_image import Share, pull
from deepgym_envs.sandbox.docker import DockerBackend
from deepgym_envs.sandbox.engine import connect
from deepgym_envs.sandbox.image import ImageInfo, list_images
from deepgym_envs.testing import make_task

SOURCE = {"tiny/__init__.py": "x = 1\n"}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["images", *arguments])
    said = capsys.readouterr()
    code = ended.value.code
    return (code if isinstance(code, int) else 0), said.out, " ".join(said.err.split())


class Engine(ThreadingHTTPServer):
    """Speaks as much of Docker's protocol as listing and removing images takes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.images: list[dict[str, object]] = []
        self.running: list[str] = []

    @property
    def url(self) -> str:
        return f"tcp://127.0.0.1:{self.server_address[1]}"

    def add(
        self, tag: str | None, kind: str, subject: str = "", environment: str = "", shared: int = 60
    ) -> None:
        labels = {
            "deepgym-envs": kind,
            "deepgym-envs.subject": subject,
            "deepgym-envs.environment": environment,
        }
        number = f"sha256:{len(self.images):064}"
        tags = [tag] if tag else None
        self.images.append(
            {"Id": number, "RepoTags": tags, "Labels": labels, "Size": 100, "SharedSize": shared}
        )

    def find(self, name: str) -> dict[str, object] | None:
        return next(
            (image for image in self.images if image["Id"] == name or name in (image["RepoTags"] or [])),  # type: ignore[operator]
            None,
        )

    @property
    def tags(self) -> list[str]:
        return [(image["RepoTags"] or [image["Id"]])[0] for image in self.images]  # type: ignore[index]


class _Answers(BaseHTTPRequestHandler):
    server: Engine

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        if path.endswith("/_ping"):
            self.answer(200, "OK")
        elif path.endswith("/version"):
            self.answer(200, {"ApiVersion": "1.41"})
        elif path.endswith("/system/df"):
            others = {
                "Id": "sha256:other",
                "RepoTags": ["debian:12"],
                "Labels": None,
                "Size": 1,
                "SharedSize": -1,
            }
            self.answer(200, {"Images": [*self.server.images, others], "LayersSize": 280})
        elif path.endswith("/containers/json"):
            self.answer(200, [{"Id": "c", "ImageID": number} for number in self.server.running])
        else:
            found = self.server.find(path.partition("/images/")[2].removesuffix("/json"))
            self.answer(200 if found else 404, found or {"message": "no such image"})

    def do_DELETE(self) -> None:
        found = self.server.find(unquote(self.path.partition("?")[0]).partition("/images/")[2])
        assert found is not None
        self.server.images.remove(found)
        self.answer(200, [])

    def answer(self, status: int, body: object) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    with Engine() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("DOCKER_HOST", server.url)
        server.add("deepgym-envs/base:bookworm-1", "base", shared=100)
        server.add("deepgym-envs/old-environment:1", "environment", "old", "0" * 64, shared=100)
        server.add("deepgym-envs/old:1", "task", "gone/task")
        server.add(None, "task", "gone/untagged")
        yield server
        server.shutdown()
        thread.join()


def test_the_list_tells_what_each_image_needs_for_itself(
    engine: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, _ = run(capsys, "list", "--json")
    images = json.loads(said)["images"]
    assert status == 0
    assert (json.loads(said)["layers"], json.loads(said)["tasks_alone"]) == (280, 200)
    assert [image["kind"] for image in images] == ["base", "environment", "task", "task"]
    assert images[2] == {
        "tag": "deepgym-envs/old:1", "kind": "task", "subject": "gone/task", "size": 100, "unique": 40,
    }  # fmt: skip
    status, said, _ = run(capsys, "list")
    assert status == 0
    assert "deepgym-envs/old:1" in said


def test_pruning_keeps_bases_and_what_runs(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.running = [str(engine.images[2]["Id"])]
    status, said, _ = run(capsys, "prune", "--json")
    assert status == 0
    assert set(engine.tags) == {"deepgym-envs/base:bookworm-1", "deepgym-envs/old:1"}
    assert len(json.loads(said)["removed"]) == 2


def test_pruning_keeps_what_bundled_tasks_use(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    from deepgym_envs.sandbox.image import _task_tag  # noqa: PLC0415
    from deepgym_envs.suite import load_suite  # noqa: PLC0415

    task = load_suite("starter")[0]
    used = _task_tag(task)
    engine.add(used, "task", task.id)
    engine.add("deepgym-envs/kept-environment:1", "environment", "kept", task.recipe.environment_digest)
    engine.add("deepgym-envs/kept:outdated", "task", task.id, task.recipe.environment_digest)
    engine.add(None, "base")
    before = list(engine.tags)
    status, said, _ = run(capsys, "prune", "--dry-run", "--json")
    assert (status, engine.tags) == (0, before)
    stay = {"deepgym-envs/base:bookworm-1", "deepgym-envs/kept-environment:1", used}
    assert json.loads(said)["dry_run"]
    assert set(json.loads(said)["removed"]) == set(before) - stay
    assert "would be removed" in run(capsys, "prune", "--dry-run")[1]
    assert run(capsys, "prune")[0] == 0
    assert set(engine.tags) == stay
    assert run(capsys, "prune", "--all")[0] == 0
    assert engine.tags == ["deepgym-envs/base:bookworm-1"]
    assert run(capsys, "prune", "--all", "--bases")[0] == 0
    assert engine.tags == []


def test_pruning_downloads_nothing(
    engine: Engine, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A task whose releases are not here has no image that could be kept."""
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    status, said, complaints = run(capsys, "prune", "--json")
    assert (status, complaints) == (0, "")
    assert len(json.loads(said)["removed"]) == 3
    assert [place.name for place in tmp_path.rglob("*.tar.gz")] == []


@pytest.mark.parametrize("arguments", [("list",), ("build",), ("prune",)])
@pytest.mark.parametrize("host", ["tcp://127.0.0.1:1", "nonsense"])
def test_without_an_engine_each_command_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, host: str, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    status, said, errors = run(capsys, *arguments)
    assert (status, said) == (3, "")
    assert "no Docker engine answers" in errors


def test_wrong_arguments_are_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "build", "--suite", "nothing-like-it")[0] == 2
    assert run(capsys, "build", "--suite", "starter", "--task", "x")[0] == 2


def test_a_share_is_a_message_that_knows_how_far_it_is() -> None:
    assert Share("unpacking", 0.25) == "unpacking"
    assert (Share("", -1).done, Share("", 0.25).done, Share("", 7).done) == (0.0, 0.25, 1.0)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    def add(name: str, **changed: object) -> None:
        make_task(
            tmp_path / name,
            source=SOURCE,
            hidden={"test_x.py": "def test_x():\n    pass\n"},
            gold={"tiny/__init__.py": "x = 2\n"},
            fail_to_pass=["test_x.py::test_x"],
            repo=name,
            **changed,  # type: ignore[arg-type]
        )

    add("good")
    add("pin", pip=["pytest==0.0.99999"])
    add("command", commands=[["sh", "-c", "echo I cannot >&2; exit 3"]])
    add("python", python=">=3.99")
    (tmp_path / "unreadable").mkdir()
    (tmp_path / "unreadable/task.toml").write_text("")
    return tmp_path


@pytest.mark.docker
@pytest.mark.slow
def test_what_cannot_be_built_is_said_and_stops_nobody(
    docker_backend: DockerBackend, suite: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, said, errors = run(capsys, "build", "--suite", str(suite), "--json")
    result = json.loads(said)
    assert status == 3, errors
    assert (result["tasks"], result["ready"]) == (5, 1)
    assert set(result["unreadable"]) == {f"{suite.name}/unreadable"}
    failed = result["failed"]
    assert "pytest==0.0.99999" in failed["made/pin"]
    assert "I cannot" in failed["made/command"]
    assert "\x1b" not in failed["made/command"]
    assert "3.99" in failed["made/python"]
    assert "Traceback" not in errors


@pytest.mark.docker
@pytest.mark.slow
def test_builders_of_one_image_wait_for_each_other(docker_backend: DockerBackend, tmp_path: Path) -> None:
    task = make_task(
        tmp_path / "twice",
        source={**SOURCE, "tiny/unique.py": f"where = {str(tmp_path)!r}\n"},
        hidden={"test_x.py": "def test_x():\n    pass\n"},
        gold={"tiny/__init__.py": "x = 2\n"},
        fail_to_pass=["test_x.py::test_x"],
    )
    reports: list[str] = []
    builders = [DockerBackend(report=reports.append) for _ in range(4)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda builder: builder.prepare(task), builders))
    assert reports.count(f"building the image of {task.id}") == 1
    client = connect()
    try:
        mine: list[ImageInfo] = [image for image in list_images(client) if image.subject == task.id]
        for image in mine:
            client.images.remove(image.tag)
    finally:
        client.close()
    assert len(mine) == 1


@pytest.mark.docker
def test_a_registry_that_does_not_answer_is_named(docker_backend: DockerBackend) -> None:
    client = connect()
    try:
        with pytest.raises(ImageError, match=r"did not give localhost:1/python:3\.11-slim .*debootstrap"):
            pull(client, "localhost:1/python:3.11-slim")
    finally:
        client.close()
