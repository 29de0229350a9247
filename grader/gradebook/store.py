"""The gradebook: every attempt of every student, what was graded and when, in a SQL database.

One SQLite file by default; a URL of another database that SQLAlchemy knows, PostgreSQL say, works as well.
What a grading found is written in one transaction: after a crash all of it is there or none.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from grader.errors import GradebookError
from grader.gradebook import schema
from grader.gradebook.marks import Identity
from grader.result import ExerciseResult, GradingResult
from grader.submission.intake import Answer

__all__ = ["Attempt", "Gradebook", "Known", "Stored"]

_BUSY_SECONDS = 10.0
_AT_ONCE = 500
"""Values in one query: SQLite used to take 999."""


@dataclass(frozen=True, slots=True)
class Known:
    """A result that is there already, and the isolation under which it came about."""

    result: ExerciseResult
    isolation: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """What a student handed in, once: `submission` is its digest, `submitted` when, as far as is known."""

    course: str
    student: Identity
    submission: str
    submitted: datetime | None = None
    answers: tuple[Answer, ...] = ()


@dataclass(frozen=True, slots=True)
class Stored:
    """An attempt as the gradebook has it, with the grading that counts."""

    id: int
    student: Identity
    number: int
    submission: str
    submitted: datetime | None
    received: datetime
    key: str
    line: str
    """The public result as a line of JSON, the bytes that were first written."""

    @property
    def result(self) -> GradingResult:
        """The public result."""
        return GradingResult.model_validate_json(self.line)


class Gradebook:
    """An open gradebook. Close it, or use it in a `with`."""

    def __init__(self, engine: sa.Engine, shown_as: str) -> None:
        self._engine = engine
        self.shown_as = shown_as

    @classmethod
    def open(cls, where: str | Path, *, must_exist: bool = False) -> Gradebook:
        """Open a gradebook, made if it is not there, brought up to this version if it is an older one.

        Args:
            where: a file, or the URL of a database.
            must_exist: a file that is not there is an error.

        Raises:
            GradebookError: it cannot be opened, is in use by another, or is of a newer version.
        """
        text = str(where)
        url = text if "://" in text else f"sqlite:///{Path(text).absolute()}"
        shown = (
            Path(text).name
            if url.startswith("sqlite")
            else sa.make_url(url).render_as_string(hide_password=True)
        )
        if must_exist and "://" not in text and not Path(text).is_file():
            raise GradebookError(f"there is no gradebook {text}: `grade batch` makes one")
        with _told(shown):
            try:
                engine = _engine(url)
            except ModuleNotFoundError as error:
                raise GradebookError(
                    f"{shown}: its driver is not installed: pip install {error.name}"
                ) from None
            gradebook = cls(engine, shown)
            try:
                gradebook._upgrade()
            except BaseException:
                engine.dispose()
                raise
        return gradebook

    def __enter__(self) -> Gradebook:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self._engine.dispose()

    # -- what a run needs -------------------------------------------------------------------------------

    def secret(self, course: str, wanted: str | None = None) -> str:
        """The secret that the course's hidden inputs are drawn from: the same in each run, or nothing would be known.

        Args:
            course: its id.
            wanted: the secret from now on; None keeps the one that is there, or makes one.
        """
        with self._transaction() as connection:
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
        with self._reading() as connection:
            for some in _chunks(list(keys)):
                query = sa.select(table.key, table.result, table.isolation).where(table.key.in_(some))
                for key, result, isolation in connection.execute(query):
                    found[key] = Known(ExerciseResult.model_validate_json(result), isolation)
        return found

    def graded(self, attempt: Attempt) -> Stored | None:
        """The attempt with the grading that counts; None where it has none yet."""
        table = schema.attempts.c
        return next(
            self._stored(
                sa.and_(
                    table.course == attempt.course,
                    table.student == attempt.student.id,
                    table.submission == attempt.submission,
                    table.submitted == _text_of(attempt.submitted),
                )
            ),
            None,
        )

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
            key: what the result depends on; the same key again changes nothing.
            result: what came of it.
            known: results by key that need not be found again.

        Returns:
            Which of the student's attempts it is, from 1.
        """
        now = datetime.now(UTC)
        with self._transaction() as connection:
            self._write_student(connection, attempt.student)
            number, row = self._write_attempt(connection, attempt, now)
            self._write_known(connection, known or {})
            self._write_once(
                connection,
                schema.gradings,
                attempt=row,
                key=key,
                graded=now,
                score=result.score,
                result=result.to_json(),
            )
            grading = connection.execute(
                sa.select(schema.gradings.c.id).where(
                    schema.gradings.c.attempt == row, schema.gradings.c.key == key
                )
            ).scalar_one()
            connection.execute(
                sa.update(schema.attempts).where(schema.attempts.c.id == row).values(grading=grading, problem="")
            )
        return number

    def record_problem(
        self, attempt: Attempt, problem: str, known: Mapping[str, Known] | None = None
    ) -> None:
        """Write down why an attempt could not be graded, or not in full. A grading that is there stays."""
        with self._transaction() as connection:
            self._write_student(connection, attempt.student)
            _, row = self._write_attempt(connection, attempt, datetime.now(UTC))
            self._write_known(connection, known or {})
            connection.execute(
                sa.update(schema.attempts).where(schema.attempts.c.id == row).values(problem=problem)
            )

    # -- reading ----------------------------------------------------------------------------------------

    def attempts(self, course: str) -> Iterator[Stored]:
        """All attempts of a course that were graded, by student and number, one after another."""
        return self._stored(schema.attempts.c.course == course)

    def problems(self, course: str) -> Iterator[tuple[Identity, str]]:
        """Who has an attempt that could not be graded, or not in full, and why."""
        attempts, students = schema.attempts, schema.students
        query = (
            sa.select(students, attempts.c.problem)
            .join(students, students.c.id == attempts.c.student)
            .where(attempts.c.course == course, attempts.c.problem != "")
            .order_by(attempts.c.student, attempts.c.number)
        )
        with self._reading() as connection:
            for row in connection.execute(query).mappings():
                numbers = tuple(json.loads(row["numbers"]).items())
                yield Identity(row["id"], row["name"], row["email"], numbers), row["problem"]

    def answers(self, attempt: int) -> dict[str, str]:
        """The sources of an attempt, by exercise."""
        query = (
            sa.select(schema.attempt_answers.c.exercise, schema.answers.c.source)
            .join(schema.answers, schema.answers.c.digest == schema.attempt_answers.c.answer)
            .where(schema.attempt_answers.c.attempt == attempt)
        )
        with self._reading() as connection:
            return {str(row[0]): str(row[1]) for row in connection.execute(query)}

    def courses(self) -> list[str]:
        """The ids of the courses of which there are attempts."""
        with self._reading() as connection:
            return list(
                connection.execute(sa.select(schema.courses.c.id).order_by(schema.courses.c.id)).scalars()
            )

    def _stored(self, condition: sa.ColumnElement[bool]) -> Iterator[Stored]:
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
        with self._reading() as connection:
            for row in connection.execution_options(yield_per=100).execute(query).mappings():
                yield Stored(
                    id=row["id"],
                    student=Identity(
                        row["student"], row["name"], row["email"], tuple(json.loads(row["numbers"]).items())
                    ),
                    number=row["number"],
                    submission=row["submission"],
                    submitted=datetime.fromisoformat(row["submitted"]) if row["submitted"] else None,
                    received=row["received"].replace(tzinfo=row["received"].tzinfo or UTC),
                    key=row["key"],
                    line=row["result"],
                )

    # -- writing ----------------------------------------------------------------------------------------

    def _write_student(self, connection: sa.Connection, student: Identity) -> None:
        table = schema.students
        values = {
            "name": student.name,
            "email": student.email,
            "numbers": json.dumps(dict(student.numbers), ensure_ascii=False, sort_keys=True),
        }
        row = connection.execute(sa.select(table).where(table.c.id == student.id)).mappings().one_or_none()
        if row is None:
            connection.execute(sa.insert(table).values(id=student.id, **values))
            return
        # A later folder may know less than an earlier one.
        numbers = {**json.loads(row["numbers"]), **dict(student.numbers)}
        values["numbers"] = json.dumps(numbers, ensure_ascii=False, sort_keys=True)
        changed = {name: value for name, value in values.items() if value and value != row[name]}
        if changed:
            connection.execute(sa.update(table).where(table.c.id == student.id).values(**changed))

    def _write_attempt(self, connection: sa.Connection, attempt: Attempt, now: datetime) -> tuple[int, int]:
        """Number and row of an attempt, written if it is new."""
        table = schema.attempts
        place = {
            "course": attempt.course,
            "student": attempt.student.id,
            "submission": attempt.submission,
            "submitted": _text_of(attempt.submitted),
        }
        where = sa.and_(*(table.c[name] == value for name, value in place.items()))
        found = connection.execute(sa.select(table.c.number, table.c.id).where(where)).one_or_none()
        if found is not None:
            return int(found[0]), int(found[1])
        mine = sa.and_(table.c.course == attempt.course, table.c.student == attempt.student.id)
        number = (connection.execute(sa.select(sa.func.max(table.c.number)).where(mine)).scalar() or 0) + 1
        made = connection.execute(sa.insert(table).values(**place, number=number, received=now))
        assert made.inserted_primary_key is not None
        row = int(made.inserted_primary_key[0])
        for answer in attempt.answers:
            digest = None
            if answer.source is not None:
                digest = sha256(answer.source.encode("utf-8", "surrogatepass")).hexdigest()
                text = answer.source.encode("utf-8", "replace").decode()
                self._write_once(connection, schema.answers, digest=digest, source=text)
            connection.execute(
                sa.insert(schema.attempt_answers).values(
                    attempt=row,
                    exercise=answer.exercise,
                    answer=digest,
                    unreadable=answer.unreadable or "",
                    origin=answer.origin,
                )
            )
        return number, row

    def _write_known(self, connection: sa.Connection, known: Mapping[str, Known]) -> None:
        for key, entry in known.items():
            self._write_once(
                connection,
                schema.results,
                key=key,
                exercise=entry.result.id,
                isolation=entry.isolation,
                result=entry.result.model_dump_json(),
            )

    def _write_once(self, connection: sa.Connection, table: sa.Table, **values: Any) -> None:
        """Insert a row unless it is there."""
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(table).values(**values).on_conflict_do_nothing())

    # -- the database -----------------------------------------------------------------------------------

    def _upgrade(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", "grader.gradebook:migrations")
        try:
            with self._engine.begin() as connection:
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
        except CommandError:
            raise GradebookError(
                f"{self.shown_as} was made by a newer version of torchgrade: update with pip install -U torchgrade"
            ) from None

    @contextmanager
    def _transaction(self) -> Iterator[sa.Connection]:
        with _told(self.shown_as), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with _told(self.shown_as), self._engine.connect() as connection:
            yield connection


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        return sa.create_engine(url)
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        # sqlite3 begins transactions late and ends them before a CREATE; SQLAlchemy does it itself below.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return engine


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """What goes wrong in the database, as one line that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise GradebookError(f"{shown}: {_mend(str(error.orig))}") from error
    except SQLAlchemyError as error:
        raise GradebookError(f"{shown}: {error}: name a file or the URL of a database") from error


def _mend(said: str) -> str:
    lower = said.lower()
    if "locked" in lower:
        return "the gradebook is in use by another program: wait until that has ended, then the same command again"
    if "full" in lower:
        return "the disk is full: make room, then the same command again; what is graded is kept"
    if "readonly" in lower or "read-only" in lower or "unable to open" in lower:
        return "the gradebook cannot be written: name a folder in which you may write"
    if "not a database" in lower or "malformed" in lower:
        return "this file is no gradebook, or is damaged: name another, or put it aside"
    return f"the database says: {said}"


def _text_of(moment: datetime | None) -> str:
    """ISO 8601 in UTC, so that the same moment is the same text."""
    return "" if moment is None else moment.astimezone(UTC).isoformat()


def _chunks(values: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]
