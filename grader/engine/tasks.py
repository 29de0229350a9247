"""What an engine is asked to grade, and what it answers: plain records that cross to another process or machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any, Protocol

from grader.course.model import Language
from grader.result import ExerciseResult
from grader.submission.intake import Answer, Submission

__all__ = ["Done", "Engine", "EngineSetting", "Task", "done_from", "submission_of", "task_from"]


@dataclass(frozen=True, slots=True)
class Task:
    """Some answers of one submission. `number` tells tasks of a run apart; results come in any order."""

    number: int
    seed: str
    answers: tuple[Answer, ...]

    def to_record(self) -> dict[str, Any]:
        """The task as what JSON can hold."""
        return {
            "number": self.number,
            "seed": self.seed,
            "answers": [asdict(answer) for answer in self.answers],
        }


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a task: a result for each answer, in their order, at the level of isolation that stood.

    Where the grader itself could not grade, `results` is empty and `failure` says why.
    """

    number: int
    results: tuple[ExerciseResult, ...]
    isolation: int
    failure: str = ""

    def to_record(self) -> dict[str, Any]:
        """What came of it as what JSON can hold."""
        return {
            "number": self.number,
            "results": [result.model_dump(mode="json") for result in self.results],
            "isolation": self.isolation,
            "failure": self.failure,
        }


class Engine(Protocol):
    """Where gradings run."""

    def grade(self, tasks: Iterable[Task]) -> Iterator[Done]:
        """Grade tasks as they are drawn from an iterable, each exactly once, and yield what comes of them.

        No more tasks are drawn than are soon to be graded, so the iterable may be endless.

        Raises:
            GraderError: no grading is possible at all: walls that are missing, a suite that is broken.
        """
        ...


@dataclass(frozen=True)
class EngineSetting:
    """What every process that grades is told before the first task."""

    course: str
    """The course's folder."""
    device: str = "cpu"
    language: Language = "en"

    def to_record(self) -> dict[str, Any]:
        """The setting as what JSON can hold."""
        return asdict(self)


def task_from(record: Mapping[str, Any]) -> Task:
    """The task that a record says."""
    answers = tuple(Answer(**{**answer, "notes": tuple(answer["notes"])}) for answer in record["answers"])
    return Task(record["number"], record["seed"], answers)


def done_from(record: Mapping[str, Any]) -> Done:
    """What came of a task, from its record."""
    results = tuple(ExerciseResult.model_validate(result) for result in record["results"])
    return Done(record["number"], results, record["isolation"], record["failure"])


def submission_of(task: Task) -> Submission:
    """A task's answers as a submission."""
    return Submission(MappingProxyType({answer.exercise: answer for answer in task.answers}), (), "")
