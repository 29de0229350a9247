"""`grade report`: what the class knows and what it misunderstood, as one HTML file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.gradebook import find_gradebook, gradebook_option, marks_of
from grader.cli.options import course_options

if TYPE_CHECKING:
    from grader.course.model import Language


@click.command("report")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("report.html"),
    show_default=True,
    metavar="FILE",
    help="The file to write.",
)
@click.option(
    "--students",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Write each student's own page as well, to hand out: DIR/<student>.html.",
)
@gradebook_option
@course_options
def report(
    out: Path, students: Path | None, gradebook: str | None, course: Path | None, lang: Language
) -> int:
    """Write the class report from a gradebook: one file that needs no network.

    It shows the misconceptions that the class holds, scores, topics, the hardest exercises, what could not be
    graded, findings for review, and each student's results.
    """
    from grader.course import load_course
    from grader.course.feedback_level import as_shown
    from grader.errors import UsageError
    from grader.gradebook.identical import IdenticalAnswers
    from grader.gradebook.report import Alike, Titles, Ungraded, write_report, write_student_page
    from grader.gradebook.store import Gradebook

    found = load_course(course)
    course_id, level = found.manifest.course.id, found.manifest.course.feedback
    with Gradebook.open(find_gradebook(gradebook), must_exist=True) as book:
        marks = list(marks_of(found, book, as_students_see=False))
        ungraded = [Ungraded(who.id, why) for who, why in book.problems(course_id)]
        alike = [
            Alike(group.exercise, group.students, group.how(lang))
            for group in IdenticalAnswers(found).add_all(book.handed_in(course_id)).groups()
        ]
    if not marks and not ungraded:
        raise UsageError(
            f"the gradebook holds nothing of the course {course_id!r}: grade it with `grade batch`"
        )
    titles = Titles.of(found, lang)
    seen = {mark.student.id: as_shown(mark.result, level) for mark in marks}
    write_report(marks, titles, out, language=lang, feedback=seen, ungraded=ungraded, alike=alike)
    click.echo(f"written: {out}")
    if students is not None:
        try:
            students.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{students} cannot be made: {error.strerror}") from None
        for mark in marks:
            write_student_page(
                mark,
                titles,
                students / f"{mark.student.id}.html",
                language=lang,
                feedback=seen[mark.student.id],
            )
        click.echo(f"written: {len(marks)} pages in {students}")
    return 0
