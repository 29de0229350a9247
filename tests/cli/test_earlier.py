"""Who handed in again, as `grade batch` says it: told from what the gradebook held before the run."""

from __future__ import annotations

from pathlib import Path

from grader.cli.earlier import Earlier
from grader.course import load_course
from grader.engine.batch import Outcome
from grader.engine.summary import Summary, not_handed_in
from grader.gradebook.store import Attempt, Gradebook
from grader.result import GradingResult
from grader.submission.identity import Identity
from tests.tiny_course import TinyExercise, write_course


def test_a_new_submission_is_told_from_one_that_was_graded_before(tmp_path: Path) -> None:
    course = load_course(write_course(tmp_path / "tiny", {"double": TinyExercise(points=4)}).root)
    summary = Summary(course, "cpu")

    def graded(student: str, digest: str, points: float) -> GradingResult:
        whole = not_handed_in(course.exercises[0]).model_copy(update={"score": points, "verdict": "partial"})
        return summary.of([whole], student=student, digest=digest * 64, seed="", isolation=3)

    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        for digest, points in (("1", 3.0), ("2", 1.0)):
            result = graded("bob", digest, points)
            book.record(Attempt("tiny", Identity("bob"), digest * 64), digest, result)
        earlier = Earlier.of(book, "tiny")

    bob, ada = Identity("bob"), Identity("ada")
    assert earlier.add(Outcome(bob, graded("bob", "2", 1.0))) is None, "graded before"
    assert earlier.add(Outcome(ada, graded("ada", "3", 4.0), fresh=1)) is None, "her first"
    assert earlier.add(Outcome(bob, None, problem="no archive")) is None
    assert (earlier.again, earlier.same_as_others) == (0, 0)
    assert earlier.add(Outcome(bob, graded("bob", "3", 4.0))) == 1.0, "the points of the latest attempt"
    assert (earlier.again, earlier.same_as_others) == (1, 1)
