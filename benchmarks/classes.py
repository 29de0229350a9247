"""Classes of made-up students: what they hand in, and what is to come of it.

Three kinds, for it matters whether the grader has met an answer's like before:

- `copies`: everybody hands in the reference, with her own name in a comment. No two files are the same bytes, but all
  of them answer alike, so that a hidden suite is run once for each process that grades.
- `mixed`: drawn at random, right answers in any style and wrong ones of many kinds, signed; as in a real class many
  go wrong, several in the same way, and several write the same thing.
- `unlike`: the same as `mixed`, but each answer prints its author's name, and so is like no other to the grader:
  what it costs where nothing is ever recognised.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.course.load import Exercise

KINDS = ("copies", "mixed", "unlike")
WRONG = 0.4
"""The share of wrong answers in a mixed class."""
_TESTS = Path(__file__).resolve().parent.parent / "tests"
_SEPARATOR = re.compile(r"^# --- .+$", re.MULTILINE)
_SEED = 20


@dataclass(frozen=True)
class Handed:
    """An answer, and whether it is right."""

    source: str
    right: bool


def answers_to(exercise: Exercise) -> tuple[list[Handed], list[Handed]]:
    """Right answers and wrong ones, the reference the first."""
    styles = sorted((_TESTS / "right_answers" / exercise.id).glob("*.py"))
    outside = (_TESTS / "outside_wrong_answers" / f"{exercise.id}.py").read_text(encoding="utf-8")
    head, *mistakes = _SEPARATOR.split(outside)
    right = [exercise.reference_source, *(style.read_text(encoding="utf-8") for style in styles)]
    wrong = [*(known.source for known in exercise.wrong_answers), *(head + mistake for mistake in mistakes)]
    return [Handed(source, True) for source in right], [Handed(source, False) for source in wrong]


def students(kind: str, exercises: Sequence[Exercise], count: int) -> Iterator[tuple[str, dict[str, Handed]]]:
    """Student by student: the id, and an answer to each exercise. The same ones each time."""
    drawn = random.Random(_SEED)
    choices = {exercise.id: answers_to(exercise) for exercise in exercises}
    for number in range(count):
        student = f"s{number:05}"
        answers = {}
        for exercise, (right, wrong) in choices.items():
            pool = right[:1] if kind == "copies" else wrong if drawn.random() < WRONG else right
            chosen = drawn.choice(pool)
            said = f"\nprint({student!r})\n" if kind == "unlike" else ""
            answers[exercise] = Handed(f"{chosen.source}\n{said}# {student}\n", chosen.right)
        yield student, answers


def write_class(folder: Path, kind: str, exercises: Sequence[Exercise], count: int) -> Mapping[str, bool]:
    """Write a class's submissions, a folder each.

    Returns:
        By student, a slash and exercise: whether the answer is right.
    """
    expected = {}
    for student, answers in students(kind, exercises, count):
        (folder / student).mkdir(parents=True)
        for exercise, handed in answers.items():
            (folder / student / f"{exercise}.py").write_text(handed.source, encoding="utf-8")
            expected[f"{student}/{exercise}"] = handed.right
    return expected


def kinds_of_answers(exercises: Sequence[Exercise]) -> str:
    """How many there are to draw from, in words."""
    counts = [tuple(map(len, answers_to(exercise))) for exercise in exercises]
    return (
        f"{sum(right for right, _ in counts)} right answers and {sum(wrong for _, wrong in counts)} wrong ones "
        f"to {len(exercises)} exercises"
    )
