"""How much of a result its student may see: `feedback` in course.toml.

| level | what she sees |
|---|---|
| full | all of normal, and what her code said and printed, whole: it may hold hidden inputs |
| normal | test names, what differs (shape, dtype, index, the two values there), diagnosis and hint |
| names | names of the tests and what became of each; what the search in her source found |
| none | the score and the verdict of each exercise |

An instructor's record is never cut. Everything that goes to a student goes through `as_shown` first.
"""

from __future__ import annotations

from grader.course.model import FeedbackLevel
from grader.result import ExerciseResult, GradingResult

__all__ = ["FeedbackLevel", "as_shown", "exercise_as_shown"]


def as_shown(result: GradingResult, level: FeedbackLevel, *, seed_is_spent: bool = False) -> GradingResult:
    """The result as its student may see it. Scores, verdicts and the schema stay.

    Args:
        result: as it was graded.
        level: how much of it she sees.
        seed_is_spent: no other attempt is graded with this seed. One that is used again is left empty below
            `full`, and at `names` and `none` any: whoever has the suite could draw the inputs from it.
    """
    if level == "full":
        return result
    if level == "normal":
        return result if seed_is_spent else result.model_copy(update={"seed": ""})
    exercises = tuple(exercise_as_shown(exercise, level) for exercise in result.exercises)
    return result.model_copy(update={"exercises": exercises, "seed": ""})


def exercise_as_shown(result: ExerciseResult, level: FeedbackLevel) -> ExerciseResult:
    """One exercise as its student may see it."""
    if level in ("full", "normal"):
        return result
    if level == "none":
        return result.model_copy(update={"tests": (), "diagnosis": None, "findings": ()})
    tests = tuple(test.model_copy(update={"message": ""}) for test in result.tests)
    return result.model_copy(update={"tests": tests, "diagnosis": None})
