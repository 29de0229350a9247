"""What is said of a failed test for marks: ordinary errors are read as they are, hidden inputs are not."""

from __future__ import annotations

import pytest
import torch

from grader.course.feedback_level import as_shown
from grader.course.load import load_course
from grader.examiner.comparison import Mismatch
from grader.examiner.comparison_texts import assertion_text, mismatch_text
from grader.examiner.error_texts import Known, known_in_line, raised_constant, shown_text, shown_type
from grader.examiner.feedback import context_of, explain
from grader.examiner.student_errors import rebuild
from grader.result import Diagnosis, ExerciseResult, GradingResult, Receipt, TestResult, Versions

# The line that a student wrote, and what it raises.
LINES = [
    ("return x / x.sum(dim)", RuntimeError, "The size of tensor a (7) must match the size of tensor b (4) at "),
    ("return x.summ(dim)", AttributeError, "'Tensor' object has no attribute 'summ'"),
    ("return x / total", NameError, "name 'total' is not defined"),
    ("return torch.expp(x)", AttributeError, "module 'torch' has no attribute 'expp'"),
    ("return x.sum(dim=5)", IndexError, "Dimension out of range (expected to be in range of [-2, 1], but got 5)"),
    ("return x[100]", IndexError, "index 100 is out of bounds for dimension 0 with size 4"),
    ("return x.view(3, 100)", RuntimeError, "shape '[3, 100]' is invalid for input of size "),
    ("return x @ x", RuntimeError, "mat1 and mat2 shapes cannot be multiplied (4x7 and 4x7)"),
    ("return x.long().softmax(1)", NotImplementedError, "not implemented for 'Long'"),
    ("x -= 1", RuntimeError, "a leaf Variable that requires grad is being used in an in-place operation."),
    ("x.detach().sum().backward()", RuntimeError, "element 0 of tensors does not require grad"),
    ("x.exp().backward()", RuntimeError, "grad can be implicitly created only for scalar outputs"),
    ("y = x.exp().sum(); y.backward(); y.backward()", RuntimeError, "Trying to backward through the graph a second"),
    ("if x: return x", RuntimeError, "Boolean value of Tensor with more than one value is ambiguous"),
    ("return None[0]", TypeError, "'NoneType' object is not subscriptable"),
    ("return x + 'a'", TypeError, "unsupported operand type(s) for +: 'Tensor' and 'str'"),
    ("return x.exp(dim=dim)", TypeError, "exp() takes no keyword arguments"),
    ("return x(3)", TypeError, "'Tensor' object is not callable"),
    ("return [1, 2][5]", IndexError, "list index out of range"),
    ("return 1 / 0", ZeroDivisionError, "division by zero"),
    ("a, b = 1, 2, 3", ValueError, "too many values to unpack (expected 2)"),
    ("raise ValueError('dim must be an int')", ValueError, "dim must be an int"),
    ("assert dim == 9, 'only the last dim'", AssertionError, "only the last dim"),
    ("return torch.cat([x, x.sum(1)])", RuntimeError, "Tensors must have same number of dimensions: got 2 and 1"),
    ("return torch.stack([x, x[:2]])", RuntimeError, "stack expects each tensor to be equal size, but got [4, 7]"),
    ("return x.item()", RuntimeError, "elements cannot be converted to Scalar"),
    ("return len(x.sum())", TypeError, "len() of a 0-d tensor"),
    ("return later; later = 1", UnboundLocalError, "cannot access local variable 'later'"),
    ("return x.expand(7, 7)", RuntimeError, "The expanded size of the tensor (7) must match the existing size (4)"),
    ("return softmax()", TypeError, "softmax() missing 2 required positional arguments: 'x' and 'dim'"),
]  # fmt: skip  # one line each reads better


@pytest.fixture(scope="module")
def context():
    return context_of(load_course(None).exercise("softmax"))


def said(source: str, context) -> str:
    """What a student reads of whatever the source's softmax raises."""
    module: dict = {"__name__": "softmax", "torch": torch}
    try:
        exec(compile(source, "softmax.py", "exec"), module)
        module["softmax"](torch.randn(4, 7, requires_grad=True), 1)
    except Exception as error:
        line = None
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == "softmax.py":
                line = trace.tb_lineno
            trace = trace.tb_next
        base = next(c.__name__ for c in type(error).__mro__ if c.__module__ == "builtins")
        rebuilt = rebuild((type(error).__name__, base, str(error), [(line or 0, "softmax")]))
        return explain(rebuilt, source, "softmax.py", 100, context=context).message
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(("line", "kind", "text"), LINES, ids=[line for line, *_ in LINES])
def test_an_ordinary_error_is_read_as_it_is(line: str, kind: type, text: str, context) -> None:
    message = said(f"def softmax(x, dim):\n    {line}\n", context)
    assert f"your code raised {kind.__name__}: " in message
    assert text in message
    assert "line 2 of softmax.py" in message


@pytest.mark.parametrize(
    "line",
    [
        "raise ValueError(str(x.tolist()))",
        "raise ValueError('no ' + 'LEAK'.lower() + str(x.sum()))",
        "raise NameError(\"name 'x%s' is not defined\" % abs(hash(x)))",
        "raise type('T' + 'LEAK' * 2, (Exception,), {})('LE' + 'AK')",
        "{}['LE' + 'AK']",
    ],
)
def test_a_text_that_is_made_is_not_shown(line: str, context) -> None:
    message = said(f"def softmax(x, dim):\n    {line}\n", context)
    said_of_it = message.partition(" (line ")[0]
    assert "LEAK" not in said_of_it
    assert "not shown" in said_of_it or "…" in said_of_it


def test_a_line_that_is_not_there_has_no_number(context) -> None:
    error = rebuild(("ValueError", "ValueError", "x", [(987654, "f")]))
    assert "987654" not in explain(error, "def f(): pass\n", "f.py", 100, context=context).message


def test_loading_is_shown_whole_for_no_input_is_known_yet() -> None:
    error = rebuild(("ValueError", "ValueError", "anything at all", [(1, "<module>")]))
    assert "anything at all" in explain(error, "raise\n", "f.py", 100, loading=True).message


def test_numbers_that_are_no_sizes_here_are_masked() -> None:
    known = Known(frozenset(), frozenset({40}))
    text = "The size of tensor a (40) must match the size of tensor b (31337) at non-singleton dimension 0"
    assert shown_text(text, known) == text.replace("31337", "…")
    assert shown_text(text, known_in_line("x[:31337]", known)) == text


def test_a_text_in_no_table_is_none() -> None:
    assert shown_text("a text of my own", Known(frozenset(), frozenset())) is None
    assert shown_type("LEAK") == ""
    assert raised_constant("def f():\n    raise ValueError('a' if g else 'b')\n", 2) is None


KNOWN = Known(frozenset({"x"}), frozenset({3}))


@pytest.mark.parametrize(
    ("got", "shown"),
    [
        ("the result has shape (0, 31337, 65537), and (3,) is expected", "(0, …, …)"),
        ("the result has length 31337, and 2 is expected", "length …"),
        ("the result is 9876543210987654321, and 3 is expected", "9.87654e+18"),
        ("the result is 'LEAK', and 'x' is expected", "'…'"),
        ("the result, a dict, lacks 'x' and has 'LEAK', 'LEAK2' too many", "has keys too many"),
        ("the result is a LEAK, and a tensor is expected", "an object of another type"),
        ("the result is on LEAK, and its inputs are on cpu: where", "another device"),
    ],
)
def test_a_mismatch_shows_no_more_than_shape_dtype_and_two_values(got: str, shown: str) -> None:
    message = mismatch_text(
        Mismatch(got, call="f(float32[3], 0.125, 'secret', <a LEAK in the worker>)"), KNOWN
    )
    assert shown in message
    assert "LEAK" not in message
    assert "31337" not in message
    assert message.endswith("[f(float32[3], float, str, …)]")


def test_an_assertion_of_the_suite_is_shown_in_its_own_words() -> None:
    own = frozenset({"p", "is", "and", "the", "share", "of", "zeros"})
    assert assertion_text("p=0.35, and the share of zeros is 0.123456789", own) == (
        "p=0.35, and the share of zeros is 0.123457"
    )
    assert "LEAK" not in assertion_text("p is LEAK", own)


def result() -> GradingResult:
    test = TestResult(name="values", points=2, earned=0, outcome="failed", message="differs")
    exercise = ExerciseResult(
        id="e", topic="t", score=0, max_score=2, verdict="failed", tests=(test,),
        diagnosis=Diagnosis(misconception="m", hint="h"),
    )  # fmt: skip
    return GradingResult(
        student="s", device="cpu", isolation=3, seed="secret", score=0, max_score=2, topics=(),
        exercises=(exercise,),
        receipt=Receipt(suite="", submission="", versions=Versions(torchgrade="", torch="", python="")),
    )  # fmt: skip


def test_levels_of_feedback() -> None:
    whole = result()
    assert as_shown(whole, "normal", seed_is_spent=True) == as_shown(whole, "full") == whole
    # What other attempts are graded with as well is no student's to know.
    assert as_shown(whole, "normal") == whole.model_copy(update={"seed": ""})
    names = as_shown(whole, "names").exercises[0]
    assert [(test.name, test.outcome, test.message) for test in names.tests] == [("values", "failed", "")]
    assert names.diagnosis is None
    none = as_shown(whole, "none")
    assert (none.exercises[0].tests, none.exercises[0].diagnosis, none.seed) == ((), None, "")
    assert (none.exercises[0].verdict, none.score, none.exit_code) == ("failed", 0, 1)
