"""JSON: a list of marks, each with its whole result."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from grader.gradebook.exports.numbers import is_whole, rounded
from grader.gradebook.marks import Mark

__all__ = ["marks_json"]


def marks_json(marks: Iterable[Mark]) -> Iterator[str]:
    """The list, piece by piece: a class of thousands need not be in memory twice.

    A mark that is not whole, since the grader could not grade some of it, has the score null.
    """
    yield "["
    for number, mark in enumerate(marks):
        yield ",\n" if number else "\n"
        yield _record(mark)
    yield "\n]\n"


def _record(mark: Mark) -> str:
    student = mark.student
    about = {
        "student": {
            "id": student.id,
            "name": student.name,
            "email": student.email,
            "numbers": dict(student.numbers),
        },
        "score": rounded(mark.score) if is_whole(mark) else None,
        "max_score": rounded(mark.max_score),
        "submitted": mark.submitted.isoformat() if mark.submitted is not None else None,
        "late_days": mark.late_days,
        "attempt": mark.attempt,
        "attempts": mark.attempts,
    }
    # The result's own bytes, in which no line is broken.
    text = json.dumps(about, ensure_ascii=False, allow_nan=False).removesuffix("}")
    return _without_lone_surrogates(f'{text}, "result": {mark.result.to_json()}}}')


def _without_lone_surrogates(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
