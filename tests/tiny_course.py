"""A course of exercises that all ask for twice as much, and answers to them: for what grades."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from grader.course.load import Course, load_course

COURSE = """\
[course]
id = "tiny"
title = { en = "A tiny course", zh = "小课程" }
minimum_isolation = MINIMUM

[limits]
call_seconds = 1.5
exercise_seconds = 10.0
memory_mb = 256

[[topics]]
id = "first"
title = { en = "First", zh = "一" }
exercises = [NAMES]
"""

EXERCISE = """\
title = { en = "NAME it", zh = "练习" }
points = POINTS
difficulty = 1
minutes = 5
source = "N0"
MORE
[hints]
concept = { en = "c", zh = "c" }
formula = { en = "f", zh = "f" }
line = { en = "l", zh = "l" }
"""

REFERENCE = '''\
"""NAME: twice as much."""

import torch


def NAME(x: torch.Tensor) -> torch.Tensor:
    """Twice x.

    >>> NAME(torch.ones(2))
    tensor([2., 2.])
    """
    # solution begins
    if x.dim() == 0:
        raise ValueError("x has no dim")
    return 2 * x
    # solution ends
'''

WRONG_ANSWERS = """\
from grader import wrong_answer


@wrong_answer("returns it as it came", zh="原样返回", hint="What changes?", hint_zh="什么变了？")
def NAME(x):
    return x
"""

SUITE = """\
import pytest
from grader import agree


def test_small(student, reference, make):
    agree(student.NAME, reference.NAME)(make.randn(3, requires_grad=True))


@pytest.mark.points(2)
def test_large(student, reference, make):
    agree(student.NAME, reference.NAME)(make.randn(40, requires_grad=True))


def test_empty(student, reference, make):
    agree(student.NAME, reference.NAME)(make.randn(0, requires_grad=True))


def test_scalar_refused(student, make):
    with pytest.raises(ValueError):
        student.NAME(make.tensor(3.0))
"""

_HEAD = """\
import os, sys, time
import torch

def double(x):
    if x.dim() == 0:
        raise ValueError('no dim')
"""


class TinyExercise(NamedTuple):
    """What tells one exercise from another: `more` goes into its `exercise.toml`."""

    points: float = 5
    more: str = ""
    suite: str = SUITE


def answer(*lines: str, name: str = "double") -> str:
    """An answer that is right but for the lines put in before its return."""
    inside = "".join(f"    {line}\n" for line in lines)
    return (_HEAD + inside + "    return x + x\n").replace("double", name)


GOOD = answer()


def write_course(root: Path, exercises: Mapping[str, TinyExercise], *, minimum_isolation: int = 0) -> Course:
    """Write a course into a folder that is not there yet, and load it."""
    for name, exercise in exercises.items():
        folder = root / "solutions/first" / name
        folder.mkdir(parents=True)
        texts = {
            "exercise.toml": EXERCISE.replace("POINTS", str(exercise.points)).replace("MORE", exercise.more),
            "reference.py": REFERENCE,
            f"test_{name}.py": exercise.suite,
            "wrong_answers.py": WRONG_ANSWERS,
            "statement.md": "# NAME\n",
            "statement.zh.md": "# NAME\n",
        }
        for file, text in texts.items():
            (folder / file).write_text(text.replace("NAME", name), encoding="utf-8")
    names = ", ".join(f'"{name}"' for name in exercises)
    text = COURSE.replace("NAMES", names).replace("MINIMUM", str(minimum_isolation))
    (root / "course.toml").write_text(text, encoding="utf-8")
    return load_course(root)
