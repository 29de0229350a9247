"""CSV, JSON and Parquet, read back by readers that are not ours."""

from __future__ import annotations

import csv
import io
import json
import sys
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.gradebook.exports import marks_csv, marks_json, write_parquet
from grader.gradebook.exports.numbers import read_points, scaled, written
from tests.gradebook.exports.marks_to_export import HOSTILE_NAMES, mark, softmax, ungraded_mark

FORMULA_HEADS = set("=+-@\t\r\uff1d\uff0b\uff0d\uff20")


def rows_of(text: str) -> list[dict[str, str]]:
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:], newline=""), strict=True))


def test_a_row_for_each_student_by_topic_and_exercise() -> None:
    only_softmax = mark("s002", exercises=(softmax("passed"),))
    first, second, third = rows_of(
        marks_csv([mark("s001", score=1.5, late_days=2), only_softmax, ungraded_mark()])
    )
    assert (first["score"], first["max_score"], first["before_lateness"], first["late_days"]) == (
        "1.5",
        "7",
        "2",
        "2",
    )
    assert (first["topic/losses"], first["topic/training"]) == ("2", "0")
    assert (first["losses/softmax"], first["losses/softmax/verdict"]) == ("2", "partial")
    assert first["submitted"] == "2025-01-31T07:13:47+00:00"
    assert (
        second["training/train_step"],
        second["training/train_step/verdict"],
        second["topic/training"],
    ) == ("",) * 3
    assert (third["score"], third["topic/training"], third["training/train_step"]) == ("", "", "")
    assert (third["topic/losses"], third["training/train_step/verdict"]) == ("2", "ungraded")


def test_the_mark_can_be_scaled() -> None:
    (row,) = rows_of(marks_csv([mark()], out_of=100))
    assert (row["score"], row["max_score"], row["losses/softmax"]) == ("28.57", "100", "2")


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_no_cell_is_a_formula(name: str) -> None:
    text = marks_csv([mark(name, name, name), mark(name, name, name)])
    text.encode()
    rows = list(csv.reader(io.StringIO(text[1:], newline=""), strict=True))
    assert len(rows) == 3
    for row in rows:
        assert len(row) == len(rows[0])
        assert not any(cell[:1] in FORMULA_HEADS for cell in row if cell)


def test_json_is_a_list_with_whole_results() -> None:
    marks = [
        mark("s001", "Jane", score=1.5, sid="7"),
        ungraded_mark("s009"),
        mark("half \ud83d", "line\u2028end"),
    ]
    text = "".join(marks_json(marks))
    text.encode()
    first, second, third = json.loads(text, parse_constant=pytest.fail)
    assert first["student"] == {"id": "s001", "name": "Jane", "email": "", "numbers": {"sid": "7"}}
    assert (first["score"], first["max_score"]) == (1.5, 7)
    assert first["result"] == json.loads(marks[0].result.to_json())
    assert second["score"] is None
    assert third["student"]["name"] == "line\u2028end"
    assert json.loads("".join(marks_json([]))) == []


def test_parquet_has_a_row_for_each_exercise(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet", reason="the extra torchgrade[parquet] is not installed")
    marks = [mark(name, name, score=1.5) for name in HOSTILE_NAMES]
    path = tmp_path / "marks.parquet"
    assert write_parquet([*marks, ungraded_mark()], path) == 2 * len(marks) + 2
    rows = parquet.read_table(path).to_pylist()
    assert len(rows) == 2 * len(marks) + 2
    assert rows[0]["student"] == "=1+1"
    assert (rows[0]["score"], rows[0]["exercise"], rows[0]["tests_passed"]) == (1.5, "softmax", 1)
    assert rows[0]["misconception"] == "divides by the sum over all elements"
    assert rows[0]["submitted"].isoformat() == "2025-01-31T07:13:47+00:00"
    assert (rows[-1]["score"], rows[-1]["exercise_score"], rows[-1]["verdict"]) == (None, None, "ungraded")
    assert write_parquet([], path) == 0
    assert parquet.read_table(path).num_rows == 0
    with pytest.raises(UsageError, match="cannot be written"):
        write_parquet(marks, tmp_path)


def test_without_pyarrow_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match=r"pip install 'torchgrade\[parquet\]'"):
        write_parquet([mark()], tmp_path / "x.parquet")


@pytest.mark.parametrize(
    ("points", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (-0.001, "0"),
        (2, "2"),
        (2.5, "2.5"),
        (2 / 3, "0.67"),
        (1e6, "1000000"),
        (0.005, "0.01"),
    ],
)
def test_points_are_written_with_a_point_and_two_places(points: float, text: str) -> None:
    assert float(written(points)) == pytest.approx(float(text), abs=0.0051)
    assert "," not in written(points)
    assert "e" not in written(points)
    if points != 0.005:  # which is a little more than that, or less, in binary
        assert written(points) == text


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("100", 100.0),
        ("100.00", 100.0),
        ("14,00", 14.0),
        ("1.234,5", 1234.5),
        ("1,234.5", 1234.5),
        ("1 000,5", 1000.5),
    ]
    + [(text, None) for text in ("", "(read only)", "nan", "inf", "-1", "x")],
)
def test_a_platforms_number_is_read_in_any_language(text: str, points: float | None) -> None:
    assert read_points(text) == points


def test_full_marks_stay_full_marks() -> None:
    assert scaled(7, 7, 100) == 100
    assert scaled(0, 0, 100) == 0
    assert scaled(2, 7, None) == 2
