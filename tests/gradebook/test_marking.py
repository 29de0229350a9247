"""From attempts to marks, through a real gradebook."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader.course.policy import Policy
from grader.gradebook.marking import counting, marks
from grader.gradebook.marks import Mark
from grader.gradebook.store import Gradebook
from tests.gradebook.handed_in import COURSE, at, attempt, result


@pytest.fixture
def book(tmp_path: Path) -> Iterator[Gradebook]:
    with Gradebook.open(tmp_path / "gradebook.sqlite") as opened:
        yield opened


def hand_in(book: Gradebook, score: float, submitted: datetime | None = None, student: str = "ann") -> None:
    text = f"{score} of {submitted}"
    book.record(attempt(student, text, submitted), text, result(score, student))


def the_mark(book: Gradebook, policy: Policy) -> Mark:
    (mark,) = marks(book.attempts(COURSE), policy)
    return mark


def test_without_a_policy_the_best_attempt_counts_in_full(book: Gradebook) -> None:
    for day, score in ((1, 2.0), (2, 4.0), (3, 3.0)):
        hand_in(book, score, at(day))
    mark = the_mark(book, Policy())
    assert (mark.score, mark.attempt, mark.attempts, mark.late_days) == (4.0, 2, 3, 0)
    assert mark.submitted == at(2)
    assert mark.max_score == 5.0
    assert mark.student.id == "ann"


def test_each_student_has_one_mark(book: Gradebook) -> None:
    for student in ("zoe", "ann", "bob"):
        hand_in(book, 1.0, at(1), student)
        hand_in(book, 2.0, at(2), student)
    assert [(mark.student.id, mark.score) for mark in marks(book.attempts(COURSE), Policy())] == [
        ("ann", 2.0),
        ("bob", 2.0),
        ("zoe", 2.0),
    ]
    assert list(marks(book.attempts("another"), Policy())) == []


def test_of_equals_the_earlier_counts(book: Gradebook) -> None:
    hand_in(book, 4.0, at(2))
    hand_in(book, 4.0, at(1))  # came second, was handed in first
    mark = the_mark(book, Policy())
    assert (mark.submitted, mark.attempt) == (at(1), 1)


def test_what_counts_is_the_best_after_lateness(book: Gradebook) -> None:
    hand_in(book, 4.0, at(1))
    hand_in(book, 4.5, at(5))
    policy = Policy(due=at(3), late_per_day=0.1)
    mark = the_mark(book, policy)
    assert (mark.score, mark.attempt, mark.late_days) == (4.0, 1, 0)
    # And where the later one is better even so:
    hand_in(book, 5.0, at(4))
    mark = the_mark(book, policy)
    assert (mark.score, mark.attempt, mark.late_days) == (4.5, 2, 1)
    assert mark.result.score == 5.0


def test_the_last_counts_where_the_course_says_so(book: Gradebook) -> None:
    hand_in(book, 4.0, at(1))
    hand_in(book, 1.0, at(2))
    assert the_mark(book, Policy(counts="last")).score == 1.0
    hand_in(book, 3.0, at(1, 11))  # older, though it came later
    assert the_mark(book, Policy(counts="last")).score == 1.0


@pytest.mark.parametrize(("counts", "score"), [("best", 3.0), ("last", 2.0)])
def test_only_so_many_attempts_count_the_first_ones(book: Gradebook, counts: str, score: float) -> None:
    for day, points in ((1, 3.0), (2, 2.0), (3, 5.0)):
        hand_in(book, points, at(day))
    mark = the_mark(book, Policy.model_validate({"attempts": 2, "counts": counts}))
    assert (mark.score, mark.attempts) == (score, 3)


def test_an_attempt_of_which_nobody_knows_when_it_came_is_not_late(book: Gradebook) -> None:
    hand_in(book, 4.0, None)
    mark = the_mark(book, Policy(due=at(1).replace(year=2000), late_per_day=1.0, late_days=0))
    assert (mark.score, mark.late_days, mark.submitted) == (4.0, 0, None)


def test_a_due_time_is_a_moment_whatever_its_offset(book: Gradebook) -> None:
    hand_in(book, 4.0, datetime(2026, 11, 2, 0, 30, tzinfo=timezone(timedelta(hours=9))))
    due = datetime(2026, 11, 1, 17, 0, tzinfo=timezone(timedelta(hours=1)))  # 16:00 UTC, and it came at 15:30
    assert the_mark(book, Policy(due=due, late_per_day=0.5)).late_days == 0
    assert the_mark(book, Policy(due=due - timedelta(hours=1), late_per_day=0.5)).score == 2.0


def test_the_attempt_that_counts_comes_with_its_answers(book: Gradebook) -> None:
    hand_in(book, 1.0, at(1))
    hand_in(book, 4.0, at(2))
    ((counted, mark),) = counting(book.attempts(COURSE), Policy())
    assert mark.score == 4.0
    assert book.answers(counted.id) == {"double": f"4.0 of {at(2)}"}
