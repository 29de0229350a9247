"""What pytest reads when it collects the hidden suites, and what it leaves alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from grader.examiner.bench import Bench
from grader.examiner.session import with_suites
from tests.tiny_course import TinyExercise, write_course


def test_a_conftest_above_the_course_is_not_run(tmp_path: Path) -> None:
    """A course may lie in a folder in which others write, /tmp say."""
    course = write_course(tmp_path / "above" / "course", {"double": TinyExercise()})
    ran = tmp_path / "ran"
    (tmp_path / "above" / "conftest.py").write_text(f"open({str(ran)!r}, 'w')", encoding="utf-8")
    assert with_suites(course.exercises, Bench(), lambda session: "collected") == "collected"
    assert not ran.exists()


@pytest.mark.skipif(
    os.geteuid() == 0, reason="root may list every folder; tests/attacks/test_levels.py has it"
)
def test_a_folder_above_the_course_may_be_closed(tmp_path: Path) -> None:
    course = write_course(tmp_path / "above" / "course", {"double": TinyExercise()})
    (tmp_path / "above").chmod(0o311)
    assert with_suites(course.exercises, Bench(), lambda session: "collected") == "collected"
    (tmp_path / "above").chmod(0o700)
