"""Which request is met by what, and the loop that meets them; the box's own program begins here."""

import errno
import json
import os
import resource
import select

from .agent import MS_NOATIME, MS_NODEV, MS_NOSUID, MS_REMOUNT, PR_SET_DUMPABLE, system_call
from .capture import capture
from .frames import receive, send
from .processes import Processes
from .revert import revert
from .scratch import Scratch
from .search import Refused, search
from .warm import Nursery
from .workspace import Workspace

PR_SET_CHILD_SUBREAPER = 36
MAX_LEFT = 100  # things that are told of
REFUSED = 3  # exit code of a search whose output says why


class Server:
    """Meets one request after another; each method named ``do_...`` is one kind."""

    def __init__(self, config, requests):
        self.config = config
        self.workspace = Workspace(config)
        self.nursery = Nursery(config, self.workspace.entries)
        self.processes = Processes(config, requests, self.nursery)
        self.scratch = Scratch(config)

    def do_hello(self, request, blobs):
        return {"base": self.workspace.manifest.digest_of(self.workspace.entries)}, []

    def do_apply(self, request, blobs):
        self.workspace.apply(request["changes"], blobs)
        return {}, []

    def do_restore(self, request, blobs):
        self.nursery.stop_if_starting()  # what it tries out as it starts would seem to be an agent's
        self.processes.kill_all()
        self.scratch.clear()
        digest = revert(self.workspace)
        left = self.left()
        self.workspace.apply(request["changes"], blobs)
        return {"base": digest, "left": left}, []

    def do_capture(self, request, blobs):
        changes, contents, dropped = capture(self.workspace, self.config["capture"])
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
            if request["warm"] and argv[:3] == ["python", "-I", "-B"] and len(argv) > 3:
                script = {"argv": argv[3:], "environment": environment}
            return self.processes.call(start, limits, stdin, apart=True, script=script)
        finally:
            self.scratch.clear()

    def left(self):
        """What there is in the box that a new one would not have, seen after all of it was removed."""
        left = ["process %d" % pid for pid in self.processes.others()] + self.scratch.left()
        return left[:MAX_LEFT]

    def wait_for_request(self, requests):
        """Return when there is one; a box that lies idle gives up what takes most of its memory."""
        patience = self.config["idle_seconds"]
        if self.nursery.pid is not None and not select.select([requests], [], [], patience)[0]:
            self.nursery.stop()
            self.processes.kill_all()

    def answer(self, request, blobs):
        try:
            done, contents = getattr(self, "do_" + request["op"])(request, blobs)
            return {"ok": True, **done}, contents
        except OSError as error:
            code = errno.errorcode.get(error.errno, "?")
            return {"ok": False, "errno": code, "refused": str(error.strerror)}, []


def main(text):
    """Meet requests until nobody asks any more; ``text`` is the configuration as JSON."""
    config = json.loads(text)
    requests, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    system_call("prctl", PR_SET_DUMPABLE, 0, 0, 0, 0)
    system_call("prctl", PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for place, options in config["tmpfs"].items():
        flags = MS_REMOUNT | MS_NOSUID | MS_NODEV | MS_NOATIME  # that a file was read must not last
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
