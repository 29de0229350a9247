"""After hundreds of gradings, good and hostile, there is nothing that was not there before."""

from __future__ import annotations

import gc
import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import pytest

from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.submission.intake import Answer, Submission
from grader.worker import bubblewrap
from tests.attacks.processes import children, descendants
from tests.tiny_course import TinyExercise, answer, write_course

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

MARK = "torchgrade-leftover"
PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", "/run/lock")

# What each tries, and what it scores all the same out of 5.
MIX: Mapping[str, tuple[str, float]] = {
    "right": (answer(), 5.0),
    "wrong": (answer("return 3 * x"), 2.0),
    "exit": (answer("os._exit(0)"), 1.0),
    "crash": (answer("import ctypes; ctypes.string_at(0)"), 1.0),
    "abort": (answer("os.abort()"), 1.0),
    "memory": (answer("bytearray(1 << 40)"), 1.0),
    "fork": (answer("os.fork()"), 1.0),
    "thread": (answer("import threading; threading.Thread(target=time.sleep, args=(60,)).start()"), 1.0),
    "files": (
        answer(
            f"for place in {PLACES}:",
            "    try:",
            f"        open(f'{{place}}/{MARK}-{{os.getpid()}}', 'w').close()",
            "    except OSError: pass",
        ),
        5.0,
    ),
    "temporary files": (answer("import tempfile; tempfile.mkdtemp()"), 1.0),
    "shared memory": (answer("torch.ones(3).share_memory_()"), 1.0),
    "handles": (answer("return [object() for _ in range(200)]"), 1.0),
    "graphs": (answer("kept = [x * n for n in range(200)]", "return sum(kept)"), 2.0),
    "garbage on the wire": (
        answer("for number in range(3, 64):", "    try: os.write(number, b'x' * 99)", "    except OSError: pass"),
        1.0,
    ),
    "closed descriptors": (answer("os.closerange(0, 64)"), 1.0),
    "large": (answer("return torch.ones(1 << 20)"), 1.0),
    "no module": ("raise SystemExit", 0.0),
    "no Python": ("def double(x:", 0.0),
}  # fmt: skip


@dataclass(frozen=True)
class Traces:
    """What a grader may leave behind."""

    processes: int
    descriptors: frozenset[str]
    of_the_forkserver: int
    mounts: str
    in_the_kernel: str
    files: frozenset[str]

    @classmethod
    def now(cls, temporary: Path) -> Traces:
        gc.collect()
        marked = {str(path) for place in PLACES for path in Path(place).glob(f"*{MARK}*")}
        return cls(
            len(descendants(os.getpid())),
            frozenset(_descriptors("self")),
            sum(len(_descriptors(str(process.pid))) for process in descendants(os.getpid())),
            Path("/proc/self/mountinfo").read_text(encoding="utf-8"),
            "".join(_lines(f"/proc/sysvipc/{kind}") for kind in ("shm", "sem", "msg")),
            frozenset(marked | {str(path) for path in temporary.rglob("*")}),
        )


def _descriptors(pid: str) -> list[str]:
    """The open descriptors of a process that lets itself be looked at, and where they lead."""
    found = []
    try:
        for number in os.listdir(f"/proc/{pid}/fd"):
            try:
                found.append(f"{number} {os.readlink(f'/proc/{pid}/fd/{number}')}")
            except OSError:
                continue  # the one that the list was read with
    except OSError:
        pass
    return found


def _lines(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError:
        return ""


def _resident_mib() -> float:
    return (
        int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        * os.sysconf("SC_PAGESIZE")
        / (1 << 20)
    )


@pytest.mark.parametrize("count", [60, pytest.param(500, marks=pytest.mark.slow)])  # half a minute and more
@pytest.mark.parametrize(
    "walled",
    [
        pytest.param(
            True,
            marks=pytest.mark.skipif(
                bubblewrap.available() is not None, reason="bubblewrap does not run on this machine"
            ),
        ),
        False,
    ],
    ids=["level_3", "level_2"],
)
def test_gradings_leave_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, walled: bool, count: int
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", None)
    course = write_course(tmp_path / "tiny", {"double": TinyExercise()})
    exercise = course.exercise("double")

    def grade(opened: OpenEngine, n: int) -> None:
        name = list(MIX)[n % len(MIX)]
        source, deserved = MIX[name]
        handed_in = Submission(
            MappingProxyType({"double": Answer("double", source, "double.py")}), (), "a digest"
        )
        result = opened.grade_exercise(exercise, handed_in)
        assert result.score == deserved, (name, result)

    def run(opened: OpenEngine) -> tuple[Traces, Traces, float]:
        assert opened.engine.isolation == (3 if walled else 2)
        for n in range(2 * len(MIX)):
            grade(opened, n)
        begun, memory = Traces.now(temporary), _resident_mib()
        for n in range(count):
            grade(opened, n)
        return begun, Traces.now(temporary), _resident_mib() - memory

    before = Traces.now(temporary)
    begun, done, grown = LocalEngine(course, course.exercises, Setting(bubblewrap=walled)).run(run)
    after = Traces.now(temporary)
    assert done == begun
    assert after == before
    assert begun != before, "or nothing was looked at"
    assert begun.processes == (3 if walled else 1), "bubblewrap, bubblewrap inside, the forkserver"
    assert not children(os.getpid())
    assert grown < 16, "MiB"
