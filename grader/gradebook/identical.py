"""Answers that are the same across students, for a human to look at: evidence, and no more than that.

Short answers are left out, for many would write them alike; so is what the course itself wrote: the reference, the
known wrong answers, the stub. Two students who never met can still write the same: whoever reads the list asks them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal

from grader.course.load import Course, Exercise
from grader.errors import UsageError
from grader.gradebook.store import HandedIn
from grader.gradebook.syntax_shape import Shape, shape_of

__all__ = ["MINIMUM_NODES", "IdenticalAnswers", "IdenticalGroup", "LeftOut", "write_identical"]

MINIMUM_NODES: Final = 60
"""Nodes of the syntax tree, those of the stub not counted: some eight lines.

Of 75 right answers to the fourteen exercises shipped, each in another style, 19 lie below, all those to train_step
among them; no two of the others are equal.
"""

Reason = Literal["short", "reference", "wrong_answer", "stub", "unreadable"]


@dataclass(frozen=True, slots=True)
class IdenticalGroup:
    """Students whose answers to an exercise have the same syntax tree; `nodes` is its size without the stub's."""

    exercise: str
    students: tuple[str, ...]
    nodes: int

    def how(self, language: Literal["en", "zh"] = "en") -> str:
        """In what way they are the same."""
        if language == "zh":
            return f"除名称、注释和类型标注外，语法树完全相同（{self.nodes} 个节点）"
        return f"the same syntax tree but for names, comments and annotations ({self.nodes} nodes)"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many different answers to an exercise were not compared, and why."""

    exercise: str
    reason: Reason
    answers: int


@dataclass(frozen=True, slots=True)
class _Known:
    """What the course itself wrote for an exercise, by the digests of the trees."""

    names: tuple[str, ...]
    stub_nodes: int
    shapes: Mapping[bytes, Reason]


class IdenticalAnswers:
    """Finds them among answers that come one after another; keeps hashes, no sources."""

    def __init__(self, course: Course, minimum_nodes: int = MINIMUM_NODES) -> None:
        self.minimum_nodes = minimum_nodes
        self._exercises = {exercise.id: exercise for exercise in course.exercises}
        self._known = cache(_known)
        self._seen: dict[tuple[str, bytes], Shape | None] = {}
        """By the text's hash: the same text again, as in a later attempt, is not parsed again."""
        self._students: dict[tuple[str, Shape], set[str]] = {}
        self._left_out: Counter[tuple[str, Reason]] = Counter()

    def add(self, student: str, answers: Mapping[str, str]) -> None:
        """One student's sources, by exercise. Those of her other attempts may come too, in any order."""
        for exercise, source in answers.items():
            if exercise not in self._exercises:
                continue  # of a course that had more exercises once
            key = exercise, hashlib.sha256(source.encode("utf-8", "surrogatepass")).digest()
            if key not in self._seen:
                self._seen[key] = self._to_compare(self._exercises[exercise], source)
            shape = self._seen[key]
            if shape is not None:
                self._students.setdefault((exercise, shape), set()).add(student)

    def add_all(self, handed_in: Iterable[HandedIn]) -> IdenticalAnswers:
        """All that a gradebook holds, as `Gradebook.handed_in` has it."""
        for answer in handed_in:
            self.add(answer.student, {answer.exercise: answer.source})
        return self

    def groups(self) -> list[IdenticalGroup]:
        """What more than one student handed in: by exercise in the course's order, the most students first."""
        place = {exercise: number for number, exercise in enumerate(self._exercises)}
        found = [
            IdenticalGroup(exercise, tuple(sorted(students)), shape.nodes)
            for (exercise, shape), students in self._students.items()
            if len(students) > 1
        ]
        return sorted(found, key=lambda one: (place[one.exercise], -len(one.students), one.students))

    def left_out(self) -> list[LeftOut]:
        """What was not compared, in the course's order."""
        place = {exercise: number for number, exercise in enumerate(self._exercises)}
        counted = sorted(self._left_out.items(), key=lambda item: (place[item[0][0]], item[0][1]))
        return [LeftOut(exercise, reason, count) for (exercise, reason), count in counted]

    def _to_compare(self, exercise: Exercise, source: str) -> Shape | None:
        """The answer's shape without the stub's nodes; None, and counted, where it is no evidence."""
        known = self._known(exercise)
        shape = shape_of(source, known.names)
        reason: Reason | None = "unreadable"
        if shape is not None:
            shape = Shape(shape.digest, max(0, shape.nodes - known.stub_nodes))
            reason = known.shapes.get(shape.digest) or ("short" if shape.nodes < self.minimum_nodes else None)
        if reason is not None:
            self._left_out[exercise.id, reason] += 1
            return None
        return shape


def _known(exercise: Exercise) -> _Known:
    names = exercise.names
    stub = shape_of(exercise.stub_source, names)
    written: list[tuple[Shape | None, Reason]] = [
        *((shape_of(wrong.source, names), "wrong_answer") for wrong in exercise.wrong_answers),
        (shape_of(exercise.reference_source, names), "reference"),
        (stub, "stub"),
    ]
    shapes: dict[bytes, Reason] = {shape.digest: reason for shape, reason in written if shape is not None}
    return _Known(names, stub.nodes if stub is not None else 0, shapes)


_ABOUT: Final = (
    "Answers whose syntax trees are the same but for comments, docstrings, annotations, blanks, the order of helpers "
    "and the names that a student chose. This is for a human to look at, and proves nothing by itself. Short answers "
    "and those that the course itself wrote were not compared."
)


def write_identical(found: IdenticalAnswers, path: Path) -> None:
    """Write groups, and what was left out, as JSON; the file is replaced whole or left as it is.

    Raises:
        UsageError: it cannot be written.
    """
    record = {
        "schema_version": 1,
        "about": _ABOUT,
        "minimum_nodes": found.minimum_nodes,
        "groups": [asdict(group) for group in found.groups()],
        "left_out": [asdict(one) for one in found.left_out()],
    }
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(
            json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8", newline="\n"
        )
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
