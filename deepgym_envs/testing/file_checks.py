"""What a sandbox promises of files, as far as it can be seen without running anything."""

from __future__ import annotations

from collections.abc import Callable

from deepgym_envs.errors import ActionError, BoxLost
from deepgym_envs.sandbox.contract import Command, Query
from deepgym_envs.state import File, Tree, WorkspaceState
from deepgym_envs.testing.bench import Bench, fails, same

EVERY_KIND: dict[str, bytes | File | None] = {
    "check/all-bytes.bin": bytes(range(256)) * 3,
    "check/empty.txt": b"",
    "check/no-newline.txt": b"x",
    "check/with space.txt": b"space\r\n",
    "check/größe/данные.txt": "ümläut\n".encode(),
    "check/🎉 party 👩‍💻.md": b"emoji\n",
    "check/new\nline\t.txt": b"newline\n",
    "check/not-utf8-\udcff\udcfe.bin": b"raw name\n",
    "check/-dash": b"dash\n",
    "check/tool": File(b"#!/bin/sh\necho tool\n", executable=True),
    "check/{}[a]?*.txt": b"glob characters\n",
}


def a_new_box_holds_its_base(bench: Bench) -> None:
    bench.captures(bench.clean)
    for path, file in list(bench.base.items())[:100]:
        same(bench.box.read(path, 1 << 30), (file.data, len(file.data)), f"content of {path!r}")


def bytes_and_names_of_every_kind_survive(bench: Bench) -> None:
    state = bench.restore(EVERY_KIND)
    for path, file in state.changes.items():
        data = file.data if file else b""
        same(bench.box.read(path, 1 << 30), (data, len(data)), f"content of {path!r}")
    bench.captures(state)
    sizes = dict(bench.box.find(Query("check")).files)
    same(sizes, {path: len(file.data) for path, file in state.changes.items() if file}, "listed files")


def read_gives_as_much_as_asked_and_the_whole_size(bench: Bench) -> None:
    bench.restore({"check/x": b"0123456789"})
    same(bench.box.read("check/x", 4), (b"0123", 10), "the first four bytes")
    same(bench.box.read("check/x", 0), (b"", 10), "no bytes at all")
    same(bench.box.read("check/x", 10), (b"0123456789", 10), "all bytes")


def read_refuses_what_is_no_file_in_the_workspace(bench: Bench) -> None:
    bench.restore({"check/x": b"x"})
    outside = ["/etc/passwd", "../etc/passwd", "check/../../etc/passwd", "check/../check/x", "./check/x"]
    for path in [
        *outside,
        "",
        ".",
        "..",
        "check",
        "check/",
        "check//x",
        "check/x/y",
        "check/none",
        "check/x\0",
    ]:
        with fails(ActionError, f"reading {path!r}"):
            bench.box.read(path, 100)


def reading_a_folder_again_and_again_uses_nothing_up(bench: Bench) -> None:
    bench.restore({"check/x": b"x"})
    for _ in range(1100):
        with fails(ActionError, "reading a folder"):
            bench.box.read("check", 10)
    same(bench.box.read("check/x", 10), (b"x", 1), "a file after many refusals")


def restore_puts_back_every_difference(bench: Bench) -> None:
    path = next(path for path, file in bench.base.items() if file.data)
    bench.restore({path: b"other", "check/a": b"1", "check/b/c": File(b"2", executable=True)})
    same(bench.box.read(path, 100), (b"other", 5), "a changed file of the base")
    second = bench.restore({"check/b/c": b"2", "check/d": b"3"})
    bench.captures(second)
    same(bench.box.read(path, 1 << 30)[0], bench.base[path].data, "the file of the base")
    bench.restore(dict.fromkeys(bench.base))
    same(bench.box.find(Query()).files, (), "files when all are deleted")
    bench.box.restore(bench.clean)
    bench.captures(bench.clean)


def a_file_takes_a_folders_place_and_back(bench: Bench) -> None:
    bench.restore({"check/a/b/c": b"deep", "check/a/b/d": b"deep"})
    same(bench.box.read(next(iter(bench.restore({"check/a": b"flat"}).changes)), 9), (b"flat", 4), "the file")
    state = bench.restore({"check/a/b/c": b"deep again"})
    same(bench.box.read("check/a/b/c", 99)[0], b"deep again", "the file in the folder")
    bench.captures(state)


def restore_refuses_a_state_of_another_base(bench: Bench) -> None:
    with fails(ValueError, "restoring a state of another base"):
        bench.box.restore(WorkspaceState(Tree({"other": File(b"")})))
    bench.captures(bench.clean)


def a_state_that_cannot_be_is_refused_and_does_no_harm(bench: Bench) -> None:
    with fails(ActionError, "restoring a file that is also a folder"):
        bench.restore({"check/a": b"file", "check/a/b": b"in it"})
    bench.box.restore(bench.clean)
    bench.captures(bench.clean)


def five_thousand_files_survive(bench: Bench) -> None:
    many: dict[str, bytes | File | None] = {f"check/{n % 70}/{n}.txt": b"%d" % n for n in range(5000)}
    state = bench.restore(many)
    found = bench.box.find(Query("check", limit=10_000))
    same((len(found.files), found.more), (5000, False), "number of listed files")
    bench.captures(state)
    bench.box.restore(bench.clean)
    bench.captures(bench.clean)


def caches_and_version_control_are_never_part_of_the_state(bench: Bench) -> None:
    kept = bench.restore({"check/x": b"x"})
    caches = {"check/__pycache__/x.py": b"", "check/x.pyc": b"", ".git/hooks/post-checkout": b"", ".git": b""}
    bench.restore({"check/x": b"x", **caches})
    bench.captures(kept)


def find_lists_by_folder_and_glob(bench: Bench) -> None:
    bench.restore(
        {"check/a.py": b"1", "check/b.txt": b"22", "check/in/c.py": b"333", "check/in/deep/d.py": b""}
    )
    cases = {
        Query("check", "**"): {
            "check/a.py": 1,
            "check/b.txt": 2,
            "check/in/c.py": 3,
            "check/in/deep/d.py": 0,
        },
        Query("check", "check/*.py"): {"check/a.py": 1},
        Query("", "check/**/*.py"): {"check/a.py": 1, "check/in/c.py": 3, "check/in/deep/d.py": 0},
        Query("check/in", "**/?.py"): {"check/in/c.py": 3, "check/in/deep/d.py": 0},
        Query("check/in", "*.py"): {},
        Query("check", "**/[a].py"): {},
    }
    for query, wanted in cases.items():
        found = bench.box.find(query)
        same((dict(found.files), found.more, found.lines), (wanted, False, ()), f"{query}")


def find_shows_lines_with_their_context(bench: Bench) -> None:
    text = b"one\ntwo\nthree\x0cfour\nfive\r\nsix ONE \xff\nseven"
    bench.restore({"check/t.txt": text, "check/binary": b"one\0one\n", "check/u": "Überzug\n".encode()})
    rows = [
        (line.path, line.number, line.match)
        for line in bench.box.find(Query("check", pattern="(?i)one")).lines
    ]
    same(rows, [("check/t.txt", 1, True), ("check/t.txt", 5, True)], "lines that match")
    near = bench.box.find(Query("check", pattern="five$", context=1)).lines
    same([(line.number, line.match) for line in near], [(3, False), (4, True), (5, False)], "lines around")
    same(near[1].text, "five", "a line's text")
    same([line.text for line in bench.box.find(Query("check", pattern="^Ü")).lines], ["Überzug"], "unicode")


def find_stops_at_its_limit_and_says_so(bench: Bench) -> None:
    bench.restore({f"check/{n}": b"line\nline\n" for n in range(10)})
    files = bench.box.find(Query("check", limit=4))
    same((len(files.files), files.more), (4, True), "files, and whether there are more")
    same(bench.box.find(Query("check", limit=10)).more, False, "whether there are more than ten")
    lines = bench.box.find(Query("check", pattern="line", limit=7))
    same((len(lines.lines), lines.more), (7, True), "lines, and whether there are more")


def find_refuses_what_it_cannot_do(bench: Bench) -> None:
    bench.restore({"check/x": b"x"})
    for folder in ("/etc", "..", "check/..", "check/none", "check/x", "check//", "\0"):
        with fails(ActionError, f"looking into {folder!r}"):
            bench.box.find(Query(folder))
    for pattern in ("(", "[", "*", "(?P<n>x)(?P<n>y)", "a{99999999999999999999}"):
        with fails(ActionError, f"searching for {pattern!r}"):
            bench.box.find(Query("check", pattern=pattern))


def closing_twice_is_no_error(bench: Bench) -> None:
    bench.box.close()
    bench.box.close()


def a_closed_box_is_lost(bench: Bench) -> None:
    bench.box.close()
    changed = bench.state({"check/x": b"x"})
    calls: dict[str, Callable[[], object]] = {
        "capture": bench.box.capture,
        "restore of what it held": lambda: bench.box.restore(bench.clean),
        "restore": lambda: bench.box.restore(changed),
        "read": lambda: bench.box.read(next(iter(bench.base)), 10),
        "find": lambda: bench.box.find(Query()),
        "run": lambda: bench.box.run(Command(("true",), 5)),
    }
    for what, call in calls.items():
        with fails(BoxLost, f"{what} on a closed box"):
            call()


CHECKS = (
    a_new_box_holds_its_base,
    bytes_and_names_of_every_kind_survive,
    read_gives_as_much_as_asked_and_the_whole_size,
    read_refuses_what_is_no_file_in_the_workspace,
    reading_a_folder_again_and_again_uses_nothing_up,
    restore_puts_back_every_difference,
    a_file_takes_a_folders_place_and_back,
    restore_refuses_a_state_of_another_base,
    a_state_that_cannot_be_is_refused_and_does_no_harm,
    five_thousand_files_survive,
    caches_and_version_control_are_never_part_of_the_state,
    find_lists_by_folder_and_glob,
    find_shows_lines_with_their_context,
    find_stops_at_its_limit_and_says_so,
    find_refuses_what_it_cannot_do,
    closing_twice_is_no_error,
    a_closed_box_is_lost,
)
