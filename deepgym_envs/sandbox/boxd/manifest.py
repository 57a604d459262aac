"""The base of a box: which files it has, and what of a file counts."""

import hashlib
import os
import stat

NEVER_STATE = {".git", "__pycache__", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache"}


class Manifest:
    """Folders and files of the base, each file with a digest of what counts; read from ``place``."""

    def __init__(self, place):
        self.place = place
        self.folders, self.contents, self.records = set(), {}, []

    def fill(self):
        """Note every file, and yield it: path, bytes, whether it may be executed."""
        paths = []
        for parent, folders, names in os.walk(self.place):
            inner = os.path.relpath(parent, self.place)
            prefix = "" if inner == "." else inner + "/"
            self.folders.update(prefix + name for name in folders)
            paths += [prefix + name for name in names]
        for path in sorted(paths):
            data, executable = self.bytes_of(path)
            self.contents[path] = content(data, executable)
            if not NEVER_STATE.intersection(path.split("/")):
                raw = os.fsencode(path)
                self.records.append((path, len(raw).to_bytes(4, "big") + raw + self.contents[path]))
            yield path, data, executable

    def read(self, path):
        """A file's bytes and whether it may be executed; raises ``SystemExit`` if they are not as noted."""
        data, executable = self.bytes_of(path)
        if content(data, executable) != self.contents[path]:
            raise SystemExit("boxd: the base is not what it was")
        return data, executable

    def bytes_of(self, path):
        place = os.path.join(self.place, path)
        with open(place, "rb") as file:
            return file.read(), bool(os.stat(place).st_mode & stat.S_IXUSR)

    def digest_of(self, paths):
        """Digest of a tree of those files of the base; of all of them, it is the base's name."""
        total = hashlib.sha256(b"tree 1\n")
        total.update(b"".join([record for path, record in self.records if path in paths]))
        return total.hexdigest()


def content(data, executable):
    """What of a file counts for the digest of a tree."""
    return hashlib.sha256((b"x" if executable else b"-") + data).digest()


def is_cache(path):
    """Whether a file is one that programs make anew by themselves, and so never part of a value."""
    return path.endswith((".pyc", ".pyo")) or bool(NEVER_STATE.intersection(path.split("/")))
