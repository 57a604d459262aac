"""What of a workspace differs from its base."""

import os
import stat

from .folders import discard
from .manifest import is_cache
from .workspace import file_mode

MAX_DEPTH = 64
MAX_PATH_BYTES = 1024
MAX_DROPPED = 100  # that are told of


def capture(workspace, limits):
    """Every file that differs from the base, once all that cannot be part of a value is removed.

    Gives changes (path and ``-``, ``x`` or, where it is gone, ``0``), the bytes of those that are there, and
    what was removed, with the reasons. ``limits`` bounds files, bytes of a file, of all files and of names.
    """
    found = Capture(workspace, limits)
    workspace.walk_all(found.visit)
    found.add_missing()
    return found.changes, found.blobs, found.dropped[:MAX_DROPPED]


class Capture:
    """One look at all of a workspace."""

    def __init__(self, workspace, limits):
        self.workspace = workspace
        self.budget = dict(limits)
        self.changes, self.blobs, self.dropped, self.seen = [], [], [], set()

    def visit(self, parent, path, entry):
        workspace = self.workspace
        if workspace.unchanged(parent, path, entry):
            if not workspace.unchanged(parent, path, entry, exactly=True):
                workspace.put_base(path)  # touched: whoever has the box next must not see that
            self.seen.add(path)
            return False
        if not is_cache(path):
            inner = entry.is_dir(follow_symlinks=False)
            if inner and path.count("/") < MAX_DEPTH - 1 and len(os.fsencode(path)) < MAX_PATH_BYTES - 1:
                return True
            reason = "too deep" if inner else self.take(parent, path, entry)
            if reason is None:
                self.seen.add(path)
                return False
            self.dropped.append([path, reason])
        discard(parent, entry.name)
        return False

    def take(self, parent, path, entry):
        """Add a changed file, or say why it cannot be part of a value."""
        if not entry.is_file(follow_symlinks=False):
            return "a link" if entry.is_symlink() else "not a regular file"
        found = entry.stat(follow_symlinks=False)
        name_size, executable = len(os.fsencode(path)), bool(found.st_mode & stat.S_IXUSR)
        if name_size > MAX_PATH_BYTES:
            return "its path is too long"
        budget = self.budget
        if found.st_size > min(budget["file_bytes"], budget["bytes"]):
            return "%d bytes are more than the limits allow" % found.st_size
        if not budget["files"] or name_size > budget["name_bytes"]:
            return "more files than the limits allow"
        if stat.S_IMODE(found.st_mode) != file_mode(executable):
            os.chmod(entry.name, file_mode(executable), dir_fd=parent)
        data = self.workspace.read(path, found.st_size)[1]
        # A value knows no hard links, since an edit of one file must not change another, nor holes, since it
        # must fit wherever it has been.
        if found.st_nlink != 1 or found.st_blocks * 512 < found.st_size:
            try:
                self.workspace.put(path, data, executable)
            except OSError:
                return "a hard link or a sparse file, and there is no room for a file of its own"
        budget["bytes"] -= found.st_size
        budget["name_bytes"] -= name_size
        budget["files"] -= 1
        self.changes.append([path, "x" if executable else "-"])
        self.blobs.append(data)
        return None

    def add_missing(self):
        """Add the base's files that are not there; call it when all has been visited."""
        for path in sorted(self.workspace.entries.keys() - self.seen):
            if is_cache(path):
                # Such as the pointer to the git folder: not part of the value, so always the base's.
                self.workspace.put_base(path)
            else:
                self.changes.append([path, "0"])
