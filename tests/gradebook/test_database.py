"""A gradebook's file: what it may be called, what is left beside it, and what is said where it cannot be used."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from grader.errors import GradebookError
from grader.gradebook.store import Gradebook
from tests.gradebook.handed_in import COURSE, attempt, result
from tests.gradebook.test_store import dump, scores

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.sqlite"


def test_nothing_is_left_beside_the_file_once_it_is_closed(path: Path) -> None:
    with Gradebook.open(path) as book:
        book.record(attempt(), "key", result())
        list(book.attempts(COURSE))
        book.graded(attempt())
        assert path.with_name("gradebook.sqlite-wal").exists()
    assert [each.name for each in path.parent.iterdir()] == ["gradebook.sqlite"]


@pytest.mark.parametrize(
    "name", ["what?mode=memory.sqlite", "100%25#1.sqlite", "mit Ümlaut 成绩.sqlite", ":memory:"]
)
def test_a_file_may_be_named_as_one_likes(tmp_path: Path, name: str) -> None:
    with Gradebook.open(tmp_path / name) as book:
        book.record(attempt(), "key", result())
    assert [each.name for each in tmp_path.iterdir()] == [name]
    with Gradebook.open(tmp_path / name, must_exist=True) as book:
        assert scores(book) == [1.0]


def refusal(where: Path | str, *, must_exist: bool = False) -> str:
    """What is said of a gradebook that cannot be opened; one line."""
    with pytest.raises(GradebookError) as refused:
        Gradebook.open(where, must_exist=must_exist)
    assert "\n" not in refused.value.message
    return refused.value.message


def test_one_that_must_be_there_and_is_not(path: Path) -> None:
    assert "`grade batch` makes one" in refusal(path, must_exist=True)
    assert not path.exists()


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "there is no folder" in refusal(tmp_path / "not" / "here.sqlite")
    assert "is a folder: name a file in it" in refusal(tmp_path)
    assert "cannot be opened (File name too long)" in refusal(tmp_path / ("x" * 300))


@pytest.mark.parametrize("content", [b"student,score\nann,3\n" * 100, b"SQLite format 3\0" + b"\xff" * 8176])
def test_a_file_that_is_no_database_is_left_as_it_is(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    assert "is no gradebook, or is damaged" in refusal(path)
    assert path.read_bytes() == content


def test_a_database_of_something_else_gets_no_tables_of_ours(path: Path) -> None:
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE places (url TEXT)")
    assert "holds tables of something else" in refusal(path)
    with sqlite3.connect(path) as raw:
        assert raw.execute("SELECT name FROM sqlite_master").fetchall() == [("places",)]


def test_one_of_a_newer_version_is_left_alone(path: Path) -> None:
    Gradebook.open(path).close()
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE gradebook_version SET version_num = '9999'")
    before = dump(path)
    assert "newer version of torchgrade: update with pip install -U torchgrade" in refusal(path)
    assert dump(path) == before


def test_one_that_another_writes_is_waited_for_and_then_told(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.gradebook.store._BUSY_SECONDS", 0.1)
    with Gradebook.open(path) as book:
        book.record(attempt(), "key", result())
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(GradebookError, match="in use by another program"):
            book.record(attempt("bob"), "key", result())
        assert scores(book) == [1.0]  # reading does not wait
        with Gradebook.open(path) as again:
            assert scores(again) == [1.0]
        other.close()
        book.record(attempt("bob"), "key", result())


def test_one_that_may_not_be_written(path: Path) -> None:
    with Gradebook.open(path) as book:
        book.record(attempt(), "key", result())
    with Gradebook.open(f"sqlite:///file:{path}?mode=ro&uri=true") as book:
        assert scores(book) == [1.0]
        with pytest.raises(GradebookError, match="cannot be written: name a folder in which you may write"):
            book.record(attempt("bob"), "key", result())


AS_SOMEBODY = """
import os, sys
from sqlalchemy.dialects.sqlite import pysqlite  # while its files may still be read
from grader.gradebook import store
from grader.errors import GradebookError
store.Gradebook.open("mine.sqlite").close()
os.setgroups([]), os.setgid(65534), os.setuid(65534)
for name in sys.argv[1:]:
    try:
        store.Gradebook.open(name)
    except GradebookError as error:
        print(error)
"""


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="becomes an ordinary user: root's to do")
def test_a_folder_of_somebody_else(path: Path) -> None:
    with TemporaryDirectory() as folder:  # pytest's own let nobody through
        os.chmod(folder, 0o755)
        Path(folder, "closed").mkdir(mode=0o700)
        done = subprocess.run(
            [sys.executable, "-c", AS_SOMEBODY, "new.sqlite", "mine.sqlite", "closed/gradebook.sqlite"],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "new.sqlite: the gradebook cannot be written: name a folder in which you may write",
        "mine.sqlite: the gradebook cannot be written: name a folder in which you may write",
        "closed/gradebook.sqlite cannot be opened (Permission denied): name another file",
    ]


def test_a_full_disk_is_told_and_what_was_written_before_is_kept(path: Path) -> None:
    with Gradebook.open(path) as book:
        book.record(attempt(), "key", result())
        with book._database.writing() as connection:  # as SQLite has it: the same error as the disk's own
            connection.exec_driver_sql("PRAGMA max_page_count=1")
        with pytest.raises(GradebookError, match="the disk is full: make room"):
            book.record(attempt(text="y" * 100_000), "other", result(message="z" * 100_000))
    with Gradebook.open(path) as book:
        assert scores(book) == [1.0]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://host/name", "mysql:// is no database that a gradebook can be kept in"),
        ("https://example.org/gradebook", "name a file, or a URL such as postgresql://"),
        ("://", "write postgresql://user@host/name, or name a file"),
        ("postgresql://user:hush@[::1/name", "write postgresql://user@host/name, or name a file"),
        ("postgresql+nothing://user:hush@host/name", "name a file or the URL of a database"),
    ],
)
def test_a_url_that_means_nothing_here(url: str, said: str) -> None:
    message = refusal(url)
    assert said in message
    assert "hush" not in message
