"""`grade list`, `show` and `hint`: what they say, and how plainly they say it in a pipe."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from grader.cli import terminal

Run = Callable[..., Result]


def test_list_in_a_pipe_is_tabs(run: Run) -> None:
    assert run("list").output.splitlines() == [
        "topic\texercise\ttitle\tpoints\tdifficulty\tminutes",
        "first_steps\tdouble\tdouble it\t2\t1\t5",
        "first_steps\thalve\thalve it\t2\t1\t5",
        "next_steps\tscale\tscale it\t2\t1\t5",
    ]


def test_list_of_one_topic(run: Run) -> None:
    assert [line.split("\t")[1] for line in run("list", "--topic", "next_steps").output.splitlines()[1:]] == [
        "scale"
    ]


def test_list_as_json(run: Run) -> None:
    result = run("list", "--json", "--lang", "zh", "--topic", "next_steps")
    assert json.loads(result.output) == [
        {
            "id": "scale",
            "topic": "next_steps",
            "title": "练习 scale",
            "points": 2.0,
            "difficulty": 1,
            "minutes": 5,
            "requires": ["double"],
        }
    ]
    assert "练习" in result.output


def test_show_in_a_pipe_is_markdown(run: Run) -> None:
    assert run("show", "double").output == (
        "# double\n\nDo it: $$y_1 = 2x$$\n\n"
        '```python\ndef double(x: torch.Tensor) -> torch.Tensor:\n    """Change every element.\n\n'
        '    >>> double(torch.zeros(2))\n    tensor([0., 0.])\n    """\n```\n\n'
        "2 points, difficulty 1 of 5, about 5 minutes\n"
    )


def test_show_in_chinese(run: Run) -> None:
    output = run("show", "double", "--lang", "zh").output
    assert output.startswith("# double 练习\n")
    assert output.endswith("2 分，难度 1/5，约 5 分钟\n")


def test_show_gives_nothing_of_the_solution(run: Run) -> None:
    assert "x * 2" not in run("show", "double").output


def test_hints_come_in_steps(run: Run) -> None:
    steps = [run("hint", "double", *["--more"] * more).output.splitlines() for more in range(4)]
    assert steps[0][0] == "1/3  the concept of double"
    assert steps[0][-1] == "One hint more: grade hint double --more"
    assert steps[1][:2] == ["1/3  the concept of double", "2/3  the formula of double"]
    assert steps[1][-1] == "One hint more: grade hint double --more --more"
    assert steps[2][2] == "3/3  the line of double"
    assert "all the hints" in steps[2][-1]
    assert steps[3] == steps[2]


def test_hint_in_chinese(run: Run) -> None:
    assert run("hint", "double", "--lang", "zh").output.startswith("1/3  double 的概念\n")


class TestOnATerminal:
    @pytest.fixture(autouse=True)
    def looking(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(terminal, "is_terminal", lambda: True)
        monkeypatch.setenv("COLUMNS", "100")

    def test_list_is_a_table(self, run: Run) -> None:
        output = run("list").output
        assert "\t" not in output
        assert "─" in output

    def test_brackets_in_a_title_are_no_markup(self, run: Run, small_course: Path) -> None:
        path = small_course / "solutions/first_steps/double/exercise.toml"
        path.write_text(path.read_text(encoding="utf-8").replace("double it", "[bold]it"), encoding="utf-8")
        assert "[bold]it" in run("list").output

    def test_statement_is_rendered_and_formulas_are_left_alone(self, run: Run) -> None:
        output = run("show", "double").output
        assert "# double" not in output
        assert "y_1 = 2x" in output
        assert "$$" not in output
        assert "def double(x: torch.Tensor)" in output


def test_rich_is_for_terminals_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "rich"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rich", None)
    assert run("list").exit_code == 0
    assert run("show", "double").exit_code == 0
