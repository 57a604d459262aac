"""From the box's own user to the agent's: what each process of the agent does before anything else.

The file stands alone: the program that warm commands are forked from (``nursery.py``) loads it by its place.
"""

import ctypes
import fcntl
import os
import resource
import signal

PR_SET_DUMPABLE = 4
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096


def system_call(name, *arguments):
    """Call the C library's function of that name; raises ``OSError`` when it fails."""
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) != 0:
        code = ctypes.get_errno()
        raise OSError(code, "%s: %s" % (name, os.strerror(code)))


def become_agent(config, ends, status):
    """In a new process: take ``ends`` as descriptors 0 and up, and drop every privilege.

    With ``status``, a descriptor, the process is the first of its PID namespace: it sets up the others and
    goes on as the second.
    """
    take(ends)
    os.setsid()
    system_call("prctl", PR_SET_DUMPABLE, 1, 0, 0, 0)  # or the next file would be root's
    with open("/proc/self/oom_score_adj", "w") as score:
        score.write("1000")
    if status is not None:
        enter_namespaces(status)
    for name, value in config["rlimits"].items():
        resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
    if config["user"]:
        user, group = config["user"]
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    os.umask(0o022)
    os.chdir(config["workspace"])


def take(ends):
    """In a new process: have ``ends`` as descriptors 0 and up, and no handlers of signals."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    moved = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 64) for end in ends]
    for number, end in enumerate(moved):
        os.dup2(end, number)


def enter_namespaces(status):
    """Where one user is all there is: go on as process 2 in namespaces where nothing of boxd can be named.

    A process of the same user could change boxd's limits and priority, and leave shared memory and kernel
    keys to whoever has the box next. Process 1 stays behind to reap, and to write the status of process 2 to
    ``status``.
    """
    system_call("unshare", CLONE_NEWNS | CLONE_NEWIPC)
    system_call("mount", b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None)
    process = os.open("/proc", os.O_PATH | os.O_DIRECTORY)
    system_call("mount", b"/proc", b"/proc", None, MS_BIND, None)
    flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
    system_call("mount", None, b"/proc", None, flags, None)
    pid = os.fork()
    if pid:
        os.dup2(status, 0)
        os.closerange(1, 1024)
        while True:
            done, code = os.waitpid(-1, 0)
            if done == pid:
                os.write(0, code.to_bytes(4, "big"))
                os._exit(0)
    os.close(status)
    system_call("unshare", CLONE_NEWUSER)
    for name, text in (
        ("self/setgroups", b"deny"),
        ("self/uid_map", b"1000 0 1"),
        ("self/gid_map", b"1000 0 1"),
        ("sys/user/max_user_namespaces", b"0"),
    ):
        end = os.open(name, os.O_WRONLY, dir_fd=process)
        os.write(end, text)
        os.close(end)
    os.close(process)
