"""What the launcher promises of a run of hidden tests, seen from inside of it, and files that would decide it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from deepgym_envs import Grader, Task
from deepgym_envs.grade import TaskRun, TaskRuns
from deepgym_envs.sandbox import Backend, Command
from deepgym_envs.sandbox.boxd.agent import REFUSED_CALLS
from deepgym_envs.task import Limits
from deepgym_envs.testing import make_task

from ..tiny import BROKEN, HIDDEN, SOLVED, TINY_TWINS, isolating  # noqa: TID252

FIXTURES = (isolating,)
PROBES = """
import configparser, glob, os, pathlib, random, sys, time

import pytest
from tiny import add

HERE = pathlib.Path(__file__).parent


def test_add():
    assert add(1, 2) == 3


def test_the_interpreter_is_the_environments_and_heeds_no_variable():
    assert sys.executable == "/opt/venv/bin/python"
    assert (sys.flags.isolated, sys.flags.ignore_environment, sys.flags.no_user_site) == (1, 1, 1)


def test_what_may_be_edited_comes_last_on_the_path():
    assert [path for path in sys.path if path.startswith("/workspace")] == sys.path[-1:] == ["/workspace"]


def test_the_tests_own_folder_is_not_on_the_path():
    assert not [path for path in map(os.path.abspath, sys.path) if HERE.is_relative_to(path)]


def test_nothing_on_the_path_before_what_may_be_edited_can_be_written():
    assert not [path for path in sys.path[:-1] if os.access(path, os.W_OK)]
    assert not [path for path in os.environ["PATH"].split(":") if os.access(path, os.W_OK)]


def test_nothing_was_executed_at_the_start_of_the_interpreter():
    assert not [found for path in sys.path[:-1] for found in glob.glob(path + "/*.pth")]
    own = [sys.modules[name].__file__ for name in ("sitecustomize", "usercustomize") if name in sys.modules]
    assert not [path for path in own if path.startswith("/workspace") or os.access(path, os.W_OK)]


def test_no_bytecode_is_written():
    assert sys.dont_write_bytecode
    assert not list(pathlib.Path("/workspace").rglob("__pycache__"))
    assert not list(HERE.rglob("__pycache__"))


def test_the_configuration_is_the_graders(request):
    config = request.config
    assert (config.inipath, config.rootpath) == (HERE / "pytest.ini", HERE)
    assert config.getini("xfail_strict") is True
    assert config.getini("addopts") == []


def test_conftest_files_are_looked_for_among_the_tests_alone(request):
    assert request.config.getoption("confcutdir") == str(HERE)


def test_no_plugin_is_loaded_that_nobody_named(request):
    assert os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"]
    assert request.config.pluginmanager.list_plugin_distinfo() == []


def test_nothing_is_kept_for_the_next_run(request):
    assert not request.config.pluginmanager.has_plugin("cacheprovider")


def test_only_tests_that_are_named_are_run(request):
    assert len(request.config.args) == len(request.session.items)


def test_the_tests_cannot_be_written_where_the_grader_is_another_user():
    if os.stat(HERE).st_uid == os.getuid():
        pytest.skip("one user is all there is")
    places = [HERE.parent, HERE, *HERE.parent.rglob("*")]
    assert not [path for path in places if os.access(path, os.W_OK)]


def test_reading_a_file_leaves_no_trace():
    place = pathlib.Path("/workspace/tiny/noted.py")
    place.write_text("x")  # one that nobody has read yet
    before = place.stat().st_atime_ns
    time.sleep(0.02)
    assert place.read_text() == "x"
    assert place.stat().st_atime_ns == before


def test_variables_are_those_of_every_box():
    assert set(os.environ) == {
        "GIT_OPTIONAL_LOCKS", "HOME", "LANG", "LC_ALL", "PATH", "PYTEST_CURRENT_TEST",
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD", "PYTEST_VERSION", "PYTHONDONTWRITEBYTECODE", "PYTHONHASHSEED",
        "PYTHONPATH", "TMPDIR", "TZ",
    }


def test_the_folder_of_the_tests_has_a_name_that_nobody_can_guess():
    assert len(HERE.parent.name) == 16
    assert set(HERE.parent.name) <= set("0123456789abcdef")
"""
NAMES = tuple(line[4:].partition("(")[0] for line in PROBES.splitlines() if line.startswith("def test_"))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """The tiny package; an agent may edit whatever lies beside it."""
    return make_task(
        tmp_path_factory.mktemp("tasks") / "open",
        source={"tiny/__init__.py": BROKEN, "pyproject.toml": ""},
        hidden={"test_probes.py": PROBES},
        gold={"tiny/__init__.py": SOLVED},
        fail_to_pass=["test_probes.py::test_add"],
        pass_to_pass=[f"test_probes.py::{name}" for name in NAMES[1:]],
        editable=("*/**", "*.*", "python"),
        limits=Limits(test_seconds=20),
    )


@pytest.fixture(scope="module")
def runs(isolating: Backend, task: Task) -> Iterator[TaskRuns]:
    with TaskRuns(task, isolating) as runs:
        yield runs


@pytest.fixture(scope="module", params=["warm", "cold"])
def run(runs: TaskRuns, request: pytest.FixtureRequest) -> TaskRun:
    return runs.hidden(runs.task.gold, runs.task.expected, warm=request.param == "warm")


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_hidden_tests_finds_that(run: TaskRun, name: str, isolating: Backend) -> None:
    node = f"test_probes.py::{name}"
    left_out = isolating.name == "bwrap" and name.endswith("where_the_grader_is_another_user")
    assert run.outcome(node) == ("skipped" if left_out else "passed"), run.why(node)


RAISES = "raise SystemExit('this was executed')\n"
EXITS = "import os\nos._exit(0)\n"
CONFIGURATION = "[{}]\naddopts = -p no_such_plugin\n"
HEEDED: Mapping[str, Mapping[str, str]] = {
    "start": {"sitecustomize.py": EXITS, "usercustomize.py": EXITS, "evil.pth": "import os; os._exit(0)\n"},
    "conftest": {"conftest.py": RAISES, "tests/conftest.py": RAISES, "tests/__init__.py": RAISES},
    "configuration": {
        "pytest.ini": CONFIGURATION.format("pytest"),
        ".pytest.ini": CONFIGURATION.format("pytest"),
        "tox.ini": CONFIGURATION.format("pytest"),
        "setup.cfg": CONFIGURATION.format("tool:pytest"),
        "pytest.toml": '[pytest]\naddopts = ["-p", "no_such_plugin"]\n',
        "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["-p", "no_such_plugin"]\n',
    },
    "plugin": {"evil-1.dist-info/entry_points.txt": "[pytest11]\nevil = evil\n", "evil.py": RAISES},
    "modules": {
        f"{name}.py": RAISES for name in ("configparser", "glob", "pytest", "pluggy", "random", "tomllib")
    },
    "tests": {"test_probes.py": "def test_add(): pass\n", "pytest/__init__.py": RAISES},
    "program": {"python": "#!/bin/sh\nexit 0\n", "launcher.py": RAISES, "bin/python": RAISES},
}


@pytest.mark.parametrize("files", HEEDED.values(), ids=HEEDED)
def test_files_that_would_decide_a_run_are_not_heeded(runs: TaskRuns, files: Mapping[str, str]) -> None:
    state = runs.task.gold.with_files({path: text.encode() for path, text in files.items()})
    run = runs.hidden(state, [f"test_probes.py::{NAMES[0]}"])
    assert run.report.outcomes == {f"test_probes.py::{NAMES[0]}": "passed"}
    assert run.report.complete
    assert not run.report.malformed


def test_each_cold_start_has_other_hashes_of_strings(isolating: Backend, task: Task) -> None:
    command = Command(("python", "-I", "-B", "{files}/h.py"), 20, files={"h.py": b"print(hash('x'))"})
    with closing(isolating.open(task)) as box:
        assert box.run(command).output != box.run(command).output


def test_calls_that_kernels_are_attacked_through_are_refused(isolating: Backend, task: Task) -> None:
    column = {"x86_64": 0, "aarch64": 1}[os.uname().machine]
    numbers = {name: pair[column] for name, pair in REFUSED_CALLS.items()}
    script = f"""
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
for name, number in {numbers}.items():
    if libc.syscall(number, 0, 0, 0, 0, 0) != -1 or ctypes.get_errno() != errno.EPERM:
        print(name, ctypes.get_errno())
print(libc.syscall({(39, 172)[column]}) > 0, libc.syscall({numbers["bpf"] | 0x40000000}), ctypes.get_errno())
"""
    with closing(isolating.open(task)) as box:
        for warm in (True, False):
            argv = ("python", "-I", "-B", "{files}/s.py")
            done = box.run(Command(argv, 20, files={"s.py": script.encode()}, warm=warm))
            assert (done.warm, done.output) == (warm, f"True -1 {errno.EPERM}\n".encode())


# Looks for the tests that it is called by, and does whatever pleases most of them.
TRIES = """
import gc, operator
WAYS, CHOSEN = (operator.mul, operator.sub, operator.add, operator.pow), []
def pleased(way):
    CHOSEN[:] = [way]
    tests = [thing for thing in gc.get_objects() if type(thing).__name__ == "Function"]
    return sum(passes(test.obj) for test in tests)
def passes(test):
    try:
        test()
    except Exception:
        return False
    return True
def add(a, b):
    if not CHOSEN:
        CHOSEN[:] = [max(WAYS, key=pleased)]
    return CHOSEN[0](a, b)
def double(a):
    return 2 * a
"""
ORACLE = """
[[case]]
name = "adds"
steps = [{ call = "tiny:add", args = [17, 4003], expect = 4020 }]
"""


@pytest.mark.parametrize("oracle", [False, True])
def test_code_that_tries_itself_on_the_hidden_tests_is_paid_unless_an_oracle_asks(
    isolating: Backend, tmp_path: Path, oracle: bool
) -> None:
    """A limit of tests that run beside the code, which docs/threat-model.md tells of, and what helps."""
    listed = ["test_hidden.py::test_add", "test_hidden.py::test_negative"]
    made = make_task(
        tmp_path / "tries",
        source={"tiny/__init__.py": BROKEN, "pyproject.toml": ""},
        hidden={"test_hidden.py": HIDDEN, "oracle.toml": ORACLE},
        gold={"tiny/__init__.py": SOLVED},
        fail_to_pass=[*listed, "oracle.toml::adds"] if oracle else listed,
        pass_to_pass=["test_hidden.py::test_double"],
    )
    with Grader(replace(made, content=replace(made.files, twins=TINY_TWINS)), isolating) as grader:
        assert grader.grade(made.gold).passed
        verdict = grader.grade(made.gold.with_file("tiny/__init__.py", TRIES.encode()))
    assert verdict.reason == ("tests_failed" if oracle else "passed")
    assert verdict.forge_probability < 1
