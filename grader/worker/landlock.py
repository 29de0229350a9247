"""Landlock: which files a worker may open, and that it reaches nobody beyond itself.

The rules are made once, in the forkserver; each worker takes them on with one system call.

What Landlock leaves open, at every version: `stat`, `access` and `readlink` of any path, changes of mode,
owner and times, UDP and all other sockets than TCP, and descriptors that were open before. Seccomp and
the closing of descriptors cover all of these but the first.
"""

from __future__ import annotations

import ctypes
import errno
import os
import stat
import struct
import sys
from collections.abc import Iterable

from grader.worker._libc import PR_SET_NO_NEW_PRIVS, prctl, syscall

# The three calls are younger than the point at which all architectures began to share their numbers.
_CREATE_RULESET = 444
_ADD_RULE = 445
_RESTRICT_SELF = 446
_CREATE_RULESET_VERSION = 1
_RULE_PATH_BENEATH = 1
_LOG_SAME_EXEC_OFF = 1

# linux/landlock.h, one bit each, with the ABI that brought it.
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_ALL_OF_ABI_1 = (1 << 13) - 1
_REFER = 1 << 13  # ABI 2
_TRUNCATE = 1 << 14  # ABI 3
_IOCTL_DEV = 1 << 15  # ABI 5
_BIND_TCP = 1 << 0  # ABI 4
_CONNECT_TCP = 1 << 1  # ABI 4
_SCOPE_ABSTRACT_UNIX_SOCKET = 1 << 0  # ABI 6
_SCOPE_SIGNAL = 1 << 1  # ABI 6

_SINCE = {
    2: "moving files between folders",
    3: "truncating files",
    4: "TCP",
    5: "ioctl on devices",
    6: "signals and abstract sockets",
}


def abi() -> int:
    """The version of Landlock that the kernel speaks; 0 where it has none or has it switched off."""
    if sys.platform != "linux":
        return 0
    try:
        return syscall(_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def missing(version: int) -> list[str]:
    """What Landlock of this version cannot deny, in words."""
    if version == 0:
        return ["Landlock"]
    return [what for since, what in _SINCE.items() if version < since]


def build_ruleset(readable: Iterable[str], devices: Iterable[str] = (), *, version: int | None = None) -> int:
    """Make the rules: what lies at or below `readable` may be read, and nothing else be done to any file.

    Args:
        readable: files and folders; one that does not exist opens nothing and is left out.
        devices: files that may be written and driven by ioctl as well (`/dev/null`, a GPU's).
        version: the ABI to build for; asked of the kernel if None.

    Returns:
        The descriptor of the ruleset. A child that was forked may restrict itself with it.

    Raises:
        OSError: the kernel has no Landlock, or refuses a rule.
    """
    version = abi() if version is None else version
    if version < 1:
        raise OSError(errno.EOPNOTSUPP, "this kernel has no Landlock")
    files = _ALL_OF_ABI_1
    files |= _REFER if version >= 2 else 0
    files |= _TRUNCATE if version >= 3 else 0
    files |= _IOCTL_DEV if version >= 5 else 0
    # Each field came with a version, and an older kernel refuses a struct with more than it knows.
    fields = [files]
    if version >= 4:
        fields.append(_BIND_TCP | _CONNECT_TCP)
    if version >= 6:
        fields.append(_SCOPE_ABSTRACT_UNIX_SOCKET | _SCOPE_SIGNAL)
    attributes = struct.pack(f"={len(fields)}Q", *fields)
    ruleset = syscall(_CREATE_RULESET, _buffer(attributes), len(attributes), 0)
    try:
        for path in readable:
            _allow(ruleset, path, _READ_FILE, _READ_FILE | _READ_DIR)
        for path in devices:
            device = (_READ_FILE | _WRITE_FILE | _IOCTL_DEV | _TRUNCATE) & files
            _allow(ruleset, path, device, device | _READ_DIR)
    except BaseException:
        os.close(ruleset)
        raise
    return ruleset


def restrict(ruleset: int, *, version: int | None = None) -> None:
    """Take the rules on, for good, in the calling process.

    Raises:
        OSError: the kernel refuses, so nothing is restricted.
    """
    version = abi() if version is None else version
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    # A refusal is no event here: a hostile submission could fill the machine's audit log with them.
    syscall(_RESTRICT_SELF, ruleset, _LOG_SAME_EXEC_OFF if version >= 7 else 0)


def _allow(ruleset: int, path: str, of_a_file: int, of_a_folder: int) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        # struct landlock_path_beneath_attr is packed: 64 bits of rights, then a 32-bit descriptor.
        rule = struct.pack("=Qi", of_a_folder if is_folder else of_a_file, descriptor)
        syscall(_ADD_RULE, ruleset, _RULE_PATH_BENEATH, _buffer(rule), 0)
    finally:
        os.close(descriptor)


def _buffer(data: bytes) -> ctypes.Array[ctypes.c_char]:
    return ctypes.create_string_buffer(data, len(data))
