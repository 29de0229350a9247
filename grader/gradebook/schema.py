"""The gradebook's tables, as the last migration leaves them.

    students ─< attempts ─< attempt_answers >─ answers
                   └─< gradings                results (by key: what need not be graded again)
    courses: the secret that a course's hidden inputs are drawn from

A change here needs a migration beside it in `migrations/versions`; a test compares the two.
"""

from __future__ import annotations

from sqlalchemy import (
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = [
    "REVISION",
    "VERSION_TABLE",
    "answers",
    "attempt_answers",
    "attempts",
    "courses",
    "gradings",
    "metadata",
    "results",
    "students",
]

REVISION = "0001"
"""The last migration's."""
VERSION_TABLE = "gradebook_version"
"""Where Alembic notes the revision: under a name of our own, for a database may serve other programs too."""
ID_CHARACTERS = 300

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

courses = Table(
    "courses",
    metadata,
    Column("id", String(200), primary_key=True),
    Column("seed", Text, nullable=False),
)

students = Table(
    "students",
    metadata,
    Column("id", String(ID_CHARACTERS), primary_key=True),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("numbers", Text, nullable=False),  # JSON: what learning platforms call the student
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("course", String(200), nullable=False),
    Column("student", ForeignKey("students.id"), nullable=False),
    Column("number", Integer, nullable=False),  # from 1, as they came
    Column("submission", String(64), nullable=False),  # SHA-256 of what is graded
    Column("submitted", String(40), nullable=False),  # ISO 8601 in UTC; empty where it is not known
    Column("received", DateTime(timezone=True), nullable=False),
    Column("grading", Integer),  # the one that counts
    Column("problem", Text, nullable=False),  # why it could not be read, or graded in full
    Column("troubled", DateTime(timezone=True)),  # when that was last so
    UniqueConstraint(
        "course", "student", "submission", "submitted", name="uq_attempts_course_student_submission"
    ),
    # Read in this order, one after another.
    UniqueConstraint("course", "student", "number", name="uq_attempts_course_student_number"),
    Index("ix_attempts_student", "student"),
)

answers = Table(
    "answers",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("source", LargeBinary, nullable=False),  # UTF-8: what a student wrote may be text of no database
)

attempt_answers = Table(
    "attempt_answers",
    metadata,
    Column("attempt", ForeignKey("attempts.id"), primary_key=True),
    Column("exercise", String(200), primary_key=True),
    Column("answer", ForeignKey("answers.digest")),
    Column("unreadable", Text, nullable=False),
    Column("origin", Text, nullable=False),
)

gradings = Table(
    "gradings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("attempt", ForeignKey("attempts.id"), nullable=False),
    Column("key", String(64), nullable=False),
    Column("graded", DateTime(timezone=True), nullable=False),
    Column("score", Float, nullable=False),
    Column("isolation", Integer, nullable=False),
    Column("result", Text, nullable=False),  # the public result, a line of JSON
    UniqueConstraint("attempt", "key", "isolation", name="uq_gradings_attempt_key_isolation"),
)

results = Table(
    "results",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("exercise", String(200), nullable=False),
    Column("isolation", Integer, nullable=False),
    Column("result", Text, nullable=False),
)
