"""Classes to report on: made up, the same each time."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from grader.course.load import Course, Exercise, load_course
from grader.course.model import Language
from grader.gradebook.marks import Identity, Mark
from grader.gradebook.report import Titles
from grader.result import (
    Diagnosis,
    ExerciseResult,
    Finding,
    GradingResult,
    Receipt,
    TestResult,
    TopicResult,
    Versions,
)

ROOT = Path(__file__).resolve().parents[3]

_FIRST = [
    "Ada",
    "Ben",
    "Chloé",
    "Dmitri",
    "Elif",
    "Fatima",
    "Grace",
    "Hugo",
    "Ines",
    "Jakub",
    "Keiko",
    "Liam",
    "Mei",
    "Noor",
    "Olga",
    "Priya",
    "Quentin",
    "Rosa",
]
_LAST = [
    "Adeyemi",
    "Baker",
    "Castro",
    "Dvořák",
    "Eriksen",
    "Fischer",
    "Gupta",
    "Hassan",
    "Ivanova",
    "Jensen",
    "Kim",
    "López",
    "Müller",
    "Nguyen",
]
_CHINESE = ["王伟", "李娜", "张敏", "刘洋", "陈静", "杨磊", "赵艳", "黄强", "周杰", "吴婷"]
_TESTS = (
    "values_and_gradients[4x7]",
    "values_and_gradients[3x5]",
    "values_and_gradients[2x3x5]",
    "large_inputs_stay_finite",
    "inputs_are_left_alone",
    "keeps_the_dtype",
    "takes_noncontiguous_inputs",
    "refuses_what_it_cannot_take",
    "gradcheck_in_float64",
    "cost_does_not_grow_with_the_batch",
)
_MESSAGES = (
    "{n} of 28 elements differ: the largest difference is {d}, at index ({i}, {j})",
    "the gradient of argument 1 differs in {n} of 28 elements",
    "your code raised RuntimeError: The size of tensor a ({n}) must match the size of tensor b ({i}) (line {j} of "
    "softmax.py: return e / e.sum(dim))",
    "the output is not finite where the reference is",
    "the input was changed in place, and should not have been",
)
_RECEIPT = Receipt(
    suite="0" * 64,
    submission="0" * 64,
    versions=Versions(torchgrade="0.1.0", torch="2.13.0", python="3.12.0"),
)


@dataclass(frozen=True)
class Task:
    """One exercise of a made-up course."""

    id: str
    topic: str
    points: float
    misconceptions: tuple[Diagnosis, ...]


@cache
def course() -> Course:
    """The repository's own."""
    return load_course(ROOT)


@cache
def tasks(count: int, language: Language) -> tuple[Task, ...]:
    """So many exercises: those of the repository's course, over and over."""
    own = course().exercises
    return tuple(_task(own[number % len(own)], number // len(own), language) for number in range(count))


def _task(exercise: Exercise, again: int, language: Language) -> Task:
    said = tuple(
        Diagnosis(misconception=wrong.zh, hint=wrong.hint_zh)
        if language == "zh"
        else Diagnosis(misconception=wrong.misconception, hint=wrong.hint)
        for wrong in exercise.wrong_answers
    )
    name = f"{exercise.id}_{again + 1}" if again else exercise.id
    # A large course has more topics, but not as many times more.
    more = again > 2 and exercise.topic in ("autograd", "losses", "layers", "sequences")
    topic = f"{exercise.topic}_2" if more else exercise.topic
    return Task(name, topic, exercise.points, said)


def titles_of(count: int, language: Language = "en") -> Titles:
    """The titles of so many exercises."""
    known = Titles.of(course(), language)
    made = tasks(count, language)
    return Titles(
        course=known.course,
        topics={
            task.topic: known.topic(task.topic.rstrip("_0123456789")) + _number(task.topic) for task in made
        },
        exercises={
            task.id: known.exercise(task.id.rstrip("_0123456789")) + _number(task.id) for task in made
        },
        diagnoses=known.diagnoses,
    )


def _number(name: str) -> str:
    return f" {name.rpartition('_')[2]}" if name[-1].isdigit() else ""


def a_class(students: int, exercises: int = 14, language: Language = "en", seed: int = 7) -> list[Mark]:
    """Marks of so many students: some strong, some weak, some who gave up half-way."""
    draw = random.Random(seed)
    return [_mark(number, tasks(exercises, language), language, draw) for number in range(students)]


def result_of(student: str, exercises: tuple[ExerciseResult, ...]) -> GradingResult:
    """The result that these exercises add up to."""
    topics: dict[str, list[ExerciseResult]] = {}
    for exercise in exercises:
        topics.setdefault(exercise.topic, []).append(exercise)
    return GradingResult(
        student=student,
        device="cpu",
        isolation=3,
        seed="a seed",
        score=sum(exercise.score for exercise in exercises),
        max_score=sum(exercise.max_score for exercise in exercises),
        topics=tuple(
            TopicResult(
                id=topic, score=sum(e.score for e in there), max_score=sum(e.max_score for e in there)
            )
            for topic, there in topics.items()
        ),
        exercises=exercises,
        receipt=_RECEIPT,
    )


def _mark(number: int, made: tuple[Task, ...], language: Language, draw: random.Random) -> Mark:
    skill = draw.betavariate(3, 1.6)
    reach = len(made) if draw.random() < 0.7 else draw.randrange(len(made) // 3, len(made))
    identity = _identity(number, language, draw)
    answers = tuple(_answer(task, place, place < reach, skill, draw) for place, task in enumerate(made))
    result = result_of(identity.id, answers)
    late = draw.choice((0,) * 9 + (1, 2))
    return Mark(
        student=identity,
        result=result,
        score=round(result.score * (1 - 0.1 * late), 2),
        submitted=datetime(2025, 11, 3, 20, 15, tzinfo=UTC) + timedelta(days=late, minutes=number % 200),
        late_days=late,
        attempt=2 if number % 5 == 0 else 1,
        attempts=3 if number % 5 == 0 else 1,
    )


def _identity(number: int, language: Language, draw: random.Random) -> Identity:
    if language == "zh":
        name = draw.choice(_CHINESE) + ("" if number < 10 else draw.choice("明华丽军芳"))
    else:
        name = f"{draw.choice(_FIRST)} {draw.choice(_LAST)}"
    return Identity(id=f"s{number + 1:04d}", name=name)


def _answer(task: Task, place: int, reached: bool, skill: float, draw: random.Random) -> ExerciseResult:
    hard = 0.25 + 0.6 * ((place * 7) % 11) / 11
    each = task.points / len(_TESTS)
    luck = draw.random()
    if not reached or luck < 0.03:
        return _result(task, 0.0, "not_attempted")
    if luck < 0.034:
        lost = tuple(_test(name, each, 0.0, "ungraded", "the worker could not be started") for name in _TESTS)
        return _result(task, 0.0, "ungraded", lost)
    if luck < 0.05:
        late = tuple(_test(name, each, 0.0, "timeout", "a call took more than 5 s") for name in _TESTS)
        return _result(task, 0.0, "timeout", late)
    if draw.random() < skill + 0.45 - hard / 1.6:
        return _result(task, task.points, "passed", _all_passed(each))
    which = min(int(draw.expovariate(0.9)), len(task.misconceptions) - 1)
    said = task.misconceptions[which] if draw.random() < 0.7 else None
    failed = {_TESTS[0], *draw.sample(_TESTS, draw.randrange(1, 6))}
    tests = tuple(
        _test(name, each, 0.0, "failed", _message(draw))
        if name in failed
        else _test(name, each, each, "passed")
        for name in _TESTS
    )
    findings = ()
    if draw.random() < 0.06:
        findings = (
            Finding(kind="forbidden_call", message="calls torch.softmax", line=draw.randrange(8, 30)),
        )
    elif draw.random() < 0.02:
        findings = (Finding(kind="escape_hatch", message="uses inspect, which no exercise needs", line=3),)
    earned = round(sum(test.earned for test in tests), 6)
    return _result(task, earned, "partial" if earned else "failed", tests, said, findings)


def _message(draw: random.Random) -> str:
    return draw.choice(_MESSAGES).format(
        n=draw.randrange(1, 28), d=f"{draw.random():.2g}", i=draw.randrange(4), j=draw.randrange(7)
    )


@cache
def _all_passed(each: float) -> tuple[TestResult, ...]:
    return tuple(_test(name, each, each, "passed") for name in _TESTS)


def _test(name: str, points: float, earned: float, outcome: str, message: str = "") -> TestResult:
    return TestResult(name=name, points=points, earned=earned, outcome=outcome, message=message)


def _result(
    task: Task,
    score: float,
    verdict: str,
    tests: tuple[TestResult, ...] = (),
    diagnosis: Diagnosis | None = None,
    findings: tuple[Finding, ...] = (),
) -> ExerciseResult:
    return ExerciseResult(
        id=task.id,
        topic=task.topic,
        score=score,
        max_score=task.points,
        verdict=verdict,
        tests=tests,
        diagnosis=diagnosis,
        findings=findings,
    )
