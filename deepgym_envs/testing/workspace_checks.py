"""What a sandbox promises of files after programs of an agent have been at them."""

from __future__ import annotations

import time

from deepgym_envs.errors import ActionError
from deepgym_envs.sandbox.contract import Query
from deepgym_envs.state import File
from deepgym_envs.testing.bench import Bench, fails, same, true
from deepgym_envs.testing.file_checks import EVERY_KIND

# $1 is a file of the base. Leaves nothing as it was, and things that are hard to remove.
_VANDAL = """
chmod 4777 "$1"; ln "$1" check-hard-link; echo more >> "$1"
rm -rf check/gone check/to-folder check/to-link check/to-fifo check/to-socket
mkdir check/to-folder; echo x > check/to-folder/x
ln -s / check/to-link; mkfifo check/to-fifo
python -c 'import socket; socket.socket(socket.AF_UNIX).bind("check/to-socket")'
chmod 000 check/mode; chmod 777 check/wide; chmod +x check/plain
mkdir -p check/extra/empty check/.git .pytest_cache check/.deepgym-trash; touch check/extra/file check/.git/x
ln -s nowhere check/dangling; ln -s check check-link; touch -- "-rf" ".hidden" ".deepgym-trash"
mkdir -p check/locked/in; touch check/locked/in/x check/__pycache__ check/.deepgym-trash/x
chmod 000 check/locked
mv check/moved check/elsewhere
chmod 500 check; chmod 000 .
"""

_LIVELY: dict[str, bytes | File | None] = {
    **{f"check/{name}": b"x" for name in ("gone", "to-folder", "to-link", "to-fifo", "to-socket")},
    **{f"check/{name}": b"x" for name in ("mode", "wide", "plain", "moved/in/it")},
    "check/executable": File(b"x", executable=True),
}


def programs_see_exactly_what_was_restored(bench: Bench) -> None:
    bench.holds(bench.clean)
    bench.holds(bench.restore(EVERY_KIND))
    bench.box.restore(bench.clean)
    bench.holds(bench.clean)


def restore_undoes_whatever_a_program_did(bench: Bench) -> None:
    path = next(path for path, file in bench.base.items() if file.data)
    for capture_between in (False, True):
        state = bench.restore(_LIVELY)
        bench.sh(_VANDAL, path)
        if capture_between:
            bench.box.capture()
        bench.box.restore(state)
        bench.holds(state)
        bench.captures(state)
        bench.box.restore(bench.clean)
        bench.holds(bench.clean)


def capture_leaves_in_the_workspace_what_it_gives(bench: Bench) -> None:
    path = next(path for path, file in bench.base.items() if file.data)
    bench.restore(_LIVELY)
    bench.sh(_VANDAL, path)
    captured = bench.box.capture().state
    bench.holds(captured)
    bench.captures(captured)


def capture_gives_what_a_program_changed(bench: Bench) -> None:
    path = next(iter(bench.base))
    bench.restore({"check/edited": b"old", "check/gone": b"x", "check/mode": b"x"})
    script = """
        printf new > check/edited; rm check/gone "$1"; chmod +x check/mode
        mkdir -p check/empty check/in; printf made > check/in/made; touch check/in/empty-file
    """
    bench.sh(script, path)
    wanted = bench.state({
        path: None,
        "check/edited": b"new",
        "check/mode": File(b"x", executable=True),
        "check/in/made": b"made",
        "check/in/empty-file": b"",
    })  # fmt: skip
    bench.captures(wanted)
    bench.holds(wanted)


def capture_gives_bytes_and_names_of_every_kind(bench: Bench) -> None:
    state = bench.restore(EVERY_KIND)
    bench.python("import os; [os.utime(os.path.join(b'check', name)) for name in os.listdir(b'check')]")
    bench.captures(state)
    bench.sh("mkdir other && mv check other/check && mv other/check . && rmdir other")
    bench.captures(state)


def an_edit_right_after_a_restore_is_seen(bench: Bench) -> None:
    path = next(path for path, file in bench.base.items() if file.data and b"\0" not in file.data[:1])
    old = bench.base[path]
    bench.sh('printf broken > "$1"', path)
    # A clock tick of the kernel lasts up to 10 ms: a file may change, and change back in size and times,
    # within one.
    for attempt in range(12):
        bench.box.restore(bench.clean)
        bench.sh('printf "\\0" | dd of="$1" conv=notrunc bs=1 count=1 2>/dev/null', path)
        captured = bench.box.capture().state
        same(captured, bench.state({path: File(b"\0" + old.data[1:], old.executable)}), f"state {attempt}")
        bench.sh('printf broken > "$1"', path)


def an_edit_that_puts_size_and_time_back_is_seen(bench: Bench) -> None:
    path = next(path for path, file in bench.base.items() if file.data and file.data[:1] != b"\0")
    script = """
import os, sys
found = os.stat(sys.argv[1])
with open(sys.argv[1], "r+b") as file:
    file.write(b"\\0")
os.utime(sys.argv[1], ns=(found.st_atime_ns, found.st_mtime_ns))
"""
    bench.python(script, path)
    old = bench.base[path]
    bench.captures(bench.state({path: File(b"\0" + old.data[1:], old.executable)}))
    bench.box.restore(bench.clean)
    bench.holds(bench.clean)


def a_write_through_a_shared_mapping_is_seen_and_undone(bench: Bench) -> None:
    path = next(path for path, file in bench.base.items() if len(file.data) > 4)
    script = """
import mmap, os, sys
end = os.open(sys.argv[1], os.O_RDWR)
with mmap.mmap(end, 0) as mapped:
    mapped[0]
    mapped[0:4] = b"EVIL"
"""
    wanted = bench.state({path: b"EVIL" + bench.base[path].data[4:]})
    if bench.base[path].executable:
        wanted = bench.state({path: File(b"EVIL" + bench.base[path].data[4:], executable=True)})
    bench.box.restore(bench.clean)
    for capture_between in (True, False):
        time.sleep(0.1)  # longer than any clock tick
        bench.python(script, path)
        if capture_between:
            bench.captures(wanted)
        bench.box.restore(bench.clean)
        bench.holds(bench.clean)
        bench.captures(bench.clean)


def what_a_program_attaches_to_folders_does_not_last(bench: Bench) -> None:
    script = """
import os, struct, sys
lists = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, 0, 0xFFFFFFFF) for tag in (0x01, 0x04, 0x20))
for folder in [".", "check", os.environ["TMPDIR"]]:
    for name, value in (("user.note", b"x"), ("system.posix_acl_default", lists)):
        try:
            os.setxattr(folder, name, value)
        except OSError:
            pass
    try:
        os.utime(folder, (777, 777))
    except OSError:
        pass
"""
    look = """
import os
for folder in [".", os.environ["TMPDIR"]]:
    names = [name for name in os.listxattr(folder) if name.startswith(("user.", "system.posix_acl"))]
    print(folder, names, int(os.stat(folder).st_mtime) == 777)
"""
    for capture_between in (True, False):
        bench.restore({"check/x": b"x"})
        bench.python(script)
        if capture_between:
            bench.box.capture()
        bench.box.restore(bench.clean)
        rows = bench.python(look).decode().splitlines()
        true(all(row.endswith(" [] False") for row in rows), f"a folder keeps what was attached: {rows}")
        bench.sh("echo x > made; cat made; rm made")


def a_sparse_file_becomes_one_that_fits_wherever_it_has_been(bench: Bench) -> None:
    bench.restore({})
    bench.python("import os; os.truncate(os.open('check-sparse', os.O_CREAT | os.O_WRONLY, 0o644), 1 << 20)")
    captured = bench.box.capture()
    wanted = bench.state({"check-sparse": bytes(1 << 20)})
    true(captured.state in (wanted, bench.clean), f"captured {captured.state.changed_paths}")
    if captured.state == wanted:
        blocks = int(bench.python("import os; print(os.stat('check-sparse').st_blocks)"))
        true(blocks * 512 >= 1 << 20, "a file of the workspace has holes")


def capture_drops_what_cannot_be_a_value_and_names_it(bench: Bench) -> None:
    bench.restore({"check/kept": b"x"})
    bench.sh("""
        cd check; mkdir folder; ln -s /etc/passwd link; ln -s / folder-link; ln -s nowhere folder/dangling
        mkfifo fifo; for size in 1T 1G 100M 20M; do truncate -s $size huge 2>/dev/null && break; done
        python -c 'import socket; socket.socket(socket.AF_UNIX).bind("socket")'
    """)
    captured = bench.box.capture()
    same(captured.state, bench.state({"check/kept": b"x"}), "the state")
    names = ("fifo", "folder-link", "folder/dangling", "huge", "link", "socket")
    same(
        sorted(path for path, _ in captured.dropped), [f"check/{name}" for name in names], "what was dropped"
    )
    true(all(reason for _, reason in captured.dropped), "something was dropped without a reason")
    bench.holds(captured.state)


def hard_links_become_files_of_their_own(bench: Bench) -> None:
    path = next(iter(bench.base))
    bench.restore({"check/a": b"1"})
    bench.sh('ln check/a check/b; ln "$1" check/c', path)
    state = bench.state({"check/a": b"1", "check/b": b"1", "check/c": bench.base[path]})
    bench.captures(state)
    bench.sh("printf 2 > check/b; printf 3 > check/c")
    bench.captures(
        bench.state({"check/a": b"1", "check/b": b"2", "check/c": File(b"3", bench.base[path].executable)})
    )


def folders_of_any_depth_and_names_of_any_length_do_no_harm(bench: Bench) -> None:
    bench.restore({"check/x": b"x"})
    script = """
import os
for name, depth in (("d", 200), ("e" * 255, 40)):
    os.chdir("check")
    for _ in range(depth):
        os.mkdir(name); os.chdir(name)
        open("file", "w").close()
    for _ in range(depth + 1):
        os.chdir("..")
"""
    bench.python(script)
    captured = bench.box.capture()
    same(captured.state.get("check/d/d/file"), File(b""), "a file that is not deep")
    dropped = [path for path, _ in captured.dropped]
    true(
        any("/d/d" in path for path in dropped), f"the deep folder is not named among {len(dropped)} dropped"
    )
    true(any("/eee" in path for path in dropped), f"the long path is not named among {len(dropped)} dropped")
    bench.captures(captured.state)
    bench.restore({"check/x": b"x"})
    bench.python(script)
    bench.box.restore(bench.clean)
    bench.holds(bench.clean)


def caches_that_a_program_made_are_no_state(bench: Bench) -> None:
    state = bench.restore({"check/x.py": b"x = 1\n"})
    bench.sh("""
        mkdir -p check/__pycache__ .pytest_cache/v check/.mypy_cache .git-not check/.git
        touch check/__pycache__/x.pyc check/x.pyc check/x.pyo .pytest_cache/v/x
        touch check/.mypy_cache/x check/.git/x
        rmdir .git-not
    """)
    bench.captures(state)
    bench.holds(state)


def a_program_that_takes_every_byte_and_name_is_undone(bench: Bench) -> None:
    state = bench.restore({"check/x": b"x" * 1000})
    fill = """
import os, sys
os.mkdir("check/fill")
try:
    for number in range(int(sys.argv[1])):
        with open("check/fill/%d" % number, "wb", 0) as file:
            file.write(b"x" * int(sys.argv[2]))
except OSError:
    pass
"""
    for count, size in (("100", "1000000"), ("12000", "0")):
        bench.python(fill, count, size)
        bench.box.restore(state)
        bench.holds(state)
        bench.python(fill, count, size)
        bench.box.capture()
        bench.box.restore(state)
        bench.captures(state)


def read_and_find_do_not_follow_links_of_a_program(bench: Bench) -> None:
    bench.restore({"check/x": b"inside"})
    bench.sh("""
        mkdir "$TMPDIR/out" && echo secret > "$TMPDIR/out/secret"
        cd check; ln -s /etc/passwd file; ln -s /etc folder; ln -s . self; ln -s ../.. up; ln -s x near
        mkfifo fifo
        ln -s /proc/self/environ environ; ln -s /dev/zero zero
    """)
    paths = ["file", "folder", "folder/passwd", "self/x", "up/check/x", "near", "fifo", "environ", "zero"]
    for path in paths:
        with fails(ActionError, f"reading check/{path}"):
            bench.box.read(f"check/{path}", 100)
    for folder in ("folder", "self", "up", "up/check", "near", "fifo"):
        with fails(ActionError, f"looking into check/{folder}"):
            bench.box.find(Query(f"check/{folder}", seconds=5))
    same(bench.box.find(Query("check")).files, (("check/x", 6),), "listed files")
    same(
        {line.path for line in bench.box.find(Query("check", pattern=".")).lines},
        {"check/x"},
        "searched files",
    )


def restore_does_not_write_through_links_of_a_program(bench: Bench) -> None:
    for capture_between in (False, True):
        bench.restore({"check/d/x": b"x"})
        bench.sh('rm -r check/d; ln -s "$TMPDIR" check/d; ln -s "$TMPDIR/y" check/y')
        if capture_between:
            bench.box.capture()
        state = bench.restore({"check/d/x": b"1", "check/d/e/x": b"2", "check/y": b"3"})
        bench.holds(state)
        same(bench.sh('ls -A "$TMPDIR"'), b"", "what lies outside the workspace")


def find_passes_over_what_may_not_be_read(bench: Bench) -> None:
    bench.restore({"check/a": b"line", "check/b": b"line", "check/c/d": b"line", "check/e": b"line"})
    bench.sh("chmod 000 check/b check/c")
    paths = [line.path for line in bench.box.find(Query("check", pattern="line")).lines]
    true({"check/a", "check/e"} <= set(paths), f"found only {paths}")


def find_sees_what_a_program_left(bench: Bench) -> None:
    bench.sh("mkdir -p check/.git; echo line > check/made; echo line > check/made.pyc; touch check/.git/x")
    same(bench.box.find(Query("check")).files, (("check/made", 5),), "listed files")
    same(
        [line.path for line in bench.box.find(Query(pattern="^line$", folder="check")).lines],
        ["check/made"],
        "lines",
    )
    with fails(ActionError, "looking into a folder that is not there"):
        bench.box.find(Query("check/none"))


def find_ends_a_search_that_takes_too_long(bench: Bench) -> None:
    bench.restore({"check/x": b"a" * 64 + b"!"})
    with fails(ActionError, "a search that explodes"):
        bench.box.find(Query("check", pattern="(a+)+$", seconds=0.3))
    same(len(bench.box.find(Query("check", pattern="a")).lines), 1, "lines of the next search")


CHECKS = (
    programs_see_exactly_what_was_restored,
    restore_undoes_whatever_a_program_did,
    capture_leaves_in_the_workspace_what_it_gives,
    capture_gives_what_a_program_changed,
    capture_gives_bytes_and_names_of_every_kind,
    an_edit_right_after_a_restore_is_seen,
    an_edit_that_puts_size_and_time_back_is_seen,
    a_write_through_a_shared_mapping_is_seen_and_undone,
    what_a_program_attaches_to_folders_does_not_last,
    a_sparse_file_becomes_one_that_fits_wherever_it_has_been,
    capture_drops_what_cannot_be_a_value_and_names_it,
    hard_links_become_files_of_their_own,
    folders_of_any_depth_and_names_of_any_length_do_no_harm,
    caches_that_a_program_made_are_no_state,
    a_program_that_takes_every_byte_and_name_is_undone,
    read_and_find_do_not_follow_links_of_a_program,
    restore_does_not_write_through_links_of_a_program,
    find_passes_over_what_may_not_be_read,
    find_sees_what_a_program_left,
    find_ends_a_search_that_takes_too_long,
)
