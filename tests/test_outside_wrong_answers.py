"""Mistakes thought up by others from the stubs alone: none of them gets full marks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.course.load import load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.result import ExerciseResult

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "outside_wrong_answers"

_SEPARATOR = re.compile(r"^# --- (.+)$", re.MULTILINE)

Mistake = tuple[str, str]
"""The exercise, and what is wrong."""


def _mistakes(file: Path) -> dict[Mistake, str]:
    """The modules of a file: what stands above the first separator belongs to each."""
    head, *parts = _SEPARATOR.split(file.read_text(encoding="utf-8"))
    descriptions, sources = parts[::2], parts[1::2]
    assert len(set(descriptions)) == len(descriptions), f"{file.name} names two mistakes alike"
    return {
        (file.stem, description): head + source
        for description, source in zip(descriptions, sources, strict=True)
    }


MISTAKES = {
    mistake: source for file in sorted(FOLDER.glob("*.py")) for mistake, source in _mistakes(file).items()
}

Graded = Mapping[Mistake, ExerciseResult]


@pytest.fixture(scope="module")
def graded() -> Graded:
    """Every mistake graded, all by one engine."""
    course = load_course(ROOT)
    mistaken = {id for id, _ in MISTAKES}
    by_id = {exercise.id: exercise for exercise in course.exercises if exercise.id in mistaken}
    engine = LocalEngine(course, list(by_id.values()), Setting())

    def grade_all(opened: OpenEngine) -> Graded:
        return {
            mistake: opened.grading.grade(by_id[mistake[0]], source) for mistake, source in MISTAKES.items()
        }

    return engine.run(grade_all)


@pytest.mark.parametrize("mistake", MISTAKES, ids=": ".join)
def test_mistake_does_not_get_full_marks(graded: Graded, mistake: Mistake) -> None:
    result = graded[mistake]
    assert result.score < result.max_score, "no hidden test sees it"


@pytest.mark.parametrize("mistake", MISTAKES, ids=": ".join)
def test_mistake_is_graded_by_tests(graded: Graded, mistake: Mistake) -> None:
    """A module that cannot be run says nothing about the suite."""
    assert graded[mistake].verdict in ("partial", "failed", "passed")
