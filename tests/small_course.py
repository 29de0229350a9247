"""A small whole course in a temporary folder, and Python in a process of its own: for `course` and `cli`."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

COURSE = """\
[course]
id = "small"
title = { en = "A small course", zh = "小课程" }

[limits]
call_seconds = 4.0
memory_mb = 900

[[topics]]
id = "first_steps"
title = { en = "First steps", zh = "入门" }
exercises = ["double", "halve"]

[[topics]]
id = "next_steps"
title = { en = "Next steps", zh = "进阶" }
introduction = { en = "Now for real.", zh = "现在来真的。" }
exercises = ["scale"]
"""

EXERCISE = """\
title = {{ en = "{name} it", zh = "练习 {name}" }}
points = 2
difficulty = 1
minutes = 5
source = "N0, where it begins"
requires = [{requires}]
forbidden = ["torch.mul", "torch.Tensor.mul"]

[hints]
concept = {{ en = "the concept of {name}", zh = "{name} 的概念" }}
formula = {{ en = "the formula of {name}", zh = "{name} 的公式" }}
line = {{ en = "the line of {name}", zh = "{name} 的那一行" }}
"""

REFERENCE = '''\
"""{name}: one line on it."""

import torch


def {name}(x: torch.Tensor) -> torch.Tensor:
    """Change every element.

    >>> {name}(torch.zeros(2))
    tensor([0., 0.])
    """
    # solution begins
    return x * 2
    # solution ends
'''

WRONG_ANSWERS = """\
import torch
from grader import wrong_answer


@wrong_answer("leaves it as it is", zh="原样返回", hint="What changes?", hint_zh="什么变了？")
def {name}(x):
    return x
"""


def write_exercise(folder: Path, requires: str = "") -> None:
    """A complete exercise; its name is the folder's."""
    name = folder.name
    texts = {
        "exercise.toml": EXERCISE.format(name=name, requires=requires),
        "statement.md": f"# {name}\n\nDo it: $$y_1 = 2x$$\n",
        "statement.zh.md": f"# {name} 练习\n\n请完成。\n",
        "reference.py": REFERENCE.format(name=name),
        f"test_{name}.py": "def test_it(student): ...\n",
        "wrong_answers.py": WRONG_ANSWERS.format(name=name),
    }
    folder.mkdir(parents=True)
    for file, text in texts.items():
        (folder / file).write_text(text, encoding="utf-8")


@pytest.fixture
def small_course(tmp_path: Path) -> Path:
    """The folder of a whole course: three exercises in two topics, the third asking for the first."""
    root = tmp_path / "small"
    write_exercise(root / "solutions/first_steps/double")
    write_exercise(root / "solutions/first_steps/halve")
    write_exercise(root / "solutions/next_steps/scale", requires='"double"')
    (root / "course.toml").write_text(COURSE, encoding="utf-8")
    return root


@pytest.fixture
def fresh_python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs code in a process of its own, with further environment variables, and hands back what it said."""

    def run(
        code: str, *arguments: str, cwd: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            cwd=cwd,
            env={**os.environ, "PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8", **environment},
        )

    return run
