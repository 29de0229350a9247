"""Who is being examined just now, in which exercise, and with which secret."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from grader.course.load import Exercise, load_exercise
from grader.examiner.context import TestContext, enter, seed_of
from grader.examiner.conversation import Conversation, LocalPort
from grader.examiner.reference import Reference
from grader.examiner.student import Student
from grader.wire import WireLimits


def converse_locally(exercise: Exercise, source: str) -> Conversation:
    """A conversation with trusted code, in this process."""
    limits = WireLimits(message_bytes=exercise.limits.message_mb << 20)
    return Conversation(lambda: LocalPort(limits), source, exercise.id, exercise.props_source, limits=limits)


@dataclass
class Bench:
    """The state that the fixtures read.

    Without a candidate of its own (`pytest solutions/`), the reference is its own student.
    """

    secret: str = "practice"
    device: str = "cpu"
    candidate: Conversation | None = None
    _exercises: dict[Path, Exercise] = field(default_factory=dict)
    _references: dict[str, Reference] = field(default_factory=dict)
    _known: dict[object, Any] = field(default_factory=dict)
    _known_for: str = ""
    _self_students: dict[str, Conversation] = field(default_factory=dict)

    def exercise_at(self, suite: Path) -> Exercise:
        """The exercise that a suite file belongs to.

        Raises:
            CourseError: the folder holds no exercise.
        """
        folder = suite.parent
        found = self._exercises.get(folder)
        if found is None:
            found = self._exercises[folder] = load_exercise(folder)
        return found

    def begin_test(self, exercise: Exercise, test: str) -> None:
        """Seed the inputs of a test that is about to run."""
        if self._known_for != self.secret:
            self._known, self._known_for = {}, self.secret
        seed = seed_of(self.secret, exercise.id, test)
        enter(TestContext(seed, self.device.partition(":")[0], self._known))
        # A suite, or the reference, may draw from torch's own generator.
        torch.default_generator.manual_seed(seed)

    def reference(self, exercise: Exercise) -> Reference:
        """The reference of an exercise."""
        found = self._references.get(exercise.id)
        if found is None:
            found = Reference(exercise.id, exercise.reference_source, exercise.props_source)
            self._references[exercise.id] = found
        return found

    def student(self, exercise: Exercise, test: str) -> Student:
        """Whoever is being examined, ready for a new test."""
        conversation = self.candidate
        if conversation is None:
            conversation = self._self_students.get(exercise.id)
            if conversation is None:
                conversation = converse_locally(exercise, exercise.reference_source)
                self._self_students[exercise.id] = conversation
        conversation.begin_test(seed_of(self.secret, exercise.id, test, "calls"))
        return Student(conversation)
