"""Gradescope's results, held against a schema written from its documentation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest

from grader.errors import UngradedError, UsageError
from grader.gradebook.exports import Gradescope, class_results, results_json
from grader.gradebook.exports.gradescope import Visibility
from tests.gradebook.exports.marks_to_export import HOSTILE_NAMES, mark, softmax, ungraded_mark

FORMAT = {"enum": ["text", "html", "simple_format", "md", "ansi"]}
VISIBILITY = {"enum": ["hidden", "after_due_date", "after_published", "visible"]}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "score": {"type": "number"},
        "execution_time": {"type": "integer", "minimum": 0},
        "output": {"type": "string"},
        "output_format": FORMAT,
        "test_output_format": FORMAT,
        "test_name_format": FORMAT,
        "visibility": VISIBILITY,
        "stdout_visibility": VISIBILITY,
        "extra_data": {"type": "object"},
        "tests": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "score": {"type": "number"},
                    "max_score": {"type": "number"},
                    "status": {"enum": ["passed", "failed"]},
                    "name": {"type": "string"},
                    "name_format": FORMAT,
                    "number": {"type": "string", "pattern": r"^[\d.]+$"},
                    "output": {"type": "string"},
                    "output_format": FORMAT,
                    "tags": {"type": "array", "items": {"type": "string"}},
                    "visibility": VISIBILITY,
                    "extra_data": {"type": "object"},
                },
            },
        },
        "leaderboard": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string"},
                    "value": {"type": ["number", "string"]},
                    "order": {"enum": ["asc", "desc"]},
                },
            },
        },
    },
    "anyOf": [
        {"required": ["score"]},
        {"required": ["tests"], "properties": {"tests": {"items": {"required": ["score"]}}}},
    ],
}


def read(text: str) -> dict[str, Any]:
    content = json.loads(text, parse_constant=pytest.fail)
    jsonschema.Draft202012Validator(SCHEMA).validate(content)
    assert isinstance(content, dict)
    return content


def test_results_are_as_gradescope_documents_them() -> None:
    content = read(results_json(mark(), Gradescope(leaderboard=True), execution_seconds=1.6))
    assert content["score"] == 2
    assert content["execution_time"] == 2
    assert content["leaderboard"] == [{"name": "Score", "value": 2.0, "order": "desc"}]
    assert [test["number"] for test in content["tests"]] == ["1.1", "1.2", "2"]
    assert [test["score"] for test in content["tests"]] == [2, 0, 0]
    assert [test["max_score"] for test in content["tests"]] == [2, 1, 4]
    assert [test["status"] for test in content["tests"]] == ["passed", "failed", "failed"]
    failed = content["tests"][1]
    assert failed["name"] == "softmax: large logits"
    assert failed["tags"] == ["losses", "softmax"]
    assert failed["output"].splitlines() == [
        "2 of 6 elements differ",
        "Perhaps: divides by the sum over all elements",
        "Hint: along which dim?",
    ]


def test_the_seed_is_not_given_away() -> None:
    assert "secret-seed" not in results_json(mark())


@pytest.mark.parametrize("visibility", get_args(Visibility))
def test_who_sees_the_tests_is_chosen(visibility: Visibility) -> None:
    content = read(results_json(mark(), Gradescope(tests=visibility)))
    assert {test["visibility"] for test in content["tests"]} == {content["visibility"]} == {visibility}
    assert ("softmax" in content["output"]) == (visibility == "visible")


def test_points_are_scaled_to_the_assignments() -> None:
    content = read(results_json(mark(score=1.5, late_days=2), Gradescope(out_of=100)))
    assert content["score"] == 21.43
    assert [test["max_score"] for test in content["tests"]] == [28.57, 14.29, 57.14]
    assert content["output"].startswith("2 of 7 points; 2 days late: 1.5 of 7 points")
    with pytest.raises(UsageError, match="above 0"):
        results_json(mark(), Gradescope(out_of=0))


def test_titles_and_language_are_the_courses() -> None:
    shown = Gradescope(titles={"softmax": "Softmax 函数"}, language="zh")
    content = read(results_json(mark(), shown))
    assert content["tests"][0]["name"].startswith("Softmax 函数")
    assert "提示：along which dim?" in content["tests"][1]["output"]
    assert "部分正确" in content["output"]


def test_what_could_not_be_graded_is_no_zero() -> None:
    with pytest.raises(UngradedError, match="grade it again"):
        results_json(ungraded_mark())
    results = class_results([mark("s001"), ungraded_mark("s009")])
    assert list(results.files) == ["s001.json"]
    assert [left.mark.student.id for left in results.left_out] == ["s009"]


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_hostile_texts_stay_text(name: str) -> None:
    content = read(
        results_json(
            mark(name, name, exercises=(softmax(message=name),)), Gradescope(titles={"softmax": name})
        )
    )
    for test in content["tests"]:
        assert test["output_format"] == "text"
        assert all(c.isprintable() or c == "\n" for c in test["output"] + test["name"])


def test_a_class_is_a_file_for_each(tmp_path: Path) -> None:
    names = [*HOSTILE_NAMES, "s001", "S001", "../s001", "a/b", "con"]
    results = class_results(mark(name) for name in names)
    assert len(results.files) == len(names)
    assert len({name.casefold() for name in results.files}) == len(names)
    results.write(tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == len(names)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    for path in (tmp_path / "out").iterdir():
        read(path.read_text(encoding="utf-8"))


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written"):
        class_results([mark()]).write(tmp_path / "file" / "out")
