"""`grade export` as a process: a gradebook in, the platform's file out, and nothing lost silently."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.course import load_course
from grader.engine.summary import Summary, not_handed_in
from grader.gradebook.store import Attempt, Gradebook
from grader.submission.identity import Identity
from tests.tiny_course import TinyExercise, write_course

Grade = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_course(tmp_path_factory.mktemp("course") / "tiny", {"double": TinyExercise(points=4)}).root


@pytest.fixture
def folder(course: Path, tmp_path: Path) -> Path:
    """A folder with a gradebook: Ada has full marks, Bob a quarter, and Bob's first attempt was better."""
    found = load_course(course)
    summary = Summary(found, "cpu")
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        for student, digest, points in (("ada", "1", 4.0), ("bob", "2", 3.0), ("bob", "3", 1.0)):
            whole = {"score": points, "verdict": "passed" if points == 4 else "partial"}
            result = not_handed_in(found.exercises[0]).model_copy(update=whole)
            graded = summary.of([result], student=student, digest=digest * 64, seed="", isolation=3)
            book.record(Attempt("tiny", Identity(student, student.title()), digest * 64), digest, graded)
    return tmp_path


@pytest.fixture
def grade(course: Path, folder: Path) -> Grade:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "grader", "export", *arguments, "--course", str(course)],
            capture_output=True,
            encoding="utf-8",
            cwd=folder,
            timeout=60,
            check=False,
            env={**os.environ, "LC_ALL": "C.UTF-8"},
        )

    return run


def test_a_table_of_the_best_attempts(grade: Grade, folder: Path) -> None:
    done = grade("csv")
    assert (done.returncode, done.stderr) == (0, "")
    with (folder / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["student"], float(row["score"]), row["attempts"]) for row in rows] == [
        ("ada", 4.0, "1"),
        ("bob", 3.0, "2"),
    ]


def test_the_last_attempt_where_the_course_says_so(grade: Grade, folder: Path, course: Path) -> None:
    manifest = course / "course.toml"
    text = manifest.read_text()
    manifest.write_text(text + '\n[policy]\ncounts = "last"\n')
    try:
        assert grade("json").returncode == 0
    finally:
        manifest.write_text(text)
    records = json.loads((folder / "marks.json").read_text())
    assert [record["score"] for record in records] == [4.0, 1.0]


def test_canvas_gets_its_own_file_back_filled_in(grade: Grade, folder: Path) -> None:
    (folder / "roster.csv").write_text(
        "Student,ID,SIS User ID,SIS Login ID,Section,hw (7)\n    Points Possible,,,,,10\nAda,1,ada,ada,A,\n"
    )
    done = grade("canvas", "--into", "roster.csv", "--assignment", "hw")
    assert done.returncode == 0, done.stderr
    assert "bob (Bob): is not in the platform's file" in done.stdout
    rows = list(csv.reader((folder / "canvas.csv").open(encoding="utf-8-sig", newline="")))
    assert rows[2] == ["Ada", "1", "ada", "ada", "A", "10"]


def test_to_standard_output_comes_nothing_but_the_table(grade: Grade) -> None:
    done = grade("csv", "--out", "-")
    assert done.stdout.lstrip("\ufeff").startswith('"student"')
    assert "written" not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("canvas",), "canvas wants the platform's own file"),
        (("csv", "--into", "gradebook.sqlite"), "--into goes with canvas and moodle"),
        (("csv", "--out-of", "many"), "write a number above 0"),
        (("csv", "--assignment", "hw1"), "--assignment goes with canvas"),
        (("csv", "--out", "no/such/folder/marks.csv"), "cannot be written"),
        (("csv", "--gradebook", "elsewhere.sqlite"), "there is no gradebook elsewhere.sqlite"),
        (("canvas", "--into", "gradebook.sqlite"), "gradebook"),
        (("excel",), "excel"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_line(grade: Grade, arguments: tuple[str, ...], words: str) -> None:
    done = grade(*arguments)
    assert done.returncode in (2, 3)
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_another_classs_file_is_not_filled_with_nothing(grade: Grade, folder: Path) -> None:
    (folder / "roster.csv").write_text("Student,ID,Section\n    Points Possible,,\nZoe,9,A\n")
    done = grade("canvas", "--into", "roster.csv")
    assert done.returncode == 2
    assert "no mark has a line in roster.csv" in done.stderr
    assert not (folder / "canvas.csv").exists()


def test_it_is_said_where_nobody_knows_who_was_late(grade: Grade, folder: Path, course: Path) -> None:
    manifest = course / "course.toml"
    before = manifest.read_text(encoding="utf-8")
    assert "due date" not in grade("csv").stderr
    try:
        manifest.write_text(before + "\n[policy]\ndue = 2026-12-01T23:59:00+01:00\n", encoding="utf-8")
        assert "not known when 2 of the students handed in" in grade("csv").stderr
    finally:
        manifest.write_text(before, encoding="utf-8")


def test_without_a_gradebook_here_it_says_what_to_do(grade: Grade, folder: Path) -> None:
    (folder / "gradebook.sqlite").unlink()
    done = grade("csv")
    assert done.returncode == 2
    assert "make one with `grade batch`" in done.stderr
