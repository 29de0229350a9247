"""The database under a gradebook: connecting, migrating, transactions, and what goes wrong as one line each.

Writing transactions come one after another, those of other processes too: SQLite locks the file, PostgreSQL an
advisory lock. So what a transaction read before it wrote is still true when it writes.
"""

from __future__ import annotations

import importlib.util
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError

from grader.errors import GradebookError
from grader.gradebook import schema

__all__ = ["Database"]

MIGRATIONS = "grader.gradebook:migrations"
_WRITES: Final = "gradebook_writes"
_LOCK: Final = 0x6772_6164_6562_6F6F
"""The advisory lock of PostgreSQL that stands for the gradebook: "gradeboo" in ASCII."""
_CONNECT_SECONDS: Final = 10
_DRIVERS: Final = ("psycopg", "psycopg2")

_IN_USE = "the gradebook is in use by another program: wait until that has ended, then the same command again"
_FULL = "the disk is full: make room, then the same command again; what is graded is kept"
_NOT_WRITABLE = "the gradebook cannot be written: name a folder in which you may write"
_DAMAGED = "this file is no gradebook, or is damaged: name another, or put it aside"
_OTHER_TABLES = "this database holds tables of something else: name another, or a new one"

_SQLITE: Final = {
    "SQLITE_BUSY": _IN_USE,
    "SQLITE_LOCKED": _IN_USE,
    "SQLITE_FULL": _FULL,
    "SQLITE_IOERR": "the disk cannot be read or written, it may be full: make room, then the same command again",
    "SQLITE_READONLY": _NOT_WRITABLE,
    "SQLITE_CANTOPEN": _NOT_WRITABLE,
    "SQLITE_PERM": _NOT_WRITABLE,
    "SQLITE_AUTH": _NOT_WRITABLE,
    "SQLITE_NOTADB": _DAMAGED,
    "SQLITE_CORRUPT": _DAMAGED,
}
"""By the first two words of SQLite's name for the error; what is not here is told in its own words."""

_POSTGRESQL: Final = {
    "25006": "the database takes no writing now: name another, or ask who keeps it",
    "42501": "this user may not write there: GRANT it the right to create tables, or name another",
    "53100": _FULL,
    "55P03": _IN_USE,
}
"""By SQLSTATE."""


class Database:
    """An open database with the tables of this version."""

    def __init__(self, engine: sa.Engine, shown_as: str) -> None:
        self._engine = engine
        self.shown_as = shown_as

    @classmethod
    def open(cls, where: str | Path, *, must_exist: bool, busy_seconds: float) -> Database:
        """Open a SQLite file or the URL of a database, and bring its tables up to this version.

        Args:
            where: a file, or a URL such as postgresql://user@host/name.
            must_exist: a file that is not there is an error.
            busy_seconds: how long to wait for another who writes.

        Raises:
            GradebookError: it cannot be opened, is in use by another, or is of a newer version.
        """
        text = str(where)
        is_url = "://" in text
        url = _url_of(text) if is_url else sa.URL.create("sqlite", database=str(Path(text).absolute()))
        if url.get_backend_name() == "sqlite":
            shown = Path(url.database or ":memory:").name
            _check_file(url, text, must_exist)
        else:
            shown = url.render_as_string(hide_password=True)
        with _told(shown):
            database = cls(_engine(url, busy_seconds), shown)
            try:
                database._upgrade()
            except BaseException:
                database.close()
                raise
        return database

    def close(self) -> None:
        """Let go of it."""
        self._engine.dispose()

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """A connection to read with."""
        with _told(self.shown_as), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """A transaction that nobody else writes beside: all of it is kept, or nothing."""
        with _told(self.shown_as), self._engine.connect() as connection, self._alone(connection):
            yield connection

    @contextmanager
    def _alone(self, connection: sa.Connection) -> Iterator[None]:
        connection.execution_options(**{_WRITES: True})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            yield

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """An INSERT that can say what to do where the row is there already."""
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    # -- migrations -------------------------------------------------------------------------------------

    def _upgrade(self) -> None:
        with self._engine.connect() as connection:
            # Most openings end here: they need no lock, and no Alembic.
            if _revision(connection) == schema.REVISION:
                return
        with self._engine.connect() as connection, _without_foreign_keys(connection), self._alone(connection):
            revision = _revision(connection)
            if revision is None:
                self._refuse_other_tables(connection)
            if revision != schema.REVISION:
                self._migrate(connection)

    def _refuse_other_tables(self, connection: sa.Connection) -> None:
        there = set(sa.inspect(connection).get_table_names())
        if connection.dialect.name != "sqlite":
            there &= schema.metadata.tables.keys()  # one database serves many there
        if there:
            raise GradebookError(f"{self.shown_as}: {_OTHER_TABLES}")

    def _migrate(self, connection: sa.Connection) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", MIGRATIONS.replace("%", "%%"))
        config.attributes["connection"] = connection
        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if _revision(connection) not in {None, *known}:
            raise GradebookError(
                f"{self.shown_as} was made by a newer version of torchgrade: update with pip install -U torchgrade"
            )
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise GradebookError(f"{self.shown_as} cannot be brought up to this version: {error}") from error
        if (
            connection.dialect.name == "sqlite"
            and connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        ):
            raise GradebookError(f"{self.shown_as}: {_DAMAGED}")


def _revision(connection: sa.Connection) -> str | None:
    """The revision of the tables that are there; None where there are none."""
    if not sa.inspect(connection).has_table(schema.VERSION_TABLE):
        return None
    table = sa.table(schema.VERSION_TABLE, sa.column("version_num"))
    return connection.execute(sa.select(table.c.version_num)).scalar()


@contextmanager
def _without_foreign_keys(connection: sa.Connection) -> Iterator[None]:
    """SQLite cannot alter a table: it is written anew, and the old one dropped, which foreign keys would forbid.

    They can only be switched outside a transaction. Whoever switches them off looks for orphans afterwards.
    """
    raw = connection.connection.dbapi_connection if connection.dialect.name == "sqlite" else None
    if raw is None:
        yield
        return
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


# -- connecting -----------------------------------------------------------------------------------------


def _url_of(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError):  # their texts may show the password
        raise GradebookError(
            "this is not the URL of a database: write postgresql://user@host/name, or name a file"
        ) from None
    name, _, driver = url.drivername.partition("+")
    if name == "postgres":
        name = "postgresql"
    if name not in ("sqlite", "postgresql"):
        raise GradebookError(
            f"{name}:// is no database that a gradebook can be kept in: "
            "name a file, or a URL such as postgresql://user@host/name"
        )
    if name == "postgresql":
        found = [each for each in _DRIVERS if importlib.util.find_spec(each) is not None]
        if not driver and not found:
            raise GradebookError(
                "the driver for PostgreSQL is not installed: pip install 'torchgrade[postgresql]'"
            )
        driver = driver or found[0]
    return url.set(drivername=f"{name}+{driver}" if driver else name)


def _check_file(url: sa.URL, text: str, must_exist: bool) -> None:
    """Say it better than SQLite does where the path is at fault."""
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        return
    path = Path(url.database)
    try:
        if path.is_dir():
            raise GradebookError(f"{text} is a folder: name a file in it")
        if must_exist and not path.is_file():
            raise GradebookError(f"there is no gradebook {text}: `grade batch` makes one")
        if not path.parent.is_dir():
            raise GradebookError(f"there is no folder {path.parent}: make it, or name another file")
    except OSError as error:
        raise GradebookError(f"{text} cannot be opened ({error.strerror}): name another file") from None


def _engine(url: sa.URL, busy_seconds: float) -> sa.Engine:
    try:
        if url.get_backend_name() == "postgresql":
            return sa.create_engine(url, connect_args={"connect_timeout": _CONNECT_SECONDS})
        engine = sa.create_engine(url, connect_args={"timeout": busy_seconds})
    except ModuleNotFoundError as error:
        raise GradebookError(
            f"the driver {error.name} is not installed: pip install 'torchgrade[postgresql]' has psycopg"
        ) from None

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _: Any) -> None:
        # sqlite3 begins transactions late and ends them before a CREATE; `begin` below does it in its place.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        # One that reads first and writes then is refused at once, without waiting, if another wrote in between:
        # whoever means to write takes the lock at the beginning.
        writes = connection.get_execution_options().get(_WRITES)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")

    return engine


# -- errors ---------------------------------------------------------------------------------------------


@contextmanager
def _told(shown: str) -> Iterator[None]:
    """What goes wrong in the database, as one line that says what to do."""
    try:
        yield
    except DBAPIError as error:
        raise GradebookError(f"{shown}: {_mend(error)}") from error
    except SQLAlchemyError as error:
        raise GradebookError(f"{shown}: {error}: name a file or the URL of a database") from error


def _mend(error: DBAPIError) -> str:
    cause = error.orig
    name = getattr(cause, "sqlite_errorname", None)
    if name:
        found = _SQLITE.get("_".join(name.split("_")[:2]))
    else:
        state = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
        found = _POSTGRESQL.get(state or "")
        if found is None and state is None:  # no server has answered
            return f"the database cannot be reached ({cause}): start it, or mend the URL"
    return found or f"the database says: {cause}"
