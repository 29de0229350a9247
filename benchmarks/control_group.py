"""A command, and every process that comes of it, in a control group of their own: the kernel adds up.

`grade batch` ends its processes by signals, and what a process has waited for is lost with it when it is killed
itself; Ray's detach themselves. A control group counts all of them, whatever becomes of them and whoever waits.
Linux with cgroup v2, and a group that may be divided: root's, or what `systemd-run --user --scope -p Delegate=yes`
gives to anybody.
"""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import click
from cpu import Cost

_SAMPLE_SECONDS = 0.25
_PATIENCE_SECONDS = 60.0
_JOIN = 'echo $$ > "$0"; exec "$@"'
_ROLES = {"command": ("grader", "batch"), "node": ("grader.engine.node",), "forkserver": ("forkserver",)}


@dataclass(frozen=True)
class Counted:
    """A command that has run, all its processes with it."""

    cost: Cost
    code: int
    output: str
    peak_mib: Mapping[str, float]
    """The most memory that was resident in one process of each role: `command`, `node`, `forkserver`.

    Pages that processes share count in each of them.
    """


def count_command(
    command: Sequence[str], *, directory: Path, environment: Mapping[str, str], output: Path
) -> Counted:
    """Run a command in a control group of its own, until the last of its processes has ended.

    Args:
        command: the program and its arguments.
        directory: where it runs.
        environment: all of its environment.
        output: the file that its output goes to, both streams.

    Raises:
        click.ClickException: there is no control group to be had, or something does not end.
    """
    with _group() as group, output.open("wb") as stream:
        watch = _Memory(group)
        started = time.perf_counter()
        process = subprocess.Popen(
            ["/bin/sh", "-c", _JOIN, str(group / "cgroup.procs"), *command],
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
        )
        with watch:
            code = process.wait()
            wall = time.perf_counter() - started
        _await_end(group)
        cpu = _seconds(group)
    return Counted(Cost(cpu, wall), code, output.read_text(errors="replace"), watch.peak_mib)


@contextmanager
def _group() -> Iterator[Path]:
    mounts = (line.split() for line in Path("/proc/mounts").read_text().splitlines())
    root = next((Path(mount[1]) for mount in mounts if mount[2] == "cgroup2"), None)
    lines = Path("/proc/self/cgroup").read_text().splitlines()
    own = next((line[3:] for line in lines if line.startswith("0::")), None)
    if root is None or own is None:
        raise click.ClickException("there is no cgroup v2 here, and without it processes go uncounted")
    group = root / own.lstrip("/") / f"torchgrade-benchmark-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        raise click.ClickException(
            f"no control group can be made at {group.parent} ({error.strerror}): run this as root, or with "
            "`systemd-run --user --scope -p Delegate=yes` before it"
        ) from None
    try:
        yield group
    finally:
        with suppress(OSError):
            group.rmdir()


def _await_end(group: Path) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while "populated 1" in (group / "cgroup.events").read_text():
        if time.monotonic() > end:
            left = (group / "cgroup.procs").read_text().split()
            raise click.ClickException(
                f"processes that the command left behind do not end: {', '.join(left)}"
            )
        time.sleep(0.02)


def _seconds(group: Path) -> float:
    fields = dict(line.split() for line in (group / "cpu.stat").read_text().splitlines())
    return int(fields["usage_usec"]) / 1e6


class _Memory(threading.Thread):
    """Looks now and then how much memory the processes of a group have had at most."""

    def __init__(self, group: Path) -> None:
        super().__init__(daemon=True)
        self.group = group
        self.peak_mib: dict[str, float] = {}
        self._roles: dict[str, str | None] = {}
        self._over = threading.Event()

    def __enter__(self) -> _Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Until told to end. The kernel keeps the peaks: what comes between two looks is not lost."""
        while not self._over.wait(_SAMPLE_SECONDS):
            with suppress(OSError):
                for pid in (self.group / "cgroup.procs").read_text().split():
                    self._look_at(pid)

    def _look_at(self, pid: str) -> None:
        with suppress(OSError):
            role = self._roles.get(pid) or self._role(pid)
            if role is not None:
                status = Path(f"/proc/{pid}/status").read_text()
                # A process that is ending has no memory any more, and no such line.
                if peak := re.search(r"^VmHWM:\s*(\d+)", status, re.MULTILINE):
                    self.peak_mib[role] = max(int(peak[1]) / 1024, self.peak_mib.get(role, 0.0))

    def _role(self, pid: str) -> str | None:
        """Looked for until there is one: a process becomes what it is by exec."""
        line = _command_line(pid)
        for role, words in _ROLES.items():
            if all(word in line for word in words) and not (role == "forkserver" and _is_worker(pid)):
                self._roles[pid] = role
                return role
        return None


def _is_worker(pid: str) -> bool:
    """Workers have the arguments of the forkserver that they come from."""
    parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
    return "forkserver" in _command_line(parent)


def _command_line(pid: str) -> str:
    """Of the programs that only start others, nothing."""
    program, _, rest = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").partition("\0")
    return "" if Path(program).name in ("sh", "bwrap") else rest
