"""`grade submit`: one submission, for marks."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options, device_option, seed_option

if TYPE_CHECKING:
    from grader.course.model import Language
    from grader.engine.local import OpenEngine
    from grader.result import ExerciseResult, GradingResult


@click.command("submit")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--student", metavar="ID", help="Whose it is; by default the name of the folder or file.")
@click.option(
    "--json", "json_file", metavar="FILE", help="Write the result as one JSON object; - is standard output."
)
@course_options
@device_option
@seed_option
def submit(
    path: Path,
    student: str | None,
    json_file: str | None,
    course: Path | None,
    lang: Language,
    device: str,
    seed: str | None,
) -> int:
    """Grade a submission: a folder, a zip, a notebook or a file.

    The code runs walled off, in a process of its own for each exercise. Exits 0 if everything passed, 1 if
    something did not, 2 if PATH cannot be read, 3 if the grader could not grade.
    """
    from grader.cli.results import show_exercise, show_topics
    from grader.course import load_course
    from grader.engine.device import choose_device
    from grader.engine.local import LocalEngine, Setting
    from grader.errors import UsageError
    from grader.submission.intake import read_submission

    if json_file not in (None, "-") and not Path(str(json_file)).absolute().parent.is_dir():
        raise UsageError(f"there is no folder to write {json_file} into: make it first")
    found = load_course(course)
    submission = read_submission(path, found.exercises)
    setting = Setting(device=choose_device(device), seed=seed or secrets.token_hex(16), language=lang)
    # Suites of what was not handed in need not be collected.
    handed_in = [exercise for exercise in found.exercises if exercise.id in submission.answers]
    silent = json_file == "-"

    def graded(result: ExerciseResult) -> None:
        if not silent:
            show_exercise(result, lang)

    def run(engine: OpenEngine) -> GradingResult:
        return engine.grade(submission, student or path.resolve().stem, graded)

    for note in submission.notes:
        click.echo(f"note: {note}", err=True)
    result = LocalEngine(found, handed_in, setting).run(run)
    if silent:
        click.echo(result.to_json())
    else:
        titles = {topic.id: topic.title[lang] for topic in found.topics}
        click.echo()
        show_topics(result, titles, lang)
        click.echo(
            f"isolation level {result.isolation}, {result.device}, torch {result.receipt.versions.torch}"
        )
        if json_file is not None:
            _write(Path(json_file), result.to_json() + "\n")
    return result.exit_code


def _write(path: Path, text: str) -> None:
    """Write whole or not at all: a program may be waiting for the file."""
    import os

    from grader.errors import UsageError

    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
