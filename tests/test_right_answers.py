"""Answers written by others from the stubs alone: whatever keeps the contract gets full marks."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import pytest

from grader.course.load import Course, load_course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.result import ExerciseResult

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path(__file__).resolve().parent / "right_answers"
SEEDS = ("practice", "first", "second")
EXAMPLES = ROOT / "examples" / "all_right"
ANSWERS = sorted([*FOLDER.glob("*/*.py"), *EXAMPLES.glob("*/*.py")])

Graded = Mapping[tuple[Path, str], ExerciseResult]


def _exercise(answer: Path) -> str:
    return answer.stem if answer.is_relative_to(EXAMPLES) else answer.parent.name


def _named(answer: Path) -> str:
    return f"{answer.parent.name}/{answer.stem}"


@pytest.fixture(scope="module")
def course() -> Course:
    return load_course(ROOT)


@pytest.fixture(scope="module")
def graded(course: Course) -> Graded:
    """Every answer graded with every seed, all by one engine."""
    answered = {_exercise(answer) for answer in ANSWERS}
    engine = LocalEngine(
        course, [exercise for exercise in course.exercises if exercise.id in answered], Setting()
    )

    def grade_all(opened: OpenEngine) -> Graded:
        by_id = {exercise.id: exercise for exercise in engine.exercises}
        results = {}
        for seed in SEEDS:
            opened.grading.session.bench.secret = seed
            for answer in ANSWERS:
                source = answer.read_text(encoding="utf-8")
                results[answer, seed] = opened.grading.grade(by_id[_exercise(answer)], source)
        return results

    return engine.run(grade_all)


def _failures(result: ExerciseResult) -> str:
    lines = [
        f"{test.name}: {test.outcome}: {test.message}" for test in result.tests if test.outcome != "passed"
    ]
    return "\n".join([f"{result.verdict}, {result.score} of {result.max_score}", *lines])


@pytest.mark.parametrize("answer", ANSWERS, ids=_named)
@pytest.mark.parametrize("seed", SEEDS)
def test_right_answer_gets_full_marks(graded: Graded, answer: Path, seed: str) -> None:
    result = graded[answer, seed]
    assert result.verdict == "passed", _failures(result)
    assert result.score == result.max_score


@pytest.mark.parametrize("answer", ANSWERS, ids=_named)
@pytest.mark.skipif(
    importlib.util.find_spec("grader.submission.scan") is None, reason="the scan is not written yet"
)
def test_scan_finds_nothing_in_a_right_answer(course: Course, answer: Path) -> None:
    from grader.submission.scan import scan

    exercise = next(exercise for exercise in course.exercises if exercise.id == _exercise(answer))
    assert list(scan(answer.read_text(encoding="utf-8"), exercise)) == []


def test_every_exercise_is_answered_in_three_styles(course: Course) -> None:
    styles = {exercise.id: len(list((FOLDER / exercise.id).glob("*.py"))) for exercise in course.exercises}
    assert {id: count for id, count in styles.items() if count < 3} == {}


@pytest.mark.parametrize("answer", ANSWERS, ids=_named)
def test_right_answer_names_its_style(answer: Path) -> None:
    assert ast.get_docstring(ast.parse(answer.read_text(encoding="utf-8")))
