"""The processes on this machine, as /proc tells of them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Process(NamedTuple):
    """A process; when it began tells it from a later one of the same number."""

    pid: int
    began: int

    @property
    def lives(self) -> bool:
        """Whether it is there, dead and not reaped included."""
        return any(process == self for process, _ in _all())


def _all() -> list[tuple[Process, int]]:
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                stat = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            fields = stat.rpartition(")")[2].split()
            found.append((Process(int(entry), int(fields[19])), int(fields[1])))
    return found


def children(pid: int) -> list[Process]:
    """The children of a process, the oldest first."""
    return sorted((process for process, parent in _all() if parent == pid), key=lambda process: process.began)


def descendants(pid: int) -> list[Process]:
    """All below a process, those nearer to it first."""
    below, found = children(pid), []
    while below:
        found += below
        below = [child for process in below for child in children(process.pid)]
    return found


def wait_until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for something; a minute at most, which no machine needs."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "this never came to be"
        time.sleep(0.01)
