"""An index of packages in a folder, for tests of what is fetched from one."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from deepgym_envs.recipe import SdistSource


class FolderIndex:
    """Source releases in a folder that pip is told to take packages from, and from nowhere else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables that tell pip."""
        return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.folder), "PIP_CONFIG_FILE": "/dev/null"}

    def add(self, name: str, version: str, files: Mapping[str, str | bytes]) -> SdistSource:
        """Make a source release, with what every one has."""
        top = f"{name}-{version}"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
        place = self.folder / f"{top}.tar.gz"
        with tarfile.open(place, "w:gz") as tar:
            for path, content in {"PKG-INFO": metadata, **files}.items():
                data = content.encode() if isinstance(content, str) else content
                entry = tarfile.TarInfo(f"{top}/{path}")
                entry.size = len(data)
                tar.addfile(entry, io.BytesIO(data))
        sha256 = hashlib.sha256(place.read_bytes()).hexdigest()
        return SdistSource(kind="sdist", name=name, version=version, sha256=sha256)

    def add_wheel(self, name: str, version: str, requires: Sequence[str] = ()) -> None:
        """Make a wheel that holds nothing but what it says of itself."""
        folder = f"{name}-{version}.dist-info"
        needs = "".join(f"Requires-Dist: {line}\n" for line in requires)
        files = {
            "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
            "WHEEL": "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            "RECORD": "",
        }
        with zipfile.ZipFile(self.folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
            for path, text in files.items():
                wheel.writestr(f"{folder}/{path}", text)
