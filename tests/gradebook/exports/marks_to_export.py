"""Marks to export: of ordinary students, and of students whose names were made to hurt."""

from __future__ import annotations

from datetime import UTC, datetime

from grader.gradebook.marks import Mark
from grader.result import (
    Diagnosis,
    ExerciseResult,
    GradingResult,
    Outcome,
    Receipt,
    TestResult,
    TopicResult,
    Verdict,
    Versions,
)
from grader.submission.identity import Identity

HOSTILE_NAMES = [
    "=1+1",
    '=HYPERLINK("http://x","y")',
    "+1-1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\uff1d1",
    'Jane "the\nbrain", Doe; x',
    "nul\0byte",
    "\u202eevil",
    "😀",
    "</td><script>alert(1)</script>",
    "a" * 10_000,
    "half \ud83d",
    "line\u2028end",
    "李小龙",
]


def a_test(
    name: str, points: float, earned: float, outcome: Outcome | None = None, message: str = ""
) -> TestResult:
    said: Outcome = outcome or ("passed" if earned == points else "failed")
    return TestResult(name=name, points=points, earned=earned, outcome=said, message=message)


def softmax(verdict: Verdict = "partial", message: str = "2 of 6 elements differ") -> ExerciseResult:
    return ExerciseResult(
        id="softmax",
        topic="losses",
        score=2.0,
        max_score=3.0,
        verdict=verdict,
        tests=(a_test("values_and_gradients", 2.0, 2.0), a_test("large_logits", 1.0, 0.0, message=message)),
        diagnosis=Diagnosis(misconception="divides by the sum over all elements", hint="along which dim?"),
    )


def train_step(verdict: Verdict = "not_attempted") -> ExerciseResult:
    return ExerciseResult(id="train_step", topic="training", score=0.0, max_score=4.0, verdict=verdict)


def mark(
    student: str = "s001",
    name: str = "",
    email: str = "",
    score: float | None = None,
    exercises: tuple[ExerciseResult, ...] | None = None,
    late_days: int = 0,
    **numbers: str,
) -> Mark:
    """2 of 7 points, unless exercises say otherwise; `score` is the mark after lateness."""
    done = exercises if exercises is not None else (softmax(), train_step())
    topics = tuple(
        TopicResult(
            id=topic,
            score=sum(each.score for each in done if each.topic == topic),
            max_score=sum(each.max_score for each in done if each.topic == topic),
        )
        for topic in dict.fromkeys(each.topic for each in done)
    )
    result = GradingResult(
        student=student,
        device="cpu",
        isolation=3,
        seed="secret-seed",
        score=sum(each.score for each in done),
        max_score=sum(each.max_score for each in done),
        topics=topics,
        exercises=done,
        receipt=Receipt(
            suite="ab" * 32,
            submission="cd" * 32,
            versions=Versions(torchgrade="0.1.0", torch="2.13.0", python="3.11.9"),
        ),
    )
    return Mark(
        Identity(student, name, email, tuple(numbers.items())),
        result,
        result.score if score is None else score,
        submitted=datetime(2025, 1, 31, 7, 13, 47, tzinfo=UTC),
        late_days=late_days,
    )


def ungraded_mark(student: str = "s009", **numbers: str) -> Mark:
    """A mark that is not whole: the grader stumbled."""
    return mark(student, exercises=(softmax(), train_step("ungraded")), **numbers)
