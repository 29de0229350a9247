"""`kill -9` of any one process: nobody's marks change, the run goes on, and nothing outlives the examiner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

import pytest

from grader.course.load import Course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.result import ExerciseResult
from grader.submission.intake import Answer, Submission
from grader.worker import bubblewrap
from tests.attacks.processes import children, descendants, wait_until
from tests.tiny_course import TinyExercise, answer, write_course

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="walls, and what is killed with them, are Linux's"
)

LEVELS = [
    pytest.param(
        True,
        id="level_3",
        marks=pytest.mark.skipif(
            bubblewrap.available() is not None, reason="bubblewrap does not run on this machine"
        ),
    ),
    pytest.param(False, id="level_2"),
]
# From the examiner down to the worker, which is the last of the line.
LINE = {
    True: {"outer bubblewrap": 0, "inner bubblewrap": 1, "forkserver": 2, "worker": 3},
    False: {"forkserver": 0, "worker": 1},
}
VICTIMS = [
    pytest.param(
        walled,
        victim,
        id=f"{victim.replace(' ', '_')}-level_{3 if walled else 2}",
        marks=LEVELS[not walled].marks,
    )
    for walled, line in LINE.items()
    for victim in line
]

SLOW = answer("time.sleep(0.3)")


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return write_course(tmp_path / "tiny", {"double": TinyExercise()})


def submission(source: str) -> Submission:
    return Submission(MappingProxyType({"double": Answer("double", source, "double.py")}), (), "a digest")


def line_below(pid: int) -> list[int]:
    """The first child, its last child, and so on: the processes between the examiner and its youngest worker."""
    line = []
    while below := children(pid):
        pid = below[-1].pid if line else below[0].pid
        line.append(pid)
    return line


class Killer(threading.Thread):
    """Waits until the line is so long, so that a worker answers, and kills one of it: once, or time and again."""

    def __init__(self, length: int, at: int, *, again: bool = False) -> None:
        super().__init__()
        self.length = length
        self.at = at
        self.done = threading.Event()
        self.again = again

    def run(self) -> None:
        me = os.getpid()
        while not self.done.wait(0.01):
            line = line_below(me)
            if len(line) < self.length:
                continue
            with suppress(ProcessLookupError):
                os.kill(line[self.at], signal.SIGKILL)
            if not self.again:
                return
            wait_until(lambda gone=line[self.at]: gone not in line_below(me))  # type: ignore[misc]  # no types for a default


def grade_and_kill(course: Course, walled: bool, victim: str, *, again: bool = False) -> list[ExerciseResult]:
    """Four submissions graded one after the other, the second while a process is killed."""

    def run(opened: OpenEngine) -> list[ExerciseResult]:
        results = []
        for n in range(4):
            killer = Killer(len(LINE[walled]), LINE[walled][victim], again=again)
            if n == 1:
                killer.start()
            results.append(opened.grade_exercise(course.exercise("double"), submission(SLOW)))
            if n == 1:
                assert again or not killer.is_alive(), "or nobody was killed"
                killer.done.set()
                killer.join()
        return results

    return LocalEngine(course, course.exercises, Setting(bubblewrap=walled)).run(run)


@pytest.mark.slow  # each starts an engine or two: `pytest -m slow tests/attacks/test_killed.py`
@pytest.mark.parametrize(("walled", "victim"), VICTIMS)
def test_a_process_that_is_killed_costs_nobody_a_mark(course: Course, walled: bool, victim: str) -> None:
    results = grade_and_kill(course, walled, victim)
    assert [result.verdict for result in results] == ["passed"] * 4, results
    assert [result.score for result in results] == [5.0] * 4
    wait_until(lambda: not descendants(os.getpid()), 10)


def test_a_worker_that_is_killed_each_time_has_crashed(course: Course) -> None:
    walled = bubblewrap.available() is None
    results = grade_and_kill(course, walled, "worker", again=True)
    assert [result.verdict for result in results] == ["passed", "crashed", "passed", "passed"]
    assert "killed by the system" in results[1].tests[0].message


def test_a_worker_that_is_killed_while_it_loads_is_replaced(course: Course) -> None:
    walled = bubblewrap.available() is None
    slow_to_load = "import time\ntime.sleep(0.5)\n" + answer()
    killer = Killer(len(LINE[walled]), LINE[walled]["worker"])

    def run(opened: OpenEngine) -> ExerciseResult:
        killer.start()
        return opened.grade_exercise(course.exercise("double"), submission(slow_to_load))

    result = LocalEngine(course, course.exercises, Setting(bubblewrap=walled)).run(run)
    killer.join()
    assert result.verdict == "passed", result


GRADE_FOR_EVER = """\
import sys
from pathlib import Path
from types import MappingProxyType
from grader.course.load import load_course
from grader.engine.local import LocalEngine, Setting
from grader.submission.intake import Answer, Submission

course = load_course(Path(sys.argv[1]))
answer = Answer("double", sys.argv[2], "double.py")
handed_in = Submission(MappingProxyType({"double": answer}), (), "a digest")


def run(opened):
    while True:
        opened.grade_exercise(course.exercise("double"), handed_in)


LocalEngine(course, course.exercises, Setting(bubblewrap=sys.argv[3] == "True")).run(run)
"""


@pytest.mark.slow  # an engine in a process of its own
@pytest.mark.parametrize("walled", LEVELS)
@pytest.mark.parametrize("how", ["while it starts", "while a worker answers", "while a worker hangs"])
def test_nothing_outlives_the_examiner(course: Course, walled: bool, how: str) -> None:
    source = answer("while True: pass") if how == "while a worker hangs" else SLOW
    command = [sys.executable, "-c", GRADE_FOR_EVER, str(course.root), source, str(walled)]
    examiner = subprocess.Popen(command, cwd=Path(__file__).resolve().parents[2])
    length = len(LINE[walled]) - (how == "while it starts")
    wait_until(lambda: len(line_below(examiner.pid)) >= length)
    below = descendants(examiner.pid)
    examiner.kill()
    examiner.wait()
    wait_until(lambda: not any(process.lives for process in below))
