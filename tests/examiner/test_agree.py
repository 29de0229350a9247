"""What `agree` sees, what it says of it, and what it lets pass."""

from __future__ import annotations

import textwrap
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from grader import agree
from grader.examiner import context
from grader.examiner.comparison import Mismatch
from grader.examiner.conversation import Conversation, LocalPort
from grader.examiner.reference import Reference
from grader.examiner.student import Remote, RemoteHandle, Student
from tests.conftest import Converse

HEAD = "import collections\nimport torch\nfrom torch import nn\n\n"


class Sides(NamedTuple):
    student: Student
    reference: Reference


Take = Callable[..., Sides]


@pytest.fixture(autouse=True)
def a_test_of_its_own() -> Iterator[None]:
    context.enter(context.TestContext(11))
    yield
    context.enter(context.TestContext(0))


@pytest.fixture
def sides(converse: Converse) -> Take:
    """Two modules to compare, the student's behind either door."""
    return partial(_sides, converse)


@pytest.fixture
def sides_here() -> Take:
    """The same in this process only: for the long tables, which go behind the walls in one piece each."""

    def locally(source: str, *, props: str | None = None) -> Conversation:
        return Conversation(LocalPort, source, "answer", props)

    return partial(_sides, locally)


def _sides(converse: Converse, answer: str, right: str, props: str | None = None) -> Sides:
    conversation = converse(HEAD + textwrap.dedent(answer), props=props)
    conversation.begin_test(1)
    return Sides(Student(conversation), Reference("answer", HEAD + textwrap.dedent(right), props))


def said(
    sides: Sides, *args: Any, settings: dict[str, Any] | None = None, of: str = "f", **kwargs: Any
) -> str:
    """What `agree` says of the student's `f`; empty where it agrees."""
    f, g = getattr(sides.student, of), getattr(sides.reference, of)
    try:
        agree(f, g, **(settings or {}))(*args, **kwargs)
    except Mismatch as mismatch:
        return mismatch.text
    return ""


def returning(value: str) -> str:
    return f"def f(x):\n    return {value}\n"


def matrix(requires_grad: bool = True, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.arange(1.0, 7.0).reshape(2, 3).to(dtype).requires_grad_(requires_grad)


# -- the result, value by value ---------------------------------------------------------------------------

# What the student returns, what is right, and what is said; x is [[1, 2, 3], [4, 5, 6]].
RESULTS = {
    "shape": ("x.sum(0)", "x.sum(1)", "the result has shape (3,), and (2,) is expected"),
    "a shape that would broadcast": (
        "x.sum(1, keepdim=True)",
        "x.sum(1)",
        "the result has shape (2, 1), and (2,) is expected",
    ),
    "one element is no scalar": ("x.sum()[None]", "x.sum()", "the result has shape (1,), and () is expected"),
    "wider dtype": (
        "x.double()",
        "x * 1",
        "the result has dtype torch.float64, and torch.float32 is expected",
    ),
    "int for float": (
        "torch.ones(2, dtype=torch.int64)",
        "torch.ones(2)",
        "the result has dtype torch.int64, and torch.float32 is expected",
    ),
    "number for tensor": (
        "x.sum().item()",
        "x.sum()",
        "the result is a float (21.0), and a tensor is expected",
    ),
    "tensor for number": (
        "x.sum()",
        "21.0",
        "the result is a tensor of shape (), and a float (21.0) is expected",
    ),
    "sparse for dense": (
        "x.to_sparse()",
        "x * 1",
        "the result is a tensor that is not dense (sparse, quantised, or on the meta device), and a tensor is expected",
    ),
    "forgotten return": ("None", "x * 1", "the result is None, and a tensor is expected"),
    "something for nothing": ("3", "None", "the result is an int (3), and None is expected"),
    "float for int": ("3.0", "3", "the result is a float (3.0), and an int (3) is expected"),
    "int for float number": ("3", "3.0", "the result is an int (3), and a float (3.0) is expected"),
    "bool for int": ("True", "1", "the result is a bool (True), and an int (1) is expected"),
    "int for bool": ("1", "True", "the result is an int (1), and a bool (True) is expected"),
    "other int": ("4", "3", "the result is 4, and 3 is expected"),
    "other bool": ("False", "True", "the result is False, and True is expected"),
    "other float": ("0.5001", "0.5", "the result is 0.5001, and 0.5 is expected"),
    "NaN for a float": ("float('nan')", "0.5", "the result is nan, and 0.5 is expected"),
    "infinity for a float": ("float('inf')", "0.5", "the result is inf, and 0.5 is expected"),
    "other text": ("'mean'", "'sum'", "the result is 'mean', and 'sum' is expected"),
    "other dtype": ("torch.float64", "x.dtype", "the result is torch.float64, and torch.float32 is expected"),
    "other device": ("torch.device('meta')", "x.device", "the result is meta, and cpu is expected"),
    "list for tuple": ("[1, 2]", "(1, 2)", "the result is a list, and a tuple is expected"),
    "tuple for list": ("(1, 2)", "[1, 2]", "the result is a tuple, and a list is expected"),
    "list for tensor": ("[1.0, 2.0]", "x[0, :2]", "the result is a list, and a tensor is expected"),
    "tensor for list": ("x", "[x]", "the result is a tensor of shape (2, 3), and a list is expected"),
    "tensor for dict": ("x", "{'x': x}", "the result is a tensor of shape (2, 3), and a dict is expected"),
    "too few items": ("(1,)", "(1, 2)", "the result has length 1, and 2 is expected"),
    "too many items": ("[1, 2, 3]", "[1]", "the result has length 3, and 1 is expected"),
    "one item": ("(1, 3)", "(1, 2)", "item 1 of the result is 3, and 2 is expected"),
    "an item deep down": (
        "{'a': [1, (2, 3.0)]}",
        "{'a': [1, (2, 3)]}",
        "item 1 of item 1 of the result['a'] is a float (3.0), and an int (3) is expected",
    ),
    "key missing": ("{'a': 1}", "{'a': 1, 'b': 2}", "the result, a dict, lacks 'b'"),
    "key too many": ("{'a': 1, 'b': 2}", "{'a': 1}", "the result, a dict, has 'b' too many"),
    "another key": ("{'a': 1}", "{'b': 1}", "the result, a dict, lacks 'b' and has 'a' too many"),
    "object for number": ("iter([1])", "1", "the result is a list_iterator, and an int (1) is expected"),
    "number for object": ("1", "nn.Linear(1, 1)", "the result is an int (1), and a Linear is expected"),
    "one element of many": (
        "torch.tensor([1.0, 2.0, 3.5])",
        "torch.tensor([1.0, 2.0, 3.0])",
        "the result differs in 1 of 3 elements; the largest difference is 0.5 at index 2: got 3.5, expected 3",
    ),
    "the largest of several": (
        "torch.tensor([[1.0, 2.5], [0.0, 4.0]])",
        "torch.tensor([[1.0, 2.0], [3.0, 4.0]])",
        "the result differs in 2 of 4 elements; the largest difference is 3 at index (1, 0): got 0, expected 3",
    ),
    "a single element": (
        "torch.tensor([2.0])",
        "torch.tensor([1.0])",
        "the result differs in 1 of 1 element; the largest difference is 1 at index 0: got 2, expected 1",
    ),
    "a scalar tensor": (
        "torch.tensor(2.0)",
        "torch.tensor(1.0)",
        "the result differs in 1 of 1 element; the largest difference is 1 at its only element: got 2, expected 1",
    ),
    "integers": (
        "torch.tensor([1, 2, 2**40 + 1])",
        "torch.tensor([1, 2, 2**40])",
        "the result differs in 1 of 3 elements; the largest difference is 1 at index 2: got 1099511627777, "
        "expected 1099511627776",
    ),
    "booleans": (
        "torch.tensor([True, True])",
        "torch.tensor([True, False])",
        "the result differs in 1 of 2 elements; the largest difference is 1 at index 1: got True, expected False",
    ),
    "complex numbers": (
        "torch.tensor([1 + 1j])",
        "torch.tensor([1 - 1j])",
        "the result differs in 1 of 1 element; the largest difference is 2 at index 0: got (1+1j), expected (1-1j)",
    ),
    "NaN where a number is": (
        "torch.tensor([1.0, float('nan')])",
        "torch.ones(2)",
        "the result is nan at index 1, where 1 is expected: 1 of 2 elements are not finite. Does something "
        "overflow, or is 0 divided by 0?",
    ),
    "infinity where a number is": (
        "torch.tensor([[1.0, -float('inf')]])",
        "torch.ones(1, 2)",
        "the result is -inf at index (0, 1), where 1 is expected: 1 of 2 elements are not finite. Does something "
        "overflow, or is 0 divided by 0?",
    ),
    "a number where NaN is": (
        "torch.zeros(2)",
        "torch.tensor([0.0, float('nan')])",
        "the result differs in 1 of 2 elements; the largest difference is inf at index 1: got 0, expected nan",
    ),
    "a number where infinity is": (
        "torch.zeros(2)",
        "torch.tensor([0.0, float('inf')])",
        "the result differs in 1 of 2 elements; the largest difference is inf at index 1: got 0, expected inf",
    ),
    "a wrong number beside what may be": (
        "torch.tensor([float('nan'), float('inf'), 1000.0001, 2.0])",
        "torch.tensor([float('nan'), float('inf'), 1000.0, 1.9999])",
        "the result differs in 1 of 4 elements; the largest difference is 0.0001 at index 3: got 2, expected 1.9999",
    ),
    "infinity of the other sign": (
        "torch.tensor([float('-inf')])",
        "torch.tensor([float('inf')])",
        "the result differs in 1 of 1 element; the largest difference is inf at index 0: got -inf, expected inf",
    ),
}


@pytest.mark.parametrize("case", RESULTS)
def test_results_that_differ(sides_here: Take, case: str) -> None:
    answer, right, message = RESULTS[case]
    assert said(sides_here(returning(answer), returning(right)), matrix(requires_grad=False)) == message
    assert said(sides_here(returning(right), returning(right)), matrix(requires_grad=False)) == ""


def numbered(functions: Iterable[str]) -> str:
    """Many functions named `f` in one module: `f_0`, `f_1`, and so on."""
    return "\n".join(function.replace("def f(", f"def f_{n}(", 1) for n, function in enumerate(functions))


def test_results_that_differ_behind_the_walls(converse_with_worker: Converse) -> None:
    answers = numbered(returning(answer) for answer, _, _ in RESULTS.values())
    both = _sides(
        converse_with_worker, answers, numbered(returning(right) for _, right, _ in RESULTS.values())
    )
    for n, (case, (_, _, message)) in enumerate(RESULTS.items()):
        assert said(both, matrix(requires_grad=False), of=f"f_{n}") == message, case


ALIKE = {
    "a rounding error": ("x / 3 * 3", "x * 1"),
    "a rounding error of a number": ("0.1 + 0.2", "0.3"),
    "NaN for NaN": ("torch.tensor([float('nan'), 1.0])", "torch.tensor([float('nan'), 1.0])"),
    "NaN for NaN in complex numbers": ("x * complex('nan')", "x * complex('nan')"),
    "infinity for infinity": ("float('inf')", "float('inf')"),
    "a number that is NaN": ("float('nan')", "float('nan')"),
    "other order of keys": ("{'a': 1, 'b': x}", "{'b': x, 'a': 1}"),
    "an ordered dict": ("collections.OrderedDict(a=1)", "{'a': 1}"),
    "a dict with a default": ("collections.defaultdict(list, a=[1])", "{'a': [1]}"),
    "a shape": ("x.shape", "tuple(x.shape)"),
    "what torch names": ("x.sort(dim=1)", "tuple(x.sort(dim=1))"),
    "a parameter": ("nn.Parameter(torch.ones(2))", "torch.ones(2).requires_grad_()"),
    "one module for another": ("nn.Linear(1, 1)", "nn.Linear(1, 1)"),
    "one generator for another": ("(i for i in [1])", "iter([1])"),
    "a named tuple": (
        "collections.namedtuple('State', 'h c')(x, 1)",
        "collections.namedtuple('State', 'h c')(x, 1)",
    ),
    "a view": ("x[0]", "x[0].clone()"),
    "other strides": ("x.t().contiguous().t()", "x * 1"),
    "empty": ("x[:0]", "torch.zeros(0, 3)"),
    "nothing in a nest": ("{'a': [], 'b': ()}", "{'a': [], 'b': ()}"),
}


@pytest.mark.parametrize("case", ALIKE)
def test_results_that_agree(sides_here: Take, case: str) -> None:
    answer, right = ALIKE[case]
    assert said(sides_here(returning(answer), returning(right)), matrix(requires_grad=False)) == ""


def test_the_students_result_is_returned(sides: Take) -> None:
    both = sides(
        returning("{'y': x * 2, 'n': 3, 'm': nn.Linear(2, 1)}"),
        returning("{'y': x + x, 'n': 3, 'm': nn.ReLU()}"),
    )
    got = agree(both.student.f, both.reference.f)(matrix())
    assert torch.equal(got["y"], 2 * matrix())
    assert got["n"] == 3
    assert isinstance(got["m"], RemoteHandle)
    assert got["m"].type_name == "Linear"
    assert both.student.facts(got["y"]).requires_grad


def test_the_call_is_told_by_shapes_alone(sides: Take) -> None:
    answer = "def f(x, *, parts, k, options):\n    return x.sum()\n"
    both = sides(answer, answer.replace("sum", "mean"))
    with pytest.raises(Mismatch) as caught:
        agree(both.student.f, both.reference.f)(
            matrix(False), parts=[matrix(), (1, 2.5)], k="mean", options={"a": 1}
        )
    assert caught.value.call == "f(float32[2, 3], parts=[float32[2, 3], (1, 2.5)], k='mean', options={...})"


def test_what_is_long_is_cut_short(sides: Take) -> None:
    both = sides(returning("'y' * 5000"), returning("'x' * 5000"))
    assert len(said(both, matrix())) < 250
    both = sides(returning("{'k' * 5000: 1, **{str(i): i for i in range(900)}}"), returning("{'a': 1}"))
    assert len(said(both, matrix())) < 600


def test_exceptions_pass_through(sides: Take) -> None:
    both = sides(returning("1 / 0"), returning("x"))
    with pytest.raises(ZeroDivisionError):
        agree(both.student.f, both.reference.f)(matrix())


def test_a_result_on_another_device(sides: Take) -> None:
    both = sides(returning("x * 2"), returning("x + x"))
    context.enter(context.TestContext(11, device="cuda"))
    assert said(both, matrix()) == (
        "the result is on cpu, and its inputs are on cuda: where do you make a new tensor without saying "
        "`device=`?"
    )
    # A function of numbers has no input whose device it could keep.
    assert said(sides(returning("torch.ones(x)"), returning("torch.ones(x)")), 3) == ""


# -- tolerance --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "near", "far"),
    [
        (torch.float16, 5e-4, 5e-3),
        (torch.bfloat16, 1e-2, 4e-2),
        (torch.float32, 1e-6, 1e-4),
        (torch.float64, 5e-8, 1e-6),
        (torch.complex64, 1e-6, 1e-4),
        (torch.complex128, 5e-8, 1e-6),
    ],
)
def test_each_dtype_has_its_tolerance(sides: Take, dtype: torch.dtype, near: float, far: float) -> None:
    x = torch.ones(3, dtype=dtype)
    wide = torch.complex128 if dtype.is_complex else torch.float64

    def off_by(share: float) -> str:
        return f"def f(x):\n    return (x.to({wide}) * (1 + {share})).to(x.dtype)\n"

    assert said(sides(off_by(near), off_by(0)), x) == ""
    assert said(sides(off_by(far), off_by(0)), x).startswith("the result differs in 3 of 3 elements")


def test_a_tolerance_of_the_suites_own(sides: Take) -> None:
    both = sides(returning("(x * 1.01, 1.01)"), returning("(x * 1.0, 1.0)"))
    assert said(both, matrix()).startswith("item 0 of the result differs in 6 of 6 elements")
    assert said(both, matrix(), settings={"rtol": 0.02, "atol": 0.0}) == ""
    tight = {"rtol": 0.0, "atol": 0.0}
    assert "differs" in said(
        sides(returning("x / 3 * 3.0000002"), returning("x * 1")), matrix(), settings=tight
    )
    assert said(sides(returning("0.1 + 0.2"), returning("0.3")), matrix(), settings=tight).startswith(
        "the result is 0.3"
    )


def test_a_tolerance_holds_for_gradients(sides: Take) -> None:
    # The values are the same, the gradient is a hundredth larger.
    both = sides(returning("x * 1.01 - x.detach() * 0.01"), returning("x * 1"))
    assert said(both, matrix()).startswith("the gradient of `x` differs in 6 of 6 elements")
    assert said(both, matrix(), settings={"rtol": 0.02, "atol": 0.0}) == ""


def test_integers_know_no_tolerance(sides: Take) -> None:
    both = sides(returning("torch.tensor([5])"), returning("torch.tensor([4])"))
    assert "differs in 1 of 1 element" in said(both, matrix(), settings={"rtol": 1.0, "atol": 9.0})


@pytest.mark.parametrize("settings", [{"rtol": 0.1}, {"atol": 0.1}])
def test_a_tolerance_has_two_parts(sides: Take, settings: dict[str, float]) -> None:
    both = sides(returning("x * 2.0"), returning("x * 1.0"))
    with pytest.raises(ValueError, match="both rtol and atol, or neither"):
        said(both, matrix(), settings=settings)


# -- gradients --------------------------------------------------------------------------------------------

CUT = (
    " carries no gradient (requires_grad is False): its values are right, and something cuts the graph: detach, "
    ".item(), .data, no_grad, or a tensor made from numbers"
)


def test_a_wrong_gradient(sides: Take) -> None:
    both = sides(returning("x * 3 - 2 * x.detach()"), returning("x * 1"))
    message = said(both, matrix())
    assert message.startswith("the gradient of `x` differs in 6 of 6 elements; the largest difference is ")


def test_a_wrong_gradient_that_sums_up_right(sides: Take) -> None:
    # With a cotangent of ones both are the same: each output's gradient goes to the wrong input.
    both = sides(returning("x.flip(0) + (x - x.flip(0)).detach()"), returning("x * 1"))
    assert said(both, matrix()).startswith("the gradient of `x` differs")
    swapped = sides(
        "def f(x, y):\n    return y + (x - y).detach(), x + (y - x).detach()\n",
        "def f(x, y):\n    return x * 1, y * 1\n",
    )
    assert said(swapped, matrix(), matrix()).startswith("the gradient of `x` differs")


def test_each_output_has_a_cotangent_of_its_own(sides: Take) -> None:
    right = returning("(x * 2, x * 3, {'z': x * 5})")
    assert said(sides(right, right), matrix()) == ""
    for answer in (
        "(x * 2, 9 * x - 6 * x.detach(), {'z': x * 5})",
        "(x * 2, x * 3, {'z': 9 * x - 4 * x.detach()})",
        # What one output lacks, another has too much.
        "(3 * x - x.detach(), 2 * x + x.detach(), {'z': x * 5})",
    ):
        assert said(sides(returning(answer), right), matrix()).startswith(
            "the gradient of `x` differs in 6 of 6"
        )


def test_cotangents_are_drawn_anew_and_alike(sides: Take) -> None:
    both = sides(returning("x * 3 - 2 * x.detach()"), returning("x * 1"))
    first, second = said(both, matrix()), said(both, matrix())
    assert first != second
    context.enter(context.TestContext(11))
    assert said(both, matrix()) == first


def test_a_gradient_that_must_be_finite(sides: Take) -> None:
    # The values agree: where() hides the NaN, and its gradient does not.
    both = sides(
        returning("torch.where(x > 0, x.sqrt(), 0.0)"),
        returning("torch.where(x > 0, x.clamp(min=1e-9).sqrt(), 0.0)"),
    )
    message = said(both, torch.tensor([4.0, -1.0], requires_grad=True))
    assert message.startswith(
        "the gradient of `x` is nan at index 1, where 0 is expected: 1 of 2 elements are not finite."
    )


def test_a_cut_graph(sides: Take) -> None:
    for answer in ("x.detach() * 2", "x.data * 2", "torch.tensor((x * 2).tolist())"):
        assert said(sides(returning(answer), returning("x * 2")), matrix()) == f"the result{CUT}"
    no_grad = "def f(x):\n    with torch.no_grad():\n        return x * 2\n"
    assert said(sides(no_grad, returning("x * 2")), matrix()) == f"the result{CUT}"
    both = sides(returning("(x * 2, (x * 3).detach())"), returning("(x * 2, x * 3)"))
    assert said(both, matrix()) == f"item 1 of the result{CUT}"


def test_a_graph_cut_and_begun_anew(sides: Take) -> None:
    both = sides(returning("(x.detach() * 2).requires_grad_()"), returning("x * 2"))
    assert said(both, matrix()) == (
        "the gradient of `x` is missing: the values are right, but the result does not depend on `x` in the graph"
    )


def test_an_argument_returned_as_it_came(sides: Take) -> None:
    right = returning("x")
    assert said(sides(right, right), matrix()) == ""
    assert said(sides(returning("x * 1"), right), matrix()) == ""
    assert said(sides(returning("x.detach()"), right), matrix()) == f"the result{CUT}"
    both = sides(returning("x.detach().clone().requires_grad_()"), right)
    assert said(both, matrix()).startswith("the gradient of `x` is missing")


def test_a_graph_where_none_should_be(sides: Take) -> None:
    both = sides(returning("x * 2"), returning("(x * 2).detach()"))
    assert (
        said(both, matrix()) == "the result still hangs on a graph (requires_grad is True), and it should not"
    )
    grads = sides(
        "def f(x):\n    return torch.autograd.grad((x ** 2).sum(), x, create_graph=True)[0]\n",
        "def f(x):\n    return torch.autograd.grad((x ** 2).sum(), x)[0]\n",
    )
    assert "still hangs on a graph" in said(grads, matrix())


def test_wrong_values_are_told_before_the_graph(sides: Take) -> None:
    both = sides(returning("x.detach() * 3"), returning("x * 2"))
    assert said(both, matrix()).startswith("the result differs in 6 of 6 elements")


@pytest.mark.parametrize(
    "case", ["shape", "wider dtype", "forgotten return", "number for tensor", "too few items"]
)
def test_a_wrong_result_is_told_before_its_gradient(sides: Take, case: str) -> None:
    answer, right, message = RESULTS[case]
    assert said(sides(returning(answer), returning(right)), matrix()) == message


def test_a_grad_that_is_there_is_no_part_of_the_gradient(sides: Take) -> None:
    x = matrix()
    x.grad = torch.full((2, 3), 7.0)
    assert said(sides(returning("x + x"), returning("x * 2")), x) == ""
    source = """
        class Keeper:
            def __init__(self, x):
                self.x = x

        def f(x):
            return x * 2, Keeper(x)
    """
    y, keeper = sides(source, source).student.f(x)
    y.backward(torch.ones(2, 3))
    assert torch.equal(keeper.x.grad, torch.full((2, 3), 7.0)), "over there it is as it was"
    assert torch.equal(x.grad, torch.full((2, 3), 9.0))


def test_gradients_may_be_left_out(sides: Take) -> None:
    wrong = returning("x * 3 - 2 * x.detach()")
    assert said(sides(wrong, returning("x * 1")), matrix(), settings={"gradients": False}) == ""
    cut = sides(returning("x.detach()"), returning("x * 1"))
    assert said(cut, matrix(), settings={"gradients": False}) == f"the result{CUT}"


TWO = "def f(x, w=None, *, params=(), table=None):\n    return "


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ("x.detach() + w + params[0] + params[1][0] + table['b']", "`x` is missing"),
        ("x + 2 * w - w.detach() + params[0] + params[1][0] + table['b']", "`w` differs"),
        ("x + w + params[0].detach() + params[1][0] + table['b']", "`params`[0] is missing"),
        (
            "x + w + params[0] + 2 * params[1][0] - params[1][0].detach() + table['b']",
            "`params`[1][0] differs",
        ),
        ("x + w + params[0] + params[1][0] + table['b'].detach()", "`table`['b'] is missing"),
    ],
)
def test_the_argument_whose_gradient_is_wrong_is_named(sides: Take, wrong: str, named: str) -> None:
    both = sides(TWO + wrong, TWO + "x + w + params[0] + params[1][0] + table['b']")
    message = said(both, matrix(), w=matrix(), params=[matrix(), (matrix(),)], table={"a": 1, "b": matrix()})
    assert message.startswith(f"the gradient of {named}")
    assert (
        said(
            both,
            matrix(False),
            matrix(False),
            params=[matrix(False), (matrix(False),)],
            table={"b": matrix(False)},
        )
        == ""
    )


def test_the_names_are_the_references(sides: Take) -> None:
    both = sides(
        "def f(*args):\n    return args[0] - args[1].detach()\n",
        "def f(logits, target):\n    return logits - target\n",
    )
    assert said(both, matrix(), matrix()).startswith("the gradient of `target` is missing")


def test_a_gradient_of_zero_may_be_missing(sides: Take) -> None:
    right = "def f(x, y):\n    return x * 2 + 0 * y\n"
    assert said(sides("def f(x, y):\n    return x * 2\n", right), matrix(), matrix()) == ""
    # Nor need one be missing where the reference has none, if it is zero.
    assert said(sides(right, "def f(x, y):\n    return x * 2\n"), matrix(), matrix()) == ""
    leak = sides("def f(x, y):\n    return x * 2 + y - y.detach()\n", "def f(x, y):\n    return x * 2\n")
    assert said(leak, matrix(), matrix()).startswith("the gradient of `y` differs in 6 of 6 elements")


def test_gradients_follow_the_keys_of_a_dict_whatever_their_order(sides: Take) -> None:
    right = returning("{'a': x * 2, 'b': [x * 3], 'c': (x * 5, 1)}")
    assert said(sides(returning("{'c': (x * 5, 1), 'b': [x * 3], 'a': x * 2}"), right), matrix()) == ""
    message = said(
        sides(returning("{'c': (x * 5, 1), 'b': [x * 3], 'a': 3 * x - x.detach()}"), right), matrix()
    )
    assert message.startswith("the gradient of `x` differs")


def test_a_backward_that_raises(sides: Take) -> None:
    answer = """
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                raise ValueError("not written yet")

        f = Double.apply
    """
    both = sides(answer, returning("x * 2"))
    with pytest.raises(ValueError, match="not written yet"):
        agree(both.student.f, both.reference.f)(matrix())
    with pytest.raises(ValueError, match="not written yet"):
        agree(lambda x: both.student.f(x), both.reference.f)(matrix())


def test_a_gradient_of_the_students_own_making(sides: Take) -> None:
    answer = """
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                return 2 * x

            @staticmethod
            def backward(ctx, g):
                return {}

        f = Double.apply
    """
    assert said(sides(answer.format("2 * g"), returning("x * 2")), matrix()) == ""
    assert "the gradient of `x` differs" in said(sides(answer.format("g"), returning("x * 2")), matrix())
    assert "the gradient of `x` is missing" in said(
        sides(answer.format("None"), returning("x * 2")), matrix()
    )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.complex64])
def test_gradients_of_every_dtype(sides: Take, dtype: torch.dtype) -> None:
    right = returning("x * 2")
    assert said(sides(returning("x + x"), right), matrix(dtype=dtype)) == ""
    message = said(sides(returning("x * 3 - x.detach()"), right), matrix(dtype=dtype))
    assert message.startswith("the gradient of `x` differs in 6 of 6 elements")


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1, 1, 1)])
def test_odd_shapes(sides: Take, shape: tuple[int, ...]) -> None:
    x = torch.ones(shape, requires_grad=True)
    right = returning("x * 2")
    assert said(sides(returning("x + x"), right), x) == ""
    # Without elements there is no gradient to lose: a loop that never runs leaves no graph.
    assert said(sides(returning("(x + x).detach()"), right), x) == (f"the result{CUT}" if x.numel() else "")
    wrong = said(sides(returning("x * 3 - x.detach()"), right), x)
    assert wrong.startswith("the gradient of `x` differs in 1 of 1 element" if x.numel() else "")


# -- what becomes of the arguments ------------------------------------------------------------------------


def doing(*lines: str) -> str:
    return "\n    ".join(["def f(x, y=None, items=None, table=None):", *lines, "return None"]) + "\n"


KEPT = "`x`, which must not be changed, differs in 6 of 6 elements"
AFTER = "`x` after the call differs in 6 of 6 elements"
REPLACED = " is replaced by another tensor: the caller still holds the old one, so change it in place"
# What the student does, what is right, and what is said of `f(x, y=..., items=[...], table={...})`.
EFFECTS = {
    "an input changed": ("x.mul_(2)", "pass", KEPT),
    "an input changed through data": ("x.data.mul_(2)", "pass", KEPT),
    "an input changed through a view": ("x.view(-1).zero_()", "pass", KEPT),
    "a keyword changed": ("y.neg_()", "pass", "`y`, which must not be changed, differs in 6 of 6 elements"),
    "one element changed": (
        "x[0, 1] = 9",
        "pass",
        "`x`, which must not be changed, differs in 1 of 6 elements",
    ),
    "in place, and not done": ("x = x * 2", "x.mul_(2)", AFTER),
    "in place, and half done": ("x[0].mul_(2)", "x.mul_(2)", "`x` after the call differs in 3 of 6 elements"),
    "in place, and wrong": ("x.mul_(3)", "x.mul_(2)", AFTER),
    "a new shape": (
        "x.unsqueeze_(0)",
        "pass",
        "`x`, which must not be changed, has shape (1, 2, 3), and (2, 3) is expected",
    ),
    "a new dtype": (
        "x.data = x.data.double()",
        "pass",
        "`x`, which must not be changed, has dtype torch.float64, and torch.float32 is expected",
    ),
    "a gradient asked for": (
        "x.requires_grad_()",
        "pass",
        "`x` is changed: its requires_grad is True after the call, and False is expected",
    ),
    "an item changed": (
        "items[0].zero_()",
        "pass",
        "`items`[0], which must not be changed, differs in 6 of 6 elements",
    ),
    "an item bound anew": (
        "items[0] = items[0] * 2",
        "items[0].mul_(2)",
        "`items`[0] after the call differs in 6 of 6 elements",
    ),
    "an item replaced by its like": ("items[0] = items[0].clone()", "pass", "`items`[0]" + REPLACED),
    "items swapped": ("items[0], items[1] = items[1], items[0]", "pass", "`items`[0]" + REPLACED),
    "an entry replaced": ("table['w'] = table['w'].clone()", "pass", "`table`['w']" + REPLACED),
    "an item taken out": ("items.pop()", "pass", "`items` after the call has length 2, and 3 is expected"),
    "an item put in": ("items.append(1)", "pass", "`items` after the call has length 4, and 3 is expected"),
    "an item not put in": (
        "pass",
        "items.append(x)",
        "`items` after the call has length 3, and 4 is expected",
    ),
    "another new item": (
        "items.append(x + 1)",
        "items.append(x + 2)",
        "`items`[3] after the call differs in 6 of 6 elements",
    ),
    "a number for a new tensor": (
        "items.append(1.0)",
        "items.append(x + 2)",
        "`items`[3] after the call is a float (1.0), and a tensor is expected",
    ),
    "another number": ("items[2] = 8", "items[2] = 9", "`items`[2] after the call is 8, and 9 is expected"),
    "a number that stays": ("pass", "items[2] = 9", "`items`[2] after the call is 7, and 9 is expected"),
    "another type of number": (
        "items[2] = 7.0",
        "pass",
        "`items`[2] after the call is a float (7.0), and an int (7) is expected",
    ),
    "a tensor for a number": (
        "items[2] = x",
        "pass",
        "`items`[2] after the call is a tensor of shape (2, 3), and an int (7) is expected",
    ),
    "a tensor that should go": (
        "pass",
        "items[0] = None",
        "`items`[0] after the call is a tensor of shape (2, 3), and None is expected",
    ),
    "a tensor that is gone": (
        "items[0] = None",
        "pass",
        "`items`[0] after the call is None, and a tensor is expected",
    ),
    "a number for a list": (
        "table['l'] = 1",
        "pass",
        "`table`['l'] after the call is an int (1), and a list is expected",
    ),
    "a number in a list of a dict": (
        "table['l'].append(2)",
        "table['l'].append(3)",
        "`table`['l'][0] after the call is 2, and 3 is expected",
    ),
    "an entry not made": ("pass", "table['m'] = 1", "`table` after the call lacks 'm'"),
    "an entry too many": ("table['m'] = 1", "pass", "`table` after the call has 'm' too many"),
}


@pytest.mark.parametrize("case", EFFECTS)
def test_side_effects_that_differ(sides_here: Take, case: str) -> None:
    answer, right, message = EFFECTS[case]
    x, others = given()
    found = said(sides_here(doing(answer), doing(right)), x, **others)
    assert found == message or found.startswith(message + ";"), found
    x, others = given()
    assert said(sides_here(doing(right), doing(right)), x, **others) == ""
    if right == "pass":
        # A keyword or its place: the same.
        x, others = given()
        assert said(sides_here(doing(answer), doing(right)), x, *others.values()) == found


def given() -> tuple[Tensor, dict[str, Any]]:
    items, table = [matrix(False), matrix(False) + 1, 7], {"w": matrix(False), "l": []}
    return matrix(False), {"y": matrix(False), "items": items, "table": table}


def test_side_effects_that_differ_behind_the_walls(converse_with_worker: Converse) -> None:
    answers = numbered(doing(answer) for answer, _, _ in EFFECTS.values())
    both = _sides(converse_with_worker, answers, numbered(doing(right) for _, right, _ in EFFECTS.values()))
    for n, (case, (_, _, message)) in enumerate(EFFECTS.items()):
        x, others = given()
        assert said(both, x, of=f"f_{n}", **others).startswith(message), case


SAME_EFFECTS = {
    "in place by other means": ("x.copy_(x * 2)", "x.mul_(2)"),
    "a list grown by other means": ("items += [x * 2, 1.5]", "items.append(x + x)", "items.append(1.5)"),
    "a number rounded otherwise": ("items.append(0.1 + 0.2)", "items.append(0.3)"),
    "entries in another order": ("table.update(a=1, b=x + 1)", "table.update(b=1 + x, a=1)"),
    "keys in another order": ("table['w'] = table.pop('w')", "pass"),
    "a list made anew with the same tensors": ("items[:] = list(items)", "pass"),
    "gradients set to None, that were None": ("x.grad = None", "pass"),
}


@pytest.mark.parametrize("case", SAME_EFFECTS)
def test_side_effects_that_agree(sides_here: Take, case: str) -> None:
    answer, *right = SAME_EFFECTS[case]
    x, others = given()
    assert said(sides_here(doing(answer), doing(*right)), x, **others) == ""


GRADIENTS_OF_LEAVES = {
    "a backward that fills .grad": (
        "x.sum().backward()",
        "pass",
        "the .grad of `x` is set after the call, and it should not be",
    ),
    "a .grad that should be filled": (
        "pass",
        "x.sum().backward()",
        "the .grad of `x` is None after the call, and it should not be",
    ),
    "a .grad filled otherwise": (
        "(2 * x.sum()).backward()",
        "x.sum().backward()",
        "the .grad of `x` after the call differs in 6 of 6 elements",
    ),
    "a .grad not cleared": (
        "pass",
        "y.grad.zero_()",
        "the .grad of `y` after the call differs in 6 of 6 elements",
    ),
    "a .grad set to None": (
        "y.grad = None",
        "y.grad.zero_()",
        "the .grad of `y` is None after the call, and it should not be",
    ),
    "a .grad changed": (
        "y.grad.mul_(2)",
        "pass",
        "the .grad of `y` after the call differs in 6 of 6 elements",
    ),
    "a .grad added to": (
        "y.sum().backward()",
        "pass",
        "the .grad of `y` after the call differs in 6 of 6 elements",
    ),
    "a leaf changed": (
        "with torch.no_grad(): y -= y.grad",
        "pass",
        "`y`, which must not be changed, differs in 6 of 6 elements",
    ),
    "a leaf not changed": (
        "y = y - y.grad",
        "with torch.no_grad(): y -= y.grad",
        "`y` after the call differs in 6 of 6 elements",
    ),
    "a leaf cut off": (
        "y.requires_grad_(False)",
        "pass",
        "`y` is changed: its requires_grad is False after the call, and True is expected",
    ),
}


@pytest.mark.parametrize("case", GRADIENTS_OF_LEAVES)
def test_what_becomes_of_leaves_and_their_grad(sides: Take, case: str) -> None:
    answer, right, message = GRADIENTS_OF_LEAVES[case]

    def given() -> tuple[Tensor, Tensor]:
        x, y = matrix(), matrix()
        y.grad = torch.ones(2, 3)
        return x, y

    found = said(sides(doing(answer), doing(right)), *given())
    assert found == message or found.startswith(message + ";"), found
    assert said(sides(doing(right), doing(right)), *given()) == ""


# -- the copies that each side gets -----------------------------------------------------------------------


def both_report(sides: Take, report: str, *args: Any, **kwargs: Any) -> Any:
    """What both sides say of their arguments, where they say the same."""
    source = f"def f(x, y=None):\n    return {report}\n"
    both = sides(source, source)
    return agree(both.student.f, both.reference.f)(*args, **kwargs)


def test_the_originals_are_left_alone(sides: Take) -> None:
    x, items, table = matrix(), [matrix()], {"w": matrix()}
    x.grad = torch.ones(2, 3)
    effects = doing(
        "x.data.zero_()",
        "x.grad.zero_()",
        "items[0].data.zero_()",
        "items.append(1)",
        "table['w'].data.zero_()",
        "table['n'] = 1",
    )
    assert said(sides(effects, effects), x, items=items, table=table) == ""
    assert torch.equal(x, matrix())
    assert x.grad is not None
    assert torch.equal(x.grad, torch.ones(2, 3))
    assert len(items) == 1
    assert torch.equal(items[0], matrix())
    assert list(table) == ["w"]
    assert torch.equal(table["w"], matrix())


def test_one_side_does_not_see_what_the_other_did(sides: Take) -> None:
    effect = "def f(x, items):\n    x += 1\n    items.append(len(items))\n    return x.clone(), len(items)\n"
    y, count = agree(*_f(sides(effect, effect)))(matrix(False), [])
    assert torch.equal(y, matrix(False) + 1)
    assert count == 1


def test_storage_that_arguments_share_is_shared_in_the_copies(sides: Take) -> None:
    x = matrix(False)
    effect = "def f(x, y):\n    x.zero_()\n    return y.sum()\n"
    assert float(agree(*_f(sides(effect, effect)))(x, x[0])) == 0
    assert float(agree(*_f(sides(effect, effect)))(x, x[0].clone())) == 6
    items = "def f(items):\n    items[0].zero_()\n    return items[1].sum()\n"
    assert float(agree(*_f(sides(items, items)))([x[:1], x])) == 15


@pytest.mark.parametrize(
    "of", ["x.stride()", "(x.is_contiguous(), x.storage_offset())", "x.untyped_storage().nbytes()"]
)
def test_layout_is_kept(sides: Take, of: str) -> None:
    x = torch.arange(24.0).reshape(4, 6)[1::2, 1:4].t()
    namespace = {"x": x}
    assert both_report(sides, of, x) == eval(of, namespace)


def test_a_broadcast_argument_stays_one(sides: Take) -> None:
    x = torch.ones(3, 1).expand(3, 4)
    assert both_report(sides, "x.stride()", x) == (1, 0)


def test_a_broadcast_argument_may_be_asked_for_a_gradient(sides: Take) -> None:
    effect = doing("x.requires_grad_()")
    x = torch.ones(3, 1).expand(3, 4)
    assert said(sides(effect, effect), x) == ""
    assert said(sides(effect, doing("pass")), x).startswith("`x` is changed: its requires_grad is True")


def test_values_of_conjugate_views_are_kept(sides: Take) -> None:
    x = torch.tensor([1 + 2j, 3 - 1j]).conj()
    assert torch.equal(both_report(sides, "x.clone()", x).resolve_conj(), x.resolve_conj())


def test_leaves_are_leaves_and_the_others_are_none(sides: Take) -> None:
    facts = "(x.is_leaf, x.requires_grad, y.is_leaf, y.requires_grad)"
    assert both_report(sides, facts, matrix(), matrix() * 2) == (True, True, False, True)
    assert both_report(sides, facts, matrix(False), (matrix() * 2).detach()) == (True, False, True, False)


def test_gradients_reach_arguments_that_are_no_leaves(sides: Take) -> None:
    x = matrix() * 2
    assert said(sides(returning("x + x"), returning("x * 2")), x) == ""
    message = said(sides(returning("x * 3 - x.detach()"), returning("x * 2")), x)
    assert message.startswith("the gradient of `x` differs")


def test_a_grad_that_is_there_comes_along(sides: Take) -> None:
    x = matrix()
    x.grad = torch.full((2, 3), 5.0)
    assert torch.equal(both_report(sides, "x.grad.clone()", x), torch.full((2, 3), 5.0))
    assert both_report(sides, "x.grad", matrix()) is None


def test_tensors_given_by_keyword(sides: Take) -> None:
    both = sides("def f(*, x, y):\n    return x * y.detach()\n", "def f(*, x, y):\n    return x * y\n")
    assert said(both, x=matrix(), y=matrix(False)) == ""
    assert said(both, y=matrix(), x=matrix(False)) == f"the result{CUT}"
    assert said(both, y=matrix(), x=matrix()).startswith("the gradient of `y` is missing")


def test_a_state_dict_as_an_argument(sides: Take) -> None:
    state = torch.nn.Linear(2, 1).state_dict()
    right = "def f(state, x):\n    state['bias'] = state['bias'] + x\n    return state['weight'].sum() * x\n"
    assert said(sides(right, right), state, torch.tensor([2.0], requires_grad=True)) == ""
    in_place = right.replace("state['bias'] = state['bias'] + x", "state['bias'] += x.detach()")
    assert said(sides(in_place, right), state, torch.tensor([2.0], requires_grad=True)) != ""
    half = right.replace("* x\n", "* (x / 2 + x.detach() / 2)\n")
    message = said(sides(half, right), state, torch.tensor([2.0], requires_grad=True))
    assert message.startswith("the gradient of `x` differs")


def test_a_state_dict_given_past_agree(sides: Take) -> None:
    source = "def f(state, x):\n    state['new'] = x.detach() + 1\n    return state['w'] * x\n"
    state = OrderedDict(w=torch.tensor([3.0], requires_grad=True))
    x = torch.tensor([2.0], requires_grad=True)
    sides(source, source).student.f(state, x).backward()
    assert x.grad is not None
    assert state["w"].grad is not None
    assert torch.equal(x.grad, torch.tensor([3.0]))
    assert torch.equal(state["w"].grad, torch.tensor([2.0]))
    assert torch.equal(state["new"], torch.tensor([3.0]))


def _f(sides: Sides) -> tuple[Any, Any]:
    return sides.student.f, sides.reference.f


# -- scenarios --------------------------------------------------------------------------------------------

TRAINING = """
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.tensor([1.0, 2.0, 3.0]))

        def forward(self, x):
            return x * self.weight

    def step(model, optimizer, x):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss.item()
"""
PROPS = """
import torch


def optimizer(model):
    return torch.optim.SGD(model.parameters(), lr=0.1)
"""


def two_steps(side: Any, x: Tensor) -> Any:
    model = side.Scale()
    optimizer = side.props.optimizer(model)
    losses = [side.step(model, optimizer, x) for _ in range(2)]
    return losses, model.state_dict(), [parameter.grad for parameter in model.parameters()]


def scenario_said(both: Sides, scenario: Callable[..., Any], *args: Any) -> str:
    try:
        agree(partial(scenario, both.student), partial(scenario, both.reference))(*args)
    except Mismatch as mismatch:
        return mismatch.text
    return ""


def test_a_scenario_compares_what_it_returns(sides: Take) -> None:
    assert scenario_said(sides(TRAINING, TRAINING, PROPS), two_steps, matrix(False)) == ""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("optimizer.zero_grad()", "pass"), "item 1 of the result['weight'] differs in 3 of 3 elements"),
        (("optimizer.step()", "pass"), "item 1 of item 0 of the result is "),
        ((".pow(2)", ".pow(3)"), "item 0 of item 0 of the result is "),
        (("loss.item()", "loss"), "item 0 of item 0 of the result is a tensor of shape (), and a float"),
    ],
)
def test_a_scenario_that_goes_wrong(sides: Take, change: tuple[str, str], message: str) -> None:
    both = sides(TRAINING.replace(*change), TRAINING, PROPS)
    assert scenario_said(both, two_steps, matrix(False)).startswith(message)


def test_a_scenario_carries_gradients_through_several_calls(sides: Take) -> None:
    source = "def g(x):\n    return x ** 2\n\ndef h(x, y):\n    return (x * y).sum()\n"

    def chain(side: Any, x: Tensor) -> Any:
        return side.h(side.g(x), x)

    assert scenario_said(sides(source, source), chain, matrix()) == ""
    cut = source.replace("x ** 2", "x.detach() ** 2")
    message = scenario_said(sides(cut, source), chain, matrix())
    assert message.startswith("the gradient of `x` differs in 6 of 6 elements")


def test_props_as_arguments(sides: Take) -> None:
    source = "def f(loss, x):\n    return loss(x) * 2\n"
    both = sides(source, source, "def loss(x):\n    return (x ** 2).sum()\n")

    def call(side: Any, x: Tensor) -> Any:
        assert side is both.reference or isinstance(side.props.loss, Remote)
        return side.f(side.props.loss, x)

    assert scenario_said(both, call, matrix()) == ""


# -- what is known already --------------------------------------------------------------------------------


def test_what_the_reference_answered_is_kept_as_it_was(converse: Converse) -> None:
    # The second submission meets the expectation that was computed for the first.
    right = "def f(x, items):\n    x += 1\n    items.append(x.sum())\n    return x * 2, items\n"
    reference = Reference("answer", HEAD + right, None)
    known: dict[object, Any] = {}
    wrong = right.replace("x * 2", "x.mul_(2)")
    for source, good in [(right, True), (wrong, False), (right, True), (wrong, False)]:
        context.enter(context.TestContext(11, known=known))
        conversation = converse(HEAD + source)
        conversation.begin_test(1)
        both = Sides(Student(conversation), reference)
        assert (said(both, matrix(False), []) == "") is good


def test_other_inputs_or_settings_are_not_taken_for_known(converse: Converse) -> None:
    source = """
        def f(x, k=0):
            if isinstance(x, list):
                return [t.stride() for t in x]
            return x * (k + 1), x.is_leaf, k
    """
    source = textwrap.dedent(source)
    reference = Reference("answer", HEAD + source, None)
    conversation = converse(HEAD + source)
    conversation.begin_test(1)
    both = Sides(Student(conversation), reference)
    known: dict[object, Any] = {}
    x, y = matrix(False), matrix(False).t().contiguous().t()
    # One after the other in the same place of the same test, each unlike the one before in one thing.
    for args in [
        (matrix(),),
        (x,),
        (x + 1,),
        (x[0],),
        (x[0].double(),),
        (matrix() * 1,),
        (x, 1),
        (x, 2),
        (x, 2.0),
        (x, True),
        (x, 1),
        ([x, x],),
        ([y, x],),
        ([y, x, x],),
    ]:
        context.enter(context.TestContext(11, known=known))
        assert said(both, *args) == ""
    cut = converse(HEAD + returning("x * 3 - 2 * x.detach(), x.is_leaf, 0"))
    cut.begin_test(1)
    for settings in ({}, {"gradients": False}):
        context.enter(context.TestContext(11, known=known))
        assert (said(Sides(Student(cut), reference), matrix(), settings=settings) == "") is bool(settings)


def test_the_same_inputs_are_asked_of_the_reference_once(converse: Converse) -> None:
    source = "def f(x):\n    return x * 2\n"
    reference = Reference("answer", HEAD + source.replace("return", "calls.append(1)\n    return"), None)
    calls: list[int] = []
    reference._module.calls = calls  # type: ignore[attr-defined]  # a module takes any name
    known: dict[object, Any] = {}
    for _ in range(3):
        context.enter(context.TestContext(11, known=known))
        conversation = converse(HEAD + source)
        conversation.begin_test(1)
        assert said(Sides(Student(conversation), reference), matrix()) == ""
    assert len(calls) == 1


def test_values_and_gradients_cost_one_turn_on_the_wire(converse: Converse) -> None:
    source = "def f(x):\n    return x * 2, x * 3\n"
    conversation = converse(HEAD + source)
    conversation.begin_test(1)
    assert said(Sides(Student(conversation), Reference("answer", HEAD + source, None)), matrix()) == ""
    assert len(conversation.transcript) == 1
