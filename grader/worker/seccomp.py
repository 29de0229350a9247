"""Seccomp: which system calls a worker may make.

An allow-list, as a classic BPF program of our own. Whatever is not on it fails with EPERM, so that Python
raises and the student reads an error instead of being killed. The program is built once, in the
forkserver; each worker loads it with one system call.

The numbers are those of arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from grader.worker._libc import PR_SET_NO_NEW_PRIVS, prctl, syscall

Profile = Literal["cpu", "cuda"]

# Calls with a condition on an argument are in _conditions below, and not here.
_CPU = (  # noqa: SIM905  a list would be a line for each
    # memory
    "brk madvise mmap mprotect mremap munmap "
    # descriptors that it holds, and files that Landlock lets it read
    "close fstat getdents64 lseek newfstatat openat pread64 read readv write writev "
    "access faccessat faccessat2 getcwd lstat readlink readlinkat stat statx "
    # time
    "clock_getres clock_gettime clock_nanosleep gettimeofday nanosleep time times "
    # locks, signals to itself
    "futex restart_syscall rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack "
    # what it is and where it runs
    "getcpu getegid geteuid getgid getpgid getpgrp getpid getppid getresgid getresuid getrlimit getrusage "
    "getsid gettid getuid sched_getaffinity sched_yield sysinfo uname "
    "getrandom exit exit_group"
).split()

# The CUDA driver and its runtime: threads, events, polling, and ioctl on the devices that Landlock names.
_CUDA = (  # noqa: SIM905  names read better as words than as a quoted list
    "dup dup3 epoll_create1 epoll_ctl epoll_pwait eventfd2 fadvise64 get_mempolicy ioctl mbind membarrier "
    "mincore mlock mlock2 munlock pipe2 poll ppoll rseq sched_get_priority_max sched_get_priority_min "
    "sched_getparam sched_getscheduler sched_setaffinity set_mempolicy set_robust_list"
).split()

_TCGETS = 0x5401
_FIONCLEX = 0x5450
_FIOCLEX = 0x5451
_TCGETS2 = 0x802C542A
_F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC = 1, 2, 3, 4, 1030
# What pthread_create asks for: VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS and the two for its id.
_CLONE_OF_A_THREAD = 0x003D0F00
_PR_SET_NAME, _PR_GET_NAME = 15, 16

# name: (x86-64, aarch64); None where the architecture has no such call.
_NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "access": (21, None),
    "brk": (12, 214),
    "clock_getres": (229, 114),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close": (3, 57),
    "dup": (32, 23),
    "dup3": (292, 24),
    "epoll_create1": (291, 20),
    "epoll_ctl": (233, 21),
    "epoll_pwait": (281, 22),
    "eventfd2": (290, 19),
    "exit": (60, 93),
    "exit_group": (231, 94),
    "faccessat": (269, 48),
    "faccessat2": (439, 439),
    "fadvise64": (221, 223),
    "fcntl": (72, 25),
    "fstat": (5, 80),
    "futex": (202, 98),
    "get_mempolicy": (239, 236),
    "getcpu": (309, 168),
    "getcwd": (79, 17),
    "getdents64": (217, 61),
    "getegid": (108, 177),
    "geteuid": (107, 175),
    "getgid": (104, 176),
    "getpgid": (121, 155),
    "getpgrp": (111, None),
    "getpid": (39, 172),
    "getppid": (110, 173),
    "getrandom": (318, 278),
    "getresgid": (120, 150),
    "getresuid": (118, 148),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "getsid": (124, 156),
    "gettid": (186, 178),
    "gettimeofday": (96, 169),
    "getuid": (102, 174),
    "ioctl": (16, 29),
    "lseek": (8, 62),
    "lstat": (6, None),
    "madvise": (28, 233),
    "mbind": (237, 235),
    "membarrier": (324, 283),
    "mincore": (27, 232),
    "mlock": (149, 228),
    "mlock2": (325, 284),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "mremap": (25, 216),
    "munlock": (150, 229),
    "munmap": (11, 215),
    "nanosleep": (35, 101),
    "newfstatat": (262, 79),
    "openat": (257, 56),
    "pipe2": (293, 59),
    "poll": (7, None),
    "ppoll": (271, 73),
    "prctl": (157, 167),
    "pread64": (17, 67),
    "prlimit64": (302, 261),
    "read": (0, 63),
    "readlink": (89, None),
    "readlinkat": (267, 78),
    "readv": (19, 65),
    "restart_syscall": (219, 128),
    "rseq": (334, 293),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "sched_get_priority_max": (146, 125),
    "sched_get_priority_min": (147, 126),
    "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121),
    "sched_getscheduler": (145, 120),
    "sched_setaffinity": (203, 122),
    "sched_yield": (24, 124),
    "set_mempolicy": (238, 237),
    "set_robust_list": (273, 99),
    "sigaltstack": (131, 132),
    "stat": (4, None),
    "statx": (332, 291),
    "sysinfo": (99, 179),
    "tgkill": (234, 131),
    "time": (201, None),
    "times": (100, 153),
    "uname": (63, 160),
    "write": (1, 64),
    "writev": (20, 66),
}

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
_X32 = 0x40000000

_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP = 0x05  # BPF_JMP | BPF_JA
_IF_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_IF_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_KILL = 0x80000000
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_DENY = _ERRNO | errno.EPERM
_UNKNOWN = _ERRNO | errno.ENOSYS

_NUMBER_AT = 0
_ARCHITECTURE_AT = 4
_ARGUMENTS_AT = 16

_SET_MODE_FILTER = 1
_GET_ACTION_AVAIL = 2
_SECCOMP = {"x86_64": 317, "aarch64": 277}

# An immediate that no condition uses: stands for the worker's pid until the worker is there.
_OWN_PID = 0x7E57_9E57

Instruction = tuple[int, int, int, int]


@dataclass(frozen=True)
class Program:
    """A filter, and where the worker's own pid goes into it."""

    code: bytes
    pid_at: int | None

    def for_pid(self, pid: int) -> bytes:
        """The program in which "to itself" means this process."""
        if self.pid_at is None:
            return self.code
        code = bytearray(self.code)
        struct.pack_into("=I", code, self.pid_at, pid)
        return bytes(code)


def machine() -> str:
    """The architecture, by the kernel's name."""
    return platform.machine()


def supported() -> str | None:
    """Why there can be no filter here; None if there can."""
    if sys.platform != "linux":
        return "seccomp is Linux's"
    if machine() not in _ARCHITECTURES:
        return f"no table of system calls for {machine()}"
    if struct.calcsize("P") != 8:
        return "no table of system calls for 32-bit programs"
    try:
        action = ctypes.create_string_buffer(struct.pack("=I", _ERRNO), 4)
        syscall(_SECCOMP[machine()], _GET_ACTION_AVAIL, 0, action)
    except OSError as error:
        return f"this kernel filters no system calls ({error.strerror})"
    return None


def build_program(profile: Profile = "cpu", architecture: str | None = None) -> Program:
    """Write the filter.

    Args:
        profile: "cpu" for a single-threaded worker, "cuda" for one whose driver starts threads.
        architecture: "x86_64" or "aarch64"; this machine's if None.
    """
    column, audit_architecture = _ARCHITECTURES[architecture or machine()]
    actions: dict[int, list[Instruction]] = {}
    for name in [*_CPU, *(_CUDA if profile == "cuda" else [])]:
        _put(actions, column, name, [_return(_ALLOW)])
    for name, block in _conditions(profile).items():
        _put(actions, column, name, block)
    tree = _tree(_intervals(actions))
    program: list[Instruction] = [
        (_LOAD_WORD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, audit_architecture),
        _return(_KILL),
        (_LOAD_WORD, 0, 0, _NUMBER_AT),
        *tree,
    ]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    pids = [i for i, (operation, *_, k) in enumerate(program) if (operation, k) == (_IF_EQUAL, _OWN_PID)]
    return Program(code, pids[0] * 8 + 4 if pids else None)


def load(program: Program) -> None:
    """Take the filter on, for good, in the calling process.

    Raises:
        OSError: the kernel refuses, so nothing is filtered.
    """
    code = program.for_pid(os.getpid())
    buffer = ctypes.create_string_buffer(code, len(code))
    # struct sock_fprog: a 16-bit length, padding, a pointer.
    filter_ = struct.pack("=HxxxxxxQ", len(code) // 8, ctypes.addressof(buffer))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    syscall(_SECCOMP[machine()], _SET_MODE_FILTER, 0, ctypes.create_string_buffer(filter_, len(filter_)))


def _conditions(profile: Profile) -> Mapping[str, list[Instruction]]:
    conditions = {
        # Only what isatty and close-on-exec ask. A terminal's other requests can type into it.
        "ioctl": _if_one_of(1, [_TCGETS, _TCGETS2, _FIOCLEX, _FIONCLEX]),
        # F_SETOWN makes the kernel send signals to others.
        "fcntl": _if_one_of(1, [_F_GETFD, _F_SETFD, _F_GETFL]),
        # abort() signals its own thread; anyone else's pid is refused, and so is any other signal: then
        # a worker that was killed or stopped was so by the system, not by its own doing.
        "tgkill": [_load(0), (_IF_EQUAL, 1, 0, _OWN_PID), _return(_DENY), *_if_one_of(2, [signal.SIGABRT])],
        # Limits may be read. The third argument would set new ones: a pointer, so both halves count.
        "prlimit64": [*_unless_zero(2), *_unless_zero(2, high=True), _return(_ALLOW)],
        # glibc asks for threads in this way first, and in the other when it hears that this is unknown.
        "clone3": [_return(_UNKNOWN)],
    }
    if profile == "cuda":
        del conditions["ioctl"]
        conditions["fcntl"] = _if_one_of(1, [_F_GETFD, _F_SETFD, _F_GETFL, _F_SETFL, _F_DUPFD_CLOEXEC])
        conditions["clone"] = _if_one_of(0, [_CLONE_OF_A_THREAD])
        conditions["prctl"] = _if_one_of(0, [_PR_SET_NAME, _PR_GET_NAME])
    return conditions


def _put(actions: dict[int, list[Instruction]], column: int, name: str, block: list[Instruction]) -> None:
    number = _NUMBERS[name][column]
    if number is not None:
        actions[number] = block


def _return(action: int) -> Instruction:
    return (_RETURN, 0, 0, action)


def _load(argument: int, *, high: bool = False) -> Instruction:
    """Load half of an argument. Both architectures are little-endian: the low half comes first."""
    return (_LOAD_WORD, 0, 0, _ARGUMENTS_AT + 8 * argument + (4 if high else 0))


def _if_one_of(argument: int, values: Sequence[int]) -> list[Instruction]:
    """Allow if the argument's low half, which is all that the kernel reads of these, is one of the values."""
    tests: list[Instruction] = [(_IF_EQUAL, len(values) - i, 0, value) for i, value in enumerate(values)]
    return [_load(argument), *tests, _return(_DENY), _return(_ALLOW)]


def _unless_zero(argument: int, *, high: bool = False) -> list[Instruction]:
    return [_load(argument, high=high), (_IF_EQUAL, 1, 0, 0), _return(_DENY)]


def _intervals(actions: Mapping[int, list[Instruction]]) -> list[tuple[int, list[Instruction]]]:
    """The numbers cut into stretches that are treated alike: where each begins, and what is done there."""
    denied = [_return(_DENY)]
    stretches: list[tuple[int, list[Instruction]]] = [(0, denied)]
    for number in sorted(actions):
        if stretches[-1][0] == number:
            stretches.pop()
        if not stretches or stretches[-1][1] != actions[number]:
            stretches.append((number, actions[number]))
        stretches.append((number + 1, denied))
    # Programs of the x32 ABI have their numbers from here on; so has nothing on the other architecture.
    return [*stretches, (_X32, [_return(_KILL)])]


def _tree(stretches: Sequence[tuple[int, list[Instruction]]]) -> list[Instruction]:
    """A binary search over the stretches.

    The kernel runs the program for each number when it is loaded, to remember which are always allowed,
    so that a list to walk through would cost each worker ten times as much.
    """
    if len(stretches) == 1:
        return stretches[0][1]
    middle = len(stretches) // 2
    below, above = _tree(stretches[:middle]), _tree(stretches[middle:])
    # A conditional jump reaches 255 instructions far; an unconditional one any distance.
    return [(_IF_AT_LEAST, 0, 1, stretches[middle][0]), (_JUMP, 0, 0, len(below)), *below, *above]
