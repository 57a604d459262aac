"""Source releases, as package indexes of several kinds offer them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from deepgym_envs import package_index
from deepgym_envs.errors import UsageError
from deepgym_envs.package_index import fetch, releases
from deepgym_envs.recipe import SdistSource

from .releases import FolderIndex


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FolderIndex:
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    index = FolderIndex(tmp_path / "index")
    for name, value in index.environment.items():
        monkeypatch.setenv(name, value)
    return index


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as it is inherited
        pass


@pytest.fixture
def simple(folder: FolderIndex, monkeypatch: pytest.MonkeyPatch) -> Iterator[FolderIndex]:
    """The folder behind a server, whose pages tests write as a package index would."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder.folder))) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.delenv("PIP_FIND_LINKS")
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_address[1]}/simple/")
        yield folder
        server.shutdown()
        thread.join()


def page(index: FolderIndex, added: Mapping[SdistSource, str]) -> None:
    """Write the page of the package ``shop``; to each release what stands in its link besides."""
    place = index.folder / "simple" / "shop"
    place.mkdir(parents=True, exist_ok=True)
    links = [
        f'<a href="../../shop-{source.version}.tar.gz#sha256={source.sha256}" {more}>shop-{source.version}.tar.gz</a>'
        for source, more in added.items()
    ]
    (place / "index.html").write_text(f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>")


def versions(name: str = "shop") -> list[str]:
    return [release.version for release in releases(name)]


def test_releases_come_in_the_order_of_their_versions_final_ones_alone(folder: FolderIndex) -> None:
    for version in ("1.10", "1.9", "2.0rc1", "1.9.post1", "2.0.dev3", "0.1", "1.0a2"):
        folder.add("shop", version, {})
    assert versions() == ["0.1", "1.9", "1.9.post1", "1.10"]


def test_archives_that_are_no_source_releases_are_left_out(folder: FolderIndex) -> None:
    folder.add("shop", "1.0", {})
    folder.add("shop", "1.1", {})
    folder.add_wheel("shop", "1.2")
    (folder.folder / "shop-1.1.tar.gz").rename(folder.folder / "shop-1.1.tar.bz2")
    (folder.folder / "shop-1.3.zip").write_bytes(b"")
    (folder.folder / "shopping-9.0.tar.gz").write_bytes(b"")
    assert versions() == ["1.0"]


def test_an_index_tells_digests_and_what_was_yanked(simple: FolderIndex) -> None:
    first, second = simple.add("shop", "1.0", {}), simple.add("shop", "1.1", {"x.py": ""})
    page(simple, {first: "", second: 'data-yanked="broken"'})
    (found,) = releases("shop")
    assert (found.version, found.sha256) == ("1.0", first.sha256)
    page(simple, {first: "", second: ""})
    assert [each.sha256 for each in releases("shop")] == [first.sha256, second.sha256]


def test_a_release_is_fetched_from_an_index(simple: FolderIndex) -> None:
    source = simple.add("shop", "1.0", {"x.py": "x"})
    page(simple, {source: ""})
    assert fetch("shop", "1.0", source.sha256) == (simple.folder / "shop-1.0.tar.gz").read_bytes()
    (simple.folder / "shop-1.0.tar.gz").unlink()
    with pytest.raises(UsageError, match=r"shop==1\.0: the source release could not be downloaded"):
        fetch("shop", "1.0", source.sha256)


def test_an_index_in_a_folder_is_read_like_one_behind_a_server(
    folder: FolderIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, yanked = folder.add("shop", "1.0", {}), folder.add("shop", "1.1", {})
    page(folder, {source: "", yanked: 'data-yanked=""'})
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", (folder.folder / "simple").as_uri())
    assert [(each.version, each.sha256) for each in releases("shop")] == [("1.0", source.sha256)]
    assert fetch("shop", "1.0", source.sha256)


def test_when_a_release_was_uploaded_is_told_where_the_index_tells_it(simple: FolderIndex) -> None:
    source = simple.add("shop", "1.0", {})
    page(simple, {source: 'data-upload-time="2020-01-02T03:04:05Z"'})
    assert releases("shop")[0].uploaded in (None, datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_the_digest_of_a_file_in_a_folder_is_counted(folder: FolderIndex) -> None:
    source = folder.add("shop", "1.0", {})
    assert releases("shop")[0].sha256 == source.sha256


def test_another_file_than_the_one_wanted_is_refused(folder: FolderIndex) -> None:
    source = folder.add("shop", "1.0", {})
    assert fetch("shop", "1.0", source.sha256)
    with pytest.raises(
        UsageError, match=rf"another file than the one wanted: its SHA-256 is {source.sha256}, not 0"
    ):
        fetch("shop", "1.0", "0" * 64)


def test_a_release_that_is_too_large_is_not_read_to_its_end(
    folder: FolderIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder.add("shop", "1.0", {"big": os.urandom(3 << 20)})
    monkeypatch.setattr(package_index, "MOST_BYTES", 1 << 20)
    with pytest.raises(UsageError, match=r"shop==1\.0: the source release is larger than 1 MiB"):
        fetch("shop", "1.0", source.sha256)


def test_a_package_or_version_that_is_not_there_is_told(folder: FolderIndex) -> None:
    folder.add("shop", "1.0", {})
    with pytest.raises(
        UsageError, match=r"nosuchdist: no package index has a source release .*; correct the name"
    ):
        releases("nosuchdist")
    with pytest.raises(UsageError, match=r"shop==7: no package index has a source release"):
        fetch("shop", "7", "0" * 64)


def test_a_name_that_is_none_is_told(folder: FolderIndex) -> None:
    for name in ("", "../x", "a b", "-r x"):
        with pytest.raises(UsageError, match=r"no package index|cannot be asked"):
            releases(name)


def test_an_index_that_nobody_answers_at_is_told(
    folder: FolderIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    with pytest.raises(UsageError, match=r"shop: "):
        releases("shop")


def test_nothing_of_a_release_is_executed(folder: FolderIndex, tmp_path: Path) -> None:
    touched = tmp_path / "executed"
    source = folder.add("shop", "1.0", {"setup.py": f"open({str(touched)!r}, 'w')\n"})
    assert versions() == ["1.0"]
    assert fetch("shop", "1.0", source.sha256)
    assert not touched.exists()
