"""The base put back into a workspace, whatever was done to it."""

import os

from .folders import DIRECTORY, discard


def revert(workspace):
    """Make the workspace equal to its base again; the digest of what then is there.

    Every entry is seen at least once: what was kept, when it was found good; each folder in which something
    was mended, once more. Nobody but this program changes anything in between.
    """
    found = Revert(workspace)
    workspace.walk_all(found.visit)
    found.put_missing()
    for folder in found.touched:
        found.look_again(folder)
    return found.digest()


class Revert:
    """One look at all of a workspace: what of it is the base's, by its folders, and which were mended."""

    def __init__(self, workspace):
        self.workspace = workspace
        self.folders = workspace.manifest.folders
        self.good, self.touched = {"": set()}, set()

    def visit(self, parent, path, entry):
        if self.belongs(parent, path, entry):
            return path in self.folders
        discard(parent, entry.name)
        self.touched.add(os.path.dirname(path))
        return False

    def belongs(self, parent, path, entry):
        """Whether an entry is the base's; if so it is added to the good ones."""
        if path in self.folders:
            if entry.is_dir(follow_symlinks=False):
                self.good.setdefault(path, set())
                return True
        elif self.workspace.unchanged(parent, path, entry, exactly=True):
            self.good[path.rpartition("/")[0]].add(path)
            return True
        return False

    def put_missing(self):
        kept = set().union(*self.good.values())
        for path in self.workspace.entries.keys() - kept:
            self.workspace.put_base(path)
            folders = path.split("/")[:-1]
            self.touched.update("/".join(folders[:depth]) for depth in range(len(folders) + 1))

    def look_again(self, folder):
        """See afresh what a folder holds; raises ``SystemExit`` for what does not belong there."""
        prefix = folder + "/" if folder else ""
        self.good[folder] = set()
        parent = os.open(os.path.join(self.workspace.root, folder), DIRECTORY)
        try:
            with os.scandir(parent) as listing:
                for entry in listing:
                    if not self.belongs(parent, prefix + entry.name, entry):
                        raise SystemExit("boxd: the workspace cannot be put back")
        finally:
            os.close(parent)

    def digest(self):
        """The base's name if all is as it was, and if not, something else."""
        for folder in self.good:
            os.utime(os.path.join(self.workspace.root, folder), ns=(0, 0))
        if self.good.keys() - {""} != self.folders:
            return "other folders than the base's"
        return self.workspace.manifest.digest_of(set().union(*self.good.values()))
