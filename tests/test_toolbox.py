"""What each tool says and does, on every kind of box, and that the next action works all the same."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest

from deepgym_envs import ActionError, Task, WorkspaceState
from deepgym_envs.action import Action, EditFile, ListFiles, ReadFile, RunCommand, RunTests, Search, WriteFile
from deepgym_envs.sandbox import Backend
from deepgym_envs.toolbox import Toolbox

from .tiny import backend, isolating, make_tiny, tiny

FIXTURES = (backend, isolating, make_tiny, tiny)
MODULE = "tiny/__init__.py"


class Desk:
    """A toolbox with the state that its box holds."""

    def __init__(self, backend: Backend, task: Task) -> None:
        self.clean = WorkspaceState(task.base)
        self.state = self.clean
        self._box = backend.open(task)
        self._toolbox = Toolbox(self._box, task)

    def start(self, **files: bytes) -> None:
        """Begin anew from the base and ``files``, in whose names ``_dot_`` stands for a dot."""
        named = {name.replace("_dot_", "."): data for name, data in files.items()}
        self.state = self.clean.with_files(named)
        self._box.restore(self.state)

    def do(self, action: Action) -> str:
        done = self._toolbox.perform(action, self.state, 30)
        self.state = done.state
        return done.output

    def sh(self, command: str) -> str:
        return self.do(RunCommand(command=command))

    def refused(self, action: Action) -> str:
        before = self.state
        with pytest.raises(ActionError) as caught:
            self.do(action)
        assert self.state == before
        return str(caught.value)

    def still_works(self) -> None:
        """An edit and a read give what they should, and the box agrees with the state."""
        self.do(WriteFile(path="tiny/probe.py", content="one = 1\n"))
        self.do(EditFile(path="tiny/probe.py", old="one = 1", new="two = 2"))
        assert self.do(ReadFile(path="tiny/probe.py")).endswith("1\ttwo = 2")
        assert "two = 2" in self.sh("cat tiny/probe.py")
        file = self.state.get("tiny/probe.py")
        assert file is not None
        assert file.data == b"two = 2\n"

    def close(self) -> None:
        self._box.close()


@pytest.fixture(scope="module")
def opened(backend: Backend, tiny: Task) -> Iterator[Desk]:
    desk = Desk(backend, tiny)
    yield desk
    desk.close()


@pytest.fixture
def desk(opened: Desk) -> Desk:
    opened.start()
    return opened


@pytest.fixture(scope="module")
def opened_isolating(isolating: Backend, tiny: Task) -> Iterator[Desk]:
    desk = Desk(isolating, tiny)
    yield desk
    desk.close()


@pytest.fixture
def guarded(opened_isolating: Desk) -> Desk:
    opened_isolating.start()
    return opened_isolating


def test_read_file_numbers_lines(desk: Desk) -> None:
    desk.start(a_dot_txt=b"one\ntwo\x0cstill\r\nthree")
    assert desk.do(ReadFile(path="a.txt")) == "a.txt (3 lines)\n     1\tone\n     2\ttwostill\n     3\tthree"
    assert desk.do(ReadFile(path="a.txt", start=2, end=2)) == "a.txt (3 lines)\n     2\ttwostill"
    assert desk.do(ReadFile(path="a.txt", start=0, end=99)).count("\n") == 3
    assert "3 lines; lines 4 to 3 are not among them" in desk.refused(ReadFile(path="a.txt", start=4))
    assert "lines 3 to 2 are not among them" in desk.refused(ReadFile(path="a.txt", start=3, end=2))


def test_read_file_of_what_is_no_plain_text(desk: Desk) -> None:
    desk.start(
        empty=b"", binary=b"a\0b", latin=b"caf\xe9\n", escape=b"\x1b[2Jx\x1b]0;t\x07y\n", wide=b"x" * 5000
    )
    assert desk.do(ReadFile(path="empty")) == "empty (0 lines)"
    assert desk.refused(ReadFile(path="binary")) == "binary is a binary file of 3 bytes"
    assert desk.do(ReadFile(path="latin")).endswith("1\tcaf\ufffd")
    assert desk.do(ReadFile(path="escape")).endswith("1\txy")
    assert desk.do(ReadFile(path="wide")).endswith("x [... 3000 more characters in this line]")


def test_read_file_says_which_lines_did_not_fit(desk: Desk) -> None:
    desk.start(long=b"0123456789\n" * 10_000)
    text = desk.do(ReadFile(path="long"))
    assert len(text) <= 16_000
    last = int(re.findall(r"^ *(\d+)\t", text, re.MULTILINE)[-1])
    assert text.endswith(f"[... lines {last + 1} to 10000 do not fit; read them with start and end]")
    assert f"{last + 1:6}\t0123456789" in desk.do(ReadFile(path="long", start=last + 1))


def test_a_file_over_the_read_limit_is_read_in_part_and_not_edited(desk: Desk) -> None:
    desk.start(big=b"x" * 99 + b"\n")
    desk.state = desk.state.with_file("big", b"0123456\n" * (9 << 17))
    desk._box.restore(desk.state)
    assert desk.do(ReadFile(path="big", end=1)).startswith("big (more than 1048576 lines, 9437184 bytes)")
    assert "files over 8388608 cannot be edited" in desk.refused(EditFile(path="big", old="0", new="1"))
    desk.start()
    desk.still_works()


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "../x", "tiny/../../x", "./tiny/__init__.py", "tiny//__init__.py", "tiny/", ".",
     "x\0y", "tiny/none.py", "tiny", MODULE + "/x", "x" * 300, "/".join(["a"] * 80)],
)  # fmt: skip
def test_a_path_that_leads_nowhere_is_refused(desk: Desk, path: str) -> None:
    assert desk.refused(ReadFile(path=path))
    assert desk.refused(EditFile(path=path, old="a", new="b"))
    if path != "tiny/none.py":
        assert desk.refused(WriteFile(path=path, content="x"))
    if path not in ("", ".", "tiny/", "tiny"):
        assert desk.refused(ListFiles(path=path))


@pytest.mark.parametrize("path", [".git/config", ".git", "tiny/__pycache__/x.py", "x.pyc", "a/.git/hooks/x"])
def test_what_would_not_be_kept_is_not_written(desk: Desk, path: str) -> None:
    assert "would not be kept" in desk.refused(WriteFile(path=path, content="x"))


def test_links_are_not_followed_and_do_not_stay(desk: Desk) -> None:
    said = desk.sh("ln -s /etc tiny/etc; ln -s /etc/passwd tiny/passwd; ln -s ../tests tiny/tests")
    assert all(
        f"[removed from the workspace: tiny/{name}: a link]" in said for name in ("etc", "passwd", "tests")
    )
    for path in ("tiny/etc/passwd", "tiny/passwd", "tiny/tests/test_tiny.py"):
        assert desk.refused(ReadFile(path=path))
    assert desk.state == desk.clean
    desk.still_works()


def test_edit_file_replaces_one_exact_piece(desk: Desk) -> None:
    assert desk.do(EditFile(path=MODULE, old="a - b", new="a + b")) == f"edited {MODULE} at line 2"
    assert desk.state.changed_paths == (MODULE,)
    assert "return a + b" in desk.sh(f"cat {MODULE}")


def test_edit_file_says_why_it_could_not(desk: Desk) -> None:
    several = desk.refused(EditFile(path=MODULE, old="return", new="x"))
    assert several.endswith(
        "occurs several times, first at lines 2 and 6; add lines around it until it is unique"
    )
    near = desk.refused(EditFile(path=MODULE, old="def add(a, b):\n  return a - b", new="x"))
    assert near.endswith("the nearest is\n     1\tdef add(a, b):\n     2\t    return a - b")
    assert "nearest is\n     6\t    return 2 * a" in desk.refused(
        EditFile(path=MODULE, old="  return 2*a", new="")
    )
    assert "nor anything like it" in desk.refused(EditFile(path=MODULE, old="ÄÖÜ", new=""))
    assert "nor anything like it" in desk.refused(EditFile(path=MODULE, old="\n\n\n\n\n", new=""))
    assert "lone surrogate" not in desk.do(EditFile(path=MODULE, old="a - b", new="é"))


def test_pieces_that_overlap_are_several(desk: Desk) -> None:
    desk.start(a=b"xxx")
    assert "occurs several times" in desk.refused(EditFile(path="a", old="xx", new="y"))


def test_edits_keep_the_line_ends_of_a_file(desk: Desk) -> None:
    desk.start(dos=b"one\r\ntwo\r\n", mixed=b"one\r\ntwo\n", none=b"one", bare=b"one\r\ntwo")
    desk.do(EditFile(path="dos", old="one\ntwo", new="1\n2\n3"))
    desk.do(EditFile(path="mixed", old="two", new="2\n3"))
    desk.do(EditFile(path="none", old="one", new="two"))
    desk.do(EditFile(path="bare", old="two", new="2"))
    found = {path: file.data for path, file in desk.state.changes.items() if file}
    assert found == {
        "dos": b"1\r\n2\r\n3\r\n",
        "mixed": b"one\r\n2\n3\n",
        "none": b"two",
        "bare": b"one\r\n2",
    }


def test_edits_leave_bytes_alone_that_are_not_utf8(desk: Desk) -> None:
    desk.start(latin=b"caf\xe9 = 1\n")
    desk.do(EditFile(path="latin", old="= 1", new="= 2"))
    file = desk.state.get("latin")
    assert file is not None
    assert file.data == b"caf\xe9 = 2\n"


def test_write_file_creates_and_replaces(desk: Desk) -> None:
    assert desk.do(WriteFile(path="tiny/new/deep.py", content="é\n")) == "created tiny/new/deep.py (3 bytes)"
    assert desk.do(WriteFile(path="tiny/new/deep.py", content="")) == "replaced tiny/new/deep.py (0 bytes)"
    note = desk.do(WriteFile(path="notes.txt", content="x"))
    assert note == "created notes.txt (1 bytes) (note: this file is not part of what will be judged)"
    desk.sh(f"chmod +x {MODULE}")
    desk.do(WriteFile(path=MODULE, content="x = 1\n"))
    file = desk.state.get(MODULE)
    assert file is not None
    assert file.executable


def test_a_file_cannot_stand_where_a_folder_does_nor_below_a_file(desk: Desk) -> None:
    assert "folder" in desk.refused(WriteFile(path="tiny", content="x"))
    assert "not a folder" in desk.refused(WriteFile(path=f"{MODULE}/x.py", content="x"))
    assert desk.do(ReadFile(path=MODULE)).startswith(f"{MODULE} (6 lines)")
    desk.still_works()


def test_a_write_that_fills_the_disk_changes_nothing(guarded: Desk) -> None:
    text = "x" * 1_000_000
    guarded.do(WriteFile(path="tiny/kept.py", content="kept"))
    for number in range(20):
        before = guarded.state
        try:
            guarded.do(WriteFile(path=f"tiny/{number}.txt", content=text))
        except ActionError as error:
            assert "disk is full" in str(error)  # noqa: PT017 - which of the writes fails depends on the disk
            break
    else:
        pytest.fail("20 MB fit on a disk of 16 MB")
    assert guarded.state == before
    assert guarded.do(ReadFile(path="tiny/kept.py")).endswith("kept")
    assert guarded.sh(f"ls tiny/{number}.txt").endswith("[exit code 2]")
    guarded.start()
    guarded.still_works()


def test_what_a_command_leaves_that_is_too_big_is_removed_and_named(desk: Desk) -> None:
    said = desk.sh("head -c 200000000 /dev/zero > tiny/huge; ls tiny/huge")
    assert re.search(
        r"\[removed from the workspace: tiny/huge: \d+ bytes are more than the limits allow\]", said
    )
    assert desk.state == desk.clean
    desk.still_works()


def test_names_that_are_not_utf8_are_kept(desk: Desk) -> None:
    desk.sh(r"""python -c 'open(b"tiny/\xff\xfe.py", "w").write("x")'; mkdir 'tiny/a b'; echo > 'tiny/a b/c
d'""")
    assert desk.state.changed_paths == ("tiny/a b/c\nd", "tiny/\udcff\udcfe.py")
    said = desk.do(ListFiles(path="tiny"))
    said.encode()
    assert said.startswith("3 files")
    desk.still_works()


def test_list_files_by_folder_and_glob(desk: Desk) -> None:
    rows = [f"{len(file.data):9}  {path}" for path, file in desk.clean.tree().items()]
    assert desk.do(ListFiles()).splitlines()[1:] == sorted(rows, key=lambda row: ("/" in row, row.split()[1]))
    assert desk.do(ListFiles(path="tiny/")).endswith(MODULE)
    assert desk.do(ListFiles(path=".", glob="tests/*.py")).endswith("tests/test_tiny.py")
    assert desk.do(ListFiles(glob="*.none")) == "no files match"
    assert "there is no such folder" in desk.refused(ListFiles(path="none"))


def test_list_files_says_when_there_are_more(desk: Desk) -> None:
    desk.sh("mkdir tiny/many; cd tiny/many; seq 1200 | xargs touch")
    assert desk.do(ListFiles(path="tiny/many")).endswith("[... more files; name a folder or a glob]")


def test_search_shows_lines_with_context(desk: Desk) -> None:
    assert desk.do(Search(pattern="def ")).startswith("5 matches\ntests/test_tiny.py:4: def test_add_zero")
    text = desk.do(Search(pattern="return", path="tiny", context=1))
    assert text.splitlines()[1:4] == [
        f"{MODULE}:1- def add(a, b):",
        f"{MODULE}:2:     return a - b",
        f"{MODULE}:3- ",
    ]
    assert "\n--\n" in text
    assert desk.do(Search(pattern="no such thing")) == "no matches for 'no such thing'"
    assert "not a regular expression" in desk.refused(Search(pattern="("))
    assert "there is no such folder" in desk.refused(Search(pattern="x", path="none"))
    assert desk.refused(Search(pattern="x", path="../.."))


@pytest.mark.slow
def test_a_catastrophic_pattern_ends_in_words(desk: Desk) -> None:
    desk.start(trap=b"a" * 40 + b"!\n")
    began = time.monotonic()
    with pytest.raises(ActionError, match="took more than 1 s; use a simpler pattern"):
        desk._toolbox.perform(Search(pattern="(a+)+$"), desk.state, 1)
    assert time.monotonic() - began < 10
    desk.still_works()


def test_run_tests_counts_and_shows_what_failed(desk: Desk) -> None:
    text = desk.do(RunTests())
    assert text.startswith("2 passed, 1 failed\nFAILED tests/test_tiny.py::test_add\n")
    assert "assert 1 == 5" in text
    assert desk.do(RunTests(tests=("tests/test_tiny.py::test_double",))) == "1 passed, 0 failed"
    assert desk.state == desk.clean


@pytest.mark.parametrize(
    "test",
    ["-p evil", "-p", "--co", "--collect-only", "-cevil.ini", "--rootdir=/", "@options.txt", "/etc/passwd",
     "../x", "tests/../../x", "..", "x\0y", "{files}/launcher.py"],
)  # fmt: skip
def test_options_and_places_outside_are_no_tests(desk: Desk, test: str) -> None:
    assert "is not a test of the repository" in desk.refused(RunTests(tests=(test,)))


def test_run_tests_of_what_is_not_there_says_so_the_same_each_time(desk: Desk) -> None:
    action = RunTests(tests=("tests/test_tiny.py::test_none",))
    text = desk.do(action)
    assert text.startswith("0 passed, 0 failed")
    assert "not found" in text
    assert desk.do(action) == text


def test_run_tests_shows_what_could_not_be_collected(desk: Desk) -> None:
    desk.do(WriteFile(path=MODULE, content="def add(:\n"))
    text = desk.do(RunTests())
    assert text.startswith("0 passed, 1 failed\nFAILED tests/test_tiny.py\n")
    assert "SyntaxError" in text


def test_run_tests_that_end_early_are_told_apart(desk: Desk) -> None:
    desk.do(WriteFile(path=MODULE, content="import os\nos._exit(0)\n"))
    assert desk.do(RunTests()).startswith("0 passed, 0 failed\npytest did not finish (exit code 0):")
    desk.do(WriteFile(path=MODULE, content="import time\ntime.sleep(60)\n"))
    done = desk._toolbox.perform(RunTests(), desk.state, 1)
    assert done.output.endswith("the tests were stopped after 1 s")
    assert done.tests == (0, 0)
    desk.still_works()


def test_run_command_gives_output_and_exit_code(desk: Desk) -> None:
    assert desk.sh("echo one; echo two >&2; exit 3") == "one\ntwo\n[exit code 3]"
    assert desk.sh("true") == "[exit code 0]"
    assert desk.sh("printf 'a\\033[31mb\\r\\n'") == "ab\n[exit code 0]"
    assert desk.sh("kill -9 $$").endswith("[exit code -9]")
    assert "NUL" in desk.refused(RunCommand(command="a\0b"))
    first = desk.sh("no-such-program")
    assert "not found" in first
    assert desk.sh("no-such-program") == first


def test_run_command_keeps_files_and_nothing_else(desk: Desk) -> None:
    desk.sh("echo x > tiny/x; echo y > $HOME/y; rm -r tests; cd tiny")
    assert desk.state.changed_paths == ("tests/test_tiny.py", "tiny/x")
    assert desk.sh("ls -A $HOME; ls tiny") == "__init__.py\nx\n[exit code 0]"


def test_a_command_is_stopped_in_time(desk: Desk) -> None:
    done = desk._toolbox.perform(RunCommand(command="echo begun; sleep 60"), desk.state, 0.5)
    assert done.output == "begun\n[stopped after 0.5 s]"
    desk.still_works()


@pytest.mark.slow
def test_a_flood_of_output_is_cut(desk: Desk) -> None:
    text = desk.sh("head -c 30000000 /dev/zero | tr '\\0' x; echo; echo the end")
    assert len(text) <= 16_000
    assert text.endswith("the end\n[exit code 0]")
    assert "omitted" in text
    desk.still_works()


@pytest.mark.parametrize(
    "command",
    [
        "sleep 300 & echo $!",
        "setsid sh -c 'sleep 300 & sleep 300' & exit 0",
        "(while true; do echo x >> tiny/log; done) & sleep 0.1",
        "nohup python -c 'import os, time\nos.setsid(); os.fork(); time.sleep(300)' > /dev/null 2>&1 &",
    ],
)
def test_processes_end_with_their_command(desk: Desk, command: str) -> None:
    began = time.monotonic()
    desk.sh(command)
    assert time.monotonic() - began < 8
    before = desk.state
    assert desk.state == before
    desk.still_works()


@pytest.mark.parametrize(
    "command", ["kill -9 $PPID", "kill -9 1", "kill -9 -1", "kill -STOP 1; kill -STOP $PPID"]
)
def test_a_command_cannot_kill_the_boxs_program(guarded: Desk, command: str) -> None:
    guarded.sh(f"{command}; echo still here")
    guarded.still_works()
