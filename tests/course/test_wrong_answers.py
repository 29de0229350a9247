"""Reading wrong answers: each becomes a module of its own, and nothing is run on the way."""

from __future__ import annotations

import pytest

from grader import wrong_answer
from grader.course import WrongAnswer, read_wrong_answers
from grader.errors import CourseError

REFERENCE = '''\
"""Two names."""

from __future__ import annotations

SCALE = 2


def _scaled(x):
    return x * SCALE


def encode(x):
    """Code."""
    return _scaled(x)


def decode(x):
    """Uncode."""
    return x / SCALE
'''

WRONG = '''\
# ruff: noqa: F811  each misconception defines the exercise's name anew
"""What goes wrong."""

from __future__ import annotations

import math

from grader import wrong_answer

ROOT = math.sqrt(4)


def _plus(x):
    return x + ROOT


@wrong_answer("adds", zh="用了加法", hint="Is it a sum?", hint_zh="这是和吗？")
def encode(x):
    return _plus(x)


@wrong_answer(
    "turns both round",
    zh="两个方向颠倒",
    hint="Which way "
    "round?",
    hint_zh="方向？",
)
def encode(x):
    return x / SCALE


@wrong_answer("turns both round", zh="两个方向颠倒", hint="Which way round?", hint_zh="方向？")
def decode(x):
    return _scaled(x)
'''


TEXTS = 'zh="b", hint="c", hint_zh="d"'
MARK = f'@wrong_answer("a", {TEXTS})\n'


def read(source: str = WRONG) -> tuple[WrongAnswer, ...]:
    return read_wrong_answers(source, REFERENCE, ("encode", "decode"))


def run(wrong: WrongAnswer) -> dict[str, object]:
    namespace: dict[str, object] = {"__name__": "answer"}
    exec(compile(wrong.source, "answer.py", "exec", dont_inherit=True), namespace)
    return namespace


def test_each_misconception_is_a_complete_module() -> None:
    adds, _ = read()
    assert (adds.misconception, adds.zh, adds.hint, adds.hint_zh) == (
        "adds",
        "用了加法",
        "Is it a sum?",
        "这是和吗？",
    )
    assert adds.names == ("encode",)
    names = run(adds)
    assert names["encode"](3) == 5  # type: ignore[operator]  # a function
    assert names["decode"](6) == 3  # type: ignore[operator]  # the reference's


def test_definitions_with_one_misconception_go_together() -> None:
    _, both = read()
    assert both.names == ("encode", "decode")
    names = run(both)
    assert names["encode"](6) == 3  # type: ignore[operator]  # a function
    assert names["decode"](3) == 6  # type: ignore[operator]  # a function


def test_module_shows_nothing_of_the_grader_or_of_other_misconceptions() -> None:
    for wrong in read():
        assert "wrong_answer(" not in wrong.source
        assert "from grader" not in wrong.source
    assert "_plus(x)\n\n\n@" not in read()[0].source
    assert "x / SCALE" not in read()[0].source.partition("ROOT")[2]


def test_future_imports_stand_at_the_top() -> None:
    assert read()[0].source.startswith("from __future__ import annotations\n")
    assert read()[0].source.count("__future__") == 1


def test_other_decorators_stay() -> None:
    source = (
        "from grader import wrong_answer\n\n\ndef twice(f):\n    return lambda x: f(f(x))\n\n\n"
        '@wrong_answer("a", zh="b", hint="c", hint_zh="d")\n@twice\ndef encode(x):\n    return x + 1\n'
    )
    assert run(read(source)[0])["encode"](1) == 3  # type: ignore[operator]  # a function


def test_file_is_not_run() -> None:
    assert len(read("raise SystemExit\n" + MARK + "def encode(x): ...\n")) == 1


def test_file_without_misconceptions_has_none() -> None:
    assert read("import torch\n") == ()


def test_decorator_only_marks() -> None:
    @wrong_answer("a", zh="b", hint="c", hint_zh="d")
    def encode(x: int) -> int:
        return x + 1

    @wrong_answer("a", zh="b", hint="c", hint_zh="d")
    class Encoder: ...

    assert encode(1) == 2
    assert isinstance(Encoder(), Encoder)


FAULTS = {
    "did you mean 'encode'?": MARK + "def encoed(x): ...\n",
    "hint_zh is missing": '@wrong_answer("a", zh="b", hint="c")\ndef encode(x): ...\n',
    "misconception is missing": f"@wrong_answer({TEXTS})\ndef encode(x): ...\n",
    "hnit is not an argument: did you mean 'hint'": '@wrong_answer("a", hnit="")\ndef encode(x): ...\n',
    "** is not an argument": f'@wrong_answer("a", **x, {TEXTS})\ndef encode(x): ...\n',
    "zh is not a text": '@wrong_answer("a", zh=f"{b}", hint="c", hint_zh="d")\ndef encode(x): ...\n',
    "misconception is not a text": f'@wrong_answer(" ", {TEXTS})\ndef encode(x): ...\n',
    "has no arguments": "@wrong_answer\ndef encode(x): ...\n",
    "is defined twice for one misconception": (MARK + "def encode(x): ...\n") * 2,
    "has other texts than the first": (
        MARK + 'def encode(x): ...\n@wrong_answer("a", zh="b", hint="c", hint_zh="e")\ndef decode(x): ...\n'
    ),
    "something else of grader": "from grader import agree\n",
    'write "from grader import wrong_answer", alone': "import grader.course\n",
    "is not Python": "def f(:",
}


@pytest.mark.parametrize("message", FAULTS)
def test_bad_file_is_refused(message: str) -> None:
    with pytest.raises(CourseError) as raised:
        read(FAULTS[message])
    assert message in raised.value.message
    assert raised.value.message.startswith("wrong_answers.py:")
    assert raised.value.line is not None
