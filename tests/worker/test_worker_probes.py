from __future__ import annotations

import os
import sys

import pytest

from grader.worker import attempts
from grader.worker.launch import Forkserver
from grader.worker.probes import MEMORY, STAT, THREAD, Probe, attributed, level, run_probes


def probes(*open_: str) -> list[Probe]:
    names = ["reach a server (TCP)", "write to /tmp", THREAD, MEMORY, STAT]
    return [Probe(name, name not in open_, "", "") for name in names]


def test_all_held():
    assert level(probes(), bubblewrap=True) == 3
    assert level(probes(), bubblewrap=False) == 2


def test_only_bubblewrap_hides_that_files_exist():
    assert level(probes(STAT), bubblewrap=False) == 2
    assert level(probes(STAT), bubblewrap=True) == 2


@pytest.mark.parametrize("name", ["reach a server (TCP)", "write to /tmp", THREAD, MEMORY])
def test_one_hole_is_none_at_all(name):
    assert level(probes(name), bubblewrap=True) == 0


def test_a_gpu_needs_threads_and_address_space():
    assert level(probes(THREAD, MEMORY), bubblewrap=True, device="cuda") == 3
    assert level(probes("write to /tmp"), bubblewrap=True, device="cuda") == 0


def test_nothing_tried_is_nothing_proven():
    assert level([], bubblewrap=True) == 0


def test_nothing_is_laid_to_a_wall_that_does_not_stand():
    rows = [Probe("a", True, "seccomp", ""), Probe("b", True, "limits", ""), Probe("c", False, "", "")]
    found = attributed(rows, ["limits"])
    assert [row.by for row in found] == ["the kernel", "limits", ""]
    assert [row.by for row in attributed(rows, ["limits", "seccomp"])] == ["seccomp", "limits", ""]


linux = pytest.mark.skipif(sys.platform != "linux", reason="the calls are Linux's")


@linux
def test_the_probes_see_that_nothing_stands(in_a_fork, tmp_path):
    """Without a wall every call gets as far as the kernel lets anybody."""
    (tmp_path / "reference.py").write_text("secret")

    def child(writer):
        rows = run_probes(descriptor=writer, hidden=[str(tmp_path / "reference.py")], memory_mb=64)
        return [row.name for row in rows if not row.held]

    through = set(in_a_fork(child))
    assert through >= {
        attempts.READ,
        STAT,
        THREAD,
        MEMORY,
        "change the solutions",
        "reach a server (TCP)",
        "reach a server (UDP)",
        "ask the kernel about the network",
        "keep a file in memory",
        "watch files",
        "write to /tmp",
        "make a process",
        "run a program",
        "become another program",
        "signal every process",
        "share memory (System V)",
        "leave messages (System V)",
        "leave messages (POSIX)",
        "open itself to debuggers",
        "use the kernel's keys",
        "measure the machine (perf)",
        "read the environment",
    }
    if os.geteuid() == 0:
        assert through >= {"become root", "change its root folder", "mount a file system"}


@linux
def test_the_probes_leave_nothing_behind(in_a_fork, tmp_path):
    hidden = tmp_path / "reference.py"
    hidden.write_text("secret")
    hidden.chmod(0o640)

    def queues() -> list[str]:
        return [open(f"/proc/sysvipc/{kind}").read() for kind in ("shm", "msg")]

    before = queues()
    descriptors = in_a_fork(
        lambda writer: [
            len(os.listdir("/proc/self/fd")),
            len(run_probes(descriptor=writer, hidden=[str(hidden)], memory_mb=64)),
            len(os.listdir("/proc/self/fd")),
        ]
    )
    assert descriptors[0] == descriptors[2]
    assert queues() == before
    assert not list(tmp_path.glob(".torchgrade*"))
    assert hidden.read_text() == "secret"
    assert hidden.stat().st_mode & 0o777 == 0o640


@linux
def test_each_attempt_has_a_name_and_a_purpose(forkserver: Forkserver):
    rows = forkserver.probe().probes
    assert all(row.about for row in rows)
    assert all(row.by for row in rows if row.held), [row for row in rows if row.held and not row.by]
