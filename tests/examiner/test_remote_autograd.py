"""Autograd goes through the wall as if there were none."""

from __future__ import annotations

import gc
import textwrap

import pytest
import torch

from grader.examiner.student import RemoteHandle, Student
from grader.examiner.student_errors import StudentError, trace_of
from tests.conftest import Converse

MODULE = textwrap.dedent(
    """
    import collections
    import torch
    from torch import nn

    CONSTANT = 41
    State = collections.namedtuple("State", "h c")

    def cube(x):
        return x ** 3

    def two(x, y):
        return x * y, x + 2 * y

    def first_only(x, y):
        return x * 2

    def cut(x):
        return (x * 2).detach()

    def mixed(x):
        values, indices = x.sort(dim=-1)
        return {"values": values, "indices": indices, "n": x.numel(), "rest": [None, (x.shape, True)]}

    def returns_argument(x):
        return x

    def view(x):
        return x[1:]

    def decay_(params, rate):
        with torch.no_grad():
            for p in params:
                p -= rate * p.grad
                p.grad.zero_()

    def through_data(x):
        x.data.mul_(2)

    def grow(items, table):
        items.append(items[0] + 1)
        items[0] = None
        table["new"] = items[1]

    def set_grad(x):
        (x ** 2).sum().backward()

    def count(n):
        for i in range(n):
            yield torch.full((2,), float(i)), i

    class Scale(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.weight = nn.Parameter(torch.arange(1.0, n + 1))
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            if self.training:
                self.seen += 1
            return x * self.weight

    class Half(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x / 2

        @staticmethod
        def backward(ctx, g):
            return g / 2

    class Odd(ValueError):
        pass

    class Strange(Exception):
        pass

    def fails(kind):
        x = 1
        raise {"value": ValueError("no"), "odd": Odd("odd"), "strange": Strange("s"), "exit": SystemExit(3)}[kind]

    def apply(f, x):
        return f(x)

    def wrap(h, c):
        return State(h, c)
    """
)


@pytest.fixture
def student(converse: Converse) -> Student:
    conversation = converse(MODULE, props="import torch\n\ndef double(x):\n    return 2 * x\n")
    conversation.begin_test(1)
    return Student(conversation)


def leaf(*shape: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    return torch.randn(*shape, dtype=dtype, generator=torch.Generator().manual_seed(3)).requires_grad_()


def test_backward_with_a_cotangent(student: Student) -> None:
    x = leaf(2, 3)
    g = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)
    student.cube(x).backward(g)
    torch.testing.assert_close(x.grad, 3 * x.detach() ** 2 * g)


def test_autograd_grad_leaves_the_leaf_alone(student: Student) -> None:
    x = leaf(4)
    (found,) = torch.autograd.grad(student.cube(x).sum(), [x])
    torch.testing.assert_close(found, 3 * x.detach() ** 2)
    assert x.grad is None


@pytest.mark.parametrize("fast", [True, False])
def test_gradcheck(student: Student, fast: bool) -> None:
    assert torch.autograd.gradcheck(student.cube, (leaf(2, 2),), fast_mode=fast)
    assert torch.autograd.gradcheck(student.two, (leaf(3), leaf(3)), fast_mode=fast)


def test_gradcheck_rejects_a_wrong_backward(converse: Converse) -> None:
    wrong = MODULE.replace("return g / 2", "return g")
    conversation = converse(wrong)
    conversation.begin_test(1)
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(Student(conversation).Half.apply, (leaf(3),))


def test_one_graph_walked_twice(student: Student) -> None:
    x = leaf(3)
    y = student.cube(x)
    first = torch.autograd.grad(y, x, torch.ones_like(y), retain_graph=True)[0]
    second = torch.autograd.grad(y, x, 2 * torch.ones_like(y))[0]
    torch.testing.assert_close(second, 2 * first)


def test_gradients_add_up_in_the_leaf(student: Student) -> None:
    x = leaf(3)
    student.cube(x).sum().backward()
    student.cube(x).sum().backward()
    torch.testing.assert_close(x.grad, 6 * x.detach() ** 2)


def test_several_outputs(student: Student) -> None:
    x, y = leaf(3), leaf(3)
    product, total = student.two(x, y)
    (product.sum() + 10 * total.sum()).backward()
    torch.testing.assert_close(x.grad, y.detach() + 10)
    torch.testing.assert_close(y.grad, x.detach() + 20)


def test_one_of_several_outputs(student: Student) -> None:
    x, y = leaf(3), leaf(3)
    _, total = student.two(x, y)
    total.sum().backward()
    torch.testing.assert_close(y.grad, torch.full_like(y, 2.0))


def test_an_input_that_is_not_used_has_no_gradient(student: Student) -> None:
    x, y = leaf(3), leaf(3)
    found = torch.autograd.grad(student.first_only(x, y).sum(), [x, y], allow_unused=True)
    torch.testing.assert_close(found[0], torch.full_like(x, 2.0))
    assert found[1] is None


def test_a_cut_graph_stays_cut(student: Student) -> None:
    y = student.cut(leaf(3))
    assert not y.requires_grad
    assert y.grad_fn is None


def test_no_graph_without_grad_mode(student: Student) -> None:
    with torch.no_grad():
        assert not student.cube(leaf(3)).requires_grad


def test_no_graph_where_no_input_asks_for_one(student: Student) -> None:
    assert not student.cube(torch.ones(3)).requires_grad


def test_calls_chain(student: Student) -> None:
    x = leaf(3)
    student.cube(student.cube(x) + x).sum().backward()
    twin = x.detach().clone().requires_grad_()
    ((twin**3 + twin) ** 3).sum().backward()
    torch.testing.assert_close(x.grad, twin.grad)


def test_an_argument_that_is_no_leaf(student: Student) -> None:
    x = leaf(3)
    student.cube(2 * x).sum().backward()
    torch.testing.assert_close(x.grad, 24 * x.detach() ** 2)


def test_a_nest_comes_back_as_it_was(student: Student) -> None:
    x = leaf(2, 3)
    nest = student.mixed(x)
    assert nest["n"] == 6
    assert nest["rest"] == [None, ((2, 3), True)]
    assert nest["indices"].dtype is torch.int64
    assert not nest["indices"].requires_grad
    nest["values"].sum().backward()
    torch.testing.assert_close(x.grad, torch.ones_like(x))


def test_what_is_returned_as_it_came_keeps_its_graph(student: Student) -> None:
    x = leaf(3)
    y = student.returns_argument(x)
    assert student.facts(y).is_argument == (0,)
    (y * 3).sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 3.0))


def test_facts_tell_views_from_copies(student: Student) -> None:
    x = torch.ones(3)
    assert student.facts(student.view(x)).shares_storage == (0,)
    assert student.facts(student.cube(x)).shares_storage == ()
    assert student.facts(student.cube(leaf(2))).requires_grad


def test_what_is_changed_in_place_changes_here(student: Student) -> None:
    p = leaf(3)
    p.grad = torch.ones_like(p)
    before = p.detach().clone()
    student.decay_([p], 0.5)
    torch.testing.assert_close(p.detach(), before - 0.5)
    assert not p.grad.any()
    assert p.is_leaf
    assert p.requires_grad


def test_writing_through_data_is_seen(student: Student) -> None:
    x = torch.ones(2, 2).t()
    student.through_data(x)
    assert torch.equal(x, torch.full((2, 2), 2.0))


def test_views_of_one_storage_change_together(student: Student) -> None:
    base = torch.ones(4)
    student.through_data(base[:2])
    assert base.tolist() == [2, 2, 1, 1]


def test_lists_and_dicts_change_in_place(student: Student) -> None:
    x = torch.ones(2)
    items, table = [x], {"old": 1}
    student.grow(items, table)
    assert items[0] is None
    assert torch.equal(items[1], x + 1)
    assert list(table) == ["old", "new"]


def test_a_gradient_set_in_the_worker_arrives(student: Student) -> None:
    x = leaf(3)
    student.set_grad(x)
    torch.testing.assert_close(x.grad, 2 * x.detach())


def test_generators(student: Student) -> None:
    found = list(student.count(3))
    assert [number for _, number in found] == [0, 1, 2]
    assert torch.equal(found[2][0], torch.full((2,), 2.0))


def test_a_module_keeps_its_state_over_there(student: Student) -> None:
    layer = student.Scale(3)
    assert isinstance(layer, RemoteHandle)
    x = leaf(3, dtype=torch.float32)
    layer(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([1.0, 2.0, 3.0]))
    torch.testing.assert_close(layer.weight.grad, x.detach())
    assert layer.weight.is_leaf
    assert layer.eval() == layer
    gc.collect()
    layer(x)
    assert float(layer.seen) == 1
    assert set(layer.state_dict()) == {"weight", "seen"}


def test_backward_through_parameters_alone(student: Student) -> None:
    layer = student.Scale(2)
    y = layer(torch.ones(2))
    assert y.requires_grad
    y.sum().backward()
    torch.testing.assert_close(layer.weight.grad, torch.ones(2))


def test_autograd_functions(student: Student) -> None:
    x = leaf(3)
    student.Half.apply(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 0.5))


def test_props_are_given_by_name(student: Student) -> None:
    x = leaf(3)
    student.apply(student.props.double, x).sum().backward()
    torch.testing.assert_close(x.grad, torch.full_like(x, 2.0))


def test_namedtuples_stay_over_there(student: Student) -> None:
    state = student.wrap(torch.ones(2), torch.zeros(2))
    assert state.type_name == "State"
    assert torch.equal(state.h, torch.ones(2))
    assert len(state) == 2


def test_values_and_missing_names(student: Student) -> None:
    assert student.CONSTANT == 41
    with pytest.raises(AttributeError, match="does not define `softmax`"):
        student.softmax  # noqa: B018  reading it is the test


def test_exceptions_arrive_as_what_they_are(student: Student) -> None:
    with pytest.raises(ValueError, match="no") as caught:
        student.fails("value")
    trace = trace_of(caught.value)
    assert trace is not None
    assert trace.line == MODULE.splitlines().index("    x = 1") + 2
    with pytest.raises(ValueError, match="odd") as odd:
        student.fails("odd")
    assert isinstance(odd.value, StudentError)
    with pytest.raises(StudentError, match="Strange: s"):
        student.fails("strange")
    with pytest.raises(StudentError, match="SystemExit"):
        student.fails("exit")
    assert torch.equal(student.cube(torch.ones(2)), torch.ones(2))


def test_a_traced_call_counts_its_ops(student: Student) -> None:
    with student.trace() as trace:
        student.cube(torch.ones(2))
    assert trace.ops == {"aten::pow.Tensor_Scalar": 1}


def test_graphs_are_released_with_their_tensors(converse: Converse) -> None:
    conversation = converse(MODULE)
    conversation.begin_test(1)
    student = Student(conversation)
    x = leaf(3)
    for _ in range(20):
        student.cube(x)
    kept = student.cube(x)
    gc.collect()
    student.cube(torch.ones(1))
    assert len(conversation.released_calls) <= 1
    kept.sum().backward()


def test_half_precision_and_complex(student: Student) -> None:
    for dtype in (torch.float16, torch.bfloat16, torch.complex64):
        x = torch.ones(3, dtype=dtype, requires_grad=True)
        y = student.cube(x)
        assert y.dtype is dtype
        y.backward(torch.ones_like(y))
        assert x.grad is not None
        assert x.grad.dtype is dtype


def test_an_argument_detached_in_place_is_seen(converse: Converse) -> None:
    conversation = converse("def f(x, y):\n    x.detach_()\n    y.requires_grad_()\n")
    conversation.begin_test(1)
    x, y = leaf(2) * 2, torch.ones(2)
    Student(conversation).f(x, y)
    assert not x.requires_grad
    assert y.requires_grad
