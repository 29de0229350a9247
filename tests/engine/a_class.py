"""A class of answers to the tiny course, and the real command that grades it."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.tiny_course import TinyExercise, answer

TINY = {"double": TinyExercise(), "twice": TinyExercise(points=1), "again": TinyExercise(points=2.5)}
STUDENTS = 12


def write_class(folder: Path, students: int = STUDENTS) -> Path:
    """Every third answer is wrong, no two are the same text."""
    for number in range(students):
        student = folder / f"s{number:02d}"
        student.mkdir(parents=True)
        for name in TINY:
            wrong = number % 3 == 0 and name == "twice"
            source = answer("if x.numel() > 20: return x * 3" if wrong else "pass", name=name)
            (student / f"{name}.py").write_text(f"{source}# by {number}\n")
    return folder


def command(handed_in: Path, course: Path, *options: str) -> list[str]:
    # One job, unless a test is about several: each more imports torch twice.
    started = [sys.executable, "-m", "grader", "batch", str(handed_in), "--course", str(course)]
    return [*started, "--jobs", "1", "--seed", "a secret", *options]


def batch(handed_in: Path, course: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(handed_in, course, *options),
        capture_output=True,
        encoding="utf-8",
        cwd=course.parent,
        timeout=300,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


def results(out: Path) -> dict[str, str]:
    """The lines of `results.jsonl` by student; each student once."""
    lines = (out / "results.jsonl").read_text(encoding="utf-8").splitlines()
    found = {json.loads(line)["student"]: line for line in lines}
    assert len(found) == len(lines)
    return found


def descendants(pid: int) -> Iterator[int]:
    """The processes below one, the nearest first."""
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        yield int(child)
        try:
            yield from descendants(int(child))
        except OSError:
            continue


def assert_each_once(out: Path, undisturbed: dict[str, str]) -> None:
    assert results(out) == undisturbed
    with sqlite3.connect(out / "gradebook.sqlite") as raw:
        attempts = Counter(student for (student,) in raw.execute("SELECT student FROM attempts"))
        assert attempts == dict.fromkeys(undisturbed, 1)
        assert raw.execute("SELECT count(*) FROM gradings").fetchone() == (len(undisturbed),)
        assert raw.execute("PRAGMA integrity_check").fetchone() == ("ok",)
