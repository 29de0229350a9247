"""The C library, for the system calls that Python has no name for."""

from __future__ import annotations

import ctypes
import os
import sys


class WallError(RuntimeError):
    """A wall that should stand does not. Nobody's code may run behind it."""


if sys.platform != "win32":
    libc: ctypes.CDLL = ctypes.CDLL(None, use_errno=True)

if sys.platform == "linux":
    # Without a type the arguments of a variadic call are passed as 32-bit ints, and the kernel reads 64.
    libc.syscall.restype = ctypes.c_long
    libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
    libc.prctl.restype = ctypes.c_int


def syscall(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """Make one system call.

    Raises:
        OSError: what the kernel said.
    """
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = libc.syscall(ctypes.c_long(number), *words)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


def prctl(option: int, value: int = 0) -> int:
    """Call prctl with one argument, the others 0 as the kernel asks for.

    Raises:
        OSError: what the kernel said.
    """
    result: int = libc.prctl(option, value, 0, 0, 0)
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return result


PR_SET_PDEATHSIG = 1
PR_GET_DUMPABLE = 3
PR_SET_DUMPABLE = 4
PR_SET_KEEPCAPS = 8
PR_SET_NO_NEW_PRIVS = 38
