"""What a child process may do while it reads a stranger's file: compute, and answer.

The limits end a file that is too expensive. The rest is a sandbox, for the day on which a file
makes a parser run the sender's code: such code reaches no network, starts no program and reads no
file outside the libraries. The sandbox needs Linux; elsewhere the limits alone apply.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import resource
import signal
import struct
import sys
from collections.abc import Iterable
from typing import Any

#: Bytes of memory on top of what the process has when it starts a file.
MEMORY = 400 * 1024 * 1024
#: Seconds of CPU time for one file, and seconds until the process is killed in any case.
CPU, WALL = 4, 20
#: When the CPU is short, pages come before files (nice(2)).
NICENESS = 5
#: After so many seconds a file counts as expensive, and everything else comes first.
STEPS_BACK_AFTER, NICENESS_OF_EXPENSIVE = 0.3, 15

#: System calls that are refused, by machine: x86_64 and aarch64 (Linux, ``asm/unistd.h``).
#: socket, connect, bind, execve, execveat, ptrace, process_vm_readv, process_vm_writev,
#: io_uring_setup, kill, tkill, tgkill, pidfd_send_signal, pidfd_open, pidfd_getfd,
#: perf_event_open, clone, clone3; fork, vfork on x86_64. Landlock keeps no child from the server
#: and its other children, because all of them inherit the same rules.
_REFUSED = {
    "x86_64": (
        0xC000003E,
        (
            *(41, 42, 49, 59, 322, 101, 310, 311, 425, 62, 200, 234, 424, 434, 438),
            *(298, 56, 435, 57, 58),
        ),
    ),
    "aarch64": (
        0xC00000B7,
        (198, 203, 200, 221, 281, 117, 270, 271, 425, 129, 130, 131, 424, 434, 438, 241, 220, 435),
    ),
}
#: On x86_64 the numbers of the x32 interface begin here; it offers the same calls again.
_X32 = 0x40000000

_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP = 1, 38, 22
_SECCOMP_MODE_FILTER = 2
_SYS_LANDLOCK_CREATE, _SYS_LANDLOCK_ADD, _SYS_LANDLOCK_RESTRICT = 444, 445, 446
#: Landlock, version 1: execute, write, read and list files, remove and make every kind of file.
_LANDLOCK_ALL = (1 << 13) - 1
_LANDLOCK_READ_FILE = 1 << 2
_LANDLOCK_READ = _LANDLOCK_READ_FILE | (1 << 3)

#: Loaded here, so that no child has to. Other systems have none of the calls below.
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
#: The system's own fork; the interpreter stays locked during the call.
_FORK: Any = ctypes.PyDLL(None, use_errno=True).fork if sys.platform == "linux" else None


def limit_children() -> None:
    """Set the limits that a child inherits, in the process that forks the children.

    Call it before a ``Sandbox`` is made, which hides the size of the process.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    with contextlib.suppress(OSError, ValueError):
        size = _address_space() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def limit() -> None:
    """Set the other limits, in a child. Call it before any byte of the file is read."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))
    resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))


def _address_space() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def step_back(process: int, niceness: int) -> None:
    """Let other processes come first. One that steps back further already stays as it is."""
    with contextlib.suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, process) < niceness:
            os.setpriority(os.PRIO_PROCESS, process, niceness)


def die_first() -> None:
    """Let the kernel kill this process and its children first when memory runs out."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends; the parent has one thread."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def fork() -> int:
    """As ``os.fork``, in a process with one thread.

    Python's own fork also runs what modules have registered to repair locks and threads. Nothing
    here needs that, and it takes a tenth of the time of a child.

    Raises:
        OSError: the machine has no room.
    """
    if _FORK is None:
        return os.fork()
    child: int = _FORK()
    if child < 0:
        raise OSError(ctypes.get_errno(), "fork")
    return child


class Sandbox:
    """Every right that reading a file does not need.

    The process that forks the children makes it and gives up the files, which a child inherits.
    The calls are given up by each child, because forking is one of them.

    Args:
        readable: files, and directories whose files stay readable.
    """

    def __init__(self, readable: Iterable[str]) -> None:
        self._header: bytes | None = None
        if _LIBC is None or _LIBC.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
            return
        rules = _only_these_files(_LIBC, readable)
        if rules is not None:
            _LIBC.syscall(_SYS_LANDLOCK_RESTRICT, rules, 0)
            os.close(rules)
        if (found := _without_calls()) is not None:
            self._code, length = found
            self._header = struct.pack("HxxxxxxP", length, ctypes.addressof(self._code))

    def enter(self) -> None:
        """Give up the calls, in a child. It cannot be undone."""
        if _LIBC is not None and self._header is not None:
            _LIBC.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, self._header, 0, 0)


def _only_these_files(libc: ctypes.CDLL, readable: Iterable[str]) -> int | None:
    """Rules of Landlock (landlock(7), Linux 5.13): no file outside ``readable`` opens any more."""
    handled = struct.pack("Q", _LANDLOCK_ALL)
    rules: int = libc.syscall(_SYS_LANDLOCK_CREATE, handled, len(handled), 0)
    if rules < 0:
        return None
    for path in readable:
        with contextlib.suppress(OSError):
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            rights = _LANDLOCK_READ if os.path.isdir(path) else _LANDLOCK_READ_FILE
            rule = struct.pack("=Qi", rights, place)
            libc.syscall(_SYS_LANDLOCK_ADD, rules, 1, rule, 0)
            os.close(place)
    return rules


def _without_calls() -> tuple[ctypes.Array[ctypes.c_char], int] | None:
    """A seccomp filter (seccomp(2)): the calls in ``_REFUSED`` fail with EPERM.

    Returns:
        Its code and the number of its instructions; None for an unknown machine.
    """
    try:
        architecture, numbers = _REFUSED[platform.machine()]
    except KeyError:
        return None
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    refuse, kill, allow = 0x00050000 | 1, 0x80000000, 0x7FFF0000
    program = [
        (load, 0, 0, 4),
        (equal, 1, 0, architecture),
        (answer, 0, 0, kill),
        (load, 0, 0, 0),
        (at_least, len(numbers) + 1, 0, _X32),
    ]
    program += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    program += [(answer, 0, 0, allow), (answer, 0, 0, refuse)]
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    return ctypes.create_string_buffer(code, len(code)), len(program)
