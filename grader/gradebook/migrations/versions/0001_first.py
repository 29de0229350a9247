"""The first gradebook: students, attempts, answers, gradings, and results by key."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "courses",
        sa.Column("id", sa.String(200), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_courses"),
    )
    op.create_table(
        "students",
        sa.Column("id", sa.String(300), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_students"),
    )
    op.create_table(
        "attempts",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("course", sa.String(200), nullable=False),
        sa.Column("student", sa.String(300), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("submission", sa.String(64), nullable=False),
        sa.Column("submitted", sa.String(40), nullable=False),
        sa.Column("received", sa.DateTime(timezone=True), nullable=False),
        sa.Column("grading", sa.Integer(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("troubled", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_attempts"),
        sa.ForeignKeyConstraint(["student"], ["students.id"], name="fk_attempts_student_students"),
        sa.UniqueConstraint(
            "course", "student", "submission", "submitted", name="uq_attempts_course_student_submission"
        ),
        sa.UniqueConstraint("course", "student", "number", name="uq_attempts_course_student_number"),
    )
    op.create_index("ix_attempts_student", "attempts", ["student"])
    op.create_table(
        "answers",
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_answers"),
    )
    op.create_table(
        "attempt_answers",
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("exercise", sa.String(200), nullable=False),
        sa.Column("answer", sa.String(64), nullable=True),
        sa.Column("unreadable", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("attempt", "exercise", name="pk_attempt_answers"),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], name="fk_attempt_answers_attempt_attempts"),
        sa.ForeignKeyConstraint(["answer"], ["answers.digest"], name="fk_attempt_answers_answer_answers"),
    )
    op.create_table(
        "gradings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("graded", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Float(), nullable=False),
        sa.Column("isolation", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_gradings"),
        sa.ForeignKeyConstraint(["attempt"], ["attempts.id"], name="fk_gradings_attempt_attempts"),
        sa.UniqueConstraint("attempt", "key", "isolation", name="uq_gradings_attempt_key_isolation"),
    )
    op.create_table(
        "results",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("exercise", sa.String(200), nullable=False),
        sa.Column("isolation", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_results"),
    )


def downgrade() -> None:
    """Take them away."""
    for table in ("results", "gradings", "attempt_answers", "answers", "attempts", "students", "courses"):
        op.drop_table(table)
