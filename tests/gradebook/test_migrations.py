"""What the migrations make is what the code expects, and the next one will find its rows again."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from grader.errors import GradebookError
from grader.gradebook import database, migrations, schema
from grader.gradebook.store import Gradebook
from tests.gradebook.handed_in import COURSE, attempt, result, unreadable

# What the next version might do: a column more, and a table written anew that others point to.
NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("students") as students:
        students.add_column(sa.Column("pronouns", sa.Text(), nullable=False, server_default="unknown"))
        students.alter_column("email", nullable=True)
    op.create_index("ix_gradings_key", "gradings", ["key"])
    MORE
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gradebook.sqlite"


def with_rows(path: Path) -> Path:
    with Gradebook.open(path) as book:
        book.record(attempt("ann"), "key", result(2.0))
        book.record(attempt("bob"), "key", result(3.0))
        book.record_problem(unreadable("zoe"), "no zip")
    return path


def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str = "pass") -> None:
    """Let the code be one migration ahead."""
    folder = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "versions/0002_next.py").write_text(NEXT.replace("MORE", more))
    monkeypatch.setattr(database, "MIGRATIONS", str(folder))
    monkeypatch.setattr(schema, "REVISION", "0002")


def raw(path: Path, query: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(path) as connection:
        return connection.execute(query).fetchall()


def assert_as_the_code_expects(engine: sa.Engine) -> None:
    options = {"compare_type": True, "compare_server_default": True, "version_table": schema.VERSION_TABLE}
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_from_nothing_they_make_the_tables_that_the_code_expects(path: Path) -> None:
    Gradebook.open(path).close()
    engine = sa.create_engine(f"sqlite:///{path}")
    assert_as_the_code_expects(engine)
    # Constraints by name too, which a comparison passes over in SQLite: the next migration calls them so.
    made = sa.inspect(engine)
    for table in schema.metadata.sorted_tables:
        named = {each["name"] for each in made.get_unique_constraints(table.name)}
        assert named == {each.name for each in table.constraints if isinstance(each, sa.UniqueConstraint)}
        assert made.get_pk_constraint(table.name)["name"] == table.primary_key.name
        foreign = {each["name"] for each in made.get_foreign_keys(table.name)}
        assert foreign == {each.name for each in table.foreign_key_constraints}
    engine.dispose()


def test_the_code_knows_which_migration_is_the_last() -> None:
    config = Config()
    config.set_main_option("script_location", database.MIGRATIONS)
    assert ScriptDirectory.from_config(config).get_current_head() == schema.REVISION


def test_an_old_file_is_brought_up_with_its_rows(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_rows(path)
    attempts = raw(path, "SELECT * FROM attempts")
    next_version(tmp_path, monkeypatch)
    with Gradebook.open(path) as book:
        assert [(each.student.id, each.result.score) for each in book.attempts(COURSE)] == [
            ("ann", 2),
            ("bob", 3),
        ]
        assert [who.id for who, _ in book.problems(COURSE)] == ["zoe"]
        # Foreign keys hold again afterwards, on the very connection that migrated.
        with pytest.raises(GradebookError, match="FOREIGN KEY"), book._database.writing() as connection:
            connection.exec_driver_sql("INSERT INTO gradings VALUES (99, 99, 'k', '2026-01-01', 1, 1, '')")
    assert raw(path, "SELECT id, pronouns FROM students") == [
        (who, "unknown") for who in ("ann", "bob", "zoe")
    ]
    assert raw(path, "SELECT * FROM attempts") == attempts
    assert raw(path, "SELECT version_num FROM gradebook_version") == [("0002",)]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("op.execute('SELECT * FROM no_such_table')", "no such table"),
        # A migration that forgets whose the attempts were.
        ("op.execute(\"DELETE FROM students WHERE id = 'ann'\")", "damaged"),
    ],
)
def test_a_migration_that_fails_changes_nothing(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: str, said: str
) -> None:
    with_rows(path)
    with sqlite3.connect(path) as connection:
        before = list(connection.iterdump())
    next_version(tmp_path, monkeypatch, more)
    with pytest.raises(GradebookError, match=said) as refused:
        Gradebook.open(path)
    assert "\n" not in refused.value.message
    with sqlite3.connect(path) as connection:
        assert list(connection.iterdump()) == before


def test_one_of_a_newer_version_is_refused_with_what_to_do(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ahead:
        next_version(tmp_path, ahead)
        with_rows(path)
    with pytest.raises(GradebookError) as refused:
        Gradebook.open(path)
    assert refused.value.message == (
        "gradebook.sqlite was made by a newer version of torchgrade: update with pip install -U torchgrade"
    )
    assert refused.value.exit_code == 3


def test_two_processes_that_open_a_new_one_at_once_make_it_once(path: Path) -> None:
    code = (
        "import sys; from grader.gradebook.store import Gradebook; Gradebook.open(sys.argv[1]).secret('tiny')"
    )
    openers = [
        subprocess.Popen([sys.executable, "-c", code, str(path)], stderr=subprocess.PIPE, cwd=Path.cwd())
        for _ in range(3)
    ]
    said = [opener.communicate(timeout=120)[1] for opener in openers]
    assert [opener.returncode for opener in openers] == [0, 0, 0], said
    assert raw(path, "SELECT count(*) FROM courses") == [(1,)]


def test_an_opening_that_finds_all_in_order_needs_no_alembic(path: Path) -> None:
    with_rows(path)
    code = (
        "import sys; from grader.gradebook.store import Gradebook; Gradebook.open(sys.argv[1]); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


@pytest.mark.slow  # builds a wheel
def test_the_migrations_are_in_the_wheel(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path)]
    done = subprocess.run([*command, str(root)], capture_output=True, text=True, check=False)
    if "No module named 'hatchling'" in done.stderr:
        pytest.skip("hatchling, which builds the wheel, is not installed")
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    here = Path(migrations.__file__).parent
    assert names >= {f"grader/gradebook/migrations/{each.relative_to(here)}" for each in here.rglob("*.py")}
