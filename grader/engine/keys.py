"""What a result depends on, as a key: the same key, the same bytes."""

from __future__ import annotations

import hashlib
import hmac
import json

from grader.course.digest import grading_digest
from grader.course.load import Course
from grader.course.model import Language
from grader.engine.summary import versions
from grader.submission.intake import Answer

__all__ = ["Keys"]


class Keys:
    """Makes the keys of one course on one device, in one language."""

    def __init__(self, course: Course, device: str, language: Language) -> None:
        # In the course's order: results are.
        self._exercises = {exercise.id: grading_digest(course, exercise) for exercise in course.exercises}
        self._setting = (versions().model_dump_json(), device, language)

    def of_answer(self, answer: Answer, seed: str) -> str:
        """The key of an exercise's result: the answer, the exercise, the versions, the device, the seed."""
        return _hash(self._exercises[answer.exercise], answer.source, answer.unreadable, seed, *self._setting)

    def of_submission(self, answers: tuple[Answer, ...], seed: str) -> str:
        """The key of a whole submission's result: that of each answer, and all exercises, handed in or not."""
        return _hash(list(self._exercises.items()), *(self.of_answer(answer, seed) for answer in answers))


def attempt_seed(secret: str, student: str, submission: str) -> str:
    """A seed that nobody can know who does not know the secret, another one for each attempt."""
    return hmac.digest(secret.encode(), f"{student}\0{submission}".encode(), "sha256").hex()[:32]


def _hash(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
