"""Reading a TOML file into a model: the first fault is told with its file, its key and what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from grader.errors import CourseError, did_you_mean

__all__ = ["Language", "TomlTable", "course_error", "read_toml"]

Language = Literal["en", "zh"]


class TomlTable(BaseModel):
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


Model = TypeVar("Model", bound=TomlTable)


def read_toml(path: Path, model: type[Model], shown_as: str | PurePath) -> Model:
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


_OWN_WORDS = {"unknown_key", "call_longer_than_exercise", "no_offset"}


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
