"""Each isolation level, had by root and by an ordinary user: it is what the result says, and marks are the same."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.result import GradingResult
from tests.attacks.attack import RIGHT_ANSWERS, right_answer
from tests.attacks.grading import Graded, Situation, run_grade, submit
from tests.attacks.situations import NAMES, NO_NAMESPACES, NO_WALLS

WRONG_SOFTMAX = """\
def softmax(x, dim):
    return x.exp() / x.exp().sum()
"""

everywhere = pytest.mark.parametrize(
    "situation", NAMES, indirect=True, ids=lambda name: name.replace(" ", "_")
)
without_walls = pytest.mark.parametrize("situation", [NO_WALLS], indirect=True, ids=["no_walls"])


@pytest.fixture
def half_right(tmp_path: Path) -> Path:
    """Two right answers and a wrong one."""
    folder = tmp_path / "student"
    folder.mkdir()
    for name in ("conv_output_size", "perplexity"):
        (folder / f"{name}.py").write_text(right_answer(name), encoding="utf-8")
    (folder / "softmax.py").write_text(WRONG_SOFTMAX, encoding="utf-8")
    return folder


def verdicts(graded: Graded) -> dict[str, str]:
    assert graded.result is not None, graded
    return {e.id: e.verdict for e in graded.result.exercises if e.verdict != "not_attempted"}


@everywhere
def test_the_same_marks_at_every_level(situation: Situation, course: Path, half_right: Path) -> None:
    graded = submit(situation, course, half_right)
    assert graded.code == 1, graded
    assert verdicts(graded) == {"softmax": "partial", "conv_output_size": "passed", "perplexity": "passed"}
    assert graded.result is not None
    assert graded.result.isolation == situation.level


@pytest.mark.slow  # five seconds in each situation
@everywhere
def test_the_doctor_finds_the_same_level(situation: Situation, course: Path) -> None:
    found = run_grade(situation, "doctor", "--json", "--course", str(course))
    assert found.returncode == 0, found.stderr
    record = json.loads(found.stdout)
    assert record["isolation"] == situation.level
    assert {probe["name"] for probe in record["probes"] if not probe["held"]} <= {
        "see that the solutions are there"
    }
    assert ("uid" in record["missing"]) == situation.name.startswith("ordinary")
    assert ("bubblewrap" in record["missing"]) == (situation.level < 3)
    assert set(record["advice"]) == set(record["missing"])
    assert "landlock" in record["walls"]
    assert "seccomp" in record["walls"]


@pytest.mark.slow  # fourteen exercises at a time
@everywhere
def test_all_right_answers_pass_at_every_level(situation: Situation, course: Path, tmp_path: Path) -> None:
    graded = submit(situation, course, Path(shutil.copytree(RIGHT_ANSWERS, tmp_path / "student")))
    assert graded.code == 0, graded
    assert graded.result is not None
    assert graded.result.score == graded.result.max_score
    assert graded.result.isolation == situation.level


@pytest.fixture
def trusting_course(course: Path, tmp_path: Path) -> Path:
    """The same course, which asks for no walls."""
    copy = Path(shutil.copytree(course, tmp_path / "trusting"))
    manifest = copy / "course.toml"
    text = manifest.read_text(encoding="utf-8")
    assert "minimum_isolation = 2" in text
    manifest.write_text(text.replace("minimum_isolation = 2", "minimum_isolation = 0"), encoding="utf-8")
    return copy


@without_walls
def test_too_few_walls_and_nothing_is_graded(situation: Situation, course: Path, half_right: Path) -> None:
    graded = submit(situation, course, half_right)
    assert graded.code == 3
    assert graded.result is None
    assert graded.err.count("\n") == 1
    for words in ("isolation level 0", "asks for 2", "Landlock", "seccomp", "grade doctor"):
        assert words in graded.err


@without_walls
def test_a_course_may_ask_for_no_walls(situation: Situation, trusting_course: Path, half_right: Path) -> None:
    graded = submit(situation, trusting_course, half_right)
    assert graded.code == 1, graded
    assert verdicts(graded) == {"softmax": "partial", "conv_output_size": "passed", "perplexity": "passed"}
    assert isinstance(graded.result, GradingResult)
    assert graded.result.isolation == 0


@pytest.mark.slow  # torch is imported twice
@without_walls
def test_the_doctor_says_what_is_missing_and_what_to_do(situation: Situation, course: Path) -> None:
    found = run_grade(situation, "doctor", "--json", "--course", str(course))
    assert found.returncode == 3
    record = json.loads(found.stdout)
    assert record["isolation"] == 0
    assert set(record["missing"]) == {"uid", "landlock", "seccomp", "bubblewrap"}
    assert all(record["missing"].values())
    assert set(record["advice"]) == set(record["missing"])
    assert not {"landlock", "seccomp"} & set(record["walls"])
    open_ = {probe["name"] for probe in record["probes"] if not probe["held"]}
    assert {"read the solutions", "reach a server (UDP)", "become another program"} <= open_
    # What stands all the same must not be laid to walls that do not.
    assert not {"landlock", "seccomp", "bubblewrap"} & {probe["by"] for probe in record["probes"]}


@pytest.mark.slow  # torch is imported twice
@pytest.mark.parametrize("situation", [NO_NAMESPACES], indirect=True, ids=["no_namespaces"])
def test_bubblewrap_that_does_not_run_is_no_wall(situation: Situation, course: Path) -> None:
    if shutil.which("bwrap") is None:
        pytest.skip("bwrap is not installed")
    found = run_grade(situation, "doctor", "--json", "--course", str(course))
    assert found.returncode == 0, found.stderr
    record = json.loads(found.stdout)
    assert record["isolation"] == situation.level == 2
    assert record["missing"]["bubblewrap"].startswith("bwrap fails: ")
    assert "install" not in record["advice"]["bubblewrap"]
