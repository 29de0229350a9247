"""`grade check`: a learner checks her own work on her own machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options, device_option, seed_option

if TYPE_CHECKING:
    from grader.course.model import Language
    from grader.engine.local import OpenEngine


@click.command("check")
@click.argument("exercises", nargs=-1, metavar="[EX]...")
@click.option(
    "--in",
    "folder",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR",
    help="Where your files are; by default here.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and exercise, for programs.")
@course_options
@device_option
@seed_option
def check(
    exercises: tuple[str, ...],
    folder: Path,
    as_json: bool,
    course: Path | None,
    lang: Language,
    device: str,
    seed: str | None,
) -> int:
    """Check your own work. Without EX: all exercises that you have begun.

    Runs your code in a process of its own, without walls: it is your code and your machine. For marks there is
    `grade submit`. Exits 0 if all that was checked passes, 1 if not.
    """
    from grader.cli.results import show_exercise
    from grader.course import load_course
    from grader.course.stub import is_unedited
    from grader.engine.device import choose_device
    from grader.engine.local import LocalEngine, Setting
    from grader.errors import SubmissionError
    from grader.submission.intake import read_submission
    from grader.submission.shown import NOTE_CHARACTERS, for_name

    found = load_course(course)
    wanted = [found.exercise(id) for id in dict.fromkeys(exercises)] or list(found.exercises)
    submission = read_submission(folder, found.exercises)
    if exercises:
        for exercise in wanted:
            if exercise.id not in submission.answers:
                raise SubmissionError(
                    f"there is no {exercise.filename} in {folder.resolve().name or folder}: `grade init .` writes "
                    "the stubs, `--in DIR` says where your files are"
                )
        begun = wanted
    else:
        begun = [
            exercise
            for exercise in wanted
            if (answer := submission.answers.get(exercise.id)) is not None
            and not (answer.source is not None and is_unedited(answer.source, exercise.stub_source))
        ]
        if not begun:
            raise SubmissionError(
                "no exercise is begun here: replace a `raise NotImplementedError` by your code, then check again"
            )
    setting = Setting(device=choose_device(device), seed=seed or "practice", language=lang, walls=False)

    def run(engine: OpenEngine) -> int:
        code = 0
        for exercise in begun:
            result = engine.grade_exercise(exercise, submission)
            if as_json:
                click.echo(result.model_dump_json())
            else:
                show_exercise(result, lang, all_tests=True)
            if result.verdict == "ungraded":
                code = 3
            elif result.verdict != "passed":
                code = max(code, 1)
        return code

    for note in submission.notes:
        click.echo(f"note: {for_name(note, limit=NOTE_CHARACTERS)}", err=True)
    return LocalEngine(found, begun, setting).run(run)
