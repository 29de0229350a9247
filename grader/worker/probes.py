"""What a worker tries, from inside, to learn which walls stand.

A wall counts by what it holds back, not by the call that put it up. Each probe does what an attacker would
do, as mildly as it can be done: where nothing stands, nothing is harmed.

The forkserver imports this module before it forks, for behind the walls it could not be read.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import resource
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from grader.worker._libc import libc

READ = "read the solutions"
STAT = "see that the solutions are there"
THREAD = "start a thread"
MEMORY = "take more memory than allowed"

_PTRACE_SEIZE = 0x4206
_CLONE_NEWUSER = 0x10000000
_MAP_NORESERVE = 0x4000
_HIGHEST_DESCRIPTOR = 4096

# Who says what, as a rule.
_BY = {
    errno.EPERM: "seccomp",
    errno.ENOSYS: "seccomp",
    errno.EACCES: "landlock",
    errno.ENOENT: "bubblewrap",
    errno.EROFS: "bubblewrap",
    errno.ESRCH: "bubblewrap",
    errno.ENETUNREACH: "bubblewrap",
    errno.ENOMEM: "limits",
    errno.EMFILE: "limits",
    errno.EAGAIN: "limits",
}


class Probe(NamedTuple):
    """One thing that was tried."""

    name: str
    held: bool
    by: str
    """The wall that held it back, as far as the error tells; empty where none did."""
    detail: str


class _CameThrough(Exception):
    """The attempt came through."""


def run_probes(
    *,
    descriptor: int,
    hidden: Sequence[str] = (),
    siblings: Sequence[int] = (),
    memory_mb: int = 1024,
) -> list[Probe]:
    """Try everything. To be called in a worker, its walls up.

    Args:
        descriptor: the one that leads to the examiner.
        hidden: files and folders that no worker may read: the course's solutions.
        siblings: pids of other workers of the same forkserver.
        memory_mb: what the worker may take, in MiB; more than that is tried.
    """
    parent = os.getppid()
    attempts: list[tuple[str, Callable[[], object]]] = [
        ("reach a server (TCP)", _tcp),
        ("reach a server (UDP)", _udp),
        ("open a local socket", _local_socket),
        ("look up a host name", lambda: socket.getaddrinfo("localhost", 53)),
        *((READ, lambda path=path: _read(path)) for path in hidden),
        *((STAT, lambda path=path: os.stat(path)) for path in hidden),
        *(("change the solutions", lambda path=path: _change_mode(path)) for path in hidden),
        *((f"list {path}", lambda path=path: os.listdir(path)) for path in ("/", "/root", "/home", "/proc")),
        *((f"write to {path}", lambda path=path: _write(path)) for path in _writable()),
        ("signal the forkserver", lambda: os.kill(parent, 0)),
        ("signal process 1", lambda: os.kill(1, 0)),
        *(("signal another worker", lambda pid=pid: os.kill(pid, 0)) for pid in siblings),
        ("make a process", _fork),
        (THREAD, _thread),
        ("run a program", _subprocess),
        ("become another program", _exec),
        (MEMORY, lambda: _allocate(memory_mb)),
        ("attach to the forkserver", lambda: _libc_call(libc.ptrace, _PTRACE_SEIZE, parent, 0, 0)),
        ("read the forkserver's memory", lambda: _read_memory(parent)),
        ("read the forkserver's environment", lambda: _read(f"/proc/{parent}/environ")),
        ("open its own memory as a file", lambda: os.close(os.open("/proc/self/mem", os.O_RDWR))),
        ("raise its own limits", _raise_limits),
        ("become root", _become_root),
        ("make a namespace", lambda: _libc_call(libc.unshare, _CLONE_NEWUSER)),
    ]
    return [
        *(_try(name, attempt) for name, attempt in attempts),
        _environment(),
        _descriptors(descriptor),
    ]


def level(probes: Iterable[Probe], *, bubblewrap: bool, device: str = "cpu") -> int:
    """The isolation level that the probes bear out.

    Args:
        probes: what came of them. None at all bear out nothing.
        bubblewrap: whether the forkserver runs inside it.
        device: "cuda" allows for what the GPU's driver must be let do.

    Returns:
        3: all held, inside bubblewrap. 2: all held, except that a worker can see which files exist. 0.
    """
    rows = [Probe(*row) for row in probes]
    open_ = {row.name for row in rows if not row.held}
    if device == "cuda":
        open_ -= {THREAD, MEMORY}
    if not rows or open_ - {STAT}:
        return 0
    return 3 if bubblewrap and not open_ else 2


def _try(name: str, attempt: Callable[[], object]) -> Probe:
    try:
        attempt()
    except _CameThrough as success:
        return Probe(name, False, "", str(success))
    except MemoryError:
        return Probe(name, True, "limits", "MemoryError")
    except socket.gaierror as error:
        return Probe(name, True, "seccomp", str(error))
    except OSError as error:
        return Probe(name, True, _BY.get(error.errno or 0, ""), f"{type(error).__name__}: {error.strerror}")
    except (RuntimeError, ValueError) as error:
        # What threading and resource make of a refusal.
        return Probe(name, True, "seccomp", str(error))
    return Probe(name, False, "", "it came through")


def _tcp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(("127.0.0.1", 9))
        except ConnectionRefusedError:
            raise _CameThrough("the machine answered") from None


def _udp() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"", ("127.0.0.1", 9))


def _local_socket() -> None:
    socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).close()


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
        raise _CameThrough("it ran") from None


def _exec() -> None:
    try:
        # Were it let through it would be told that there is no such program, and live on to report this.
        os.execv("/nothing/of/this/name", ["nothing"])
    except FileNotFoundError:
        raise _CameThrough("the call was let through") from None


def _allocate(memory_mb: int) -> None:
    # Asked for and never touched: where no limit stands, the machine loses nothing.
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | _MAP_NORESERVE
    mmap.mmap(-1, (memory_mb + 1) << 20, flags=flags).close()


def _read_memory(pid: int) -> None:
    # The parent has the same object at the same place.
    theirs = (ctypes.c_ulong * 2)(id(_read_memory), 8)
    buffer = ctypes.create_string_buffer(8)
    ours = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), 8)
    _libc_call(libc.process_vm_readv, pid, ours, 1, theirs, 1, 0)


def _raise_limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_CORE)
    if hard == resource.RLIM_INFINITY:
        raise _CameThrough("there is none")
    resource.setrlimit(resource.RLIMIT_CORE, (hard + 1, hard + 1))


def _become_root() -> None:
    if os.geteuid() == 0:
        raise _CameThrough("it is root")
    os.setuid(0)


def _environment() -> Probe:
    names = sorted(os.environ)
    if names:
        return Probe("read the environment", False, "", f"it holds {', '.join(names)}")
    return Probe("read the environment", True, "forkserver", "it is empty")


def _descriptors(descriptor: int) -> Probe:
    name = "use a descriptor that it should not have"
    spare = [number for number in range(3, _HIGHEST_DESCRIPTOR) if number != descriptor and _is_open(number)]
    null = os.makedev(1, 3)
    spare += [number for number in range(3) if _is_open(number) and os.fstat(number).st_rdev != null]
    if spare:
        return Probe(name, False, "", f"open: {', '.join(map(str, sorted(spare)))}")
    return Probe(name, True, "descriptors", "there is only its own")


def _is_open(number: int) -> bool:
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError as error:
        return error.errno != errno.EBADF
    return True


def _libc_call(function: Callable[..., int], *arguments: object) -> None:
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    if function(*words) < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
