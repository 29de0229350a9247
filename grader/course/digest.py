"""What decides a mark, as a hash: whoever has the same hash is graded alike."""

from __future__ import annotations

import hashlib

from grader.course.load import Course, Exercise

__all__ = ["exercise_digest", "grading_digest", "suite_digest"]


def exercise_digest(course: Course, exercise: Exercise) -> str:
    """SHA-256 of all that decides the points of an exercise: reference, suite, props, manifest and limits."""
    return _digest(
        exercise.id,
        exercise.reference_source,
        exercise.suite_source,
        exercise.props_source or "",
        exercise.manifest.model_dump_json(),
        exercise.limits.model_dump_json(),
        course.manifest.course.model_dump_json(include={"forbidden", "packages"}),
    )


def suite_digest(course: Course) -> str:
    """SHA-256 of the whole course, for the receipt."""
    return _digest(*(exercise_digest(course, exercise) for exercise in course.exercises))


def grading_digest(course: Course, exercise: Exercise) -> str:
    """SHA-256 of all that decides a result's bytes: points, and the words that go with them."""
    whole = str(
        course.manifest.course.feedback == "full"
    )  # else texts of the student's are cut in the record
    return _digest(
        exercise_digest(course, exercise), exercise.topic, whole, *map(repr, exercise.wrong_answers)
    )


def _digest(*parts: str) -> str:
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode()
        digest.update(len(raw).to_bytes(8))
        digest.update(raw)
    return digest.hexdigest()
