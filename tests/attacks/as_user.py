"""Runs a command as an ordinary user, with or without the kernel's means to put up walls.

To be run as a script, by root where it is to change the user:

    python as_user.py [--uid N] [--home DIR] [--ours DIR] [--open PATH ...] [--without-walls]
        [--without-namespaces] -- COMMAND ...

An ordinary user often cannot read the interpreter that the tests run on, which may lie in root's home. The
command then gets a view of the files of its own, in which the folders that are closed to it hold only what it
needs, at the same paths.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import os
import platform
import stat
import struct
import sys
from collections.abc import Iterable
from pathlib import Path

CANNOT = 125
"""What it exits with where this machine does not let it; the reason is on stderr."""

_CLONE_NEWNS = 0x20000
_MS_BIND, _MS_REC, _MS_PRIVATE = 0x1000, 0x4000, 1 << 18
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _FILTER = 22, 38, 2
_LANDLOCK = (444, 445, 446)
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_CLONE = {"x86_64": 56, "aarch64": 220}
_UNSHARE = {"x86_64": 272, "aarch64": 97}
_CLONE3 = 435
_CLONE_NEWUSER = 0x10000000
_LOAD, _IF_EQUAL, _IF_BITS, _RETURN = 0x20, 0x15, 0x45, 0x06
_NUMBER_AT, _FIRST_ARGUMENT_AT = 0, 16
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000

libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--uid", type=int, help="whom to become; root alone can")
    parser.add_argument("--home", type=Path, help="a folder of that user's own")
    parser.add_argument("--ours", type=Path, help="what may be opened on the disk, if it must")
    parser.add_argument("--open", type=Path, action="append", default=[], help="what the command has to read")
    parser.add_argument(
        "--without-walls", action="store_true", help="as on a kernel without Landlock and seccomp"
    )
    parser.add_argument("--without-namespaces", action="store_true", help="as in a container of Docker's")
    parser.add_argument("command", nargs="+")
    asked = parser.parse_args()
    try:
        if asked.uid is not None:
            named = (Path(word) for word in asked.command)
            needed = [*asked.open, *(path for path in named if path.is_absolute() and path.exists())]
            if asked.home is not None:
                needed.append(asked.home)
                os.environ["HOME"] = str(asked.home)
            make_reachable(needed, asked.ours)
            os.setgroups([])
            os.setresgid(asked.uid, asked.uid, asked.uid)
            os.setresuid(asked.uid, asked.uid, asked.uid)
        if asked.without_walls:
            take_calls_away([*_LANDLOCK, _SECCOMP[platform.machine()]])
        if asked.without_namespaces:
            refuse_namespaces(platform.machine())
        os.execvp(asked.command[0], asked.command)
    except (OSError, KeyError) as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(CANNOT)


def make_reachable(needed: Iterable[Path], ours: Path | None) -> None:
    """Let others than root get to each path: put a different view over the folders that are closed to them.

    Where that cannot be done, folders of our own are opened on the disk instead. It is the second choice, for
    pytest closes its temporary folder again whenever another run of it begins.

    Raises:
        OSError: neither can be done.
    """
    places = dict.fromkeys(place for path in needed for place in (path.absolute(), path.resolve()))
    closed = {place: [above for above in reversed(place.parents) if _is_closed(above)] for place in places}
    below_closed: dict[Path, list[Path]] = {}
    for place, folders in closed.items():
        if folders:
            below_closed.setdefault(folders[0], []).append(place)
    if not below_closed:
        return
    try:
        _check(libc.unshare(_CLONE_NEWNS))
    except OSError:
        for folder in {folder for folders in closed.values() for folder in folders}:
            if ours is None or not folder.is_relative_to(ours):
                raise
            folder.chmod(stat.S_IMODE(folder.stat().st_mode) | 0o011)
        return
    mount("none", "/", _MS_REC | _MS_PRIVATE)
    for folder, paths in below_closed.items():
        outermost = [path for path in paths if not set(path.parents) & set(paths)]
        held = {path: os.open(path, os.O_PATH) for path in outermost}
        mount("tmpfs", str(folder), 0, kind="tmpfs", data="mode=0755")
        for path, descriptor in held.items():
            path.parent.mkdir(0o755, parents=True, exist_ok=True)
            if stat.S_ISDIR(os.fstat(descriptor).st_mode):
                path.mkdir(0o755)
            else:
                path.touch()
            mount(f"/proc/self/fd/{descriptor}", str(path), _MS_BIND | _MS_REC)
            os.close(descriptor)


def _is_closed(folder: Path) -> bool:
    return not folder.stat().st_mode & stat.S_IXOTH


def mount(source: str, target: str, flags: int, *, kind: str | None = None, data: str | None = None) -> None:
    """The system call.

    Raises:
        OSError: the kernel refuses.
    """
    words = [None if word is None else word.encode() for word in (source, target, kind, data)]
    _check(libc.mount(words[0], words[1], words[2], ctypes.c_ulong(flags), words[3]))


def take_calls_away(numbers: Iterable[int]) -> None:
    """Have system calls fail as on a kernel that has never heard of them, here and in all children.

    Raises:
        OSError: the kernel refuses.
    """
    program = [(_LOAD, 0, 0, _NUMBER_AT)]
    for number in numbers:
        program += [(_IF_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    filter_calls(program)


def refuse_namespaces(machine: str) -> None:
    """Have every way to a user namespace fail, here and in all children.

    Raises:
        OSError: the kernel refuses.
    """
    filter_calls(
        [
            (_LOAD, 0, 0, _NUMBER_AT),
            # It takes its flags by a pointer, which a filter cannot follow; glibc then uses the older call.
            (_IF_EQUAL, 0, 1, _CLONE3),
            (_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
            (_IF_EQUAL, 1, 0, _CLONE[machine]),
            (_IF_EQUAL, 0, 3, _UNSHARE[machine]),
            (_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
            (_IF_BITS, 0, 1, _CLONE_NEWUSER),
            (_RETURN, 0, 0, _ERRNO | errno.EPERM),
        ]
    )


def filter_calls(program: list[tuple[int, int, int, int]]) -> None:
    """Load a filter; what it does not return from is allowed.

    Raises:
        OSError: the kernel refuses.
    """
    program = [*program, (_RETURN, 0, 0, _ALLOW)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in program))
    filter_ = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", len(program), ctypes.addressof(code)))
    _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))))
    _check(libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_FILTER), filter_, *map(ctypes.c_ulong, (0, 0))))


def _check(result: int) -> None:
    if result != 0:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


if __name__ == "__main__":
    main()
