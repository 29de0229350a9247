"""Answers that are the same across students: what is one, and what is no evidence."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from grader.course.load import Course, load_course
from grader.errors import UsageError
from grader.gradebook.identical import IdenticalAnswers, write_identical
from grader.gradebook.syntax_shape import shape_of
from tests.tiny_course import TinyExercise, write_course

ROOT = Path(__file__).resolve().parents[2]

PLAIN = """\
import torch
import torch.nn.functional as F

LIMIT = 8

def _reach(kernel, gap):
    return gap * (kernel - 1) + 1

def double(x, scale=2.0):
    total = torch.zeros_like(x)
    for index, row in enumerate(x):
        if row.sum() > LIMIT:
            total[index] = F.relu(row) * scale
        else:
            total[index] = row * _reach(3, 2) + sum(each ** 2 for each in row)
    try:
        check = [value for value in total if value.any()]
    except (ValueError, TypeError) as error:
        raise RuntimeError("no") from error
    return total if check else x + x
"""

# The same, as somebody would have it who does not want it to look the same.
DISGUISED = (
    '''\
# -*- coding: utf-8 -*-
"""My own work."""
from __future__ import annotations
from torch.nn import functional
import typing as t
import numpy, torch as th


MAXIMUM: int = 8   # a comment


def unused(a):
    print(a)


def double(x: th.Tensor, scale: float = 2.) -> "t.Optional[th.Tensor]":
    """Twice x."""
    out: th.Tensor = th.zeros_like(x)

    for k, r in enumerate(
        x
    ):
        if (r.sum() > MAXIMUM): out[k] = functional.relu(r) * scale
        else:
            "in words: the rest"
            out[k] = r * helper(3, 2) + sum((e ** 2) for e in r)
    try:
        left = [v for v in out if v.any()]
    except (ValueError, TypeError) as e:
        raise RuntimeError('no') from e
    return out if left else x + x


def helper(size: int, hole: int):
    return hole * (size - 1) + 1


if __name__ == "__main__":
    print(double(th.ones(3)))
'''.replace("def double(x: th.Tensor, scale", "def double(inputs: th.Tensor, factor")
    .replace("zeros_like(x)", "zeros_like(inputs)")
    .replace("        x\n", "        inputs\n")
    .replace("* scale", "* factor")
    .replace("x + x", "inputs + inputs")
)


def shape(source: str) -> bytes:
    found = shape_of(source, ["double"])
    assert found is not None
    return found.digest


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    return write_course(
        tmp_path_factory.mktemp("course") / "course", {"double": TinyExercise(), "twice": TinyExercise()}
    )


# -- what is the same -------------------------------------------------------------------------------------


def test_a_disguise_does_not_help() -> None:
    assert shape(PLAIN) == shape(DISGUISED)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 8", "LIMIT = 9"),
        ("scale=2.0", "scale=2"),
        ("** 2", "** 3"),
        ("gap * (kernel - 1) + 1", "gap * (kernel - 1) - 1"),
        ("F.relu", "F.gelu"),
        ("> LIMIT", ">= LIMIT"),
        ("x + x", "x * 2"),
        ("total if check", "x if check"),
        ("_reach(3, 2)", "_reach(2, 3)"),
        ("row * _reach", "total * _reach"),
        ('"no"', '"yes"'),
        (".any()", ".all()"),
        ("        else:\n", "        elif scale:\n"),
    ],
)
def test_what_computes_something_else_is_something_else(old: str, new: str) -> None:
    assert old in PLAIN
    assert shape(PLAIN.replace(old, new)) != shape(PLAIN)


def test_names_are_those_of_their_own_scope() -> None:
    first = "def double(x):\n    def f(a):\n        return a + x\n    return f(x)\n"
    second = "def double(a):\n    def x(b):\n        return b + a\n    return x(a)\n"
    third = "def double(x):\n    def f(a):\n        return a + a\n    return f(x)\n"
    assert shape(first) == shape(second) != shape(third)


def test_match_statements_and_classes_are_read_too() -> None:
    def written(a: str, b: str, method: str = "forward", back: str = "") -> str:
        lines = ("class double:", f" def {method}(self, x):", "  match x:", f"   case [{a}, *{b}]:")
        return "\n".join((*lines, f"    return {back or a}\n"))

    assert shape(written("a", "b")) == shape(written("first", "rest"))
    assert shape(written("a", "b")) != shape(written("a", "b", back="b"))
    assert shape(written("a", "b")) != shape(written("a", "b", method="backward"))  # others call it so


@pytest.mark.parametrize(
    "source",
    [
        "def double(x:\n",
        "x = 1\n",
        "",
        "\0",
        "def double(x): return " + "(" * 5000,
        "def double(x): return " + "-" * 50_000 + "1",
        "def double(x): return " + "x+" * 20_000 + "x",
        "def double(x): return 0x" + "f" * 20_000,
        "double = 'half \ud83d of a pair'",
    ],
    ids=[
        "no Python",
        "another name",
        "empty",
        "nul",
        "brackets",
        "minuses",
        "a long sum",
        "a long number",
        "surrogate",
    ],
)
def test_whatever_is_handed_in_is_read_or_left_out(course: Course, source: str) -> None:
    found = IdenticalAnswers(course)
    found.add("ann", {"double": source})
    found.add("bob", {"double": source})
    assert [group.students for group in found.groups()] in ([], [("ann", "bob")])


# -- what is evidence -------------------------------------------------------------------------------------


def test_students_with_the_same_answer_are_a_group(course: Course) -> None:
    found = IdenticalAnswers(course)
    found.add("zoe", {"double": PLAIN, "twice": PLAIN.replace("double", "twice")})
    found.add("ann", {"double": DISGUISED})
    found.add("bob", {"double": PLAIN.replace("8", "7")})
    found.add("zoe", {"double": PLAIN + "# once more\n"})
    (group,) = found.groups()
    assert (group.exercise, group.students) == ("double", ("ann", "zoe"))
    assert group.nodes > 60
    assert str(group.nodes) in group.how("en")
    assert str(group.nodes) in group.how("zh")
    assert found.left_out() == []


def test_ones_own_attempts_are_no_group(course: Course) -> None:
    found = IdenticalAnswers(course)
    for source in (PLAIN, DISGUISED, PLAIN):
        found.add("ann", {"double": source})
    assert found.groups() == []


def test_what_is_no_evidence_is_left_out_and_counted(course: Course) -> None:
    exercise = course.exercise("double")
    found = IdenticalAnswers(course)
    given = {
        "stub": exercise.stub_source,
        "reference": exercise.reference_source,
        "wrong_answer": exercise.wrong_answers[0].source,
        "short": "def double(x):\n    y = x\n    return y + y\n",
        "unreadable": "def double(x:\n",
    }
    for student in ("ann", "bob"):
        for source in given.values():
            found.add(student, {"double": source, "an exercise of last year": PLAIN})
    assert found.groups() == []
    assert {one.reason: one.answers for one in found.left_out()} == dict.fromkeys(given, 1)


def test_right_answers_that_were_written_apart_are_no_group() -> None:
    # Of the course that ships: each exercise answered in several styles, each style by "another student".
    found = IdenticalAnswers(load_course(ROOT))
    count = 0
    for path in sorted(ROOT.glob("tests/right_answers/*/*.py")):
        found.add(path.stem, {path.parent.name: path.read_text(encoding="utf-8")})
        count += 1
    assert count > 70
    assert found.groups() == []
    # Most of them are looked at, and the shortest exercise is not.
    short = {one.exercise: one.answers for one in found.left_out() if one.reason == "short"}
    assert sum(short.values()) < count / 3
    assert short["train_step"] == 4


def test_it_holds_hashes_and_no_sources(course: Course) -> None:
    found = IdenticalAnswers(course)
    found.add("ann", {"double": PLAIN})
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for number in range(200):
            found.add(f"s{number}", {"double": f"{PLAIN}\n# {number}{'x' * 10_000}\n"})
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert grown < 500_000  # the sources are two million
    assert [len(group.students) for group in found.groups()] == [201]


def test_it_is_written_for_a_human(course: Course, tmp_path: Path) -> None:
    found = IdenticalAnswers(course)
    found.add("安娜", {"double": PLAIN})
    found.add("bob", {"double": PLAIN, "twice": "def twice(x): return x + x"})
    write_identical(found, tmp_path / "identical.json")
    record = json.loads((tmp_path / "identical.json").read_text(encoding="utf-8"))
    assert "proves nothing by itself" in record["about"]
    (group,) = record["groups"]
    assert (group["exercise"], group["students"]) == ("double", ["bob", "安娜"])
    assert record["left_out"] == [{"exercise": "twice", "reason": "short", "answers": 1}]
    assert [each.name for each in tmp_path.iterdir()] == ["identical.json"]
    with pytest.raises(UsageError, match="cannot be written"):
        write_identical(found, tmp_path / "not here" / "identical.json")


@pytest.mark.slow
def test_grade_batch_tells_of_them(course: Course, tmp_path: Path) -> None:
    right = PLAIN.replace("    return total if check else x + x", "    return x + x")
    for student, source in {
        "ann": right,
        "bob": right + "# mine\n",
        "zoe": "def double(x): return x + x",
    }.items():
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "double.py").write_text(source)
    command = [sys.executable, "-m", "grader", "batch", str(tmp_path / "class"), "--course", str(course.root)]
    done = subprocess.run([*command, "--jobs", "1"], capture_output=True, text=True, cwd=ROOT, check=False)
    place = tmp_path / "class-graded" / "identical.json"
    assert f"identical across students: 1 group to look at: {place}" in done.stdout, done.stderr
    assert json.loads(place.read_text())["groups"][0]["students"] == ["ann", "bob"]
