"""The class as figures: misconceptions, scores, exercises, what was not graded, what to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median, quantiles

from grader.gradebook.report.classroom import Classroom, Share, Student, is_ungraded
from grader.gradebook.report.subjects import Alike, Ungraded
from grader.result import ExerciseResult, Verdict
from grader.submission.shown import for_name

__all__ = [
    "BINS",
    "Distribution",
    "ExerciseTally",
    "FindingTally",
    "HeatRow",
    "Misconception",
    "UngradedTally",
    "alike_answers",
    "class_shares",
    "class_total",
    "distribution",
    "exercise_tallies",
    "finding_tallies",
    "heat_rows",
    "misconceptions",
    "unexplained",
    "ungraded_tallies",
]

BINS = 10
_MESSAGE = 400


@dataclass(frozen=True)
class Misconception:
    """A misconception that some of the class hold; `tried` is how many handed in an answer to the exercise."""

    exercise: str
    text: str
    hint: str
    holders: tuple[Student, ...]
    tried: int

    @property
    def share(self) -> float:
        """Of those who tried, from 0 to 1."""
        return len(self.holders) / self.tried


@dataclass
class ExerciseTally:
    """What became of one exercise in the class, in students."""

    exercise: str
    verdicts: Counter[Verdict] = field(default_factory=Counter)
    failed_tests: Counter[str] = field(default_factory=Counter)
    shares: list[float] = field(default_factory=list)

    def add(self, result: ExerciseResult) -> None:
        """One more student's."""
        if is_ungraded(result):
            self.verdicts["ungraded"] += 1
            return
        self.verdicts[result.verdict] += 1
        if result.verdict == "not_attempted":
            return
        if result.max_score > 0:
            self.shares.append(result.score / result.max_score)
        if result.verdict in ("partial", "failed"):
            self.failed_tests.update({test.name for test in result.tests if test.outcome != "passed"})

    @property
    def passed(self) -> int:
        """Who has all of it."""
        return self.verdicts["passed"]

    @property
    def partly(self) -> int:
        """Who has some of it."""
        return self.verdicts["partial"]

    @property
    def not_attempted(self) -> int:
        """Who handed in nothing."""
        return self.verdicts["not_attempted"]

    @property
    def ungraded(self) -> int:
        """Whose answer could not be graded."""
        return self.verdicts["ungraded"]

    @property
    def failed(self) -> int:
        """Who tried, and has none of it."""
        return self.tried - self.passed - self.partly

    @property
    def tried(self) -> int:
        """Who handed in an answer that could be graded."""
        return self.graded - self.not_attempted

    @property
    def graded(self) -> int:
        """All of whom it can be said what they have."""
        return self.verdicts.total() - self.ungraded

    @property
    def pass_share(self) -> float:
        """Of those who tried, from 0 to 1."""
        return self.passed / self.tried if self.tried else 0.0

    @property
    def most_failed(self) -> tuple[str, int] | None:
        """The hidden test that most of them failed who got as far as the tests, and how many."""
        if not self.failed_tests:
            return None
        name, count = min(self.failed_tests.items(), key=lambda item: (-item[1], item[0]))
        return for_name(name), count


@dataclass(frozen=True)
class Distribution:
    """The scores of those whose whole submission could be graded, as shares of all points from 0 to 1.

    `counts` are students in tenths of the points; full marks stand in the last.
    """

    counts: tuple[int, ...]
    lowest: float
    lower_quartile: float
    median: float
    upper_quartile: float
    highest: float
    mean: float

    @property
    def students(self) -> int:
        """How many they are."""
        return sum(self.counts)


@dataclass(frozen=True)
class HeatRow:
    """A student's line of the heat map; None in `topics` where her result does not have the topic."""

    student: Student
    topics: tuple[Share | None, ...]


@dataclass(frozen=True)
class FindingTally:
    """The same evidence in several students' answers, with the lines where it was seen."""

    kind: str
    exercise: str
    message: str
    students: tuple[Student, ...]
    lines: tuple[int, ...] = ()


@dataclass(frozen=True)
class UngradedTally:
    """What could not be graded for the same reason; `exercise` is empty for whole submissions."""

    exercise: str
    reason: str
    students: tuple[Student, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        """How many students it concerns."""
        return len(self.students) + len(self.names)


def misconceptions(room: Classroom) -> list[Misconception]:
    """What the class holds, the most held first; where as many hold two, the larger share of those who tried."""
    holders: dict[tuple[str, str, str], list[Student]] = {}
    tried: Counter[str] = Counter()
    for student, exercise in room.answers():
        if is_ungraded(exercise) or exercise.verdict == "not_attempted":
            continue
        tried[exercise.id] += 1
        if exercise.diagnosis is not None:
            said = room.titles.diagnosis(exercise.id, exercise.diagnosis)
            key = (
                exercise.id,
                for_name(said.misconception, limit=_MESSAGE),
                for_name(said.hint, limit=2 * _MESSAGE),
            )
            holders.setdefault(key, []).append(student)
    place = {exercise: number for number, exercise in enumerate(room.exercises)}
    found = [
        Misconception(exercise, text, hint, tuple(students), tried[exercise])
        for (exercise, text, hint), students in holders.items()
    ]
    found.sort(key=lambda one: (-len(one.holders), -one.share, place[one.exercise], one.text))
    return found


def unexplained(room: Classroom) -> tuple[int, int]:
    """Of the answers that failed a test, how many have a diagnosis, and how many there are."""
    failed = [
        exercise
        for _, exercise in room.answers()
        if exercise.verdict in ("partial", "failed") and not is_ungraded(exercise)
    ]
    return sum(exercise.diagnosis is not None for exercise in failed), len(failed)


def exercise_tallies(room: Classroom) -> list[ExerciseTally]:
    """The exercises, the hardest first: by the share of those who passed among those who tried.

    What nobody tried comes last: the class has not come to it.
    """
    tallies = {exercise: ExerciseTally(exercise) for exercise in room.exercises}
    for _, exercise in room.answers():
        tallies[exercise.id].add(exercise)
    return sorted(tallies.values(), key=lambda tally: (not tally.tried, tally.pass_share, -tally.tried))


def distribution(room: Classroom) -> Distribution | None:
    """The scores of the class; None where nobody's can be told."""
    shares = sorted(student.total.of_all for student in room.scored)
    if not shares:
        return None
    counts = [0] * BINS
    for share in shares:
        # A billionth: 0.7 * 10 may be a hair below 7.
        counts[min(BINS - 1, int(share * BINS + 1e-9))] += 1
    lower, middle, upper = quantiles(shares, n=4, method="inclusive") if len(shares) > 1 else (shares[0],) * 3
    return Distribution(tuple(counts), shares[0], lower, middle, upper, shares[-1], fmean(shares))


def heat_rows(room: Classroom) -> list[HeatRow]:
    """A row for each student, in the order of their names."""
    return [
        HeatRow(student, tuple(student.topics.get(topic) for topic in room.topics))
        for student in room.students
    ]


def class_total(room: Classroom) -> Share | None:
    """The median of the scores of all points."""
    return _median_share(student.total for student in room.scored)


def class_shares(rows: Sequence[HeatRow]) -> list[Share | None]:
    """The median of each column: what was not attempted counts as no points, what was not graded not at all."""
    columns = zip(*(row.topics for row in rows), strict=True)
    return [_median_share(column) for column in columns]


def _median_share(column: Iterable[Share | None]) -> Share | None:
    there = [share for share in column if share is not None]
    graded = [share.of_all for share in there if share.state != "ungraded"]
    if not graded:
        return Share(0.0, 0.0, "ungraded", whole=False) if there else None
    tried = any(share.state == "graded" for share in there)
    return Share(median(graded), 1.0, "graded" if tried else "not_attempted")


def ungraded_tallies(room: Classroom, whole: Iterable[Ungraded]) -> list[UngradedTally]:
    """What was not graded, by reason: whole submissions first."""
    without: dict[str, list[str]] = {}
    for one in whole:
        without.setdefault(for_name(one.reason, limit=_MESSAGE), []).append(for_name(one.student) or "?")
    found = [UngradedTally("", reason, names=tuple(sorted(names))) for reason, names in without.items()]
    parts: dict[tuple[str, str], list[Student]] = {}
    for student, exercise in room.answers():
        if is_ungraded(exercise):
            parts.setdefault((exercise.id, _reason(exercise)), []).append(student)
    found += [
        UngradedTally(exercise, reason, students=tuple(students))
        for (exercise, reason), students in sorted(parts.items(), key=lambda item: -len(item[1]))
    ]
    return found


def _reason(exercise: ExerciseResult) -> str:
    said = next((test.message for test in exercise.tests if test.outcome == "ungraded" and test.message), "")
    return for_name(said, limit=_MESSAGE)


def finding_tallies(room: Classroom) -> dict[str, list[FindingTally]]:
    """What a human should look at, by its kind, and in it what most students have first."""
    seen: dict[tuple[str, str, str], list[tuple[Student, int | None]]] = {}
    for student, exercise in room.answers():
        for finding in exercise.findings:
            key = (for_name(finding.kind), exercise.id, for_name(finding.message, limit=_MESSAGE))
            seen.setdefault(key, []).append((student, finding.line))
    kinds: dict[str, list[FindingTally]] = {}
    for (kind, exercise_id, message), places in seen.items():
        students = tuple(dict.fromkeys(student for student, _ in places))
        lines = tuple(sorted({line for _, line in places if line is not None}))
        kinds.setdefault(kind, []).append(FindingTally(kind, exercise_id, message, students, lines))
    for tallies in kinds.values():
        tallies.sort(key=lambda tally: (-len(tally.students), tally.exercise, tally.message))
    return dict(sorted(kinds.items()))


def alike_answers(room: Classroom, alike: Iterable[Alike]) -> list[FindingTally]:
    """Answers that are the same across students, those of the most students first."""
    found = []
    for one in alike:
        students = tuple(room.by_id[student] for student in one.students if student in room.by_id)
        if len(students) > 1:
            message = for_name(one.how, limit=_MESSAGE)
            found.append(FindingTally("alike", one.exercise, message, students))
    return sorted(found, key=lambda tally: (-len(tally.students), tally.exercise))
