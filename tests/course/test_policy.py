"""The `[policy]` table: what lateness costs, and what is said of one that is not right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from grader.course.load import load_course
from grader.course.policy import Policy
from grader.errors import CourseError
from tests.tiny_course import TinyExercise, write_course

DUE = datetime(2026, 12, 1, 23, 59, tzinfo=timezone(timedelta(hours=1)))
SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("after", "days"),
    [
        (-365 * DAY, 0),
        (-SECOND, 0),
        (timedelta(), 0),
        (timedelta(microseconds=1), 1),
        (SECOND, 1),
        (DAY - SECOND, 1),
        (DAY, 1),
        (DAY + timedelta(microseconds=1), 2),
        (6 * DAY + SECOND, 7),
    ],
)
@pytest.mark.parametrize("offset", [-10, 0, 1, 14])
def test_days_begun_are_counted_whatever_the_offset(after: timedelta, days: int, offset: int) -> None:
    submitted = (DUE + after).astimezone(timezone(timedelta(hours=offset)))
    assert Policy(due=DUE).late_days_of(submitted) == days


def test_nothing_is_late_where_nobody_knows() -> None:
    assert Policy(due=DUE).late_days_of(None) == 0
    assert Policy().late_days_of(datetime(3000, 1, 1, tzinfo=UTC)) == 0


@pytest.mark.parametrize(
    ("policy", "late_days", "left"),
    [
        (Policy(), 100, 10.0),
        (Policy(late_per_day=0.1), 0, 10.0),
        (Policy(late_per_day=0.1), 1, 9.0),
        (Policy(late_per_day=0.1), 3, 7.0),
        (Policy(late_per_day=0.1), 10, 0.0),
        (Policy(late_per_day=0.1), 11, 0.0),  # and not less
        (Policy(late_per_day=0.1, late_cap=0.5), 4, 6.0),
        (Policy(late_per_day=0.1, late_cap=0.5), 5, 5.0),
        (Policy(late_per_day=0.1, late_cap=0.5), 60, 5.0),
        (Policy(late_per_day=0.1, late_cap=0.0), 60, 10.0),
        (Policy(late_days=2), 2, 10.0),
        (Policy(late_days=2), 3, 0.0),
        (Policy(late_days=0), 1, 0.0),
        (Policy(late_days=0), 0, 10.0),
        (Policy(late_per_day=0.1, late_cap=0.2, late_days=7), 7, 8.0),
        (Policy(late_per_day=0.1, late_cap=0.2, late_days=7), 8, 0.0),
        (Policy(late_per_day=1 / 3), 1, 6.666667),
    ],
)
def test_what_lateness_leaves(policy: Policy, late_days: int, left: float) -> None:
    assert policy.after_lateness(10.0, late_days) == left


def load(tmp_path: Path, *lines: str) -> Policy:
    """The policy of a `course.toml` that says so."""
    root = write_course(tmp_path / "course", {"double": TinyExercise()}).root
    path = root / "course.toml"
    path.write_text(path.read_text() + "\n[policy]\n" + "\n".join(lines) + "\n")
    return load_course(root).manifest.policy


def test_a_course_without_one_has_the_kindest(tmp_path: Path) -> None:
    course = write_course(tmp_path / "course", {"double": TinyExercise()})
    assert course.manifest.policy == Policy()
    assert Policy().counts == "best"


@pytest.mark.parametrize(
    "due",
    [
        "2026-12-01T23:59:00+01:00",
        "2026-12-01 23:59:00+01:00",
        "2026-12-01T22:59:00Z",
        "2026-12-01T17:59:00-05:00",
    ],
)
def test_all_of_it_is_read(tmp_path: Path, due: str) -> None:
    lines = ["late_per_day = 0.1", "late_cap = 0.5", "late_days = 7", "attempts = 3", 'counts = "last"']
    policy = load(tmp_path, f"due = {due}", *lines)
    assert policy.due == DUE
    rest = policy.model_dump(exclude={"due"})
    assert rest == {"late_per_day": 0.1, "late_cap": 0.5, "late_days": 7, "attempts": 3, "counts": "last"}


def test_a_whole_number_is_a_fraction_too(tmp_path: Path) -> None:
    assert load(tmp_path, "late_per_day = 1", "late_cap = 0").late_per_day == 1.0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (
            "due = 2026-12-01T23:59:00",
            "policy.due: has no offset from UTC, so nobody knows when that is: write it as 2026-12-01T23:59:00+01:00",
        ),
        ("due = 2026-12-01", "policy.due: "),
        ("due = 23:59:00", "policy.due: "),
        ('due = "2026-12-01T23:59:00+01:00"', "policy.due: "),
        ("due = 1796165940", "policy.due: "),
        ("dew = 2026-12-01T23:59:00+01:00", "policy.dew: unknown key: did you mean 'due'?"),
        ("late_per_day = 1.5", "policy.late_per_day: should be less than or equal to 1"),
        ("late_per_day = 10", "policy.late_per_day: should be less than or equal to 1"),
        ("late_per_day = -0.1", "policy.late_per_day: should be greater than or equal to 0"),
        ("late_per_day = nan", "policy.late_per_day: "),
        ('late_per_day = "10%"', "policy.late_per_day: "),
        ("late_cap = 1.01", "policy.late_cap: "),
        ("late_days = -1", "policy.late_days: "),
        ("late_days = 1.5", "policy.late_days: "),
        ("attempts = 0", "policy.attempts: should be greater than or equal to 1"),
        ("attempts = true", "policy.attempts: "),
        ('counts = "worst"', "policy.counts: should be 'best' or 'last'"),
    ],
)
def test_what_is_wrong_is_told_in_a_line(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(CourseError) as refused:
        load(tmp_path, line)
    message = refused.value.message
    assert message.startswith("course.toml: " + said)
    assert "\n" not in message
    assert refused.value.mend


@pytest.mark.parametrize("line", ["due = 2026-12-01", 'due = "2026-12-01T23:59:00+01:00"', "due = 23:59:00"])
def test_a_due_time_that_is_none_is_shown_how_to_write_it(tmp_path: Path, line: str) -> None:
    with pytest.raises(CourseError, match=r"write it as 2026-12-01T23:59:00\+01:00"):
        load(tmp_path, line)
