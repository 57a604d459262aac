"""What a sandbox promises of a command: its input, its end, and what comes out of it."""

from __future__ import annotations

import time

from deepgym_envs.sandbox.contract import Command
from deepgym_envs.testing.bench import CANARY, Bench, same, true


def exit_codes_are_told_apart_from_signals(bench: Bench) -> None:
    for code in (0, 1, 3, 255):
        same(bench.run("sh", "-c", f"exit {code}").exit_code, code, "exit code")
    for signal in (6, 9, 15):
        same(bench.run("sh", "-c", f"kill -{signal} $$").exit_code, -signal, "exit code")
    same(bench.run("sh", "-c", "exit 137").exit_code, 137, "an exit code that a shell uses for signals")


def a_program_that_cannot_start_has_an_exit_code(bench: Bench) -> None:
    bench.restore({"check/plain": b"not a program"})
    same(bench.run("check-no-such-program").exit_code, 127, "exit code of a program that is not there")
    true(bench.run("check/plain").exit_code not in (0, None), "a file without the mode of a program ran")
    true(bench.run("echo", "a\0b").exit_code not in (0, None), "a program with a NUL in its arguments ran")


def arguments_arrive_as_they_are(bench: Bench) -> None:
    arguments = ("", "a b", "ü🎉", "*", "$HOME", "new\nline", "--", "\udcff", "{other}")
    output = bench.python(
        "import os, sys; os.write(1, b'\\0'.join(map(os.fsencode, sys.argv[1:])))", *arguments
    )
    same(output, "\0".join(arguments).encode("utf-8", "surrogateescape"), "arguments")


def standard_input_arrives_and_ends(bench: Bench) -> None:
    data = bytes(range(256)) * 1000
    same(bench.run("wc", "-c", stdin=data).output.split(), [b"256000"], "bytes that were read")
    same(bench.run("cat", stdin=b"\0\xff").output, b"\0\xff", "bytes that came back")
    same(bench.run("cat").output, b"", "bytes of no input")


def output_and_errors_come_together_in_order(bench: Bench) -> None:
    done = bench.run("sh", "-c", "echo 1; echo 2 >&2; echo 3; echo 4 >&2")
    same((done.output, done.omitted), (b"1\n2\n3\n4\n", 0), "output")


def long_output_keeps_both_ends_and_a_mark(bench: Bench) -> None:
    script = "import sys; sys.stdout.write('first\\n' + 'x' * 3_000_000 + '\\nlast')"
    done = bench.box.run(Command(("python", "-c", script), 30, output_bytes=1000))
    true(
        done.output.startswith(b"first\n") and done.output.endswith(b"\nlast"),
        "an end of the output is missing",
    )
    same(done.omitted, 3_000_011 - 1000, "bytes omitted")
    true(str(done.omitted).encode() in done.output, "the mark does not say how much is missing")
    true(len(done.output) <= 1100, f"{len(done.output)} bytes of output for a limit of 1000")
    short = bench.box.run(Command(("printf", "%s", "y" * 1000), 30, output_bytes=1000))
    same((short.output, short.omitted), (b"y" * 1000, 0), "output that just fits")


def time_limits_end_a_command(bench: Bench) -> None:
    for script in (
        "sleep 60",
        "trap '' TERM INT HUP; while :; do :; done",
        "kill -STOP $$",
        "echo first; exec sleep 60",
    ):
        began = time.monotonic()
        done = bench.run("sh", "-c", script, seconds=0.3)
        same((done.timed_out, done.exit_code), (True, None), f"the end of {script!r}")
        true(time.monotonic() - began < 5, f"{script!r} took {time.monotonic() - began:.1f} s of 0.3 s")
        true(0.3 <= done.seconds < 5, f"{script!r} is said to have taken {done.seconds} s")
    same(done.output, b"first\n", "output before the time ran out")
    same(bench.run("true").timed_out, False, "time out of a quick command")


def a_command_that_floods_its_output_ends_in_time(bench: Bench) -> None:
    done = bench.run("sh", "-c", "exec yes", seconds=0.5)
    true(done.timed_out and done.omitted > 100_000, f"a flood left {done.omitted} bytes out")


def files_are_there_during_the_run_and_gone_after(bench: Bench) -> None:
    files = {"a.py": b"print('a')", "in/b.bin": bytes(range(256)), "ü \n": b"", "in/deep/c": b"c"}
    script = 'cd "$1"; python a.py; wc -c < in/b.bin; cat in/deep/c; echo " $1"'
    done = bench.box.run(Command(("sh", "-ec", script, "sh", "{files}"), 30, files=files))
    first, size, rest = done.output.split(b"\n", 2)
    same((done.exit_code, first, size.strip(), rest[:2]), (0, b"a", b"256", b"c "), "what the command said")
    place = rest[2:].strip().decode()
    true(place.startswith("/") and len(place.rsplit("/", 1)[-1]) >= 8, f"{place!r} can be guessed")
    same(bench.run("ls", place).exit_code not in (0, None), True, "whether the files are gone")
    again = bench.box.run(Command(("echo", "x{files}y"), 30, files=files)).output.decode().strip()
    true(
        again.startswith("x/") and again.endswith("y") and again != f"x{place}y", f"{again!r} was used before"
    )
    bench.captures(bench.clean)


def a_report_comes_through_descriptor_three(bench: Bench) -> None:
    script = "import os, sys; os.write(3, bytes(range(256)) * int(sys.argv[1])); print('out')"
    for times, limit in ((1, 1000), (2000, 512_000), (2000, 600_000)):
        done = bench.box.run(Command(("python", "-c", script, str(times)), 30, report_bytes=limit))
        same((done.report, done.report_overflow), (bytes(range(256)) * times, False), "report")
        same(done.output, b"out\n", "output")


def a_report_is_cut_at_its_limit_and_says_so(bench: Bench) -> None:
    script = "import os\nfor _ in range(1000): os.write(3, b'0123456789')"
    done = bench.box.run(Command(("python", "-c", script), 30, report_bytes=1005))
    same((done.report, done.report_overflow), ((b"0123456789" * 101)[:1005], True), "report")
    same(done.exit_code, 0, "exit code of a program that reports too much")


def without_a_report_descriptor_three_is_closed(bench: Bench) -> None:
    script = "import os, sys; sys.stdout.write(' '.join(sorted(os.listdir('/proc/self/fd'))))"
    # The listing itself takes the lowest number that is free.
    same(bench.python(script), b"0 1 2 3", "open descriptors")
    same(bench.run("sh", "-c", "echo x >&3").exit_code == 0, False, "whether a report can be written")


def the_environment_holds_nothing_of_the_hosts(bench: Bench) -> None:
    names = dict(line.partition("=")[::2] for line in bench.sh("env").decode().splitlines())
    true(CANARY not in names, "a variable of the host is in the environment")
    seen = bench.run("sh", "-c", f"grep -al {CANARY}=seen /proc/[0-9]*/environ 2>/dev/null").output
    same(seen, b"", "processes that show the host's variable")


def a_command_can_be_given_variables(bench: Bench) -> None:
    done = bench.box.run(Command(("sh", "-c", 'echo "$A $B"'), 30, environment={"A": "ü", "B": "b c"}))
    same(done.output.decode(), "ü b c\n", "variables")
    same(bench.sh('echo "$A"'), b"\n", "the variable in the next command")


def a_command_starts_in_the_workspaces_root(bench: Bench) -> None:
    bench.restore({"check/here": b"x"})
    same(bench.sh("cat check/here; cd check"), b"x", "a file by its path")
    same(bench.sh("cat check/here"), b"x", "a file by its path, after a command that went elsewhere")


CHECKS = (
    exit_codes_are_told_apart_from_signals,
    a_program_that_cannot_start_has_an_exit_code,
    arguments_arrive_as_they_are,
    standard_input_arrives_and_ends,
    output_and_errors_come_together_in_order,
    long_output_keeps_both_ends_and_a_mark,
    time_limits_end_a_command,
    a_command_that_floods_its_output_ends_in_time,
    files_are_there_during_the_run_and_gone_after,
    a_report_comes_through_descriptor_three,
    a_report_is_cut_at_its_limit_and_says_so,
    without_a_report_descriptor_three_is_closed,
    the_environment_holds_nothing_of_the_hosts,
    a_command_can_be_given_variables,
    a_command_starts_in_the_workspaces_root,
)
