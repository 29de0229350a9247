"""The figures of a class."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from grader.gradebook.marks import Identity, Mark
from grader.gradebook.report import Alike, Titles, Ungraded, tally
from grader.gradebook.report.classroom import Classroom
from grader.gradebook.report.figures import percent, points
from grader.result import Diagnosis, ExerciseResult, Finding, TestResult, Verdict
from tests.gradebook.report.a_class import result_of

TITLES = Titles("A course", {"first": "First", "second": "Second"}, {"a": "A", "b": "B", "c": "C"})


def answer(
    exercise: str,
    verdict: Verdict,
    score: float = 0.0,
    *,
    topic: str = "first",
    said: str | None = None,
    failed: Sequence[str] = (),
    findings: tuple[Finding, ...] = (),
) -> ExerciseResult:
    outcome = "ungraded" if verdict == "ungraded" else "failed"
    return ExerciseResult(
        id=exercise,
        topic=topic,
        score=score,
        max_score=2.0,
        verdict=verdict,
        tests=tuple(
            TestResult(name=name, points=1, earned=0, outcome=outcome, message="no worker") for name in failed
        ),
        diagnosis=None if said is None else Diagnosis(misconception=said, hint=f"why {said}?"),
        findings=findings,
    )


def mark(student: str, *answers: ExerciseResult, score: float | None = None) -> Mark:
    result = result_of(student, answers)
    return Mark(Identity(student), result, result.score if score is None else score)


def room(*marks: Mark, titles: Titles = TITLES) -> Classroom:
    return Classroom.of(marks, titles)


def test_misconceptions_are_told_by_how_many_hold_them() -> None:
    found = tally.misconceptions(
        room(
            mark("s1", answer("a", "failed", said="adds"), answer("b", "partial", 1, said="doubles")),
            mark("s2", answer("a", "failed", said="adds"), answer("b", "not_attempted")),
            mark("s3", answer("a", "passed", 2), answer("b", "partial", 1, said="halves")),
            mark("s4", answer("a", "not_attempted"), answer("b", "ungraded", failed=["t"])),
        )
    )
    assert [(one.exercise, one.text, len(one.holders), one.tried) for one in found] == [
        ("a", "adds", 2, 3),
        ("b", "doubles", 1, 2),
        ("b", "halves", 1, 2),
    ]
    assert found[0].share == pytest.approx(2 / 3)
    assert [student.name for student in found[0].holders] == ["s1", "s2"]
    assert found[0].hint == "why adds?"


def test_where_as_many_hold_two_the_larger_share_comes_first() -> None:
    found = tally.misconceptions(
        room(
            mark("s1", answer("a", "failed", said="adds"), answer("b", "failed", said="doubles")),
            mark("s2", answer("a", "passed", 2), answer("b", "not_attempted")),
        )
    )
    assert [one.text for one in found] == ["doubles", "adds"]


def test_a_misconception_is_one_in_whatever_language_it_was_graded() -> None:
    known = Diagnosis(misconception="adds", hint="why?")
    titles = Titles("A course", {}, {}, {("a", "adds"): known, ("a", "做了加法"): known})
    held = room(
        mark("s1", answer("a", "failed", said="adds")),
        mark("s2", answer("a", "failed", said="做了加法")),
        titles=titles,
    )
    (found,) = tally.misconceptions(held)
    assert (found.text, len(found.holders)) == ("adds", 2)


def test_exercises_come_the_hardest_first_and_those_that_nobody_tried_last() -> None:
    found = tally.exercise_tallies(
        room(
            mark(
                "s1",
                answer("a", "passed", 2),
                answer("b", "failed", failed=["x", "y"]),
                answer("c", "not_attempted"),
            ),
            mark(
                "s2",
                answer("a", "timeout"),
                answer("b", "partial", 1, failed=["x"]),
                answer("c", "not_attempted"),
            ),
            mark(
                "s3",
                answer("a", "ungraded", failed=["x"]),
                answer("b", "not_attempted"),
                answer("c", "not_attempted"),
            ),
        )
    )
    assert [one.exercise for one in found] == ["b", "a", "c"]
    b, a, c = found
    assert (b.passed, b.partly, b.failed, b.not_attempted, b.ungraded, b.tried) == (0, 1, 1, 1, 0, 2)
    assert b.most_failed == ("x", 2)
    assert (a.passed, a.failed, a.ungraded, a.graded, a.pass_share) == (1, 1, 1, 2, 0.5)
    assert (c.tried, c.not_attempted, c.most_failed) == (0, 3, None)


def test_what_was_not_graded_is_no_zero_anywhere() -> None:
    held = room(
        mark("good", answer("a", "passed", 2), answer("b", "passed", 2)),
        mark("unlucky", answer("a", "ungraded", failed=["t"]), answer("b", "passed", 2)),
        mark("more so", answer("a", "ungraded", failed=["t"]), answer("b", "ungraded", failed=["t"])),
    )
    scores = tally.distribution(held)
    assert scores is not None
    assert (scores.students, scores.lowest) == (1, 1.0)
    rows = {row.student.name: row for row in tally.heat_rows(held)}
    (unlucky,) = rows["unlucky"].topics
    assert unlucky is not None
    assert (unlucky.of_all, unlucky.whole, unlucky.state) == (1.0, False, "graded")
    assert rows["unlucky"].student.total.of_all == 1.0
    assert not rows["unlucky"].student.total.whole
    (more_so,) = rows["more so"].topics
    assert more_so is not None
    assert (more_so.state, rows["more so"].student.total.state) == ("ungraded", "ungraded")
    (whole_class,) = tally.class_shares(list(rows.values()))
    assert whole_class is not None
    assert whole_class.of_all == 1.0


def test_lateness_counts_for_the_part_that_was_graded() -> None:
    late = mark("s1", answer("a", "ungraded", failed=["t"]), answer("b", "passed", 2), score=1.5)
    (student,) = room(late).students
    assert (student.total.score, student.total.max_score) == (1.5, 2.0)


def test_one_ungraded_test_is_enough_to_leave_an_answer_out() -> None:
    mixed = ExerciseResult(
        id="a",
        topic="first",
        score=1,
        max_score=2,
        verdict="partial",
        tests=(
            TestResult(name="x", points=1, earned=1, outcome="passed"),
            TestResult(name="y", points=1, earned=0, outcome="ungraded", message="no worker"),
        ),
    )
    held = room(mark("s1", mixed))
    assert tally.distribution(held) is None
    (found,) = tally.ungraded_tallies(held, ())
    assert (found.exercise, found.reason, found.count) == ("a", "no worker", 1)


def test_ungraded_is_told_by_reason_and_whole_submissions_come_first() -> None:
    held = room(*(mark(f"s{n}", answer("a", "ungraded", failed=["t"])) for n in range(3)))
    found = tally.ungraded_tallies(held, [Ungraded("z", "damaged"), Ungraded("y", "damaged")])
    assert [(one.exercise, one.reason, one.count) for one in found] == [
        ("", "damaged", 2),
        ("a", "no worker", 3),
    ]
    assert found[0].names == ("y", "z")


def test_the_distribution_is_of_the_score_after_lateness() -> None:
    scores = tally.distribution(
        room(
            mark("s1", answer("a", "passed", 2)),
            mark("s2", answer("a", "passed", 2), score=1.4),
            mark("s3", answer("a", "failed", 0)),
        )
    )
    assert scores is not None
    assert scores.counts == (1, 0, 0, 0, 0, 0, 0, 1, 0, 1)
    assert (scores.lowest, scores.median, scores.highest) == (0, 0.7, 1)


def test_the_heat_map_tells_not_attempted_from_nothing_right() -> None:
    (row,) = tally.heat_rows(
        room(mark("s1", answer("a", "failed"), answer("b", "not_attempted", topic="second")))
    )
    assert [share and share.state for share in row.topics] == ["graded", "not_attempted"]


def test_topics_keep_the_courses_order_and_unknown_ones_come_last() -> None:
    held = room(
        mark(
            "s1",
            answer("z", "failed", topic="old"),
            answer("b", "failed", topic="second"),
            answer("a", "failed"),
        )
    )
    assert held.topics == ("first", "second", "old")
    assert held.exercises == ("a", "b", "z")


def test_findings_are_told_once_with_their_students_and_lines() -> None:
    def calls(line: int) -> Finding:
        return Finding(kind="forbidden_call", message="calls torch.softmax", line=line)

    found = tally.finding_tallies(
        room(
            mark("s1", answer("a", "passed", findings=(calls(3), calls(9)))),
            mark("s2", answer("a", "passed", findings=(calls(3),))),
            mark("s3", answer("a", "passed", findings=(Finding(kind="replay", message="differs"),))),
        )
    )
    assert list(found) == ["forbidden_call", "replay"]
    (call,) = found["forbidden_call"]
    assert ([student.name for student in call.students], call.lines) == (["s1", "s2"], (3, 9))


def test_answers_alike_need_two_students_who_are_there() -> None:
    held = room(mark("s1", answer("a", "passed")), mark("s2", answer("a", "passed")))
    found = tally.alike_answers(held, [Alike("a", ("s1", "s2")), Alike("a", ("s1", "gone"))])
    assert [[student.name for student in one.students] for one in found] == [["s1", "s2"]]


def test_students_of_the_same_name_are_told_apart() -> None:
    done = answer("a", "passed")
    names = [("s1", "Ada"), ("s2", "Ada"), ("s3", "Ben")]
    marks = [Mark(Identity(number, name), result_of(number, (done,)), 0.0) for number, name in names]
    assert [student.name for student in room(*marks).students] == ["Ada (s1)", "Ada (s2)", "Ben"]


def test_students_have_links_of_their_own_whatever_their_ids_are() -> None:
    ids = ["s1", "a b", "<x>", "x" * 100, "../../etc", "\ud800", "学生", ""]
    held = room(
        *(mark(name, answer("a", "passed")) for name in ids if name), mark("s1", answer("a", "passed"))
    )
    slugs = [student.slug for student in held.students]
    assert len(set(slugs)) == len(slugs)
    assert all(slug.replace("-", "").isalnum() and len(slug) <= 64 for slug in slugs)


@pytest.mark.parametrize(
    ("share", "shown"), [(0, 0), (0.001, 1), (0.5, 50), (0.995, 99), (0.9999, 99), (1, 100)]
)
def test_only_nothing_is_0_percent_and_only_all_is_100(share: float, shown: int) -> None:
    assert percent(share) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(3.0, "3"), (2.5, "2.5"), (1 / 3, "0.33"), (1234.5, "1234.5"), (0, "0")]
)
def test_points_have_two_places_at_most(value: float, shown: str) -> None:
    assert points(value) == shown
