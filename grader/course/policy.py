"""What a course makes of lateness and of several attempts: the `[policy]` table of `course.toml`."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from grader.course.toml_table import TomlTable

__all__ = ["Policy"]


class Policy(TomlTable):
    """The `[policy]` table of `course.toml`; without one nothing is late, and the best attempt counts.

    `due`: until when an attempt is in time, with its offset from UTC.
    `late_per_day`: what each day begun after that costs, as a fraction of the attempt's score.
    `late_cap`: what lateness costs at most, as such a fraction.
    `late_days`: an attempt that comes later than that counts for nothing; without it none is too late.
    `attempts`: how many count, the first ones; without it all do.
    `counts`: the best of them (after lateness; of equals the earlier), or the last.
    """

    due: datetime | None = None
    late_per_day: float = Field(default=0.0, ge=0, le=1)
    late_cap: float = Field(default=1.0, ge=0, le=1)
    late_days: int | None = Field(default=None, ge=0)
    attempts: int | None = Field(default=None, ge=1)
    counts: Literal["best", "last"] = "best"

    @field_validator("due", mode="before")
    @classmethod
    def _with_offset(cls, due: object) -> object:
        if due is None or (isinstance(due, datetime) and due.tzinfo is not None):
            return due
        is_local = isinstance(due, datetime)
        raise PydanticCustomError(
            "no_offset",
            "has no offset from UTC, so nobody knows when that is" if is_local else "is no date with a time",
            {"mend": "write it as 2026-12-01T23:59:00+01:00, without quotes"},
        )

    def late_days_of(self, submitted: datetime | None) -> int:
        """The days begun since it was due; 0 where nobody knows when it came."""
        if self.due is None or submitted is None or submitted <= self.due:
            return 0
        late = submitted - self.due
        return late.days + (1 if late.seconds or late.microseconds else 0)

    def after_lateness(self, score: float, late_days: int) -> float:
        """What is left of a score, in points."""
        if self.late_days is not None and late_days > self.late_days:
            return 0.0
        lost = min(self.late_per_day * late_days, self.late_cap)
        return round(score * (1 - lost), 6)
