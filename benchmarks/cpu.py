"""CPU seconds, of all processes: none that takes part may go uncounted.

Three clocks of the kernel's are read, all of them finer than a microsecond or two:

- this process: `time.process_time_ns`, user and system, all its threads;
- a process that lives on, such as the forkserver: its own CPU clock, read from outside as by
  clock_getcpuclockid(3); the cost of its forks is in it, for fork runs in the process that calls it;
- a process that has ended: what wait4(2) says of it, which includes all that it had waited for itself. A
  process whose parent ends without waiting (bubblewrap does, at times) comes to this one, which then waits.

/proc/<pid>/stat would hold the sums too, but in ticks of 10 ms: a submission takes less.

Not counted by anyone: what the kernel does in its own threads and in interrupts. Linux only.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.worker.launch import Forkserver

_PR_SET_CHILD_SUBREAPER = 36
_CPUCLOCK_SCHED = 2  # <linux/posix-timers.h>: a process's user and system time, all its threads


@dataclass(frozen=True)
class Cost:
    """What something took, in seconds."""

    cpu: float
    wall: float

    def __truediv__(self, count: int) -> Cost:
        return Cost(self.cpu / count, self.wall / count)


def clock_of(pid: int) -> float:
    """CPU seconds of a living process, without its children."""
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED) / 1e9


def children_of(pid: int) -> list[int]:
    """The living and unreaped children of a process, by the numbers that count here."""
    found = []
    for entry in os.scandir("/proc"):
        if entry.name.isdecimal() and _parent(int(entry.name)) == pid:
            found.append(int(entry.name))
    return sorted(found)


def minor_faults_of(pid: int) -> int:
    """How many pages a process was given, or had copied, when it touched them."""
    return int(_stat(pid)[7])


def _parent(pid: int) -> int | None:
    try:
        return int(_stat(pid)[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _stat(pid: int) -> list[str]:
    """The fields of proc_pid_stat(5) from the third on."""
    # The second field is the program's name, which may hold anything.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def descendants_of(pid: int) -> list[int]:
    """The children, and theirs, from the nearest to the farthest."""
    nearest = children_of(pid)
    return [*nearest, *(farther for child in nearest for farther in descendants_of(child))]


class CountingForkserver(Forkserver):
    """Adds up what its workers took: the forkserver reaps them with wait4, and says."""

    workers_cpu = 0.0

    def ask(
        self, order: Mapping[str, Any], descriptors: list[int] | None = None
    ) -> tuple[dict[str, Any], list[int]]:
        """One order; the reply to a reap carries the worker's CPU seconds."""
        reply, received = super().ask(order, descriptors)
        self.workers_cpu += reply.get("cpu_seconds", 0.0)
        return reply, received


class ForkserverMeter:
    """The CPU seconds of a forkserver: itself, bubblewrap's two processes around it, and all its workers.

    To be read while no student's worker lives; the one that runs recorded ops again lives on, and is counted as
    it stands. Make the meter when the forkserver is ready.
    """

    def __init__(self, forkserver: CountingForkserver, before: Sequence[int]) -> None:
        self.forkserver = forkserver
        roots = [child for child in children_of(os.getpid()) if child not in before]
        self.pids = [pid for root in roots for pid in (root, *descendants_of(root))]

    @property
    def pid(self) -> int:
        """The forkserver's own number, out here."""
        return self.pids[-1]

    def read(self) -> float:
        """CPU seconds since it was started."""
        living = sum(map(clock_of, children_of(self.pid)))
        return sum(map(clock_of, self.pids)) + living + self.forkserver.workers_cpu


def cost_here(body: Callable[[], object], others: Callable[[], float] = lambda: 0.0) -> Cost:
    """What a call takes in this process, and in the processes whose CPU seconds `others` reads."""
    others_before, wall, cpu = others(), time.perf_counter(), time.process_time()
    body()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu + others() - others_before, wall)


@dataclass(frozen=True)
class Finished:
    """A command that has run."""

    cost: Cost
    code: int
    output: str


def cost_of_command(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str], output: Path
) -> Finished:
    """Run a command and count it with every process that it started.

    Args:
        command: the program and its arguments.
        directory: where it runs.
        environment: all of its environment.
        output: where its output goes, both streams: a file, for nobody here has to read a pipe meanwhile.
    """
    before = children_of(os.getpid())
    with output.open("wb") as stream:
        wall = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        )
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - wall
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime + reap_orphans(before)
    return Finished(Cost(cpu, wall), process.returncode, output.read_text(errors="replace"))


def reap_orphans(before: Sequence[int]) -> float:
    """Wait for the children that were not there before. Their CPU seconds."""
    cpu = 0.0
    for orphan in set(children_of(os.getpid())) - set(before):
        _, _, usage = os.wait4(orphan, 0)
        cpu += usage.ru_utime + usage.ru_stime
    return cpu


def adopt_orphans() -> None:
    """Have processes whose parents end without waiting come to this process, instead of to init.

    Raises:
        OSError: the kernel refuses.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
