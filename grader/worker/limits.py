"""What a worker may use of the machine, as the kernel counts it."""

from __future__ import annotations

import math
import os
import resource
from collections.abc import Iterable
from dataclasses import dataclass

_MEGABYTE = 1 << 20
_HIGHEST = 1 << 47


@dataclass(frozen=True)
class ResourceLimits:
    """Limits of one worker.

    Args:
        cpu_seconds: processor time, rounded up to a second; one second later it is killed.
        memory_mb: address space beyond what the warm process holds, in MiB. On a GPU the driver reserves
            address space by the terabyte, so this is not held there.
        open_files: descriptors.
        processes: processes and threads of the worker's user; None leaves it. As 0 no process can be made.
    """

    cpu_seconds: float = 60.0
    memory_mb: int = 1024
    open_files: int = 64
    processes: int | None = 0

    def rlimits(self, address_space: int | None) -> list[tuple[int, tuple[int, int]]]:
        """The calls of setrlimit to make: which, and the soft and the hard limit.

        Args:
            address_space: bytes that the warm process has mapped already; None for no limit of memory.
        """
        seconds = math.ceil(self.cpu_seconds)
        calls = [
            # The soft limit's signal can be ignored, the hard one's cannot.
            (resource.RLIMIT_CPU, (seconds, seconds + 1)),
            (resource.RLIMIT_FSIZE, (0, 0)),
            (resource.RLIMIT_CORE, (0, 0)),
            (resource.RLIMIT_NOFILE, (self.open_files, self.open_files)),
            (resource.RLIMIT_MEMLOCK, (0, 0)),
            (resource.RLIMIT_MSGQUEUE, (0, 0)),
        ]
        if self.processes is not None:
            calls.append((resource.RLIMIT_NPROC, (self.processes, self.processes)))
        if address_space is not None:
            bytes_ = address_space + self.memory_mb * _MEGABYTE
            calls.append((resource.RLIMIT_AS, (bytes_, bytes_)))
        return [(which, _within(which, wanted)) for which, wanted in calls]


def apply(rlimits: Iterable[tuple[int, tuple[int, int]]]) -> None:
    """Take limits on in the calling process, for good."""
    for which, wanted in rlimits:
        resource.setrlimit(which, wanted)


def _within(which: int, wanted: tuple[int, int]) -> tuple[int, int]:
    """A limit is never raised: the machine's own may be the lower one."""
    _, hard = resource.getrlimit(which)
    if hard == resource.RLIM_INFINITY:
        return wanted
    return min(wanted[0], hard), min(wanted[1], hard)


def address_space() -> int:
    """Bytes of address space that this process has mapped."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[0]) * os.sysconf("SC_PAGESIZE")
    except OSError:
        return _address_space_by_trial()


def _address_space_by_trial() -> int:
    """The same where /proc is not mounted: the lowest limit under which one more page can be had."""
    import mmap

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    low, high = 0, _HIGHEST if hard == resource.RLIM_INFINITY else hard
    try:
        while high - low > _MEGABYTE:
            middle = (low + high) // 2
            resource.setrlimit(resource.RLIMIT_AS, (middle, hard))
            try:
                mmap.mmap(-1, mmap.PAGESIZE).close()
                high = middle
            except (OSError, MemoryError):
                low = middle
            finally:
                # Python may need an arena between two trials.
                resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
    return high
