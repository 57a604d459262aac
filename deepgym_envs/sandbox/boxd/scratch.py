"""Folders beside the workspace that commands write to, and which are empty between them."""

import os
import stat

from .folders import DIRECTORY, empty, strip


class Scratch:
    """The places that a command may leave something in, and the modes that they have."""

    def __init__(self, config):
        if config["user"]:
            os.chmod(config["inputs"], 0o711)  # not every engine heeds the mode asked for at the mount
        self.folders = (config["inputs"], *config["scratch"])
        places = (config["workspace"], *self.folders)
        self.modes = {place: stat.S_IMODE(os.stat(place).st_mode) for place in places if os.path.isdir(place)}

    def clear(self):
        """Make all of them what they were, and empty all but the workspace."""
        # They may be the agent's own, to close or, in a local box, to move.
        for place, mode in self.modes.items():
            found = os.lstat(place).st_mode if os.path.lexists(place) else 0
            if not stat.S_ISDIR(found):
                if found:
                    os.unlink(place)
                os.mkdir(place)
            if stat.S_IMODE(found) != mode:
                os.chmod(place, mode)
            strip(place)
        for folder in self.folders:
            try:
                top = os.open(folder, DIRECTORY)
            except (FileNotFoundError, NotADirectoryError):
                continue
            empty(top)
            os.utime(folder, ns=(0, 0))

    def left(self):
        """What there is in them, none of which a new box would have."""
        return [
            folder + "/" + name
            for folder in self.folders
            if os.path.isdir(folder)
            for name in os.listdir(folder)
        ]
