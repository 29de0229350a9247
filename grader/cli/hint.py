"""`grade hint`: help that comes in steps."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options

if TYPE_CHECKING:
    from grader.course import Language

MORE = {
    "en": "One hint more: grade hint {exercise}{more}",
    "zh": "再要一个提示：grade hint {exercise}{more}",
}
NO_MORE = {
    "en": "These are all the hints there are: grade show {exercise} says again what is asked.",
    "zh": "提示到此为止。想再看一遍题目：grade show {exercise}",
}


@click.command()
@click.argument("exercise", metavar="EX")
@click.option("--more", count=True, help="One hint more, closer to the code; may be given twice.")
@course_options
def hint(exercise: str, more: int, course: Path | None, lang: Language) -> None:
    """Give a hint on the exercise EX: first the concept, then the formula, then the line."""
    from grader.course import HINT_LEVELS, load_course

    found = load_course(course).exercise(exercise)
    for number, text in enumerate(found.manifest.hints.upto(more + 1, lang), start=1):
        click.echo(f"{number}/{len(HINT_LEVELS)}  {text}")
    closing = MORE if more + 1 < len(HINT_LEVELS) else NO_MORE
    click.echo()
    click.echo(closing[lang].format(exercise=exercise, more=" --more" * (more + 1)))
