"""`grade submit --gradebook`, `grade replay` and `grade report` as processes, on a tiny course."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from grader.gradebook.store import Gradebook
from grader.result import GradingResult
from tests.tiny_course import TinyExercise, answer, write_course

WRONG = answer("if x.numel() > 20: return x * 3")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course, a wrong submission, and what came of it: `result.json`, `shown.json` and `gradebook.sqlite`."""
    folder = tmp_path_factory.mktemp("replay")
    write_course(folder / "course", {"double": TinyExercise(), "twice": TinyExercise()})
    handed_in = folder / "jane"
    handed_in.mkdir()
    (handed_in / "double.py").write_text(WRONG)
    (handed_in / "twice.py").write_text(answer(name="twice"))
    done = grade(
        folder, "submit", "jane", "--json", "shown.json", "--gradebook", "gradebook.sqlite", "--seed", "s"
    )
    assert done.returncode == 1, done.stderr
    with Gradebook.open(folder / "gradebook.sqlite") as book:
        (folder / "result.json").write_text(next(book.attempts("tiny")).line)
    return folder


def grade(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "grader", *arguments, "--course", "course"],
        capture_output=True,
        encoding="utf-8",
        cwd=folder,
        timeout=120,
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )


def inputs_of(text: str) -> list[str]:
    return re.findall(r"x0 = (torch\.tensor\(.*\))", text)


def test_the_gradebook_keeps_the_attempt_as_it_was_graded(folder: Path) -> None:
    with Gradebook.open(folder / "gradebook.sqlite") as book:
        (stored,) = book.attempts("tiny")
        assert stored.student.id == "jane"
        shown = GradingResult.model_validate_json((folder / "shown.json").read_text())
        # The seed is the course's: others are graded with it, too.
        assert (stored.result.seed, shown.seed) == ("s", "")
        assert stored.result.model_copy(update={"seed": ""}) == shown
        assert book.answers(stored.id)["double"] == WRONG
        assert stored.submitted is not None


def test_a_failing_case_is_made_again_with_what_came_and_what_was_expected(folder: Path) -> None:
    done = grade(folder, "replay", "result.json")
    assert done.returncode == 0, done.stderr
    assert "double: large" in done.stdout
    assert "twice" not in done.stdout
    (given,) = inputs_of(done.stdout)
    values = json.loads(given[len("torch.tensor(") : given.index("]") + 1])
    came, expected = (
        json.loads(re.findall(rf"{word} +torch\.tensor\((\[.*?\])", done.stdout)[0])
        for word in ("came", "expected")
    )
    assert came == pytest.approx([3 * value for value in values], rel=1e-6)
    assert expected == pytest.approx([2 * value for value in values], rel=1e-6)
    # The same again: it is the hidden input of the mark.
    assert inputs_of(grade(folder, "replay", "result.json").stdout) == [given]


def test_under_a_new_seed_it_is_an_equivalent_case(folder: Path) -> None:
    hidden = inputs_of(grade(folder, "replay", "result.json").stdout)
    done = grade(folder, "replay", "result.json", "double", "--new-seed", "--submission", "jane")
    assert done.returncode == 0, done.stderr
    assert len(inputs_of(done.stdout)) == 1
    assert inputs_of(done.stdout) != hidden
    assert "(new)" in done.stdout


def test_what_is_mended_since_passes(folder: Path) -> None:
    done = grade(folder, "replay", "result.json", "twice")
    assert done.returncode == 1
    assert "twice: all tests pass" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("nothing.json",), "cannot be read"),
        (("course/course.toml",), "is no result"),
        (("shown.json",), "holds no seed"),
        (("result.json", "triple"), "there is no exercise 'triple'"),
        (("result.json", "--submission", "course/solutions/first/twice"), ""),
        (("result.json", "--student", "joe"), "holds no result of joe"),
    ],
)
def test_what_cannot_be_replayed_is_told_in_a_line(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = grade(folder, "replay", *arguments)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert words in done.stderr


def test_another_submission_is_not_what_the_receipt_is_of(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "double.py").write_text(answer())
    done = grade(folder, "replay", "result.json", "--submission", "other")
    assert (done.returncode, done.stdout) == (2, "")
    assert "its hash differs" in done.stderr


def test_the_report_and_the_students_pages(folder: Path) -> None:
    done = grade(folder, "report", "--students", "pages")
    assert done.returncode == 0, done.stderr
    assert "jane" in (folder / "report.html").read_text(encoding="utf-8")
    page = (folder / "pages/jane.html").read_text(encoding="utf-8")
    assert "double" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_a_report_of_nothing_is_told_in_a_line(folder: Path, tmp_path: Path) -> None:
    Gradebook.open(tmp_path / "empty.sqlite").close()
    done = grade(folder, "report", "--gradebook", str(tmp_path / "empty.sqlite"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "holds nothing of the course 'tiny'" in done.stderr
