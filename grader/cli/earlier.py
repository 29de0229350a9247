"""What a gradebook held before a run, so that a run can say who handed in again."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.engine.batch import Outcome
    from grader.gradebook.store import Gradebook

__all__ = ["Earlier"]


@dataclass
class Earlier:
    """The graded attempts of before: for each student their submissions, in order, and the points for each.

    `same_as_others` and `again` count what `add` was told of.
    """

    attempts: dict[str, dict[str, float]] = field(default_factory=dict)
    same_as_others: int = 0
    """Submissions that are new, of which nothing had to be run: others, or the student, gave the same answers."""
    again: int = 0
    """New submissions of students who had handed in before."""

    @classmethod
    def of(cls, book: Gradebook, course: str) -> Earlier:
        """Read them from a gradebook."""
        earlier = cls()
        for stored in book.attempts(course):
            # Only the score is wanted: to check the whole result takes ten times as long.
            score = float(json.loads(stored.line)["score"])
            earlier.attempts.setdefault(stored.student.id, {})[stored.submission] = score
        return earlier

    def add(self, outcome: Outcome) -> float | None:
        """Count an outcome.

        Returns:
            The points of the attempt before this one, if this one is new and graded; else None.
        """
        if outcome.result is None or outcome.ungraded:
            return None
        mine = self.attempts.get(outcome.student.id, {})
        if outcome.result.receipt.submission in mine:
            return None
        self.same_as_others += not outcome.fresh
        if not mine:
            return None
        self.again += 1
        return list(mine.values())[-1]
