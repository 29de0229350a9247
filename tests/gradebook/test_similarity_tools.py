"""What JPlag and Dolos get: of each student the attempt that counts, laid out as each of them reads it."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.course.load import Course
from grader.errors import UsageError
from grader.gradebook.similarity_tools import write_dolos, write_jplag
from grader.gradebook.store import Attempt, Gradebook
from grader.submission.identity import Identity
from grader.submission.intake import Answer
from tests.gradebook.handed_in import COURSE, at, digest_of, result
from tests.gradebook.test_identical import DISGUISED, PLAIN
from tests.tiny_course import TinyExercise, write_course


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    exercises = {"double": TinyExercise(), "twice": TinyExercise()}
    return write_course(tmp_path_factory.mktemp("course") / "course", exercises)


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as opened:
        yield opened


def hand_in(
    book: Gradebook, student: Identity | str, score: float = 1.0, day: int = 1, **sources: str
) -> None:
    who = Identity(student) if isinstance(student, str) else student
    answers = tuple(Answer(name, source, f"{name}.py") for name, source in sources.items())
    attempt = Attempt(COURSE, who, digest_of(repr(sources)), at(day), answers)
    book.record(attempt, repr(sources), result(score, who.id))


def a_class(book: Gradebook) -> None:
    hand_in(book, Identity("ann", "=Ann", "ann@x"), 1.0, 1, double="# first\n")
    hand_in(book, "ann", 3.0, 2, double=PLAIN, twice="# ann's\n", gone="# of last year")
    hand_in(book, "ann", 2.0, 3, double="# worse\n")
    hand_in(book, "ANN", 2.0, 3, double=DISGUISED)
    hand_in(book, "../../etc", 1.0, 1, double="# half \ud83d\n")


def test_jplag_gets_a_folder_for_each_student_and_the_stubs_apart(
    book: Gradebook, course: Course, tmp_path: Path
) -> None:
    a_class(book)
    out = tmp_path / "for jplag"
    done = write_jplag(book, course, out)
    found = {str(each.relative_to(out)): each.read_bytes() for each in out.rglob("*.py")}
    students = {name.split("/")[1] for name in found if name.startswith("submissions/")}
    assert len(students) == len({name.lower() for name in students}) == 3
    assert ".." not in students
    assert found["base-code/double.py"].decode() == course.exercise("double").stub_source
    mine = next(
        name for name in students if name.startswith("ANN")
    )  # the first of the two in the gradebook's order
    assert found[f"submissions/{mine}/double.py"].decode() == DISGUISED
    other = next(name for name in students if name.startswith("ann"))
    assert found[f"submissions/{other}/double.py"].decode() == PLAIN  # of her attempts the one that counts
    assert found[f"submissions/{other}/twice.py"].decode() == "# ann's\n"
    assert not [name for name in found if "gone" in name]
    assert (done.students, done.files) == (3, 4)
    assert done.commands == (f"java -jar jplag.jar -l python3 -bc '{out}/base-code' '{out}/submissions'",)
    with pytest.raises(UsageError, match="not empty: name a new folder"):
        write_jplag(book, course, out)


def test_dolos_gets_a_zip_for_each_exercise_with_names_and_times(
    book: Gradebook, course: Course, tmp_path: Path
) -> None:
    a_class(book)
    out = tmp_path / "dolos"
    done = write_dolos(book, course, out)
    assert {each.name for each in out.iterdir()} == {"double.zip", "twice.zip"}
    with zipfile.ZipFile(out / "double.zip") as archive:
        assert archive.testzip() is None
        rows = list(csv.DictReader(io.StringIO(archive.read("info.csv").decode("utf-8"))))
        assert {row["filename"] for row in rows} == set(archive.namelist()) - {"info.csv"}
        (stub,) = [row for row in rows if row["ignored"] == "true"]
        assert archive.read(stub["filename"]).decode() == course.exercise("double").stub_source
        (ann,) = [row for row in rows if row["full_name"] == "'=Ann"]
        assert archive.read(ann["filename"]).decode() == PLAIN
        assert ann["created_at"] == at(2).isoformat()
    assert (done.students, done.files) == (3, 4)
    # One answer alone is compared with nothing.
    assert done.commands == (f"dolos run -f web -l python {out / 'double.zip'}",)
    again = tmp_path / "again"
    write_dolos(book, course, again)
    assert (again / "double.zip").read_bytes() == (out / "double.zip").read_bytes()


def test_a_folder_that_cannot_be_made_is_told_in_a_line(
    book: Gradebook, course: Course, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    for write in (write_jplag, write_dolos):
        with pytest.raises(UsageError, match="name a"):
            write(book, course, tmp_path / "file")
        with pytest.raises(UsageError, match="cannot be written"):
            write(book, course, tmp_path / "file" / "below")
