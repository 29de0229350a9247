"""Parquet: a row for each student and exercise, for pandas, Polars, DuckDB and the like."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.gradebook.exports.numbers import is_whole
from grader.gradebook.exports.table import is_ungraded
from grader.gradebook.marks import Mark

__all__ = ["write_parquet"]

_ROWS_AT_ONCE = 50_000


def write_parquet(marks: Iterable[Mark], path: Path) -> int:
    """Write a file, and say how many rows are in it.

    Columns: student, name, email; the mark (score, max_score, late_days, submitted in UTC, attempt, attempts); the
    exercise (topic, exercise, verdict, exercise_score, exercise_max_score, tests, tests_passed, misconception);
    isolation, device. Scores of what could not be graded are null.

    Raises:
        UsageError: pyarrow is not installed, or the file cannot be written.
    """
    try:
        # By name, since it has no types of its own, and need not be there.
        pyarrow, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow, which is not installed: pip install 'torchgrade[parquet]'"
        ) from None
    number, text, count = pyarrow.float64(), pyarrow.string(), pyarrow.int32()
    schema = pyarrow.schema(
        [
            ("student", text),
            ("name", text),
            ("email", text),
            ("score", number),
            ("max_score", number),
            ("late_days", count),
            ("submitted", pyarrow.timestamp("us", tz="UTC")),
            ("attempt", count),
            ("attempts", count),
            ("topic", text),
            ("exercise", text),
            ("verdict", text),
            ("exercise_score", number),
            ("exercise_max_score", number),
            ("tests", count),
            ("tests_passed", count),
            ("misconception", text),
            ("isolation", count),
            ("device", text),
        ]
    )
    total = 0
    try:
        with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
            rows: list[dict[str, Any]] = []
            for mark in marks:
                rows += _rows(mark)
                if len(rows) >= _ROWS_AT_ONCE:
                    writer.write_table(pyarrow.Table.from_pylist(rows, schema))
                    total += len(rows)
                    rows = []
            writer.write_table(pyarrow.Table.from_pylist(rows, schema))
            return total + len(rows)
    except OSError as error:
        raise UsageError(f"{path}: cannot be written: {error.strerror or error}") from None


def _rows(mark: Mark) -> list[dict[str, Any]]:
    student = mark.student
    about = {
        "student": _text(student.id),
        "name": _text(student.name),
        "email": _text(student.email),
        "score": mark.score if is_whole(mark) else None,
        "max_score": mark.max_score,
        "late_days": mark.late_days,
        "submitted": _moment(mark.submitted),
        "attempt": mark.attempt,
        "attempts": mark.attempts,
        "isolation": mark.result.isolation,
        "device": mark.result.device,
    }
    return [
        about
        | {
            "topic": each.topic,
            "exercise": each.id,
            "verdict": each.verdict,
            "exercise_score": None if is_ungraded(each) else each.score,
            "exercise_max_score": each.max_score,
            "tests": len(each.tests),
            "tests_passed": sum(test.outcome == "passed" for test in each.tests),
            "misconception": each.diagnosis.misconception if each.diagnosis is not None else None,
        }
        for each in mark.result.exercises
    ]


def _text(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _moment(moment: datetime | None) -> datetime | None:
    """In UTC; a moment that does not say where it was is taken for UTC, whatever this machine's clock says."""
    if moment is None:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
