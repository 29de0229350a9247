"""What a worker tries, from inside, to learn which walls stand.

A wall counts by what it holds back, not by the call that put it up; `attempts` says what is tried.

The forkserver imports this module before it forks, for behind the walls it could not be read.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from grader.worker.attempts import GIVEN, MEMORY, STAT, THREAD, Attempt, CameThrough, attempts

__all__ = ["MEMORY", "STAT", "THREAD", "Probe", "attributed", "level", "run_probes"]

_HIGHEST_DESCRIPTOR = 4096
_FORKSERVER, _KERNEL = "forkserver", "the kernel"

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
    about: str = ""
    """What an attacker would want it for; things to try are grouped by this."""


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
    return [
        *map(_try, attempts(hidden, siblings, memory_mb)),
        _environment(),
        _descriptors(descriptor),
    ]


def attributed(probes: Iterable[Probe], standing: Collection[str]) -> list[Probe]:
    """The same, none laid to a wall that does not stand: what such a one seems to hold, the kernel does.

    Args:
        probes: as they came from the worker.
        standing: the worker's walls, and "bubblewrap" where it is around.
    """
    known = {*standing, _FORKSERVER}
    return [row._replace(by=_KERNEL) if row.held and row.by not in known else row for row in probes]


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


def _try(attempt: Attempt) -> Probe:
    about, name, run = attempt
    try:
        run()
    except CameThrough as success:
        return Probe(name, False, "", str(success), about)
    except MemoryError:
        return Probe(name, True, "limits", "MemoryError", about)
    except socket.gaierror as error:
        return Probe(name, True, "seccomp", str(error), about)
    except OSError as error:
        said = f"{type(error).__name__}: {error.strerror}"
        return Probe(name, True, _BY.get(error.errno or 0, ""), said, about)
    except (RuntimeError, ValueError) as error:
        # What threading and resource make of a refusal.
        return Probe(name, True, "seccomp", str(error), about)
    return Probe(name, False, "", "it came through", about)


def _environment() -> Probe:
    names = sorted(os.environ)
    if names:
        return Probe("read the environment", False, "", f"it holds {', '.join(names)}", GIVEN)
    return Probe("read the environment", True, _FORKSERVER, "it is empty", GIVEN)


def _descriptors(descriptor: int) -> Probe:
    name = "use a descriptor that it should not have"
    spare = [number for number in range(3, _HIGHEST_DESCRIPTOR) if number != descriptor and _is_open(number)]
    null = os.makedev(1, 3)
    spare += [number for number in range(3) if _is_open(number) and os.fstat(number).st_rdev != null]
    if spare:
        return Probe(name, False, "", f"open: {', '.join(map(str, sorted(spare)))}", GIVEN)
    return Probe(name, True, "descriptors", "there is only its own", GIVEN)


def _is_open(number: int) -> bool:
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
    except OSError as error:
        return error.errno != errno.EBADF
    return True
