"""What the gradebook keeps, as records: attempts, what was graded of them, results that are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.result import ExerciseResult, GradingResult
from grader.submission.identity import Identity
from grader.submission.intake import Answer

__all__ = ["Attempt", "HandedIn", "Known", "Stored"]


@dataclass(frozen=True, slots=True)
class Known:
    """A result that is there already, and the isolation under which it came about."""

    result: ExerciseResult
    isolation: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a student handed in, once: `submission` is its digest, `submitted` when, as far as is known."""

    course: str
    student: Identity
    submission: str
    submitted: datetime | None = None
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """An attempt as the gradebook has it, with the grading that counts."""

    id: int
    student: Identity
    number: int
    submission: str
    submitted: datetime | None
    received: datetime
    key: str
    line: str
    """The public result as a line of JSON, the bytes that were first written."""
    problem: str = ""
    """Why it could not be graded again since, or not in full; what counts is of before."""

    @property
    def result(self) -> GradingResult:
        """The public result."""
        return GradingResult.model_validate_json(self.line)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """An answer that is kept, graded or not: whose, in which of her attempts, and what it says."""

    student: str
    attempt: int
    exercise: str
    source: str
