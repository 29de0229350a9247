"""The students of a report in their order, and what each of them has in each topic.

What the grader could not grade counts nowhere: neither as points missed, nor in any average.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

from grader.gradebook.marks import Identity, Mark
from grader.gradebook.report.titles import Titles
from grader.result import ExerciseResult, GradingResult
from grader.submission.shown import for_name

__all__ = ["Classroom", "Share", "Student", "is_ungraded", "shown_name", "topic_shares"]

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Share:
    """What a student has of a topic's points, or of all.

    `score` and `max_score` are points, of what could be graded. `state` is "graded", "not_attempted" where she
    tried nothing of it, or "ungraded" where the grader could grade nothing of it. `whole` is false where some
    of it could not be graded.
    """

    score: float
    max_score: float
    state: Literal["graded", "not_attempted", "ungraded"]
    whole: bool = True

    @property
    def of_all(self) -> float:
        """From 0 to 1; 0 where there is nothing to be had."""
        return min(1.0, self.score / self.max_score) if self.max_score > 0 else 0.0


@dataclass(frozen=True, eq=False)  # two are the same where they are one: a mark is long to compare
class Student:
    """One student of the report.

    `number` is her place in the report's order. `name` tells her from all others in it. `slug` names her page in a
    link, and is safe there whatever her id holds.
    """

    number: int
    slug: str
    name: str
    mark: Mark

    @cached_property
    def total(self) -> Share:
        """Her score after lateness, of the points of all that could be graded."""
        result = self.mark.result
        graded = _share(result.exercises)
        if graded.whole:
            return replace(graded, score=self.mark.score, max_score=self.mark.max_score)
        # What lateness took of her score, it takes of the part that was graded.
        kept = self.mark.score / result.score if result.score > 0 else 1.0
        return replace(graded, score=kept * graded.score)

    @cached_property
    def topics(self) -> dict[str, Share]:
        """What she has in each topic of hers, before lateness."""
        return topic_shares(self.mark.result)


def topic_shares(result: GradingResult) -> dict[str, Share]:
    """What a result has in each of its topics."""
    by_topic: dict[str, list[ExerciseResult]] = {}
    for exercise in result.exercises:
        by_topic.setdefault(exercise.topic, []).append(exercise)
    return {topic: _share(exercises) for topic, exercises in by_topic.items()}


@dataclass(frozen=True)
class Classroom:
    """All students of a report by name, and the topics and exercises in the course's order."""

    students: tuple[Student, ...]
    titles: Titles

    @classmethod
    def of(cls, marks: Iterable[Mark], titles: Titles) -> Classroom:
        """The students of these marks, in the order of their names."""
        named = _told_apart(marks)
        named.sort(key=lambda pair: (pair[0].casefold(), pair[1].student.id))
        slugs: set[str] = set()
        students = []
        for number, (name, mark) in enumerate(named):
            slug = _slug(mark.student.id, slugs)
            slugs.add(slug)
            students.append(Student(number, slug, name, mark))
        return cls(tuple(students), titles)

    def answers(self) -> Iterator[tuple[Student, ExerciseResult]]:
        """Every student's every exercise."""
        for student in self.students:
            for exercise in student.mark.result.exercises:
                yield student, exercise

    @cached_property
    def topics(self) -> tuple[str, ...]:
        """The ids of the topics that anybody has a result in."""
        return _in_order(self.titles.topics, (exercise.topic for _, exercise in self.answers()))

    @cached_property
    def exercises(self) -> tuple[str, ...]:
        """The ids of the exercises that anybody has a result in."""
        return _in_order(self.titles.exercises, (exercise.id for _, exercise in self.answers()))

    @cached_property
    def topic_of(self) -> Mapping[str, str]:
        """The topic of each exercise."""
        return {exercise.id: exercise.topic for _, exercise in self.answers()}

    @cached_property
    def by_id(self) -> Mapping[str, Student]:
        """The students by the id of their marks."""
        return {student.mark.student.id: student for student in self.students}

    @cached_property
    def scored(self) -> tuple[Student, ...]:
        """The students whose whole submission could be graded: their scores can be compared."""
        return tuple(student for student in self.students if student.total.whole)


def is_ungraded(exercise: ExerciseResult) -> bool:
    """Whether the grader could not grade it, or not all of it."""
    if exercise.verdict == "passed":
        return False
    return exercise.verdict == "ungraded" or any(test.outcome == "ungraded" for test in exercise.tests)


def shown_name(student: Identity) -> str:
    """What the report calls a student: her name, or else her id."""
    return for_name(student.name) or for_name(student.id) or "?"


def _share(exercises: Sequence[ExerciseResult]) -> Share:
    graded = [exercise for exercise in exercises if not is_ungraded(exercise)]
    if exercises and not graded:
        return Share(0.0, 0.0, "ungraded", whole=False)
    tried = any(exercise.verdict != "not_attempted" for exercise in graded)
    return Share(
        sum(exercise.score for exercise in graded),
        sum(exercise.max_score for exercise in graded),
        "graded" if tried else "not_attempted",
        whole=len(graded) == len(exercises),
    )


def _in_order(known: Iterable[str], seen: Iterable[str]) -> tuple[str, ...]:
    there = dict.fromkeys(seen)
    first = [name for name in known if name in there]
    return (*first, *(name for name in there if name not in set(first)))


def _told_apart(marks: Iterable[Mark]) -> list[tuple[str, Mark]]:
    """What to call each student in lists: her name, and her id after it where others have the same name."""
    named = [(shown_name(mark.student), mark) for mark in marks]
    how_many = Counter(name for name, _ in named)
    return [
        (f"{name} ({for_name(mark.student.id)})" if how_many[name] > 1 else name, mark)
        for name, mark in named
    ]


def _slug(student: str, taken: set[str]) -> str:
    if _SLUG.fullmatch(student) and student not in taken:
        return student
    digest = hashlib.sha256(student.encode("utf-8", "surrogatepass")).hexdigest()
    slug = f"x{digest[:16]}"
    # Ids are the gradebook's keys, so two alike are somebody's mistake: both still get a page.
    return slug if slug not in taken else f"{slug}-{len(taken)}"
