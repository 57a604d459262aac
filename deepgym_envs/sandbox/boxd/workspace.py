"""The tree that the agent works in: its files written, read, walked over and compared with the base's."""

import errno
import os
import stat

from .folders import DIRECTORY, bytes_of, strip
from .manifest import Manifest, content


class Workspace:
    """The tree at ``root``, which begins as a copy of the base, and who its files belong to.

    ``entries`` knows each file of the base by what a change of it cannot leave alone.
    """

    def __init__(self, config):
        self.root = config["workspace"]
        self.user = config["user"] or (-1, -1)
        self.manifest = Manifest(config["base"])
        self.entries = {}
        # Files that a command may have written to since they were last looked into. No time stamp tells: what
        # is written through a shared mapping leaves those of a file in memory as they are.
        self.suspects = set()
        for path, data, executable in self.manifest.fill():
            self.put(path, data, executable)
            self.know(path)

    def know(self, path):
        """Remember the identity of a file of the base, which lies there as it should."""
        found = os.lstat(os.path.join(self.root, path))
        self.entries[path] = identity(found)
        self.suspects.discard(path)

    def suspect_all(self):
        """To be called before a command of the agent's."""
        self.suspects.update(self.entries)

    def make_folder(self, path):
        place = os.path.join(self.root, path)
        os.mkdir(place, 0o755)
        os.chown(place, *self.user)

    def parent(self, path):
        """Descriptor of the folder that holds ``path``, reached by no link, and the last name."""
        *folders, name = path.split("/")
        here = os.open(self.root, DIRECTORY)
        for folder in folders:
            try:
                below = os.open(folder, DIRECTORY, dir_fd=here)
            finally:
                os.close(here)
            here = below
        return here, name

    def put(self, path, data, executable):
        """Write a file anew, with the folders that it needs."""
        if path in self.entries:  # a new file may get the old one's number within the same tick
            self.suspects.add(path)
        folders = path.split("/")[:-1]
        for depth in range(1, len(folders) + 1):
            folder = "/".join(folders[:depth])
            try:
                self.make_folder(folder)
            except FileExistsError:
                pass
        here, name = self.parent(path)
        try:
            try:
                os.unlink(name, dir_fd=here)
            except FileNotFoundError:
                pass
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            end = os.open(name, flags, 0o600, dir_fd=here)
            try:
                with os.fdopen(end, "wb", closefd=False) as file:
                    file.write(data)
                os.fchmod(end, file_mode(executable))
                os.fchown(end, *self.user)
            except OSError:
                os.unlink(name, dir_fd=here)
                raise
            finally:
                os.close(end)
        finally:
            os.close(here)

    def put_base(self, path):
        """Write a file of the base anew."""
        self.put(path, *self.manifest.read(path))
        self.know(path)

    def delete(self, path):
        """Delete a file, and the folders above it that this leaves empty: a value has no empty folders."""
        here, name = self.parent(path)
        try:
            os.unlink(name, dir_fd=here)
        finally:
            os.close(here)
        folder = os.path.dirname(path)
        while folder:
            try:
                os.rmdir(os.path.join(self.root, folder))
            except OSError:
                break
            folder = os.path.dirname(folder)

    def apply(self, changes, blobs):
        """Make each change; deletions first, so that a file may take a folder's place, or give it its own."""
        for path, mode in changes:
            if mode == "0":
                self.delete(path)
        contents = iter(blobs)
        for path, mode in changes:
            if mode != "0":
                self.put(path, next(contents), mode == "x")

    def read(self, path, limit):
        """Size and up to ``limit`` bytes of a regular file."""
        here, name = self.parent(path)
        try:
            end = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=here)
        finally:
            os.close(here)
        try:
            found = os.fstat(end)
            if stat.S_ISDIR(found.st_mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.ENXIO, "it is not a regular file")
            with os.fdopen(end, "rb", closefd=False) as file:
                return found.st_size, file.read(limit)
        finally:
            os.close(end)

    def walk(self, top, prefix, visit):
        """Visit every entry below the descriptor ``top``, depth first; remove empty folders, close ``top``.

        ``visit(parent, path, entry)`` says whether to descend.
        """
        if stat.S_IMODE(os.fstat(top).st_mode) != 0o755:
            os.fchmod(top, 0o755)
        strip(top)
        with os.scandir(top) as listing:
            entries = list(listing)
        for entry in entries:
            path = prefix + entry.name
            if not visit(top, path, entry):
                continue
            try:
                below = os.open(entry.name, DIRECTORY, dir_fd=top)
            except PermissionError:
                os.chmod(entry.name, 0o755, dir_fd=top)
                below = os.open(entry.name, DIRECTORY, dir_fd=top)
            self.walk(below, path + "/", visit)
            try:
                os.rmdir(entry.name, dir_fd=top)
            except OSError:
                continue
        os.utime(top, ns=(0, 0))
        os.close(top)

    def walk_all(self, visit):
        """Visit every entry of the workspace; see ``walk``."""
        os.chmod(self.root, 0o755)  # what the agent may have taken from itself
        self.walk(os.open(self.root, DIRECTORY), "", visit)

    def unchanged(self, parent, path, entry, exactly=False):
        """Whether ``entry`` of the folder ``parent`` is the base's file at ``path``, its bytes included.

        With ``exactly`` it must not have been touched either: times are no part of a value, and leave no
        trace.
        """
        known = self.entries.get(path)
        if known is None:
            return False
        found = entry.stat(follow_symlinks=False)
        same = identity(found) == known
        if same and path not in self.suspects:
            return True
        if (exactly and not same) or not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            return False
        executable = bool(found.st_mode & stat.S_IXUSR)
        if found.st_size != known[2] or stat.S_IMODE(found.st_mode) != file_mode(executable):
            return False
        if content(bytes_of(parent, entry.name, known[2] + 1), executable) != self.manifest.contents[path]:
            return False
        if same:
            self.suspects.discard(path)
        return True


def identity(found):
    """What a change of a file cannot leave alone."""
    return (found.st_mode, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns, found.st_nlink)


def file_mode(executable):
    return 0o755 if executable else 0o644
