"""The errors: one line each, and an exit code that says whose fault it was."""

from __future__ import annotations

import inspect
from pathlib import PurePosixPath

import pytest

from grader import errors

ALL = [value for value in vars(errors).values() if inspect.isclass(value) and issubclass(value, Exception)]
GRADERS_FAULT = {
    "GradebookError",
    "IsolationError",
    "SuiteError",
    "UngradedError",
    "WireError",
    "WorkerStartError",
}


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_every_error_is_in_the_tree_and_in_all(error: type[Exception]) -> None:
    assert issubclass(error, errors.GraderError)
    assert error.__name__ in (errors.__doc__ or "")
    assert error.__name__ in errors.__all__


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_exit_code_is_3_where_the_grader_could_not_grade(error: type[errors.GraderError]) -> None:
    assert error.exit_code == (3 if error.__name__ in GRADERS_FAULT else 2)


def test_message_is_one_line_that_no_terminal_obeys() -> None:
    error = errors.GraderError("a\nb\t c \x1b[2J \u202e\x00 中文")
    assert error.message == str(error) == "a b c \\x1b[2J \\u202e\\x00 中文"


def test_course_error_names_file_line_key_and_mend() -> None:
    error = errors.CourseError(
        "is odd", file=PurePosixPath("a/b.toml"), key="x.y", line=3, mend="make it even"
    )
    assert error.message == "a/b.toml:3: x.y: is odd: make it even"
    assert (error.file, error.key, error.line, error.problem, error.mend) == (
        "a/b.toml",
        "x.y",
        3,
        "is odd",
        "make it even",
    )


def test_did_you_mean() -> None:
    assert errors.did_you_mean("sofmax", ["softmax", "linear"]) == "did you mean 'softmax'?"
    assert errors.did_you_mean("zzz", ["softmax", "linear"]) == "there are 'softmax', 'linear'"
    assert errors.did_you_mean("zzz", ["softmax"], or_else="look there") == "look there"
    assert errors.did_you_mean("zzz", []) == "there are none"
