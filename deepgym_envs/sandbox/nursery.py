"""The program that warm commands are forked from: an interpreter with pytest imported, and nothing of an
agent's.

``boxd`` starts it in an interpreter like that of a cold start, as its own user, in the folder ``/``. It reads
nothing that an agent can write and nothing of a run: what a run is made from is read by the process that is
forked for it. What it imports is what every run of pytest imports before it looks for tests, and the modules
that a recipe names. Between runs it compiles the files of the base, which it never executes; a run uses the
outcome for a file of the same name and the same bytes.

Its arguments: the place of ``boxd/agent.py``, the box's configuration as JSON, names of modules. On standard
input it finds every name that a module of the base could have at the top level. It speaks to ``boxd`` over
descriptor 3, a socket that keeps messages apart: first what it is, then, for each run, the pid.
"""

import os
import sys

BOXD = 3
SELF = "/proc/self/task"
CAPABILITY_VERSION = 0x20080522
FRAMES = 2 if sys.version_info < (3, 12) else 1  # that a script finds below itself, and a cold one does not
COMPILED_BYTES = 2_000_000  # of source, at most


def preload(names):
    """Import pytest and the modules ``names``; one that cannot be imported is left for the run to meet."""
    import pytest  # noqa: F401, PLC0415
    from _pytest.config import default_plugins  # noqa: PLC0415

    for name in ["_pytest." + plugin for plugin in default_plugins] + names:
        try:
            __import__(name)
        except (Exception, SystemExit):
            continue


def rehearsed():
    """Modules that a run of pytest imports before it looks for tests, as a run without any finds them out."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            import pytest  # noqa: PLC0415

            class Stop:
                def pytest_collection(self):
                    os.write(write, "\n".join(sys.modules).encode())
                    os._exit(0)

            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
            arguments = [
                "-p",
                "no:cacheprovider",
                "-q",
                "-s",
                "--color=no",
                "-c",
                os.devnull,
                "--rootdir",
                "/",
            ]
            pytest.main(arguments, plugins=[Stop()])
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        names = told.read().split()
    os.waitpid(pid, 0)
    return [name for name in names if name not in sys.modules]


def described(started, workspace):
    """What boxd has to know before it may use this process: names that a repository must not have too."""
    homes = tuple(path + os.sep for path in sys.path if os.path.basename(path).endswith("-packages"))
    names, strange = set(), []
    for name, module in list(sys.modules.items()):
        place = getattr(module, "__file__", None) or ""
        if name not in started and place.startswith(homes):
            names.add(name.partition(".")[0])
        if place.startswith(workspace + os.sep):
            strange.append(name)
    return {"names": sorted(names), "strange": strange, "threads": len(os.listdir(SELF))}


def sources(base):
    """Paths of the base's Python files."""
    for parent, folders, names in os.walk(base):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(parent, name), base)


def nurse():
    """Serve boxd until it hangs up; in the process of a run, return what is to be executed, and in what."""
    started, path, hooks = set(sys.modules), list(sys.path), list(sys.meta_path)
    with open(0, "rb", closefd=False) as given:
        importable = set(os.fsdecode(given.read()).split("\0"))
    preload(sys.argv[3:])
    import json  # noqa: PLC0415 - as pytest does

    config = json.loads(sys.argv[2])
    late = rehearsed()
    if not {name.partition(".")[0] for name in late}.intersection(importable):
        preload(late)
    sys.path[:], sys.meta_path[:] = path, hooks
    loaded = set(sys.modules)
    import array  # noqa: PLC0415
    import gc  # noqa: PLC0415
    import importlib.util  # noqa: PLC0415
    import select  # noqa: PLC0415
    import socket  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location("boxd", sys.argv[1])
    boxd = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(boxd)
    ours = set(sys.modules) - loaded
    boxd.system_call("prctl", boxd.PR_SET_DUMPABLE, 0, 0, 0, 0)
    asked = socket.socket(fileno=BOXD)
    asked.send(json.dumps(described(started, config["workspace"])).encode())
    gc.collect()
    gc.freeze()
    codes, work = {}, None
    while True:
        while work and not select.select([asked], [], [], 0)[0]:
            if next(work, None) is None:
                work = ()
                gc.freeze()
        ends = received(socket, array, asked)
        try:
            pid = os.fork()
        except OSError:  # boxd sees that every end has been closed
            pid = None
        if pid == 0:
            asked.detach()
            forget(ours)
            return bear(boxd, config, codes, ends)
        for end in ends:
            os.close(end)
        if pid is not None:
            os.waitpid(pid, 0)
        if work is None:
            work = compiling(config["base"], config["workspace"], codes)


def received(socket, array, asked):
    """The descriptors that boxd sends for the next run; ends this program when boxd hangs up."""
    room = socket.CMSG_SPACE(16 * array.array("i").itemsize)
    message, extra, _, _ = asked.recvmsg(16, room)
    if not message:
        os._exit(0)
    return array.array("i", b"".join(data for _, _, data in extra)).tolist()


def compiling(base, workspace, codes):
    """Compile the base's files into ``codes``, one after the other, as imports or pytest would."""
    import pathlib  # noqa: PLC0415

    from _pytest.assertion import rewrite  # noqa: PLC0415

    class Aside(type(pathlib.Path())):
        """A path in the workspace that is read from the base."""

        def read_bytes(self):
            return data

    left = COMPILED_BYTES
    for path in sources(base):
        place = os.path.join(workspace, path)
        with open(os.path.join(base, path), "rb") as file:
            data = file.read(left + 1)
        left -= len(data)
        if left < 0:
            return
        try:
            if is_rewritten(path):
                codes[place] = data, None, rewrite._rewrite_test(Aside(place), None)
            else:
                codes[place] = data, compile(data, place, "exec", 0, True), None
        except Exception:  # the run that needs it meets the same
            continue
        yield path


def is_rewritten(path):
    name = os.path.basename(path)
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py")


def remember(codes):
    """Let imports, and what rewrites assertions, use what has been compiled of the very same bytes."""
    import importlib._bootstrap_external as external  # noqa: PLC0415

    from _pytest.assertion import rewrite  # noqa: PLC0415

    plain, rewriting = external.SourceLoader.source_to_code, rewrite._rewrite_test

    def source_to_code(self, data, path, *rest, **options):
        known = codes.get(path)
        if known and known[1] and known[0] == data:
            return known[1]
        return plain(self, data, path, *rest, **options)

    def _rewrite_test(fn, config):
        known = codes.get(str(fn))
        usable = known and known[2] and not config.getini("enable_assertion_pass_hook")
        return known[2] if usable and fn.read_bytes() == known[0] else rewriting(fn, config)

    # So that a traceback leaves them out, as it does what they stand for.
    for function, original in ((source_to_code, plain), (_rewrite_test, rewriting)):
        function.__code__ = function.__code__.replace(co_filename=original.__code__.co_filename)
    external.SourceLoader.source_to_code = source_to_code
    rewrite._rewrite_test = _rewrite_test


def forget(names):
    """Unlist modules that only this program needed, so that a run imports them like any other."""
    for name in names:
        del sys.modules[name]
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            delattr(sys.modules[parent], child)


def bear(boxd, config, codes, ends):
    """Fork the process of a run, which boxd inherits as this one ends; in it, become the agent.

    Of ``ends``, the first holds the job, the second is to be written to when the script begins, the third is
    for the status of a process with namespaces of its own; the others are the script's.
    """
    import json  # noqa: PLC0415

    try:
        with os.fdopen(ends[0], "rb") as file:
            file.seek(0)
            job = json.loads(file.read())
        begun, status, *given = ends[1:]
        if job["apart"]:
            boxd.system_call("unshare", boxd.CLONE_NEWPID)
        pid = os.fork()
        if pid:
            os.write(BOXD, b"%d" % pid)
            os._exit(0)
        begun = boxd.fcntl.fcntl(begun, boxd.fcntl.F_DUPFD_CLOEXEC, 64)
        boxd.become_agent(config, given, status if job["apart"] else None)
        if job["apart"] or config["user"]:
            drop_capabilities(boxd)
        remember(codes)
        return made(boxd, job, len(given), begun)
    except BaseException:
        os._exit(1)


def made(boxd, job, count, begun):
    """As the agent: do what starting a program would have done; give the script's code and its namespace."""
    import signal  # noqa: PLC0415
    from importlib.machinery import SourceFileLoader  # noqa: PLC0415

    script = job["argv"][0]
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec", 0, True)
    boxd.system_call("prctl", boxd.PR_SET_DUMPABLE, 1, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.argv[:] = job["argv"]
    if hasattr(sys, "orig_argv"):
        sys.orig_argv[:] = ["python", "-I", "-B", *job["argv"]]
    main = type(sys)("__main__")
    vars(main).update({name: value for name, value in globals().items() if name.startswith("__")})
    vars(main).update(__doc__=None, __file__=script, __loader__=SourceFileLoader("__main__", script))
    sys.modules["__main__"] = main
    sys.setrecursionlimit(sys.getrecursionlimit() + FRAMES)
    os.write(begun, b"!")
    os.closerange(count, 1024)
    return code, vars(main)


def drop_capabilities(boxd):
    """A new user namespace comes with every capability in it; starting a program takes them away."""
    header = (boxd.ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    boxd.system_call("capset", header, (boxd.ctypes.c_uint32 * 6)())


def ended(error):
    """Say that the script ended by ``error`` as the interpreter does, without the frame of this file."""
    error.__traceback__ = error.__traceback__.tb_next
    sys.excepthook(type(error), error, error.__traceback__)
    if isinstance(error, KeyboardInterrupt):
        import signal  # noqa: PLC0415

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(1)


if __name__ == "__main__":
    try:
        exec(*nurse())
    except SystemExit:
        raise
    except BaseException as _error:
        ended(_error)
