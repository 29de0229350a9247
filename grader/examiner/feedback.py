"""From whatever a test raised to an outcome and words that a beginner understands."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import pytest

from grader.course.load import Exercise
from grader.course.stub import source_lines
from grader.errors import one_line
from grader.examiner.comparison import Mismatch
from grader.examiner.comparison_texts import assertion_text, mismatch_text
from grader.examiner.conversation import WorkerLost
from grader.examiner.error_texts import (
    Known,
    known_in_line,
    known_numbers,
    known_words,
    raised_constant,
    shown_text,
    shown_type,
)
from grader.examiner.student import MissingName
from grader.examiner.student_errors import StudentTrace, lacks_memory, trace_of
from grader.result import Outcome

_TEXT = 600
_NAME = 80
_QUOTED = 120
_MOST_DEFINED = 16
"""So many functions and classes of the student's may be named in an error, wherever it was raised."""
_NOT_SHOWN = "its text is not shown for marks; `grade check` shows it"
_UNREADABLE = "your code's process sent something unreadable"

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
    error: BaseException,
    source: str,
    filename: str,
    memory_mb: int,
    *,
    for_marks: bool = True,
    context: Context | None = None,
    loading: bool = False,
) -> Feedback:
    """Say in one line what a failed test means.

    Args:
        error: what the test raised.
        source: the student's source, to quote the line that raised.
        filename: what the student calls her file.
        memory_mb: the limit, for the message.
        for_marks: of what the student's code said only what `error_texts` and `comparison_texts` know is
            shown: it may spell out hidden inputs.
        context: what may be shown of it all the same.
        loading: it came of running the student's file, before any test: then no hidden input can be in it.
    """
    if loading and trace_of(error) is not None:
        for_marks = False
    said = _Explainer(source, filename, memory_mb, context if for_marks else None, for_marks).explain(error)
    return replace(said, message=one_line(said.message))


def quote(source: str, number: int | None) -> str:
    """The line of that number, as the parser counts; empty where there is none."""
    lines = source_lines(source) if number else []
    return lines[number - 1].strip() if number and number <= len(lines) else ""


@dataclass(frozen=True)
class Context:
    """What surrounds an exercise's tests and is in none of the hidden inputs."""

    known: Known
    words: frozenset[str]
    """That stand in the suite, the stub and the props."""


@lru_cache(maxsize=64)
def context_of(exercise: Exercise) -> Context:
    """What may be shown for an exercise."""
    props = exercise.props_source or ""
    stub = exercise.stub_source
    return Context(
        Known(known_words(stub), known_numbers(exercise.suite_source, stub, props)),
        known_words(stub, exercise.suite_source, props),
    )


_NOTHING = Context(Known(frozenset(), frozenset()), frozenset())


@dataclass(frozen=True)
class _Explainer:
    source: str
    filename: str
    memory_mb: int
    context: Context | None
    for_marks: bool

    @property
    def known(self) -> Context:
        return self.context or _NOTHING

    def explain(self, error: BaseException) -> Feedback:
        if trace_of(error) is not None:
            return self.explain_students_error(error)
        if isinstance(error, WorkerLost):
            said = str(error)
            if self.for_marks and said.startswith(_UNREADABLE):
                said = _UNREADABLE
            return Feedback(error.cause, said)  # type: ignore[arg-type]  # its causes are outcomes
        if isinstance(error, Mismatch):
            if self.for_marks:
                return Feedback("failed", _cut(mismatch_text(error, self.known.known)))
            return Feedback("failed", f"{error.text} [{error.call}]" if error.call else error.text)
        if isinstance(error, MissingName):
            return Feedback("error", str(error))
        if isinstance(error, pytest.fail.Exception):
            return Feedback("failed", self.did_not_raise(str(error)))
        if type(error).__name__ == "GradcheckError":
            return Feedback(
                "failed",
                "the gradient does not agree with finite differences (torch.autograd.gradcheck): the values are "
                "computed, but what backward returns is not their derivative",
            )
        if isinstance(error, AssertionError):
            text = str(error).strip()
            if self.for_marks and text.startswith("Regex pattern did not match"):
                text = "your code raises what it should, and its text is not the one asked for"
            elif self.for_marks:
                text = assertion_text(text, self.known.words)
            return Feedback("failed", _cut(text) or "what this test is named after does not hold")
        return Feedback(
            "failed",
            f"the hidden test could not use what your code returned ({self.said(error)})",
            students_fault=False,
        )

    def said(self, error: BaseException) -> str:
        """An exception of the examiner's own side: the student's values may be in its text."""
        if not self.for_marks:
            return f"{type(error).__name__}: {_shown(str(error))}"
        name = shown_type(type(error).__name__)
        known = self.known.known
        text = shown_text(str(error), replace(known, names=known.names | self.known.words))
        return ": ".join(part for part in (name, text) if part) or "of another kind"

    def explain_students_error(self, error: BaseException) -> Feedback:
        trace = trace_of(error)
        assert trace is not None
        # As text a KeyError puts its message in quotes.
        text = _shown(str(error.args[0] if error.args else error))
        raised = f"{trace.type_name}: {text}"
        where = self.where(error)
        if isinstance(error, MemoryError) or lacks_memory(raised):
            return Feedback("memory", f"your code needs more than the {self.memory_mb} MiB it may use{where}")
        if trace.type_name in ("SystemExit", "KeyboardInterrupt"):
            return Feedback("error", f"your code ended its process ({trace.type_name}){where}")
        if isinstance(error, RecursionError):
            text = "a function calls itself without end"
        elif self.for_marks:
            text = self.checked(text.removeprefix(f"{trace.type_name}: "), trace)
        if trace.type_name == "WireError":
            # What the worker's side of the wire says, without a line: the student's code has returned.
            return Feedback(
                "error",
                f"what your code returns cannot be handed to the grader: {text.removeprefix('WireError: ')}",
            )
        if self.for_marks:
            name = shown_type(trace.type_name) or "an exception of another type"
        else:
            name = trace.type_name[:_NAME] if not text.startswith(trace.type_name) else ""
        said = f"{name}: {text}" if name and text else name or text
        return Feedback("error", f"your code raised {said}{where}")

    def checked(self, text: str, trace: StudentTrace) -> str:
        """What the student's code said, if it is one of the texts that may be shown."""
        if not text or text == trace.type_name:
            return ""
        line = quote(self.source, trace.line)
        if trace.type_name == "WireError":
            # There is no line; sizes of what is returned are often written out somewhere.
            line = " ".join(re.findall(r"(?<![\w.])\d[\d_]*", self.source)[:8])
        if line and text == _shown(raised_constant(self.source, trace.line) or ""):
            return text
        known = known_in_line(line, self.known.known)
        defined = re.findall(r"^\s*(?:class|def)\s+(\w{1,60})", self.source, re.MULTILINE)[:_MOST_DEFINED]
        known = replace(known, names=known.names | frozenset(defined))
        if trace.type_name == "KeyError" and text in {part.strip("'\"") for part in known.names}:
            return text
        return shown_text(text, known) or _NOT_SHOWN

    def where(self, error: BaseException) -> str:
        trace = trace_of(error)
        if trace is None or trace.line is None:
            return ""
        code = quote(self.source, trace.line)[:_QUOTED]
        if code:
            return f" (line {trace.line} of {self.filename}: {code})"
        # The number of a line that is not there is what somebody made of it.
        return "" if self.for_marks else f" (line {trace.line} of {self.filename})"

    def did_not_raise(self, text: str) -> str:
        if "DID NOT RAISE" in text:
            return _did_not_raise(text)
        return _cut(assertion_text(text, self.known.words) if self.for_marks else text)


def _did_not_raise(text: str) -> str:
    if "DID NOT RAISE" in text:
        names = [
            name for name in re.findall(r"[A-Za-z_][\w.]*", text.partition("RAISE")[2]) if name != "class"
        ]
        wanted = " or ".join(names) or "an exception"
        return f"your code accepts what it should refuse: {wanted} is expected, and none came"
    return _cut(text)


def _shown(text: str) -> str:
    """What the student's code said, on one line and without addresses."""
    return _cut(_ADDRESS.sub("0x...", text))


def _cut(text: str, most: int = _TEXT) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 3] + "..."
