"""The gradebook that a command reads, and the marks in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

if TYPE_CHECKING:
    from grader.course.load import Course
    from grader.gradebook.marks import Mark
    from grader.gradebook.store import Gradebook

__all__ = ["GRADEBOOK", "find_gradebook", "gradebook_option", "marks_of", "write_whole"]

GRADEBOOK = "gradebook.sqlite"
"""What `grade batch` calls it."""

Command = TypeVar("Command", bound=Callable[..., object])


def gradebook_option(command: Command) -> Command:
    """`--gradebook FILE`: the command takes `gradebook: str | None`."""
    return click.option(
        "--gradebook",
        metavar="FILE",
        help="A gradebook, the folder of one, or a database's URL; by default the one here or in a folder here.",
    )(command)


def find_gradebook(named: str | None) -> str | Path:
    """Where the gradebook is.

    Raises:
        UsageError: the one that is named is not there; or none is, and there is none here, or more than one.
    """
    from grader.errors import UsageError

    if named is not None:
        if "://" in named:
            return named
        path = Path(named) / GRADEBOOK if Path(named).is_dir() else Path(named)
        if not path.exists():
            raise UsageError(f"there is no gradebook {path}: name another, or make one with `grade batch`")
        return path
    here = Path(GRADEBOOK)
    found = [here] if here.is_file() else sorted(Path().glob(f"*/{GRADEBOOK}"))
    if len(found) == 1:
        return found[0]
    if not found:
        raise UsageError(
            "there is no gradebook here: name it with --gradebook, or make one with `grade batch`"
        )
    listed = ", ".join(str(path.parent) for path in found[:4])
    raise UsageError(f"there are several gradebooks here ({listed}): say which with --gradebook")


def marks_of(course: Course, book: Gradebook, *, as_students_see: bool = True) -> Iterator[Mark]:
    """The marks of a course under its policy, one for each student.

    Args:
        course: the course.
        book: where its attempts are.
        as_students_see: results are cut to what the course lets students see.
    """
    from dataclasses import replace

    from grader.course.feedback_level import as_shown
    from grader.gradebook.marking import marks

    level = course.manifest.course.feedback
    for mark in marks(book.attempts(course.manifest.course.id), course.manifest.policy):
        yield replace(mark, result=as_shown(mark.result, level)) if as_students_see else mark


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a program may be waiting for it.

    Raises:
        UsageError: it cannot be written.
    """
    import os

    from grader.errors import UsageError

    part = path.with_name(f".{path.name}.part")
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UsageError(
            f"{path} cannot be written ({error.strerror}): name another, in a folder that you may write to"
        ) from None
