"""`grade list`: the exercises there are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.options import course_options
from grader.cli.terminal import show_table

if TYPE_CHECKING:
    from grader.course import Language

COLUMNS = ("topic", "exercise", "title", "points", "difficulty", "minutes")


@click.command("list")
@click.option("--topic", metavar="T", help="Only the exercises of this topic.")
@click.option("--json", "as_json", is_flag=True, help="One JSON array, for programs.")
@course_options
def list_exercises(topic: str | None, as_json: bool, course: Path | None, lang: Language) -> None:
    """List the exercises of the course, in the order to do them."""
    from grader.course import load_course

    found = load_course(course)
    exercises = found.topic(topic).exercises if topic else found.exercises
    if as_json:
        records = [
            {
                "id": exercise.id,
                "topic": exercise.topic,
                "title": exercise.title[lang],
                "points": exercise.points,
                "difficulty": exercise.manifest.difficulty,
                "minutes": exercise.manifest.minutes,
                "requires": exercise.requires,
            }
            for exercise in exercises
        ]
        click.echo(json.dumps(records, ensure_ascii=False, indent=2))
        return
    rows = [
        (
            exercise.topic,
            exercise.id,
            exercise.title[lang],
            f"{exercise.points:g}",
            str(exercise.manifest.difficulty),
            str(exercise.manifest.minutes),
        )
        for exercise in exercises
    ]
    show_table(COLUMNS, rows, numbers=COLUMNS[3:])
