"""What came of a run, in numbers: it does not grow with the class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from grader.engine.batch import Outcome

__all__ = ["ExerciseTally", "Tally"]


@dataclass
class ExerciseTally:
    """One exercise over the class."""

    max_score: float = 0.0
    score: float = 0.0
    """Points of all students together."""
    verdicts: Counter[str] = field(default_factory=Counter)

    @property
    def tried(self) -> int:
        """Students who handed something in for it that could be graded."""
        return sum(self.verdicts.values()) - self.verdicts["not_attempted"] - self.verdicts["ungraded"]

    @property
    def mean(self) -> float:
        """Mean of the points over those who tried; 0 where nobody did."""
        return self.score / self.tried if self.tried else 0.0


@dataclass
class Tally:
    """Counts outcomes as they come."""

    submissions: int = 0
    graded: int = 0
    """Submissions of which something was graded now."""
    known: int = 0
    """Submissions whose result was there already."""
    unreadable: int = 0
    ungraded: int = 0
    full: int = 0
    """Submissions in which everything passed."""
    changed: int = 0
    """Submissions that had a result before, and have another one now."""
    exercises: dict[str, ExerciseTally] = field(default_factory=dict)

    def add(self, outcome: Outcome) -> None:
        """Count one submission."""
        self.submissions += 1
        if outcome.ungraded:
            self.ungraded += 1
        elif outcome.result is None:
            self.unreadable += 1
        elif outcome.fresh:
            self.graded += 1
        else:
            self.known += 1
        self.changed += bool(outcome.changes)
        if outcome.result is None:
            return
        self.full += outcome.result.exit_code == 0
        for exercise in outcome.result.exercises:
            tally = self.exercises.setdefault(exercise.id, ExerciseTally(exercise.max_score))
            tally.score += exercise.score
            tally.verdicts[exercise.verdict] += 1

    @property
    def exit_code(self) -> int:
        """0: everything passed; 1: something did not; 2: nothing could be read; 3: the grader itself failed."""
        if self.ungraded:
            return 3
        if self.submissions and self.unreadable == self.submissions:
            return 2
        return 0 if self.full == self.submissions else 1
