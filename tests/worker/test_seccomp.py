from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import re
import resource
import signal
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from grader.worker import seccomp

X86, ARM = 0xC000003E, 0xC00000B7
AUDIT = {"x86_64": X86, "aarch64": ARM}
COLUMN = {"x86_64": 0, "aarch64": 1}
ALLOW, DENY, UNKNOWN, KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS, 0x80000000

# What no worker may do, by the numbers of (x86-64, aarch64).
FORBIDDEN = {
    "accept": (43, 202),
    "bind": (49, 200),
    "bpf": (321, 280),
    "chmod": (90, 53),
    "clone": (56, 220),
    "connect": (42, 203),
    "execve": (59, 221),
    "execveat": (322, 281),
    "inotify_add_watch": (254, 27),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "landlock_restrict_self": (446, 446),
    "memfd_create": (319, 279),
    "mkdirat": (258, 34),
    "mount": (165, 40),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "perf_event_open": (298, 241),
    "personality": (135, 92),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "prctl": (157, 167),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "seccomp": (317, 277),
    "sendmsg": (46, 211),
    "sendto": (44, 206),
    "setns": (308, 268),
    "setresuid": (117, 147),
    "setrlimit": (160, 164),
    "setsid": (112, 157),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "tkill": (200, 130),
    "unlinkat": (263, 35),
    "unshare": (272, 97),
    "userfaultfd": (323, 282),
    "wait4": (61, 260),
}
FORBIDDEN_ON_X86 = {"fork": 57, "vfork": 58, "open": 2, "creat": 85, "modify_ldt": 154, "arch_prctl": 158}


def answer(program: seccomp.Program, audit: int, number: int, *arguments: int, pid: int = 4711) -> int:
    """What the kernel would do: an interpreter of classic BPF, as far as the filter uses it."""
    code = program.for_pid(pid)
    instructions = [struct.unpack_from("=HBBI", code, at) for at in range(0, len(code), 8)]
    padded = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("=IIQ6Q", number, audit, 0, *padded)
    at, accumulator = 0, 0
    while True:
        operation, if_true, if_false, k = instructions[at]
        at += 1
        match operation:
            case 0x20:
                (accumulator,) = struct.unpack_from("=I", data, k)
            case 0x05:
                at += k
            case 0x15:
                at += if_true if accumulator == k else if_false
            case 0x35:
                at += if_true if accumulator >= k else if_false
            case 0x06:
                return k
            case _:
                raise AssertionError(f"no such instruction: {operation:#x}")


both = pytest.mark.parametrize("architecture", ["x86_64", "aarch64"])
profiles = pytest.mark.parametrize("profile", ["cpu", "cuda"])


def ask(architecture: str, name: str, *arguments: int, profile: seccomp.Profile = "cpu") -> int:
    number = seccomp._NUMBERS[name][COLUMN[architecture]]
    assert number is not None
    return answer(seccomp.build_program(profile, architecture), AUDIT[architecture], number, *arguments)


@both
@profiles
def test_what_is_on_no_list_is_refused(architecture, profile):
    program = seccomp.build_program(profile, architecture)
    column = COLUMN[architecture]
    names = [*seccomp._CPU, *(seccomp._CUDA if profile == "cuda" else [])]
    allowed = {seccomp._NUMBERS[name][column] for name in names}
    special = {seccomp._NUMBERS[name][column] for name in ("ioctl", "fcntl", "tgkill", "prlimit64", "prctl")}
    special |= {seccomp._NUMBERS[name][column] for name in ("clone", "clone3")}
    for number in range(1024):
        if number not in special:
            expected = ALLOW if number in allowed else DENY
            assert answer(program, AUDIT[architecture], number) == expected, number


@both
@profiles
@pytest.mark.parametrize("name", FORBIDDEN)
def test_forbidden_calls(architecture, profile, name):
    program = seccomp.build_program(profile, architecture)
    assert answer(program, AUDIT[architecture], FORBIDDEN[name][COLUMN[architecture]]) == DENY


@pytest.mark.parametrize("name", FORBIDDEN_ON_X86)
def test_calls_that_only_x86_has(name):
    assert answer(seccomp.build_program("cpu", "x86_64"), X86, FORBIDDEN_ON_X86[name]) == DENY


@pytest.mark.parametrize(
    "header",
    ["/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "/usr/include/asm-generic/unistd.h"],
    ids=["x86_64", "aarch64"],
)
def test_the_numbers_are_the_kernels(header, request):
    if not Path(header).exists():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", Path(header).read_text())
    kernels = {name: int(number) for name, number in reversed(found)}
    kernels.setdefault("newfstatat", kernels.get("fstatat", -1))
    column = COLUMN[request.node.callspec.id]
    ours = {name: numbers[column] for name, numbers in seccomp._NUMBERS.items()}
    missing = {name for name, number in ours.items() if number is None}
    assert {name: kernels[name] for name in ours.keys() - missing} == {
        name: number for name, number in ours.items() if number is not None
    }
    assert not missing & kernels.keys()


@both
def test_another_architecture_is_killed(architecture):
    program = seccomp.build_program("cpu", architecture)
    for audit in {X86, ARM, 0x40000003, 0x40000028, 0} - {AUDIT[architecture]}:
        assert answer(program, audit, 0) == KILL


@both
def test_the_x32_abi_is_killed(architecture):
    program = seccomp.build_program("cpu", architecture)
    for number in (0x40000000, 0x40000001, 0x40000000 + 520, 0xFFFFFFFF):
        assert answer(program, AUDIT[architecture], number) == KILL


@both
def test_ioctl_asks_only_what_a_file_is(architecture):
    assert ask(architecture, "ioctl", 1, 0x5401) == ALLOW
    assert ask(architecture, "ioctl", 1, 0x5412) == DENY  # TIOCSTI types into the terminal
    assert ask(architecture, "ioctl", 0x5401, 0) == DENY
    # The kernel reads 32 bits of it: what else is set must not matter.
    assert ask(architecture, "ioctl", 1, 0x1_0000_5412) == DENY


@both
@profiles
def test_fcntl_sets_no_owner(architecture, profile):
    assert ask(architecture, "fcntl", 3, 1, profile=profile) == ALLOW
    for command in (8, 10, 15, 1024, 1033):  # SETOWN, SETSIG, SETOWN_EX, SETLEASE, ADD_SEALS
        assert ask(architecture, "fcntl", 3, command, profile=profile) == DENY


@both
@profiles
def test_limits_are_read_and_not_set(architecture, profile):
    assert ask(architecture, "prlimit64", 0, 7, 0, 0x7FFF_FFFF_0000, profile=profile) == ALLOW
    for new in (0x7FFF_FFFF_0000, 0x1_0000_0000, 0x10):
        assert ask(architecture, "prlimit64", 0, 7, new, 0, profile=profile) == DENY


@both
@profiles
def test_signals_reach_only_the_process_itself(architecture, profile):
    assert ask(architecture, "tgkill", 4711, 4711, 6, profile=profile) == ALLOW
    assert ask(architecture, "tgkill", 4712, 4711, 6, profile=profile) == DENY
    assert ask(architecture, "tgkill", 0xFFFFFFFF, 4711, 6, profile=profile) == DENY


@both
def test_threads_only_where_a_driver_needs_them(architecture):
    thread, fork = 0x003D0F00, 0x01200011
    assert ask(architecture, "clone", thread) == DENY
    assert ask(architecture, "clone", thread, profile="cuda") == ALLOW
    assert ask(architecture, "clone", fork, profile="cuda") == DENY
    assert ask(architecture, "clone", thread | 0x10000000, profile="cuda") == DENY  # NEWUSER
    for profile in ("cpu", "cuda"):
        assert ask(architecture, "clone3", profile=profile) == UNKNOWN


@both
def test_prctl_names_threads_and_no_more(architecture):
    assert ask(architecture, "prctl", 15, profile="cuda") == ALLOW
    for option in (1, 4, 22, 36, 38, 59):
        assert ask(architecture, "prctl", option, profile="cuda") == DENY


real = pytest.mark.skipif(seccomp.supported() is not None, reason=str(seccomp.supported()))


@real
def test_a_kernel_without_filters_is_said_to_have_none(in_a_fork):
    """Asked where one is loaded already that refuses the call: as on a kernel that never heard of it."""

    def child(_):
        assert seccomp.supported() is None
        seccomp.load(seccomp.build_program())
        return seccomp.supported()

    assert "filters no system calls" in in_a_fork(child)


@real
def test_a_filtered_process_does_its_work(in_a_fork, outcome):
    program = seccomp.build_program()

    def child(_):
        seccomp.load(program)
        return {
            "read": outcome(Path(__file__).read_text),
            "list": outcome(os.listdir, "/"),
            "print": outcome(print, "", end="", flush=True),
            "time": outcome(time.sleep, 0.001),
            "import": outcome(__import__, "this_does_not_exist"),
            "limits": outcome(resource.getrlimit, resource.RLIMIT_AS),
            "memory": outcome(bytearray, 1 << 25),
            "random": outcome(os.urandom, 8),
            "lock": outcome(threading.Lock().acquire),
        }

    found = in_a_fork(child)
    assert found.pop("import") == "ModuleNotFoundError"
    assert set(found.values()) == {"done"}, found


@real
def test_a_filtered_process_raises_and_lives(in_a_fork, outcome, tmp_path):
    parent = os.getpid()
    program = seccomp.build_program()

    def child(_):
        seccomp.load(program)
        return {
            "fork": outcome(os.fork),
            "thread": outcome(threading.Thread(target=int).start),
            "exec": outcome(os.execv, "/bin/true", ["true"]),
            "socket": outcome(socket.socket),
            "signal": outcome(os.kill, parent, 0),
            "signal to itself": outcome(os.kill, os.getpid(), 0),
            "limits": outcome(resource.setrlimit, resource.RLIMIT_CORE, (0, 0)),
            "folder": outcome(os.mkdir, tmp_path / "new"),
            "mode": outcome(os.chmod, tmp_path, 0o777),
            "pidfd": outcome(os.pidfd_open, parent),
        }

    found = in_a_fork(child)
    assert found.pop("thread") == "RuntimeError"
    assert found.pop("limits") == "ValueError"
    assert set(found.values()) == {"PermissionError"}, found


@real
def test_abort_still_ends_a_process_as_such(in_a_fork):
    program = seccomp.build_program()

    def child(_):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        seccomp.load(program)
        os.abort()

    in_a_fork(child)
    assert os.WIFSIGNALED(in_a_fork.status)
    assert os.WTERMSIG(in_a_fork.status) == signal.SIGABRT


@real
def test_threads_start_under_the_wide_profile(in_a_fork, outcome):
    program = seccomp.build_program("cuda")

    def child(_):
        seccomp.load(program)
        done = []
        thread = threading.Thread(target=done.append, args=(1,))
        thread.start()
        thread.join()
        return [done, outcome(os.fork), outcome(socket.socket)]

    assert in_a_fork(child) == [[1], "PermissionError", "PermissionError"]


@real
@pytest.mark.skipif(seccomp.machine() != "x86_64", reason="x86's")
def test_the_32_bit_door_is_shut(in_a_fork):
    """`int 0x80` speaks another table of numbers, in which 20 is getpid; so the process is killed."""
    program = seccomp.build_program()

    def child(_):
        import mmap

        code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20; int 0x80; ret
        call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))
        seccomp.load(program)
        with contextlib.suppress(Exception):
            return call()

    assert in_a_fork(child) is None
    assert os.WIFSIGNALED(in_a_fork.status)
