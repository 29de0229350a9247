"""Forking a process that has but one thread, without what Python does for those that have more."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable

from grader.worker._libc import libc

__all__ = ["fork"]

_CLONE_THREAD = 0x00010000


def fork() -> int:
    """Fork; 0 in the child, its pid in the parent.

    `os.fork` makes new locks in the child and calls what modules have registered for that moment. This touches
    four hundred pages, which are copied each time: as much as all of the rest of a worker's start. Where no other
    thread can have held a lock there is nothing to mend, so the C library's own fork will do; what C libraries
    have registered still runs. Random numbers are the caller's to begin anew.
    """
    return _FORK() if _has_one_thread() else os.fork()


def _has_one_thread() -> bool:
    """Whether no other thread lives in this process, Python's or not.

    The kernel leaves a process that shares nothing as it is when asked to stop sharing its memory, and refuses one
    that has threads (unshare(2)). /proc would tell as well, but is not there behind bubblewrap.
    """
    return sys.platform == "linux" and bool(libc.unshare(_CLONE_THREAD) == 0)


def _libc_fork() -> Callable[[], int]:
    if sys.platform != "linux":
        return os.fork
    # PyDLL keeps the interpreter's lock, as os.fork does.
    found: Callable[[], int] = ctypes.PyDLL(None, use_errno=True).fork

    def call() -> int:
        pid = found()
        if pid < 0:
            error = ctypes.get_errno()
            raise OSError(error, os.strerror(error))
        return pid

    return call


_FORK = _libc_fork()
