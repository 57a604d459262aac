"""Images of repositories that only tests have: removed when the last run of the tests on this machine ends."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

from docker.errors import APIError

from deepgym_envs.paths import cache_dir, data_dir
from deepgym_envs.sandbox.base_image import LABEL
from deepgym_envs.sandbox.engine import connect


@contextmanager
def removed_at_the_end() -> Iterator[None]:
    """Removes what came while this lasted, or a run of others that overlaps it.

    Each run holds a lock that they share. The first notes what was there before, the last removes the rest: so
    nobody loses an image that it still uses.
    """
    place = cache_dir() / "locks" / "images-before-the-tests"
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("a+") as file, closing(connect()) as client:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            file.truncate(0)
            json.dump(list(made_up(client)), file)
            file.flush()
        fcntl.flock(file, fcntl.LOCK_SH)
        try:
            yield
        finally:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                file.seek(0)
                before = set(json.load(file))
                for name in made_up(client):
                    if name not in before:
                        with suppress(APIError):  # a container stands on it, or another process was faster
                            client.api.remove_image(name)


def made_up(client: Any) -> list[str]:
    """Tags of images of repositories that are not bundled, tasks first.

    One without a tag may be what somebody's build stands on at this moment: those stay.
    """
    bundled = {place.name for place in data_dir("repos").iterdir()}
    found = []
    for image in client.api.images(filters={"label": LABEL}):
        for tag in image["RepoTags"] or []:
            name = tag.partition("/")[2].partition(":")[0].removesuffix("-environment")
            if image["Labels"][LABEL] != "base" and name and name not in bundled:
                found.append((image["Labels"][LABEL] != "task", tag))
    return [tag for _, tag in sorted(found)]
