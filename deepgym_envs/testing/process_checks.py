"""What a sandbox promises to leave of a command once it has ended: its files in the workspace, and nothing
else."""

from __future__ import annotations

import threading
import time

from deepgym_envs.errors import BoxLost
from deepgym_envs.sandbox.contract import Command
from deepgym_envs.testing.bench import Bench, same, true

# Each leaves a process that would write into the workspace a moment after its command has ended.
_LINGERING = {
    "background": "(sleep 0.4; echo x > check-late) & exit 0",
    "session": "setsid sh -c 'sleep 0.4; echo x > check-late' & exit 0",
    "ignoring": "nohup sh -c 'trap \"\" TERM HUP INT; sleep 0.4; >check-late' >/dev/null 2>&1 & exit 0",
    "silent": "(exec </dev/null >/dev/null 2>&1; sleep 0.4; echo x > check-late) & exit 0",
}
_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(0.4)
        open("check-late", "w").close()
    os._exit(0)
os.wait()
"""


def no_process_of_a_command_outlives_it(bench: Bench) -> None:
    for script in _LINGERING.values():
        same(bench.run("sh", "-c", script).exit_code, 0, f"exit code of {script!r}")
    bench.python(_DAEMON)
    time.sleep(0.6)
    bench.captures(bench.clean)
    bench.run("sh", "-c", f"{_LINGERING['session']}; sleep 60", seconds=0.2)
    time.sleep(0.6)
    bench.captures(bench.clean)


def a_process_that_keeps_the_output_open_does_not_hang(bench: Bench) -> None:
    began = time.monotonic()
    same(bench.run("sh", "-c", "sleep 60 & setsid sleep 60 & echo done").output, b"done\n", "output")
    script = "import os, subprocess; subprocess.Popen(['sleep', '60'], pass_fds=[3]); os.write(3, b'r')"
    done = bench.box.run(Command(("python", "-c", script), 60, report_bytes=10))
    same((done.report, done.report_overflow), (b"r", False), "report")
    true(time.monotonic() - began < 10, f"it took {time.monotonic() - began:.0f} s")


def many_short_processes_are_reaped(bench: Bench) -> None:
    script = """
import os
for _ in range(400):
    if os.fork() == 0:
        os.fork()
        os._exit(0)
    os.wait()
"""
    bench.python(script)


def scratch_places_are_empty_at_the_next_run(bench: Bench) -> None:
    script = """
        cd "$TMPDIR"; mkdir -p a/b .hidden; echo x > a/b/c; ln -s / link; mkfifo fifo; chmod 000 a/b
        echo x > "$HOME/.profile"; chmod 500 . 2>/dev/null || true
    """
    look = 'cd "$TMPDIR"; find . "$HOME" -mindepth 1; touch "$TMPDIR/writable" "$HOME/writable"'
    for restore_between in (False, True):
        bench.sh(script)
        if restore_between:
            bench.box.restore(bench.clean)
        same(bench.sh(look), b"", "what is left in the scratch folder")


def a_killed_command_leaves_its_scratch_places_empty(bench: Bench) -> None:
    done = bench.run("sh", "-c", "while :; do mktemp -d >/dev/null; done", seconds=0.3)
    same(done.timed_out, True, "whether time ran out")
    same(bench.sh('ls -A "$TMPDIR"'), b"", "what is left in the scratch folder")


def closing_ends_what_another_thread_runs(bench: Bench) -> None:
    """And that is not the agent's doing, although its code was running."""
    ends: list[str] = []

    def run() -> None:
        try:
            bench.run("sh", "-c", "sleep 60", seconds=60)
        except BoxLost as error:
            ends.append("after agent code" if error.after_agent_code else "closed")

    running = threading.Thread(target=run, daemon=True)
    running.start()
    time.sleep(0.4)
    bench.box.close()
    running.join(10)
    same(ends, ["closed"], "how the command ended")


CHECKS = (
    no_process_of_a_command_outlives_it,
    a_process_that_keeps_the_output_open_does_not_hang,
    many_short_processes_are_reaped,
    scratch_places_are_empty_at_the_next_run,
    a_killed_command_leaves_its_scratch_places_empty,
    closing_ends_what_another_thread_runs,
)
