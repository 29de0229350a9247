"""Each limit holds, for a call and for an exercise, and one drop at a time does not get past it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.examiner.conversation import Clock, Conversation, WorkerLost, WorkerPort
from grader.examiner.student import Student
from grader.result import ExerciseResult
from grader.submission.intake import Answer, Submission
from grader.worker.launch import Forkserver, WorkerLimits
from tests.conftest import Converse
from tests.tiny_course import TinyExercise, answer, write_course

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="limits are held by the walls, and these are Linux's"
)

MANY_CALLS = """\
def test_one_call(student, make):
    student.NAME(make.randn(3))


def test_many_calls(student, make):
    x = make.randn(3)
    for _ in range(100_000):
        student.NAME(x)
"""

MANY_STEPS = """\
def test_many_steps(student, make):
    for _ in student.NAME(make.randn(3)):
        pass
"""

HURRIED = "limits = { call_seconds = 0.5, exercise_seconds = 1.0 }"

EXERCISES = {
    "plain": TinyExercise(),
    "short_call": TinyExercise(more="limits = { call_seconds = 0.5 }"),
    "short_exercise": TinyExercise(more="limits = { call_seconds = 1.0, exercise_seconds = 1.2 }"),
    "little_memory": TinyExercise(more="limits = { memory_mb = 64 }"),
    "small_messages": TinyExercise(more="limits = { message_mb = 1 }"),
    "small_messages_often": TinyExercise(more="limits = { message_mb = 1 }", suite=MANY_CALLS),
    "few_handles": TinyExercise(more="limits = { handles = 3 }"),
    "calls": TinyExercise(more=HURRIED, suite=MANY_CALLS),
    "steps": TinyExercise(more=HURRIED, suite=MANY_STEPS),
}

IN_THE_LARGE_TEST = "if x.numel() > 20: "

# The exercise, what is done in each call, and what comes of it: verdict, and words of a message.
EACH: Mapping[str, tuple[str, str, str, str]] = {
    "a call": ("short_call", f"{IN_THE_LARGE_TEST}time.sleep(60)", "timeout", "within 0.5 seconds"),
    "an exercise": ("short_exercise", "time.sleep(0.5)", "timeout", "the 1.2 seconds"),
    "memory": ("little_memory", f"{IN_THE_LARGE_TEST}bytearray(100 << 20)", "memory", "more than the 64 MiB"),
    "more memory elsewhere": ("plain", "bytearray(100 << 20)", "passed", ""),
    "a message": (
        "small_messages",
        f"{IN_THE_LARGE_TEST}return torch.ones(1 << 19)",
        "partial",
        "bytes of tensors in one message",
    ),
    "a larger message elsewhere": (
        "plain", f"{IN_THE_LARGE_TEST}return torch.ones(1 << 19)", "partial", "the result has shape"
    ),
    "all messages": ("small_messages_often", "return torch.ones(200_000)", "memory", "all the tests together"),
    "handles": (
        "few_handles", f"{IN_THE_LARGE_TEST}return [object() for _ in range(4)]", "partial", "more than 3 objects"
    ),
    "more handles elsewhere": (
        "plain", f"{IN_THE_LARGE_TEST}return [object() for _ in range(4)]", "partial", "is a list"
    ),
}  # fmt: skip

THE_DESCRIPTOR = (
    "import gc; there = next(o for o in gc.get_objects() if type(o).__name__ == 'Frames').descriptor"
)

# Each takes less than a call may; together they never end.
DRIPS: Mapping[str, tuple[str, str]] = {
    "many fast calls": ("calls", "time.sleep(0.004)"),
    "calls just in time": ("calls", "time.sleep(0.4)"),
    "prints": ("calls", "[(print(n), time.sleep(0.01)) for n in range(30)]"),
    "what is let go of is slow to go": (
        "calls",
        "return type('Lasting', (), {'__del__': lambda self: time.sleep(0.4)})()",
    ),
    "steps just in time": ("steps", "return (time.sleep(0.3) for _ in iter(int, 1))"),
    "fast steps": ("steps", "return (x for _ in iter(int, 1))"),
    "a byte at a time": (
        "calls",
        f"{THE_DESCRIPTOR}; [(os.write(there, bytes([b])), time.sleep(0.05)) for b in [200, *bytes(200)]]",
    ),
    "the length, and then nothing": (
        "calls",
        f"{THE_DESCRIPTOR}; os.write(there, (9).to_bytes(8, 'little')); time.sleep(60)",
    ),
    "the bytes of a large message": (
        "calls",
        f"{THE_DESCRIPTOR}; os.write(there, (1 << 24).to_bytes(8, 'little')); "
        "[(os.write(there, bytes(99)), time.sleep(0.001)) for _ in iter(int, 1)]",
    ),
    "half an answer": (
        "calls",
        f"{THE_DESCRIPTOR}; os.write(there, bytes(5)); time.sleep(0.3); os.write(there, bytes(2)); time.sleep(60)",
    ),
}


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExerciseResult]:
    """What became of those that run into one limit each."""
    return grade_all(tmp_path_factory.mktemp("limits"), {name: each[:2] for name, each in EACH.items()})


@pytest.fixture(scope="module")
def dripped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ExerciseResult]:
    """What became of the slow drips."""
    return grade_all(tmp_path_factory.mktemp("drips"), DRIPS)


def grade_all(folder: Path, wanted: Mapping[str, tuple[str, str]]) -> dict[str, ExerciseResult]:
    """Grade them all in one engine: by name, the exercise and what is done in each call."""
    course = write_course(folder / "tiny", EXERCISES)

    def run(opened: OpenEngine) -> dict[str, ExerciseResult]:
        found = {}
        for name, (exercise, line) in wanted.items():
            source = answer(line, name=exercise)
            handed_in = Submission(
                MappingProxyType({exercise: Answer(exercise, source, f"{exercise}.py")}), (), "a digest"
            )
            found[name] = opened.grade_exercise(course.exercise(exercise), handed_in)
        return found

    return LocalEngine(course, course.exercises, Setting(seed="one")).run(run)


@pytest.mark.parametrize("name", EACH)
def test_a_limit_holds_where_its_exercise_sets_it(graded: dict[str, ExerciseResult], name: str) -> None:
    _, _, verdict, words = EACH[name]
    result = graded[name]
    assert result.verdict == verdict, result
    assert not words or any(words in test.message for test in result.tests), result


def test_a_limit_costs_only_the_tests_that_run_into_it(graded: dict[str, ExerciseResult]) -> None:
    for name in ("a call", "memory", "a message", "handles"):
        outcomes = {test.name: test.outcome == "passed" for test in graded[name].tests}
        assert outcomes == {"small": True, "large": False, "empty": True, "scalar_refused": True}


@pytest.mark.slow  # a second or two for each: `pytest -m slow tests/attacks/test_limits.py`
@pytest.mark.parametrize("name", DRIPS)
def test_a_slow_drip_does_not_outlast_the_limits(dripped: dict[str, ExerciseResult], name: str) -> None:
    result = dripped[name]
    assert result.verdict == "timeout", result
    assert result.tests[-1].outcome == "timeout"


# -- processor time ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "before", ["", "signal.signal(signal.SIGXCPU, signal.SIG_IGN)"], ids=["heeded", "ignored"]
)
def test_processor_time_is_limited_by_the_kernel(forkserver: Forkserver, before: str) -> None:
    source = f"import signal\n\ndef loop():\n    {before or 'pass'}\n    while True: pass\n"
    limits = WorkerLimits(call_seconds=60.0, exercise_seconds=1.0)
    worker = forkserver.spawn(limits={"cpu_seconds": limits.exercise_seconds})
    conversation = Conversation(lambda: WorkerPort(worker, limits, Clock(60.0)), source, "answer", None)
    conversation.begin_test(1)
    with pytest.raises(WorkerLost, match="processor time") as lost:
        Student(conversation).loop()
    assert lost.value.cause == "timeout"
    assert not conversation.killed, "by its limit, not by anybody else"


# -- output -----------------------------------------------------------------------------------------------


def test_of_what_is_printed_in_a_call_the_beginning_is_kept(converse: Converse) -> None:
    conversation = converse("def shout():\n    for _ in range(1000): print('x' * 1000)\n")
    conversation.begin_test(1)
    Student(conversation).shout()
    assert [len(text) for text in conversation.printed] == [20_000]


# -- what the examiner holds on to ------------------------------------------------------------------------


def test_of_large_replies_the_examiner_keeps_a_digest(converse: Converse) -> None:
    conversation = converse("import torch\n\ndef large(n): return torch.full((1 << 20,), float(n))\n")
    conversation.begin_test(1)
    student = Student(conversation)
    assert torch.equal(student.large(3), torch.full((1 << 20,), 3.0))
    student.large(3)
    student.large(4)
    kept = conversation.transcript
    assert max(len(reply) for reply in kept) < 1000
    assert kept[1] != kept[2]
