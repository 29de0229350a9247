"""Between records and the columns of the gradebook: what a database would refuse, cut, or give back otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import sqlalchemy as sa

from grader.errors import GradebookError
from grader.gradebook import schema
from grader.gradebook.attempts import Attempt
from grader.submission.identity import Identity

__all__ = ["check_id", "identity_of", "in_utc", "moment_of", "place_of", "source_of", "storable", "utc_text"]


def place_of(attempt: Attempt) -> dict[str, str]:
    """What tells one attempt from another."""
    return {
        "course": attempt.course,
        "student": attempt.student.id,
        "submission": attempt.submission,
        "submitted": utc_text(attempt.submitted),
    }


def identity_of(row: sa.RowMapping) -> Identity:
    """The student of a row that holds an attempt's `student` and the student's columns."""
    return Identity(row["student"], row["name"], row["email"], tuple(json.loads(row["numbers"]).items()))


def moment_of(row: sa.RowMapping) -> tuple[datetime, datetime]:
    """When an attempt was made, as far as is known, and when it came here, to put them in order."""
    # What cannot be read is all one where nobody knows when it was made: the last time counts.
    came = in_utc(row["troubled"] or row["received"])
    return (datetime.fromisoformat(row["submitted"]) if row["submitted"] else came), came


def check_id(student: str) -> None:
    """Refuse an id that a database would not keep as it is: cut or changed, two students would be one.

    Raises:
        GradebookError: the id is empty, too long, or holds what is no text.
    """
    if not student or len(student) > schema.ID_CHARACTERS or student != storable(student):
        raise GradebookError(
            f"a student's id must be text of 1 to {schema.ID_CHARACTERS} characters, "
            f"and this is not: {student[:40]!r}"
        )


def storable(text: str) -> str:
    """The text without what no database keeps: zero bytes, and halves of surrogate pairs."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def source_of(source: bytes) -> str:
    """An answer's text, to the letter."""
    return bytes(source).decode("utf-8", "surrogatepass")


def utc_text(moment: datetime | None) -> str:
    """ISO 8601 in UTC, so that the same moment is the same text.

    Raises:
        ValueError: it has no offset from UTC, so nobody knows when that is.
    """
    if moment is None:
        return ""
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no offset from UTC")
    try:
        return moment.astimezone(UTC).isoformat()
    except OverflowError:  # the first hours of year 1, say: a broken export's
        return ""


def in_utc(moment: datetime) -> datetime:
    """A moment that a database gave back: SQLite keeps no offset, PostgreSQL answers in the session's."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
