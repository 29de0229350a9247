"""Plain CSV: a row for each student, a column for each topic and each exercise."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from grader.gradebook.exports.numbers import OutOf, is_whole, scaled, target, written
from grader.gradebook.marks import Mark
from grader.result import ExerciseResult
from grader.submission.shown import for_csv_cell

__all__ = ["marks_csv"]

_FIRST = (
    "student",
    "name",
    "email",
    "score",
    "max_score",
    "before_lateness",
    "late_days",
    "submitted",
    "attempt",
    "attempts",
    "isolation",
)


def marks_csv(marks: Iterable[Mark], *, out_of: OutOf = "points") -> str:
    """The marks as a table.

    After who it is and what the mark is come `topic/<id>`, `<topic>/<exercise>` and `<topic>/<exercise>/verdict`.
    What could not be graded is empty, and so is a total that it belongs to; what a student's course did not have
    is empty as well. `out_of` scales the mark; topics and exercises stay in the course's points. All cells are
    quoted, and none is a formula. The text begins with a byte order mark, without which Excel takes it for another
    encoding.
    """
    listed = list(marks)
    topics = list(dict.fromkeys(topic.id for mark in listed for topic in mark.result.topics))
    exercises = list(
        dict.fromkeys((each.topic, each.id) for mark in listed for each in mark.result.exercises)
    )
    exercises.sort(key=lambda exercise: topics.index(exercise[0]) if exercise[0] in topics else len(topics))
    text = io.StringIO()
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    header = [*_FIRST, *(f"topic/{topic}" for topic in topics)]
    for topic, exercise in exercises:
        header += [f"{topic}/{exercise}", f"{topic}/{exercise}/verdict"]
    writer.writerow(map(for_csv_cell, header))
    full = target(out_of, None)
    for mark in listed:
        writer.writerow([*_first(mark, full), *_topics(mark, topics), *_exercises(mark, exercises)])
    return "\ufeff" + text.getvalue()


def _first(mark: Mark, full: float | None) -> list[str]:
    student, whole = mark.student, is_whole(mark)
    return [
        for_csv_cell(student.id),
        for_csv_cell(student.name),
        for_csv_cell(student.email),
        written(scaled(mark.score, mark.max_score, full)) if whole else "",
        written(full if full is not None else mark.max_score),
        written(mark.result.score) if whole else "",
        str(mark.late_days),
        mark.submitted.isoformat() if mark.submitted is not None else "",
        str(mark.attempt),
        str(mark.attempts),
        str(mark.result.isolation),
    ]


def _topics(mark: Mark, topics: Iterable[str]) -> list[str]:
    ungraded = {exercise.topic for exercise in mark.result.exercises if is_ungraded(exercise)}
    scores = {topic.id: written(topic.score) for topic in mark.result.topics if topic.id not in ungraded}
    return [scores.get(topic, "") for topic in topics]


def _exercises(mark: Mark, exercises: Iterable[tuple[str, str]]) -> list[str]:
    results = {(each.topic, each.id): each for each in mark.result.exercises}
    cells = []
    for key in exercises:
        result = results.get(key)
        cells.append("" if result is None or is_ungraded(result) else written(result.score))
        cells.append("" if result is None else result.verdict)
    return cells


def is_ungraded(exercise: ExerciseResult) -> bool:
    """Whether the grader itself could not grade it, or some of it."""
    return exercise.verdict == "ungraded" or any(test.outcome == "ungraded" for test in exercise.tests)
