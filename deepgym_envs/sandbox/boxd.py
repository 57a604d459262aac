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
import socket
import stat
import sys
import time
from array import array

PROTOCOL = 1
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
PAUSE_SECONDS = 0.01  # between looks at what a command writes
ROUNDS = 5  # of killing one process after the other, before all are killed at once
START_SECONDS, BIRTH_SECONDS = 10, 5  # that a nursery is waited for
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

    def __init__(self, config, requests, nursery):
        self.config = config
        self.requests = requests
        self.nursery = nursery
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if config.get("namespaces") else None
        self.only_ours = os.getpid() == 1  # then every other process in this PID namespace is the agent's
        self.woken, wake = os.pipe()
        for end in (self.woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def others(self):
        """Every process of the box, dead ones included, but this one and the nursery.

        None is found only where there was none, for nobody can hide from the listing: of the processes that
        an agent has, one is always a child of this one, and stays listed until it is reaped here.
        """
        spared = (os.getpid(), self.nursery.pid)
        if self.only_ours:
            found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        else:
            found = descendants(os.getpid())
        return [pid for pid in found if pid not in spared]

    def kill_all(self):
        """Kill every process of the agent; returns once there is none but the nursery."""
        deadline = time.monotonic() + 20
        rounds = 0
        while True:
            found = self.others()
            if not found:
                return
            if time.monotonic() > deadline:
                raise SystemExit("boxd: a process cannot be killed")
            rounds += 1
            # One system call under the kernel's process-list lock: a fork bomb cannot outrun it. The nursery
            # dies of it as well.
            for pid in [-1] if self.only_ours and rounds > ROUNDS else found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            while self.reap()[0]:
                pass
            if self.others():
                self.wait_for_child(0.005)

    def reap(self):
        """Reap a child that is dead: its pid and status, or 0 and nothing."""
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0, None
        if pid and pid == self.nursery.pid:
            self.nursery.drop()
        return pid, status

    def wait_for_child(self, seconds):
        select.select([self.woken], [], [], seconds)
        self.forget_wakes()

    def forget_wakes(self):
        try:
            while os.read(self.woken, 4096):
                pass
        except BlockingIOError:
            pass

    def call(self, start, limits, stdin, apart=False, script=None):
        """Fork, become the agent, call ``start`` there; collect output, report and status; leave nobody
        alive.

        ``limits`` holds seconds, bytes of output and bytes of report. With ``apart`` the child gets
        namespaces of its own, where the box is made for that. With ``script`` (arguments and environment of
        a Python script that does the same as ``start``) the child comes from the nursery, if it can.
        """
        seconds, output_bytes, report_bytes = limits
        given = in_memory(stdin)
        output_read, output_write = os.pipe()
        report_read, report_write = os.pipe()
        status_read, status_write = os.pipe()
        ends = [given, output_write, output_write] + ([report_write] if report_bytes else [])
        apart = apart and self.own_pids is not None
        pid, cold = None, ""
        try:
            if script is not None:
                pid, cold = self.nursery.bear({**script, "apart": apart}, status_write, ends)
                if pid is None:
                    self.kill_all()
            warm, began = pid is not None, time.monotonic()
            if not warm:
                pid = self.fork(apart)
                if pid == 0:
                    self.run_as_agent(ends, status_write if apart else None, start)
        finally:
            for end in (given, output_write, report_write, status_write):
                os.close(end)
        output, report = Trimmed(output_bytes), Capped(report_bytes)
        sinks = {output_read: output, report_read: report}
        try:
            code = self.collect(pid, sinks, began + seconds)
            status = int.from_bytes(os.read(status_read, 4), "big") if apart and code == 0 else code
        finally:
            self.kill_all()
            os.close(status_read)
        while sinks:  # every writer is dead, so this ends
            drain(select.select([*sinks], [], [])[0], sinks)
        return {
            "exit_code": None if status is None else exit_code(status),
            "timed_out": code is None,
            "omitted": output.omitted,
            "report_overflow": report.overflow,
            "seconds": time.monotonic() - began,
            "warm": warm,
            "cold": cold,
        }, [output.value(), bytes(report.data)]

    def collect(self, pid, sinks, deadline):
        """Read what the command writes until it ends; its status, or None at the deadline."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            ready, _, _ = select.select([*sinks, self.woken, self.requests], [], [], left)
            if self.requests in ready:  # nobody asks before the answer, so this is the end of whoever asks
                raise EOFError
            self.forget_wakes()
            amount = drain(ready, sinks)
            done = -1
            while done:
                done, code = self.reap()  # orphans too, or they would use up the limit of processes
                if done == pid:
                    return code
            # To look costs more than a line of output, and comes out of what the command may use.
            if amount < CHUNK // 2:
                select.select([self.woken, self.requests], [], [], min(PAUSE_SECONDS, left))

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

    def run_as_agent(self, ends, status, start):
        """In the child: become the agent, run ``start``; never returns."""
        code = 126
        try:
            become_agent(self.config, ends, status)
            code = start() or 0
        except BaseException as error:
            code = 127 if isinstance(error, FileNotFoundError) else 126
            os.write(2, ("cannot start: %s\n" % error).encode("utf-8", "replace"))
        finally:
            os._exit(code)


def become_agent(config, ends, status):
    """In a new process: take ``ends`` as descriptors 0 and up, and drop every privilege.

    With ``status``, a descriptor, the process is the first of its PID namespace: it sets up the others and
    goes on as the second.
    """
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
    for name, value in config["rlimits"].items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
    if config["user"]:
        user, group = config["user"]
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    os.umask(0o022)
    os.chdir(config["workspace"])


def in_memory(data):
    """A descriptor from which ``data`` can be read."""
    end = os.memfd_create("data")
    with os.fdopen(os.dup(end), "wb") as filling:
        filling.write(data)
    os.lseek(end, 0, os.SEEK_SET)
    return end


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
    """Read once from each end that is ready; the number of bytes."""
    amount = 0
    for end in ready:
        if end in sinks:
            data = os.read(end, CHUNK)
            amount += len(data)
            if data:
                sinks[end].add(data)
            else:
                del sinks[end]
                os.close(end)
    return amount


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


# ---------------------------------------------------------------------------------------------- warm starts


class Nursery:
    """The process that warm commands are forked from, seen from here; ``nursery.py`` is what it runs.

    It is started before it is needed and again when it has died. Nothing depends on it: without it a command
    starts cold.
    """

    def __init__(self, config, paths):
        self.config = config
        self.preload = config.get("preload")
        self.names = importable(paths)
        self.pid = self.end = None
        self.ready = False
        self.failures = 0
        self.unfit = "this box has none" if self.preload is None else ""

    def start(self):
        """Start it, unless it runs or is of no use; does not wait for it."""
        if self.pid is not None or self.unfit:
            return
        here = os.path.dirname(os.path.abspath(__file__))
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        read, write = os.pipe()
        nothing = in_memory(b"")
        argv = ["python", "-I", "-B", os.path.join(here, "nursery.py"), os.path.join(here, "boxd.py")]
        told = {name: value for name, value in self.config.items() if name != "owner"}
        argv += [json.dumps(told), *self.preload]
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
                    signal.signal(number, signal.SIG_DFL)
                ends = (nothing, write, write, its.fileno())
                moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 64) for end in ends]
                for number, end in enumerate(moved):
                    os.dup2(end, number)
                os.chdir("/")
                os.execvpe(argv[0], argv, self.config["environment"])
            finally:
                os._exit(126)
        for end in (nothing, read, write):
            os.close(end)
        its.close()
        self.pid, self.end, self.ready = pid, ours, False

    def stop(self):
        """Kill it; from now on it is one of those that ``Processes`` does not spare."""
        if self.pid is not None:
            os.kill(self.pid, signal.SIGKILL)
            self.drop()

    def stop_if_starting(self):
        """Stop it unless it is known to be ready, or says so at this moment."""
        if self.pid is not None and not self.ready:
            says_so = select.select([self.end], [], [], 0)[0]
            if not says_so or not self.wait_until_ready():
                self.stop()

    def drop(self):
        self.end.close()
        self.pid = self.end = None

    def bear(self, job, status, ends):
        """The pid of a new process that runs ``job``, or None and why it has to be started cold."""
        try:
            self.start()
            if self.unfit or not self.wait_until_ready():
                return None, self.unfit or "it did not start"
            pid = self.fork(job, status, ends)
        except (OSError, ValueError) as error:
            self.stop()
            return None, "it failed: %s" % error
        self.failures = 0
        return pid, ""

    def wait_until_ready(self):
        if not self.ready:
            said = json.loads(self.receive(START_SECONDS) or "null")
            if said is None:
                self.failures += 1
                if self.failures == 3:
                    self.unfit = "it does not start"
                self.stop()
                return False
            common = sorted(self.names.intersection(said["names"]))
            if common:
                self.unfit = "the repository has %s too" % ", ".join(common)
            elif said["strange"]:
                self.unfit = "%s came from the workspace" % said["strange"][0]
            elif said["threads"] != 1:
                self.unfit = "a module that it imported has started a thread"
            self.ready = True
            if self.unfit:
                self.stop()
        return not self.unfit

    def fork(self, job, status, ends):
        asked = in_memory(json.dumps(job).encode())
        begun, begin = os.pipe()
        try:
            try:
                rights = array("i", [asked, begin, status, *ends])
                self.end.sendmsg([b"run"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)])
            finally:
                os.close(asked)
                os.close(begin)
            ready, _, _ = select.select([begun], [], [], BIRTH_SECONDS)
            if not ready:
                raise TimeoutError("no process within %d s" % BIRTH_SECONDS)
            if not os.read(begun, 1):
                raise ChildProcessError("the process died before it began")
            return int(self.receive(BIRTH_SECONDS))
        finally:
            os.close(begun)

    def receive(self, seconds):
        """What it says within ``seconds``; nothing if it does not, or is dead."""
        ready, _, _ = select.select([self.end], [], [], seconds)
        try:
            return self.end.recv(CHUNK) if ready else b""
        except ConnectionResetError:
            return b""


def importable(paths):
    """Every name that a module of the tree could have at the top level, wherever the import path leads."""
    names = set()
    for path in paths:
        if path.endswith((".py", ".pyi", ".so", ".pyc")):
            *folders, name = path.split("/")
            names.update(folders)
            names.add(name.partition(".")[0])
    return names


# ---------------------------------------------------------------------------------------------- workspace


class Workspace:
    """The tree that the agent works in, and a manifest of its base that tells what has changed."""

    def __init__(self, config):
        self.root = config["workspace"]
        self.base = config["base"]
        self.user = config["user"] or (-1, -1)
        self.limits = config["capture"]
        self.folders, self.entries = set(), {}
        # Files that a command may have written to since they were last looked into. No time stamp tells: what
        # is written through a shared mapping leaves those of a file in memory as they are.
        self.suspects = set()
        self.contents, self.records = {}, []
        self.populate()

    def populate(self):
        """Copy the base into the workspace, which is empty, and remember each file's identity."""
        paths = []
        for parent, folders, names in os.walk(self.base):
            inner = os.path.relpath(parent, self.base)
            prefix = "" if inner == "." else inner + "/"
            self.folders.update(prefix + name for name in folders)
            paths += [prefix + name for name in names]
        for path in sorted(paths):
            data, executable = self.base_file(path)
            self.put(path, data, executable)
            self.know(path)
            self.contents[path] = content(data, executable)
            if not NEVER_STATE.intersection(path.split("/")):
                raw = os.fsencode(path)
                self.records.append((path, len(raw).to_bytes(4, "big") + raw + self.contents[path]))
        self.digest = self.digest_of(self.entries)

    def digest_of(self, paths):
        """Digest of a tree of files that are the base's."""
        total = hashlib.sha256(b"tree 1\n")
        total.update(b"".join([record for path, record in self.records if path in paths]))
        return total.hexdigest()

    def base_file(self, path):
        place = os.path.join(self.base, path)
        with open(place, "rb") as file:
            return file.read(), bool(os.stat(place).st_mode & stat.S_IXUSR)

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
        if content(bytes_of(parent, entry.name, known[2] + 1), executable) != self.contents[path]:
            return False
        if same:
            self.suspects.discard(path)
        return True

    def capture(self):
        """Every file that differs from the base, once all that cannot be part of a value is removed."""
        changes, blobs, dropped, seen = [], [], [], set()
        budget = dict(self.limits)

        def visit(parent, path, entry):
            if path in self.entries and self.unchanged(parent, path, entry):
                if not self.unchanged(parent, path, entry, exactly=True):
                    self.put_base(path)  # touched: whoever has the box next must not see that
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
        # A value knows no hard links, since an edit of one file must not change another, nor holes, since it
        # must fit wherever it has been.
        if found.st_nlink != 1 or found.st_blocks * 512 < found.st_size:
            try:
                self.put(path, data, executable)
            except OSError:
                return "a hard link or a sparse file, and there is no room for a file of its own"
        budget["bytes"] -= found.st_size
        budget["name_bytes"] -= name_size
        budget["files"] -= 1
        changes.append([path, "x" if executable else "-"])
        blobs.append(data)
        return None

    def put_base(self, path):
        data, executable = self.base_file(path)
        if content(data, executable) != self.contents[path]:
            raise SystemExit("boxd: the base is not what it was")
        self.put(path, data, executable)
        self.know(path)

    def revert(self):
        """Make the workspace equal to the base again; the digest of what then is there.

        Every entry is seen at least once: what was kept, when it was found good; each folder in which
        something was mended, once more. Nobody but this program changes anything in between.
        """
        good, touched = {"": set()}, set()

        def visit(parent, path, entry):
            if self.belongs(parent, path, entry, good):
                return path in self.folders
            discard(parent, entry.name)
            touched.add(os.path.dirname(path))
            return False

        self.walk_all(visit)
        kept = set().union(*good.values())
        for path in self.entries.keys() - kept:
            self.put_base(path)
            folders = path.split("/")[:-1]
            touched.update("/".join(folders[:depth]) for depth in range(len(folders) + 1))
        for folder in touched:
            self.look_again(folder, good)
        for folder in good:
            os.utime(os.path.join(self.root, folder), ns=(0, 0))
        if good.keys() - {""} != self.folders:
            return "other folders than the base's"
        return self.digest_of(set().union(*good.values()))

    def belongs(self, parent, path, entry, good):
        """Whether an entry is the base's; if so it is added to ``good``, files by their folders."""
        if path in self.folders:
            if entry.is_dir(follow_symlinks=False):
                good.setdefault(path, set())
                return True
        elif path in self.entries and self.unchanged(parent, path, entry, exactly=True):
            good[path.rpartition("/")[0]].add(path)
            return True
        return False

    def look_again(self, folder, good):
        """See afresh what a folder holds; raises ``SystemExit`` for what does not belong there."""
        prefix = folder + "/" if folder else ""
        good[folder] = set()
        parent = os.open(os.path.join(self.root, folder), DIRECTORY)
        try:
            with os.scandir(parent) as listing:
                for entry in listing:
                    if not self.belongs(parent, prefix + entry.name, entry, good):
                        raise SystemExit("boxd: the workspace cannot be put back")
        finally:
            os.close(parent)


def content(data, executable):
    """What of a file counts for the digest of a tree."""
    return hashlib.sha256((b"x" if executable else b"-") + data).digest()


def identity(found):
    """What a change of a file cannot leave alone."""
    return (found.st_mode, found.st_ino, found.st_size, found.st_ctime_ns, found.st_mtime_ns, found.st_nlink)


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
        self.workspace = Workspace(config)
        self.nursery = Nursery(config, self.workspace.entries)
        self.processes = Processes(config, requests, self.nursery)
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
        self.nursery.stop_if_starting()  # what it tries out as it starts would seem to be an agent's
        self.processes.kill_all()
        self.clear_scratch()
        digest = self.workspace.revert()
        left = self.left()
        self.workspace.apply(request["changes"], blobs)
        return {"base": digest, "left": left}, []

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

        return self.processes.call(start, (request["seconds"], 2000, request["limit_bytes"]), b"")

    def do_run(self, request, blobs):
        stdin, *contents = blobs
        place = os.path.join(self.config["inputs"], os.urandom(8).hex())
        argv = [part.replace("{files}", place) for part in request["argv"]]
        environment = {**self.config["environment"], **request["environment"]}
        self.workspace.suspect_all()

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
            limits = request["seconds"], request["output_bytes"], request["report_bytes"]
            script = None
            if request.get("warm") and argv[:3] == ["python", "-I", "-B"] and len(argv) > 3:
                script = {"argv": argv[3:], "environment": environment}
            return self.processes.call(start, limits, stdin, apart=True, script=script)
        finally:
            self.clear_scratch()

    def left(self):
        """What there is in the box that a new one would not have, seen after all of it was removed."""
        left = ["process %d" % pid for pid in self.processes.others()]
        for folder in (self.config["inputs"], *self.config["scratch"]):
            if os.path.isdir(folder):
                left += [folder + "/" + name for name in os.listdir(folder)]
        return left[:MAX_DROPPED]

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
            strip(place)
        for folder in (self.config["inputs"], *self.config["scratch"]):
            try:
                top = os.open(folder, DIRECTORY)
            except (FileNotFoundError, NotADirectoryError):
                continue
            empty(top)
            os.utime(folder, ns=(0, 0))

    def wait_for_request(self, requests):
        """Return when there is one; a box that lies idle gives up what takes most of its memory."""
        if (
            self.nursery.pid is not None
            and not select.select([requests], [], [], self.config["idle_seconds"])[0]
        ):
            self.nursery.stop()
            self.processes.kill_all()

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
            server.wait_for_request(requests)
            request, blobs = receive(requests)
            send(answers, *server.answer(request, blobs))
            try:
                server.nursery.start()  # while nobody waits
            except OSError:
                pass  # the box may be full of processes now; a run that needs it tries again
    except (EOFError, BrokenPipeError):
        server.nursery.stop()
        server.processes.kill_all()


if __name__ == "__main__":
    main()
