"""What an attacker would try from inside a worker, each as mildly as it can be done.

Where nothing stands, nothing is harmed: files are changed to what they are, signals are those that only ask,
and whatever is made is taken away again.

An attempt that returns, or raises `CameThrough`, came through; one that raises anything else was held back.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from grader.worker._libc import PR_SET_DUMPABLE, libc, prctl, syscall

READ = "read the solutions"
STAT = "see that the solutions are there"
THREAD = "start a thread"
MEMORY = "take more memory than allowed"

NETWORK = "reach the network"
SOLUTIONS = "get at the solutions"
FILES = "get at other files"
OTHERS = "get at other processes"
PROGRAMS = "start processes"
MORE = "use more than allowed"
POWERS = "gain powers"
GIVEN = "use what was left behind"

_SLACK_MB = 64
"""The limit counts from what was mapped when it was computed, and some of that may be given back since."""
_LISTED = ("/", "/root", "/home", "/proc")
_PTRACE_SEIZE = 0x4206
_CLONE_NEWUSER = 0x10000000
_MAP_NORESERVE = 0x4000
_USERFAULTFD_USER_MODE_ONLY = 1
_KEYCTL_GET_KEYRING_ID, _KEY_OF_THE_SESSION = 0, -3
_FAN_CLOEXEC = 1
_AT_FDCWD = -100

# What a call answers that was let in and then found that it was asked for nonsense.
_NONSENSE = {errno.EINVAL, errno.EFAULT, errno.EBADF, errno.ENODEV, errno.ENOKEY, errno.E2BIG}
# System calls that the C library has no name for: (x86-64, aarch64).
_NUMBERS = {
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "userfaultfd": (323, 282),
}
_ARM = os.uname().machine == "aarch64" if sys.platform == "linux" else False


class Attempt(NamedTuple):
    """One thing to try."""

    about: str
    """What an attacker would want it for."""
    name: str
    """In words that follow "a worker tries to"."""
    run: Callable[[], object]


class CameThrough(Exception):
    """The attempt came through; says how."""


def attempts(hidden: Sequence[str], siblings: Sequence[int], memory_mb: int) -> list[Attempt]:
    """Everything there is to try. To be called in a worker; the order matters to none.

    Args:
        hidden: files and folders that no worker may read: the course's solutions.
        siblings: pids of other workers of the same forkserver.
        memory_mb: what the worker may take, in MiB; more than that is tried.
    """
    parent = os.getppid()
    return [
        Attempt(NETWORK, "reach a server (TCP)", _tcp),
        Attempt(NETWORK, "reach a server (UDP)", _udp),
        Attempt(NETWORK, "open a local socket", _local_socket),
        Attempt(NETWORK, "ask the kernel about the network", _netlink),
        Attempt(NETWORK, "look up a host name", lambda: socket.getaddrinfo("localhost", 53)),
        *(Attempt(SOLUTIONS, READ, partial(_read, path)) for path in hidden),
        *(Attempt(SOLUTIONS, STAT, partial(os.stat, path)) for path in hidden),
        *(Attempt(SOLUTIONS, "change the solutions", partial(_change_mode, path)) for path in hidden),
        *(Attempt(FILES, f"list {path}", partial(os.listdir, path)) for path in _LISTED),
        Attempt(FILES, "read who has an account", partial(_read, "/etc/passwd")),
        *(Attempt(FILES, f"write to {path}", partial(_write, path)) for path in _writable()),
        Attempt(FILES, "keep a file in memory", _memory_file),
        Attempt(FILES, "watch files", _inotify),
        Attempt(FILES, "watch the file system", partial(_let_in, _fanotify)),
        Attempt(FILES, "open a file by its number", partial(_let_in, _open_by_handle)),
        Attempt(FILES, "mount a file system", partial(_let_in, _mount)),
        Attempt(FILES, "change its root folder", partial(os.chroot, "/")),
        Attempt(OTHERS, "signal the forkserver", partial(os.kill, parent, 0)),
        Attempt(OTHERS, "signal process 1", partial(os.kill, 1, 0)),
        *(Attempt(OTHERS, "signal another worker", partial(os.kill, pid, 0)) for pid in siblings),
        Attempt(OTHERS, "signal every process", partial(os.kill, -1, 0)),
        Attempt(OTHERS, "attach to the forkserver", partial(_attach, parent)),
        Attempt(OTHERS, "read the forkserver's memory", partial(_read_memory, parent)),
        Attempt(OTHERS, "write the forkserver's memory", partial(_let_in, partial(_write_memory, parent))),
        Attempt(OTHERS, "read the forkserver's environment", partial(_read, f"/proc/{parent}/environ")),
        Attempt(
            OTHERS, "take the forkserver's descriptors", partial(_let_in, partial(_descriptor_of, parent))
        ),
        Attempt(OTHERS, "share memory (System V)", _shared_memory),
        Attempt(OTHERS, "leave messages (System V)", _message_queue),
        Attempt(OTHERS, "leave messages (POSIX)", _posix_message_queue),
        Attempt(PROGRAMS, "make a process", _fork),
        Attempt(PROGRAMS, THREAD, _thread),
        Attempt(PROGRAMS, "run a program", _subprocess),
        Attempt(PROGRAMS, "become another program", _exec),
        Attempt(MORE, MEMORY, partial(_allocate, memory_mb)),
        Attempt(MORE, "raise its own limits", _raise_limits),
        Attempt(MORE, "open its own memory as a file", _own_memory),
        Attempt(MORE, "open itself to debuggers", _be_dumpable),
        Attempt(POWERS, "become root", _become_root),
        Attempt(POWERS, "queue work for the kernel (io_uring)", partial(_let_in, _io_uring)),
        Attempt(POWERS, "load a program into the kernel (bpf)", partial(_let_in, _bpf)),
        Attempt(POWERS, "use the kernel's keys", partial(_let_in, _keys)),
        Attempt(POWERS, "measure the machine (perf)", partial(_let_in, _perf)),
        Attempt(POWERS, "handle page faults", partial(_let_in, _userfault)),
        Attempt(POWERS, "make a namespace", partial(_called, libc.unshare, _CLONE_NEWUSER)),
    ]


def _tcp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(("127.0.0.1", 9))
        except ConnectionRefusedError:
            raise CameThrough("the machine answered") from None


def _udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"", ("127.0.0.1", 9))


def _local_socket() -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()


def _netlink() -> None:
    socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).close()


def _read(path: str) -> None:
    if os.path.isdir(path):
        os.listdir(path)
        return
    handle = os.open(path, os.O_RDONLY)
    try:
        os.read(handle, 1)
    finally:
        os.close(handle)


def _change_mode(path: str) -> None:
    os.chmod(path, stat.S_IMODE(os.stat(path).st_mode))


def _writable() -> list[str]:
    """Where programs write as a rule."""
    home = os.path.expanduser("~")
    folders = ["/tmp", "/var/tmp", "/dev/shm", os.getcwd(), *([home] if os.path.isabs(home) else []), "/"]
    return list(dict.fromkeys(folders))


def _write(folder: str) -> None:
    path = os.path.join(folder, f".torchgrade-probe-{os.getpid()}")
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    os.unlink(path)


def _memory_file() -> None:
    os.close(os.memfd_create("torchgrade-probe"))


def _inotify() -> None:
    os.close(_called(libc.inotify_init1, os.O_CLOEXEC))


def _fanotify() -> None:
    os.close(_called(libc.fanotify_init, _FAN_CLOEXEC, os.O_RDONLY))


def _open_by_handle() -> None:
    # A handle of no bytes.
    os.close(_called(libc.open_by_handle_at, _AT_FDCWD, ctypes.create_string_buffer(8), os.O_RDONLY))


def _mount() -> None:
    # Who may mount is asked before whether there is such a file system.
    _called(libc.mount, b"none", b"/", b"torchgrade-none", 0, None)


def _attach(pid: int) -> None:
    _called(libc.ptrace, _PTRACE_SEIZE, pid, 0, 0)


def _read_memory(pid: int) -> None:
    # The parent has the same object at the same place.
    theirs = (ctypes.c_ulong * 2)(id(_read_memory), 8)
    buffer = ctypes.create_string_buffer(8)
    ours = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
    _called(libc.process_vm_readv, pid, ours, 1, theirs, 1, 0)


def _write_memory(pid: int) -> None:
    # Nothing lies at this address, which is found out only after whether we may.
    theirs = (ctypes.c_ulong * 2)(8, 8)
    buffer = ctypes.create_string_buffer(8)
    ours = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
    _called(libc.process_vm_writev, pid, ours, 1, theirs, 1, 0)


def _descriptor_of(pid: int) -> None:
    process = os.pidfd_open(pid)
    try:
        os.close(_named("pidfd_getfd", process, 0, 0))
    finally:
        os.close(process)


def _shared_memory() -> None:
    segment = _called(libc.shmget, 0, 4096, 0o600)
    libc.shmctl(segment, 0, None)  # IPC_RMID


def _message_queue() -> None:
    queue = _called(libc.msgget, 0, 0o600)
    libc.msgctl(queue, 0, None)  # IPC_RMID


def _posix_message_queue() -> None:
    name = ctypes.create_string_buffer(f"torchgrade-probe-{os.getpid()}".encode())
    os.close(_named("mq_open", name, os.O_CREAT | os.O_RDWR, 0o600, None))
    _named("mq_unlink", name)


def _fork() -> None:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def _thread() -> None:
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()


def _subprocess() -> None:
    try:
        subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=False, timeout=10)
    except subprocess.TimeoutExpired:
        raise CameThrough("it ran") from None


def _exec() -> None:
    try:
        # Were it let through it would be told that there is no such program, and live on to report this.
        os.execv("/nothing/of/this/name", ["nothing"])
    except FileNotFoundError:
        raise CameThrough("the call was let through") from None


def _allocate(memory_mb: int) -> None:
    # Asked for and never touched: where no limit stands, the machine loses nothing.
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
    mmap.mmap(-1, (memory_mb + _SLACK_MB) << 20, flags=flags).close()


def _raise_limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == resource.RLIM_INFINITY:
        raise CameThrough("there is none")
    resource.setrlimit(resource.RLIMIT_CORE, (hard + 1, hard + 1))


def _own_memory() -> None:
    os.close(os.open("/proc/self/mem", os.O_RDWR))


def _be_dumpable() -> None:
    prctl(PR_SET_DUMPABLE, 1)
    prctl(PR_SET_DUMPABLE, 0)


def _become_root() -> None:
    if os.geteuid() == 0:
        raise CameThrough("it is root")
    os.setuid(0)


def _io_uring() -> None:
    os.close(_named("io_uring_setup", 1, ctypes.create_string_buffer(120)))


def _bpf() -> None:
    _named("bpf", 0, None, 0)


def _keys() -> None:
    _named("keyctl", _KEYCTL_GET_KEYRING_ID, _KEY_OF_THE_SESSION, 0)


def _perf() -> None:
    _named("perf_event_open", None, 0, -1, -1, 0)


def _userfault() -> None:
    os.close(_named("userfaultfd", os.O_CLOEXEC | _USERFAULTFD_USER_MODE_ONLY))


def _let_in(attempt: Callable[[], None]) -> None:
    """Make a call that can come to nothing: it came through where it is told no more than that."""
    try:
        attempt()
    except OSError as error:
        if error.errno in _NONSENSE:
            raise CameThrough("the call was let through") from None
        raise


def _named(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    return syscall(_NUMBERS[name][_ARM], *arguments)


def _called(function: Callable[..., int], *arguments: object) -> int:
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = function(*words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result
