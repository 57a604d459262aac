"""What lies in a folder that an agent could write to: looked at and removed without following a link."""

import errno
import os

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def bytes_of(parent, name, limit):
    """Up to ``limit`` bytes of a file that is no link."""
    end = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    try:
        return os.read(end, limit)
    finally:
        os.close(end)


def strip(folder):
    """Remove what a command may have attached to a folder; default access lists would even apply to us."""
    try:
        names = os.listxattr(folder)
    except OSError as error:
        if error.errno != errno.ENOTSUP:
            raise
        return
    for name in names:
        if name.startswith(("user.", "system.posix_acl")):
            os.removexattr(folder, name)


def discard(parent, name):
    """Remove an entry whatever it is. It needs no room, for the disk may be full, and does not mind depth."""
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        pass
    except (IsADirectoryError, PermissionError):
        os.chmod(name, 0o700, dir_fd=parent)
        empty(os.open(name, DIRECTORY, dir_fd=parent))
        os.rmdir(name, dir_fd=parent)


def empty(top: int) -> None:
    """Remove everything below the descriptor ``top`` and close it; inner folders are lifted up one by one."""
    queue = [""]
    while queue:
        inner = queue.pop()
        here = os.open(inner, DIRECTORY, dir_fd=top) if inner else top
        with os.scandir(here) as listing:
            entries = list(listing)
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                try:
                    os.unlink(entry.name, dir_fd=here)
                except FileNotFoundError:
                    pass
                continue
            os.chmod(entry.name, 0o700, dir_fd=here)
            name = entry.name
            if inner:
                name = os.urandom(8).hex()
                os.rename(entry.name, name, src_dir_fd=here, dst_dir_fd=top)
            queue.append(name)
        if inner:
            os.close(here)
            os.rmdir(inner, dir_fd=top)
    os.close(top)
