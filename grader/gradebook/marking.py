"""From attempts to marks: which attempt counts, and what lateness leaves of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from grader.course.policy import Policy
from grader.gradebook.marks import Mark
from grader.gradebook.store import Stored

__all__ = ["counting", "marks"]


def marks(attempts: Iterable[Stored], policy: Policy) -> Iterator[Mark]:
    """One mark for each student.

    Args:
        attempts: by student, as `Gradebook.attempts` has them.
        policy: the course's.
    """
    return (mark for _, mark in counting(attempts, policy))


def counting(attempts: Iterable[Stored], policy: Policy) -> Iterator[tuple[Stored, Mark]]:
    """The attempt that counts for each student, and the mark that it gives; arguments as above."""
    for _, found in groupby(attempts, key=lambda attempt: attempt.student.id):
        theirs = sorted(found, key=lambda attempt: (attempt.submitted or attempt.received, attempt.number))
        counted = [
            (attempt, _mark(attempt, policy, place, len(theirs)))
            for place, attempt in enumerate(theirs[: policy.attempts], start=1)
        ]
        yield counted[-1] if policy.counts == "last" else max(counted, key=lambda pair: pair[1].score)


def _mark(attempt: Stored, policy: Policy, place: int, of: int) -> Mark:
    result = attempt.result
    late = policy.late_days_of(attempt.submitted)
    return Mark(
        student=attempt.student,
        result=result,
        score=policy.after_lateness(result.score, late),
        submitted=attempt.submitted,
        late_days=late,
        attempt=place,
        attempts=of,
    )
