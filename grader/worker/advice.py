"""What to do about walls that do not stand: the one place that knows, for `grade doctor` and for refusals."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.worker.launch import Isolation

_ROOT = Path("/")
_BUBBLEWRAP = "bubblewrap"
_ALL = "all"  # of them, on another system than Linux
# By what a distribution calls itself, or says that it is like (os-release).
_INSTALL = {
    "debian": "apt-get install bubblewrap",
    "ubuntu": "apt-get install bubblewrap",
    "fedora": "dnf install bubblewrap",
    "rhel": "dnf install bubblewrap",
    "suse": "zypper install bubblewrap",
    "arch": "pacman -S bubblewrap",
    "alpine": "apk add bubblewrap",
}
# What forbids user namespaces to ordinary users: where it is read, the value that forbids, and what allows them.
_SWITCHES = (
    ("kernel/unprivileged_userns_clone", "0", "sysctl -w kernel.unprivileged_userns_clone=1"),
    ("user/max_user_namespaces", "0", "sysctl -w user.max_user_namespaces=15000"),
    (
        "kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0 (or write an AppArmor profile that lets "
        "bwrap use userns)",
    ),
)
_CONTAINER_FILES = (".dockerenv", "run/.containerenv")


def missing_walls(isolation: Isolation) -> dict[str, str]:
    """The walls that do not stand, the outermost first, and why."""
    outer = isolation.bubblewrap_missing
    if outer is None or _ALL in isolation.missing:
        return dict(isolation.missing)
    return {_BUBBLEWRAP: outer, **isolation.missing}


def advise(missing: Mapping[str, str], *, machine: Path = _ROOT, root: bool | None = None) -> dict[str, str]:
    """What a person can do about each wall that is missing, a line each.

    Args:
        missing: what `missing_walls` found.
        machine: the root of its file system.
        root: whether the grader runs as root; asked of the system if None.
    """
    as_root = os.geteuid() == 0 if root is None else root
    return {wall: _on(wall, reason, machine, as_root) for wall, reason in missing.items()}


def refusal(isolation: Isolation, wanted: int) -> str:
    """Why nothing is graded here and how to change that, in one line.

    Args:
        isolation: what stands.
        wanted: the level that the course asks for.
    """
    # Levels 2 and 3 differ by the outer wall alone, and no level depends on users.
    needed = {_BUBBLEWRAP} if isolation.level == 2 else {_BUBBLEWRAP, _ALL, "landlock", "seccomp"}
    if wanted < 3:
        needed.discard(_BUBBLEWRAP)
    missing = {wall: reason for wall, reason in missing_walls(isolation).items() if wall in needed}
    open_ = list(dict.fromkeys(probe.name for probe in isolation.probes if not probe.held))
    reasons = [f"{wall}: {advice}" for wall, advice in advise(missing).items()]
    if not reasons and open_:
        reasons = [f"a worker can {open_[0]}"]
    return (
        f"only isolation level {isolation.level} stands here, and this course asks for {wanted}; to raise it: "
        f"{'; '.join(reasons) or 'grade on another machine'} (`grade doctor` shows more); or, where you trust "
        "the code, lower `minimum_isolation` in course.toml"
    )


def _on(wall: str, reason: str, machine: Path, root: bool) -> str:
    if wall == _BUBBLEWRAP:
        return _on_bubblewrap(reason, machine, root)
    if wall == "landlock":
        docker = ", and Docker 23 or later around this container" if _is_container(machine) else ""
        return f"use Linux 5.13 or later with Landlock on (`landlock` in the boot option lsm=){docker}"
    if wall == "seccomp":
        return "use a kernel with CONFIG_SECCOMP_FILTER and 64-bit Python on x86-64 or aarch64, no gVisor or WSL 1"
    if wall == "uid":
        if root:
            return "map more than one user into this container, or run the grader as an ordinary user"
        return "nothing to do where Landlock and seccomp stand: they keep workers off what is this user's"
    return "grade on Linux: a virtual machine, a container or, on Windows, WSL 2"


def _on_bubblewrap(reason: str, machine: Path, root: bool) -> str:
    if reason == "left out, as asked":
        return "do not leave it out"
    if "not installed" in reason:
        return _install(machine)
    steps = []
    if not root:
        # As root no user namespace is needed.
        steps = [step for path, forbids, step in _SWITCHES if _setting(machine, path) == forbids]
    if _is_container(machine):
        if root:
            flags = "--cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt apparmor=unconfined"
        else:
            flags = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
        steps.append(f"start the container with {flags}")
    if steps:
        return " and ".join(steps)
    return "allow this user to make namespaces: on the machine itself rather than in a sandbox, or in a virtual machine"


def _install(machine: Path) -> str:
    """How this distribution installs the package."""
    names: list[str] = []
    for line in _text(machine / "etc/os-release").splitlines():
        key, _, value = line.partition("=")
        if key in ("ID", "ID_LIKE"):
            names += value.strip("\"'").split()
    known = [_INSTALL[name] for name in names if name in _INSTALL]
    return known[0] if known else "install the package `bubblewrap`"


def _is_container(machine: Path) -> bool:
    return any((machine / name).exists() for name in _CONTAINER_FILES)


def _setting(machine: Path, name: str) -> str | None:
    return _text(machine / "proc/sys" / name).strip() or None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
