"""What truncated backpropagation through time has to get right."""

from functools import partial

import pytest
import torch

from grader import agree


def rnn(make, length, batch=2, width=4, hidden=3, dtype=torch.float32):
    """Inputs, first state, and weights small enough to keep tanh away from its flat ends."""
    return (
        make.randn(length, batch, width, dtype=dtype, requires_grad=True),
        make.randn(batch, hidden, dtype=dtype, requires_grad=True),
        make.randn(width, hidden, dtype=dtype, requires_grad=True, scale=0.5),
        make.randn(hidden, hidden, dtype=dtype, requires_grad=True, scale=0.5),
        make.randn(hidden, dtype=dtype, requires_grad=True),
    )


def same_run(student, reference):
    return agree(student.truncated_bptt, reference.truncated_bptt)


@pytest.mark.points(2)
@pytest.mark.parametrize(("length", "steps"), [(7, 3), (6, 2), (4, 1)])
def test_values_and_gradients(student, reference, make, length, steps):
    same_run(student, reference)(*rnn(make, length), steps)


def test_a_chunk_as_long_as_the_sequence_is_not_cut(student, reference, make):
    same_run(student, reference)(*rnn(make, 4, batch=1, width=2, hidden=5), steps=4)


def test_float64_and_strided_inputs(student, reference, make):
    inputs, *others = rnn(make, 5, batch=3, dtype=torch.float64)
    same_run(student, reference)(make.noncontiguous(inputs), *others, 2)


@pytest.mark.points(2)
def test_values_are_those_of_the_run_without_cuts(student, reference, make):
    cut, whole = partial(student.truncated_bptt, steps=2), partial(reference.truncated_bptt, steps=5)
    agree(cut, whole, gradients=False)(*rnn(make, 5))


@pytest.mark.points(2)
def test_gradient_stops_at_the_border_of_a_chunk(student, make):
    inputs, *others = rnn(make, 7)
    last = student.truncated_bptt(inputs, *others, 3)[5].sum()
    (grad,) = torch.autograd.grad(last, inputs)
    reached = grad.abs().sum(dim=(1, 2)) > 0
    assert not reached[:3].any(), (
        "the gradient crosses a border: with steps=3, h_5 reaches back to x_3 and no farther"
    )
    assert reached[3:6].all(), "the gradient stops too early: with steps=3, h_5 reaches x_5, x_4 and x_3"


def test_the_first_state_gets_its_gradient(student, make):
    inputs, state, *weights = rnn(make, 5)
    states = student.truncated_bptt(inputs, state, *weights, 2)
    (grad,) = torch.autograd.grad(states[:2].sum(), state, allow_unused=True)
    assert grad is not None, "the first chunk begins at the caller's state, which is not cut off"
    assert grad.any(), "the caller's state gets no gradient from the first chunk"


def test_a_state_without_gradient_stays_as_it_is(student, reference, make):
    inputs, state, *weights = rnn(make, 4)
    same_run(student, reference)(inputs, state.detach(), *weights, 3)


def test_double_precision_where_nothing_is_cut(student, reference, make):
    arguments = rnn(make, 3, dtype=torch.float64)
    agree(student.truncated_bptt, reference.truncated_bptt, rtol=1e-10, atol=1e-12)(*arguments, 3)
