"""The outer wall: bubblewrap around the forkserver.

Inside there are no network, no other processes, and no files but those that the interpreter and torch
need, each bound by itself and read-only.
"""

from __future__ import annotations

import functools
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from grader.worker.libraries import NOT_STANDARD, cuda_devices, standard_library

IMPORT_ROOT = "/torchgrade"
"""Where the forkserver finds the few modules of ours that it runs."""

_PACKAGE = Path(__file__).resolve().parent.parent
_OURS = ("__init__.py", "errors.py", "wire", "worker")
_SCRATCH_BYTES = 16 << 20
# torch chooses its kernels by the first two: without, numbers differ in the last digit from those that are
# computed outside. glibc asks the third before it takes huge pages for the heap, which make forks cheap.
_HARDWARE = ("/proc/cpuinfo", "/sys/devices/system/cpu", "/sys/kernel/mm/transparent_hugepage")


@functools.cache
def available() -> str | None:
    """Why bubblewrap cannot be used here; None if it can."""
    if sys.platform != "linux":
        return "bubblewrap is Linux's"
    program = shutil.which("bwrap")
    if program is None:
        return "bwrap is not installed"
    trial = [program, *_namespaces(), "--ro-bind", "/", "/", "--", "/bin/true"]
    try:
        done = subprocess.run(trial, capture_output=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bwrap does not run: {error}"
    if done.returncode != 0:
        return f"bwrap fails: {done.stderr.decode(errors='replace').strip()}"
    return None


def command(
    inner: Sequence[str],
    *,
    readable: Sequence[str],
    environment: Mapping[str, str],
    device: str = "cpu",
) -> list[str]:
    """The command line that runs `inner` behind the outer wall.

    Descriptors that the caller lets it inherit arrive inside.

    Args:
        inner: the interpreter (`sys.executable`) and its arguments. Our modules are at `IMPORT_ROOT`.
        readable: what is there to be read (`libraries.readable_paths`).
        environment: all that the environment holds inside.
        device: "cpu" or "cuda".
    """
    program = shutil.which("bwrap")
    if program is None:
        raise FileNotFoundError("bwrap is not installed")
    arguments = [program, *_namespaces(), "--die-with-parent", "--new-session", "--clearenv"]
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    arguments += _capabilities(readable)
    # Before the binds: an interpreter may lie below /tmp.
    arguments += ["--size", str(_SCRATCH_BYTES), "--tmpfs", "/tmp"]
    arguments += _links()
    arguments += _binds([*_interpreter(), *readable])
    for name in _OURS:
        arguments += ["--ro-bind", str(_PACKAGE / name), f"{IMPORT_ROOT}/{_PACKAGE.name}/{name}"]
    for path in _HARDWARE:
        arguments += ["--ro-bind-try", path, path]
    for path in ["/dev/null", "/dev/urandom", *(cuda_devices() if device == "cuda" else [])]:
        arguments += ["--dev-bind", path, path]
    return [*arguments, "--remount-ro", "/", "--chdir", "/tmp", "--", *inner]


def _namespaces() -> list[str]:
    alone = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    # Root needs no user namespace, and in one it could not give each worker a user of its own.
    return alone if os.geteuid() == 0 else ["--unshare-user", *alone]


def _capabilities(readable: Sequence[str]) -> list[str]:
    if os.geteuid() != 0:
        return []
    # To give each worker a user of its own, and to end it.
    kept = ["CAP_SETUID", "CAP_SETGID", "CAP_KILL"]
    if not all(_open_to_all(path) for path in readable):
        kept.append("CAP_DAC_READ_SEARCH")
    return ["--cap-drop", "ALL", *(word for capability in kept for word in ("--cap-add", capability))]


def _open_to_all(path: str) -> bool:
    mode = os.stat(path).st_mode
    wanted = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
    return mode & wanted == wanted


def _links() -> list[str]:
    """The links at the root: on most systems /lib and /lib64 lead to /usr."""
    arguments = []
    for entry in sorted(os.scandir("/"), key=lambda e: e.name):
        if entry.name.startswith(("lib", "bin")) and entry.is_symlink():
            arguments += ["--symlink", os.readlink(entry.path), entry.path]
    return arguments


def _interpreter() -> Iterator[str]:
    """The interpreter under the names that it finds itself by, and the file that makes a folder a venv."""
    yield sys.executable
    yield os.path.realpath(sys.executable)
    if os.path.exists(configuration := os.path.join(sys.prefix, "pyvenv.cfg")):
        yield configuration


def _binds(paths: Sequence[str]) -> list[str]:
    """Bind each path where it is, and where its links lead to.

    The standard library is bound as one folder, for 200 mounts take 50 ms, and what in it is none of the
    standard library's is covered up.
    """
    standard = standard_library()
    arguments = []
    for place in dict.fromkeys([standard, os.path.realpath(standard)]):
        arguments += ["--ro-bind", standard, place]
        for name in sorted(NOT_STANDARD):
            if os.path.isdir(os.path.join(standard, name)):
                arguments += ["--tmpfs", os.path.join(place, name)]
    bound: dict[str, None] = {}
    for path in paths:
        if os.path.dirname(path) == standard or path.startswith("/dev/"):
            continue
        source = os.path.realpath(path)
        for place in dict.fromkeys([_past_root_links(path), source]):
            if place not in bound:
                bound[place] = None
                arguments += ["--ro-bind", source, place]
    return [*_folders_above([standard, os.path.realpath(standard), *bound, "/dev/urandom"]), *arguments]


def _folders_above(places: Iterable[str]) -> list[str]:
    """Make the folders that lead to what is bound: left to bubblewrap, they are closed to workers' users."""
    above = {str(folder) for place in places for folder in Path(place).parents}
    return [word for folder in sorted(above - {"/"}) for word in ("--dir", folder)]


def _past_root_links(path: str) -> str:
    top, _, below = path.lstrip("/").partition("/")
    return os.path.join(os.path.realpath(f"/{top}"), below)
