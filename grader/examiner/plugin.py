"""The pytest plugin: the fixtures of a hidden suite.

Registered as a `pytest11` entry point, so `pytest solutions/` works as it is; then the reference is the
student. It is loaded into every pytest run of the environment, hence it imports torch only when a fixture is
asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from grader.course.load import Exercise
    from grader.examiner.bench import Bench
    from grader.examiner.inputs import Make
    from grader.examiner.reference import Reference
    from grader.examiner.student import Student

BENCH: pytest.StashKey[Bench] = pytest.StashKey()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker of a test's weight known."""
    config.addinivalue_line("markers", "points(n): what a hidden test weighs (default 1)")


def bench_of(config: pytest.Config) -> Bench:
    """The session's bench; a new one, with the reference as its own student, where there is none."""
    from grader.examiner.bench import Bench

    if BENCH not in config.stash:
        config.stash[BENCH] = Bench()
    return config.stash[BENCH]


@pytest.fixture
def _sitting(request: pytest.FixtureRequest) -> tuple[Bench, Exercise, str]:
    """The test that begins: its random numbers start anew here, whatever ran before it."""
    bench = bench_of(request.config)
    exercise = bench.exercise_at(request.path)
    test = request.node.name
    bench.begin_test(exercise, test)
    return bench, exercise, test


@pytest.fixture
def student(_sitting: tuple[Bench, Exercise, str]) -> Student:
    """The candidate's names; see `grader.examiner.student`."""
    bench, exercise, test = _sitting
    return bench.student(exercise, test)


@pytest.fixture
def reference(_sitting: tuple[Bench, Exercise, str]) -> Reference:
    """The reference's names, in this process."""
    bench, exercise, _ = _sitting
    return bench.reference(exercise)


@pytest.fixture
def make(_sitting: tuple[Bench, Exercise, str]) -> Make:
    """Hidden inputs, seeded by the secret, the exercise and the test."""
    from grader.examiner.inputs import Make

    return Make()
