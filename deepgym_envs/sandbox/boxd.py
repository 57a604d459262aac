"""The program inside a box: answers framed requests on standard input and output, one at a time.

It is started once per box, by a user that the agent's code can neither signal nor trace, and needs nothing
but the standard library of Python 3.8 or newer. A frame is two big-endian 32-bit lengths, a JSON header of
the first length and a body of the second; ``blobs`` in the header cuts the body into pieces.

Whenever it answers, no process of the agent is alive in the box. File requests therefore meet a workspace
that holds still, and what they do cannot be raced.
"""

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import re
import resource
import select
import signal
import stat
import sys
import time

PROTOCOL = 1
RACY_NS = 60_000_000  # a file touched this recently may be touched again within the same clock tick
MAX_DEPTH = 64
MAX_PATH_BYTES = 1024
MAX_DROPPED = 100
CHUNK = 1 << 16
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
NEVER_STATE = {".git", "__pycache__", ".pytest_cache", ".hypothesis", ".mypy_cache", ".ruff_cache"}
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
MAX_SEARCHED_FILE = 4_000_000
MAX_LINE = 500
REFUSED = 3  # exit code of a search whose output says why


class Refused(Exception):
    """The request cannot be met, for a reason that its sender can understand."""


def system_call(name, *arguments):
    """Call the C library's function of that name; raises ``OSError`` when it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (name, os.strerror(code)))


# ---------------------------------------------------------------------------------------------- processes


class Processes:
    """Starts commands as the agent's user and sees to it that none outlives its call."""

    def __init__(self, config, requests):
        self.config = config
        self.requests = requests
        self.user = config["user"]
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if config.get("namespaces") else None
        self.only_ours = os.getpid() == 1  # then every other process in this PID namespace is the agent's
        self.woken, wake = os.pipe()
        for end in (self.woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def kill_all(self):
        """Kill every process of the agent; returns once the kernel says that no child is left."""
        deadline = time.monotonic() + 20
        while True:
            if self.only_ours:
                # One system call under the kernel's process-list lock: a fork bomb cannot outrun it.
                try:
                    os.kill(-1, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            else:
                for pid in descendants(os.getpid()):
                    try:
                        os.kill(pid, signal.SIGKILL)
                    except ProcessLookupError:
                        pass
            try:
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            except ChildProcessError:
                return
            if time.monotonic() > deadline:
                raise SystemExit("boxd: a process cannot be killed")
            self.wait_for_child(0.005)

    def wait_for_child(self, seconds):
        select.select([self.woken], [], [], seconds)
        self.forget_wakes()

    def forget_wakes(self):
        try:
            while os.read(self.woken, 4096):
                pass
        except BlockingIOError:
            pass

    def call(self, start, seconds, stdin, output_bytes, report_bytes, apart=False):
        """Fork, become the agent, call ``start`` there; collect output, report and status; leave nobody
        alive.

        With ``apart`` the child gets namespaces of its own, where the box is made for that.
        """
        began = time.monotonic()
        given = os.memfd_create("stdin")
        with os.fdopen(os.dup(given), "wb") as filling:
            filling.write(stdin)
        os.lseek(given, 0, os.SEEK_SET)
        output_read, output_write = os.pipe()
        report_read, report_write = os.pipe()
        status_read, status_write = os.pipe()
        apart = apart and self.own_pids is not None
        pid = self.fork(apart)
        if pid == 0:
            ends = [given, output_write, output_write] + ([report_write] if report_bytes else [])
            self.become_agent(ends, status_write if apart else None, start)
        for end in (given, output_write, report_write, status_write):
            os.close(end)
        output, report = Trimmed(output_bytes), Capped(report_bytes)
        sinks = {output_read: output, report_read: report}
        status, timed_out = None, False
        try:
            while status is None:
                left = began + seconds - time.monotonic()
                if left <= 0:
                    timed_out = True
                    break
                ready, _, _ = select.select([*sinks, self.woken, self.requests], [], [], left)
                if (
                    self.requests in ready
                ):  # nobody asks before the answer, so this is the end of whoever asks
                    raise EOFError
                self.forget_wakes()
                drain(ready, sinks)
                while status is None:
                    done, code = os.waitpid(
                        -1, os.WNOHANG
                    )  # orphans too, or they would use up the limit of processes
                    if not done:
                        break
                    if done != pid:
                        continue
                    status = int.from_bytes(os.read(status_read, 4), "big") if apart and code == 0 else code
        finally:
            self.kill_all()
            os.close(status_read)
        while sinks:  # every writer is dead, so this ends
            drain(select.select([*sinks], [], [])[0], sinks)
        return {
            "exit_code": None if status is None else exit_code(status),
            "timed_out": timed_out,
            "omitted": output.omitted,
            "report_overflow": report.overflow,
            "seconds": time.monotonic() - began,
        }, [output.value(), bytes(report.data)]

    def fork(self, apart):
        """Fork; with ``apart`` the child is process 1 of a new PID namespace."""
        if not apart:
            return os.fork()
        system_call("unshare", CLONE_NEWPID)  # for children to come, hence undone at once
        pid = None
        try:
            pid = os.fork()
            return pid
        finally:
            if pid != 0:
                system_call("setns", self.own_pids, CLONE_NEWPID)

    def become_agent(self, ends, status, start):
        """In the child: take ``ends`` as descriptors 0 and up, drop every privilege, run ``start``; never
        returns.

        With ``status``, a descriptor, the child is process 1 of its PID namespace and sets up the others.
        """
        code = 126
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
                signal.signal(number, signal.SIG_DFL)
            moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 64) for end in ends]
            for number, end in enumerate(moved):
                os.dup2(end, number)
            os.setsid()
            system_call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # or the next file would be root's
            with open("/proc/self/oom_score_adj", "w") as score:
                score.write("1000")
            if status is not None:
                enter_namespaces(status)
            for name, value in self.config["rlimits"].items():
                resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
            if self.user:
                os.setgroups([])
                os.setresgid(self.user[1], self.user[1], self.user[1])
                os.setresuid(self.user[0], self.user[0], self.user[0])
            os.umask(0o022)
            os.chdir(self.config["workspace"])
            code = start() or 0
        except BaseException as error:
            code = 127 if isinstance(error, FileNotFoundError) else 126
            os.write(2, ("cannot start: %s\n" % error).encode("utf-8", "replace"))
        finally:
            os._exit(code)


def enter_namespaces(status):
    """Where one user is all there is: go on as process 2 in namespaces where nothing of boxd can be named.

    A process of the same user could change boxd's limits and priority, and leave shared memory and kernel
    keys to whoever has the box next. Process 1 stays behind to reap, and to write the status of process 2 to
    ``status``.
    """
    system_call("unshare", CLONE_NEWNS | CLONE_NEWIPC)
    system_call("mount", b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)
    process = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    system_call("mount", b"/proc", b"/proc", None, MS_BIND, None)
    flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    system_call("mount", None, b"/proc", None, flags, None)
    pid = os.fork()
    if pid:
        os.dup2(status, 0)
        os.closerange(1, 1024)
        while True:
            done, code = os.waitpid(-1, 0)
            if done == pid:
                os.write(0, code.to_bytes(4, "big"))
                os._exit(0)
    os.close(status)
    system_call("unshare", CLONE_NEWUSER)
    for name, text in (
        ("self/setgroups", b"deny"),
        ("self/uid_map", b"1000 0 1"),
        ("self/gid_map", b"1000 0 1"),
        ("sys/user/max_user_namespaces", b"0"),
    ):
        end = os.open(name, os.O_WRONLY, dir_fd=process)
        os.write(end, text)
        os.close(end)
    os.close(process)


def descendants(pid: int) -> "list[int]":
    """Every process below ``pid``, nearest first."""
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        try:
            for task in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, task)) as listing:
                    queue += map(int, listing.read().split())
        except OSError:
            continue
        if parent != pid:
            found.append(parent)
    return found


def exit_code(status):
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def drain(ready, sinks):
    for end in ready:
        if end in sinks:
            data = os.read(end, CHUNK)
            if data:
                sinks[end].add(data)
            else:
                del sinks[end]
                os.close(end)


class Trimmed:
    """Keeps the first and the last half of what fits."""

    def __init__(self, limit):
        self.half, self.head, self.tail, self.omitted = max(1, limit // 2), bytearray(), bytearray(), 0

    def add(self, data):
        room = self.half - len(self.head)
        self.head += data[:room]
        self.tail += data[room:] if room > 0 else data
        over = len(self.tail) - self.half
        if over > 0:
            del self.tail[:over]
            self.omitted += over

    def value(self):
        mark = b"\n[... %d bytes omitted ...]\n" % self.omitted if self.omitted else b""
        return bytes(self.head + mark + self.tail)


class Capped:
    """Keeps what fits and remembers whether there was more."""

    def __init__(self, limit):
        self.limit, self.data, self.overflow = limit, bytearray(), False

    def add(self, data):
        room = self.limit - len(self.data)
        self.overflow = self.overflow or len(data) > room
        self.data += data[: max(0, room)]


# ---------------------------------------------------------------------------------------------- workspace


class Workspace:
    """The tree that the agent works in, and a manifest of its base that tells what has changed."""

    def __init__(self, config):
        self.root = config["workspace"]
        self.base = config["base"]
        self.user = config["user"] or (-1, -1)
        self.limits = config["capture"]
        self.folders, self.entries = set(), {}
        self.populate()

    def populate(self):
        """Copy the base into the workspace, which is empty, and remember each file's identity."""
        total = hashlib.sha256(b"tree 1\n")
        paths = []
        for parent, folders, names in os.walk(self.base):
            inner = os.path.relpath(parent, self.base)
            prefix = "" if inner == "." else inner + "/"
            self.folders.update(prefix + name for name in folders)
            paths += [prefix + name for name in names]
        for path in sorted(paths):
            data, executable = self.base_file(path)
            self.put(path, data, executable)
            self.entries[path] = self.identity(path)
            if not NEVER_STATE.intersection(path.split("/")):
                raw = os.fsencode(path)
                content = hashlib.sha256((b"x" if executable else b"-") + data).digest()
                total.update(len(raw).to_bytes(4, "big") + raw + content)
        self.digest = total.hexdigest()

    def base_file(self, path):
        place = os.path.join(self.base, path)
        with open(place, "rb") as file:
            return file.read(), bool(os.stat(place).st_mode & stat.S_IXUSR)

    def identity(self, path):
        """What a change of the file cannot leave alone; the last part says that it was too fresh to trust."""
        found = os.lstat(os.path.join(self.root, path))
        racy = found.st_ctime_ns > time.time_ns() - RACY_NS
        times = found.st_ctime_ns, found.st_mtime_ns
        return (found.st_mode, found.st_ino, found.st_size, times, found.st_nlink), racy

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
                os.fchmod(end, 0o755 if executable else 0o644)
                os.fchown(end, *self.user)
            except OSError:
                os.unlink(name, dir_fd=here)
                raise
            finally:
                os.close(end)
        finally:
            os.close(here)

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
                raise Refused("it is not a regular file")
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
        os.close(top)

    def walk_all(self, visit):
        os.chmod(self.root, 0o755)  # what the agent may have taken from itself
        self.walk(os.open(self.root, DIRECTORY), "", visit)

    def unchanged(self, path, exactly=False):
        """Whether the file at ``path`` is the base's; looks into it where its identity proves nothing.

        With ``exactly`` it must not have been touched either: times are no part of a value, and leave no
        trace.
        """
        known = self.entries.get(path)
        if known is None:
            return False
        try:
            now, racy = self.identity(path)
        except OSError:
            return False
        same = now == known[0]
        if same and not known[1]:
            return True
        if (exactly and not same) or not stat.S_ISREG(now[0]) or now[4] != 1:
            return False
        data, executable = self.base_file(path)
        if now[2] != len(data) or stat.S_IMODE(now[0]) != file_mode(executable):
            return False
        if self.read(path, len(data) + 1)[1] != data:
            return False
        if same:
            self.entries[path] = now, racy
        return True

    def capture(self):
        """Every file that differs from the base, once all that cannot be part of a value is removed."""
        changes, blobs, dropped, seen = [], [], [], set()
        budget = dict(self.limits)

        def visit(parent, path, entry):
            if self.unchanged(path):
                seen.add(path)
                return False
            if not is_cache(path):
                inner = entry.is_dir(follow_symlinks=False)
                if inner and path.count("/") < MAX_DEPTH - 1 and len(os.fsencode(path)) < MAX_PATH_BYTES - 1:
                    return True
                reason = "too deep" if inner else self.take(parent, path, entry, budget, changes, blobs)
                if reason is None:
                    seen.add(path)
                    return False
                dropped.append([path, reason])
            discard(parent, entry.name)
            return False

        self.walk_all(visit)
        for path in sorted(self.entries.keys() - seen):
            if is_cache(path):
                # Such as the pointer to the git folder: not part of the value, so always the base's.
                self.put_base(path)
            else:
                changes.append([path, "0"])
        return changes, blobs, dropped[:MAX_DROPPED]

    def take(self, parent, path, entry, budget, changes, blobs):
        """Add a changed file to ``changes`` and ``blobs``, or say why it cannot be part of a value."""
        if not entry.is_file(follow_symlinks=False):
            return "a link" if entry.is_symlink() else "not a regular file"
        found = entry.stat(follow_symlinks=False)
        name_size, executable = len(os.fsencode(path)), bool(found.st_mode & stat.S_IXUSR)
        if name_size > MAX_PATH_BYTES:
            return "its path is too long"
        if found.st_size > min(budget["file_bytes"], budget["bytes"]):
            return "%d bytes are more than the limits allow" % found.st_size
        if not budget["files"] or name_size > budget["name_bytes"]:
            return "more files than the limits allow"
        if stat.S_IMODE(found.st_mode) != file_mode(executable):
            os.chmod(entry.name, file_mode(executable), dir_fd=parent)
        data = self.read(path, found.st_size)[1]
        if found.st_nlink != 1:  # a value knows no hard links: an edit of one file must not change another
            try:
                self.put(path, data, executable)
            except OSError:
                return "a hard link, and there is no room for a file of its own"
        budget["bytes"] -= found.st_size
        budget["name_bytes"] -= name_size
        budget["files"] -= 1
        changes.append([path, "x" if executable else "-"])
        blobs.append(data)
        return None

    def put_base(self, path):
        data, executable = self.base_file(path)
        self.put(path, data, executable)
        self.entries[path] = self.identity(path)

    def revert(self):
        """Make the workspace equal to the base again."""
        kept = set()

        def visit(parent, path, entry):
            if path in self.folders and entry.is_dir(follow_symlinks=False):
                return True
            if self.unchanged(path, exactly=True):
                kept.add(path)
            else:
                discard(parent, entry.name)
            return False

        self.walk_all(visit)
        for path in self.entries.keys() - kept:
            self.put_base(path)


def is_cache(path):
    return path.endswith((".pyc", ".pyo")) or bool(NEVER_STATE.intersection(path.split("/")))


def file_mode(executable):
    return 0o755 if executable else 0o644


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
                os.unlink(entry.name, dir_fd=here)
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


# ---------------------------------------------------------------------------------------------- requests


def search(root, query, report):
    """In a child, as the agent's user: list files, or the lines in them that match, as JSON lines."""
    names = re.compile(query["names"]) if query["names"] else None
    pattern = compiled(query["pattern"]) if query["pattern"] is not None else None
    left = query["limit"]
    for parent, folders, files in os.walk(folder_in(root, query["folder"])):
        folders[:] = sorted(name for name in folders if name not in NEVER_STATE)
        for name in sorted(files):
            place = os.path.join(parent, name)
            path = os.path.relpath(place, root)
            found = os.lstat(place)
            if is_cache(path) or not stat.S_ISREG(found.st_mode) or (names and not names.fullmatch(path)):
                continue
            rows = matches(place, path, pattern, query["context"]) if pattern else [[path, found.st_size]]
            for row in rows:
                if not left:
                    report.write('"more"\n')
                    return
                left -= 1
                report.write(json.dumps(row) + "\n")


def compiled(pattern):
    try:
        return re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise Refused("the pattern is not a regular expression of Python's: %s" % error)


def folder_in(root, folder):
    """The place of ``folder``, none of whose parts may be a link."""
    place = root
    for part in folder.split("/") if folder else []:
        place = os.path.join(place, part)
        try:
            good = stat.S_ISDIR(os.lstat(place).st_mode)
        except OSError:
            good = False
        if not good or part in NEVER_STATE:
            raise Refused("%r: there is no such folder" % folder)
    return place


def matches(place, path, pattern, context):
    try:
        with open(place, "rb") as file:
            data = file.read(MAX_SEARCHED_FILE + 1)
    except OSError:  # the agent may have made it unreadable to itself
        return
    if len(data) > MAX_SEARCHED_FILE or b"\0" in data[:8192]:
        return
    text = data.decode("utf-8", "replace")
    lines = [line[:-1] if line.endswith("\r") else line for line in text.split("\n")]
    if not lines[-1]:
        lines.pop()
    shown = {}
    for number, line in enumerate(lines):
        if pattern.search(line[:100_000]):
            for near in range(max(0, number - context), min(len(lines), number + context + 1)):
                shown.setdefault(near, False)
            shown[number] = True
    for number in sorted(shown):
        yield [path, number + 1, lines[number][:MAX_LINE], shown[number]]


class Server:
    """Meets one request after another; each method named ``do_...`` is one kind."""

    def __init__(self, config, requests):
        self.config = config
        self.processes = Processes(config, requests)
        self.workspace = Workspace(config)
        if config["user"]:
            os.chmod(config["inputs"], 0o711)  # not every engine heeds the mode asked for at the mount
        places = (config["workspace"], config["inputs"], *config["scratch"])
        self.modes = {place: stat.S_IMODE(os.stat(place).st_mode) for place in places if os.path.isdir(place)}

    def do_hello(self, request, blobs):
        return {"protocol": PROTOCOL, "base": self.workspace.digest, "python": list(sys.version_info[:3])}, []

    def do_apply(self, request, blobs):
        self.workspace.apply(request["changes"], blobs)
        return {}, []

    def do_restore(self, request, blobs):
        self.processes.kill_all()
        self.clear_scratch()
        self.workspace.revert()
        self.workspace.apply(request["changes"], blobs)
        return {}, []

    def do_capture(self, request, blobs):
        changes, contents, dropped = self.workspace.capture()
        return {"changes": changes, "dropped": dropped}, contents

    def do_read(self, request, blobs):
        size, data = self.workspace.read(request["path"], request["limit"])
        return {"size": size}, [data]

    def do_find(self, request, blobs):
        query, root = request["query"], self.workspace.root

        def start():
            with os.fdopen(3, "w", encoding="utf-8") as report:
                try:
                    search(root, query, report)
                except Refused as error:
                    os.write(2, str(error).encode("utf-8", "replace"))
                    return REFUSED
            return 0

        return self.processes.call(start, request["seconds"], b"", 2000, request["limit_bytes"])

    def do_run(self, request, blobs):
        stdin, *contents = blobs
        place = os.path.join(self.config["inputs"], os.urandom(8).hex())
        argv = [part.replace("{files}", place) for part in request["argv"]]
        environment = {**self.config["environment"], **request["environment"]}

        def start():
            os.execvpe(argv[0], argv, environment)

        try:
            os.mkdir(place, 0o755)
            for path, data in zip(request["files"], contents):
                target = os.path.join(place, path)
                os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)
                with open(target, "wb") as file:
                    file.write(data)
                os.chmod(target, 0o644)
            return self.processes.call(
                start, request["seconds"], stdin, request["output_bytes"], request["report_bytes"], apart=True
            )
        finally:
            self.clear_scratch()

    def clear_scratch(self):
        for (
            place,
            mode,
        ) in self.modes.items():  # which may be the agent's own, to close or, in a local box, to move
            found = os.lstat(place).st_mode if os.path.lexists(place) else 0
            if not stat.S_ISDIR(found):
                if found:
                    os.unlink(place)
                os.mkdir(place)
            if stat.S_IMODE(found) != mode:
                os.chmod(place, mode)
        for folder in (self.config["inputs"], *self.config["scratch"]):
            try:
                top = os.open(folder, DIRECTORY)
            except (FileNotFoundError, NotADirectoryError):
                continue
            empty(top)

    def answer(self, request, blobs):
        try:
            done, contents = getattr(self, "do_" + request["op"])(request, blobs)
            return {"ok": True, **done}, contents
        except Refused as error:
            return {"ok": False, "refused": str(error)}, []
        except OSError as error:
            return {
                "ok": False,
                "errno": errno.errorcode.get(error.errno, "?"),
                "refused": str(error.strerror),
            }, []


def read_exactly(end, size):
    data = bytearray()
    while len(data) < size:
        chunk = os.read(end, min(size - len(data), 1 << 20))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)


def receive(end):
    head = read_exactly(end, 8)
    header = json.loads(read_exactly(end, int.from_bytes(head[:4], "big")))
    body = read_exactly(end, int.from_bytes(head[4:], "big"))
    blobs, start = [], 0
    for size in header.pop("blobs"):
        blobs.append(body[start : start + size])
        start += size
    return header, blobs


def send(end, header, blobs):
    text = json.dumps({**header, "blobs": [len(blob) for blob in blobs]}).encode()
    head = len(text).to_bytes(4, "big") + sum(map(len, blobs)).to_bytes(4, "big")
    for piece in (head + text, *blobs):
        data = memoryview(piece)
        while data:
            data = data[os.write(end, data) :]


def main():
    config = json.loads(sys.argv[1])
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    system_call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
    system_call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for place, options in config.get("tmpfs", {}).items():
        flags = MS_REMOUNT | MS_NOSUID | MS_NODEV
        system_call("mount", None, place.encode(), None, flags, options.encode())
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(1024, hard), hard))
    server = Server(config, requests)
    try:
        while True:
            request, blobs = receive(requests)
            send(answers, *server.answer(request, blobs))
    except (EOFError, BrokenPipeError):
        server.processes.kill_all()


if __name__ == "__main__":
    main()
