"""The gradebook in PostgreSQL: a server of its own for the test, or the one that an environment variable names.

`TORCHGRADE_TEST_POSTGRESQL` is the URL of a database that may be emptied.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from grader.errors import GradebookError
from grader.gradebook import schema
from grader.gradebook.store import Gradebook, HandedIn, Known
from grader.submission.identity import Identity
from tests.gradebook.handed_in import COURSE, at, attempt, exercise_result, result, unreadable
from tests.gradebook.test_migrations import assert_as_the_code_expects
from tests.gradebook.test_store import (
    HOSTILE,
    assert_nothing_lost_or_doubled,
    problems,
    scores,
    write_at_once,
)
from tests.tiny_course import GOOD, TinyExercise, write_course

GIVEN = "TORCHGRADE_TEST_POSTGRESQL"
ROOT = Path(__file__).resolve().parents[2]

pytest.importorskip("psycopg", reason="the driver for PostgreSQL is not installed: torchgrade[postgresql]")


def programs() -> Path | None:
    """The folder of initdb and pg_ctl."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"))  # Debian keeps them off the path
    return next((folder for folder in reversed(folders) if (folder / "initdb").exists()), None)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a server, of which a database may be emptied."""
    given = os.environ.get(GIVEN)
    if given:
        yield given
        return
    folder = programs()
    if folder is None:
        pytest.skip(f"no PostgreSQL here: install it, or name a database in {GIVEN}")
    # A socket's path may have some hundred characters, and initdb refuses root.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as place:
        user = {}
        if os.geteuid() == 0:
            os.chown(place, 65534, 65534)
            user = {"user": 65534, "group": 65534, "extra_groups": []}
        data, log = f"{place}/data", f"{place}/log"
        environment = {**os.environ, "LC_ALL": "C.UTF-8", "HOME": place}

        def run(*command: str) -> None:
            done = subprocess.run(
                command,
                **user,
                env=environment,
                cwd=place,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                check=False,
            )
            if done.returncode != 0:
                pytest.fail(f"{command[0]}: {done.stdout.decode()}")

        run(f"{folder}/initdb", "-D", data, "-U", "grader", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={place} -c fsync=off"
        # Its output goes to a file: the server would hold a pipe open.
        run(f"{folder}/pg_ctl", "-D", data, "-l", log, "-w", "-o", options, "start")
        try:
            yield f"postgresql://grader@/postgres?host={place}"
        finally:
            run(f"{folder}/pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture
def url(server: str) -> str:
    """The same with nothing in it."""
    engine = sa.create_engine(sa.make_url(server).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        schema.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE IF EXISTS gradebook_version, places, students CASCADE")
    engine.dispose()
    return server


@pytest.fixture
def book(url: str) -> Iterator[Gradebook]:
    with Gradebook.open(url) as opened:
        yield opened


def test_a_plain_url_is_enough_and_the_migrations_make_what_the_code_expects(url: str) -> None:
    Gradebook.open(url).close()
    Gradebook.open(url.replace("postgresql://", "postgres://"), must_exist=True).close()
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    assert_as_the_code_expects(engine)
    engine.dispose()


def test_what_was_recorded_is_read_again(book: Gradebook) -> None:
    ann = Identity("ann", "Ann", "ann@x", (("sid", "7"),))
    known = {"k": Known(exercise_result(), 2)}
    assert book.record(attempt(ann, submitted=at(1)), "key", result(1.0), known) == 1
    assert book.record(attempt(ann, submitted=at(1)), "key", result(5.0), known) == 1
    assert book.record(attempt(ann, "b", at(2)), "key", result(2.0)) == 2
    assert scores(book) == [1.0, 2.0]
    book.record(attempt(ann, "b", at(2)), "new key", result(3.0), {"k": Known(exercise_result(4.0), 3)})
    book.record(attempt(ann, "b", at(2)), "key", result(2.0))
    assert scores(book) == [1.0, 2.0]
    assert book.known(["k"]) == {"k": Known(exercise_result(4.0), 3)}
    kept = list(book.attempts(COURSE))
    assert kept[0].student == ann
    assert kept[0].line == result(1.0).to_json()
    assert kept[0].submitted == at(1)
    assert kept[0].received.utcoffset() == timedelta()
    assert book.graded(attempt(ann, "b", at(2))) == kept[1]
    assert book.answers(kept[1].id) == {"double": "b"}
    assert book.courses() == [COURSE]
    assert book.secret(COURSE) == book.secret(COURSE)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=list(HOSTILE))
def test_hostile_text_is_kept(book: Gradebook, text: str) -> None:
    who = Identity("ann", text, text, (("sid", text),))
    book.record(
        attempt(who, text), "key", result(message=text), {"k": Known(exercise_result(message=text), 3)}
    )
    book.record_problem(unreadable("bob"), text)
    (kept,) = book.attempts(COURSE)
    assert kept.student.name == text.replace("\0", "\ufffd").replace("\ud83d", "?")
    assert kept.line == result(message=text).to_json()
    assert list(book.handed_in(COURSE)) == [HandedIn("ann", 1, "double", text)]
    assert book.known(["k"])["k"].result == exercise_result(message=text)
    assert len(problems(book)) == 1


@pytest.mark.parametrize("text", [HOSTILE["nul"], HOSTILE["surrogate"], HOSTILE["long"]])
def test_an_id_that_it_would_not_keep_is_refused(book: Gradebook, text: str) -> None:
    with pytest.raises(GradebookError, match="a student's id must be text"):
        book.record(attempt(text), "key", result())


def test_an_id_as_long_as_may_be_fits_into_the_indexes(book: Gradebook) -> None:
    longest = "成" * schema.ID_CHARACTERS
    book.record(attempt(longest, course="c" * 200, submitted=at(1)), "key", result())
    assert [each.student.id for each in book.attempts("c" * 200)] == [longest]


def test_two_processes_that_write_at_once_lose_nothing_and_double_nothing(url: str) -> None:
    first, second = write_at_once(url)
    assert first == second
    with Gradebook.open(url) as book:
        assert_nothing_lost_or_doubled(book)


def test_attempts_are_read_while_others_are_written(book: Gradebook) -> None:
    for number in range(250):
        book.record(attempt(text=str(number)), str(number), result())
    reading = book.attempts(COURSE)
    next(reading)
    book.record(attempt("zoe"), "key", result())
    assert len(list(reading)) == 249


def test_a_database_that_serves_others_too_is_left_to_them(url: str) -> None:
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE places (url TEXT)")
    Gradebook.open(url).close()  # no table of ours is there
    with engine.begin() as connection:
        schema.metadata.drop_all(connection)
        connection.exec_driver_sql("DROP TABLE gradebook_version")
        connection.exec_driver_sql("CREATE TABLE students (name TEXT)")
    with pytest.raises(GradebookError, match="holds tables of something else"):
        Gradebook.open(url)
    with engine.connect() as connection:
        assert "attempts" not in sa.inspect(connection).get_table_names()
    engine.dispose()


def test_one_of_a_newer_version_is_refused(url: str) -> None:
    Gradebook.open(url).close()
    engine = sa.create_engine(sa.make_url(url).set(drivername="postgresql+psycopg"))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE gradebook_version SET version_num = '9999'")
    engine.dispose()
    with pytest.raises(GradebookError, match="newer version of torchgrade"):
        Gradebook.open(url)


def test_a_server_that_does_not_answer_is_told_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match="the database cannot be reached") as refused:
        Gradebook.open(f"postgresql://user:hush@/name?host={tmp_path}")
    assert "\n" not in refused.value.message
    assert "hush" not in refused.value.message


def test_one_that_may_only_be_read_is_told_in_a_line(url: str) -> None:
    Gradebook.open(url).close()
    read_only = f"{url}{'&' if '?' in url else '?'}options=-c%20default_transaction_read_only=on"
    with Gradebook.open(read_only) as book:
        assert scores(book) == []
        with pytest.raises(GradebookError, match="takes no writing now"):
            book.record(attempt(), "key", result())


@pytest.mark.slow
def test_grade_batch_keeps_a_class_there(url: str, tmp_path: Path) -> None:
    course = write_course(tmp_path / "course", {"double": TinyExercise()})
    for student in ("ann", "bob"):
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "double.py").write_text(GOOD)
    command = [sys.executable, "-m", "grader", "batch", str(tmp_path / "class"), "--course", str(course.root)]
    for said in ("2 graded now, 0 graded before", "0 graded now, 2 graded before"):
        done = subprocess.run(
            [*command, "--jobs", "1", "--gradebook", url],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=False,
        )
        assert said in done.stdout, done.stderr
        assert done.returncode == 0
    with Gradebook.open(url) as book:
        assert [each.result.score for each in book.attempts("tiny")] == [5.0, 5.0]
    assert not (tmp_path / "class-graded" / "gradebook.sqlite").exists()
