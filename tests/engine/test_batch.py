"""A class graded by the real command: nothing lost, nothing twice, the same bytes however it was done."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from grader.engine.pool import Pool
from grader.engine.tasks import EngineSetting, Task
from grader.errors import GradebookError
from grader.gradebook.store import Gradebook
from grader.result import GradingResult
from grader.submission.intake import Answer
from tests.engine.a_class import (
    STUDENTS,
    TINY,
    assert_each_once,
    batch,
    command,
    descendants,
    results,
    write_class,
)
from tests.tiny_course import SUITE, answer, write_course


@pytest.fixture
def course(tmp_path: Path) -> Path:
    return write_course(tmp_path / "course", TINY).root


@pytest.fixture
def handed_in(tmp_path: Path) -> Path:
    return write_class(tmp_path / "class")


def test_a_class_is_graded_once_and_known_the_second_time(
    handed_in: Path, course: Path, tmp_path: Path
) -> None:
    out = tmp_path / "class-graded"
    first = batch(handed_in, course, "--jobs", "2")
    assert first.returncode == 1, first.stderr
    assert f"{STUDENTS} submissions, {STUDENTS} graded now, 0 graded before" in first.stdout
    lines = results(out)
    assert set(lines) == {path.name for path in handed_in.iterdir()}
    for line in lines.values():
        result = GradingResult.model_validate_json(line)
        assert result.to_json() == line
        wrong = int(result.student[1:]) % 3 == 0
        assert result.exercises[1].verdict == ("partial" if wrong else "passed")
    second = batch(handed_in, course)
    assert f"0 graded now, {STUDENTS} graded before" in second.stdout
    assert results(out) == lines
    # One process, another order of work, another folder: the same bytes.
    alone = batch(handed_in, course, "--jobs", "1", "--out", str(tmp_path / "alone"))
    assert alone.returncode == 1
    assert results(tmp_path / "alone") == lines


def test_only_what_changed_is_graded_again_and_what_came_of_it_is_said(
    handed_in: Path, course: Path, tmp_path: Path
) -> None:
    out = tmp_path / "class-graded"
    batch(handed_in, course)
    before = results(out)
    # A kinder suite for one exercise: the wrong answers pass now.
    suite = course / "solutions/first/twice/test_twice.py"
    suite.write_text(SUITE.replace("make.randn(40,", "make.randn(4,").replace("NAME", "twice"))
    again = batch(handed_in, course)
    assert again.returncode == 0, again.stderr
    assert f"{STUDENTS} graded now" in again.stdout
    assert "s00: twice: 0.6 -> 1 (partial -> passed)" in again.stderr
    assert "s01" not in again.stderr
    with Gradebook.open(out / "gradebook.sqlite") as book, sqlite3.connect(out / "gradebook.sqlite") as raw:
        assert {stored.student.id for stored in book.attempts("tiny")} == set(before)
        # The other two exercises' results were there: three a student, and one more of the changed one.
        by_exercise = dict(raw.execute("SELECT exercise, count(*) FROM results GROUP BY exercise").fetchall())
        assert by_exercise == {"double": STUDENTS, "again": STUDENTS, "twice": 2 * STUDENTS}
        # What was graded before is kept.
        assert raw.execute("SELECT count(*) FROM gradings").fetchone() == (2 * STUDENTS,)


def test_a_new_attempt_is_kept_beside_the_old_one(handed_in: Path, course: Path, tmp_path: Path) -> None:
    batch(handed_in, course)
    (handed_in / "s00/twice.py").write_text(answer(name="twice"))
    again = batch(handed_in, course)
    assert f"1 graded now, {STUDENTS - 1} graded before" in again.stdout
    with Gradebook.open(tmp_path / "class-graded/gradebook.sqlite") as book:
        mine = [stored for stored in book.attempts("tiny") if stored.student.id == "s00"]
        assert [(stored.number, stored.result.exit_code) for stored in mine] == [(1, 1), (2, 0)]
        assert book.answers(mine[1].id)["twice"] == answer(name="twice")


def test_one_that_cannot_be_read_is_told_and_costs_nobody_else(
    handed_in: Path, course: Path, tmp_path: Path
) -> None:
    (handed_in / "zoe.zip").write_bytes(b"PK\x03\x04 and nothing more")
    done = batch(handed_in, course)
    assert done.returncode == 1
    assert "zoe: not readable: zoe.zip" in done.stderr
    assert "1 not readable" in done.stdout
    assert len(results(tmp_path / "class-graded")) == STUDENTS
    with Gradebook.open(tmp_path / "class-graded/gradebook.sqlite") as book:
        ((who, problem),) = book.problems("tiny")
        assert (who.id, "zoe.zip" in problem) == ("zoe", True)


def disturbed(handed_in: Path, course: Path, seed: int, kills: int) -> list[str]:
    """Run the command until it ends by itself, killing it or a process below it at random moments before."""
    chance = random.Random(seed)
    what = []
    for _ in range(kills):
        running = subprocess.Popen(
            command(handed_in, course, "--jobs", "2"),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=course.parent,
        )
        try:
            running.wait(chance.uniform(0.2, 6.0))
        except subprocess.TimeoutExpired:
            below = list(descendants(running.pid))
            victim = chance.choice([running.pid, *below])
            what.append("the command" if victim == running.pid else "a process below it")
            with suppress(ProcessLookupError):  # a worker lives a hundredth of a second
                os.kill(victim, signal.SIGKILL)
            if victim == running.pid:
                running.wait()
                gone = time.monotonic() + 20
                while any(Path(f"/proc/{pid}/cmdline").exists() for pid in below) and time.monotonic() < gone:
                    time.sleep(0.05)
        running.wait(120)
    return what


@pytest.mark.skipif(sys.platform != "linux", reason="finds the processes to kill in /proc")
@pytest.mark.parametrize(
    ("seed", "kills"),
    [(1, 3), pytest.param(2, 30, marks=pytest.mark.slow)],  # a minute and more
)
def test_killed_at_any_moment_it_goes_on_and_grades_each_submission_once(
    handed_in: Path, course: Path, tmp_path: Path, seed: int, kills: int
) -> None:
    alone = tmp_path / "alone"
    batch(handed_in, course, "--out", str(alone))
    disturbed(handed_in, course, seed, kills)
    last = batch(handed_in, course, "--resume")
    assert last.returncode == 1, last.stderr
    assert_each_once(tmp_path / "class-graded", results(alone))


def test_two_runs_into_one_folder_do_not_mix(handed_in: Path, course: Path, tmp_path: Path) -> None:
    import fcntl

    out = tmp_path / "class-graded"
    out.mkdir()
    with (out / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = batch(handed_in, course)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "another `grade batch` works in" in done.stderr


def test_a_gradebook_that_another_holds_is_told_in_a_line(
    handed_in: Path, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.gradebook.store._BUSY_SECONDS", 0.1)
    path = tmp_path / "gradebook.sqlite"
    Gradebook.open(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(GradebookError, match="in use by another program"), Gradebook.open(path) as book:
        book.secret("tiny")
    other.close()


def test_resume_wants_a_run_to_go_on_with(handed_in: Path, course: Path) -> None:
    done = batch(handed_in, course, "--resume")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no run in" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a disk of its own: root's to do")
def test_a_full_disk_is_told_in_a_line_and_nothing_is_half_written(
    handed_in: Path, course: Path, tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=200k", "torchgrade-test", str(disk)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("no disk can be mounted here")
    try:
        done = batch(handed_in, course, "--out", str(disk / "out"))
        assert done.returncode == 3
        assert "Traceback" not in done.stderr
        assert "make room" in done.stderr.splitlines()[-1]
        subprocess.run(["mount", "-o", "remount,size=20m", str(disk)], check=True)
        again = batch(handed_in, course, "--out", str(disk / "out"))
        assert again.returncode == 1, again.stderr
        assert len(results(disk / "out")) == STUDENTS
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_nothing_in_the_current_folder_is_imported(handed_in: Path, course: Path, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    for name in ("torch", "click", "json", "sitecustomize", "pytest"):
        (handed_in / f"{name}.py").write_text(f"open({str(seen)!r}, 'a').write({name!r})")
    for python in ([sys.executable, "-m", "grader"], [sys.executable, "-P", "-m", "grader"]):
        subprocess.run(
            [*python, "batch", ".", "--course", str(course), "--out", str(tmp_path / "out")],
            cwd=handed_in,
            capture_output=True,
            timeout=120,
            check=False,
        )
    assert not seen.exists(), seen.read_text()
    assert len(results(tmp_path / "out")) >= STUDENTS


@pytest.mark.slow  # it waits for half a minute
@pytest.mark.skipif(sys.platform != "linux", reason="finds the process to stop in /proc")
def test_a_process_that_falls_silent_costs_nobody_a_mark(course: Path) -> None:
    answers = tuple(Answer(name, answer(name=name), f"{name}.py") for name in TINY)
    stopped: list[int] = []

    def tasks() -> Iterator[Task]:
        yield Task(0, "a secret", answers)
        # The first one is under way: stop whoever does it, as a suspended machine would.
        (node,) = [pid for pid in descendants(os.getpid()) if "grader.engine.node" in command_line(pid)]
        os.kill(node, signal.SIGSTOP)
        stopped.append(node)
        yield Task(1, "a secret", answers)

    done = list(Pool(EngineSetting(str(course)), 1, patience=30.0).grade(tasks()))
    assert stopped
    assert sorted(found.number for found in done) == [0, 1]
    assert all(result.verdict == "passed" for found in done for result in found.results)
    assert all(not found.failure for found in done)


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return ""
