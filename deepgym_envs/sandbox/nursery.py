"""The program that warm commands are forked from: an interpreter with pytest imported, and nothing of an
agent's.

``boxd`` starts it in an interpreter like that of a cold start, as its own user, in the folder ``/``. It reads
nothing that an agent can write and nothing of a run: what a run is made from is read by the process that is
forked for it. What it imports is what every run of pytest imports before it looks for tests, and the modules
that a recipe names. Beside the first run it lets pytest run tests of its own, which are in this file, so that
pytest's code is warmed up and what pytest makes only once is there; and it compiles the files of the base,
which it never executes. A run uses the outcome for a file of the same name and the same bytes.

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
REHEARSALS = 4  # more make no run quicker
SHORT_ARGUMENTS = [
    "-p",
    "no:cacheprovider",
]  # those of a run that decide which plugins of pytest's own there are


def preload(names):
    """Import pytest and the modules ``names``; one that cannot be imported is left for the run to meet."""
    try:
        import pytest  # noqa: F401, PLC0415
        from _pytest.config import default_plugins  # noqa: PLC0415
    except ImportError:
        default_plugins = ()
    for name in ["_pytest." + plugin for plugin in default_plugins] + names:
        try:
            __import__(name)
        except (Exception, SystemExit):
            continue


# ------------------------------------------------------------------------------------------------- rehearsals


def trial_passes(monkeypatch, number):
    assert monkeypatch
    assert number in range(20)


def trial_fails():
    assert [1, "two"] == [1, "three"]


def trial_raises():
    trial_passes(None, 0)


def rehearse(collecting=None):
    """Run the tests of this file with pytest, without a file being written; give pytest's exit code.

    ``collecting`` is called when pytest begins to look for tests.
    """
    import contextlib  # noqa: PLC0415

    import pytest  # noqa: PLC0415

    class ThisFile(pytest.Module):
        """This file as it is loaded: pytest would import it, and the package that it may be in, again."""

        def _getobj(self):
            return sys.modules[__name__]

    class Plugin:
        def pytest_collection(self):
            if collecting:
                collecting()

        def pytest_generate_tests(self, metafunc):
            if "number" in metafunc.fixturenames:
                metafunc.parametrize("number", range(20))

        @pytest.hookimpl(optionalhook=True)
        def pytest_collect_directory(self, path, parent):
            return pytest.Dir.from_parent(parent, path=path)

        def pytest_pycollect_makemodule(self, module_path, parent):
            return ThisFile.from_parent(parent, path=module_path)

    place = os.path.abspath(__file__)
    folder = os.path.dirname(place)
    arguments = [*SHORT_ARGUMENTS, "-q", "--no-header", "--color=no", "--tb=short", "--capture=sys",
                 "--noconftest", "-c", os.devnull, "--rootdir", folder, "--confcutdir", folder,
                 "-o", "python_functions=trial_*", place]  # fmt: skip
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
            return int(pytest.main(arguments, plugins=[Plugin()]))
    finally:
        del os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]


def rehearse_apart():
    """In a process of its own: modules that a run of pytest imports before it looks for tests, and whether
    a rehearsal comes to the end that it should come to."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            with os.fdopen(write, "w") as answer:
                code = rehearse(lambda: print(*sys.modules, file=answer))
                print("fit" if code == 1 else "unfit", file=answer)
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as answer:
        modules, _, fit = answer.read().partition("\n")
    os.waitpid(pid, 0)
    return [name for name in modules.split() if name not in sys.modules], fit == "fit\n"


def preload_of_a_run(base, importable):
    """Import what a run of pytest imports before it looks for tests, unless the base has a module of such a
    name; whether this process may rehearse."""
    late, fit = rehearse_apart()
    if os.path.exists(os.path.join(base, "pyproject.toml")):
        late.append("tomllib")  # which pytest reads it with
    if {name.partition(".")[0] for name in late}.intersection(importable):
        return False
    preload(late)
    return fit


def rehearse_here():
    """Rehearse in this process, and leave nothing but what is invisible: caches, and code that has run."""
    import linecache  # noqa: PLC0415

    modules, path, hooks = set(sys.modules), list(sys.path), list(sys.meta_path)
    folders, lines = set(sys.path_importer_cache), dict(linecache.cache)
    try:
        rehearse()
    finally:
        sys.path[:], sys.meta_path[:] = path, hooks
        unlist(set(sys.modules) - modules)
        for folder in set(sys.path_importer_cache) - folders:
            del sys.path_importer_cache[folder]
        linecache.cache.clear()
        linecache.cache.update(lines)
        for name in ("last_exc", "last_type", "last_value", "last_traceback"):
            if hasattr(sys, name):
                delattr(sys, name)


# -------------------------------------------------------------------------------------------------- made once


class Prepared:
    """What runs need not make again: ``codes`` by place, ``statements`` by text, and a configuration."""

    def __init__(self):
        self.codes = {}
        self.statements = {}
        self.options, self.configuration = {}, None

    def configure(self):
        """Make the part of pytest's configuration that no run has a say in: pytest's own plugins and their
        options. Without it, where pytest makes it in another way than we know, a run makes its own."""
        if "_pytest.config" not in sys.modules:
            return
        from _pytest import config  # noqa: PLC0415

        for options in ({"prog": "pytest.main()"}, {}):
            try:
                self.options, self.configuration = options, config.get_config(SHORT_ARGUMENTS, **options)
            except Exception:
                continue
            return

    def compile(self, base, workspace):
        """Compile the base's files, one after the other, as imports or pytest would; yields their paths."""
        if "_pytest.config" not in sys.modules:
            return
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
                    self.codes[place] = data, None, rewrite._rewrite_test(Aside(place), None)
                else:
                    self.codes[place] = data, compile(data, place, "exec", 0, True), None
            except Exception:  # the run that needs it meets the same
                continue
            yield path
            try:
                text, statements = statements_of(data)
            except Exception:  # of a pytest that has them elsewhere
                continue
            self.statements[text] = statements
            yield path


def know_plugins():
    """Look once, not in each run, which names in pytest's own plugins could be those of fixtures.

    Known is what a module held then: one that holds anything else when it is asked for is looked at again.
    """
    import types  # noqa: PLC0415

    if "_pytest.fixtures" not in sys.modules:
        return
    from _pytest import fixtures  # noqa: PLC0415
    from _pytest.config import default_plugins  # noqa: PLC0415

    def names_of(holder):
        held, names = known.get(id(holder), (None, None))
        return names if held is not None and held == vars(holder) else dir(holder)

    def is_fixture(value):
        plain = isinstance(value, (type, types.ModuleType, str, int))
        return not plain and not (isinstance(value, types.FunctionType) and not vars(value))

    fixtures.dir = names_of
    known = {}
    for name in default_plugins:
        module = sys.modules.get("_pytest." + name)
        if module is not None:
            held = dict(vars(module))
            known[id(module)] = held, [part for part in dir(module) if is_fixture(held.get(part))]


def statements_of(data):
    """The text of a file as a traceback has it, and a syntax tree that knows where statements begin."""
    import ast  # noqa: PLC0415
    import importlib.util  # noqa: PLC0415
    import io  # noqa: PLC0415

    from _pytest._code import source  # noqa: PLC0415

    text = "\n".join(line.rstrip() for line in io.StringIO(importlib.util.decode_source(data)))
    bare = ast.Module([], [])
    bare._pytest_statement_linenos = lines = source._statement_linenos(ast.parse(text))
    if source._statement_linenos(bare) is not lines:
        raise LookupError
    return text, bare


def sources(base):
    """Paths of the base's Python files."""
    for parent, folders, names in os.walk(base):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                yield os.path.relpath(os.path.join(parent, name), base)


def is_rewritten(path):
    name = os.path.basename(path)
    return name == "conftest.py" or name.startswith("test_") or name.endswith("_test.py")


def use_compiled(codes):
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


def use_statements(statements):
    """Let tracebacks find the statements of a text that was parsed before, here or in this run."""
    from _pytest._code import code, source  # noqa: PLC0415

    plain = getattr(code, "getstatementrange_ast", None)
    if plain is None:
        return

    def getstatementrange_ast(lineno, source, assertion=False, astnode=None):
        text = str(source)
        found = plain(lineno, source, assertion, statements.get(text) if astnode is None else astnode)
        statements[text] = found[0]
        return found

    code.getstatementrange_ast = source.getstatementrange_ast = getstatementrange_ast


def use_configuration(options, prepared):
    """Let the first ``pytest.main`` that would make the very same configuration have the one prepared."""
    import pathlib  # noqa: PLC0415

    from _pytest import config  # noqa: PLC0415

    plain = config.get_config

    def get_config(args=None, plugins=None, **given):
        config.get_config = plain
        first, rest = list(args or ())[:2], list(args or ())[2:]
        if given != options or first != SHORT_ARGUMENTS or any("no:" in part for part in rest):
            return plain(args, plugins, **given)
        prepared.invocation_params = config.Config.InvocationParams(
            args=args, plugins=plugins, dir=pathlib.Path.cwd()
        )
        return prepared

    config.get_config = get_config


# ---------------------------------------------------------------------------------------------------- serving


def description(started, workspace):
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


def serve():
    """Serve boxd until it hangs up; in the process of a run, return what is to be executed, and in what."""
    started, path, hooks = set(sys.modules), list(sys.path), list(sys.meta_path)
    with open(0, "rb", closefd=False) as given:
        importable = set(os.fsdecode(given.read()).split("\0"))
    preload(sys.argv[3:])
    import json  # noqa: PLC0415 - as pytest does

    config = json.loads(sys.argv[2])
    fit = preload_of_a_run(config["base"], importable)
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
    asked.send(json.dumps(description(started, config["workspace"])).encode())
    prepared = Prepared()
    prepared.configure()
    know_plugins()
    gc.collect()
    gc.freeze()
    work = None
    while True:
        while work and not select.select([asked], [], [], 0)[0]:
            if next(work, None) is None:
                work = ()
                gc.collect()
                gc.freeze()
        ends = receive_run(socket, array, asked)
        try:
            pid = os.fork()
        except OSError:  # boxd sees that every end has been closed
            pid = None
        if pid == 0:
            asked.detach()
            unlist(ours)
            return fork_run(boxd, config, prepared, ends)
        for end in ends:
            os.close(end)
        if pid is not None:
            os.waitpid(pid, 0)
        if work is None:
            work = preparations(config, prepared, REHEARSALS if fit else 0)


def preparations(config, prepared, rehearsals):
    """What is done while nobody asks for a run, in steps."""
    for _ in range(rehearsals):
        rehearse_here()
        yield "rehearsal"
    prepared.configure()
    yield from prepared.compile(config["base"], config["workspace"])


def receive_run(socket, array, asked):
    """The descriptors that boxd sends for the next run; ends this program when boxd hangs up."""
    room = socket.CMSG_SPACE(16 * array.array("i").itemsize)
    message, extra, _, _ = asked.recvmsg(16, room)
    if not message:
        os._exit(0)
    return array.array("i", b"".join(data for _, _, data in extra)).tolist()


# -------------------------------------------------------------------------------------------- a run's process


def unlist(names):
    """Unlist modules that only this program needed, so that a run imports them like any other."""
    for name in names:
        del sys.modules[name]
        parent, _, child = name.rpartition(".")
        if parent in sys.modules:
            delattr(sys.modules[parent], child)


def fork_run(boxd, config, prepared, ends):
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
        if prepared.codes:
            use_compiled(prepared.codes)
        if "_pytest.config" in sys.modules:
            use_statements(prepared.statements)
        if prepared.configuration is not None and job["environment"] == config["environment"]:
            use_configuration(prepared.options, prepared.configuration)
        return become_script(boxd, job, len(given), begun)
    except BaseException:
        os._exit(1)


def become_script(boxd, job, count, begun):
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
    sys.path_importer_cache[script] = sys.path_importer_cache.pop(sys.argv[0], None)
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


def report_error(error):
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
        exec(*serve())
    except SystemExit:
        raise
    except BaseException as _error:
        report_error(_error)
