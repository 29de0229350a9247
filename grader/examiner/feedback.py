"""From whatever a test raised to an outcome and words that a beginner understands."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from grader.examiner.comparison import Mismatch
from grader.examiner.conversation import WorkerLost
from grader.examiner.student import MissingName
from grader.examiner.student_errors import trace_of
from grader.result import Outcome

_OUT_OF_MEMORY = ("can't allocate memory", "DefaultCPUAllocator", "out of memory")
_TEXT = 600


@dataclass(frozen=True)
class Feedback:
    """What to say of one test that did not pass."""

    outcome: Outcome
    message: str
    students_fault: bool = True
    """False: the suite itself stumbled. Whose fault that is, the reference must tell."""


def explain(error: BaseException, source: str, filename: str, memory_mb: int) -> Feedback:
    """Say what a failed test means.

    Args:
        error: what the test raised.
        source: the student's source, to quote the line that raised.
        filename: what the student calls her file.
        memory_mb: the limit, for the message.
    """
    trace = trace_of(error)
    if trace is not None:
        return _explain_students_error(error, source, filename, memory_mb)
    if isinstance(error, WorkerLost):
        return Feedback(error.cause, str(error))  # type: ignore[arg-type]  # its causes are outcomes
    if isinstance(error, Mismatch):
        return Feedback("failed", f"{error.text} [{error.call}]" if error.call else error.text)
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
        f"the hidden test could not use what your code returned ({type(error).__name__}: {_cut(str(error))})",
        students_fault=False,
    )


def _explain_students_error(error: BaseException, source: str, filename: str, memory_mb: int) -> Feedback:
    trace = trace_of(error)
    assert trace is not None
    text = _cut(str(error))
    if isinstance(error, MemoryError) or any(mark in text for mark in _OUT_OF_MEMORY):
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
    name = trace.type_name if not text.startswith(trace.type_name) else ""
    said = f"{name}: {text}" if name and text else name or text
    return Feedback("error", f"your code raised {said}{_where(error, source, filename)}")


def _where(error: BaseException, source: str, filename: str) -> str:
    trace = trace_of(error)
    if trace is None or trace.line is None:
        return ""
    lines = source.splitlines()
    code = lines[trace.line - 1].strip() if 0 < trace.line <= len(lines) else ""
    return (
        f" (line {trace.line} of {filename}: {code[:120]})" if code else f" (line {trace.line} of {filename})"
    )


def _did_not_raise(text: str) -> str:
    if "DID NOT RAISE" in text:
        wanted = text.partition("DID NOT RAISE")[2].strip().strip("<>").replace("class ", "").strip("'")
        return (
            f"your code accepts what it should refuse: {wanted or 'an exception'} is expected, and none came"
        )
    return _cut(text)


def _cut(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT else line[: _TEXT - 3] + "..."
