"""The process that warm commands are forked from, seen from the box's own program."""

import json
import os
import select
import signal
import socket
from array import array

from .agent import take
from .streams import CHUNK, in_memory

START_SECONDS, BIRTH_SECONDS = 10, 5  # that a nursery is waited for


class Nursery:
    """The process that warm commands are forked from, seen from here; ``nursery.py`` is what it runs.

    It is started before it is needed and again when it has died. Nothing depends on it: without it a command
    starts cold.
    """

    def __init__(self, config, paths):
        self.config = config
        self.preload = config["preload"]
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
        program = os.path.join(os.path.dirname(here), "nursery.py")
        argv = ["python", "-I", "-B", program, os.path.join(here, "agent.py")]
        argv += [json.dumps(self.config), *self.preload]
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        read, write = os.pipe()
        given = in_memory(b"\0".join(map(os.fsencode, self.names)))
        try:
            pid = os.fork()
            if pid == 0:
                try:
                    take((given, write, write, its.fileno()))
                    os.chdir("/")
                    os.execvpe(argv[0], argv, self.config["environment"])
                finally:
                    os._exit(126)
        except OSError:
            ours.close()
            raise
        finally:
            for end in (given, read, write):
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
