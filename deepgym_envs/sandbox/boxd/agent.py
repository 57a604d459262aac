"""From the box's own user to the agent's: what each process of the agent does before anything else.

The file stands alone: the program that warm commands are forked from (``nursery.py``) loads it by its place.
"""

import ctypes
import errno
import fcntl
import os
import resource
import signal
import struct

PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 4, 22, 38
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_NOATIME, MS_BIND = 1, 2, 4, 8, 32, 1024, 4096

SECCOMP_MODE_FILTER, SECCOMP_ALLOW, SECCOMP_ERRNO = 2, 0x7FFF0000, 0x50000
BPF_LOAD, BPF_EQUAL, BPF_AT_LEAST, BPF_RETURN = 0x20, 0x15, 0x35, 0x06
X32 = 0x40000000  # added to the numbers of a third kind of calls that x86-64 has
ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
# What no program under test needs, and kernels are attacked through: numbers on x86-64 and on aarch64.
REFUSED_CALLS = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "perf_event_open": (298, 241), "bpf": (321, 280),
    "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39),
    "pivot_root": (155, 41), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "open_by_handle_at": (304, 265), "kexec_load": (246, 104), "kexec_file_load": (320, 294),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "acct": (163, 89),
    "quotactl": (179, 60), "settimeofday": (164, 170), "clock_settime": (227, 112), "syslog": (103, 116),
}  # fmt: skip


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
    if config["user"] or config["namespaces"]:
        refuse_calls(os.uname().machine)
    os.umask(0o022)
    os.chdir(config["workspace"])


def refuse_calls(machine):
    """Let this process and all that it starts make no call of ``REFUSED_CALLS``, nor one by the numbers of
    another kind of processor; where these are not known, nothing is refused."""
    if machine not in ARCHITECTURES:
        return
    architecture, column = ARCHITECTURES[machine]
    numbers = sorted(pair[column] for pair in REFUSED_CALLS.values())
    steps = [
        (BPF_LOAD, 0, 0, 4),  # which kind of processor the number is one of
        (BPF_EQUAL, 1, 0, architecture),
        (BPF_RETURN, 0, 0, SECCOMP_ERRNO | errno.EPERM),
        (BPF_LOAD, 0, 0, 0),  # the number
        (BPF_AT_LEAST, len(numbers) + 1, 0, X32),
        *((BPF_EQUAL, len(numbers) - at, 0, number) for at, number in enumerate(numbers)),
        (BPF_RETURN, 0, 0, SECCOMP_ALLOW),
        (BPF_RETURN, 0, 0, SECCOMP_ERRNO | errno.EPERM),
    ]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(code)))
    system_call("prctl", PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    system_call("prctl", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, program, 0, 0)


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
