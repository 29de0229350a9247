"""The public result of a grading: what `grade submit --json` prints, and `grade batch` writes one a line.

The schema is fixed: names, order and meaning stay. A change of any of them is a new `schema_version`. Nothing
in it depends on the time or on the order of work, so that the same submission with the same seed gives the
same bytes.
"""

from __future__ import annotations

import json
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

__all__ = [
    "Diagnosis",
    "ExerciseResult",
    "Finding",
    "GradingResult",
    "Outcome",
    "Receipt",
    "TestResult",
    "TopicResult",
    "Verdict",
    "Versions",
]

Outcome = Literal["passed", "failed", "error", "timeout", "memory", "crashed", "ungraded"]
"""What became of one test."""

Verdict = Literal[
    "passed",
    "partial",
    "failed",
    "not_attempted",
    "error",
    "timeout",
    "memory",
    "crashed",
    "forbidden",
    "ungraded",
]
"""What became of one exercise. `ungraded` is the grader's own fault and never a zero."""


def _without_lone_surrogates(value: object) -> object:
    # A student's exception can carry half of a surrogate pair, which no UTF-8 file can hold: it may not cost
    # the student, or the class, the result.
    return value.encode("utf-8", "replace").decode("utf-8") if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_without_lone_surrogates)]
Points = Annotated[float, Field(ge=0)]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TestResult(_Record):
    """One hidden test: `points` is what it is worth, `earned` what this submission got for it."""

    __test__: ClassVar[bool] = False  # not a test class, whatever its name looks like to pytest

    name: Text
    points: Points
    earned: Points
    outcome: Outcome
    message: Text = ""


class Diagnosis(_Record):
    """The known misconception whose values and gradients the submission has, and the hint that it earns."""

    misconception: Text
    hint: Text


class Finding(_Record):
    """Evidence for a human, not a grade: a forbidden call seen at `line`, a way round the grader tried."""

    kind: Text
    message: Text
    line: int | None = None


class ExerciseResult(_Record):
    """One exercise of one submission."""

    id: str
    topic: str
    score: Points
    max_score: Points
    verdict: Verdict
    tests: tuple[TestResult, ...] = ()
    diagnosis: Diagnosis | None = None
    findings: tuple[Finding, ...] = ()

    @property
    def is_ungraded(self) -> bool:
        """Whether the grader failed here, on all of it or on a test. Never to be read as a zero."""
        return self.verdict == "ungraded" or any(test.outcome == "ungraded" for test in self.tests)


class TopicResult(_Record):
    """The sum of a topic's exercises."""

    id: str
    score: Points
    max_score: Points


class Versions(_Record):
    """What graded: a result is repeated with these."""

    torchgrade: str
    torch: str
    python: str


class Receipt(_Record):
    """SHA-256 of the suites and of the submission, in hexadecimal, and the versions that graded."""

    suite: str
    submission: str
    versions: Versions


class GradingResult(_Record):
    """One submission, graded."""

    schema_version: Literal[1] = 1
    student: Text
    device: str
    isolation: int
    seed: Text
    score: Points
    max_score: Points
    topics: tuple[TopicResult, ...]
    exercises: tuple[ExerciseResult, ...]
    receipt: Receipt

    def to_json(self) -> str:
        """One line of JSON, keys in the order of the schema, text as it is rather than escaped.

        But what cannot be seen is escaped: a terminal would obey some of it, and many readers of "one object a
        line" split at Unicode's own line ends.
        """
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
        if text.isprintable():
            return text
        return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)

    @property
    def exit_code(self) -> int:
        """0: everything passed; 1: graded, and something did not pass; 3: something could not be graded."""
        if any(exercise.is_ungraded for exercise in self.exercises):
            return 3
        return 0 if all(e.verdict == "passed" for e in self.exercises) else 1
