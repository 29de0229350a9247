"""Gradescope: the `results.json` of a submission, as its autograders write it.

The format is described at https://gradescope-autograders.readthedocs.io/en/latest/specs/ . All text is handed
over in the format `text`, which Gradescope shows as it is: none of it is HTML, whatever a student wrote.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from grader.course.model import Language
from grader.errors import UngradedError, UsageError
from grader.gradebook.exports.feedback_text import about_exercise, points_line, why_failed
from grader.gradebook.exports.numbers import OutOf, is_whole, scaled, target
from grader.gradebook.exports.outcome import NOT_WHOLE, LeftOut
from grader.gradebook.marks import Mark
from grader.result import ExerciseResult
from grader.submission.shown import for_name, for_terminal
from grader.submission.student_ids import as_id

__all__ = ["ClassResults", "Gradescope", "Visibility", "class_results", "results_json"]

Visibility = Literal["visible", "hidden", "after_due_date", "after_published"]
"""When students see something: always, never, after the due date, or once the grades are published."""

_NAME_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Gradescope:
    """How results are shown on Gradescope.

    `tests` says when students see the hidden tests. `out_of` is the assignment's maximum; `leaderboard` puts the
    score on the leaderboard, which other students see. `titles` has the exercises' by id.
    """

    tests: Visibility = "visible"
    stdout: Visibility = "hidden"
    out_of: OutOf = "points"
    leaderboard: bool = False
    titles: Mapping[str, str] = field(default_factory=dict)
    language: Language = "en"


def results_json(mark: Mark, shown: Gradescope | None = None, execution_seconds: float | None = None) -> str:
    """The content of `/autograder/results/results.json`.

    Raises:
        UngradedError: some of it could not be graded, which is no zero: without a `results.json` Gradescope says
            that the autograder failed.
    """
    if not is_whole(mark):
        raise UngradedError(f"{for_name(mark.student.id)}: {NOT_WHOLE}")
    content = _content(mark, shown or Gradescope(), execution_seconds)
    return json.dumps(content, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class ClassResults:
    """A class's results: files by their names, one for each student, and the marks that are not among them."""

    files: Mapping[str, str]
    left_out: tuple[LeftOut, ...] = ()

    def write(self, folder: Path) -> None:
        """Write the files into a folder, which is made where there is none.

        Raises:
            UsageError: it cannot be written to.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            for name, text in self.files.items():
                (folder / name).write_text(text, encoding="utf-8", newline="\n")
        except OSError as error:
            raise UsageError(f"{folder}: cannot be written: {error.strerror or error}") from None


def class_results(marks: Iterable[Mark], shown: Gradescope | None = None) -> ClassResults:
    """The results of a class, a file for each student, named after her id."""
    files: dict[str, str] = {}
    taken: set[str] = set()
    left_out: list[LeftOut] = []
    for mark in marks:
        if not is_whole(mark):
            left_out.append(LeftOut(mark, NOT_WHOLE))
            continue
        stem = as_id(mark.student.id)
        if stem.casefold() in taken:  # on many disks these two are one file
            stem = f"{stem}-{len(taken)}"
        taken.add(stem.casefold())
        files[f"{stem}.json"] = results_json(mark, shown)
    return ClassResults(files, tuple(left_out))


def _content(mark: Mark, shown: Gradescope, execution_seconds: float | None) -> dict[str, Any]:
    result = mark.result
    full = target(shown.out_of, None)
    score = scaled(mark.score, mark.max_score, full)
    lines = [points_line(mark, shown.language)]
    if shown.tests == "visible":
        lines += [
            about_exercise(exercise, _title(exercise, shown), shown.language) for exercise in result.exercises
        ]
    tests: list[dict[str, Any]] = []
    for number, exercise in enumerate(result.exercises, start=1):
        tests += _tests(exercise, number, mark.max_score, full, shown)
    content: dict[str, Any] = {"score": score}
    if execution_seconds is not None:
        content["execution_time"] = round(execution_seconds)
    content |= {
        "output": "\n".join(lines),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": shown.tests,
        "stdout_visibility": shown.stdout,
        "extra_data": {
            "schema_version": result.schema_version,
            "student": result.student,
            "late_days": mark.late_days,
            "attempt": mark.attempt,
            "isolation": result.isolation,
            "device": result.device,
            "receipt": result.receipt.model_dump(mode="json"),
        },
        "tests": tests,
    }
    if shown.leaderboard:
        content["leaderboard"] = [{"name": "Score", "value": score, "order": "desc"}]
    return content


def _tests(
    exercise: ExerciseResult, number: int, max_score: float, full: float | None, shown: Gradescope
) -> Sequence[dict[str, Any]]:
    title = _title(exercise, shown)

    def entry(
        name: str, at: str, earned: float, points: float, passed: bool, output: str, outcome: str
    ) -> dict[str, Any]:
        return {
            "score": scaled(earned, max_score, full),
            "max_score": scaled(points, max_score, full),
            # Gradescope would call a test that is worth nothing passed.
            "status": "passed" if passed else "failed",
            "name": for_name(name, limit=_NAME_CHARACTERS),
            "name_format": "text",
            "number": at,
            "output": output,
            "output_format": "text",
            "tags": [for_name(exercise.topic), for_name(exercise.id)],
            "visibility": shown.tests,
            "extra_data": {"exercise": exercise.id, "topic": exercise.topic, "outcome": outcome},
        }

    if not exercise.tests:
        passed = exercise.verdict == "passed"
        said = about_exercise(exercise, title, shown.language)
        return [entry(title, str(number), exercise.score, exercise.max_score, passed, said, exercise.verdict)]
    hints = why_failed(exercise, shown.language)
    entries = []
    for place, test in enumerate(exercise.tests, start=1):
        passed = test.outcome == "passed"
        lines = [for_terminal(test.message)] if test.message else []
        if not passed:
            lines, hints = [*lines, *hints], []
        name = f"{title}: {test.name.replace('_', ' ')}"
        output = "\n".join(lines)
        entries.append(
            entry(name, f"{number}.{place}", test.earned, test.points, passed, output, test.outcome)
        )
    return entries


def _title(exercise: ExerciseResult, shown: Gradescope) -> str:
    return shown.titles.get(exercise.id, exercise.id)
