"""`grade export`: marks for learning platforms, and as tables."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.gradebook import find_gradebook, gradebook_option, marks_of, write_whole
from grader.cli.options import course_options

if TYPE_CHECKING:
    from grader.course.load import Course
    from grader.course.model import Language
    from grader.gradebook.exports import Export
    from grader.gradebook.exports.gradescope import Visibility
    from grader.gradebook.exports.numbers import OutOf
    from grader.gradebook.marks import Mark
    from grader.gradebook.similarity_tools import Handover
    from grader.gradebook.store import Gradebook

_DEFAULTS = {
    "gradescope": "gradescope",
    "canvas": "canvas.csv",
    "moodle": "moodle.csv",
    "csv": "marks.csv",
    "json": "marks.json",
    "parquet": "marks.parquet",
    "jplag": "jplag",
    "dolos": "dolos",
}
_SHOWN = 20


@click.command("export")
@click.argument("format_", metavar="FORMAT", type=click.Choice(list(_DEFAULTS)))
@click.option("--out", type=click.Path(path_type=Path), metavar="PATH", help="The file or folder to write.")
@click.option(
    "--into",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="canvas: the gradebook that Canvas exported; moodle: the grading worksheet. It is read, not changed.",
)
@click.option(
    "--assignment",
    metavar="TITLE",
    help="canvas: the assignment's column, by title or number; by default the course's id, which makes a new one "
    "where the file has none of that name.",
)
@click.option(
    "--out-of",
    metavar="POINTS",
    help="What full marks are worth: a number, 'points' for the course's, or 'platform' for what the platform says.",
)
@click.option(
    "--tests",
    type=click.Choice(["visible", "hidden", "after_due_date", "after_published"]),
    default="visible",
    show_default=True,
    help="gradescope: when students see the hidden tests.",
)
@gradebook_option
@course_options
def export(
    format_: str,
    out: Path | None,
    into: Path | None,
    assignment: str | None,
    out_of: str | None,
    tests: Visibility,
    gradebook: str | None,
    course: Path | None,
    lang: Language,
) -> int:
    """Write the marks as FORMAT.

    gradescope: a results.json for each student, for an autograder to hand over. canvas, moodle: the platform's
    own file (--into), filled in. csv, json, parquet: tables. jplag, dolos: the answers, laid out for these
    programs to look for copies.
    """
    from grader.course import load_course
    from grader.errors import UsageError
    from grader.gradebook.store import Gradebook

    found = load_course(course)
    if (into is not None) != (format_ in ("canvas", "moodle")):
        raise UsageError(
            f"{format_} wants the platform's own file: download it, and name it with --into FILE"
            if into is None
            else f"--into goes with canvas and moodle, not with {format_}"
        )
    if assignment is not None and format_ != "canvas":
        raise UsageError(f"--assignment goes with canvas, not with {format_}")
    target = out or Path(_DEFAULTS[format_])
    asked = _Asked(target, into, assignment or found.manifest.course.id, _points(out_of), tests, lang)
    with Gradebook.open(find_gradebook(gradebook), must_exist=True) as book:
        for line in _WRITERS[format_](found, book, asked):
            click.echo(line)
        _say_whose_time_is_unknown(found, book)
    if str(target) != "-":
        click.echo(f"written: {target}")
    return 0


def _say_whose_time_is_unknown(course: Course, book: Gradebook) -> None:
    """Canvas and Moodle do not give the time with the files: without a word, nobody would be late."""
    if course.manifest.policy.due is None:
        return
    unknown = sum(mark.submitted is None for mark in marks_of(course, book))
    if unknown:
        click.echo(
            f"note: the course has a due date, but it is not known when {unknown} of the students handed in: they "
            "count as in time; take off for lateness on the platform",
            err=True,
        )


@dataclass(frozen=True)
class _Asked:
    out: Path
    into: Path | None
    assignment: str
    out_of: OutOf | None
    tests: Visibility
    lang: Language


def _points(text: str | None) -> OutOf | None:
    from grader.errors import UsageError

    if text is None:
        return None
    if text == "points":
        return "points"
    if text == "platform":
        return "platform"
    try:
        points = float(text)
    except ValueError:
        points = 0.0
    if not 0 < points < float("inf"):
        raise UsageError(f"--out-of {text}: write a number above 0, 'points' or 'platform'")
    return points


def _titles(course: Course, lang: Language) -> dict[str, str]:
    return {exercise.id: exercise.title[lang] for exercise in course.exercises}


def _gradescope(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.exports import Gradescope, class_results

    shown = Gradescope(
        tests=asked.tests,
        out_of=asked.out_of or "points",
        titles=_titles(course, asked.lang),
        language=asked.lang,
    )
    results = class_results(marks_of(course, book), shown)
    with _told(asked.out):
        results.write(asked.out)
    yield f"{len(results.files)} written"
    yield from _at_most([f"not written: {left}" for left in results.left_out])


def _canvas(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.exports import gradebook_csv

    assert asked.into is not None
    data = asked.into.read_bytes()
    out_of = asked.out_of or "platform"
    done = gradebook_csv(data, marks_of(course, book), asked.assignment, out_of=out_of)
    yield from _exported(done, asked)
    yield from _others(data, done.data)


def _others(theirs: bytes, ours: bytes) -> Iterator[str]:
    """The assignments that the file has, where it gets a new one: perhaps one of them was meant."""
    from grader.gradebook.exports.sheet import Sheet
    from grader.submission.shown import for_name

    had, has = ([cell.value.strip() for cell in Sheet.read(data).rows[0]] for data in (theirs, ours))
    # Canvas writes an assignment's number behind its title.
    there = [for_name(title) for title in had if re.search(r"\(\d+\)\Z", title)]
    if has[-1] not in had and there:
        yield f"if you meant one of the file, name it with --assignment: {', '.join(there[:_SHOWN])}"


def _moodle(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.exports import fill_worksheet

    assert asked.into is not None
    done = fill_worksheet(
        asked.into.read_bytes(),
        marks_of(course, book),
        titles=_titles(course, asked.lang),
        language=asked.lang,
        out_of=asked.out_of or "platform",
    )
    yield from _exported(done, asked)


def _exported(done: Export, asked: _Asked) -> Iterator[str]:
    from grader.errors import UsageError

    if not done.written and done.left_out:
        raise UsageError(
            f"no mark has a line in {asked.into}, so nothing was written: is it another class's? the first is "
            f"{done.left_out[0]}; name the right one with --into, or the right gradebook with --gradebook"
        )
    _write(asked.out, done.data)
    yield from done.lines(_SHOWN)


def _csv(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.exports import marks_csv

    out_of = asked.out_of or "points"
    text = marks_csv(_own(course, book), out_of=out_of)
    _write(asked.out, text.encode())
    yield from ()


def _json(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.exports import marks_json

    _write(asked.out, "".join(marks_json(_own(course, book))).encode())
    yield from ()


def _parquet(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.exports import write_parquet

    with _told(asked.out):
        rows = write_parquet(_own(course, book), asked.out)
    yield f"{rows} rows"


def _jplag(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.similarity_tools import write_jplag

    yield from _handed_over(write_jplag(book, course, asked.out))


def _dolos(course: Course, book: Gradebook, asked: _Asked) -> Iterator[str]:
    from grader.gradebook.similarity_tools import write_dolos

    yield from _handed_over(write_dolos(book, course, asked.out))


def _handed_over(done: Handover) -> Iterator[str]:
    yield f"{done.files} files of {done.students} students"
    yield from (f"then: {command}" for command in done.commands)


def _own(course: Course, book: Gradebook) -> Iterator[Mark]:
    """For the instructor's own use: nothing is cut."""
    return marks_of(course, book, as_students_see=False)


def _write(out: Path, data: bytes) -> None:
    if str(out) == "-":
        sys.stdout.buffer.write(data)
    else:
        write_whole(out, data)


def _at_most(lines: list[str]) -> Iterator[str]:
    yield from lines[:_SHOWN]
    if len(lines) > _SHOWN:
        yield f"... and {len(lines) - _SHOWN} more"


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """An OSError as one line."""
    from grader.errors import UsageError

    try:
        yield
    except OSError as error:
        raise UsageError(f"{path} cannot be written ({error.strerror}): name another with --out") from None


_WRITERS: dict[str, Callable[[Course, Gradebook, _Asked], Iterator[str]]] = {
    "gradescope": _gradescope,
    "canvas": _canvas,
    "moodle": _moodle,
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
    "jplag": _jplag,
    "dolos": _dolos,
}
