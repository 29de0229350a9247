"""From whatever a test raised to an outcome and words that a beginner understands."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import pytest

from grader.course.stub import source_lines
from grader.errors import one_line
from grader.examiner.comparison import Mismatch
from grader.examiner.conversation import WorkerLost
from grader.examiner.student import MissingName
from grader.examiner.student_errors import trace_of
from grader.result import Outcome

_OUT_OF_MEMORY = (
    "can't allocate memory",
    "DefaultCPUAllocator",
    "out of memory",
    "OutOfMemoryError",
    "bad_alloc",
    # Two ways of C code that got none, and forgot to say so.
    "returned NULL without setting an exception",
    "error return without exception set",
)
_TEXT = 600
_TEXT_FOR_MARKS = 300
_NAME = 80
_QUOTED = 120

_NUMBER = r"(?:[-+]?(?:\d[\w.+-]*|inf|nan)|True|False)"
_BETWEEN = r"(?:[\s,;:\[\](){}]|tensor)+"
_NUMBERS = re.compile(f"{_NUMBER}(?:{_BETWEEN}{_NUMBER})+")
_FEW = 4
"""So many whole numbers in a row may be a shape."""
# Another one in each process: the same submission is to get the same words.
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")


@dataclass(frozen=True)
class Feedback:
    """What to say of one test that did not pass."""

    outcome: Outcome
    message: str
    students_fault: bool = True
    """False: the suite itself stumbled. Whose fault that is, the reference must tell."""


def explain(
    error: BaseException, source: str, filename: str, memory_mb: int, *, for_marks: bool = True
) -> Feedback:
    """Say in one line what a failed test means.

    Args:
        error: what the test raised.
        source: the student's source, to quote the line that raised.
        filename: what the student calls her file.
        memory_mb: the limit, for the message.
        for_marks: what the student's code said is cut short, and rows of numbers are left out: they may be
            hidden inputs. It keeps nobody from spelling them otherwise, a test's outcome at a time.
    """
    said = _explain(error, source, filename, memory_mb, for_marks)
    return replace(said, message=one_line(said.message))


def quote(source: str, number: int | None) -> str:
    """The line of that number, as the parser counts; empty where there is none."""
    lines = source_lines(source) if number else []
    return lines[number - 1].strip() if number and number <= len(lines) else ""


def _explain(error: BaseException, source: str, filename: str, memory_mb: int, for_marks: bool) -> Feedback:
    trace = trace_of(error)
    if trace is not None:
        return _explain_students_error(error, source, filename, memory_mb, for_marks)
    if isinstance(error, WorkerLost):
        return Feedback(error.cause, str(error))  # type: ignore[arg-type]  # its causes are outcomes
    if isinstance(error, Mismatch):
        text = _without_numbers(error.text, few=len(error.text)) if for_marks else error.text
        return Feedback("failed", f"{text} [{error.call}]" if error.call else text)
    if isinstance(error, MissingName):
        return Feedback("error", str(error))
    if isinstance(error, pytest.fail.Exception):
        return Feedback("failed", _did_not_raise(str(error)))
    if type(error).__name__ == "GradcheckError":
        return Feedback(
            "failed",
            "the gradient does not agree with finite differences (torch.autograd.gradcheck): the values are "
            "computed, but what backward returns is not their derivative",
        )
    if isinstance(error, AssertionError):
        text = str(error).strip()
        return Feedback("failed", text or "what this test is named after does not hold")
    return Feedback(
        "failed",
        f"the hidden test could not use what your code returned ({type(error).__name__}: "
        f"{_shown(str(error), for_marks)})",
        students_fault=False,
    )


def _explain_students_error(
    error: BaseException, source: str, filename: str, memory_mb: int, for_marks: bool
) -> Feedback:
    trace = trace_of(error)
    assert trace is not None
    # As text a KeyError puts its message in quotes.
    text = _shown(str(error.args[0] if error.args else error), for_marks)
    raised = f"{trace.type_name}: {text}"
    if isinstance(error, MemoryError) or any(mark in raised for mark in _OUT_OF_MEMORY):
        return Feedback(
            "memory",
            f"your code needs more than the {memory_mb} MiB it may use{_where(error, source, filename)}",
        )
    if trace.type_name in ("SystemExit", "KeyboardInterrupt"):
        return Feedback(
            "error", f"your code ended its process ({trace.type_name}){_where(error, source, filename)}"
        )
    if isinstance(error, RecursionError):
        text = "a function calls itself without end"
    if trace.type_name == "WireError":
        # What the worker's side of the wire says, without a line: the student's code has returned.
        return Feedback(
            "error",
            f"what your code returns cannot be handed to the grader: {text.removeprefix('WireError: ')}",
        )
    name = trace.type_name[:_NAME] if not text.startswith(trace.type_name) else ""
    said = f"{name}: {text}" if name and text else name or text
    return Feedback("error", f"your code raised {said}{_where(error, source, filename)}")


def _where(error: BaseException, source: str, filename: str) -> str:
    trace = trace_of(error)
    if trace is None or trace.line is None:
        return ""
    code = quote(source, trace.line)[:_QUOTED]
    return f" (line {trace.line} of {filename}: {code})" if code else f" (line {trace.line} of {filename})"


def _did_not_raise(text: str) -> str:
    if "DID NOT RAISE" in text:
        names = [
            name for name in re.findall(r"[A-Za-z_][\w.]*", text.partition("RAISE")[2]) if name != "class"
        ]
        wanted = " or ".join(names) or "an exception"
        return f"your code accepts what it should refuse: {wanted} is expected, and none came"
    return _cut(text)


def _shown(text: str, for_marks: bool) -> str:
    """What the student's code said, fit to be shown."""
    text = _ADDRESS.sub("0x...", text)
    return _cut(_without_numbers(text), _TEXT_FOR_MARKS) if for_marks else _cut(text)


def _without_numbers(text: str, few: int = _FEW) -> str:
    """The text without its rows of numbers: more than a few whole ones, or any with a point."""

    def cut(found: re.Match[str]) -> str:
        row = re.findall(_NUMBER, found[0])
        return "..." if len(row) > few or any("." in number or "e" in number for number in row) else found[0]

    return _NUMBERS.sub(cut, text)


def _cut(text: str, most: int = _TEXT) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
