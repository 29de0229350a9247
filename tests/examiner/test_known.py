"""Who answers what was answered before gets the same result, and nobody gets another's."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from grader.course.load import Exercise
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.examiner import known
from grader.examiner.conversation import Clock, Port, WorkerLost
from grader.examiner.grading import Grading
from grader.examiner.known import KnownPaths, WalkingPort
from grader.result import ExerciseResult
from tests.tiny_course import GOOD, TinyExercise, answer, write_course

STEPS = """\
import pytest
from grader import agree


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
def test_step(student, reference, make, n):
    agree(student.NAME, reference.NAME)(make.randn(n, requires_grad=True))


def test_scalar_refused(student, make):
    with pytest.raises(ValueError):
        student.NAME(make.tensor(3.0))
"""

FORBIDDEN = 'forbidden = ["torch.add"]\nreplay = true\n'
COUNTED = "calls = []\n"

# Many begin alike and end otherwise; each is there as somebody else would write it, too.
ANSWERS: Mapping[str, str] = {
    "right": GOOD,
    "right, in other words": answer("y = 2 * x", "return y"),
    "as it came": answer("return x"),
    "nothing of it right": "def double(x):\n    return -x\n",
    "wrong from the third on": answer("if x.numel() > 2: return x * 3"),
    "the same mistake, in other words": answer("if len(x) >= 3: return 3 * x"),
    "wrong at the end": answer("if x.numel() == 6: return -x"),
    "no gradient": answer("return (x + x).detach()"),
    "another shape": answer("return (x + x)[None]"),
    "raises": answer("if x.numel() == 4: raise KeyError('four')"),
    "raises further down": answer("pass", "if x.numel() == 4: raise KeyError('four')"),
    "ends its process": answer("if x.numel() == 3: os._exit(0)"),
    "ends its process, then goes wrong": answer(
        "if x.numel() == 3: os._exit(0)", "if x.numel() > 3: return x"
    ),
    "never answers": answer("while x.numel() == 5: pass"),
    "never answers, and was wrong before": answer("while x.numel() == 5: pass", "if len(x) == 2: return x"),
    "takes all memory": answer("if x.numel() == 4: bytearray(1 << 40)"),
    "prints": answer("print('seen', x.numel())"),
    "prints, and is wrong": answer("print('seen', x.numel())", "return x"),
    "prints something else": answer("print('seen', 2 * x.numel())"),
    "counts": COUNTED + answer("calls.append(x)", "if len(calls) > 3: return x"),
    "counts further": COUNTED + answer("calls.append(x)", "if len(calls) > 4: return x"),
    "draws": "import random\n" + answer("return x * random.random() + torch.rand(x.shape)"),
    "does not run": "def double(x:\n",
    "defines something else": "def treble(x):\n    return 3 * x\n",
    "defines more": GOOD + "\ndef treble(x):\n    return 3 * x\n",
    "uses what is forbidden": answer("return torch.add(x, x)"),
    "returns a handle": answer("if x.numel() == 2: return iter([x])"),
}


_QUICK = [name for name in ANSWERS if "never answers" not in name]
"""Each of the others takes its seconds."""
ORDERS = {
    "in order": [*ANSWERS],
    "backwards": [*reversed(_QUICK)],
    "at random": random.Random(1).sample(_QUICK * 2, 2 * len(_QUICK)),
}


@dataclass(frozen=True)
class Graded:
    """What came of it in one engine after another."""

    alone: Mapping[str, bytes]
    """Each with nothing known."""
    orders: Mapping[str, Sequence[tuple[str, bytes]]]
    """Each after those before it."""
    garbled: Mapping[int, Sequence[ExerciseResult]]
    """Right answers, and wrong ones, whose n-th reply is none."""


@pytest.fixture(scope="module")
def graded(tmp_path_factory: pytest.TempPathFactory) -> Graded:
    exercises = {"double": TinyExercise(suite=STEPS, more=FORBIDDEN)}
    course = write_course(tmp_path_factory.mktemp("course") / "tiny", exercises)
    return LocalEngine(course, course.exercises, Setting()).run(grade_all)


def grade_all(opened: OpenEngine) -> Graded:
    (exercise,) = opened.engine.exercises
    grading = opened.grading
    # Then what was printed is shown as well.
    grading.for_marks = False

    def grade(name: str) -> bytes:
        return grading.grade(exercise, ANSWERS[name]).model_dump_json().encode()

    alone = {}
    for name in ANSWERS:
        grading.known.forget()
        alone[name] = grade(name)
    orders = {}
    for which, names in ORDERS.items():
        grading.known.forget()
        orders[which] = [(name, grade(name)) for name in names]
    return Graded(alone, orders, {at: list(garbled(grading, exercise, at)) for at in (2, 3)})


def garbled(grading: Grading, exercise: Exercise, at: int) -> Iterator[ExerciseResult]:
    """Two whose workers send something unreadable, and are replaced."""
    grading.known.forget()
    honest = grading.open_worker
    opened = 0

    def open_worker(exercise: Exercise, clock: Clock) -> Port:
        nonlocal opened
        opened += 1
        port = honest(exercise, clock)
        return _Garbled(port, at) if opened == 1 else port

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(grading, "open_worker", open_worker)
        for source in (GOOD, answer(f"if x.numel() > {at - 1}: return x")):
            opened = 0
            yield grading.grade(exercise, source)


class _Garbled:
    """A worker of a student who has found out how to answer a request with what is no answer at all."""

    def __init__(self, port: Port, at: int) -> None:
        self.port = port
        self.left = at

    def ask(self, message: bytes) -> bytes:
        reply = self.port.ask(message)
        self.left -= 1
        return reply if self.left else b"not at all"

    def close(self) -> None:
        self.port.close()


def test_the_answers_differ(graded: Graded) -> None:
    results = [ExerciseResult.model_validate_json(result) for result in graded.alone.values()]
    verdicts = {result.verdict for result in results}
    assert verdicts >= {"passed", "partial", "failed", "error", "timeout", "memory", "crashed"}
    assert len(set(graded.alone.values())) > len(ANSWERS) / 2
    assert b"it printed: seen 3" in graded.alone["prints"] + graded.alone["prints, and is wrong"]


@pytest.mark.parametrize("order", ORDERS)
def test_whoever_was_graded_before_each_gets_the_same_bytes(graded: Graded, order: str) -> None:
    for name, result in graded.orders[order]:
        assert result == graded.alone[name], name


@pytest.mark.parametrize("at", [2, 3])
def test_an_answer_that_cannot_be_read_does_not_open_the_way_to_what_another_earned(
    graded: Graded, at: int
) -> None:
    friend, other = graded.garbled[at]
    assert [test.outcome for test in friend.tests].count("passed") == 6
    passed = [test.name for test in other.tests if test.outcome == "passed"]
    # Right is what she answered before; the refusal of a scalar is right in both.
    assert passed == [f"step[{n}]" for n in range(1, at - 1)] + ["scalar_refused"], "it is her friend's mark"


class _Echo:
    """Says again what it is asked, so many times."""

    def __init__(self, times: int = 1 << 20) -> None:
        self.times = times
        self.asked: list[bytes] = []

    def ask(self, message: bytes) -> bytes:
        self.times -= 1
        if self.times < 0:
            raise WorkerLost("crashed", "it ended")
        self.asked.append(message)
        return b"re " + message

    def close(self) -> None:
        """Nothing to end."""


def test_nothing_is_asked_that_the_replies_so_far_did_not_lead_to() -> None:
    paths: KnownPaths[str] = KnownPaths()
    paths.keep(
        "double", b"loaded", [(b"1", b"re 1"), (b"2", b"something else"), (b"3", b"re 3")], "a verdict"
    )
    echo = _Echo()
    port = WalkingPort(echo)
    assert port.walk(paths.begin("double", b"loaded")) is None
    assert echo.asked == [b"1", b"2"]
    # The tests hear what was said, and then ask for themselves.
    assert [port.ask(message) for message in (b"1", b"2", b"4")] == [b"re 1", b"re 2", b"re 4"]
    assert echo.asked == [b"1", b"2", b"4"]


@pytest.mark.parametrize("lost_at", [0, 1, 2])
def test_a_worker_that_is_lost_on_the_way_is_told_where_a_test_asks(lost_at: int) -> None:
    paths: KnownPaths[str] = KnownPaths()
    messages = [b"1", b"2", b"3"]
    paths.keep("double", b"loaded", [(message, b"re " + message) for message in messages], "a verdict")
    port = WalkingPort(_Echo(lost_at))
    assert port.walk(paths.begin("double", b"loaded")) is None
    assert not port.whole
    for message in messages[:lost_at]:
        assert port.ask(message) == b"re " + message
    with pytest.raises(WorkerLost):
        port.ask(messages[lost_at])


def test_neither_another_exercise_nor_another_module_nor_another_secret_knows_the_path() -> None:
    paths: KnownPaths[str] = KnownPaths()
    paths.keep("double", b"loaded", [(b"1", b"re 1")], "a verdict")
    assert WalkingPort(_Echo()).walk(paths.begin("double", b"loaded")) == "a verdict"
    assert WalkingPort(_Echo()).walk(paths.begin("treble", b"loaded")) is None
    assert WalkingPort(_Echo()).walk(paths.begin("double", b"otherwise loaded")) is None
    paths.forget()
    assert WalkingPort(_Echo()).walk(paths.begin("double", b"loaded")) is None


def test_what_is_kept_is_bounded_however_many_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "_BYTES", 1_000)
    paths: KnownPaths[bytes] = KnownPaths()
    for n in range(95):
        paths.keep("double", b"loaded", [(b"ask", b"%0100d" % n)], b"kept")
        assert len(paths.begin("double", b"loaded").onward) <= 1_000 // 100
    before = len(paths.begin("double", b"loaded").onward)
    assert before
    # One that is larger than all that may be kept takes nobody's place, and is not kept.
    paths.keep("double", b"loaded", [(b"ask", b"!" * 2_000)], b"large")
    assert len(paths.begin("double", b"loaded").onward) == before
