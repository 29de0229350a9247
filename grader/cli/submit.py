"""`grade submit`: one submission, for marks."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options, device_option, seed_option

if TYPE_CHECKING:
    from grader.course.load import Course
    from grader.course.model import Language
    from grader.engine.local import OpenEngine
    from grader.result import ExerciseResult, GradingResult
    from grader.submission.intake import Submission


@click.command("submit")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--student", metavar="ID", help="Whose it is; by default the name of the folder or file.")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write the result as one JSON object; - is standard output."
)
@click.option(
    "--gradebook", metavar="FILE", help="Keep the attempt in a gradebook: a file, or a database's URL."
)
@course_options
@device_option
@seed_option
def submit(
    path: Path,
    student: str | None,
    json_file: str | None,
    gradebook: str | None,
    course: Path | None,
    lang: Language,
    device: str,
    seed: str | None,
) -> int:
    """Grade a submission: a folder, a zip, a notebook or a file.

    The code runs walled off, in a process of its own for each exercise. Exits 0 if everything passed, 1 if
    something did not, 2 if PATH cannot be read, 3 if the grader could not grade.
    """
    from grader.cli.gradebook import write_whole
    from grader.cli.results import show_exercise, show_topics
    from grader.course import load_course
    from grader.course.feedback_level import as_shown, exercise_as_shown
    from grader.engine.device import choose_device
    from grader.engine.local import LocalEngine, Setting
    from grader.errors import UsageError
    from grader.submission.intake import read_submission
    from grader.submission.shown import NOTE_CHARACTERS, for_name

    if json_file not in (None, "-") and not Path(str(json_file)).absolute().parent.is_dir():
        raise UsageError(f"there is no folder to write {json_file} into: make it first")
    found = load_course(course)
    submission = read_submission(path, found.exercises)
    whose = student or path.resolve().stem
    chosen = choose_device(device)
    kept = None if gradebook is None else _Kept(gradebook, found, submission, whose, chosen, lang, seed)
    secret = (seed or secrets.token_hex(16)) if kept is None else kept.seed
    setting = Setting(device=chosen, seed=secret, language=lang)
    # Suites of what was not handed in need not be collected.
    handed_in = [exercise for exercise in found.exercises if exercise.id in submission.answers]
    silent = json_file == "-"
    level = found.manifest.course.feedback

    def graded(result: ExerciseResult) -> None:
        if not silent:
            show_exercise(exercise_as_shown(result, level), lang)

    def run(engine: OpenEngine) -> GradingResult:
        return engine.grade(submission, whose, graded)

    for note in submission.notes:
        click.echo(f"{'说明' if lang == 'zh' else 'note'}: {for_name(note, limit=NOTE_CHARACTERS)}", err=True)
    whole = LocalEngine(found, handed_in, setting).run(run)
    if kept is not None:
        kept.record(whole)
    spent = kept is None or found.manifest.course.seed == "attempt"
    result = as_shown(whole, level, seed_is_spent=spent)
    if silent:
        click.echo(result.to_json())
    else:
        titles = {topic.id: topic.title[lang] for topic in found.topics}
        click.echo()
        show_topics(result, titles, lang)
        click.echo(
            f"{'隔离级别' if lang == 'zh' else 'isolation level'} {result.isolation}, {result.device}, "
            f"torch {result.receipt.versions.torch}"
        )
        if json_file is not None:
            write_whole(Path(json_file), (result.to_json() + "\n").encode())
    return result.exit_code


class _Kept:
    """The attempt in its gradebook.

    That is opened before anything is graded: what is wrong with it is told before time is spent.
    """

    def __init__(
        self,
        where: str,
        course: Course,
        submission: Submission,
        student: str,
        device: str,
        lang: Language,
        seed: str | None,
    ) -> None:
        from datetime import UTC, datetime

        from grader.engine.keys import Keys, attempt_seed
        from grader.gradebook.store import Attempt, Gradebook
        from grader.submission.identity import Identity

        self.where = where
        course_id = course.manifest.course.id
        answers = tuple(submission.answers.values())
        self.attempt = Attempt(
            course_id, Identity(student), submission.digest, datetime.now(UTC).replace(microsecond=0), answers
        )
        with Gradebook.open(where) as book:
            secret = seed or book.secret(course_id)
        self.seed = (
            secret
            if course.manifest.course.seed == "run"
            else attempt_seed(secret, student, submission.digest)
        )
        self.key = Keys(course, device, lang).of_submission(answers, self.seed)

    def record(self, result: GradingResult) -> None:
        """Keep the result as it is, whatever of it the student sees."""
        from grader.gradebook.store import Gradebook

        with Gradebook.open(self.where) as book:
            if result.exit_code == 3:
                book.record_problem(self.attempt, "could not be graded in full")
            else:
                book.record(self.attempt, self.key, result)
