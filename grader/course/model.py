"""What `course.toml` and `exercise.toml` may say, and how a fault in them is reported."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from grader.errors import CourseError, did_you_mean

__all__ = [
    "HINT_LEVELS",
    "CourseFile",
    "CourseTable",
    "Equivalent",
    "ExerciseFile",
    "HintLevel",
    "Hints",
    "Language",
    "LimitOverrides",
    "Limits",
    "TopicEntry",
    "Translated",
    "read_toml",
]

Language = Literal["en", "zh"]
HintLevel = Literal["concept", "formula", "line"]

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


class _Table(BaseModel):
    """A TOML table: nothing unknown in it, no type guessed, not changed afterwards."""

    # Built when first used: half of the tables stand only inside others.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _know_every_key(cls, value: object) -> object:
        if isinstance(value, dict):
            for key in value:
                if key not in cls.model_fields:
                    mend = did_you_mean(str(key), list(cls.model_fields))
                    raise PydanticCustomError("unknown_key", "unknown key", {"key": str(key), "mend": mend})
        return value


class Translated(_Table):
    """A text in both languages: `title["zh"]`."""

    en: Text
    zh: Text

    def __getitem__(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Hints(_Table):
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


class Limits(_Table):
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


class LimitOverrides(_Table):
    """The limits in which an exercise differs from its course; None is the course's."""

    call_seconds: float | None = Field(default=None, gt=0)
    exercise_seconds: float | None = Field(default=None, gt=0)
    memory_mb: int | None = Field(default=None, gt=0)


class Equivalent(_Table):
    """A one-change mutant of the reference that no test can tell from it, and why."""

    mutant: Text
    reason: Text


class ExerciseFile(_Table):
    """`exercise.toml`."""

    title: Translated
    points: float = Field(gt=0)
    difficulty: int = Field(ge=1, le=5)
    minutes: int = Field(gt=0)
    source: Text
    requires: Words = ()
    forbidden: Annotated[tuple[DottedName, ...], _ARRAY] = ()
    warm: Annotated[tuple[Literal["optim", "nn"], ...], _ARRAY] = ()
    hints: Hints
    limits: LimitOverrides = LimitOverrides()
    equivalent: Annotated[tuple[Equivalent, ...], _ARRAY] = ()


class TopicEntry(_Table):
    """A `[[topics]]` table of `course.toml`: a chapter, and its exercises in the order to do them."""

    id: Id
    title: Translated
    introduction: Translated | None = None
    exercises: Annotated[tuple[Id, ...], _ARRAY]


class CourseTable(_Table):
    """The `[course]` table of `course.toml`.

    `minimum_isolation`: the level of the walls below which nothing is graded for marks.
    `forbidden`: whether a forbidden call costs the exercise ("refuse") or is only reported ("report").
    `seed`: whether the hidden inputs are drawn anew for each run, all submissions of a run getting the same,
    or for each attempt.
    `packages`: distributions besides torch and numpy that a student's code may import.
    """

    id: CourseId
    title: Translated
    minimum_isolation: int = Field(default=2, ge=0, le=3)
    forbidden: Literal["refuse", "report"] = "refuse"
    seed: Literal["run", "attempt"] = "run"
    packages: Words = ()


class CourseFile(_Table):
    """`course.toml`."""

    course: CourseTable
    limits: Limits = Limits()
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


Table = TypeVar("Table", bound=_Table)


def read_toml(path: Path, model: type[Table], shown_as: str | PurePath) -> Table:
    """The file as the model.

    Raises:
        CourseError: with the file called `shown_as`, where it is missing, not TOML, or not what the model
        says.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CourseError("is missing", file=shown_as, mend="write it, or take the folder away") from None
    except (OSError, UnicodeDecodeError) as error:
        raise CourseError(
            f"cannot be read ({error})", file=shown_as, mend="it must be a UTF-8 file"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise CourseError(f"is not TOML: {error}", file=shown_as, mend="mend the line it names") from None
    try:
        return model.model_validate(table)
    except ValidationError as error:
        raise course_error(error, shown_as) from None


def course_error(error: ValidationError, shown_as: str | PurePath, *, under: str = "") -> CourseError:
    """The first fault that pydantic found, as file, key and mend; the others are counted."""
    faults = error.errors(include_url=False)
    first = faults[0]
    context = first.get("ctx", {})
    key = _dotted([under, *first["loc"], context.get("key", "")])
    mend = str(context["mend"]) if "mend" in context else _mend(first)
    if len(faults) > 1:
        mend += f" (and {len(faults) - 1} more in this file)"
    return CourseError(_problem(first), file=shown_as, key=key or None, mend=mend)


def _dotted(location: Sequence[str | int]) -> str:
    dotted = ""
    for part in location:
        if isinstance(part, int):
            dotted += f"[{part}]"
        elif part:
            dotted += f".{part}" if dotted else part
    return dotted


def _problem(fault: ErrorDetails) -> str:
    if fault["type"] == "missing":
        return "is missing"
    problem = fault["msg"].removeprefix("Input ")
    return problem if fault["type"] in _OWN_WORDS else f"{problem}, and is {_shown(fault['input'])}"


_OWN_WORDS = {"unknown_key", "call_longer_than_exercise"}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _mend(fault: ErrorDetails) -> str:
    match fault["type"]:
        case "missing":
            name = str(fault["loc"][-1])
            if name in get_args(Language):
                return f"add the text in {'Chinese' if name == 'zh' else 'English'}"
            return f"add {name} = ..."
        case "string_pattern_mismatch":
            if fault["loc"][0] == "forbidden":
                return 'write the canonical dotted name, such as "torch.softmax"'
            between = "hyphens or underscores" if fault["loc"][0] == "course" else "single underscores"
            return f"an id is lower-case letters and digits with {between} between them, a letter first"
        case "model_type" | "model_attributes_type":
            return 'write a table, such as { en = "...", zh = "..." }'
        case "string_type":
            return "put it in quotes"
        case "int_type" | "float_type":
            return "write a number, without quotes"
        case "tuple_type":
            return 'write an array, such as ["..."]'
        case "string_too_short":
            return "write something between the quotes"
        case _:
            return "give it such a value"
