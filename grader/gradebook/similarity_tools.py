"""A class's answers laid out for JPlag and Dolos, which look for similar code far better than a grader could.

Of each student the attempt that counts is handed over, and what all were given, so that it is no similarity.
Nothing leaves this machine here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import shlex
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from grader.course.load import Course
from grader.errors import UsageError
from grader.gradebook.marking import counting
from grader.gradebook.store import Gradebook, Stored
from grader.submission.shown import for_csv_cell
from grader.submission.student_ids import as_id

__all__ = ["Handover", "write_dolos", "write_jplag"]

_INFO: Final = ("filename", "full_name", "created_at", "ignored")
"""Columns of `info.csv`: "ignored" marks the one file that was given to all."""


@dataclass(frozen=True, slots=True)
class Handover:
    """What was written, in students and files of theirs, and the commands that look at it."""

    students: int
    files: int
    commands: tuple[str, ...]


def write_jplag(book: Gradebook, course: Course, out: Path) -> Handover:
    """Lay out a folder for JPlag: `submissions/<student>/<exercise>.py`, and the stubs in `base-code`.

    Args:
        book: where the answers are.
        course: whose.
        out: a folder that is not there yet, or is empty.

    Raises:
        UsageError: the folder is not empty, or cannot be written.
    """
    submissions, base = out / "submissions", out / "base-code"
    students = files = 0
    with _writing_to(out):
        submissions.mkdir(parents=True)
        base.mkdir()
        for exercise in course.exercises:
            _write(base / exercise.filename, exercise.stub_source)
        for folder, _, answers in _counted(book, course):
            students += 1
            (submissions / folder).mkdir()
            for exercise_id, source in answers.items():
                files += 1
                _write(submissions / folder / f"{exercise_id}.py", source)
    command = ["java", "-jar", "jplag.jar", "-l", "python3", "-bc", str(base), str(submissions)]
    return Handover(students, files, (shlex.join(command),))


def write_dolos(book: Gradebook, course: Course, out: Path) -> Handover:
    """Write a zip for each exercise for Dolos, which compares every file of a zip with every other.

    In it `answers/<student>.py`, the stub, and `info.csv` with names and times.

    Args:
        book: where the answers are.
        course: whose.
        out: a folder that is not there yet, or is empty.

    Raises:
        UsageError: the folder is not empty, or cannot be written.
    """
    students = files = 0
    archives: dict[str, ZipFile] = {}
    infos: dict[str, list[tuple[str, str, str, str]]] = {}
    with _writing_to(out), ExitStack() as stack:
        out.mkdir(parents=True, exist_ok=True)
        for exercise in course.exercises:
            path = out / f"{exercise.id}.zip"
            archive = archives[exercise.id] = stack.enter_context(ZipFile(path, "w", ZIP_DEFLATED))
            given = f"stub/{exercise.filename}"
            _add(archive, given, exercise.stub_source)
            infos[exercise.id] = [(given, "", "", "true")]
        for name, attempt, answers in _counted(book, course):
            students += 1
            for exercise_id, source in answers.items():
                files += 1
                place = f"answers/{name}.py"
                _add(archives[exercise_id], place, source)
                when = attempt.submitted.isoformat() if attempt.submitted is not None else ""
                called = for_csv_cell(attempt.student.name or attempt.student.id)
                infos[exercise_id].append((place, called, when, "false"))
        for exercise_id, archive in archives.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows([_INFO, *infos[exercise_id]])
            _add(archive, "info.csv", text.getvalue())
    commands = [
        shlex.join(["dolos", "run", "-f", "web", "-l", "python", str(out / f"{exercise_id}.zip")])
        for exercise_id, info in infos.items()
        if len(info) > 2  # the stub, and two to compare
    ]
    return Handover(students, files, tuple(commands))


def _counted(book: Gradebook, course: Course) -> Iterator[tuple[str, Stored, dict[str, str]]]:
    """For each student a name fit for a file, the attempt that counts, and its answers to the course's exercises."""
    known = {exercise.id for exercise in course.exercises}
    taken: set[str] = set()
    for attempt, _ in counting(book.attempts(course.manifest.course.id), course.manifest.policy):
        answers = {name: source for name, source in book.answers(attempt.id).items() if name in known}
        if not answers:
            continue
        name = as_id(attempt.student.id)
        if name.casefold() in taken:  # one folder, on a disk that takes "Anna" for "anna"
            name += "-" + hashlib.sha256(attempt.student.id.encode()).hexdigest()[:8]
        taken.add(name.casefold())
        yield name, attempt, answers


@contextmanager
def _writing_to(out: Path) -> Iterator[None]:
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"{out} is there already, and not empty: name a new folder")
        yield
    except OSError as error:
        raise UsageError(f"{out} cannot be written ({error.strerror}): name another folder") from None


def _write(path: Path, source: str) -> None:
    path.write_bytes(_bytes_of(source))


def _add(archive: ZipFile, name: str, text: str) -> None:
    entry = ZipInfo(name)  # of 1980: the same answers give the same zip
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, _bytes_of(text))


def _bytes_of(text: str) -> bytes:
    return text.encode("utf-8", "replace")
