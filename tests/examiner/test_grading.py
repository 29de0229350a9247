"""What an answer comes to: verdicts, scores and words, through real workers behind their walls."""

from __future__ import annotations

import os
import queue
import select
import signal
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from grader.course.load import Course
from grader.engine.local import LocalEngine, OpenEngine, Setting
from grader.errors import SuiteError, UngradedError, WorkerStartError
from grader.examiner import context
from grader.examiner.bench import Bench
from grader.examiner.conversation import Clock, Conversation, LocalPort, Port, WorkerLost, WorkerPort
from grader.examiner.grading import Grading
from grader.examiner.inputs import Make
from grader.examiner.session import Session, with_suites
from grader.result import ExerciseResult, Finding
from grader.wire import PeerGone
from grader.worker.launch import Exit, Forkserver, Worker, WorkerLimits
from tests.tiny_course import GOOD, TinyExercise, answer, write_course

THIRDS = """\
'PYTEST_DONT_REWRITE: a grading asks for plain assertions, but here one pytest runs in another.'
import pytest


@pytest.mark.parametrize("n", [1, 2, 3])
def test_length(student, make, n):
    assert len(student.NAME(make.randn(n))) == n, "the length changed"
"""

FRAGILE = """\
'PYTEST_DONT_REWRITE: a grading asks for plain assertions, but here one pytest runs in another.'
import pytest
import torch


def test_sum(student, make):
    assert student.NAME(make.randn(3)).sum() + 1 is not None


def test_of_the_suites_own(student, reference):
    reference.nothing_there


@pytest.mark.skipif(True, reason="elsewhere")
def test_elsewhere(student):
    raise AssertionError("not on this machine")


def test_if_it_may(student):
    pytest.skip("not today")


def test_size(student, make):
    torch.testing.assert_close(student.NAME(make.tensor([1.0, 2.0])), make.tensor([2.0, 4.0]))


def test_bare(student, make):
    assert student.NAME(make.tensor([1.0]))[0] == 2
"""

DERIVED = """\
import torch


def test_gradient(student, make):
    x = make.randn(3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(student.NAME, (x,), fast_mode=True)
"""

EXERCISES = {
    "double": TinyExercise(),
    "hurried": TinyExercise(more="limits = { call_seconds = 2.0, exercise_seconds = 2.5 }"),
    "heavy": TinyExercise(more="limits = { call_seconds = 8.0, memory_mb = 96 }"),
    "third": TinyExercise(points=1, suite=THIRDS),
    "fragile": TinyExercise(points=4, suite=FRAGILE),
    "derived": TinyExercise(points=1, suite=DERIVED),
}


class Examiner:
    """An engine that is kept open for a whole module, in a thread of its own."""

    def __init__(self, course: Course, setting: Setting) -> None:
        self.course = course
        self.engine = LocalEngine(course, course.exercises, setting)
        self._jobs: queue.Queue[Callable[[OpenEngine], Any] | None] = queue.Queue()
        self._answers: queue.Queue[Any] = queue.Queue()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.engine.run(self._serve)
        except BaseException as error:
            self._answers.put(error)

    def _serve(self, opened: OpenEngine) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                self._answers.put(job(opened))
            except BaseException as error:
                self._answers.put(error)

    def do(self, job: Callable[[OpenEngine], Any]) -> Any:
        self._jobs.put(job)
        answer = self._answers.get(timeout=120)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def close(self) -> None:
        self._jobs.put(None)
        self._thread.join()

    def grade_alone(self, source: str | None, name: str = "double", **more: Any) -> ExerciseResult:
        result = self.do(lambda opened: opened.grading.grade(self.course.exercise(name), source, **more))
        assert isinstance(result, ExerciseResult)
        assert_sound(result)
        return result

    def grade(self, source: str | None, name: str = "double", **more: Any) -> ExerciseResult:
        """Grade an answer, and after it a good one: whatever the first did, the second has full marks."""
        result = self.grade_alone(source, name, **more)
        good = self.grade_alone(GOOD)
        assert (good.verdict, good.score) == ("passed", 5.0), good
        return result


@pytest.fixture(scope="module")
def examiner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Examiner]:
    course = write_course(tmp_path_factory.mktemp("course") / "tiny", EXERCISES)
    examiner = Examiner(course, Setting(seed="a secret"))
    yield examiner
    examiner.close()


def assert_sound(result: ExerciseResult) -> None:
    """What holds of every result."""
    assert 0 <= result.score <= result.max_score
    for test in result.tests:
        assert test.earned == (test.points if test.outcome == "passed" else 0)
        assert bool(test.message) == (test.outcome != "passed")
        assert len(test.message) < 1000
        assert test.message.isprintable(), test.message
        assert "Traceback" not in test.message
        assert "/grader/" not in test.message
        assert "site-packages" not in test.message
    if result.tests:
        assert sum(test.points for test in result.tests) == pytest.approx(result.max_score, abs=1e-5)
        assert sum(test.earned for test in result.tests) == pytest.approx(result.score, abs=1e-5)
    else:
        assert result.verdict == "not_attempted"
    assert (result.score == result.max_score) == (result.verdict == "passed")


def said(result: ExerciseResult) -> dict[str, tuple[str, str]]:
    """Outcome and message of each test that did not pass."""
    return {test.name: (test.outcome, test.message) for test in result.tests if test.outcome != "passed"}


# -- right, wrong, and in between -------------------------------------------------------------------------


def test_a_right_answer(examiner: Examiner) -> None:
    result = examiner.grade(GOOD)
    assert (result.verdict, result.score, result.max_score) == ("passed", 5.0, 5.0)
    assert [(test.name, test.points) for test in result.tests] == [
        ("small", 1.0),
        ("large", 2.0),
        ("empty", 1.0),
        ("scalar_refused", 1.0),
    ]
    assert result.diagnosis is None
    assert result.findings == ()


def test_a_half_right_answer(examiner: Examiner) -> None:
    result = examiner.grade(answer("if x.numel() > 20: return x * 3"))
    assert (result.verdict, result.score) == ("partial", 3.0)
    ((name, (outcome, message)),) = said(result).items()
    assert (name, outcome) == ("large", "failed")
    assert message.startswith("the result differs in 40 of 40 elements; the largest difference is ")
    assert message.endswith(" [double(float32[40])]")


def test_a_wrong_answer(examiner: Examiner) -> None:
    result = examiner.grade("def double(x):\n    return x.unsqueeze(-1)\n")
    assert (result.verdict, result.score) == ("failed", 0.0)
    assert said(result)["empty"] == (
        "failed",
        "the result has shape (0, 1), and (0,) is expected [double(float32[0])]",
    )
    assert said(result)["scalar_refused"] == (
        "failed",
        "your code accepts what it should refuse: ValueError is expected, and none came",
    )


def test_a_wrong_gradient(examiner: Examiner) -> None:
    result = examiner.grade(answer("if x.numel() > 20: return x + x.detach()"))
    assert (result.verdict, result.score) == ("partial", 3.0)
    assert said(result)["large"][1].startswith("the gradient of `x` differs in 40 of 40 elements")


def test_a_gradient_that_is_no_derivative(examiner: Examiner) -> None:
    assert examiner.grade("def derived(x):\n    return 2 * x\n", "derived").verdict == "passed"
    result = examiner.grade("def derived(x):\n    return 3 * x - x.detach()\n", "derived")
    assert said(result)["gradient"] == (
        "failed",
        "the gradient does not agree with finite differences (torch.autograd.gradcheck): the values are computed, "
        "but what backward returns is not their derivative",
    )


def test_the_score_of_all_that_passed_is_the_whole_worth(examiner: Examiner) -> None:
    right = examiner.grade("def third(x):\n    return x\n", "third")
    assert right.score == 1.0
    assert [test.points for test in right.tests] == [0.333333] * 3
    partly = examiner.grade("def third(x):\n    return x[:2]\n", "third")
    assert partly.verdict == "partial"
    assert partly.score == pytest.approx(2 / 3, abs=1e-5)
    assert said(partly) == {"length[3]": ("failed", "the length changed")}


def test_a_known_misconception_is_named(examiner: Examiner) -> None:
    assert examiner.grade("def double(x):\n    return 3 * x\n").diagnosis is None
    result = examiner.grade("def double(y):\n    return y.clone()\n")
    assert result.diagnosis is not None
    assert result.diagnosis.misconception == "returns it as it came"
    assert result.diagnosis.hint == "What changes?"


def test_a_misconception_in_chinese(examiner: Examiner) -> None:
    def in_chinese(opened: OpenEngine) -> ExerciseResult:
        opened.grading.language = "zh"
        try:
            return opened.grading.grade(examiner.course.exercise("double"), "def double(x):\n    return x\n")
        finally:
            opened.grading.language = "en"

    diagnosis = examiner.do(in_chinese).diagnosis
    assert (diagnosis.misconception, diagnosis.hint) == ("原样返回", "什么变了？")


# -- not attempted ----------------------------------------------------------------------------------------


def test_nothing_handed_in(examiner: Examiner) -> None:
    result = examiner.grade(None)
    assert (result.verdict, result.score, result.max_score, result.tests) == ("not_attempted", 0.0, 5.0, ())


def test_an_unedited_stub(examiner: Examiner) -> None:
    stub = examiner.course.exercise("double").stub_source
    assert examiner.grade(stub).verdict == "not_attempted"
    assert examiner.grade(stub + "\n# to be done tomorrow\n").verdict == "not_attempted"


def test_a_stub_edited_elsewhere(examiner: Examiner) -> None:
    stub = examiner.course.exercise("double").stub_source
    edited = "import math\n\nFACTOR = 2\n\n\n" + stub + "\n\ndef helper(x):\n    return FACTOR * x\n"
    result = examiner.grade(edited)
    assert (result.verdict, result.tests) == ("not_attempted", ())


def test_a_stub_half_written_is_attempted(examiner: Examiner) -> None:
    result = examiner.grade(answer("raise NotImplementedError('the rest')"))
    assert (result.verdict, result.score) == ("partial", 1.0)


def test_torch_saying_not_implemented_is_no_stub(examiner: Examiner) -> None:
    misspelt = """
        import torch

        class Double(torch.nn.Module):
            def foward(self, x):
                return 2 * x

        double = Double()
    """
    result = examiner.grade(textwrap.dedent(misspelt))
    assert result.verdict == "failed"
    assert 'missing the required "forward" function' in said(result)["small"][1]


# -- code that does not run -------------------------------------------------------------------------------

UNREADY = "your file could not be run, so no test was: "
BROKEN = {
    "syntax": (
        "def double(x:\n    return x\n",
        "your code raised SyntaxError: '(' was never closed (line 1 of double.py: def double(x:)",
    ),
    "indentation": (
        "def double(x):\nreturn x\n",
        "your code raised IndentationError: expected an indented block after function definition on line 1 "
        "(line 2 of double.py: return x)",
    ),
    "import": (
        "import nothing_there\n",
        "your code raised ModuleNotFoundError: No module named 'nothing_there' "
        "(line 1 of double.py: import nothing_there)",
    ),
    "name": (
        "x = 1\ny = undefined\n",
        "your code raised NameError: name 'undefined' is not defined (line 2 of double.py: y = undefined)",
    ),
    "raises": (
        "def double(x):\n    return x / 0\n\ndouble(1)\n",
        "your code raised ZeroDivisionError: division by zero (line 2 of double.py: return x / 0)",
    ),
    "exit": (
        "import sys\nsys.exit('done')\n",
        "your code ended its process (SystemExit) (line 2 of double.py: sys.exit('done'))",
    ),
    "null bytes": (
        "def double(x):\n    return 2\0\n",
        "your code raised SyntaxError: source code string cannot contain null bytes",
    ),
    "a form feed before": (
        "\x0c\nx = '\u2028'\nraise ValueError('here')\n",
        "your code raised ValueError: here (line 3 of double.py: raise ValueError('here'))",
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_file_that_does_not_run(examiner: Examiner, case: str) -> None:
    source, message = BROKEN[case]
    result = examiner.grade(source)
    assert (result.verdict, result.score) == ("error", 0.0)
    assert set(said(result).values()) == {("error", UNREADY + message)}
    assert len(result.tests) == 4


@pytest.mark.parametrize("source", ["def duoble(x):\n    return 2 * x\n", "", "double = None\ndel double\n"])
def test_a_file_without_the_name(examiner: Examiner, source: str) -> None:
    result = examiner.grade(source)
    assert (result.verdict, result.score) == ("error", 0.0)
    assert set(said(result).values()) == {("error", "your file does not define `double`")}


def test_a_file_that_is_no_text(examiner: Examiner) -> None:
    result = examiner.grade(None, unreadable="double.py cannot be read: it is no text")
    assert (result.verdict, result.score) == ("error", 0.0)
    assert set(said(result).values()) == {("error", "double.py cannot be read: it is no text")}


def test_a_name_that_is_no_function(examiner: Examiner) -> None:
    result = examiner.grade("double = 3\n")
    assert (result.verdict, result.score) == ("failed", 0.0)


RAISING = {
    "an error in one branch": (
        "if x.numel() > 20: return x + undefined",
        "large",
        "your code raised NameError: name 'undefined' is not defined (line 7 of double.py: if x.numel() > 20: "
        "return x + undefined)",
    ),
    "shapes that do not fit": (
        "if x.numel() > 20: return x + x[:3]",
        "large",
        "your code raised RuntimeError: The size of tensor a (40) must match the size of tensor b (3) at "
        "non-singleton dimension 0 (line 7 of double.py: if x.numel() > 20: return x + x[:3])",
    ),
    "exit": (
        "if x.numel() > 20: sys.exit(0)",
        "large",
        "your code ended its process (SystemExit) (line 7 of double.py: if x.numel() > 20: sys.exit(0))",
    ),
    "an interrupt": (
        "if x.numel() > 20: raise KeyboardInterrupt",
        "large",
        "your code ended its process (KeyboardInterrupt) (line 7 of double.py: if x.numel() > 20: raise "
        "KeyboardInterrupt)",
    ),
    "an assertion": (
        "assert x.numel() < 20, 'too long'",
        "large",
        "your code raised AssertionError: too long (line 7 of double.py: assert x.numel() < 20, 'too long')",
    ),
    "an error without a text": (
        "if x.numel() > 20: raise KeyError",
        "large",
        "your code raised KeyError (line 7 of double.py: if x.numel() > 20: raise KeyError)",
    ),
    "a result too large": (
        "if x.numel() > 20: return torch.ones(5000, 5000)",
        "large",
        "what your code returns cannot be handed to the grader: a tensor of 25,000,000 elements, shape "
        "(5000, 5000); the limit is 16,777,216",
    ),
    "a result of too many parts": (
        "if x.numel() > 20: return [0] * 200_000",
        "large",
        "what your code returns cannot be handed to the grader: more than 100,000 values in one message",
    ),
}


@pytest.mark.parametrize("case", RAISING)
def test_code_that_raises_in_one_branch_loses_one_test(examiner: Examiner, case: str) -> None:
    line, test, message = RAISING[case]
    result = examiner.grade(answer(line))
    assert said(result) == {test: ("error", message)}
    assert (result.verdict, result.score) == ("partial", 3.0)


def test_a_function_that_calls_itself_without_end(examiner: Examiner) -> None:
    result = examiner.grade(answer("if x.numel() > 20: return double(x)"))
    message = "your code raised RecursionError: a function calls itself without end (line "
    assert said(result)["large"][1].startswith(message)
    assert (result.verdict, result.score) == ("partial", 3.0)


def said_openly(examiner: Examiner, source: str) -> dict[str, tuple[str, str]]:
    """The same as `grade check` shows it."""

    def plainly(opened: OpenEngine) -> ExerciseResult:
        opened.grading.for_marks = False
        try:
            return opened.grading.grade(examiner.course.exercise("double"), source)
        finally:
            opened.grading.for_marks = True

    return said(examiner.do(plainly))


def test_words_of_the_students_are_made_harmless(examiner: Examiner) -> None:
    source = answer("raise Odd('\\x1b[31mred\\r\\n\\u202eand \\u2028back\\ud800' + 'long' * 5000)").replace(
        "import torch", "class Odd(ValueError): __qualname__ = 'x'\nOdd.__name__ = '\\x1b[2J' + 'n' * 5000"
    )
    for message in (said(examiner.grade(source))["small"][1], said_openly(examiner, source)["small"][1]):
        assert "\\x1b[31mred" in message
        assert message.isprintable()
        assert len(message) < 1000
    assert "\\x1b[2Jnnn" in message


def test_addresses_are_left_out(examiner: Examiner) -> None:
    message = said_openly(examiner, answer("raise ValueError(f'not {object()}')"))["small"][1]
    assert message.startswith("your code raised ValueError: not <object object at 0x...> (line")


# -- hidden inputs ----------------------------------------------------------------------------------------


def hidden_inputs(course: Course, test: str, count: int) -> list[float]:
    """The numbers that `make` draws in a test."""
    context.enter(context.TestContext(context.seed_of("a secret", "double", test)))
    numbers = Make().randn(count).tolist()
    context.enter(context.TestContext(0))
    return numbers


LEAKS = {
    "a list in an error": "raise ValueError(x.tolist())",
    "numbers in an error": "raise ValueError(*x.tolist())",
    "a tensor in an error": "raise ValueError(f'{x} {x.double()}')",
    "a key": "{}[tuple(x.tolist())]",
    "a text returned": "return ' '.join(map(str, x.tolist()))",
    "a text as a key": "return {' '.join(map(str, x.tolist())): 1}",
    "an attribute": "getattr(torch, str(x.tolist()))",
    "a number that is none": "int(str(x.tolist()))",
}


@pytest.mark.parametrize("case", LEAKS)
def test_messages_hold_no_hidden_input(examiner: Examiner, case: str) -> None:
    result = examiner.grade(answer(LEAKS[case]))
    for test, count in (("test_small", 3), ("test_large", 40)):
        numbers = hidden_inputs(examiner.course, test, count)
        message = said(result)[test.removeprefix("test_")][1]
        assert not [number for number in numbers if f"{number:.3f}"[:-1] in message], message


def test_the_inputs_that_are_looked_for_are_the_hidden_ones(examiner: Examiner) -> None:
    def plainly(opened: OpenEngine) -> ExerciseResult:
        opened.grading.for_marks = False
        try:
            return opened.grading.grade(
                examiner.course.exercise("double"), answer("raise ValueError(x.tolist())")
            )
        finally:
            opened.grading.for_marks = True

    result = examiner.do(plainly)
    assert str(hidden_inputs(examiner.course, "test_small", 3)) in said(result)["small"][1]


# -- time, memory, and processes that end -----------------------------------------------------------------

NO_ANSWER = "your code did not answer within 1.5 seconds: is there a loop that never ends?"


def test_an_endless_loop_costs_the_test_that_met_it(examiner: Examiner) -> None:
    started = time.monotonic()
    result = examiner.grade(answer("while x.numel() > 20: pass"))
    assert (result.verdict, result.score) == ("timeout", 3.0)
    assert said(result) == {"large": ("timeout", NO_ANSWER)}
    assert time.monotonic() - started < 8


def test_sleep_costs_the_test_that_met_it(examiner: Examiner) -> None:
    result = examiner.grade(answer("if x.numel() == 0: time.sleep(60)"))
    assert (result.verdict, result.score) == ("timeout", 4.0)
    assert said(result) == {"empty": ("timeout", NO_ANSWER)}


def test_an_endless_loop_at_import(examiner: Examiner) -> None:
    started = time.monotonic()
    result = examiner.grade("while True:\n    pass\n")
    assert (result.verdict, result.score) == ("timeout", 0.0)
    assert set(said(result).values()) == {("timeout", UNREADY + NO_ANSWER)}
    assert time.monotonic() - started < 8, "it is waited for once, not for each test"


def test_seconds_that_all_tests_have_together(examiner: Examiner) -> None:
    result = examiner.grade(answer("time.sleep(0.9)", name="hurried"), "hurried")
    assert result.verdict == "timeout"
    assert result.tests[0].outcome == "passed"
    used_up = "your code used up the 2.5 seconds that all the tests of this exercise have together"
    assert said(result)["scalar_refused"] == ("timeout", used_up)


def test_one_large_piece_of_memory(examiner: Examiner) -> None:
    for line in ("torch.ones(2**31)", "bytearray(2**31)", "torch.empty(2**50)"):
        result = examiner.grade(answer(f"if x.numel() > 20: {line}", name="heavy"), "heavy")
        assert (result.verdict, result.score) == ("memory", 3.0)
        message = (
            f"your code needs more than the 96 MiB it may use (line 7 of heavy.py: if x.numel() > 20: {line})"
        )
        assert said(result) == {"large": ("memory", message)}


@pytest.mark.parametrize(
    "piece",
    ["[1, 2, 3]", "torch.ones(1000)", "torch.ones(9, requires_grad=True) * 2", "torch.nn.Linear(3, 3)"],
)
def test_many_small_pieces_of_memory(examiner: Examiner, piece: str) -> None:
    result = examiner.grade(
        answer("kept = []", f"while x.numel() > 20: kept.append({piece})", name="heavy"), "heavy"
    )
    ((outcome, message),) = said(result).values()
    assert outcome == "memory", message
    assert (result.verdict, result.score) == ("memory", 3.0)
    assert "96 MiB" in message or "no memory left" in message


def test_memory_at_import(examiner: Examiner) -> None:
    result = examiner.grade("import torch\nkept = torch.ones(2**31)\n")
    assert (result.verdict, result.score) == ("memory", 0.0)


def test_a_process_that_ends_itself(examiner: Examiner) -> None:
    for code in (0, 1):
        result = examiner.grade(answer(f"if x.numel() > 20: os._exit({code})"))
        assert (result.verdict, result.score) == ("crashed", 3.0)
        message = "your code ended its process before it answered: does it call exit?"
        assert said(result) == {"large": ("crashed", message)}
    result = examiner.grade("import os\nos._exit(0)\n")
    assert (result.verdict, result.score) == ("crashed", 0.0)


def test_a_segmentation_fault(examiner: Examiner) -> None:
    result = examiner.grade(answer("import ctypes", "if x.numel() > 20: ctypes.string_at(0)"))
    assert (result.verdict, result.score) == ("crashed", 3.0)
    assert "segmentation fault" in said(result)["large"][1]


@pytest.mark.parametrize(
    "line",
    ["os.kill(os.getpid(), 9)", "os.kill(os.getppid(), 9)", "os.killpg(0, 9)", "os.fork()", "os.abort()"],
)
def test_signals_and_processes(examiner: Examiner, line: str) -> None:
    result = examiner.grade(answer(f"if x.numel() > 20: {line}"))
    assert result.score == 3.0
    assert said(result).keys() == {"large"}


def test_threads(examiner: Examiner) -> None:
    lines = [
        "import threading",
        "started = threading.Thread(target=time.sleep, args=(60,), daemon=True)",
        "started.start()",
    ]
    # Whether a thread may be had is for the walls to say.
    assert examiner.grade(answer(*lines)).verdict in ("passed", "partial")
    assert examiner.grade(answer("torch.set_num_threads(2)")).verdict == "passed"


def test_what_is_printed_is_neither_here_nor_there(examiner: Examiner) -> None:
    plain = examiner.grade(GOOD)
    assert (
        examiner.grade(answer("print('verdict: passed')", "print(x, file=sys.stderr)", "sys.stdout.flush()"))
        == plain
    )
    assert examiner.grade(answer("print('x' * 10_000_000)", "for _ in range(10_000): print('y')")) == plain
    assert examiner.grade("print('at import')\n" + GOOD) == plain


def test_what_is_patched_stays_in_the_worker(examiner: Examiner) -> None:
    patches = """
        import builtins, torch
        torch.allclose = torch.equal = torch.isclose = lambda *a, **k: torch.tensor(True)
        torch.Tensor.__eq__ = torch.Tensor.__ne__ = lambda *a: torch.tensor(True)
        torch.set_default_dtype(torch.float64)
        torch.set_grad_enabled(False)
        builtins.isinstance = lambda *a: True

        def double(x):
            return x * 3
    """
    result = examiner.grade(textwrap.dedent(patches))
    assert result.score <= 1.0, "nothing but what 3 * x deserves"


def exited(signal_number: int | None) -> Exit:
    return Exit(
        status=0 if signal_number is None else signal_number, cpu_seconds=0.0, peak_kib=0, page_faults=0
    )


@pytest.mark.parametrize(
    ("number", "cause", "words"),
    [
        (signal.SIGXCPU, "timeout", "processor time"),
        (signal.SIGKILL, "crashed", "killed by the system"),
        (signal.SIGABRT, "memory", "more than 64 MiB"),
        (signal.SIGSEGV, "crashed", "segmentation fault"),
        (signal.SIGTERM, "crashed", "signal 15"),
        (None, "crashed", "does it call exit?"),
    ],
)
def test_how_a_worker_ended(number: int | None, cause: str, words: str) -> None:
    def gone(*_: object) -> bytes:
        raise PeerGone

    frames = SimpleNamespace(send=lambda *_: None, receive=gone)
    worker: Any = SimpleNamespace(frames=frames, end=lambda: exited(number))
    port = WorkerPort(worker, WorkerLimits(memory_mb=64), Clock(9.0))
    with pytest.raises(WorkerLost, match=words) as lost:
        port.ask(b"")
    assert lost.value.cause == cause


# -- forbidden calls --------------------------------------------------------------------------------------

FORBIDDEN = Finding(kind="forbidden_call", message="torch.mul is not allowed here", line=7)


def test_a_forbidden_call_that_is_refused(examiner: Examiner) -> None:
    result = examiner.grade(GOOD, findings=(FORBIDDEN,), refuse=True)
    assert (result.verdict, result.score) == ("forbidden", 0.0)
    assert set(said(result).values()) == {("failed", "torch.mul is not allowed here (line 7)")}
    assert result.findings == (FORBIDDEN,)


def test_a_forbidden_call_that_is_reported(examiner: Examiner) -> None:
    result = examiner.grade(GOOD, findings=(FORBIDDEN,), refuse=False)
    assert (result.verdict, result.score) == ("passed", 5.0)
    assert result.findings == (FORBIDDEN,)


def test_other_findings_are_not_refused(examiner: Examiner) -> None:
    hatch = Finding(kind="escape_hatch", message="uses eval", line=3)
    assert examiner.grade(GOOD, findings=(hatch,), refuse=True).verdict == "passed"


# -- what is not the student's fault ----------------------------------------------------------------------


def test_a_test_that_fails_on_the_reference_as_well(examiner: Examiner) -> None:
    result = examiner.grade("def fragile(x):\n    return 2 * x\n", "fragile")
    assert result.verdict == "ungraded"
    assert said(result) == {
        "of_the_suites_own": ("ungraded", "this test fails on the reference as well (AttributeError)")
    }
    assert "elsewhere" not in {test.name for test in result.tests}, "what is skipped does not count"
    assert "if_it_may" not in {test.name for test in result.tests}


def test_a_test_that_stumbles_over_what_the_student_returned(examiner: Examiner) -> None:
    result = examiner.grade("def fragile(x):\n    return 'text'\n", "fragile")
    assert said(result)["sum"] == (
        "failed",
        "the hidden test could not use what your code returned (AttributeError: 'str' object has no attribute 'sum')",
    )


def test_words_for_an_assertion_without_any(examiner: Examiner) -> None:
    result = examiner.grade("def fragile(x):\n    return 3 * x\n", "fragile")
    assert said(result)["bare"] == ("failed", "what this test is named after does not hold")
    assert said(result)["size"][1].startswith("Tensor-likes are not close! Mismatched elements: 2 / 2")


class NoParent:
    """A worker's stand-in whose forkserver is gone."""

    def __init__(self) -> None:
        self.asked = 0
        self.frames = SimpleNamespace(send=self.send, receive=self.send)

    def send(self, *_: object) -> bytes:
        self.asked += 1
        raise PeerGone

    def end(self) -> Exit:
        raise WorkerStartError("the worker process is gone")


def test_a_worker_whose_forkserver_is_gone_is_nobodys_crash() -> None:
    worker: Any = NoParent()
    port = WorkerPort(worker, WorkerLimits(), Clock(9.0))
    conversation = Conversation(lambda: port, GOOD, "double", None, port=port)
    for _ in range(2):
        with pytest.raises(WorkerStartError):
            conversation.facts(1, 0)
    assert worker.asked == 1, "what is gone is not asked again"
    conversation.close()
    # Nor is closing such a worker an error: there is nothing left to end.
    WorkerPort(worker, WorkerLimits(), Clock(9.0)).close()


def kill_the_forkserver(engine: LocalEngine) -> None:
    assert isinstance(engine.forkserver, Forkserver)
    process = engine.forkserver._process
    assert process is not None
    process.kill()
    process.wait()


class Deadly:
    """A port that loses the forkserver at its n-th request."""

    def __init__(self, port: WorkerPort, engine: LocalEngine, requests: int) -> None:
        self.port = port
        self.engine = engine
        self.requests = requests

    def ask(self, message: bytes) -> bytes:
        self.requests -= 1
        if not self.requests:
            kill_the_forkserver(self.engine)
            # Its children die with it, but not in the same instant.
            assert isinstance(self.port.worker, Worker)
            dead = select.poll()
            dead.register(self.port.worker._pidfd, select.POLLIN)
            dead.poll(10_000)
        return self.port.ask(message)

    def close(self) -> None:
        self.port.close()


def with_deaths(examiner: Examiner, *requests: int) -> ExerciseResult:
    """Grade a good answer while the forkserver dies: of each worker in turn at the n-th request, if at all."""
    left = list(requests)

    def grade(opened: OpenEngine) -> ExerciseResult:
        grading, usual = opened.grading, opened.grading.open_worker

        def open_worker(exercise: Any, clock: Clock) -> Port:
            port = usual(exercise, clock)
            assert isinstance(port, WorkerPort)
            return Deadly(port, examiner.engine, left.pop(0)) if left else port

        grading.open_worker = open_worker
        try:
            return grading.grade(examiner.course.exercise("double"), GOOD)
        finally:
            grading.open_worker = usual

    result: ExerciseResult = examiner.do(grade)
    assert_sound(result)
    return result


def test_a_forkserver_that_dies_is_replaced_and_the_exercise_done_again(examiner: Examiner) -> None:
    result = with_deaths(examiner, 3)
    assert (result.verdict, result.score) == ("passed", 5.0)


def test_a_forkserver_that_dies_twice_leaves_the_exercise_ungraded(examiner: Examiner) -> None:
    result = with_deaths(examiner, 1, 3)
    assert (result.verdict, result.score) == ("ungraded", 0.0)
    ((outcome, message),) = set(said(result).values())
    assert outcome == "ungraded"
    assert message.startswith("the worker process is gone")
    # And one that is dead when an exercise begins is replaced.
    assert examiner.grade(GOOD).verdict == "passed"


def test_a_worker_that_cannot_be_had_leaves_the_exercise_ungraded(examiner: Examiner) -> None:
    def grade(opened: OpenEngine) -> ExerciseResult:
        def none_left(*_: object) -> Port:
            raise UngradedError("no worker is to be had")

        usual, opened.grading.open_worker = opened.grading.open_worker, none_left
        try:
            return opened.grading.grade(examiner.course.exercise("double"), GOOD)
        finally:
            opened.grading.open_worker = usual

    result = examiner.do(grade)
    assert result.verdict == "ungraded"
    assert set(said(result).values()) == {("ungraded", "no worker is to be had")}


# -- suites that cannot be ---------------------------------------------------------------------------------

UNFIT = {
    "no test": ("import torch\n", "holds no test"),
    "no Python": ("def test_(:\n", "cannot be collected"),
    "a missing import": ("import nothing_there\n", "nothing_there"),
    "no points": (
        "import pytest\n\n@pytest.mark.points(0)\ndef test_it(student):\n    pass\n",
        "some test must have some",
    ),
    "points below nothing": (
        "import pytest\n\n@pytest.mark.points(-1)\ndef test_it():\n    pass\n\ndef test_that():\n    pass\n",
        "must not be negative",
    ),
}


@pytest.mark.parametrize("case", UNFIT)
def test_a_suite_that_cannot_grade_is_an_error_of_its_own(tmp_path: Path, case: str) -> None:
    suite, words = UNFIT[case]
    course = write_course(tmp_path / "unfit", {"double": TinyExercise(suite=suite)})
    with pytest.raises(SuiteError, match=words) as caught:
        with_suites(course.exercises, Bench(), lambda session: None)
    assert caught.value.exit_code == 3
    assert caught.value.message.isprintable()


def grade_here(course: Course) -> str:
    """The verdict on a good answer, in this process."""

    def verdict(session: Session) -> str:
        return Grading(session, lambda *_: LocalPort()).grade(course.exercises[0], GOOD).verdict

    return with_suites(course.exercises, Bench(), verdict)


def test_suites_of_one_name_are_not_taken_for_each_other(tmp_path: Path) -> None:
    first = write_course(tmp_path / "first", {"double": TinyExercise()})
    second = write_course(
        tmp_path / "second", {"double": TinyExercise(suite="def test_it(student):\n    assert False\n")}
    )
    assert [grade_here(course) for course in (first, second, first)] == ["passed", "failed", "passed"]


def test_the_users_own_pytest_settings_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    course = write_course(tmp_path / "course", {"double": TinyExercise()})
    here = tmp_path / "here"
    here.mkdir()
    (here / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", encoding="utf-8")
    (here / "conftest.py").write_text("raise RuntimeError('read')\n", encoding="utf-8")
    (here / "test_mine.py").write_text("raise RuntimeError('read')\n", encoding="utf-8")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_PLUGINS", "nothing_there")
    assert grade_here(course) == "passed"
    assert os.environ["PYTEST_PLUGINS"] == "nothing_there"
    assert with_suites((), Bench(), lambda session: "nothing collected") == "nothing collected"


def test_torchs_own_settings_here_are_as_they_were(examiner: Examiner) -> None:
    examiner.grade(answer("torch.manual_seed(0)"))
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
