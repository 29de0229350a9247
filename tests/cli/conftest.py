"""Running `grade`, in this process or in one of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from grader.cli.main import grade
from tests.small_course import fresh_python, small_course

__all__ = ["fresh_python", "run", "shell", "small_course"]


@pytest.fixture
def run(small_course: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`grade` in this process, inside the small course, in English."""
    monkeypatch.chdir(small_course)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.delenv("TORCHGRADE_DEBUG", raising=False)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(grade, list(arguments))

    return run


@pytest.fixture
def shell(
    small_course: Path, fresh_python: Callable[..., subprocess.CompletedProcess[str]]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`grade` as a process, inside the small course, with further environment variables."""
    return partial(fresh_python, "from grader.cli.main import main; main()", cwd=small_course)
