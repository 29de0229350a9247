"""What `course.toml` and `exercise.toml` may say."""

from __future__ import annotations

from typing import Annotated, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from grader.course.policy import Policy
from grader.course.toml_table import Language, TomlTable

__all__ = [
    "HINT_LEVELS",
    "CourseFile",
    "CourseTable",
    "Equivalent",
    "ExerciseFile",
    "FeedbackLevel",
    "HintLevel",
    "Hints",
    "Language",
    "LimitOverrides",
    "Limits",
    "TopicEntry",
    "Translated",
]

HintLevel = Literal["concept", "formula", "line"]
FeedbackLevel = Literal["full", "normal", "names", "none"]

HINT_LEVELS: tuple[HintLevel, ...] = get_args(HintLevel)
"""From far to near."""


def _tuple_from_list(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value


_ARRAY = BeforeValidator(_tuple_from_list)  # TOML has arrays; the models are frozen and hold tuples

Words = Annotated[tuple[str, ...], _ARRAY]
Text = Annotated[str, Field(min_length=1)]
Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$")]
CourseId = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*([_-][a-z0-9]+)*$")]
DottedName = Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)+$")]


class Translated(TomlTable):
    """A text in both languages: `title["zh"]`."""

    en: Text
    zh: Text

    def __getitem__(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Hints(TomlTable):
    """Three hints, from far to near."""

    concept: Translated
    formula: Translated
    line: Translated

    def __getitem__(self, level: HintLevel) -> Translated:
        text: Translated = getattr(self, level)
        return text

    def upto(self, count: int, language: Language) -> tuple[str, ...]:
        """The first `count` hints, from far to near."""
        return tuple(self[level][language] for level in HINT_LEVELS[:count])


class Limits(TomlTable):
    """What one exercise of one submission may use.

    `call_seconds`: wall-clock seconds for one call into the student's code.
    `exercise_seconds`: wall-clock seconds for all calls of the exercise together.
    `memory_mb`: mebibytes (2**20 bytes) that the student's code may use beyond what a warm worker holds.
    `message_mb`: mebibytes of one message to or from the worker.
    `handles`: how many things (modules, generators, callables) may stay in the worker under a handle.
    """

    call_seconds: float = Field(default=5.0, gt=0)
    exercise_seconds: float = Field(default=20.0, gt=0)
    memory_mb: int = Field(default=1024, gt=0)
    message_mb: int = Field(default=32, gt=0)
    handles: int = Field(default=256, gt=0)

    @model_validator(mode="after")
    def _call_fits_exercise(self) -> Self:
        if self.call_seconds > self.exercise_seconds:
            raise PydanticCustomError(
                "call_longer_than_exercise",
                "call_seconds is {call}, more than exercise_seconds, {exercise}",
                {
                    "call": self.call_seconds,
                    "exercise": self.exercise_seconds,
                    "mend": "lower the one or raise the other",
                },
            )
        return self

    def overridden_by(self, overrides: LimitOverrides) -> Limits:
        """These limits, with the exercise's own in their place where it has them."""
        return Limits(**{**self.model_dump(), **overrides.model_dump(exclude_none=True)})


class LimitOverrides(TomlTable):
    """The limits in which an exercise differs from its course (see `Limits`); None is the course's."""

    call_seconds: float | None = Field(default=None, gt=0)
    exercise_seconds: float | None = Field(default=None, gt=0)
    memory_mb: int | None = Field(default=None, gt=0)
    message_mb: int | None = Field(default=None, gt=0)
    handles: int | None = Field(default=None, gt=0)


class Equivalent(TomlTable):
    """A one-change mutant of the reference that no test can tell from it, and why."""

    mutant: Text
    reason: Text


class ExerciseFile(TomlTable):
    """`exercise.toml`."""

    title: Translated
    points: float = Field(gt=0)
    difficulty: int = Field(ge=1, le=5)
    minutes: int = Field(gt=0)
    source: Text
    requires: Words = ()
    forbidden: Annotated[tuple[DottedName, ...], _ARRAY] = ()
    warm: Annotated[tuple[Literal["optim", "nn"], ...], _ARRAY] = ()
    replay: bool = False
    """The ops of a call are run again apart from the student's code: do they alone give the answer?"""
    hints: Hints
    limits: LimitOverrides = LimitOverrides()
    equivalent: Annotated[tuple[Equivalent, ...], _ARRAY] = ()


class TopicEntry(TomlTable):
    """A `[[topics]]` table of `course.toml`: a chapter, and its exercises in the order to do them."""

    id: Id
    title: Translated
    introduction: Translated | None = None
    exercises: Annotated[tuple[Id, ...], _ARRAY]


class CourseTable(TomlTable):
    """The `[course]` table of `course.toml`.

    `minimum_isolation`: the level of the walls below which nothing is graded for marks.
    `forbidden`: whether a forbidden call costs the exercise ("refuse") or is only reported ("report").
    `seed`: whether the hidden inputs are drawn anew for each run, all submissions of a run getting the same,
    or for each attempt.
    `feedback`: how much of a result its student sees; the levels are told in `grader.course.feedback_level`.
    `packages`: distributions besides torch and numpy that a student's code may import.
    """

    id: CourseId
    title: Translated
    minimum_isolation: int = Field(default=2, ge=0, le=3)
    forbidden: Literal["refuse", "report"] = "refuse"
    feedback: FeedbackLevel = "normal"
    seed: Literal["run", "attempt"] = "run"
    packages: Words = ()


class CourseFile(TomlTable):
    """`course.toml`."""

    course: CourseTable
    limits: Limits = Limits()
    policy: Policy = Policy()
    topics: Annotated[tuple[TopicEntry, ...], _ARRAY]

    @property
    def isolation(self) -> int:
        """The level of the walls below which nothing is graded for marks."""
        return self.course.minimum_isolation

    @property
    def forbidden(self) -> Literal["refuse", "report"]:
        """What a forbidden call costs: the exercise, or nothing but a finding."""
        return self.course.forbidden

    @property
    def packages(self) -> tuple[str, ...]:
        """Distributions besides torch and numpy that a student's code may import."""
        return self.course.packages
