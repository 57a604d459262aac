"""From a task to an image."""

from __future__ import annotations

import io
import os
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deepgym_envs.errors import ImageError
from deepgym_envs.sandbox.docker import quiet
from deepgym_envs.sandbox.image import ImageInfo, list_images, prune_images, task_image
from deepgym_envs.task import Task
from deepgym_envs.testing import make_task

pytestmark = pytest.mark.docker
REPO = f"image-test-{os.getpid()}"  # so that two who run these tests do not meet


def made(
    folder: Path,
    *,
    text: str = "x = 1\n",
    commands: tuple[tuple[str, ...], ...] = (),
    repo: str = REPO,
) -> Task:
    """A task whose environment needs no packages, so that it builds in a moment."""
    return make_task(
        folder,
        source={"tiny/a.py": text, ".gitignore": "tiny\n"},
        hidden={"test_h.py": "SECRET_OF_THE_HIDDEN_TEST = 1\n"},
        gold={"tiny/a.py": "SECRET_OF_THE_GOLD = 2\n"},
        fail_to_pass=["test_h.py::test_x"],
        repo=repo,
        pip=(),
        commands=commands,
    )


def test_equal_content_has_one_tag_and_changed_content_another(client: Any, tmp_path: Path) -> None:
    first = task_image(client, made(tmp_path / "1" / "one"), quiet)
    again: list[str] = []
    same = task_image(client, made(tmp_path / "2" / "two"), again.append)
    assert (same, again) == (first, [])
    other = task_image(client, made(tmp_path / "3" / "one", text="x = 3\n"), quiet)
    assert other != first
    assert first.startswith(f"deepgym-envs/{REPO}:")

    layers = [client.images.get(tag).attrs["RootFS"]["Layers"] for tag in (first, other)]
    assert layers[0][:-1] == layers[1][:-1]
    assert layers[0] != layers[1]


def test_an_image_holds_one_commit_and_nothing_that_gives_the_solution_away(
    client: Any, tmp_path: Path
) -> None:
    task = made(tmp_path / "one")
    tag = task_image(client, task, quiet)
    container = client.api.create_container(tag, command=["true"])["Id"]
    try:
        stream, _ = client.api.get_archive(container, "/opt/deepgym")
        data = io.BytesIO(b"".join(stream))
        with tarfile.open(fileobj=data) as archive:
            members = {entry.name: archive.extractfile(entry) for entry in archive if entry.isfile()}
            files = {name: content.read() for name, content in members.items() if content}
    finally:
        client.api.remove_container(container)
    assert files["deepgym/base/tiny/a.py"] == b"x = 1\n"
    assert files["deepgym/base/.git"] == b"gitdir: /opt/deepgym/git\n"
    assert not any(secret in data for data in files.values() for secret in (b"SECRET_OF", b"test_h"))
    assert not any("/logs/" in name or "hooks" in name for name in files)
    git = "git --git-dir=/opt/deepgym/git"
    said = client.containers.run(
        tag, ["sh", "-c", f"{git} rev-list --all --count; {git} fsck --unreachable; {git} cat-file --batch-all-objects --batch"],
        network_mode="none", remove=True, user="1000",
    )  # fmt: skip
    assert said.startswith(b"1\n")
    assert b"unreachable" not in said
    assert b"SECRET_OF" not in said
    history = str(client.images.get(tag).history())
    assert "SECRET_OF" not in history
    assert "test_h" not in history


def test_install_commands_run_and_leave_the_workspace_empty(client: Any, tmp_path: Path) -> None:
    command = ("sh", "-c", "cat tiny/a.py > /opt/made && touch left")
    tag = task_image(client, made(tmp_path / "one", commands=(command,), repo=f"{REPO}-commands"), quiet)
    said = client.containers.run(
        tag, ["sh", "-c", "cat /opt/made; ls -A /workspace"], network_mode="none", remove=True
    )
    assert said == b"x = 1\n"


def test_a_recipe_that_does_not_build_quotes_the_build(client: Any, tmp_path: Path) -> None:
    command = ("sh", "-c", "echo the reason why; exit 3")
    with pytest.raises(
        ImageError, match=rf"deepgym-envs/{REPO}-broken:\w+ does not build: .*3.*the reason why"
    ):
        task_image(client, made(tmp_path / "one", commands=(command,), repo=f"{REPO}-broken"), quiet)
    assert not [
        image for image in list_images(client) if image.tag.startswith(f"deepgym-envs/{REPO}-broken:")
    ]


def test_a_build_has_no_network(client: Any, tmp_path: Path) -> None:
    command = ("python3", "-c", "import socket; socket.create_connection(('1.1.1.1', 53), 3)")
    with pytest.raises(ImageError, match="Network is unreachable"):
        task_image(client, made(tmp_path / "one", commands=(command,), repo=f"{REPO}-broken"), quiet)


def test_a_python_that_no_base_has_is_refused(client: Any, tiny: Task) -> None:
    recipe = tiny.recipe.model_copy(update={"python": "==3.2"})
    with pytest.raises(ImageError, match=r"wants Python ==3.2, but bases exist for"):
        task_image(client, replace(tiny, recipe=recipe), quiet)


def test_images_are_listed_and_only_those_without_a_use_are_pruned(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, dropped = made(tmp_path / "1" / "one"), made(tmp_path / "2" / "one", text="x = 3\n")
    tags = [task_image(client, task, quiet) for task in (kept, dropped)]
    found = {image.tag: image for image in list_images(client)}
    assert [found[tag].kind for tag in tags] == ["task", "task"]
    assert found[tags[0]].subject == "made/one"
    assert found[tags[0]].size > 1_000_000

    def ours(client: Any) -> list[ImageInfo]:
        """No image but those of this test: others may be at work with theirs."""
        return [image for image in list_images(client) if f"/{REPO}" in image.tag]

    monkeypatch.setattr("deepgym_envs.sandbox.image.list_images", ours)
    assert tags[1] in prune_images(client, (task for task in [kept]))
    left = {image.tag for image in list_images(client)}
    assert tags[0] in left
    assert tags[1] not in left
    container = client.api.create_container(tags[0], command=["true"])["Id"]
    try:
        assert tags[0] not in prune_images(client, [])
    finally:
        client.api.remove_container(container)
    assert tags[0] in prune_images(client, [])
    prune_images(client, [])  # an environment that other tasks still stood on
    assert ours(client) == []
