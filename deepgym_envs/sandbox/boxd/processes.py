"""Processes of the agent: how they start, how they are watched, and that none outlives its command."""

import os
import select
import signal
import time

from .agent import CLONE_NEWPID, become_agent, system_call
from .streams import CHUNK, Capped, Trimmed, drain, in_memory

PAUSE_SECONDS = 0.01  # between looks at what a command writes
ROUNDS = 5  # of killing one process after the other, before all are killed at once


class Processes:
    """Starts commands as the agent's user and sees to it that none outlives its call."""

    def __init__(self, config, requests, nursery):
        self.config = config
        self.requests = requests
        self.nursery = nursery
        self.own_pids = os.open("/proc/self/ns/pid", os.O_RDONLY) if config["namespaces"] else None
        self.only_ours = os.getpid() == 1  # then every other process in this PID namespace is the agent's
        self.woken, wake = os.pipe()
        for end in (self.woken, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def others(self):
        """Every process of the box, dead ones included, but this one and the nursery.

        None is found only where there was none, for nobody can hide from the listing: of the processes that
        an agent has, one is always a child of this one, and stays listed until it is reaped here.
        """
        spared = (os.getpid(), self.nursery.pid)
        if self.only_ours:
            found = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        else:
            found = descendants(os.getpid())
        return [pid for pid in found if pid not in spared]

    def kill_all(self):
        """Kill every process of the agent; returns once there is none but the nursery."""
        deadline = time.monotonic() + 20
        rounds = 0
        while True:
            found = self.others()
            if not found:
                return
            if time.monotonic() > deadline:
                raise SystemExit("boxd: a process cannot be killed")
            rounds += 1
            # One system call under the kernel's process-list lock: a fork bomb cannot outrun it. The nursery
            # dies of it as well.
            for pid in [-1] if self.only_ours and rounds > ROUNDS else found:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            while self.reap()[0]:
                pass
            if self.others():
                self.wait_for_child(0.005)

    def reap(self):
        """Reap a child that is dead: its pid and status, or 0 and nothing."""
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 0, None
        if pid and pid == self.nursery.pid:
            self.nursery.drop()
        return pid, status

    def wait_for_child(self, seconds):
        select.select([self.woken], [], [], seconds)
        self.forget_wakes()

    def forget_wakes(self):
        try:
            while os.read(self.woken, 4096):
                pass
        except BlockingIOError:
            pass

    def call(self, start, limits, stdin, apart=False, script=None):
        """Fork, become the agent, call ``start`` there; collect output, report and status; leave nobody
        alive.

        ``limits`` holds seconds, bytes of output and bytes of report. With ``apart`` the child gets
        namespaces of its own, where the box is made for that. With ``script`` (arguments and environment of
        a Python script that does the same as ``start``) the child comes from the nursery, if it can.
        """
        seconds, output_bytes, report_bytes = limits
        given = in_memory(stdin)
        output_read, output_write = os.pipe()
        report_read, report_write = os.pipe()
        status_read, status_write = os.pipe()
        ends = [given, output_write, output_write] + ([report_write] if report_bytes else [])
        apart = apart and self.own_pids is not None
        pid, cold = None, ""
        try:
            if script is not None:
                pid, cold = self.nursery.bear({**script, "apart": apart}, status_write, ends)
                if pid is None:
                    self.kill_all()
            warm, began = pid is not None, time.monotonic()
            if not warm:
                pid = self.fork(apart)
                if pid == 0:
                    self.run_as_agent(ends, status_write if apart else None, start)
        finally:
            for end in (given, output_write, report_write, status_write):
                os.close(end)
        output, report = Trimmed(output_bytes), Capped(report_bytes)
        sinks = {output_read: output, report_read: report}
        try:
            code = self.collect(pid, sinks, began + seconds)
            status = int.from_bytes(os.read(status_read, 4), "big") if apart and code == 0 else code
        finally:
            self.kill_all()
            os.close(status_read)
        while sinks:  # every writer is dead, so this ends
            drain(select.select([*sinks], [], [])[0], sinks)
        return {
            "exit_code": None if status is None else exit_code(status),
            "timed_out": code is None,
            "omitted": output.omitted,
            "report_overflow": report.overflow,
            "seconds": time.monotonic() - began,
            "warm": warm,
            "cold": cold,
        }, [output.value(), bytes(report.data)]

    def collect(self, pid, sinks, deadline):
        """Read what the command writes until it ends; its status, or None at the deadline."""
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            ready, _, _ = select.select([*sinks, self.woken, self.requests], [], [], left)
            if self.requests in ready:  # nobody asks before the answer, so this is the end of whoever asks
                raise EOFError
            self.forget_wakes()
            amount = drain(ready, sinks)
            done = -1
            while done:
                done, code = self.reap()  # orphans too, or they would use up the limit of processes
                if done == pid:
                    return code
            # To look costs more than a line of output, and comes out of what the command may use.
            if amount < CHUNK // 2:
                select.select([self.woken, self.requests], [], [], min(PAUSE_SECONDS, left))

    def fork(self, apart):
        """Fork; with ``apart`` the child is process 1 of a new PID namespace."""
        if not apart:
            return os.fork()
        system_call("unshare", CLONE_NEWPID)  # for children to come, hence undone at once
        pid = None
        try:
            pid = os.fork()
            return pid
        finally:
            if pid != 0:
                system_call("setns", self.own_pids, CLONE_NEWPID)

    def run_as_agent(self, ends, status, start):
        """In the child: become the agent, run ``start``; never returns."""
        code = 126
        try:
            become_agent(self.config, ends, status)
            code = start() or 0
        except BaseException as error:
            code = 127 if isinstance(error, FileNotFoundError) else 126
            os.write(2, ("cannot start: %s\n" % error).encode("utf-8", "replace"))
        finally:
            os._exit(code)


def descendants(pid: int) -> "list[int]":
    """Every process below ``pid``, nearest first."""
    found, queue = [], [pid]
    while queue:
        parent = queue.pop()
        try:
            for task in os.listdir("/proc/%d/task" % parent):
                with open("/proc/%d/task/%s/children" % (parent, task)) as listing:
                    queue += map(int, listing.read().split())
        except OSError:
            continue
        if parent != pid:
            found.append(parent)
    return found


def exit_code(status):
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
