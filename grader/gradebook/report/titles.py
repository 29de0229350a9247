"""What a report calls things: the course's titles, and its misconceptions in the report's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.course.load import Course
from grader.course.model import Language
from grader.result import Diagnosis

__all__ = ["Titles"]


@dataclass(frozen=True)
class Titles:
    """The names of a course, its topics and its exercises, in the order in which they are taught.

    `course` is the course's title; `topics` and `exercises` hold titles by id. `diagnoses` holds a diagnosis in
    the report's language under (exercise id, misconception in any language). What is not in here is called by
    its id, comes last, and keeps the words it was graded with: a report can be made of older results too.
    """

    course: str
    topics: Mapping[str, str] = field(default_factory=dict)
    exercises: Mapping[str, str] = field(default_factory=dict)
    diagnoses: Mapping[tuple[str, str], Diagnosis] = field(default_factory=dict)

    @classmethod
    def of(cls, course: Course, language: Language) -> Titles:
        """The titles of a course, read from its files.

        Raises:
            CourseError: an exercise's wrong answers cannot be read.
        """
        diagnoses: dict[tuple[str, str], Diagnosis] = {}
        for exercise in course.exercises:
            for wrong in exercise.wrong_answers:
                if language == "zh":
                    said = Diagnosis(misconception=wrong.zh, hint=wrong.hint_zh)
                else:
                    said = Diagnosis(misconception=wrong.misconception, hint=wrong.hint)
                diagnoses[exercise.id, wrong.misconception] = said
                diagnoses[exercise.id, wrong.zh] = said
        return cls(
            course=course.title[language],
            topics={topic.id: topic.title[language] for topic in course.topics},
            exercises={exercise.id: exercise.title[language] for exercise in course.exercises},
            diagnoses=diagnoses,
        )

    def topic(self, topic: str) -> str:
        """What to call a topic."""
        return self.topics.get(topic, topic)

    def exercise(self, exercise: str) -> str:
        """What to call an exercise."""
        return self.exercises.get(exercise, exercise)

    def diagnosis(self, exercise: str, said: Diagnosis) -> Diagnosis:
        """A diagnosis in the report's language, where the course still knows it."""
        return self.diagnoses.get((exercise, said.misconception), said)
