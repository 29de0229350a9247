"""The gradebook: every attempt of every student, what was graded and when, in a SQL database.

One SQLite file by default; the URL of a PostgreSQL database works as well.
What a grading found is written in one transaction: after a crash all of it is there or none.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import sqlalchemy as sa

from grader.gradebook import schema
from grader.gradebook.attempts import Attempt, HandedIn, Known, Stored
from grader.gradebook.columns import check_id, identity_of, in_utc, moment_of, place_of, source_of, storable
from grader.gradebook.database import Database
from grader.result import ExerciseResult, GradingResult
from grader.submission.identity import Identity

__all__ = ["Attempt", "Gradebook", "HandedIn", "Known", "Stored"]

_BUSY_SECONDS = 10.0
_AT_ONCE = 500
"""Values in one query: SQLite used to take 999."""
_ROWS = 100
"""So many are fetched at a time: a result is a few KiB."""


class Gradebook:
    """An open gradebook. Close it, or use it in a `with`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.shown_as = database.shown_as

    @classmethod
    def open(cls, where: str | Path, *, must_exist: bool = False) -> Gradebook:
        """Open a gradebook, made if it is not there, brought up to this version if it is an older one.

        Args:
            where: a file, or the URL of a database.
            must_exist: a file that is not there is an error.

        Raises:
            GradebookError: it cannot be opened, is in use by another, or is of a newer version.
        """
        return cls(Database.open(where, must_exist=must_exist, busy_seconds=_BUSY_SECONDS))

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    # -- what a run needs -------------------------------------------------------------------------------

    def secret(self, course: str, wanted: str | None = None) -> str:
        """The secret that the course's hidden inputs are drawn from: the same in each run, or nothing would be known.

        Args:
            course: its id.
            wanted: the secret from now on; None keeps the one that is there, or makes one.
        """
        with self._database.writing() as connection:
            found = connection.execute(
                sa.select(schema.courses.c.seed).where(schema.courses.c.id == course)
            ).scalar()
            if found is not None and wanted in (None, found):
                return str(found)
            secret = wanted or secrets.token_hex(16)
            if found is None:
                connection.execute(sa.insert(schema.courses).values(id=course, seed=secret))
            else:
                connection.execute(
                    sa.update(schema.courses).where(schema.courses.c.id == course).values(seed=secret)
                )
            return secret

    def known(self, keys: Iterable[str]) -> dict[str, Known]:
        """The results that are there under these keys."""
        found: dict[str, Known] = {}
        table = schema.results.c
        with self._database.reading() as connection:
            for some in _chunks(list(keys)):
                query = sa.select(table.key, table.result, table.isolation).where(table.key.in_(some))
                for key, result, isolation in connection.execute(query):
                    found[key] = Known(ExerciseResult.model_validate_json(result), isolation)
        return found

    def graded(self, attempt: Attempt) -> Stored | None:
        """The attempt with the grading that counts; None where it has none yet."""
        table = schema.attempts.c
        place = sa.and_(*(table[name] == value for name, value in place_of(attempt).items()))
        with closing(self._stored(place)) as found:
            return next(found, None)

    def receive(self, attempt: Attempt) -> None:
        """Write down that it came, and nothing of what it is worth: those that come later have higher numbers."""
        with self._database.writing() as connection:
            self._write_student(connection, attempt.student)
            self._write_attempt(connection, attempt, datetime.now(UTC))

    def record(
        self,
        attempt: Attempt,
        key: str,
        result: GradingResult,
        known: Mapping[str, Known] | None = None,
    ) -> int:
        """Write a grading, and let it count. All of it or nothing.

        Args:
            attempt: what was graded.
            key: what the result depends on; the same key again, at the same level of isolation, changes nothing.
            result: what came of it.
            known: results by key that need not be found again.

        Returns:
            Which of the student's attempts it is, from 1.
        """
        now = datetime.now(UTC)
        table = schema.gradings
        with self._database.writing() as connection:
            self._write_student(connection, attempt.student)
            number, row = self._write_attempt(connection, attempt, now)
            self._write_known(connection, known or {})
            place = {"attempt": row, "key": key, "isolation": result.isolation}
            connection.execute(
                self._database.insert(table)
                .values(**place, graded=now, score=result.score, result=result.to_json())
                .on_conflict_do_nothing()
            )
            grading = sa.select(table.c.id).where(*(table.c[name] == value for name, value in place.items()))
            connection.execute(
                sa.update(schema.attempts)
                .where(schema.attempts.c.id == row)
                .values(grading=grading.scalar_subquery(), problem="", troubled=None)
            )
        return number

    def record_problem(
        self, attempt: Attempt, problem: str, known: Mapping[str, Known] | None = None
    ) -> None:
        """Write down why an attempt could not be graded, or not in full. A grading that is there stays."""
        now = datetime.now(UTC)
        with self._database.writing() as connection:
            self._write_student(connection, attempt.student)
            _, row = self._write_attempt(connection, attempt, now)
            self._write_known(connection, known or {})
            connection.execute(
                sa.update(schema.attempts)
                .where(schema.attempts.c.id == row)
                .values(problem=storable(problem) or "could not be graded", troubled=now)
            )

    # -- reading ----------------------------------------------------------------------------------------

    def attempts(self, course: str) -> Generator[Stored, None, None]:
        """All attempts of a course that were graded, by student and number, one after another."""
        return self._stored(schema.attempts.c.course == course)

    def problems(self, course: str) -> Iterator[tuple[Identity, str]]:
        """Who has an attempt that could not be graded, or not in full, and why.

        Not told is one that the student has made good: with a later attempt, by the time when it was handed in
        or else came here, that was graded in full.
        """
        attempts, students = schema.attempts, schema.students
        mine = attempts.c.course == course
        troubled = sa.select(attempts.c.student).where(mine, attempts.c.problem != "")
        query = (
            sa.select(attempts, students.c.name, students.c.email, students.c.numbers)
            .join(students, students.c.id == attempts.c.student)
            .where(mine, attempts.c.student.in_(troubled))
            .order_by(attempts.c.student, attempts.c.number)
        )
        with self._database.reading() as connection:
            rows = connection.execution_options(yield_per=_ROWS).execute(query).mappings()
            for _, found in groupby(rows, key=lambda row: row["student"]):
                theirs = [(moment_of(row), row) for row in found]
                good = [moment for moment, row in theirs if row["grading"] is not None and not row["problem"]]
                last_good = max(good, default=None)
                for moment, row in theirs:
                    if row["problem"] and (last_good is None or moment >= last_good):
                        yield identity_of(row), row["problem"]

    def answers(self, attempt: int) -> dict[str, str]:
        """The sources of an attempt, by exercise; `attempt` is the `id` of a `Stored`."""
        query = (
            sa.select(schema.attempt_answers.c.exercise, schema.answers.c.source)
            .join(schema.answers, schema.answers.c.digest == schema.attempt_answers.c.answer)
            .where(schema.attempt_answers.c.attempt == attempt)
        )
        with self._database.reading() as connection:
            return {str(exercise): source_of(source) for exercise, source in connection.execute(query)}

    def handed_in(self, course: str) -> Iterator[HandedIn]:
        """Every answer of every attempt, one after another, in no order."""
        attempts, within, answers = schema.attempts, schema.attempt_answers, schema.answers
        query = (
            sa.select(attempts.c.student, attempts.c.number, within.c.exercise, answers.c.source)
            .join(within, within.c.attempt == attempts.c.id)
            .join(answers, answers.c.digest == within.c.answer)
            .where(attempts.c.course == course)
        )
        with self._database.reading() as connection:
            for student, number, exercise, source in connection.execution_options(yield_per=_ROWS).execute(
                query
            ):
                yield HandedIn(student, number, exercise, source_of(source))

    def courses(self) -> list[str]:
        """The ids of the courses of which there are attempts."""
        course = schema.attempts.c.course
        with self._database.reading() as connection:
            return list(connection.execute(sa.select(course).distinct().order_by(course)).scalars())

    def _stored(self, condition: sa.ColumnElement[bool]) -> Generator[Stored, None, None]:
        attempts, students, gradings = schema.attempts, schema.students, schema.gradings
        query = (
            sa.select(
                attempts,
                students.c.name,
                students.c.email,
                students.c.numbers,
                gradings.c.key,
                gradings.c.result,
            )
            .join(students, students.c.id == attempts.c.student)
            .join(gradings, gradings.c.id == attempts.c.grading)
            .where(condition)
            .order_by(attempts.c.student, attempts.c.number)
        )
        with self._database.reading() as connection:
            for row in connection.execution_options(yield_per=_ROWS).execute(query).mappings():
                yield Stored(
                    id=row["id"],
                    student=identity_of(row),
                    number=row["number"],
                    submission=row["submission"],
                    submitted=datetime.fromisoformat(row["submitted"]) if row["submitted"] else None,
                    received=in_utc(row["received"]),
                    key=row["key"],
                    line=row["result"],
                    problem=row["problem"],
                )

    # -- writing ----------------------------------------------------------------------------------------

    def _write_student(self, connection: sa.Connection, student: Identity) -> None:
        check_id(student.id)
        table = schema.students
        numbers = {storable(kind): storable(number) for kind, number in student.numbers}
        row = connection.execute(sa.select(table).where(table.c.id == student.id)).mappings().one_or_none()
        before = {} if row is None else json.loads(row["numbers"])
        values = {
            "name": storable(student.name),
            "email": storable(student.email),
            "numbers": json.dumps({**before, **numbers}, ensure_ascii=False, sort_keys=True),
        }
        if row is None:
            connection.execute(sa.insert(table).values(id=student.id, **values))
            return
        # A later folder may know less than an earlier one.
        changed = {name: value for name, value in values.items() if value and value != row[name]}
        if changed:
            connection.execute(sa.update(table).where(table.c.id == student.id).values(**changed))

    def _write_attempt(self, connection: sa.Connection, attempt: Attempt, now: datetime) -> tuple[int, int]:
        """Number and row of an attempt, written if it is new."""
        table = schema.attempts
        place = place_of(attempt)
        where = sa.and_(*(table.c[name] == value for name, value in place.items()))
        found = connection.execute(sa.select(table.c.number, table.c.id).where(where)).one_or_none()
        if found is not None:
            return int(found[0]), int(found[1])
        mine = sa.and_(table.c.course == attempt.course, table.c.student == attempt.student.id)
        number = (connection.execute(sa.select(sa.func.max(table.c.number)).where(mine)).scalar() or 0) + 1
        made = connection.execute(sa.insert(table).values(**place, number=number, received=now, problem=""))
        assert made.inserted_primary_key is not None
        row = int(made.inserted_primary_key[0])
        for answer in attempt.answers:
            digest = None
            if answer.source is not None:
                source = answer.source.encode("utf-8", "surrogatepass")
                digest = sha256(source).hexdigest()
                connection.execute(
                    self._database.insert(schema.answers)
                    .values(digest=digest, source=source)
                    .on_conflict_do_nothing()
                )
            connection.execute(
                sa.insert(schema.attempt_answers).values(
                    attempt=row,
                    exercise=answer.exercise,
                    answer=digest,
                    unreadable=storable(answer.unreadable or ""),
                    origin=storable(answer.origin),
                )
            )
        return number, row

    def _write_known(self, connection: sa.Connection, known: Mapping[str, Known]) -> None:
        """Write results by key; one that came about behind more walls takes the place of another."""
        table = schema.results
        for key, entry in known.items():
            insert = self._database.insert(table).values(
                key=key,
                exercise=entry.result.id,
                isolation=entry.isolation,
                result=entry.result.model_dump_json(),
            )
            connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[table.c.key],
                    set_={"isolation": insert.excluded.isolation, "result": insert.excluded.result},
                    where=table.c.isolation < insert.excluded.isolation,
                )
            )


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
