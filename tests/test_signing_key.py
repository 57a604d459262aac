"""The key that signs: made once, whole, for its owner alone."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from deepgym_envs.errors import UsageError
from deepgym_envs.signing_key import KEY_BYTES, signing_key

FROM_ANOTHER = """
import sys
from pathlib import Path
from deepgym_envs.signing_key import signing_key
print("ready", flush=True)
sys.stdin.readline()
print(signing_key(Path(sys.argv[1])).hex())
"""


def test_it_is_made_once_in_the_cache_folder_for_its_owner_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPGYM_CACHE", str(tmp_path / "cache"))
    key = signing_key()
    assert len(key) == KEY_BYTES
    assert signing_key() == signing_key(make=False) == key
    [file] = (tmp_path / "cache").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert signing_key(tmp_path / "other") != key


def test_processes_that_make_it_at_a_time_have_one_key(tmp_path: Path) -> None:
    for attempt in range(3):
        place = tmp_path / str(attempt) / "key"
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", FROM_ANOTHER, str(place)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )
            for _ in range(2)
        ]  # fmt: skip
        for one in writers:
            assert one.stdout is not None
            assert one.stdout.readline() == "ready\n"
        for one in writers:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        said = {one.communicate(timeout=30)[0].strip() for one in writers}
        assert said == {signing_key(place, make=False).hex()}
        assert [file.name for file in place.parent.iterdir()] == ["key"]


def test_threads_that_make_it_at_a_time_have_one_key(tmp_path: Path) -> None:
    meeting, keys = threading.Barrier(8, timeout=20), []

    def make() -> None:
        meeting.wait()
        keys.append(signing_key(tmp_path / "key"))

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["key"]


def test_where_none_is_to_be_made_it_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no key at"):
        signing_key(tmp_path / "key", make=False)
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    signing_key(tmp_path / "key")
    (tmp_path / "key").chmod(mode)
    with pytest.raises(UsageError, match="chmod 600"):
        signing_key(tmp_path / "key")


@pytest.mark.parametrize("size", [0, KEY_BYTES - 1, KEY_BYTES + 1])
def test_a_file_of_another_size_is_no_key_and_is_left_alone(tmp_path: Path, size: int) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"x" * size)
    file.chmod(0o600)
    with pytest.raises(UsageError, match="is not a key") as refused:
        signing_key(file)
    assert file.read_bytes() == b"x" * size
    assert "xxx" not in str(refused.value)


def test_a_device_is_no_key() -> None:
    with pytest.raises(UsageError, match="not a regular file"):
        signing_key(Path("/dev/null"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        signing_key(tmp_path / "file" / "key")
