"""What a report is about, besides the marks: what could not be graded, and answers that are alike."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Alike", "Ungraded"]


@dataclass(frozen=True, slots=True)
class Ungraded:
    """A submission for which there is no mark at all, and why: an archive that cannot be read, say.

    Exercises that a mark's own result calls ungraded need none of these: the report finds them itself.
    """

    student: str
    reason: str


@dataclass(frozen=True, slots=True)
class Alike:
    """Students whose answers to one exercise are the same, or nearly; `how` says in what way."""

    exercise: str
    students: tuple[str, ...]
    how: str = ""
