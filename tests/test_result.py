"""The public result: its schema to the letter, its bytes, its exit code."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from grader.result import (
    Diagnosis,
    ExerciseResult,
    Finding,
    GradingResult,
    Outcome,
    Receipt,
    TestResult,
    TopicResult,
    Verdict,
    Versions,
)


def exercise(**changes: Any) -> ExerciseResult:
    return ExerciseResult(
        **{
            "id": "softmax",
            "topic": "losses",
            "score": 2.0,
            "max_score": 3.0,
            "verdict": "partial",
            "tests": (TestResult(name="gradients", points=1.0, earned=0.0, outcome="failed", message="…"),),
            "diagnosis": Diagnosis(misconception="sums over everything", hint="keepdim?"),
            "findings": (Finding(kind="forbidden_call", message="torch.softmax", line=4),),
            **changes,
        }
    )


def grading(*exercises: ExerciseResult) -> GradingResult:
    return GradingResult(
        student="s001",
        device="cpu",
        isolation=3,
        seed="spring",
        score=2.0,
        max_score=3.0,
        topics=(TopicResult(id="losses", score=2.0, max_score=3.0),),
        exercises=exercises,
        receipt=Receipt(
            suite="00",
            submission="11",
            versions=Versions(torchgrade="0.1.0", torch="2.13.0", python="3.11.7"),
        ),
    )


def test_json_has_the_fixed_keys_in_their_order() -> None:
    assert grading(exercise()).to_json() == (
        '{"schema_version": 1, "student": "s001", "device": "cpu", "isolation": 3, "seed": "spring", '
        '"score": 2.0, "max_score": 3.0, '
        '"topics": [{"id": "losses", "score": 2.0, "max_score": 3.0}], '
        '"exercises": [{"id": "softmax", "topic": "losses", "score": 2.0, "max_score": 3.0, '
        '"verdict": "partial", '
        '"tests": [{"name": "gradients", "points": 1.0, "earned": 0.0, "outcome": "failed", '
        '"message": "…"}], '
        '"diagnosis": {"misconception": "sums over everything", "hint": "keepdim?"}, '
        '"findings": [{"kind": "forbidden_call", "message": "torch.softmax", "line": 4}]}], '
        '"receipt": {"suite": "00", "submission": "11", '
        '"versions": {"torchgrade": "0.1.0", "torch": "2.13.0", "python": "3.11.7"}}}'
    )


def test_json_can_be_read_back() -> None:
    result = grading(exercise())
    assert GradingResult.model_validate_json(result.to_json()) == result


def test_hostile_text_stays_on_one_line_and_can_be_written() -> None:
    hostile = "a\nb\u2028c\u2029d\x85e \ud800 \x1b[2J 中文"
    test = TestResult(name="t", points=1, earned=0, outcome="failed", message=hostile)
    text = grading(exercise(tests=(test,))).to_json()
    assert len(text.splitlines()) == 1
    text.encode("utf-8")
    assert "\x1b" not in text
    message = json.loads(text)["exercises"][0]["tests"][0]["message"]
    assert message == hostile.replace("\ud800", "?")


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "great"},
        {"score": -1.0},
        {"score": float("nan")},
        {"score": float("inf")},
        {"colour": "red"},
    ],
    ids=str,
)
def test_what_the_schema_does_not_know_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        exercise(**change)


def test_results_are_not_changed_afterwards() -> None:
    with pytest.raises(ValidationError):
        exercise().score = 3.0  # type: ignore[misc]  # frozen: that is the test


def test_verdicts_and_outcomes_are_those_of_the_design() -> None:
    assert set(get_args(Verdict)) == {
        "passed",
        "partial",
        "failed",
        "not_attempted",
        "error",
        "timeout",
        "memory",
        "crashed",
        "forbidden",
        "ungraded",
    }
    assert set(get_args(Outcome)) == set(get_args(Verdict)) - {"partial", "not_attempted", "forbidden"}


@pytest.mark.parametrize("verdict", get_args(Verdict))
def test_exit_code_of_one_exercise(verdict: Verdict) -> None:
    expected = {"passed": 0, "ungraded": 3}.get(verdict, 1)
    assert grading(exercise(verdict=verdict)).exit_code == expected


def test_exit_code_of_several_is_the_gravest() -> None:
    passed, failed, ungraded = (exercise(verdict=verdict) for verdict in ("passed", "failed", "ungraded"))
    assert grading(passed, passed).exit_code == 0
    assert grading(passed, failed).exit_code == 1
    assert grading(failed, ungraded, passed).exit_code == 3


def test_one_ungraded_test_is_enough() -> None:
    test = TestResult(name="t", points=1, earned=0, outcome="ungraded")
    assert grading(exercise(verdict="partial", tests=(test,))).exit_code == 3
