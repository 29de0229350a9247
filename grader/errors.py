"""Every error that torchgrade raises on purpose.

    GraderError                  exit  what it means
    ├── UsageError                2    a name or an argument that means nothing here
    ├── CourseError               2    the course cannot be read: file, key and mend say where and what to do
    ├── SubmissionError           2    the submission cannot be read at all
    ├── DeviceError               2    the device asked for is not there
    ├── SuiteError                3    a hidden suite is broken, so nothing can be said of the student
    ├── IsolationError            3    fewer walls stand than the course asks for: refused, not graded
    ├── GradebookError            3    the gradebook cannot be read or written: what was graded before is kept
    └── UngradedError             3    grading began and could not be finished
        ├── WorkerStartError      3    no worker could be started
        └── WireError             3    what came over the wire is not a message

The message of each is one line that can be shown to a user as it is. What a student's code raises is never
one of these: it is a result, not an error.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import ClassVar

__all__ = [
    "CourseError",
    "DeviceError",
    "GradebookError",
    "GraderError",
    "IsolationError",
    "SubmissionError",
    "SuiteError",
    "UngradedError",
    "UsageError",
    "WireError",
    "WorkerStartError",
    "did_you_mean",
    "one_line",
]


def one_line(text: str) -> str:
    r"""The text on one line, with nothing in it that a terminal would obey.

    Messages quote names and texts from submissions, so control characters, escapes and marks that change the
    direction of writing are shown as `\x1b` and the like.
    """
    words = " ".join(text.split())
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in words)


def did_you_mean(word: str, known: Sequence[str], *, or_else: str | None = None) -> str:
    """A mend for a word that is not among the known ones: the nearest of them, or else what there is."""
    from difflib import get_close_matches

    near = get_close_matches(word, known, n=1)
    if near:
        return f"did you mean {near[0]!r}?"
    if or_else is not None:
        return or_else
    return "there are " + ", ".join(map(repr, known)) if known else "there are none"


class GraderError(Exception):
    """Anything that torchgrade can explain in one line; `exit_code` is what the command then returns."""

    exit_code: ClassVar[int] = 2

    def __init__(self, message: str) -> None:
        self.message = one_line(message)
        super().__init__(self.message)


class UsageError(GraderError):
    """A name or an argument on the command line means nothing here."""


class CourseError(GraderError):
    """The course cannot be read.

    The message is "file:line: key: problem: mend". `file` is relative to the course's folder where it lies in
    it, `key` is a dotted TOML key or the name of a definition, `mend` tells the author what to do.
    """

    def __init__(
        self,
        problem: str,
        *,
        file: str | PurePath,
        mend: str,
        key: str | None = None,
        line: int | None = None,
    ) -> None:
        self.file = file.as_posix() if isinstance(file, PurePath) else file
        self.key = key
        self.line = line
        self.problem = problem
        self.mend = mend
        place = self.file if line is None else f"{self.file}:{line}"
        super().__init__(": ".join(part for part in (place, key, problem, mend) if part))


class SubmissionError(GraderError):
    """The submission cannot be read at all: no such path, not a zip, too large."""


class DeviceError(GraderError):
    """The device asked for is not there."""


class SuiteError(GraderError):
    """A hidden suite is broken: it cannot be collected, or fails against its own reference."""

    exit_code = 3


class IsolationError(GraderError):
    """Fewer walls stand than the course asks for; grading is refused rather than done less safely."""

    exit_code = 3


class GradebookError(GraderError):
    """The gradebook cannot be read or written. What was graded before is kept."""

    exit_code = 3


class UngradedError(GraderError):
    """Grading began and could not be finished, by no fault of the student: never to be read as a zero."""

    exit_code = 3


class WorkerStartError(UngradedError):
    """No worker could be started."""


class WireError(UngradedError):
    """What came over the wire is not a message.

    Whoever reads from a worker catches this: there it is a failed test. It leaves the grader only where both
    ends are the grader's own.
    """
