"""`grade show`: what an exercise asks for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options
from grader.cli.terminal import show_code, show_markdown

if TYPE_CHECKING:
    from grader.course import Exercise, Language


@click.command()
@click.argument("exercise", metavar="EX")
@course_options
def show(exercise: str, course: Path | None, lang: Language) -> None:
    """Show what the exercise EX asks for: its statement, its signature, and what it is worth."""
    from grader.course import load_course

    found = load_course(course).exercise(exercise)
    show_markdown(found.statement(lang))
    click.echo()
    show_code(found.declarations)
    click.echo()
    click.echo(_worth(found, lang))


def _worth(exercise: Exercise, lang: Language) -> str:
    points = f"{exercise.points:g}"
    difficulty, minutes = exercise.manifest.difficulty, exercise.manifest.minutes
    if lang == "zh":
        return f"{points} 分，难度 {difficulty}/5，约 {minutes} 分钟"
    unit = "point" if points == "1" else "points"
    return f"{points} {unit}, difficulty {difficulty} of 5, about {minutes} minutes"
