"""Exceptions of the student's, made anew on this side."""

from __future__ import annotations

import builtins
from typing import Any

_OUT_OF_MEMORY = (
    "MemoryError",
    "can't allocate memory",
    "DefaultCPUAllocator",
    "out of memory",
    "OutOfMemoryError",
    "bad_alloc",
    # Two ways of C code that got none, and forgot to say so.
    "returned NULL without setting an exception",
    "error return without exception set",
)


def lacks_memory(text: str) -> bool:
    """Whether an error's type and text say that there was no memory."""
    return any(mark in text for mark in _OUT_OF_MEMORY)


class StudentError(Exception):
    """The student's code raised something that is no built-in exception; says its type."""


class StudentTrace:
    """What is known of an exception that crossed: its type and where in the student's file it came from."""

    def __init__(self, type_name: str, lines: list[tuple[int, str]]) -> None:
        self.type_name = type_name
        self.lines = lines

    @property
    def line(self) -> int | None:
        """The line of the student's file that raised."""
        return self.lines[-1][0] if self.lines else None


def rebuild(parts: tuple[Any, ...]) -> Exception:
    """An exception for (type name, nearest built-in base, text, lines), all of them claims.

    A built-in one arrives as its class; a class that the student derived from a built-in one is both that
    and a `StudentError`.
    """
    type_name, base_name, text, lines = parts
    type_name = str(type_name)[:100]
    text = str(text)
    base = getattr(builtins, base_name, None) if isinstance(base_name, str) else None
    if not (isinstance(base, type) and issubclass(base, Exception)):
        base = Exception
    error: Exception
    try:
        if base is Exception and type_name != "Exception":
            error = StudentError(f"{type_name}: {text}" if text else type_name)
        elif base.__name__ == type_name:
            error = base(text)
        else:
            error = type(type_name, (StudentError, base), {})(text)
    except (TypeError, ValueError):
        # UnicodeDecodeError and its like want more than a text.
        error = StudentError(f"{type_name}: {text}")
    known = [
        (number, str(name)[:100])
        for number, name in (
            item
            for item in (lines if isinstance(lines, list) else [])
            if type(item) is tuple and len(item) == 2
        )
        if type(number) is int and 0 <= number < 1_000_000
    ]
    error.student_trace = StudentTrace(type_name, known)  # type: ignore[attr-defined]  # any class
    return error


def trace_of(error: BaseException) -> StudentTrace | None:
    """The student's trace, if the exception came from the student's code."""
    return getattr(error, "student_trace", None)
