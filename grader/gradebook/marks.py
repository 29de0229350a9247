"""A student's mark: the attempt that counts, and what the course's policy made of its score."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from grader.result import GradingResult
from grader.submission.identity import Identity

__all__ = ["Identity", "Mark"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What counts for one student.

    `score` is in points, after lateness; `result.score` is before. `late_days` counts days begun. `attempt` is
    which of her attempts counts, from 1, of `attempts`.
    """

    student: Identity
    result: GradingResult
    score: float
    submitted: datetime | None = None
    late_days: int = 0
    attempt: int = 1
    attempts: int = 1

    @property
    def max_score(self) -> float:
        """Points to be had."""
        return self.result.max_score
