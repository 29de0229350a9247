"""The results of a submission's exercises, put together. Nothing here needs torch."""

from __future__ import annotations

import importlib.util
import platform
import runpy
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from grader import __version__
from grader.course.digest import suite_digest
from grader.course.load import Course, Exercise
from grader.errors import UngradedError
from grader.result import ExerciseResult, Finding, GradingResult, Receipt, TopicResult, Versions

__all__ = ["Summary", "not_graded", "not_handed_in", "torch_version", "versions"]


class Summary:
    """Puts the results of one submission after another together."""

    def __init__(self, course: Course, device: str) -> None:
        self.course = course
        self.device = device
        self.suite = suite_digest(course)

    def of(
        self, results: Sequence[ExerciseResult], *, student: str, digest: str, seed: str, isolation: int
    ) -> GradingResult:
        """The result of one submission.

        Args:
            results: one for each exercise that counts, in the course's order.
            student: whose it is.
            digest: the submission's.
            seed: what the hidden inputs were drawn from.
            isolation: the level of the walls that stood.
        """
        topics = tuple(
            TopicResult(
                id=topic.id,
                score=_sum(result.score for result in results if result.topic == topic.id),
                max_score=_sum(result.max_score for result in results if result.topic == topic.id),
            )
            for topic in self.course.topics
            if any(result.topic == topic.id for result in results)
        )
        return GradingResult(
            student=student,
            device=self.device,
            isolation=isolation,
            seed=seed,
            score=_sum(topic.score for topic in topics),
            max_score=_sum(topic.max_score for topic in topics),
            topics=topics,
            exercises=tuple(results),
            receipt=Receipt(suite=self.suite, submission=digest, versions=versions()),
        )


def not_handed_in(exercise: Exercise) -> ExerciseResult:
    """The result of an exercise for which there is nothing."""
    return ExerciseResult(
        id=exercise.id,
        topic=exercise.topic,
        score=0.0,
        max_score=exercise.points,
        verdict="not_attempted",
    )


def not_graded(exercise: Exercise, why: str) -> ExerciseResult:
    """The result of an exercise that the grader itself failed at; `why` may come before the student's eyes."""
    finding = Finding(kind="ungraded", message=why)
    return not_handed_in(exercise).model_copy(update={"verdict": "ungraded", "findings": (finding,)})


@cache
def versions() -> Versions:
    """What grades here."""
    return Versions(torchgrade=__version__, torch=torch_version(), python=platform.python_version())


@cache
def torch_version() -> str:
    """Torch's own word for its version, build tag and all, without the second that importing it takes.

    Raises:
        UngradedError: torch is not installed.
    """
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        raise UngradedError("torch is not installed here: pip install torch")
    return str(runpy.run_path(str(Path(found.origin).with_name("version.py")))["__version__"])


def _sum(scores: Iterable[float]) -> float:
    return round(sum(scores), 6)
