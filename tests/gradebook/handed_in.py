"""Attempts and results to keep in a gradebook, made without grading anything."""

from __future__ import annotations

from datetime import UTC, datetime

from grader.gradebook.store import Attempt
from grader.result import ExerciseResult, Finding, GradingResult, Receipt, TopicResult, Versions
from grader.submission.identity import Identity
from grader.submission.intake import Answer

COURSE = "tiny"
VERSIONS = Versions(torchgrade="1", torch="2", python="3")


def at(day: int, hour: int = 12) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC)


def attempt(
    student: Identity | str = "ann",
    text: str = "return 2 * x",
    submitted: datetime | None = None,
    *,
    course: str = COURSE,
) -> Attempt:
    who = Identity(student) if isinstance(student, str) else student
    return Attempt(course, who, digest_of(text), submitted, (Answer("double", text, "double.py"),))


def unreadable(student: str = "ann", submitted: datetime | None = None) -> Attempt:
    return Attempt(COURSE, Identity(student), "", submitted)


def result(
    score: float = 1.0, student: str = "ann", *, isolation: int = 3, message: str = ""
) -> GradingResult:
    exercise = exercise_result(score, message=message)
    return GradingResult(
        student=student,
        device="cpu",
        isolation=isolation,
        seed="seed",
        score=score,
        max_score=5.0,
        topics=(TopicResult(id="first", score=score, max_score=5.0),),
        exercises=(exercise,),
        receipt=Receipt(suite="suite", submission="submission", versions=VERSIONS),
    )


def exercise_result(score: float = 1.0, *, message: str = "") -> ExerciseResult:
    return ExerciseResult(
        id="double",
        topic="first",
        score=score,
        max_score=5.0,
        verdict="partial",
        findings=(Finding(kind="note", message=message),) if message else (),
    )


def digest_of(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
